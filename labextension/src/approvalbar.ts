import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { CommandRegistry } from '@lumino/commands';
import { appendTo, button, CellDrawing } from './celldrawing';
import type { IStep } from './chat';
import type { Conversation } from './conversation';
import { stepOf } from './waiting';

const WAITING = 'jp-mod-datarusWaiting';

/** Puts a bar below the code that waits for the user's word: why it waits, Run and Skip. */
export class ApprovalBar extends CellDrawing {
  constructor(
    panel: NotebookPanel,
    private _conversation: Conversation,
    private _commands: CommandRegistry
  ) {
    super(panel, _conversation.changed);
  }

  protected release(): void {
    super.release();
    this._remove();
  }

  private _remove(): void {
    this._cell?.removeClass(WAITING);
    this._node?.remove();
    this._cell = this._step = this._node = null;
  }

  protected draw(): void {
    const run = this._conversation.active;
    const waiting = run?.steps.find(one => one.approval);
    const cell = this.panel.content.widgets.find(
      one => waiting && stepOf(one.model, this._conversation)?.step === waiting
    );
    if (run && waiting && cell) {
      this._show(cell, run.run, waiting);
    } else {
      this._remove();
    }
  }

  private _show(cell: Cell, run: string, step: IStep): void {
    if (this._cell === cell && this._step === step) {
      return;
    }
    this._remove();
    this._cell = cell;
    this._step = step;
    this._node = document.createElement('div');
    this._node.className = 'jp-Datarus-bar';
    this._node.setAttribute('role', 'group');
    this._node.setAttribute('aria-label', `Step ${step.number} waits for your approval`);
    this._node.append(
      text(step),
      this._runButton(cell, run, step.number),
      this._skipButton(run, step.number)
    );
    cell.addClass(WAITING);
    appendTo(cell, this._node);
  }

  private _runButton(cell: Cell, run: string, step: number): HTMLElement {
    const made = button('Run', () => {
      const code = cell.model.sharedModel.getSource();
      return this._commands.execute('datarus:approve', { run, step, code });
    });
    made.title = 'Run this code (Ctrl+Enter in the cell)';
    made.classList.add('jp-mod-accept');
    return made;
  }

  private _skipButton(run: string, step: number): HTMLElement {
    const made = button('Skip', () => this._commands.execute('datarus:skip', { run, step }));
    made.title = 'Do not run this code (Esc on the selected cell)';
    return made;
  }

  private _cell: Cell | null = null;
  private _step: IStep | null = null;
  private _node: HTMLElement | null = null;
}

function text(step: IStep): HTMLElement {
  const node = document.createElement('span');
  const reasons = step.approval?.reasons ?? [];
  node.textContent = ['Waiting for your approval.', ...reasons].join(' ');
  return node;
}

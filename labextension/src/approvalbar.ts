import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { IStep } from './chat';
import type { Conversation } from './conversation';
import { stepOf } from './waiting';

const DRAW_MS = 100;
const WAITING = 'jp-mod-datarusWaiting';

/** Puts a bar below the code that waits for the user's word: why it waits, Run and Skip. */
export class ApprovalBar implements IDisposable {
  constructor(
    private _panel: NotebookPanel,
    private _conversation: Conversation,
    private _commands: CommandRegistry
  ) {
    _panel.context.model.contentChanged.connect(this._schedule, this);
    _conversation.changed.connect(this._schedule, this);
    this._schedule();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._remove();
    Signal.clearData(this);
  }

  private _schedule(): void {
    this._timer ??= setTimeout(() => this._draw(), DRAW_MS);
  }

  private _draw(): void {
    this._timer = undefined;
    if (this._panel.isDisposed) {
      return;
    }
    const run = this._conversation.active;
    const waiting = run?.steps.find(one => one.approval);
    const cell = this._panel.content.widgets.find(
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
      this._button('Run', 'Run this code (Ctrl+Enter in the cell)', () =>
        this._commands.execute('datarus:approve', {
          run,
          step: step.number,
          code: cell.model.sharedModel.getSource()
        })
      ),
      this._button('Skip', 'Do not run this code (Esc on the selected cell)', () =>
        this._commands.execute('datarus:skip', { run, step: step.number })
      )
    );
    cell.addClass(WAITING);
    // At the end of the cell's node, as the badge: Lumino counts the children before it.
    cell.node.append(this._node);
  }

  private _button(label: string, title: string, onClick: () => unknown): HTMLElement {
    const button = document.createElement('button');
    button.className = 'jp-Button jp-mod-styled jp-mod-small';
    button.classList.toggle('jp-mod-accept', label === 'Run');
    button.textContent = label;
    button.title = title;
    button.addEventListener('click', onClick);
    return button;
  }

  private _remove(): void {
    this._cell?.removeClass(WAITING);
    this._node?.remove();
    this._cell = this._step = this._node = null;
  }

  private _cell: Cell | null = null;
  private _step: IStep | null = null;
  private _node: HTMLElement | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

function text(step: IStep): HTMLElement {
  const node = document.createElement('span');
  const reasons = step.approval?.reasons ?? [];
  node.textContent = ['Waiting for your approval.', ...reasons].join(' ');
  return node;
}

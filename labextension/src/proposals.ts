import type { Cell } from '@jupyterlab/cells';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';
import type { CellActions } from './cellactions';
import { button, CellDrawing } from './celldrawing';
import { isOffered, type IRun } from './chat';
import type { Conversation } from './conversation';

/** Shows the new versions that runs offer of the user's cells: a diff in the place of the cell's editor. */
export class Proposals extends CellDrawing {
  constructor(
    panel: NotebookPanel,
    private _conversation: Conversation,
    private _cells: CellActions,
    private _languages: IEditorLanguageRegistry | null
  ) {
    super(panel, _conversation.changed);
  }

  protected release(): void {
    super.release();
    this._shown.forEach((_, cell) => this._hide(cell));
  }

  protected draw(): void {
    const wanted = new Map<Cell, IRun>();
    for (const run of this._conversation.runs.filter(isOffered)) {
      const cell = this.panel.content.widgets.find(one => one.model.id === run.target?.cell);
      // A cell that was changed since is the user's.
      if (cell && cell.model.sharedModel.getSource() === run.target?.source) {
        wanted.set(cell, run);
      }
    }
    for (const cell of [...this._shown.keys()]) {
      if (wanted.get(cell)?.run !== this._shown.get(cell)?.run) {
        this._hide(cell);
      }
    }
    wanted.forEach((run, cell) => this._show(cell, run));
  }

  private _show(cell: Cell, run: IRun): void {
    if (this._shown.has(cell)) {
      return;
    }
    if (!cell.inputArea) {
      // Lab makes the parts of a cell when it comes into view.
      void cell.ready.then(() => this.schedule());
      return;
    }
    const view = new ProposalView(run, accepted => this._cells.decide(run, accepted));
    this._shown.set(cell, { run: run.run, view });
    cell.inputArea.renderInput(view);
    cell.addClass('jp-mod-datarusProposed');
    const { mimeType } = cell.model;
    view
      .draw(run, mimeType, this._languages)
      .catch(reason => console.error('Datarus cannot show the difference.', reason));
  }

  private _hide(cell: Cell): void {
    const shown = this._shown.get(cell);
    this._shown.delete(cell);
    if (!cell.isDisposed) {
      cell.removeClass('jp-mod-datarusProposed');
      cell.inputArea?.showEditor();
    }
    shown?.view.dispose();
  }

  private _shown = new Map<Cell, { run: string; view: ProposalView }>();
}

/** The diff with its two buttons. */
class ProposalView extends Widget {
  constructor(run: IRun, decide: (accepted: boolean) => void) {
    super();
    this.addClass('jp-Datarus-diff');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', 'New version of this cell, proposed by Datarus');
    const line = document.createElement('div');
    line.className = 'jp-Datarus-diffLine';
    const words = document.createElement('span');
    words.textContent = `Proposed by Datarus; it ran in step ${run.proposal?.step}`;
    const accept = button('Accept', () => decide(true));
    accept.classList.add('jp-mod-accept');
    const reject = button('Reject', () => decide(false));
    line.append(words, accept, reject);
    // The diff comes above it: at the top right of a cell is its toolbar.
    this.node.append(this._diff, line);
  }

  /** Load what draws diffs, and draw. */
  async draw(
    run: IRun,
    mimeType: string,
    languages: IEditorLanguageRegistry | null
  ): Promise<void> {
    const known = languages?.findByMIME(mimeType);
    const [{ showDiff }, language] = await Promise.all([
      import('./diff'),
      known && languages?.getLanguage(known)
    ]);
    if (!this.isDisposed && run.target && run.proposal) {
      const { source } = run.target;
      const view = showDiff(this._diff, source, run.proposal.code, language?.support ?? []);
      this.disposed.connect(() => view.destroy());
    }
  }

  private _diff = document.createElement('div');
}

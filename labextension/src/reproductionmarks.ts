import type { Cell } from '@jupyterlab/cells';
import { NotebookActions, type Notebook, type NotebookPanel } from '@jupyterlab/notebook';
import { appended, appendTo, CellDrawing } from './celldrawing';
import { hash } from './metadata';
import { sign, words, type ICellResult } from './reproduction';
import type { Reproductions } from './reproductions';

/** Marks each cell that was run again with its verdict, until the user edits it or runs it. */
export class ReproductionMarks extends CellDrawing {
  constructor(
    panel: NotebookPanel,
    private _notebook: string,
    private _reproductions: Reproductions
  ) {
    super(panel, _reproductions.changed);
    NotebookActions.executionScheduled.connect(this._onExecution, this);
  }

  private _onExecution(_: unknown, { notebook, cell }: { notebook: Notebook; cell: Cell }): void {
    if (notebook === this.panel.content) {
      this._outdate(cell);
      this.schedule();
    }
  }

  protected draw(): void {
    const check = this._reproductions.of(this._notebook);
    const wanted = new Map<Cell, ICellResult>();
    for (const result of check?.cells ?? []) {
      const cell = this._reproductions.cell(this._notebook, result);
      if (cell && hash(cell.model.sharedModel.getSource()) !== result.sha256) {
        this._outdate(cell);
      }
      if (cell && this._outdated.get(cell) !== check?.check) {
        wanted.set(cell, result);
      }
    }
    for (const cell of this.panel.content.widgets) {
      drawMark(cell, wanted.get(cell));
    }
  }

  private _outdate(cell: Cell): void {
    const check = this._reproductions.of(this._notebook);
    if (check) {
      this._outdated.set(cell, check.check);
    }
  }

  /** The cells that were edited or run since, each with the check that is of no account for it. */
  private _outdated = new WeakMap<Cell, number>();
}

function drawMark(cell: Cell, result: ICellResult | undefined): void {
  let mark = appended(cell, 'jp-Datarus-verdict');
  if (!result) {
    mark?.remove();
    return;
  }
  if (!mark) {
    mark = document.createElement('span');
    mark.className = 'jp-Datarus-verdict';
    mark.setAttribute('role', 'img');
    appendTo(cell, mark);
  }
  const said = words(result);
  if (mark.title !== said) {
    mark.dataset.verdict = result.verdict;
    mark.textContent = sign(result.verdict);
    mark.title = said;
    mark.setAttribute('aria-label', said);
  }
}

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { isNeverRun, type CellActions } from './cellactions';
import { hasFailed } from './cellcontent';
import { appended, appendTo, button, CellDrawing } from './celldrawing';

/** What is drawn at the user's own cells: the way to a fix under a traceback, and the mark of what is never run. */
export class UserCells extends CellDrawing {
  /** `onFix` is called with a cell that failed. */
  constructor(
    panel: NotebookPanel,
    private _cells: CellActions,
    private _onFix: (cell: Cell) => void
  ) {
    super(panel);
  }

  protected draw(): void {
    for (const cell of this.panel.content.widgets) {
      this._drawFix(cell);
      cell.toggleClass('jp-mod-datarusNeverRun', isNeverRun(cell));
    }
    this._cells.notify();
  }

  private _drawFix(cell: Cell): void {
    const there = appended(cell, 'jp-Datarus-fix');
    const wanted = hasFailed(cell);
    if (!wanted) {
      there?.remove();
    } else if (!there) {
      const fix = button('Fix with Datarus', () => this._onFix(cell));
      fix.title = 'Propose a version of this cell that runs';
      const line = document.createElement('div');
      line.className = 'jp-Datarus-fix';
      line.append(fix);
      appendTo(cell, line);
    }
  }
}

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { isNeverRun, type CellActions } from './cellactions';
import { hasFailed } from './cellcontent';

const DRAW_MS = 100;

/** What is drawn at the user's own cells: the way to a fix under a traceback, and the mark of what is never run. */
export class UserCells implements IDisposable {
  /** `onFix` is called with a cell that failed. */
  constructor(
    private _panel: NotebookPanel,
    private _cells: CellActions,
    private _onFix: (cell: Cell) => void
  ) {
    _panel.context.model.contentChanged.connect(this._schedule, this);
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
    for (const cell of this._panel.content.widgets) {
      this._drawFix(cell);
      cell.toggleClass('jp-mod-datarusNeverRun', isNeverRun(cell));
    }
    this._cells.notify();
  }

  private _drawFix(cell: Cell): void {
    const there = cell.node.querySelector(':scope > .jp-Datarus-fix');
    const wanted = hasFailed(cell);
    if (!wanted) {
      there?.remove();
    } else if (!there) {
      const button = document.createElement('button');
      button.textContent = 'Fix with Datarus';
      button.title = 'Propose a version of this cell that runs';
      button.addEventListener('click', () => this._onFix(cell));
      const line = document.createElement('div');
      line.className = 'jp-Datarus-fix';
      line.append(button);
      // At the end of the cell's node: Lumino counts the children before it.
      cell.node.appendChild(line);
    }
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

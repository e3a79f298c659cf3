import type { Cell } from '@jupyterlab/cells';
import { NotebookActions, type Notebook, type NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { hash } from './metadata';
import { sign, words, type ICellResult } from './reproduction';
import type { Reproductions } from './reproductions';

const DRAW_MS = 100;

/** Marks each cell that was run again with its verdict, until the user edits it or runs it. */
export class ReproductionMarks implements IDisposable {
  constructor(
    private _panel: NotebookPanel,
    private _notebook: string,
    private _reproductions: Reproductions
  ) {
    _panel.context.model.contentChanged.connect(this._schedule, this);
    _reproductions.changed.connect(this._schedule, this);
    NotebookActions.executionScheduled.connect(this._onExecution, this);
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

  private _onExecution(_: unknown, { notebook, cell }: { notebook: Notebook; cell: Cell }): void {
    if (notebook === this._panel.content) {
      this._outdate(cell);
      this._schedule();
    }
  }

  private _draw(): void {
    this._timer = undefined;
    if (this._isDisposed || this._panel.isDisposed) {
      return;
    }
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
    for (const cell of this._panel.content.widgets) {
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
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

function drawMark(cell: Cell, result: ICellResult | undefined): void {
  let mark = cell.node.querySelector<HTMLElement>(':scope > .jp-Datarus-verdict');
  if (!result) {
    mark?.remove();
    return;
  }
  if (!mark) {
    mark = document.createElement('span');
    mark.className = 'jp-Datarus-verdict';
    mark.setAttribute('role', 'img');
    // At the end of the cell's node: Lumino counts the children before it.
    cell.node.appendChild(mark);
  }
  const said = words(result);
  if (mark.title !== said) {
    mark.dataset.verdict = result.verdict;
    mark.textContent = sign(result.verdict);
    mark.title = said;
    mark.setAttribute('aria-label', said);
  }
}

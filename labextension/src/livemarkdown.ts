import { MarkdownCell } from '@jupyterlab/cells';
import type { StaticNotebook } from '@jupyterlab/notebook';
import { sourceOf, type ICell, type ICells } from './cells';
import { Disposable } from './disposable';

/**
 * Lab renders a Markdown cell only after a second without changes. Text that streams in is rendered once a frame at
 * most; a long text, which takes longer to render, less often.
 */
const FRAME_MS = 16;
const MS_A_CHARACTER = 0.02;

/** Keeps the Markdown cells of a run rendered while they grow. */
export class LiveMarkdown extends Disposable {
  constructor(private _notebook: StaticNotebook) {
    super();
  }

  protected release(): void {
    clearTimeout(this._timer);
  }

  /** Note what changed in `cells`; it is rendered soon. */
  update(cells: ICells): void {
    for (const view of cells.cells) {
      if (view.kind !== 'code' && this._shown.get(view.id) !== view) {
        this._shown.set(view.id, view);
        this._due.add(view.id);
        this._pause = Math.max(this._pause, sourceOf(view).length * MS_A_CHARACTER);
      }
    }
    if (this._due.size === 0 || this._timer !== undefined) {
      return;
    }
    const wait = this._last + this._pause - performance.now();
    if (wait <= 0) {
      this._render(); // in the frame of the write: in a long notebook each frame is dear
    } else {
      this._timer = setTimeout(() => this._render(), wait);
    }
  }

  private _render(): void {
    this._timer = undefined;
    this._last = performance.now();
    for (const id of this._due) {
      const cell = this._notebook.widgets.find(one => one.model.id === id);
      // One that another tab writes may come after the event that tells of it.
      if (cell instanceof MarkdownCell) {
        this._renderCell(cell, !this._rendered.has(id));
        this._rendered.add(id);
        this._due.delete(id);
      }
    }
    this._pause = FRAME_MS;
  }

  private _renderCell(cell: MarkdownCell, first: boolean): void {
    if (first) {
      cell.rendered = true;
    }
    // A cell that the user has opened for editing stays open.
    if (cell.rendered) {
      cell.update();
    }
  }

  private _shown = new Map<string, ICell>();
  private _rendered = new Set<string>();
  private _due = new Set<string>();
  private _last = 0;
  private _pause = FRAME_MS;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

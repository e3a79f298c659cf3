import type { Cell } from '@jupyterlab/cells';
import type { StaticNotebook } from '@jupyterlab/notebook';
import { Disposable } from './disposable';

/** How far below the edge the end of the text may be for the user to be "looking at it", in pixels. */
const SLACK = 80;
/**
 * How far ahead of the text to scroll, in heights of the view. Not line by line: the first scroll after a new cell has
 * every editor of the notebook computed anew, 0.2 s where there are 500.
 */
const AHEAD = 0.5;

/** Keeps the end of the text in view as long as the user looks at it; never moves their focus or selection. */
export class Follower extends Disposable {
  constructor(private _notebook: StaticNotebook) {
    super();
    this._notebook.outerNode.addEventListener('scroll', this._onScroll, { passive: true });
  }

  protected release(): void {
    this._notebook.outerNode.removeEventListener('scroll', this._onScroll);
  }

  /** The next text comes into the cell `id`, which may not be there yet. */
  expect(id: string): void {
    if (id === this._target) {
      return;
    }
    // A new cell: the user looks there if they look at where the text came to before, or at the notebook's end.
    this._following = this._looksAt(this._cell(this._target) ?? this._notebook.widgets.at(-1));
    this._target = id;
  }

  /** Scroll to the end of the text, if the user was there before it grew. */
  keep(): void {
    if (this._following && !this._frame) {
      this._frame = requestAnimationFrame(() => this._scroll());
    }
  }

  private _scroll(): void {
    this._frame = 0;
    const cell = this._cell(this._target);
    if (this.isDisposed || !cell || !this._following) {
      return;
    }
    const outer = this._notebook.outerNode;
    const below = cell.node.getBoundingClientRect().bottom - outer.getBoundingClientRect().bottom;
    if (below > 0) {
      outer.scrollTop += below + AHEAD * outer.clientHeight;
    }
  }

  private _onScroll = (): void => {
    this._following = this._looksAt(this._cell(this._target));
  };

  private _looksAt(cell: Cell | undefined): boolean {
    if (!cell) {
      return false;
    }
    const view = this._notebook.outerNode.getBoundingClientRect();
    const { bottom } = cell.node.getBoundingClientRect();
    return bottom >= view.top && bottom <= view.bottom + SLACK;
  }

  private _cell(id: string): Cell | undefined {
    return this._notebook.widgets.find(cell => cell.model.id === id);
  }

  private _target = '';
  private _following = false;
  private _frame = 0;
}

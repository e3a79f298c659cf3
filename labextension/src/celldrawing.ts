import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { ISignal } from '@lumino/signaling';
import { Disposable } from './disposable';

const DRAW_MS = 100;

/** Something drawn at the cells of a notebook: anew a moment after its content or one of `sources` has changed. */
export abstract class CellDrawing extends Disposable {
  constructor(
    protected panel: NotebookPanel,
    ...sources: ISignal<unknown, unknown>[]
  ) {
    super();
    for (const source of [panel.context.model.contentChanged, ...sources]) {
      source.connect(this.schedule, this);
    }
    this.schedule();
  }

  protected release(): void {
    clearTimeout(this._timer);
  }

  /** Draw it as it is now. */
  protected abstract draw(): void;

  protected schedule(): void {
    if (this.isDisposed || this._timer !== undefined) {
      return;
    }
    this._timer = setTimeout(() => {
      this._timer = undefined;
      if (!this.panel.isDisposed) {
        this.draw();
      }
    }, DRAW_MS);
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
}

/** Add a child to a cell's node. It comes last: Lumino counts the children before it. */
export function appendTo<T extends HTMLElement>(cell: Cell, child: T): T {
  return cell.node.appendChild(child);
}

/** What `appendTo` has added under a class of its own. */
export function appended(cell: Cell, className: string): HTMLElement | null {
  return cell.node.querySelector<HTMLElement>(`:scope > .${className}`);
}

/** One of Lab's small buttons, for what stands in a cell. */
export function button(label: string, onClick: () => unknown): HTMLButtonElement {
  const made = document.createElement('button');
  made.className = 'jp-mod-styled jp-mod-small';
  made.textContent = label;
  made.addEventListener('click', () => void onClick());
  return made;
}

import type { CodeCell } from '@jupyterlab/cells';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IActions } from './context';
import type { Notebooks } from './notebooks';
import { merge, whyQuestion, type ICellResult, type IReproduction } from './reproduction';
import type { Store } from './store';
import type { ISocket, ServerFrame } from './tokens';

/** The checks of the open notebooks, and what the user can do with them. What fails becomes the panel's error line. */
export class Reproductions {
  constructor(
    private _store: Store,
    private _notebooks: Notebooks,
    private _actions: IActions
  ) {
    _store.socket.received.connect(this._onFrame, this);
  }

  /** Carries the notebook whose check changed. */
  get changed(): ISignal<Reproductions, string> {
    return this._changed;
  }

  /** The notebook's last check; null if there is none. */
  of(notebook: string): IReproduction | null {
    return this._known.get(notebook) ?? null;
  }

  /** Check the cells of `run`, or the whole notebook in front. */
  start(run?: string, inPlace = false): void {
    this._store.attempt(this._start(run, inPlace));
  }

  stop(notebook: string): void {
    this._store.attempt(this._store.client.stopReproducing(notebook));
  }

  clear(notebook: string): void {
    this._store.attempt(this._store.client.clearReproduction(notebook));
  }

  /** Ask why a cell does not reproduce. */
  askWhy(notebook: string, result: ICellResult): void {
    const cell = this.cell(notebook, result);
    const source = cell?.model.sharedModel.getSource() ?? '';
    void this._actions.ask(whyQuestion(result, this.name(notebook, result), source), {});
  }

  /** Bring the cell of a result into view. */
  show(notebook: string, result: ICellResult): void {
    const content = this._notebooks.panel(notebook)?.content;
    const cell = this.cell(notebook, result);
    if (content && cell) {
      this._store.attempt(content.scrollToItem(content.widgets.indexOf(cell), 'smart'));
    }
  }

  /** `Cell [3]`, as the notebook counts it, or by its place where it has not run. */
  name(notebook: string, result: ICellResult): string {
    const count = this.cell(notebook, result)?.model.executionCount;
    return count ? `Cell [${count}]` : `The ${result.index + 1}. cell`;
  }

  /** The code cell of a result. In notebooks older than nbformat 4.5 cells have a place and no lasting id. */
  cell(notebook: string, { cell, index }: ICellResult): CodeCell | null {
    const widgets = this._notebooks.panel(notebook)?.content.widgets ?? [];
    const found = widgets.find(one => one.model.id === cell) ?? widgets[index];
    return found?.model.type === 'code' ? (found as CodeCell) : null;
  }

  private async _start(run: string | undefined, inPlace: boolean): Promise<void> {
    const conversation = this._store.current;
    const panel = conversation && this._notebooks.panel(conversation.notebook);
    if (!panel) {
      throw new Error('No notebook is open. Open one, then check again.');
    }
    if (conversation.active) {
      throw new Error('A run is under way in this notebook. Wait for its end, then check again.');
    }
    this._store.set({ error: '' });
    if (!panel.context.model.readOnly) {
      await this._notebooks.save(conversation.notebook);
    }
    await this._store.client.reproduce(conversation.notebook, run ?? null, inPlace);
  }

  private _onFrame(_: ISocket, frame: ServerFrame): void {
    if (frame.kind !== 'reproduction') {
      return;
    }
    const merged = merge(this.of(frame.notebook), frame);
    if (merged) {
      this._known.set(frame.notebook, merged);
    } else {
      this._known.delete(frame.notebook);
    }
    this._changed.emit(frame.notebook);
  }

  private _known = new Map<string, IReproduction>();
  private _changed = new Signal<this, string>(this);
}

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';
import { Disposable } from './disposable';
import { hash } from './metadata';

export type NotebookContext = DocumentRegistry.IContext<INotebookModel>;

/** What is on disk of an open notebook, beside what stands in the document. */
export class Disk extends Disposable {
  constructor(
    private _context: NotebookContext,
    private _contents: Contents.IManager
  ) {
    super();
    this._sources = this._fingerprint();
    _context.saveState.connect(this._onSaveState, this);
    _context.fileChanged.connect(this._onFileChanged, this);
  }

  /** The document was loaded again from its file, by us or by the user: its cells are others now. */
  get reloaded(): ISignal<Disk, void> {
    return this._reloaded;
  }

  /**
   * Load the notebook again if its file is newer than the document and the document holds nothing of the user's that
   * is unsaved; true if it was loaded. A shared document is never loaded again: its room is newer than the file.
   */
  reloadIfNewer(): Promise<boolean> {
    return this._inTurn(() => this._reloadIfNewer());
  }

  /**
   * Save the document. A shared one is saved by the server, soon after each change: Lab's save would take that for
   * somebody else's.
   */
  save(): Promise<void> {
    if (this._context.model.collaborative) {
      return Promise.resolve();
    }
    return this._inTurn(async () => {
      await this._saved();
      await this._context.save();
    });
  }

  /**
   * One after the other: a load under way would undo what is written after the next one's check, and of two saves each
   * finds the other's file newer than what it knows.
   */
  private _inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this._last.then(work);
    this._last = done.catch(() => undefined);
    return done;
  }

  /** Resolves once no save of the user's is under way. */
  private _saved(): Promise<void> {
    return new Promise(resolve => {
      const { saveState } = this._context;
      const look = () => {
        if (!this._saving || this.isDisposed) {
          saveState.disconnect(look);
          resolve();
        }
      };
      saveState.connect(look);
      look();
    });
  }

  private async _reloadIfNewer(): Promise<boolean> {
    const context = this._context;
    if (this.isDisposed || this._unsaved() || context.model.collaborative) {
      return false;
    }
    const disk = await this._contents.get(context.path, { content: false, hash: true });
    const known = context.contentsModel;
    if (
      this.isDisposed ||
      context.isDisposed ||
      !known ||
      !differs(known, disk) ||
      this._unsaved()
    ) {
      return false;
    }
    await context.revert();
    return true;
  }

  /** Lab calls a notebook dirty as soon as a kernel tells its language; what counts here are the cells. */
  private _unsaved(): boolean {
    return this._context.model.dirty && this._fingerprint() !== this._sources;
  }

  private _fingerprint(): string {
    const { cells } = this._context.model.sharedModel;
    return hash(JSON.stringify(cells.map(cell => [cell.id, cell.getSource()])));
  }

  private _onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    this._saving = state === 'started';
  }

  private _onFileChanged(): void {
    this._sources = this._fingerprint();
    // The file of a shared document follows it, not the other way round.
    if (!this._saving && !this._context.model.collaborative) {
      this._reloaded.emit();
    }
  }

  private _reloaded = new Signal<this, void>(this);
  private _last: Promise<unknown> = Promise.resolve();
  private _sources: string;
  private _saving = false;
}

function differs(known: Omit<Contents.IModel, 'content'>, disk: Contents.IModel): boolean {
  if (known.hash && disk.hash) {
    return known.hash !== disk.hash;
  }
  return new Date(disk.last_modified).getTime() > new Date(known.last_modified).getTime();
}

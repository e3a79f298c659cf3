import type { NotebookPanel } from '@jupyterlab/notebook';
import type { ICells } from './cells';
import type { Conversation } from './conversation';
import type { Disk, NotebookContext } from './disk';
import { Disposable } from './disposable';
import { Follower } from './follower';
import { LiveMarkdown } from './livemarkdown';
import { traces } from './metadata';
import { RunWriter } from './runwriter';
import type { ISocket } from './tokens';

/** At most one write to the notebook in this time: about one frame. */
const WRITE_MS = 16;
/** A pause in the user's typing, after which an edit is told to the server. */
const EDIT_MS = 600;

/**
 * The tab's surface: applies the cells of a conversation to its open notebook, while this tab holds the lease.
 *
 * It can be started again at any time (a reload, a lost socket): what stands in the notebook already is found by the
 * cells' ids and marks, and not written twice.
 */
export class Surface extends Disposable {
  constructor(
    panel: NotebookPanel,
    private _conversation: Conversation,
    private _socket: ISocket,
    private _disk: Disk
  ) {
    super();
    this._context = panel.context;
    this._follower = new Follower(panel.content);
    this._markdown = new LiveMarkdown(panel.content);
    _conversation.changed.connect(this._onChanged, this);
    this._context.model.contentChanged.connect(this._onContentChanged, this);
    _disk.reloaded.connect(this._onReloaded, this);
    this._onChanged();
  }

  /** Whether to scroll to new text while the user looks at the end of the run. */
  follow = true;

  protected release(): void {
    clearTimeout(this._timer);
    clearTimeout(this._editTimer);
    this._follower.dispose();
    this._markdown.dispose();
  }

  private get _writes(): boolean {
    return this._conversation.writer && this._conversation.caughtUp && !this.isDisposed;
  }

  private _onChanged(): void {
    if (!this._conversation.caughtUp) {
      return;
    }
    if (!this._conversation.writer) {
      this._current = false;
      this._showOthers();
      return;
    }
    // A timer and not an animation frame: cells are written in a hidden tab too.
    this._timer ??= setTimeout(
      () => this._tick(),
      Math.max(0, this._last + WRITE_MS - performance.now())
    );
  }

  /** What the document holds of a run is found anew, by the cells' marks. */
  private _onReloaded(): void {
    this._runs.clear();
    this._onChanged();
  }

  private _tick(): void {
    this._timer = undefined;
    this._last = performance.now();
    if (!this._writes) {
      return;
    }
    if (this._current) {
      this._write();
    } else if (!this._catchingUp) {
      this._catchingUp = true;
      this._catchUp()
        .catch(reason => console.error('Datarus cannot bring the notebook up to date.', reason))
        .finally(() => {
          this._catchingUp = false;
          this._current = true;
          this._write();
        });
    }
  }

  /** Before the first write as the writer: take over what another writer has saved since this tab loaded the file. */
  private async _catchUp(): Promise<void> {
    await this._disk.reloadIfNewer();
    this._runs.clear();
  }

  /** In a shared document the cells of the tab that writes come by themselves, but Markdown comes unrendered. */
  private _showOthers(): void {
    if (this._context.model.collaborative && this._conversation.caughtUp) {
      const live = this._conversation.cells.filter(({ run }) => this._conversation.isLive(run));
      live.forEach(cells => this._markdown.update(cells));
    }
  }

  private _write(): void {
    if (!this._writes) {
      return;
    }
    this._busy = true;
    try {
      for (const cells of this._conversation.cells) {
        this._writeRun(cells);
      }
    } finally {
      this._busy = false;
    }
    if (this.follow) {
      this._follower.keep();
    }
    if (this._conversation.cells.some(cells => this._needsSave(cells))) {
      this._save();
    }
  }

  private _writeRun(cells: ICells): void {
    const first = !this._runs.has(cells.run);
    const writer = this._runs.get(cells.run) ?? new RunWriter(this._context.model, cells.run);
    this._runs.set(cells.run, writer);
    if (first && cells.finished && !writer.traced && !this._conversation.isLive(cells.run)) {
      // A run of the past that left nothing here: the notebook was made anew under an old name, or the user took
      // its cells away. They do not come back.
      this._past.add(cells.run);
    }
    if (this._past.has(cells.run)) {
      return;
    }
    if (writer.holds(cells)) {
      return;
    }
    const view = cells.cells.at(-1);
    if (view) {
      this._follower.expect(view.id);
    }
    if (writer.write(cells)) {
      this._unsaved.add(cells.run);
    }
    this._markdown.update(cells);
  }

  /** At the first cell, for a reload then finds in the file that this run writes here, and whenever a step ends. */
  private _needsSave({ run, settled }: ICells): boolean {
    const saved = this._saved.get(run);
    if (saved === undefined) {
      return this._unsaved.has(run);
    }
    return settled > saved && (this._unsaved.has(run) || this._conversation.isLive(run));
  }

  /** Save the document, then tell the server up to which event the file now holds each run. */
  private _save(): void {
    if (this._saving) {
      return;
    }
    const written = this._conversation.cells.filter(
      one => this._unsaved.has(one.run) || this._needsSave(one)
    );
    const seqs = new Map(written.map(one => [one.run, one.seq]));
    this._unsaved.clear();
    seqs.forEach((seq, run) => this._saved.set(run, seq));
    this._saving = true;
    this._store(seqs)
      .then(saved => this._acknowledge(seqs, saved))
      .catch(reason => console.error('Datarus cannot save the notebook.', reason))
      .finally(() => {
        this._saving = false;
        this._onChanged();
      });
  }

  /** Have the cells kept: on disk, or in the document that the server shares. False for nothing worth keeping. */
  private async _store(seqs: ReadonlyMap<string, number>): Promise<boolean> {
    const { model } = this._context;
    const empty = model.sharedModel.cells.every(cell => !cell.getSource().trim());
    if (empty || model.readOnly) {
      return false;
    }
    const runs = { ...traces(model.sharedModel), ...Object.fromEntries(seqs) };
    model.sharedModel.transact(() => model.sharedModel.setMetadata('datarus', { runs }), false);
    await this._disk.save();
    return true;
  }

  private _acknowledge(seqs: ReadonlyMap<string, number>, saved: boolean): void {
    const { notebook } = this._conversation;
    seqs.forEach((seq, run) => this._socket.send({ kind: 'ack', notebook, run, seq, saved }));
  }

  private _onContentChanged(): void {
    if (this._busy) {
      return;
    }
    if (!this._writes) {
      this._showOthers();
      return;
    }
    clearTimeout(this._editTimer);
    this._editTimer = setTimeout(() => this._reportEdits(), EDIT_MS);
  }

  private _reportEdits(): void {
    for (const cells of this._conversation.cells) {
      for (const edit of this._runs.get(cells.run)?.takeEdits() ?? []) {
        this._socket.send({ kind: 'edited', run: cells.run, ...edit });
      }
    }
  }

  private _context: NotebookContext;
  private _follower: Follower;
  private _markdown: LiveMarkdown;
  private _runs = new Map<string, RunWriter>();
  private _past = new Set<string>();
  private _unsaved = new Set<string>();
  private _saved = new Map<string, number>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _editTimer: ReturnType<typeof setTimeout> | undefined;
  private _last = 0;
  private _busy = false;
  private _current = false;
  private _catchingUp = false;
  private _saving = false;
}

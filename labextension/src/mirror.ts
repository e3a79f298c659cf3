import type { Conversation } from './conversation';
import type { Disk } from './disk';
import { Disposable } from './disposable';

/** After the end of a step, the writer needs about this long to have it on disk. */
const SAVED_MS = 1500;

/** In a tab that does not write: loads the notebook again once the writer has saved a step. Best effort. */
export class Mirror extends Disposable {
  constructor(
    private _conversation: Conversation,
    private _disk: Disk
  ) {
    super();
    _conversation.changed.connect(this._onChanged, this);
  }

  protected release(): void {
    clearTimeout(this._timer);
  }

  private _onChanged(): void {
    const { writer, caughtUp, cells } = this._conversation;
    const settled = cells.reduce((sum, one) => sum + one.settled, 0);
    const news = caughtUp && settled > this._settled;
    this._settled = settled;
    if (!writer && news && this._started) {
      clearTimeout(this._timer);
      this._timer = setTimeout(() => this._reload(), SAVED_MS);
    }
    this._started ||= caughtUp;
  }

  private _reload(): void {
    if (this.isDisposed || this._conversation.writer) {
      return;
    }
    this._disk
      .reloadIfNewer()
      .catch(reason => console.warn('Datarus cannot load what another tab has saved.', reason));
  }

  private _settled = 0;
  private _started = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

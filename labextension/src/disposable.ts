import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

/** Something with an end: its signals and slots go with it, and what `release` lets go of. */
export abstract class Disposable implements IDisposable {
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.release();
      Signal.clearData(this);
    }
  }

  /** Let go of timers, listeners and parts. */
  protected release(): void {}

  private _isDisposed = false;
}

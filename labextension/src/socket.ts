import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';
import { Disposable } from './disposable';
import type { BrowserFrame, ISocket, ServerFrame } from './tokens';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;

/** How long to wait before connection attempt `attempt` (from 0): doubling, with `random` in [0, 1) as jitter. */
export function backoff(attempt: number, random: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS);
  // Jitter, or every tab of a restarted server would come back in the same instant.
  return delay * (0.5 + random / 2);
}

/** One WebSocket to the server extension, which comes back by itself. */
export class Socket extends Disposable implements ISocket {
  constructor(settings: ServerConnection.ISettings) {
    super();
    this._settings = settings;
    this._connect();
  }

  get connected(): boolean {
    return this._socket?.readyState === 1; // OPEN
  }

  get connectedChanged(): ISignal<ISocket, boolean> {
    return this._connectedChanged;
  }

  get received(): ISignal<ISocket, ServerFrame> {
    return this._received;
  }

  /** Send a frame. Without a connection it is dropped: `open` with its `since` makes up for it later. */
  send(frame: BrowserFrame): void {
    if (this.connected) {
      this._socket?.send(JSON.stringify(frame));
    }
  }

  protected release(): void {
    clearTimeout(this._timer);
    this._socket?.close();
  }

  private _connect(): void {
    const socket = new this._settings.WebSocket(this._url());
    this._socket = socket;
    socket.onopen = () => {
      this._attempt = 0;
      this._connectedChanged.emit(true);
    };
    socket.onmessage = message => {
      this._received.emit(JSON.parse(message.data as string) as ServerFrame);
    };
    socket.onclose = () => this._onClose();
  }

  private _onClose(): void {
    if (this.isDisposed) {
      return;
    }
    this._connectedChanged.emit(false);
    this._timer = setTimeout(() => this._connect(), backoff(this._attempt++, Math.random()));
  }

  private _url(): string {
    const url = URLExt.join(this._settings.wsUrl, 'datarus', 'ws');
    const { appendToken, token } = this._settings;
    const query = { tab: this._tab, ...(appendToken && token ? { token } : {}) };
    return url + URLExt.objectToQueryString(query);
  }

  private _settings: ServerConnection.ISettings;
  /** This page's name: under it a new connection takes the place of the lost one. */
  private _tab = UUID.uuid4();
  private _socket: WebSocket | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _attempt = 0;
  private _connectedChanged = new Signal<ISocket, boolean>(this);
  private _received = new Signal<ISocket, ServerFrame>(this);
}

/** A real HTTP server with a real WebSocket on the loopback interface, for the tests of the client. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServerConnection } from '@jupyterlab/services';
import { WebSocketServer, type WebSocket } from 'ws';
import type { BrowserFrame, ServerFrame } from '../src/tokens';

export interface ICall {
  method: string;
  path: string;
  body: unknown;
}

export class TestServer {
  readonly calls: ICall[] = [];
  readonly frames: BrowserFrame[] = [];
  readonly sockets: WebSocket[] = [];
  /** What the next calls are answered with. */
  answer: { status: number; body: string } = { status: 200, body: '{}' };

  private _http = createServer((request, response) => {
    void this._record(request).then(() => {
      response.writeHead(this.answer.status, { 'Content-Type': 'application/json' });
      response.end(this.answer.body);
    });
  });
  private _ws = new WebSocketServer({ server: this._http });

  async start(): Promise<void> {
    this._ws.on('connection', socket => {
      this.sockets.push(socket);
      socket.on('message', (data: Buffer) => {
        this.frames.push(JSON.parse(data.toString()) as BrowserFrame);
      });
    });
    await new Promise<void>(resolve => this._http.listen(0, '127.0.0.1', resolve));
  }

  get settings(): ServerConnection.ISettings {
    const { port } = this._http.address() as AddressInfo;
    const host = `127.0.0.1:${port}/hub/user/`;
    return ServerConnection.makeSettings({
      baseUrl: `http://${host}`,
      wsUrl: `ws://${host}`,
      token: 'secret',
      appendToken: true
    });
  }

  send(frame: ServerFrame): void {
    this.sockets.at(-1)?.send(JSON.stringify(frame));
  }

  async stop(): Promise<void> {
    this.sockets.forEach(socket => socket.terminate());
    this._ws.close();
    this._http.closeAllConnections();
    await new Promise(resolve => this._http.close(resolve));
  }

  private async _record(request: IncomingMessage): Promise<void> {
    let text = '';
    for await (const chunk of request) {
      text += String(chunk);
    }
    const body: unknown = text ? JSON.parse(text) : undefined;
    this.calls.push({ method: request.method ?? '', path: request.url ?? '', body });
  }
}

/** Wait until `condition` holds; rejects after five seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) {
      throw new Error(`${what} did not happen within 5 s`);
    }
    await new Promise(resolve => setImmediate(resolve));
  }
}

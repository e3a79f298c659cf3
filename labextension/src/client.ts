import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { Mode } from './events';
import type { IServerModes } from './modes';
import type {
  IApproval,
  IAttachable,
  ICheckLine,
  IClient,
  IEngine,
  IModelFile,
  IResume,
  IRunLine,
  IRunRequest
} from './tokens';

/** The server's REST interface, as docs/protocol.md has it. */
export class Client implements IClient {
  constructor(settings?: ServerConnection.ISettings) {
    this.settings = settings ?? ServerConnection.makeSettings();
  }

  readonly settings: ServerConnection.ISettings;

  runs(): Promise<IRunLine[]> {
    return this._request('GET', 'runs');
  }

  /** Start a run; resolves to its id. */
  async startRun(request: IRunRequest): Promise<string> {
    const { run } = await this._request<{ run: string }>('POST', 'runs', request);
    return run;
  }

  stop(run: string): Promise<void> {
    return this._request('POST', `runs/${encodeURIComponent(run)}/stop`, {});
  }

  /** Change who decides that code runs, from now on. */
  setMode(run: string, mode: Mode): Promise<void> {
    return this._request('POST', `runs/${encodeURIComponent(run)}/mode`, { mode });
  }

  approve(run: string, approval: IApproval): Promise<void> {
    return this._request('POST', `runs/${encodeURIComponent(run)}/approval`, approval);
  }

  /** Tell whether the user took the new version of their cell. */
  decideProposal(run: string, accepted: boolean): Promise<void> {
    return this._request('POST', `runs/${encodeURIComponent(run)}/proposal`, { accepted });
  }

  /** The modes that the server allows. */
  modes(): Promise<IServerModes> {
    return this._request('GET', 'modes');
  }

  async revert(run: string, step: number): Promise<string[]> {
    const path = `runs/${encodeURIComponent(run)}/revert`;
    const { kept } = await this._request<{ kept: string[] }>('POST', path, { step });
    return kept;
  }

  /** Let a run that is over go on. */
  resume(run: string, how: IResume): Promise<void> {
    return this._request('POST', `runs/${encodeURIComponent(run)}/resume`, how);
  }

  engines(): Promise<{ active: string | null; engines: IEngine[] }> {
    return this._request('GET', 'engines');
  }

  /** The readiness check of an engine, line by line. */
  async check(engine: string): Promise<ICheckLine[]> {
    const { lines } = await this._request<{ lines: ICheckLine[] }>(
      'POST',
      `engines/${encodeURIComponent(engine)}/check`,
      {}
    );
    return lines;
  }

  setKey(engine: string, key: string): Promise<void> {
    return this._request('PUT', `engines/${encodeURIComponent(engine)}/key`, { key });
  }

  models(): Promise<IModelFile[]> {
    return this._request('GET', 'models');
  }

  pull(model: string): Promise<void> {
    return this._request('POST', `models/${encodeURIComponent(model)}/pull`, {});
  }

  cancelPull(model: string): Promise<void> {
    return this._request('POST', `models/${encodeURIComponent(model)}/cancel`, {});
  }

  /** Start a check of whether the notebook, or the cells of one run, give the same results again. */
  reproduce(notebook: string, run: string | null, inPlace: boolean): Promise<void> {
    return this._request('POST', 'notebooks/reproduce', { notebook, run, in_place: inPlace });
  }

  stopReproducing(notebook: string): Promise<void> {
    return this._request('POST', 'notebooks/reproduce/stop', { notebook });
  }

  clearReproduction(notebook: string): Promise<void> {
    return this._request('POST', 'notebooks/reproduce/clear', { notebook });
  }

  async suggestions(notebook: string): Promise<string[]> {
    const query = URLExt.objectToQueryString({ notebook });
    const { questions } = await this._request<{ questions: string[] }>(
      'GET',
      'suggestions' + query
    );
    return questions;
  }

  /** The files beside a notebook, or the variables of its kernel. */
  attachable(kind: 'file' | 'variable', notebook: string): Promise<IAttachable[]> {
    const query = URLExt.objectToQueryString({ notebook });
    return this._request('GET', `attachments/${kind}s` + query);
  }

  private async _request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, 'datarus', 'api', path);
    const init = { method, body: body === undefined ? undefined : JSON.stringify(body) };
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch {
      throw new Error(
        'The Jupyter server does not answer. Check that it still runs, then ask again.'
      );
    }
    const text = await response.text();
    if (!response.ok) {
      throw new Error(errorMessage(response, text));
    }
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

/** The server's own sentence where it sent one. */
export function errorMessage(
  response: { status: number; statusText: string },
  text: string
): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string' && message) {
      return message;
    }
  } catch {
    // Not JSON: a proxy's page, or Jupyter's own error page.
  }
  if (response.status === 404) {
    return 'The Datarus server extension is not loaded. Run `jupyter server extension enable datarus_jupyter` and restart.';
  }
  if (response.status === 403) {
    return 'The Jupyter server refused the request. Sign in again, then repeat it.';
  }
  return `The Jupyter server answered ${response.status} ${response.statusText}. Its log says why.`;
}

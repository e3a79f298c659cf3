import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { Shown } from './chosen';
import type { AnyEvent, FinishReason, Mode, Verdict } from './events';
import type { IServerModes } from './modes';
import type { IReproduction } from './reproduction';

/** An engine as the server tells it; the speeds are of its last turn, null before. */
export interface IEngine {
  name: string;
  kind: 'embedded' | 'openai';
  url: string | null;
  model: string;
  state: 'ready' | 'starting' | 'stopped' | 'missing' | 'unreachable';
  message: string;
  model_file: string | null;
  /** The context window in tokens, null while it is unknown. */
  context: number | null;
  first_token_seconds: number | null;
  tokens_per_second: number | null;
  /** Where its API key is kept, '' if it has none. The key itself is never told. */
  key: '' | 'environment' | 'keyring' | 'file';
}

/** A model of the catalogue, and how much of it is on disk. */
export interface IModelFile {
  name: string;
  title: string;
  licence: string;
  bytes: number;
  received: number;
  state: 'absent' | 'pulling' | 'present' | 'failed';
}

/** One line of an engine's readiness check. */
export interface ICheckLine {
  name: string;
  ok: boolean;
  text: string;
}

/** A run as lists show it. */
export interface IRunLine {
  run: string;
  question: string;
  notebook: string | null;
  started: number;
  seconds: number;
  steps: number;
  reason: FinishReason | null;
}

/** What `POST runs` takes. */
export interface IRunRequest {
  question: string;
  notebook: string;
  anchor?: string;
  kernel?: string;
  mode?: Mode;
  engine?: string;
  attached?: Shown[];
  /** The id of the cell among `attached` that a new version is wanted of. */
  target?: string;
}

/** Something that can be shown with a question, and about how many tokens it takes. */
export interface IAttachable {
  name: string;
  detail: string;
  tokens: number;
}

/** The user's verdict on the code whose hash is `sha256`. */
export interface IApproval {
  step: number;
  sha256: string;
  verdict: Verdict;
  code?: string;
  comment?: string;
}

/** How a run goes on: back to before `step` first, with `code` the user's own in that step's place. */
export interface IResume {
  step?: number;
  code?: string;
  mode?: Mode;
}

/** A frame from the server (docs/protocol.md). */
export type ServerFrame =
  | { kind: 'events'; notebook: string; events: AnyEvent[] }
  | { kind: 'caught_up'; notebook: string }
  | { kind: 'lease'; notebook: string; writer: boolean }
  | { kind: 'engine'; engine: IEngine }
  | { kind: 'model'; model: IModelFile }
  | ({ kind: 'reproduction' } & IReproduction)
  | { kind: 'error'; message: string };

/** A frame to the server (docs/protocol.md). */
export type BrowserFrame =
  | { kind: 'open'; notebook: string; since: Record<string, number> }
  | { kind: 'close'; notebook: string }
  | { kind: 'ack'; notebook: string; run: string; seq: number; saved: boolean }
  | { kind: 'edited'; run: string; step: number; cell: string; source: string };

/** The calls of the REST interface. Each rejects with an `Error` whose message is for the user. */
export interface IClient {
  /** The runs of all notebooks, newest first. */
  runs(): Promise<IRunLine[]>;
  startRun(request: IRunRequest): Promise<string>;
  stop(run: string): Promise<void>;
  setMode(run: string, mode: Mode): Promise<void>;
  approve(run: string, approval: IApproval): Promise<void>;
  /** Take a run back to before a step; resolves to the ids of the cells that stay because the user edited them. */
  revert(run: string, step: number): Promise<string[]>;
  resume(run: string, how: IResume): Promise<void>;
  decideProposal(run: string, accepted: boolean): Promise<void>;
  modes(): Promise<IServerModes>;
  engines(): Promise<{ active: string | null; engines: IEngine[] }>;
  check(engine: string): Promise<ICheckLine[]>;
  /** Keep the API key of an engine; '' forgets it. */
  setKey(engine: string, key: string): Promise<void>;
  models(): Promise<IModelFile[]>;
  pull(model: string): Promise<void>;
  cancelPull(model: string): Promise<void>;
  suggestions(notebook: string): Promise<string[]>;
  reproduce(notebook: string, run: string | null, inPlace: boolean): Promise<void>;
  stopReproducing(notebook: string): Promise<void>;
  clearReproduction(notebook: string): Promise<void>;
  attachable(kind: 'file' | 'variable', notebook: string): Promise<IAttachable[]>;
}

/** The socket of this tab. It reconnects by itself; what is sent while it is away is dropped. */
export interface ISocket extends IDisposable {
  readonly connected: boolean;
  readonly connectedChanged: ISignal<ISocket, boolean>;
  readonly received: ISignal<ISocket, ServerFrame>;
  send(frame: BrowserFrame): void;
}

/** What another extension may ask of this one. */
export interface IDatarus {
  /** Show the panel and put `question` to the notebook in front, or into the question box if empty. */
  ask(question: string): Promise<void>;
  /** Stop the run of the notebook in front, if one is under way. */
  stop(): Promise<void>;
}

export const IDatarus = new Token<IDatarus>(
  'datarus-jupyter:IDatarus',
  'Ask questions about a notebook, and stop the run that answers them.'
);

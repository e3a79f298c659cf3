import { Signal, type ISignal } from '@lumino/signaling';
import { Conversation } from './conversation';
import { Disposable } from './disposable';
import type { Mode } from './events';
import { ANY_MODE, permitted, type IServerModes } from './modes';
import type { IClient, IEngine, IModelFile, ISocket, ServerFrame } from './tokens';

/** What the panel shows beside conversations: the notebook in front, the engine, the models, the connection. */
export interface IPanelState {
  readonly notebook: string | null;
  /** Whether the panel keeps to that notebook when another one comes to the front. */
  readonly pinned: boolean;
  readonly kernel: string;
  readonly kernelState: string;
  readonly connected: boolean;
  /** The engine that is asked, and those that can be chosen. */
  readonly engine: IEngine | null;
  readonly engines: readonly IEngine[];
  readonly models: readonly IModelFile[];
  readonly suggestions: readonly string[];
  readonly mode: Mode;
  /** The modes that the server allows; `mode` is always one of them. */
  readonly allowed: IServerModes;
  /** The run that the user has asked to stop, and whether the kernel holds that up; null if none was. */
  readonly stopping: { readonly run: string; readonly stuck: boolean } | null;
  /** The run that is to be brought into view as soon as it is here; null if none is. */
  readonly wanted: string | null;
  /** The last thing that went wrong, as a sentence for the user; '' if nothing did. */
  readonly error: string;
}

/** The state of the front end, kept up to date by the server's frames. */
export class Store extends Disposable {
  constructor(
    readonly client: IClient,
    readonly socket: ISocket
  ) {
    super();
    socket.received.connect(this._onFrame, this);
    socket.connectedChanged.connect(this._onConnected, this);
  }

  get state(): IPanelState {
    return this._state;
  }

  get changed(): ISignal<Store, IPanelState> {
    return this._changed;
  }

  /** The conversation of a notebook; null if the notebook is not open. */
  conversation(notebook: string | null): Conversation | null {
    return (notebook !== null && this._conversations.get(notebook)) || null;
  }

  /** The conversation of the notebook in front. */
  get current(): Conversation | null {
    return this.conversation(this._state.notebook);
  }

  /** The conversation that a run belongs to; null if its notebook is not open. */
  holding(run: string): Conversation | null {
    return [...this._conversations.values()].find(one => one.run(run)) ?? null;
  }

  /** Follow a notebook's runs. */
  open(notebook: string): Conversation {
    let conversation = this._conversations.get(notebook);
    if (!conversation) {
      conversation = new Conversation(notebook);
      this._conversations.set(notebook, conversation);
      this.socket.send({ kind: 'open', notebook, since: {} });
    }
    return conversation;
  }

  /** Follow them no longer. */
  close(notebook: string): void {
    if (this._conversations.delete(notebook)) {
      this.socket.send({ kind: 'close', notebook });
    }
  }

  /** Change what the panel shows. */
  set(change: Partial<IPanelState>): void {
    const state = { ...this._state, ...change };
    this._state = { ...state, mode: permitted(state.mode, state.allowed) };
    this._changed.emit(this._state);
  }

  /** Nothing more is to be said of the stopping of `run`. */
  stopped(run: string): void {
    if (this._state.stopping?.run === run) {
      this.set({ stopping: null });
    }
  }

  /** Put a notebook in front, and fetch what can be asked about it. */
  show(notebook: string | null): void {
    if (notebook === this._state.notebook) {
      return;
    }
    this.set({ notebook, suggestions: [], error: '' });
    if (notebook !== null) {
      this.attempt(
        this.client.suggestions(notebook).then(suggestions => {
          if (this._state.notebook === notebook) {
            this.set({ suggestions });
          }
        })
      );
    }
  }

  /** Fetch the engine, the models and the modes that the server allows. */
  async refresh(): Promise<void> {
    const [{ active, engines }, models, allowed] = await Promise.all([
      this.client.engines(),
      this.client.models(),
      this.client.modes()
    ]);
    const named = (name: string | null) => engines.find(one => one.name === name);
    const engine = named(this._chosen) ?? named(active) ?? engines[0] ?? null;
    this.set({ engine, engines, models, allowed });
  }

  /** Ask this engine from now on. */
  choose(engine: string): void {
    this._chosen = engine;
    this.set({ engine: this._state.engines.find(one => one.name === engine) ?? null });
    this.attempt(this.refresh());
  }

  /** Await something that the user asked for; a failure becomes the panel's error line. */
  attempt(promise: Promise<unknown>): void {
    promise.catch((reason: unknown) => {
      this.set({ error: reason instanceof Error ? reason.message : String(reason) });
    });
  }

  protected release(): void {
    this.socket.dispose();
  }

  private _onConnected(_: ISocket, connected: boolean): void {
    this.set({ connected });
    for (const conversation of this._conversations.values()) {
      if (connected) {
        const { notebook } = conversation;
        this.socket.send({ kind: 'open', notebook, since: conversation.since() });
      } else {
        // Whoever writes is for the server to say again.
        conversation.setWriter(false);
        conversation.setCaughtUp(false);
      }
    }
    if (connected) {
      this.attempt(this.refresh());
    }
  }

  private _onFrame(_: ISocket, frame: ServerFrame): void {
    switch (frame.kind) {
      case 'events':
        this.conversation(frame.notebook)?.receive(frame.events);
        break;
      case 'caught_up':
        this.conversation(frame.notebook)?.setCaughtUp(true);
        break;
      case 'lease':
        this.conversation(frame.notebook)?.setWriter(frame.writer);
        break;
      case 'engine':
        this._onEngine(frame.engine);
        break;
      case 'model':
        this._onModel(frame.model);
        break;
      case 'error':
        this.set({ error: frame.message });
        break;
    }
  }

  private _onEngine(engine: IEngine): void {
    const engines = this._state.engines.map(one => (one.name === engine.name ? engine : one));
    const shown = !this._state.engine || this._state.engine.name === engine.name;
    this.set(shown ? { engines, engine } : { engines });
  }

  private _onModel(model: IModelFile): void {
    const known = this._state.models.some(one => one.name === model.name);
    const models = known
      ? this._state.models.map(one => (one.name === model.name ? model : one))
      : [...this._state.models, model];
    this.set({ models });
  }

  /** The engine that the user has chosen; null: the server's choice. */
  private _chosen: string | null = null;
  private _conversations = new Map<string, Conversation>();
  private _changed = new Signal<this, IPanelState>(this);
  private _state: IPanelState = {
    notebook: null,
    pinned: false,
    kernel: '',
    kernelState: '',
    connected: false,
    engine: null,
    engines: [],
    models: [],
    suggestions: [],
    mode: ANY_MODE.mode,
    allowed: ANY_MODE,
    stopping: null,
    wanted: null,
    error: ''
  };
}

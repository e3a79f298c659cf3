import { Signal, type ISignal } from '@lumino/signaling';
import { foldCell, noCells, type ICells } from './cells';
import { foldRun, noRun, type IRun } from './chat';
import { Chips } from './chosen';
import type { AnyEvent } from './events';

/** A question that this page has asked and whose run is not here yet. */
export interface IAsking {
  readonly question: string;
  /** Seconds since the epoch. */
  readonly since: number;
  /** The user does not want it any more. */
  readonly stopped: boolean;
  /** Its run, once the server has said. */
  readonly run: string | null;
}

/** The runs of one notebook: their events folded as they arrive. Signals carry the ids of the runs that changed. */
export class Conversation {
  constructor(readonly notebook: string) {}

  /** What the user shows with the next question. */
  readonly chips = new Chips();

  /** What is typed and not yet asked. It stays while another notebook is in front. */
  draft = '';

  /** Whether this tab writes the cells. */
  get writer(): boolean {
    return this._writer;
  }

  /** Whether all events from before the connection are here. */
  get caughtUp(): boolean {
    return this._caughtUp;
  }

  get changed(): ISignal<Conversation, ReadonlySet<string>> {
    return this._changed;
  }

  /** All runs, oldest first. */
  get runs(): readonly IRun[] {
    return [...this._chats.values()].sort((a, b) => a.started - b.started);
  }

  /** The run under way, if one is. */
  get active(): IRun | null {
    return this.runs.find(run => run.state === 'running') ?? null;
  }

  /** The question on its way; null if none is. */
  get asking(): IAsking | null {
    return this._asking;
  }

  /** Whether a question is worked on, or about to be. */
  get busy(): boolean {
    return this._asking !== null || this.active !== null;
  }

  /** The tokens that the model has before it: in the last turn, or at the start of the newest run if none is under way. */
  get promptTokens(): number {
    const asked = this.runs.filter(run => run.firstPrompt > 0);
    return this.active?.lastPrompt || (asked.at(-1)?.firstPrompt ?? 0);
  }

  run(id: string): IRun | undefined {
    return this._chats.get(id);
  }

  /** The cells of every run, oldest run first. */
  get cells(): readonly ICells[] {
    return this.runs.map(run => this._cells.get(run.run)!);
  }

  /** The first seq wanted of each run known. */
  since(): Record<string, number> {
    return Object.fromEntries([...this._chats].map(([run, chat]) => [run, chat.seq + 1]));
  }

  /** Fold events; those that are here already change nothing. */
  receive(events: readonly AnyEvent[]): void {
    for (const event of events) {
      if (this._caughtUp) {
        this._live.add(event.run);
      }
      this._chats.set(event.run, foldRun(this._chats.get(event.run) ?? noRun(event.run), event));
      this._cells.set(event.run, foldCell(this._cells.get(event.run) ?? noCells(event.run), event));
    }
    if (this._asking?.run && this._chats.has(this._asking.run)) {
      this._asking = null;
    }
    this._changed.emit(new Set(events.map(event => event.run)));
  }

  setWriter(writer: boolean): void {
    this._writer = writer;
    this._changed.emit(new Set());
  }

  /** Whether the run was under way at some time while this page followed it. */
  isLive(run: string): boolean {
    return this._live.has(run);
  }

  /** This page asks something; null: it could not. */
  ask(question: string | null): void {
    const since = Date.now() / 1000;
    this._setAsking(question === null ? null : { question, since, stopped: false, run: null });
  }

  /** The question on its way is to be stopped as soon as it has a run. */
  stopAsking(): void {
    this._setAsking(this._asking && { ...this._asking, stopped: true });
  }

  /** What this page asks has become `run`. */
  expect(run: string): void {
    this._live.add(run);
    this._setAsking(this._chats.has(run) ? null : this._asking && { ...this._asking, run });
  }

  setCaughtUp(caughtUp: boolean): void {
    this._caughtUp = caughtUp;
    for (const run of this._chats.values()) {
      if (caughtUp && run.state !== 'finished') {
        this._live.add(run.run);
      }
    }
    this._changed.emit(new Set());
  }

  private _setAsking(asking: IAsking | null): void {
    this._asking = asking;
    this._changed.emit(new Set());
  }

  private _asking: IAsking | null = null;
  private _chats = new Map<string, IRun>();
  private _cells = new Map<string, ICells>();
  private _live = new Set<string>();
  private _writer = false;
  private _caughtUp = false;
  private _changed = new Signal<this, ReadonlySet<string>>(this);
}

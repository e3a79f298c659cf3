/**
 * The cells of a run: a pure fold of its events, with docs/protocol.md's table as its contract.
 * `datarus_jupyter/journal/cells.py` is the same fold in Python.
 */
import type { AnyEvent } from './events';

/** An nbformat output. */
export interface IOutput {
  output_type: string;
  [key: string]: unknown;
}

export type CellKind = 'thought' | 'code' | 'answer';

/** A cell of a run as it should stand in the notebook. Values are never changed, only replaced. */
export interface ICell {
  readonly id: string;
  readonly step: number;
  readonly kind: CellKind;
  /** The source as the run wrote it. */
  readonly own: string;
  /** The user's source, which wins, if they edited it. */
  readonly users: string | null;
  readonly outputs: readonly IOutput[];
  /** The `display_id` of each output, null where it has none. */
  readonly displays: readonly (string | null)[];
  readonly count: number | null;
  readonly running: boolean;
  /** `clear_output(wait=True)`: the next output replaces what stands there. */
  readonly clearNext: boolean;
  /** The event that made this cell. */
  readonly born: number;
  /** The last event folded into this cell. */
  readonly seq: number;
}

/** The source that should stand in the notebook. */
export function sourceOf(cell: ICell): string {
  return cell.users ?? cell.own;
}

/** All cells of one run, in the order in which they stand in the notebook. */
export interface ICells {
  readonly run: string;
  readonly anchor: string | null;
  /** The last event folded. */
  readonly seq: number;
  readonly finished: boolean;
  /** The last event after which no cell was half written: the time to save. */
  readonly settled: number;
  /** The last event that took cells away. */
  readonly removed: number;
  /** The last event that made cells void: one with an older mark that is not here has left the run. */
  readonly reverted: number;
  readonly cells: readonly ICell[];
}

export function noCells(run: string): ICells {
  return {
    run,
    anchor: null,
    seq: -1,
    finished: false,
    settled: -1,
    removed: -1,
    reverted: -1,
    cells: []
  };
}

/** The id of a run's cell. */
export function cellId(run: string, step: number, kind: CellKind): string {
  return `datarus-${run}-${step}-${kind}`;
}

/** Fold one more event. An event that was folded before changes nothing. */
export function foldCell(state: ICells, event: AnyEvent): ICells {
  if (event.seq <= state.seq) {
    return state;
  }
  const settled = SETTLING.has(event.type) ? event.seq : state.settled;
  return { ...apply(state, event), seq: event.seq, settled };
}

const SETTLING: ReadonlySet<AnyEvent['type']> = new Set([
  'approval_requested',
  'execution_started',
  'execution_finished',
  'reverted',
  'run_interrupted',
  'run_finished'
]);

/** Fold a whole journal. */
export function foldCells(events: readonly AnyEvent[]): ICells {
  return events.reduce(foldCell, noCells(events[0]?.run ?? ''));
}

function apply(state: ICells, event: AnyEvent): ICells {
  switch (event.type) {
    case 'run_started':
      return { ...state, anchor: event.anchor ?? null };
    case 'text':
      return event.channel === 'think'
        ? state
        : write(state, event.seq, event.step, event.channel, own => own + event.delta);
    case 'reply_discarded':
      return {
        ...state,
        cells: state.cells.filter(cell => cell.step !== event.step),
        removed: event.seq
      };
    case 'reverted':
      // An answer comes after all steps.
      return {
        ...state,
        cells: state.cells.filter(cell => cell.step < event.step && cell.kind !== 'answer'),
        removed: event.seq,
        reverted: event.seq
      };
    case 'run_resumed':
      return { ...state, finished: false };
    case 'step_closed':
      return write(state, event.seq, event.step, 'code', () => event.code);
    case 'approval_decided': {
      const { code } = event;
      if (typeof code !== 'string') {
        return state;
      }
      const decided = write(state, event.seq, event.step, 'code', () => code);
      // Their last word on it.
      const id = cellId(state.run, event.step, 'code');
      return replace(decided, id, cell => ({ ...cell, users: null }));
    }
    case 'user_edited':
      return replace(state, event.cell, cell => ({ ...cell, users: event.source }));
    case 'run_finished':
      return finish(state, event.seq, event.answer ?? '');
    default:
      return execute(state, event);
  }
}

function execute(state: ICells, event: AnyEvent): ICells {
  switch (event.type) {
    case 'execution_started':
      return change(state, event, cell => ({ ...clear(cell), running: true, count: null }));
    case 'output': {
      const display = event.display_id ?? null;
      return change(state, event, cell => append(cell, event.output as IOutput, display));
    }
    case 'output_updated':
      return update(state, event.seq, event.display_id, event.output as IOutput);
    case 'outputs_cleared':
      return change(state, event, cell =>
        event.wait ? { ...cell, clearNext: true } : clear(cell)
      );
    case 'execution_finished': {
      const count = event.count ?? null;
      return change(state, event, cell => ({ ...cell, running: false, count }));
    }
    default:
      return state;
  }
}

function finish(state: ICells, seq: number, answer: string): ICells {
  const cells = state.cells.map(cell => (cell.running ? { ...cell, running: false } : cell));
  const done = { ...state, cells, finished: true };
  if (!answer) {
    return done;
  }
  const last = cells.filter(cell => cell.kind === 'answer').at(-1);
  const step = last?.step ?? (cells.length ? Math.max(...cells.map(cell => cell.step)) : 1);
  return write(done, seq, step, 'answer', () => answer);
}

/** Set what the run wrote into a cell, which is made if it is not there. */
function write(
  state: ICells,
  seq: number,
  step: number,
  kind: CellKind,
  own: (before: string) => string
): ICells {
  const id = cellId(state.run, step, kind);
  if (state.cells.some(cell => cell.id === id)) {
    return replace(state, id, cell => ({ ...cell, own: own(cell.own), seq }));
  }
  const made = { ...emptyCell(id, step, kind, seq), own: own('') };
  return { ...state, cells: [...state.cells, made] };
}

function emptyCell(id: string, step: number, kind: CellKind, seq: number): ICell {
  return {
    id,
    step,
    kind,
    own: '',
    users: null,
    outputs: [],
    displays: [],
    count: null,
    running: false,
    clearNext: false,
    born: seq,
    seq
  };
}

function replace(state: ICells, id: string, how: (cell: ICell) => ICell): ICells {
  return { ...state, cells: state.cells.map(cell => (cell.id === id ? how(cell) : cell)) };
}

/** Change the code cell of a step, which is made if it is not there. */
function change(
  state: ICells,
  event: { seq: number; step: number },
  how: (cell: ICell) => ICell
): ICells {
  const there = write(state, event.seq, event.step, 'code', own => own);
  return replace(there, cellId(state.run, event.step, 'code'), how);
}

function clear(cell: ICell): ICell {
  return { ...cell, outputs: [], displays: [], clearNext: false };
}

function append(cell: ICell, output: IOutput, display: string | null): ICell {
  const base = cell.clearNext ? clear(cell) : cell;
  const last = base.outputs.at(-1);
  if (
    output.output_type === 'stream' &&
    last?.output_type === 'stream' &&
    last.name === output.name
  ) {
    const joined = { ...last, text: streamText(last) + streamText(output) };
    return { ...base, outputs: [...base.outputs.slice(0, -1), joined] };
  }
  return { ...base, outputs: [...base.outputs, output], displays: [...base.displays, display] };
}

/** The text of a stream output; nbformat allows a list of lines. */
export function streamText(output: IOutput): string {
  const { text } = output;
  return Array.isArray(text) ? text.join('') : typeof text === 'string' ? text : '';
}

function update(state: ICells, seq: number, display: string, output: IOutput): ICells {
  const cells = state.cells.map(cell => {
    if (!cell.displays.includes(display)) {
      return cell;
    }
    const outputs = cell.outputs.map((old, i) =>
      cell.displays[i] === display
        ? { ...old, data: output.data, metadata: output.metadata ?? {} }
        : old
    );
    return { ...cell, outputs, seq };
  });
  return { ...state, cells };
}

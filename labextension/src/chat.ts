/** The conversation: a pure fold of a run's events into what the panel shows. */
import { cellId } from './cells';
import type {
  AnyEvent,
  ExecutionStatus,
  FinishReason,
  IAttached,
  IClaim,
  ITarget,
  IUsage,
  IUserEdited,
  Mode
} from './events';

/** What a step is doing: `waiting` is for the user's approval; the rest is how its code ended. */
export type StepState = 'thinking' | 'writing' | 'waiting' | 'ready' | 'running' | ExecutionStatus;

/** One step as its card shows it. Values are never changed, only replaced. */
export interface IStep {
  readonly number: number;
  readonly thought: string;
  readonly code: string;
  /** The user's text in the cell while the code waits for their word; null if it is the code's own. */
  readonly edited: string | null;
  /** The step's text output for the model: the observation. */
  readonly observation: string;
  readonly state: StepState;
  /** Seconds its code took; null until it ended. */
  readonly seconds: number | null;
  /** When its code was sent to the kernel, in seconds since the epoch. */
  readonly started: number | null;
  /** One line, '' if none. */
  readonly error: string;
  readonly tokens: number;
  readonly count: number | null;
  /** What waits for the user. */
  readonly approval: { readonly sha256: string; readonly reasons: readonly string[] } | null;
}

/** One question worked to its answer. */
export interface IRun {
  readonly run: string;
  readonly question: string;
  /** What the user showed with it. */
  readonly attached: readonly IAttached[];
  /** The user's cell that a new version was asked of, the version that the run offers, and what the user said of it. */
  readonly target: ITarget | null;
  readonly proposal: { readonly step: number; readonly code: string } | null;
  readonly accepted: boolean | null;
  readonly engine: string;
  readonly model: string;
  readonly mode: Mode;
  /** Seconds since the epoch. */
  readonly started: number;
  /** Seconds in which it was under way, up to its last end. */
  readonly seconds: number;
  /** When it was started or resumed last, in seconds since the epoch. */
  readonly resumed: number;
  readonly state: 'running' | 'interrupted' | 'finished';
  readonly steps: readonly IStep[];
  /** Reflection: shown, never put into a cell. */
  readonly thinking: string;
  readonly answer: string;
  /** The number under which the answer was written; null while there is none. */
  readonly answerStep: number | null;
  readonly claims: readonly IClaim[];
  readonly reason: FinishReason | null;
  /** What was taken back last, while the run has not gone on from there. */
  readonly reverted: { readonly step: number; readonly kept: readonly string[] } | null;
  /** One sentence for the user on how it ended, '' if it was answered. */
  readonly message: string;
  /** What the run does while nothing streams in, as a sentence; '' if there is nothing to say. */
  readonly note: string;
  /** The prompt of the first turn and the conversation after the last one, in tokens. */
  readonly firstPrompt: number;
  readonly lastPrompt: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** The last event folded. */
  readonly seq: number;
}

export function noRun(run: string): IRun {
  return {
    run,
    question: '',
    attached: [],
    target: null,
    proposal: null,
    accepted: null,
    engine: '',
    model: '',
    mode: 'auto',
    started: 0,
    seconds: 0,
    resumed: 0,
    state: 'running',
    steps: [],
    thinking: '',
    answer: '',
    answerStep: null,
    claims: [],
    reason: null,
    reverted: null,
    message: '',
    note: '',
    firstPrompt: 0,
    lastPrompt: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    seq: -1
  };
}

/** Fold one more event. An event that was folded before changes nothing. */
export function foldRun(run: IRun, event: AnyEvent): IRun {
  return event.seq <= run.seq ? run : { ...apply(run, event), seq: event.seq };
}

/** Fold a whole journal. */
export function foldChat(events: readonly AnyEvent[]): IRun {
  return events.reduce(foldRun, noRun(events[0]?.run ?? ''));
}

function apply(run: IRun, event: AnyEvent): IRun {
  switch (event.type) {
    case 'run_started':
      return {
        ...run,
        question: event.question,
        attached: event.attached ?? [],
        target: event.target ?? null,
        engine: event.engine,
        model: event.model,
        mode: event.mode ?? 'auto',
        started: event.ts,
        resumed: event.ts
      };
    case 'step_opened':
      return step(run, event.step, {});
    case 'text':
      return text({ ...run, note: '' }, event.step, event.channel, event.delta);
    case 'step_closed':
      return step(run, event.step, { code: event.code, state: 'ready' });
    case 'mode_changed':
      return { ...run, mode: event.mode };
    case 'reply_discarded':
      return {
        ...run,
        steps: run.steps.filter(one => one.number !== event.step),
        answer: '',
        answerStep: null,
        claims: [],
        note: event.reason
      };
    case 'usage':
      return usage(run, event);
    case 'approval_requested': {
      const approval = { sha256: event.sha256, reasons: event.reasons ?? [] };
      return step(run, event.step, { state: 'waiting', approval });
    }
    case 'approval_decided': {
      const state = event.verdict === 'rejected' ? 'skipped' : 'ready';
      const code = event.code ?? find(run, event.step)?.code ?? '';
      return step(run, event.step, { state, code, edited: null, approval: null });
    }
    case 'user_edited':
      return edit(run, event);
    case 'execution_started':
      return step(run, event.step, { state: 'running', started: event.ts, approval: null });
    case 'execution_finished':
      return step(run, event.step, {
        state: event.status,
        seconds: event.seconds ?? 0,
        error: event.error ?? '',
        count: event.count ?? null
      });
    case 'observation':
      return step(run, event.step, { observation: event.text });
    case 'grounding':
      return { ...run, claims: event.claims, answerStep: event.step };
    case 'reverted':
      return revert(run, event.step, event.kept ?? []);
    case 'proposed':
      return { ...run, proposal: { step: event.step, code: event.code }, accepted: null };
    case 'proposal_decided':
      return { ...run, accepted: event.accepted };
    case 'run_interrupted':
      return { ...settle(run), state: 'interrupted', message: event.reason };
    case 'run_resumed':
      return {
        ...run,
        state: 'running',
        resumed: event.ts,
        message: '',
        reason: null,
        reverted: null
      };
    case 'run_finished':
      return {
        ...settle(run),
        state: 'finished',
        seconds: run.seconds + event.ts - run.resumed,
        reason: event.reason,
        answer: event.answer || run.answer,
        message: event.message ?? ''
      };
    default:
      return run;
  }
}

function text(run: IRun, number: number, channel: string, delta: string): IRun {
  const before = find(run, number);
  switch (channel) {
    case 'think':
      return { ...run, thinking: run.thinking + delta };
    case 'thought':
      return step(run, number, { thought: (before?.thought ?? '') + delta });
    case 'code':
      return step(run, number, { code: (before?.code ?? '') + delta, state: 'writing' });
    default:
      return { ...run, answer: run.answer + delta, answerStep: number };
  }
}

function usage(run: IRun, event: IUsage): IRun {
  const prompt = event.prompt_tokens ?? 0;
  const completion = event.completion_tokens ?? 0;
  const total = {
    ...run,
    firstPrompt: run.firstPrompt || prompt,
    lastPrompt: prompt + completion,
    promptTokens: run.promptTokens + prompt,
    cachedTokens: run.cachedTokens + (event.cached_tokens ?? 0),
    completionTokens: run.completionTokens + completion
  };
  const before = find(run, event.step);
  return before ? step(total, event.step, { tokens: before.tokens + completion }) : total;
}

/** What the user makes of code that waits is what would run. */
function edit(run: IRun, event: IUserEdited): IRun {
  const waiting = find(run, event.step);
  if (!waiting?.approval || event.cell !== cellId(run.run, event.step, 'code')) {
    return run;
  }
  const edited = event.source === waiting.code ? null : event.source;
  return step(run, event.step, { edited });
}

function find(run: IRun, number: number): IStep | undefined {
  return run.steps.find(one => one.number === number);
}

/** Change a step, which is made if it is not there. */
function step(run: IRun, number: number, change: Partial<IStep>): IRun {
  if (find(run, number)) {
    const steps = run.steps.map(one => (one.number === number ? { ...one, ...change } : one));
    return { ...run, steps };
  }
  const made: IStep = {
    number,
    thought: '',
    code: '',
    edited: null,
    observation: '',
    state: 'thinking',
    seconds: null,
    started: null,
    error: '',
    tokens: 0,
    count: null,
    approval: null,
    ...change
  };
  return { ...run, steps: [...run.steps, made] };
}

const OPEN: ReadonlySet<StepState> = new Set([
  'thinking',
  'writing',
  'waiting',
  'ready',
  'running'
]);

/** Whether a step is still under way. */
export function isOpen(one: IStep): boolean {
  return OPEN.has(one.state);
}

/** What the run waits for when nothing of it shows that it is at work; null while a step or the answer does. */
export function pause(run: IRun): string | null {
  const last = cards(run).at(-1);
  if (run.state !== 'running' || run.answer || (last && isOpen(last))) {
    return null;
  }
  return run.note || (last ? 'The model reads the result…' : 'The model reads the question…');
}

/** A run that ended leaves no step under way: what had no code is done, what had some was not run. */
function settle(run: IRun): IRun {
  const steps = run.steps.map(one =>
    isOpen(one)
      ? {
          ...one,
          edited: null,
          approval: null,
          state: one.code ? ('skipped' as const) : ('ok' as const)
        }
      : one
  );
  return { ...run, steps };
}

/** Before `step` again: what came from there on is void. */
function revert(run: IRun, step: number, kept: readonly string[]): IRun {
  return {
    ...settle(run),
    state: 'finished',
    steps: settle(run).steps.filter(one => one.number < step),
    answer: '',
    answerStep: null,
    claims: [],
    reason: null,
    reverted: { step, kept },
    proposal: run.accepted ? run.proposal : null,
    message: '',
    note: ''
  };
}

/** Whether a new version of a cell waits for the user's word. */
export function isOffered(run: IRun): boolean {
  return (
    run.state === 'finished' &&
    run.target !== null &&
    run.proposal !== null &&
    run.accepted === null
  );
}

/** Whether the run can go on from where it is: it came to an end before it had its answer, or was taken back. */
export function canContinue(run: IRun): boolean {
  return run.state !== 'running' && run.reason !== 'answered';
}

/** The number of the first thing that the run did, null if it has done nothing that stands. */
export function firstStep(run: IRun): number | null {
  return run.steps[0]?.number ?? run.answerStep;
}

/** The steps that get a card: those with something to show, but for the thought that comes with the answer. */
export function cards(run: IRun): readonly IStep[] {
  return run.steps.filter(one => one.code || (one.thought && !run.answer));
}

/** The number of steps that had code. */
export function stepCount(run: IRun): number {
  return run.steps.filter(one => one.code).length;
}

/** The title of a step: its thought's first sentence, without Markdown's marks. */
export function title(one: IStep): string {
  // Not the underscores inside of names.
  const plain = one.thought.replace(/[*`#>]+|(?<!\w)_+|_+(?!\w)/g, '').trim();
  const line = plain.split('\n', 1)[0];
  const sentence = /^.*?[.!?](?=\s|$)/.exec(line)?.[0] ?? line;
  return sentence.replace(/[.:]$/, '') || (one.code ? 'Run code' : 'Thinking');
}

/** The step whose code ran after `number` had failed, if one did: what the failure was corrected in. */
export function correctedIn(run: IRun, number: number): number | null {
  const failed = find(run, number);
  if (failed?.state !== 'error') {
    return null;
  }
  return (
    run.steps.find(one => one.number > number && one.state === 'ok' && one.code)?.number ?? null
  );
}

/** Small journals for the tests. */
import type { AnyEvent } from '../src/events';

type Without<T> = T extends unknown ? Omit<T, 'run' | 'seq' | 'ts' | 'v'> : never;

/** An event as it is before the journal stamps it. */
export type Body = Without<AnyEvent>;

/** Number the events and stamp them a second apart, as the journal does; also those of another journal anew. */
export function journal(run: string, ...events: Body[]): AnyEvent[] {
  return events.map((event, seq) => ({ ...event, run, seq, ts: 1000 + seq, v: 1 }));
}

export const RUN = '20261122-154240-9f3c1a';

const started: Body = {
  type: 'run_started',
  question: 'Which species is heaviest?',
  prompt: [],
  engine: 'scripted',
  model: 'script',
  profile: 'general',
  notebook: 'a.ipynb'
};

/** A step that fails, one that mends it, and the answer. */
export const corrected = journal(
  RUN,
  started,
  { type: 'step_opened', step: 1 },
  { type: 'text', step: 1, channel: 'thought', delta: 'Load the **data**. ' },
  { type: 'text', step: 1, channel: 'thought', delta: 'Then look at it.' },
  { type: 'text', step: 1, channel: 'code', delta: 'pri' },
  { type: 'text', step: 1, channel: 'code', delta: 'nt(x)' },
  { type: 'step_closed', step: 1, code: 'print(x)', sha256: 'aa' },
  { type: 'usage', step: 1, prompt_tokens: 100, completion_tokens: 20 },
  { type: 'execution_started', step: 1 },
  {
    type: 'output',
    step: 1,
    output: { output_type: 'error', ename: 'NameError', evalue: 'x', traceback: [] }
  },
  {
    type: 'execution_finished',
    step: 1,
    status: 'error',
    count: 3,
    seconds: 0.3,
    error: 'NameError: x'
  },
  { type: 'observation', step: 1, text: 'NameError: x' },
  { type: 'step_opened', step: 2 },
  { type: 'text', step: 2, channel: 'thought', delta: 'Define x first' },
  { type: 'text', step: 2, channel: 'code', delta: 'x = 5076; print(x)' },
  { type: 'step_closed', step: 2, code: 'x = 5076; print(x)', sha256: 'bb' },
  { type: 'usage', step: 2, prompt_tokens: 200, cached_tokens: 150, completion_tokens: 30 },
  { type: 'execution_started', step: 2 },
  { type: 'output', step: 2, output: { output_type: 'stream', name: 'stdout', text: '50' } },
  { type: 'output', step: 2, output: { output_type: 'stream', name: 'stdout', text: '76\n' } },
  { type: 'execution_finished', step: 2, status: 'ok', count: 4, seconds: 1.25 },
  { type: 'observation', step: 2, text: '5076' },
  { type: 'text', step: 3, channel: 'answer', delta: 'It weighs 5,076 g' },
  { type: 'grounding', step: 3, claims: [{ start: 10, end: 15, text: '5,076', step: 2 }] },
  { type: 'run_finished', reason: 'answered', answer: 'It weighs 5,076 g.' }
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcement } from '../src/announce';
import {
  canContinue,
  cards,
  correctedIn,
  foldChat,
  foldRun,
  isOffered,
  noRun,
  stepCount,
  title
} from '../src/chat';
import { RUN, corrected, journal, type Body } from './journals';

test('a run is its question, steps, answer and totals', () => {
  const run = foldChat(corrected);
  assert.equal(run.question, 'Which species is heaviest?');
  assert.equal(run.state, 'finished');
  assert.equal(run.answer, 'It weighs 5,076 g.');
  assert.deepEqual([run.promptTokens, run.cachedTokens, run.completionTokens], [300, 150, 50]);
  assert.equal(run.seconds, corrected.length - 1);
  assert.equal(stepCount(run), 2);
});

test('a step carries its state, time, error, tokens and execution count', () => {
  const [first, second] = cards(foldChat(corrected));
  assert.deepEqual(
    [first.state, first.seconds, first.error, first.count],
    ['error', 0.3, 'NameError: x', 3]
  );
  assert.deepEqual([second.state, second.tokens, second.observation], ['ok', 30, '5076']);
});

test('the title is the first sentence of the thought, without marks', () => {
  const [first, second] = cards(foldChat(corrected));
  assert.equal(title(first), 'Load the data');
  assert.equal(title(second), 'Define x first');
  assert.equal(title({ ...first, thought: 'The mean is 5.5 g. Next.' }), 'The mean is 5.5 g');
  const named = '**Drop** the `body_mass_g` of __two__ _birds_. Next.';
  assert.equal(title({ ...first, thought: named }), 'Drop the body_mass_g of two birds');
});

test('a failed step names the step that corrected it', () => {
  const run = foldChat(corrected);
  assert.equal(correctedIn(run, 1), 2);
  assert.equal(correctedIn(run, 2), null);
});

test('folding from any seq again changes nothing', () => {
  const whole = foldChat(corrected);
  for (let from = 0; from <= corrected.length; from++) {
    assert.deepEqual(corrected.slice(from).reduce(foldRun, whole), whole);
  }
});

test('a new token replaces only the step that it belongs to', () => {
  const before = foldChat(corrected.slice(0, 13));
  const after = foldRun(before, corrected[13]);
  assert.equal(after.steps[0], before.steps[0]);
});

test('the mode of a run is the one that it was switched to last', () => {
  const events = journal(
    RUN,
    {
      type: 'run_started',
      question: '?',
      prompt: [],
      engine: 'e',
      model: 'm',
      profile: 'p',
      mode: 'ask'
    },
    { type: 'mode_changed', mode: 'ask_if_risky' },
    { type: 'mode_changed', mode: 'auto', who: 'user' }
  );
  assert.deepEqual(
    events.map((_, at) => foldChat(events.slice(0, at + 1)).mode),
    ['ask', 'ask_if_risky', 'auto']
  );
});

test('an approval waits under its hash until it is decided', () => {
  const events = journal(
    RUN,
    { type: 'step_closed', step: 1, code: 'x', sha256: 'aa' },
    { type: 'approval_requested', step: 1, sha256: 'aa', reasons: ['installs a package'] },
    { type: 'approval_decided', step: 1, verdict: 'edited', sha256: 'aa', code: 'y' }
  );
  const waiting = foldChat(events.slice(0, 2)).steps[0];
  assert.deepEqual(waiting.approval, { sha256: 'aa', reasons: ['installs a package'] });
  const decided = foldChat(events).steps[0];
  assert.deepEqual([decided.approval, decided.code, decided.state], [null, 'y', 'ready']);
});

test('a run that was stopped leaves no step under way', () => {
  const events = journal(
    RUN,
    { type: 'text', step: 1, channel: 'code', delta: 'while' },
    { type: 'run_finished', reason: 'stopped', message: 'You stopped the run.' }
  );
  const run = foldChat(events);
  assert.equal(run.steps[0].state, 'skipped');
  assert.equal(run.message, 'You stopped the run.');
});

test('step starts, errors and the answer are announced, tokens are not', () => {
  const said: string[] = [];
  corrected.reduce((before, event) => {
    const after = foldRun(before, event);
    said.push(announcement(before, after));
    return after;
  }, noRun(RUN));
  assert.deepEqual(
    said.filter(words => words),
    [
      'Step 1 runs: Load the data',
      'Step 1 failed. NameError: x',
      'Step 2 runs: Define x first',
      'Answer: It weighs 5,076 g.'
    ]
  );
});

test('going back takes the steps from there on and the answer', () => {
  const before = foldChat(corrected);
  const back = journal(RUN, ...corrected, { type: 'reverted', step: 2, kept: ['a cell'] });
  const run = foldChat(back);
  assert.deepEqual(
    run.steps.map(one => one.number),
    [1]
  );
  assert.deepEqual(run.reverted, { step: 2, kept: ['a cell'] });
  assert.deepEqual([run.answer, run.answerStep, run.claims, run.message], ['', null, [], '']);
  assert.deepEqual([canContinue(before), canContinue(run)], [false, true]);
});

test('a run that goes on counts only the seconds in which it was under way', () => {
  const back = journal(
    RUN,
    ...corrected,
    { type: 'reverted', step: 3 },
    { type: 'run_resumed', kernel: 'k' },
    { type: 'text', step: 4, channel: 'answer', delta: '5,076 g' }
  );
  const resumed = foldChat(back);
  assert.deepEqual([resumed.state, resumed.reverted, resumed.answerStep], ['running', null, 4]);
  const end = { ...corrected.at(-1)!, seq: back.length, ts: back.at(-1)!.ts + 7 };
  assert.equal(foldRun(resumed, end).seconds, corrected.length - 1 + 8);
});

const offering = (...more: Body[]) =>
  foldChat(
    journal(
      RUN,
      {
        type: 'run_started',
        question: 'Fix cell [1].',
        prompt: [],
        engine: 'scripted',
        model: 'script',
        profile: 'general',
        attached: [{ kind: 'error', name: 'cell [1]', text: 'Cell [1]' }],
        target: { cell: 'own', name: 'cell [1]', source: 'x' }
      },
      { type: 'usage', step: 1, prompt_tokens: 100, completion_tokens: 20 },
      { type: 'usage', step: 2, prompt_tokens: 150, completion_tokens: 5 },
      { type: 'proposed', step: 1, code: 'x = 1' },
      { type: 'run_finished', reason: 'answered', answer: 'Done.' },
      ...more
    )
  );

test('a new version of a cell is offered until the user has decided', () => {
  const run = offering();
  assert.equal(isOffered(run), true);
  assert.deepEqual(run.proposal, { step: 1, code: 'x = 1' });
  const accepted = offering({ type: 'proposal_decided', accepted: true });
  assert.deepEqual([isOffered(accepted), accepted.accepted], [false, true]);
  const rejected = offering({ type: 'proposal_decided', accepted: false });
  assert.deepEqual([isOffered(rejected), rejected.accepted], [false, false]);
  assert.equal(isOffered(offering({ type: 'reverted', step: 1 })), false);
});

test('what the context holds is the prompt of the first turn, and all after the last', () => {
  const run = offering();
  assert.deepEqual([run.firstPrompt, run.lastPrompt], [100, 155]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellId, foldCell, foldCells, noCells, sourceOf, type ICells } from '../src/cells';
import { RUN, corrected, journal, type Body } from './journals';

const find = (cells: ICells, step: number, kind: 'thought' | 'code' | 'answer') => {
  const cell = cells.cells.find(one => one.id === cellId(RUN, step, kind));
  assert.ok(cell, `no ${kind} cell of step ${step}`);
  return cell;
};

test('the cells of a run stand in the order in which they began', () => {
  const ids = foldCells(corrected).cells.map(cell => cell.id.replace(`datarus-${RUN}-`, ''));
  assert.deepEqual(ids, ['1-thought', '1-code', '2-thought', '2-code', '3-answer']);
});

test('adjacent streams of one name are joined', () => {
  const { outputs, count, running } = find(foldCells(corrected), 2, 'code');
  assert.deepEqual(outputs, [{ output_type: 'stream', name: 'stdout', text: '5076\n' }]);
  assert.equal(count, 4);
  assert.equal(running, false);
});

test('the answer is what the run ended with', () => {
  const cells = foldCells(corrected);
  assert.equal(find(cells, 3, 'answer').own, 'It weighs 5,076 g.');
  assert.equal(cells.finished, true);
});

test('folding from any seq again changes nothing', () => {
  const whole = foldCells(corrected);
  for (let from = 0; from <= corrected.length; from++) {
    assert.deepEqual(corrected.slice(from).reduce(foldCell, whole), whole);
  }
});

test('a cell is replaced only when something of it changed', () => {
  const before = corrected.slice(0, -1).reduce(foldCell, noCells(RUN));
  const after = foldCell(before, corrected.at(-1)!);
  assert.equal(find(after, 2, 'code'), find(before, 2, 'code'));
  assert.notEqual(find(after, 3, 'answer'), find(before, 3, 'answer'));
});

test('a discarded reply takes its cells away', () => {
  const events = journal(
    RUN,
    { type: 'text', step: 1, channel: 'thought', delta: 'half a th' },
    { type: 'reply_discarded', step: 1, reason: 'the stream broke' },
    { type: 'text', step: 1, channel: 'thought', delta: 'a thought' }
  );
  assert.deepEqual(
    foldCells(events).cells.map(cell => cell.own),
    ['a thought']
  );
});

test("the user's text stays, whatever the run writes after it", () => {
  const id = cellId(RUN, 1, 'code');
  const events = journal(
    RUN,
    { type: 'text', step: 1, channel: 'code', delta: 'a' },
    { type: 'user_edited', step: 1, cell: id, source: 'mine', sha256: 'x' },
    { type: 'text', step: 1, channel: 'code', delta: 'b' },
    { type: 'step_closed', step: 1, code: 'ab', sha256: 'y' }
  );
  const cell = find(foldCells(events), 1, 'code');
  assert.equal(sourceOf(cell), 'mine');
  assert.equal(cell.own, 'ab');
});

test('the code that the user decided on comes after their edit', () => {
  const events = journal(
    RUN,
    { type: 'step_closed', step: 1, code: 'a', sha256: 'x' },
    { type: 'user_edited', step: 1, cell: cellId(RUN, 1, 'code'), source: 'mine', sha256: 'y' },
    { type: 'approval_decided', step: 1, verdict: 'edited', sha256: 'x', code: 'decided' }
  );
  assert.equal(sourceOf(find(foldCells(events), 1, 'code')), 'decided');
});

test('clear_output with wait clears at the next output', () => {
  const stream = (text: string) =>
    ({ type: 'output', step: 1, output: { output_type: 'stream', name: 'stdout', text } }) as const;
  const events = journal(
    RUN,
    { type: 'execution_started', step: 1 },
    stream('one'),
    { type: 'outputs_cleared', step: 1, wait: true },
    stream('two')
  );
  const texts = (upTo: number) =>
    find(foldCells(events.slice(0, upTo)), 1, 'code').outputs.map(output => output.text);
  assert.deepEqual(texts(3), ['one']);
  assert.deepEqual(texts(4), ['two']);
});

test('an updated display changes wherever it is shown', () => {
  const show = (step: number): Body => ({
    type: 'output',
    step,
    display_id: 'd',
    output: { output_type: 'display_data', data: { 'text/plain': 'old' }, metadata: {} }
  });
  const events = journal(RUN, show(1), show(2), {
    type: 'output_updated',
    display_id: 'd',
    output: { output_type: 'display_data', data: { 'text/plain': 'new' }, metadata: {} }
  });
  const cells = foldCells(events);
  for (const step of [1, 2]) {
    assert.deepEqual(find(cells, step, 'code').outputs[0].data, { 'text/plain': 'new' });
  }
});

test('reflection makes no cell', () => {
  const events = journal(RUN, { type: 'text', step: 1, channel: 'think', delta: 'hm' });
  assert.deepEqual(foldCells(events).cells, []);
});

test('going back takes away the cells from there on and the answer', () => {
  const seq = corrected.length;
  const back = foldCells(
    journal(RUN, ...corrected, { type: 'reverted', step: 2 }, { type: 'run_resumed' })
  );
  assert.deepEqual(
    back.cells.map(cell => cell.id),
    [cellId(RUN, 1, 'thought'), cellId(RUN, 1, 'code')]
  );
  assert.deepEqual(
    [back.removed, back.reverted, back.settled, back.finished],
    [seq, seq, seq, false]
  );
});

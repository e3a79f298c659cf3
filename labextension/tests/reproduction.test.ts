import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  merge,
  summary,
  whyQuestion,
  words,
  type CellVerdict,
  type ICellResult,
  type IReproduction
} from '../src/reproduction';

function result(index: number, verdict: CellVerdict, reason = ''): ICellResult {
  return { cell: `c${index}`, index, sha256: '', verdict, reason, seconds: 0.1 };
}

function frame(change: Partial<IReproduction> = {}): IReproduction {
  return {
    notebook: 'a.ipynb',
    check: 1,
    run: null,
    state: 'running',
    total: 3,
    cells: [],
    seconds: 6.2,
    message: '',
    too_large: false,
    ...change
  };
}

test('frames add up, and one that comes twice adds nothing', () => {
  const frames = [
    frame(),
    frame({ cells: [result(0, 'same')] }),
    frame({ cells: [result(0, 'same')] })
  ];
  frames.push(frame({ cells: [result(1, 'differs', 'x')] }), frame({ state: 'done' }));
  const check = frames.reduce<IReproduction | null>(merge, null);
  assert.equal(check?.state, 'done');
  assert.deepEqual(
    check.cells.map(one => one.verdict),
    ['same', 'differs']
  );
});

test('a new check takes the place of the last one, and an old frame does not', () => {
  const first = merge(null, frame({ check: 2, cells: [result(0, 'same')] }));
  assert.equal(merge(first, frame({ check: 1, cells: [result(1, 'fails')] })), first);
  assert.deepEqual(merge(first, frame({ check: 3 }))?.cells, []);
  assert.equal(merge(first, frame({ check: 2, state: 'cleared' })), null);
});

test('the summary counts cells', () => {
  const cells = [result(0, 'same'), result(1, 'differs'), result(2, 'skipped')];
  const done = frame({ state: 'done', cells });
  assert.equal(summary(done), '1 cell same, 1 differs, 0 fail, 1 not compared · 6.2 s');
  assert.match(summary({ ...done, state: 'stopped' }), /^Stopped: 1 cell same/);
  assert.equal(summary(frame({ cells: cells.slice(0, 1) })), 'Running cell 2 of 3 again');
});

test('a mark says what and why', () => {
  assert.equal(words(result(0, 'same')), 'Same result when run again');
  assert.equal(words(result(0, 'fails', '“E: x”')), 'Fails when run again: “E: x”');
});

test('the question quotes the cell and the difference, a long cell in part', () => {
  const asked = whyQuestion(result(0, 'differs', 'was “1”, is “2”'), 'Cell [3]', 'x'.repeat(9000));
  assert.match(asked, /^Cell \[3\] gives another result .*: was “1”, is “2”\./);
  assert.match(asked, /```\nx{2000}\n…\n```$/);
});

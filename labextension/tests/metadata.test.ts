import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellMark, traces } from '../src/metadata';

const RUN = '20261122-120000-abcdef';
const MARK = { run: RUN, step: 1, kind: 'code', seq: 3, sha256: 'a' };

const holding = (value: unknown) => ({ getMetadata: () => value });

test('a mark is read as a run leaves it', () => {
  assert.deepEqual(cellMark(holding(MARK)), MARK);
});

test('what is not just that is no mark', () => {
  const forged: unknown[] = [
    undefined,
    null,
    'datarus',
    7,
    [],
    {},
    { ...MARK, run: '../../etc/passwd' },
    { ...MARK, run: `${RUN}/..` },
    { ...MARK, run: '<img src=x onerror=alert(1)>' },
    { ...MARK, run: ['20261122-120000-abcdef'] },
    { ...MARK, step: '1' },
    { ...MARK, step: 1e300 },
    { ...MARK, step: 31337 },
    { ...MARK, step: null },
    { ...MARK, seq: 'high' },
    { ...MARK, seq: Infinity },
    { ...MARK, kind: '"><script>' },
    { ...MARK, sha256: 5 }
  ];
  for (const value of forged) {
    assert.equal(cellMark(holding(value)), null, JSON.stringify(value));
  }
});

test('of what a notebook says of its runs only what can be so is read', () => {
  const runs = { [RUN]: 4, '20261122-120001-abcdef': '9', '../x': 1, __proto__: 2, x: null };
  assert.deepEqual(traces(holding({ runs })), { [RUN]: 4 });
  for (const value of [undefined, null, 'x', { runs: 'x' }, { runs: null }, { runs: [1, 2] }]) {
    assert.deepEqual(traces(holding(value)), {});
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basename, bytes, circled, plural, seconds } from '../src/format';

test('times are as short as they may be', () => {
  assert.deepEqual([0.04, 0.3, 9.94, 9.96, 12.4, 59.6, 65, 120, 3600].map(seconds), [
    '0.0 s',
    '0.3 s',
    '9.9 s',
    '10 s',
    '12 s',
    '1 min',
    '1 min 5 s',
    '2 min',
    '60 min'
  ]);
});

test('sizes have the units of disks', () => {
  assert.deepEqual([940e6, 1.117e9].map(bytes), ['940 MB', '1.1 GB']);
});

test('numbers are circled as far as Unicode goes', () => {
  assert.deepEqual([1, 20, 21, 35, 36, 50, 51].map(circled).join(''), '①⑳㉑㉟㊱㊿(51)');
});

test('nouns agree and paths are cut', () => {
  assert.equal(plural(1, 'step'), '1 step');
  assert.equal(plural(1904, 'token'), '1,904 tokens');
  assert.equal(basename('a/b.ipynb'), 'b.ipynb');
});

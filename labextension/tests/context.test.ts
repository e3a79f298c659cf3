import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Chips,
  aboutTokens,
  cellTokens,
  shortCount,
  type IChip,
  type IShownCell
} from '../src/chosen';
import { complete, fitting, mentionAt } from '../src/mention';

const chip = (kind: IChip['kind'], name: string, detail = '', id = name): IChip => ({
  kind,
  id,
  name,
  detail,
  tokens: 1
});
const file = chip('file', 'penguins.csv', '(344 rows): species, island');
const variable = chip('variable', 'df', 'DataFrame (344 × 7)');
const cell = chip('cell', 'cell [3]', 'import pandas as pd', 'a');

test('a mention is an @ at the start of a word, up to the cursor', () => {
  assert.deepEqual(mentionAt('@', 1), { start: 0, query: '' });
  assert.deepEqual(mentionAt('What is in @pen here', 15), { start: 11, query: 'pen' });
  assert.equal(mentionAt('What is in @pen here', 20), null);
  assert.equal(mentionAt('mail me@example.org', 19), null);
  assert.equal(mentionAt('no', 2), null);
});

test('what begins with the word comes first; blanks and brackets do not count', () => {
  const all = [cell, variable, file];
  assert.deepEqual(fitting(all, ''), all);
  assert.deepEqual(fitting(all, 'PEN'), [file]);
  assert.deepEqual(fitting(all, 'd'), [variable, cell, file]);
  assert.deepEqual(fitting(all, 'cell3'), [cell]);
  assert.deepEqual(fitting(all, 'island'), [file]);
  assert.deepEqual(fitting(all, 'nothing'), []);
});

test('at most eight are shown', () => {
  const many = Array.from({ length: 30 }, (_, index) => chip('variable', `v${index}`));
  assert.equal(fitting(many, 'v').length, 8);
});

test('the name takes the place of the mention, and one blank follows', () => {
  const whole = complete('What is in @pen', { start: 11, query: 'pen' }, file.name);
  assert.deepEqual(whole, { text: 'What is in penguins.csv ', cursor: 24 });
  const inside = complete('Is @pen good?', { start: 3, query: 'pen' }, file.name);
  assert.deepEqual(inside, { text: 'Is penguins.csv good?', cursor: 16 });
});

test('chips are kept once each, and a cell that failed is the same cell', () => {
  const chips = new Chips();
  let changes = 0;
  chips.changed.connect(() => (changes += 1));
  chips.add(file, variable);
  chips.add(file);
  assert.deepEqual(chips.all, [variable, file]);
  chips.add(cell);
  chips.add({ ...cell, kind: 'error' });
  assert.deepEqual(
    chips.all.map(one => one.kind),
    ['variable', 'file', 'error']
  );
  chips.remove(cell);
  assert.deepEqual(chips.all, [variable, file]);
  chips.clear();
  assert.deepEqual(chips.all, []);
  assert.equal(changes, 6);
});

test('tokens are a quarter of the characters that the server lets through', () => {
  assert.deepEqual([0, 1, 4, 5].map(aboutTokens), [0, 1, 1, 2]);
  const shown: IShownCell = { kind: 'cell', id: 'a', name: 'cell 1', source: 'x', outputs: [] };
  const empty = cellTokens(shown);
  assert.equal(cellTokens({ ...shown, source: 'x'.repeat(401) }), empty + 100);
  const printed = { output_type: 'stream', text: 'y'.repeat(400) };
  assert.equal(cellTokens({ ...shown, outputs: [printed] }), empty + 100);
  const huge = {
    ...shown,
    source: 'x'.repeat(1e6),
    outputs: [{ ...printed, text: 'y'.repeat(1e6) }]
  };
  assert.ok(cellTokens(huge) < 2100);
});

test('counts are short', () => {
  assert.deepEqual([0, 999, 1000, 1234, 8192, 32768, 131072].map(shortCount), [
    '0',
    '999',
    '1k',
    '1.2k',
    '8.2k',
    '33k',
    '131k'
  ]);
});

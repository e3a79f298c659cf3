import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANY_MODE, MODES, permitted } from '../src/modes';

test('a mode that the server does not allow gives way to its own', () => {
  const careful = { modes: ['ask', 'plan'] as const, mode: 'ask' as const };
  assert.equal(permitted('auto', careful), 'ask');
  assert.equal(permitted('plan', careful), 'plan');
  assert.equal(permitted('auto', ANY_MODE), 'auto');
});

test('each mode has an entry of its own in the menu', () => {
  assert.equal(new Set(MODES.map(one => one.label)).size, 4);
  assert.equal(MODES[0].value, ANY_MODE.mode);
});

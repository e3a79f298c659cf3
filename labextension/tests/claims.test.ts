import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markClaims, stepOfHref } from '../src/claims';
import type { IClaim } from '../src/events';

const claim = (answer: string, text: string, step?: number): IClaim => {
  // Offsets count code points, as in Python.
  const start = [...answer.slice(0, answer.indexOf(text))].length;
  return { start, end: start + [...text].length, text, ...(step ? { step } : {}) };
};
const label = (step: number) => String(step + 10);

test('a claim that a cell printed gets a link behind it', () => {
  const answer = 'It weighs **5,076 g**.';
  assert.equal(
    markClaims(answer, [claim(answer, '5,076', 2)], label),
    'It weighs **5,076 [\\[12\\]](#datarus-step-2) g**.'
  );
});

test('a name that a cell printed is itself the link', () => {
  const answer = 'Gentoo is heaviest.';
  assert.equal(
    markClaims(answer, [claim(answer, 'Gentoo', 1)], label),
    '[Gentoo](#datarus-step-1) is heaviest.'
  );
});

test('a claim without a source becomes a mark', () => {
  const answer = 'About 7 of them.';
  assert.equal(
    markClaims(answer, [claim(answer, '7')], label),
    'About [7](#datarus-unverified) of them.'
  );
});

test('the mark of a claim in a fenced block leaves the end of the block what it is', () => {
  const answer = '```\n3 and 4\n```\n\nThe rest.';
  assert.equal(
    markClaims(answer, [claim(answer, '3', 1), claim(answer, '4')], label),
    '```\n3 and 4\n```\n [\\[11\\]](#datarus-step-1)\n [unverified](#datarus-unverified)\n\nThe rest.'
  );
});

test('several claims keep their places, also behind characters outside the basic plane', () => {
  const answer = '🐧 3 and 4';
  assert.equal(
    markClaims(answer, [claim(answer, '3', 1), claim(answer, '4', 2)], label),
    '🐧 3 [\\[11\\]](#datarus-step-1) and 4 [\\[12\\]](#datarus-step-2)'
  );
});

test('formulas, code and links stay whole', () => {
  for (const whole of ['$p < 0.001$', '`0.001`', '[0.001](http://a.b)']) {
    const answer = `So ${whole} holds`;
    const marked = markClaims(answer, [claim(answer, '0.001', 1)], label);
    assert.equal(marked, `So ${whole} [\\[11\\]](#datarus-step-1) holds`);
  }
});

test('only links of ours lead to a step', () => {
  assert.equal(stepOfHref('#datarus-step-12'), 12);
  assert.equal(stepOfHref('#datarus-step-x'), null);
  assert.equal(stepOfHref('http://a.b/#datarus-step-1'), null);
});

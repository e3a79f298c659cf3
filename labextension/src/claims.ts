/** The answer's Markdown with a link behind every claim that a cell printed, and a mark on those that none did. */
import type { IClaim } from './events';

/** Where the link of a claim leads; the panel turns a click on it into a jump to the step's cell. */
export function stepHref(step: number): string {
  return `#datarus-step-${step}`;
}

/** The href by which the panel finds the claims that no cell printed. */
export const UNVERIFIED_HREF = '#datarus-unverified';

/** The step that `href` leads to, null if it is no link of ours. */
export function stepOfHref(href: string): number | null {
  const match = /^#datarus-step-(\d+)$/.exec(href);
  return match ? Number(match[1]) : null;
}

/** Code, formulas and links: a link inside them would break them, so their marks go behind them. */
const WHOLE =
  /```[\s\S]*?```|`[^`\n]*`|\$\$[\s\S]*?\$\$|\$[^$\n]+\$|\\\([\s\S]*?\\\)|\\\[[\s\S]*?\\\]|!?\[[^\]\n]*\]\([^)\n]*\)/g;

/**
 * Mark the claims of an answer.
 *
 * `label` names the cell of a step, as in its execution count. Offsets of claims count code points, as Python does.
 */
export function markClaims(
  answer: string,
  claims: readonly IClaim[],
  label: (step: number) => string
): string {
  const units = codeUnits(answer);
  const whole = [...answer.matchAll(WHOLE)].map(match => [
    match.index,
    match.index + match[0].length
  ]);
  const ordered = [...claims].sort((a, b) => b.start - a.start);
  let marked = answer;
  for (const claim of ordered) {
    const [start, end] = [units(claim.start), units(claim.end)];
    const around = whole.find(([from, to]) => from < end && start < to);
    // On the last line of a fenced block the mark would keep that from being its end.
    const fenced = around && answer.startsWith('```', around[0]);
    marked = around
      ? insert(marked, around[1], (fenced ? '\n' : '') + behind(claim, label))
      : mark(marked, start, end, claim, label);
  }
  return marked;
}

function mark(
  text: string,
  start: number,
  end: number,
  claim: IClaim,
  label: (step: number) => string
): string {
  const verified = claim.step !== undefined && claim.step !== null;
  if (verified && /\d/.test(claim.text)) {
    return insert(text, end, behind(claim, label));
  }
  // A name is itself the link: a mark behind every name would drown those of the figures.
  const href = verified ? stepHref(claim.step as number) : UNVERIFIED_HREF;
  return `${text.slice(0, start)}[${text.slice(start, end)}](${href})${text.slice(end)}`;
}

function behind(claim: IClaim, label: (step: number) => string): string {
  if (claim.step === undefined || claim.step === null) {
    return ` [unverified](${UNVERIFIED_HREF})`;
  }
  return ` [\\[${label(claim.step)}\\]](${stepHref(claim.step)})`;
}

function insert(text: string, at: number, what: string): string {
  return text.slice(0, at) + what + text.slice(at);
}

/** From an index in code points to one in UTF-16 units. */
function codeUnits(text: string): (index: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) {
    return index => index;
  }
  const starts: number[] = [];
  let unit = 0;
  for (const character of text) {
    starts.push(unit);
    unit += character.length;
  }
  return index => starts[index] ?? text.length;
}

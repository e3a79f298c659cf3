/** `@` in the question box: what is being typed, what fits, and what the text becomes. Pure. */
import type { IChip } from './chosen';

/** An `@` with the word after it, up to the cursor. */
export interface IMention {
  readonly start: number;
  readonly query: string;
}

const SHOWN = 8;

/** The mention that the cursor stands in; null if it stands in none. An `@` inside of a word is none. */
export function mentionAt(text: string, cursor: number): IMention | null {
  const found = /(?:^|\s)@([^\s@]*)$/.exec(text.slice(0, cursor));
  return found ? { start: cursor - found[1].length - 1, query: found[1] } : null;
}

/** What fits, best first: names that begin so, then names and descriptions that hold it. */
export function fitting(candidates: readonly IChip[], query: string): IChip[] {
  const wanted = plain(query);
  const rank = ({ name, detail }: IChip) =>
    plain(name).startsWith(wanted)
      ? 0
      : plain(name).includes(wanted)
        ? 1
        : plain(detail).includes(wanted)
          ? 2
          : 3;
  return candidates
    .map(chip => ({ chip, at: rank(chip) }))
    .filter(({ at }) => at < 3)
    .sort((a, b) => a.at - b.at)
    .slice(0, SHOWN)
    .map(({ chip }) => chip);
}

/** The text with the name in the place of the mention, and where the cursor goes. */
export function complete(
  text: string,
  { start, query }: IMention,
  name: string
): { text: string; cursor: number } {
  const rest = text.slice(start + 1 + query.length);
  const put = rest.startsWith(' ') ? name : `${name} `;
  return { text: text.slice(0, start) + put + rest, cursor: start + name.length + 1 };
}

/** `cell [3]` is found as `cell3` too. */
function plain(text: string): string {
  return text.toLowerCase().replace(/[\s[\]]/g, '');
}

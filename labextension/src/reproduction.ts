/** What is known of whether a notebook reproduces: the server's frames put together, and what is said of them. */
import { plural, seconds } from './format';

export type CellVerdict = 'same' | 'differs' | 'fails' | 'skipped';

/** One cell; `index` is its place in the notebook that was checked, `sha256` that of the source that ran. */
export interface ICellResult {
  readonly cell: string;
  readonly index: number;
  readonly sha256: string;
  readonly verdict: CellVerdict;
  readonly reason: string;
  readonly seconds: number;
}

/** A check of a notebook, or of one `run` in it; in a frame, `cells` are those that are new. */
export interface IReproduction {
  readonly notebook: string;
  readonly check: number;
  readonly run: string | null;
  readonly state: 'running' | 'done' | 'stopped' | 'failed' | 'cleared';
  /** How many cells will have a result. */
  readonly total: number;
  readonly cells: readonly ICellResult[];
  readonly seconds: number;
  readonly message: string;
  /** Whether it failed because the notebook's folder is too large to copy. */
  readonly too_large: boolean;
}

/** The check after one more frame; null once it is cleared. Frames that are here already change nothing. */
export function merge(known: IReproduction | null, frame: IReproduction): IReproduction | null {
  if (known && frame.check < known.check) {
    return known;
  }
  if (frame.state === 'cleared') {
    return null;
  }
  if (!known || frame.check > known.check) {
    return frame;
  }
  const news = frame.cells.filter(one => known.cells.every(old => old.index !== one.index));
  return { ...frame, cells: [...known.cells, ...news] };
}

/** `14 cells same, 1 differs, 0 fail · 6 s`. */
export function summary(check: IReproduction): string {
  const number = (verdict: CellVerdict) =>
    check.cells.filter(one => one.verdict === verdict).length;
  if (check.state === 'running') {
    return `Running cell ${Math.min(check.cells.length + 1, check.total)} of ${check.total} again`;
  }
  const [differ, fail, skipped] = [number('differs'), number('fails'), number('skipped')];
  const parts = [
    `${plural(number('same'), 'cell')} same`,
    `${differ} ${differ === 1 ? 'differs' : 'differ'}`,
    `${fail} ${fail === 1 ? 'fails' : 'fail'}`
  ];
  if (skipped) {
    parts.push(`${skipped} not compared`);
  }
  const stopped = check.state === 'stopped' ? 'Stopped: ' : '';
  return `${stopped}${parts.join(', ')} · ${seconds(check.seconds)}`;
}

const SAID: Record<CellVerdict, [string, string]> = {
  same: ['✓', 'same result when run again'],
  differs: ['≠', 'differs when run again'],
  fails: ['✗', 'fails when run again'],
  skipped: ['–', 'not compared']
};

/** The sign of a verdict. */
export function sign(verdict: CellVerdict): string {
  return SAID[verdict][0];
}

/** A result in words: `Differs when run again: was “0.84”, is “0.76”`. */
export function words({ verdict, reason }: ICellResult): string {
  const said = SAID[verdict][1];
  return said.charAt(0).toUpperCase() + said.slice(1) + (reason ? `: ${reason}` : '');
}

const QUOTED_CHARS = 2000;

/** What Datarus is asked about a cell that does not reproduce. */
export function whyQuestion(result: ICellResult, name: string, source: string): string {
  const what = result.verdict === 'fails' ? 'fails' : 'gives another result';
  const code = source.length > QUOTED_CHARS ? source.slice(0, QUOTED_CHARS) + '\n…' : source;
  return (
    `${name} ${what} when this notebook is run again from the top in a fresh kernel: ${result.reason}. ` +
    `Why, and what would make it reproduce? The cell:\n\n\`\`\`\n${code}\n\`\`\``
  );
}

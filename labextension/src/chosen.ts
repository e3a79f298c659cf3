/** What the user shows with a question: chips above the question box. */
import { Signal, type ISignal } from '@lumino/signaling';
import type { IOutput } from './cells';

/** A cell as the browser has it, saved or not. */
export interface IShownCell {
  kind: 'cell' | 'error';
  id: string;
  name: string;
  source: string;
  outputs: IOutput[];
  selection?: string;
}

/** What goes to the server with a question (`Chosen` of docs/protocol.md). */
export type Shown =
  IShownCell | { kind: 'file'; path: string } | { kind: 'variable'; name: string };

/** One chip. A cell is read when the question is asked, so only its id is kept. */
export interface IChip {
  readonly kind: Shown['kind'];
  /** The cell's id, the file's path or the variable's name. */
  readonly id: string;
  readonly name: string;
  /** What it is, in a few words. */
  readonly detail: string;
  /** About how many tokens it takes. */
  readonly tokens: number;
}

const CHARS_PER_TOKEN = 4;
/** At most so many characters of a source and of its outputs reach the model. */
const SOURCE_CHARS = 6000;
const OUTPUT_CHARS = 2000;
/** What the server puts around a cell. */
const FRAME_CHARS = 60;

/** About how many tokens a text of so many characters takes. */
export function aboutTokens(chars: number): number {
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

/** About how many tokens a cell takes: what of it the server lets through. */
export function cellTokens(cell: IShownCell): number {
  const printed = cell.outputs.reduce((sum, output) => sum + outputChars(output), 0);
  const selected = cell.selection ? Math.min(cell.selection.length, SOURCE_CHARS) : 0;
  return aboutTokens(
    FRAME_CHARS +
      Math.min(cell.source.length, SOURCE_CHARS) +
      Math.min(printed, OUTPUT_CHARS) +
      selected
  );
}

function outputChars(output: IOutput): number {
  const { text, data, traceback } = output as IOutput & {
    text?: string;
    data?: { 'text/plain'?: string };
    traceback?: string[];
  };
  return (text ?? data?.['text/plain'] ?? traceback?.join('\n') ?? '').length;
}

/** `340`, `1.2k`, `33k`: tokens where there is little room. */
export function shortCount(value: number): string {
  if (value < 1000) {
    return String(value);
  }
  const thousands = value / 1000;
  return `${thousands < 9.95 ? String(Number(thousands.toFixed(1))) : Math.round(thousands)}k`;
}

/** The chips of one notebook's next question, in the order in which they were added. */
export class Chips {
  get all(): readonly IChip[] {
    return this._chips;
  }

  get changed(): ISignal<Chips, void> {
    return this._changed;
  }

  /** Add a chip; one for the same thing gives way to it. */
  add(...chips: IChip[]): void {
    const rest = this._chips.filter(old => !chips.some(chip => same(old, chip)));
    this._set([...rest, ...chips]);
  }

  remove(chip: IChip): void {
    this._set(this._chips.filter(old => !same(old, chip)));
  }

  clear(): void {
    this._set([]);
  }

  private _set(chips: readonly IChip[]): void {
    this._chips = chips;
    this._changed.emit();
  }

  private _chips: readonly IChip[] = [];
  private _changed = new Signal<this, void>(this);
}

/** Whether two chips show the same thing: a cell that failed is the same cell. */
function same(one: IChip, other: IChip): boolean {
  const sort = ({ kind }: IChip) => (kind === 'error' ? 'cell' : kind);
  return sort(one) === sort(other) && one.id === other.id;
}

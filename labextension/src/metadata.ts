/** What a run leaves in the notebook beside its cells: `metadata.datarus` of a cell and of the notebook. */
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';
import type { CellKind } from './cells';

/** `metadata.datarus` of a cell; `sha256` is of the source that the run wrote. */
export interface ICellMark {
  run: string;
  step: number;
  kind: CellKind;
  seq: number;
  sha256: string;
}

/** A cell or notebook, as far as its metadata go. */
interface IMarked {
  getMetadata(key: string): unknown;
}

/** SHA-256 of a text's UTF-8 bytes, in hex. (`crypto.subtle` is missing on plain-http servers.) */
export function hash(source: string): string {
  return bytesToHex(sha256(utf8ToBytes(source)));
}

/** The mark of a cell, null if no run made it. */
export function cellMark(cell: IMarked): ICellMark | null {
  const mark = cell.getMetadata('datarus');
  return isMark(mark) ? mark : null;
}

/** Notebooks come from anywhere: what is not just as a run leaves it is no mark. */
function isMark(value: unknown): value is ICellMark {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const { run, step, kind, seq, sha256 } = value as Record<string, unknown>;
  const numbered = Number.isSafeInteger(step) && Number.isSafeInteger(seq) && Number(step) < STEPS;
  return isRun(run) && numbered && KINDS.has(kind) && typeof sha256 === 'string';
}

/** More than a run comes to, and still fits into a badge. */
const STEPS = 1000;

const KINDS: ReadonlySet<unknown> = new Set<CellKind>(['thought', 'code', 'answer']);

function isRun(value: unknown): value is string {
  return typeof value === 'string' && /^\d{8}-\d{6}-[0-9a-f]{6}$/.test(value);
}

/** The last seq of each run that this notebook is known to have held. */
export function traces(notebook: IMarked): Record<string, number> {
  const value = notebook.getMetadata('datarus') as { runs?: unknown } | null | undefined;
  const known = Object.entries(value?.runs ?? {}).filter(
    ([run, seq]) => isRun(run) && Number.isSafeInteger(seq)
  );
  return Object.fromEntries(known);
}

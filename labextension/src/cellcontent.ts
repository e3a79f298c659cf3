/** The user's cells as a question shows them. */
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IOutput } from './cells';
import { cellTokens, type IChip, type IShownCell, type Shown } from './chosen';
import { cellMark } from './metadata';

/** More of a text than this reaches no model, so it is not sent. */
const SENT_CHARS = 20_000;
const SENT_OUTPUTS = 20;

/** `cell [3]` as its prompt says, or `cell 7` by its place if it has not run. */
export function cellName(cell: Cell, index: number): string {
  const count = cell.model.type === 'code' ? (cell.model as ICodeCellModel).executionCount : null;
  return count === null ? `cell ${index + 1}` : `cell [${count}]`;
}

/** The error that a code cell shows, as one line; null if it shows none. */
export function errorOf(cell: Cell): string | null {
  const error = outputsOf(cell).find(output => output.output_type === 'error');
  return error ? `${String(error.ename)}: ${String(error.evalue)}` : null;
}

/** Whether the cell is the user's own code, and failed. */
export function hasFailed(cell: Cell): boolean {
  return cell.model.type === 'code' && !cellMark(cell.model) && errorOf(cell) !== null;
}

/** A cell as the server wants it. */
export function showCell(cell: Cell, index: number, selection = ''): IShownCell {
  const shown: IShownCell = {
    kind: hasFailed(cell) ? 'error' : 'cell',
    id: cell.model.id,
    name: cellName(cell, index),
    source: cell.model.sharedModel.getSource(),
    outputs: outputsOf(cell).slice(0, SENT_OUTPUTS).map(bounded)
  };
  return selection ? { ...shown, selection } : shown;
}

/** The chip of a cell. */
export function cellChip(cell: Cell, index: number): IChip {
  const shown = showCell(cell, index);
  const detail = errorOf(cell) ?? shown.source.trim().split('\n', 1)[0];
  return { kind: shown.kind, id: shown.id, name: shown.name, detail, tokens: cellTokens(shown) };
}

/** The user's cell that ran last, if it failed. */
export function lastError(panel: NotebookPanel): IChip | null {
  const { widgets } = panel.content;
  let last = -1;
  widgets.forEach((cell, index) => {
    if (countOf(cell) > (last < 0 ? 0 : countOf(widgets[last]))) {
      last = index;
    }
  });
  const cell = widgets[last];
  return cell && hasFailed(cell) ? cellChip(cell, last) : null;
}

/** What the chips show now, and the cell that the run's cells follow: the last of those that are shown. */
export function contentOf(
  panel: NotebookPanel,
  chips: readonly IChip[]
): { attached: Shown[]; anchor?: string } {
  const { widgets } = panel.content;
  let last = -1;
  const attached = chips.flatMap((chip): Shown[] => {
    if (chip.kind === 'file') {
      return [{ kind: 'file', path: chip.id }];
    }
    if (chip.kind === 'variable') {
      return [{ kind: 'variable', name: chip.id }];
    }
    const index = widgets.findIndex(cell => cell.model.id === chip.id);
    last = Math.max(last, index);
    return index < 0 ? [] : [showCell(widgets[index], index)];
  });
  return last < 0 ? { attached } : { attached, anchor: widgets[last].model.id };
}

function countOf(cell: Cell): number {
  return cell.model.type === 'code' ? ((cell.model as ICodeCellModel).executionCount ?? 0) : 0;
}

function outputsOf(cell: Cell): IOutput[] {
  return cell.model.type === 'code' ? (cell.model as ICodeCellModel).outputs.toJSON() : [];
}

/** An output without what no model is shown: long texts are cut, pictures are only named. */
function bounded(output: IOutput): IOutput {
  switch (output.output_type) {
    case 'stream':
      return { ...output, text: text(output.text).slice(-SENT_CHARS) };
    case 'error':
      return { ...output, traceback: [text(output.traceback, '\n').slice(-SENT_CHARS)] };
    default: {
      const data = Object.entries((output.data ?? {}) as Record<string, unknown>);
      const kept = data.map(([mime, value]) => [
        mime,
        mime.startsWith('text/') ? text(value).slice(0, SENT_CHARS) : ''
      ]);
      return { output_type: output.output_type, metadata: {}, data: Object.fromEntries(kept) };
    }
  }
}

function text(value: unknown, between = ''): string {
  return Array.isArray(value)
    ? value.map(String).join(between)
    : typeof value === 'string'
      ? value
      : '';
}

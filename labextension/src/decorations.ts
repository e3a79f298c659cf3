import type { Cell, CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { errorOf } from './cellcontent';
import { appended, appendTo, CellDrawing } from './celldrawing';
import type { Conversation } from './conversation';
import { circled, clock } from './format';
import { cellMark, hash, type ICellMark } from './metadata';

const BADGE = 'jp-Datarus-badge';

/** Marks the cells of runs: a badge at code, a rule at thoughts, a caret where text streams in. Drawn from metadata. */
export class Decorations extends CellDrawing {
  /** `onBadge` is called when the badge of a cell is clicked. */
  constructor(
    panel: NotebookPanel,
    private _conversation: Conversation,
    private _onBadge: (mark: ICellMark) => unknown
  ) {
    super(panel, _conversation.changed);
  }

  protected draw(): void {
    const cells = this.panel.content.widgets;
    const streaming = this._streaming();
    const tried = triedCells(cells);
    for (const cell of cells) {
      const mark = cellMark(cell.model);
      if (mark) {
        this._drawCell(cell, mark, cell.model.id === streaming, tried.get(cell));
      } else if (cell.hasClass('jp-mod-datarus')) {
        undraw(cell);
      }
    }
  }

  private _drawCell(cell: Cell, mark: ICellMark, streaming: boolean, corrected?: number): void {
    cell.addClass('jp-mod-datarus');
    cell.node.dataset.datarusKind = mark.kind;
    cell.toggleClass('jp-mod-datarusStreaming', streaming);
    cell.toggleClass('jp-mod-datarusTried', corrected !== undefined);
    if (corrected !== undefined) {
      cell.node.dataset.datarusNote = `tried, then corrected in ${circled(corrected)}`;
    }
    if (mark.kind === 'code') {
      this._drawBadge(cell, mark);
    }
  }

  private _drawBadge(cell: Cell, mark: ICellMark): void {
    const badge = appended(cell, BADGE) ?? this._badge(cell, mark);
    const edited = this._hash(cell) !== mark.sha256;
    badge.classList.toggle('jp-mod-edited', edited);
    const run = this._conversation.run(mark.run);
    const origin = run ? `${clock(run.started)}, ${run.model || run.engine}` : `run ${mark.run}`;
    const words = `Step ${mark.step} by Datarus (${origin})${edited ? ', edited by you' : ''}`;
    if (badge.title !== words) {
      badge.textContent = circled(mark.step);
      badge.title = words;
      badge.setAttribute('aria-label', words);
    }
  }

  private _badge(cell: Cell, mark: ICellMark): HTMLElement {
    const badge = document.createElement('button');
    badge.className = BADGE;
    badge.addEventListener('click', () => this._onBadge(mark));
    return appendTo(cell, badge);
  }

  /** The cell into which text streams now, '' if there is none. */
  private _streaming(): string {
    const run = this._conversation.active;
    const step = run?.steps.at(-1);
    const writing = step && (step.state === 'thinking' || step.state === 'writing');
    const cells = this._conversation.cells.find(one => one.run === run?.run);
    return (writing || run?.answer ? cells?.cells.at(-1)?.id : undefined) ?? '';
  }

  private _hash(cell: Cell): string {
    const source = cell.model.sharedModel.getSource();
    const known = this._hashes.get(cell);
    if (known?.source === source) {
      return known.sha256;
    }
    const sha256 = hash(source);
    this._hashes.set(cell, { source, sha256 });
    return sha256;
  }

  private _hashes = new WeakMap<Cell, { source: string; sha256: string }>();
}

/** The cell is the user's own now. */
function undraw(cell: Cell): void {
  ['', 'Streaming', 'Tried'].forEach(suffix => cell.removeClass(`jp-mod-datarus${suffix}`));
  delete cell.node.dataset.datarusKind;
  appended(cell, BADGE)?.remove();
}

/** The code cells that failed, each with the step of the same run that ran without an error after it. */
function triedCells(cells: readonly Cell[]): Map<Cell, number> {
  const tried = new Map<Cell, number>();
  const failed = new Map<string, Cell[]>();
  for (const cell of cells) {
    const mark = cellMark(cell.model);
    if (mark?.kind !== 'code') {
      continue;
    }
    const open = failed.get(mark.run) ?? [];
    if (errorOf(cell) !== null) {
      failed.set(mark.run, [...open, cell]);
    } else if ((cell as CodeCell).model.executionCount !== null) {
      open.forEach(one => tried.set(one, mark.step));
      failed.delete(mark.run);
    }
  }
  return tried;
}

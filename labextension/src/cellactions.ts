import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';
import { cellChip, errorOf, lastError, showCell } from './cellcontent';
import type { IRun } from './chat';
import type { IChip } from './chosen';
import type { IActions } from './context';
import { cellMark } from './metadata';
import type { Notebooks } from './notebooks';
import type { Store } from './store';

/** What can be asked of one cell of the user's. All but `explain` end in the offer of a new version of it. */
export type CellTask = 'fix' | 'explain' | 'improve' | 'document';

/** The tag of cells that the agent must not repeat. */
export const NEVER_RUN = 'datarus-never-run';

/** Whether the user has marked a cell as one that Datarus does not run. */
export function isNeverRun(cell: Cell): boolean {
  const tags = cell.model.getMetadata('tags') as unknown;
  return Array.isArray(tags) && tags.includes(NEVER_RUN);
}

/** What the user does with cells of their own. */
export class CellActions {
  constructor(
    private _store: Store,
    private _notebooks: Notebooks,
    private _actions: IActions
  ) {}

  /** What the cells hold may have changed: a cell has run. */
  get changed(): ISignal<CellActions, void> {
    return this._changed;
  }

  notify(): void {
    this._changed.emit();
  }

  /** The selected cells of the notebook in front. */
  get selected(): readonly Cell[] {
    return this._notebooks.front?.content.selectedCells ?? [];
  }

  /** Every cell of a notebook as a chip; empty ones have nothing to show. */
  chips(notebook: string): IChip[] {
    const cells = this._notebooks.panel(notebook)?.content.widgets ?? [];
    return cells
      .map(cellChip)
      .filter((_, index) => cells[index].model.sharedModel.getSource().trim());
  }

  /** The user's cell that ran last, if it failed. */
  lastError(notebook: string): IChip | null {
    const panel = this._notebooks.panel(notebook);
    return panel && lastError(panel);
  }

  /** Show the selected cells with the next question. */
  addSelected(): void {
    this._actions.pin(false);
    const cells = this._notebooks.front?.content.widgets ?? [];
    const chips = this.selected.map(cell => cellChip(cell, cells.indexOf(cell)));
    this._store.current?.chips.add(...chips);
  }

  /** Ask for something about one cell, by default the active one. */
  ask(task: CellTask, cell?: Cell): void {
    this._actions.pin(false);
    const panel = this._notebooks.front;
    const wanted = cell ?? panel?.content.activeCell;
    if (panel && wanted) {
      const index = panel.content.widgets.indexOf(wanted);
      const shown = showCell(wanted, index, task === 'fix' ? '' : selection(wanted));
      const anchor = shown.id;
      void this._actions.ask(wording(task, shown.name, wanted, shown.selection), {
        attached: [shown],
        anchor,
        ...(task === 'explain' ? {} : { target: anchor })
      });
    }
  }

  /** Mark the selected cells as never run by Datarus, or take the mark away if all of them have it. */
  toggleNeverRun(): void {
    const marked = this.selected.every(isNeverRun);
    for (const { model } of this.selected) {
      const tags = (model.getMetadata('tags') as string[] | undefined) ?? [];
      const rest = tags.filter(tag => tag !== NEVER_RUN);
      const now = marked ? rest : [...rest, NEVER_RUN];
      if (now.length > 0) {
        model.setMetadata('tags', now);
      } else {
        model.deleteMetadata('tags');
      }
    }
    // The server reads the marks from the file.
    const { front } = this._notebooks;
    this._store.attempt(this._notebooks.save(front ? this._notebooks.pathOf(front) : ''));
  }

  /** Take or refuse the new version that a run offers of a cell. */
  decide(run: IRun, accepted: boolean): void {
    this._store.attempt(this._decide(run, accepted));
  }

  /** Bring the cell that a run offers a new version of into view. */
  showTarget(run: IRun): void {
    this._store.attempt(this._showTarget(run));
  }

  private async _decide(run: IRun, accepted: boolean): Promise<void> {
    const { target, proposal } = run;
    const cell = this._target(run)?.cell;
    if (!target || !proposal || run.accepted !== null) {
      return;
    }
    if (accepted) {
      if (cell?.model.sharedModel.getSource() !== target.source) {
        throw new Error(
          `${target.name} was changed or deleted since. Copy what you want from step ${proposal.step}.`
        );
      }
      // One change, so that one undo in the cell takes it back.
      cell.model.sharedModel.setSource(proposal.code);
    }
    await this._store.client.decideProposal(run.run, accepted);
  }

  private async _showTarget(run: IRun): Promise<void> {
    const found = this._target(run);
    if (found) {
      const { content } = found.panel;
      await content.scrollToItem(content.widgets.indexOf(found.cell), 'smart');
    }
  }

  private _target(run: IRun): { panel: NotebookPanel; cell: Cell } | null {
    const conversation = this._store.holding(run.run);
    const panel = conversation && this._notebooks.panel(conversation.notebook);
    const cell = panel?.content.widgets.find(one => one.model.id === run.target?.cell);
    return panel && cell ? { panel, cell } : null;
  }

  private _changed = new Signal<this, void>(this);
}

/** Whether a task has a sense for a cell: what a run made is not changed, and only what failed is mended. */
export function canAsk(task: CellTask, cell: Cell | null | undefined): boolean {
  if (!cell || cell.model.type !== 'code') {
    return false;
  }
  return (
    task === 'explain' || (!cellMark(cell.model) && (task !== 'fix' || errorOf(cell) !== null))
  );
}

function wording(task: CellTask, name: string, cell: Cell, selected?: string): string {
  const part = selected ? `the selected part of ${name}` : name;
  switch (task) {
    case 'fix':
      return `Fix ${name}. It fails with ${errorOf(cell)}`;
    case 'explain':
      return `Explain ${part}: what does it do, and what does its result mean?`;
    case 'improve':
      return `Improve ${part}: make it clearer, safer and faster, with the same result.`;
    case 'document':
      return `Document ${part}: add comments and docstrings, and change nothing else.`;
  }
}

/** The text that is selected in the cell's editor. */
function selection(cell: Cell): string {
  const { editor } = cell;
  if (!editor) {
    return '';
  }
  const { start, end } = editor.getSelection();
  const [from, to] = [editor.getOffsetAt(start), editor.getOffsetAt(end)].sort((a, b) => a - b);
  return cell.model.sharedModel.getSource().slice(from, to).trim();
}

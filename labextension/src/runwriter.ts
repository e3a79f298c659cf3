import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';
import { cellId, sourceOf, type ICell, type ICells } from './cells';
import { CellWriter } from './cellwriter';
import { cellMark, hash, traces } from './metadata';

/** A cell of the run that the user changed. */
export interface IEdit {
  cell: string;
  step: number;
  source: string;
}

/** Writes the cells of one run into the open notebook. A cell that the user deleted does not come back. */
export class RunWriter {
  constructor(
    private _model: INotebookModel,
    readonly run: string
  ) {
    this._trace = traces(_model.sharedModel)[run] ?? -1;
    for (const cell of _model.cells) {
      const mark = cellMark(cell);
      if (mark?.run === run) {
        this._trace = Math.max(this._trace, mark.seq);
      }
    }
  }

  /** Whether the notebook held cells of this run when it was opened. */
  get traced(): boolean {
    return this._trace >= 0;
  }

  /** Whether there is nothing to write. */
  holds(cells: ICells): boolean {
    return cells === this._done;
  }

  /** Bring the notebook up to the fold; false if there was nothing to write. */
  write(cells: ICells): boolean {
    if (this.holds(cells)) {
      return false;
    }
    this._done = cells;
    const removed = this._removeGone(cells);
    const written = cells.cells.map(view => this._write(view, cells.anchor));
    return removed || written.includes(true);
  }

  /** The cells that the user changed since the last call. */
  takeEdits(): IEdit[] {
    const edits: IEdit[] = [];
    for (const view of this._done?.cells ?? []) {
      const writer = this._writers.get(view.id);
      const source = writer && writer.model === this._find(view.id) && writer.takeEdit();
      if (typeof source === 'string') {
        edits.push({ cell: view.id, step: view.step, source });
      }
    }
    return edits;
  }

  private _write(view: ICell, anchor: string | null): boolean {
    const writer = this._writers.get(view.id);
    const model = this._find(view.id);
    if (model) {
      // Another model under the same id: the document was loaded again or the cell moved, so look at it afresh.
      const known = writer?.model === model ? writer : new CellWriter(this.run, model, view, false);
      this._writers.set(view.id, known);
      return known.write(view);
    }
    if (!writer && view.born > this._trace) {
      this._insert(view, anchor);
      return true;
    }
    return false;
  }

  private _insert(view: ICell, anchor: string | null): void {
    const index = this._end(anchor);
    const { step, kind, seq, own } = view;
    const mark = { run: this.run, step, kind, seq, sha256: hash(own) };
    // The insertion can be undone by the user; the streaming that follows is no step of their undo history.
    this._model.sharedModel.insertCell(index, {
      id: view.id,
      cell_type: kind === 'code' ? 'code' : 'markdown',
      source: sourceOf(view),
      metadata: { datarus: mark }
    });
    const model = this._find(view.id);
    if (model) {
      const writer = new CellWriter(this.run, model, view, true);
      this._writers.set(view.id, writer);
      writer.write(view);
    }
  }

  /**
   * Take away what the run took back, found by the cells' marks: a broken reply's rest, or what came before a step to
   * which the user went back. What they made theirs stays, and bears no mark of the run once it is void.
   */
  private _removeGone(cells: ICells): boolean {
    if (cells.removed <= this._removed) {
      return false;
    }
    this._removed = cells.removed;
    // The notebook was past this already: what is there of it now, the user has put back.
    const back = this._trace >= cells.reverted;
    const wanted = new Set(cells.cells.map(view => view.id));
    const gone = [...this._model.cells].filter(model => !wanted.has(model.id) && this._made(model));
    for (const model of gone) {
      this._writers.delete(model.id);
      const mark = cellMark(model);
      const own = mark?.sha256 === hash(model.sharedModel.getSource());
      const isVoid = mark !== null && mark.seq < cells.reverted;
      if (own && !(isVoid && back)) {
        this._model.sharedModel.deleteCell(this._index(model.id));
      } else if (isVoid) {
        model.sharedModel.transact(() => model.sharedModel.deleteMetadata('datarus'), false);
      }
    }
    return gone.length > 0;
  }

  /** Whether the run made this cell; a copy of one of its cells has another id and is the user's own. */
  private _made(model: ICellModel): boolean {
    const mark = cellMark(model);
    return mark?.run === this.run && model.id === cellId(this.run, mark.step, mark.kind);
  }

  /** Where the next cell goes: below the run's last one, else below the anchor, else to the end. */
  private _end(anchor: string | null): number {
    let last = -1;
    for (const id of this._writers.keys()) {
      last = Math.max(last, this._index(id));
    }
    const after = last >= 0 || anchor === null ? last : this._index(anchor);
    return after >= 0 ? after + 1 : this._model.cells.length;
  }

  /** A cell by its id, searched anew each time: the user may have moved or deleted it. */
  private _index(id: string): number {
    const { cells } = this._model;
    for (let i = cells.length - 1; i >= 0; i--) {
      if (cells.get(i).id === id) {
        return i;
      }
    }
    return -1;
  }

  private _find(id: string): ICellModel | null {
    const index = this._index(id);
    return index < 0 ? null : this._model.cells.get(index);
  }

  private _trace: number;
  private _removed = -1;
  private _done: ICells | null = null;
  private _writers = new Map<string, CellWriter>();
}

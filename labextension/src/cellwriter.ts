import type { ICellModel, ICodeCellModel } from '@jupyterlab/cells';
import type * as nbformat from '@jupyterlab/nbformat';
import { sourceOf, streamText, type ICell, type IOutput } from './cells';
import { cellMark, hash, type ICellMark } from './metadata';

/**
 * Brings one cell of the notebook up to the cell of the fold, in small pieces.
 *
 * The user's text wins: once the source is not what was written last, it is left alone.
 */
export class CellWriter {
  /** `fresh`: the cell was made for this view just now. Else its mark says what the run wrote there before. */
  constructor(
    readonly run: string,
    readonly model: ICellModel,
    view: ICell,
    fresh: boolean
  ) {
    const mark = cellMark(model);
    const source = model.sharedModel.getSource();
    const whole = fresh || (mark !== null && mark.seq >= view.seq);
    this._edited = mark?.sha256 !== hash(source);
    this._source = source;
    this._outputs = fresh ? [] : whole ? view.outputs : null;
    this._view = whole && !fresh ? view : null;
  }

  /** Whether the user's text stands in the cell. */
  get edited(): boolean {
    return this._edited;
  }

  /**
   * Write what is new in `view`; false if nothing is. What streams in is no step of the user's undo history.
   */
  write(view: ICell): boolean {
    if (view === this._view) {
      return false;
    }
    const { model } = this;
    // The mark goes with the source, so that no save can come between them.
    model.sharedModel.transact(() => {
      this._writeSource(model, view);
      this._writeMark(model, view);
    }, false);
    // Outputs stay outside: in a transaction Lab would take them for a remote change and show them twice.
    if (model.type === 'code') {
      // Jupyter trusts a cell that was saved without outputs. Script in what a run shows would act in the user's name,
      // and could approve the run's own code, so it stays text until the user trusts the notebook.
      if (view.outputs.length && model.trusted && view.outputs !== this._outputs) {
        model.trusted = false;
        model.setMetadata('trusted', false);
      }
      this._writeOutputs((model as ICodeCellModel).outputs, view);
      this._writeState(model as ICodeCellModel, view);
    }
    this._view = view;
    return true;
  }

  /** The user's text if it is new since the last call, else null. */
  takeEdit(): string | null {
    const source = this.model.sharedModel.getSource();
    if (source === this._source || source === this._reported) {
      return null;
    }
    this._edited = true;
    this._reported = source;
    return source;
  }

  private _writeSource(model: ICellModel, view: ICell): void {
    const shared = model.sharedModel;
    const there = shared.getSource();
    const wanted = sourceOf(view);
    // With the code that the user decides on, what they had typed before has had its time.
    const decided = view.users === null && this._view?.users === there;
    if (there === wanted || decided) {
      this._edited = false;
    } else if (there !== this._source) {
      this._edited = true;
    }
    if (this._edited) {
      return;
    }
    this._source = wanted;
    if (!wanted.startsWith(there)) {
      shared.setSource(wanted);
    } else if (wanted.length > there.length) {
      // Only the new characters, or the editor would draw the whole cell again at every token.
      shared.updateSource(there.length, there.length, wanted.slice(there.length));
    }
  }

  private _writeOutputs(area: ICodeCellModel['outputs'], view: ICell): void {
    const before = this._outputs;
    this._outputs = view.outputs;
    if (before === view.outputs) {
      return;
    }
    if (before === null || before.length > view.outputs.length || area.length !== before.length) {
      area.clear();
      view.outputs.forEach(output => area.add(output as nbformat.IOutput));
      return;
    }
    view.outputs.forEach((output, i) => {
      const old = before[i];
      if (old === undefined) {
        area.add(output as nbformat.IOutput);
      } else if (old !== output) {
        const more = i === before.length - 1 ? growth(old, output) : null;
        if (more) {
          area.add(more as nbformat.IOutput);
        } else {
          area.set(i, output as nbformat.IOutput);
        }
      }
    });
  }

  private _writeState(model: ICodeCellModel, view: ICell): void {
    if (
      view.running === (this._view?.running ?? false) &&
      view.count === (this._view?.count ?? null)
    ) {
      return;
    }
    // Lab takes a cell for idle as soon as it has a count, so the count comes last.
    model.executionCount = view.running ? null : view.count;
    model.executionState = view.running ? 'running' : 'idle';
  }

  private _writeMark(model: ICellModel, view: ICell): void {
    const { step, kind, seq, own } = view;
    const mark: ICellMark = { run: this.run, step, kind, seq, sha256: hash(own) };
    model.sharedModel.setMetadata('datarus', { ...mark });
  }

  private _view: ICell | null;
  private _source: string;
  private _reported: string | null = null;
  private _outputs: readonly IOutput[] | null;
  private _edited: boolean;
}

/** What was added to a stream output, as an output that Lab joins to it; null if it did not just grow. */
function growth(old: IOutput, now: IOutput): IOutput | null {
  if (old.output_type !== 'stream' || now.output_type !== 'stream' || old.name !== now.name) {
    return null;
  }
  const [before, after] = [streamText(old), streamText(now)];
  return after.startsWith(before) ? { ...now, text: after.slice(before.length) } : null;
}

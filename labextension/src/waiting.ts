/** Which step of a run under way a cell holds the code of. */
import type { ICellModel } from '@jupyterlab/cells';
import { cellId } from './cells';
import type { IRun, IStep } from './chat';
import type { Conversation } from './conversation';
import { cellMark } from './metadata';

/** A step whose code stands in a cell. */
export interface IStepOfRun {
  run: IRun;
  step: IStep;
}

/**
 * The step of a run under way whose whole code was written into `cell`; null for any other cell, such as a copy of it.
 * The user may have changed the text since.
 */
export function stepOf(cell: ICellModel, conversation: Conversation): IStepOfRun | null {
  const mark = cellMark(cell);
  const run = conversation.active;
  if (!mark || !run || cell.id !== cellId(run.run, mark.step, 'code')) {
    return null;
  }
  const step = run.steps.find(one => one.number === mark.step);
  // A tab that only shows what another one writes may have half of the code yet.
  const partial = step?.approval && step.approval.sha256 !== mark.sha256;
  return step && !partial ? { run, step } : null;
}

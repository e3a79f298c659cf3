import type { Cell } from '@jupyterlab/cells';
import { runCell, type INotebookCellExecutor } from '@jupyterlab/notebook';

/**
 * Lab's own way to run a cell, but for the cells of a run under way: what waits for approval is approved by running it,
 * and what the run itself runs is not run a second time, whichever of Lab's commands it was.
 */
export class CellExecutor implements INotebookCellExecutor {
  /** Takes a cell that belongs to a run under way; false leaves it to Lab. */
  take: (cell: Cell) => boolean = () => false;

  async runCell(options: INotebookCellExecutor.IRunCellOptions): Promise<boolean> {
    return this.take(options.cell) || runCell(options);
  }
}

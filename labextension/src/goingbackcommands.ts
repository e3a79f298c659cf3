import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { canContinue, cards, firstStep, type IRun } from './chat';
import { circled } from './format';
import type { GoingBack, IPlace } from './goingback';
import { GoingBackIDs } from './goingbackmenu';
import { cellMark } from './metadata';
import type { Notebooks } from './notebooks';
import type { Store } from './store';

export interface IGoingBackOptions {
  app: JupyterFrontEnd;
  store: Store;
  notebooks: Notebooks;
  goingBack: GoingBack;
  palette: ICommandPalette | null;
}

type Args = ReadonlyPartialJSONObject;

/** Add the commands. Without arguments they mean the last run of the notebook, and the step of the active cell. */
export function addGoingBackCommands(options: IGoingBackOptions): void {
  const { app, store, notebooks, goingBack, palette } = options;
  const run = (args: Args) => idle(store, typeof args.run === 'string' ? args.run : null);
  const place = (args: Args): IPlace | null => {
    const found = run(args);
    const step = typeof args.step === 'number' ? args.step : activeStep(notebooks, found);
    return found && cards(found).some(one => one.number === step)
      ? { run: found.run, step: step! }
      : null;
  };
  const add = <T>(
    id: string,
    label: (args: Args) => string,
    what: (args: Args) => T | null,
    execute: (found: T) => void
  ) => {
    app.commands.addCommand(id, {
      label,
      isEnabled: args => what(args) !== null,
      execute: args => {
        const found = what(args);
        if (found !== null) {
          execute(found);
        }
      },
      describedBy: { args: ARGS }
    });
    palette?.addItem({ command: id, category: 'Datarus', args: { isPalette: true } });
  };

  const where = (args: Args) => {
    if (typeof args.step !== 'number') {
      return ' of This Cell';
    }
    return ` ${circled(args.step)}` + (typeof args.title === 'string' ? ` ${args.title}` : '');
  };
  add(
    GoingBackIDs.undo,
    args => (args.isPalette ? 'Undo the Last Run' : 'Undo Run'),
    args => whole(run(args)),
    found => goingBack.undo(found.run)
  );
  add(
    GoingBackIDs.undoFrom,
    args => `Undo from Step${where(args)}`,
    place,
    ({ run, step }) => goingBack.undo(run, step)
  );
  add(
    GoingBackIDs.retry,
    args => `Try Again from Step${where(args)}`,
    place,
    ({ run, step }) => goingBack.resume(run, { step })
  );
  add(
    GoingBackIDs.edit,
    args => `Change the Code of Step${where(args)} and Continue…`,
    place,
    found => goingBack.edit(found)
  );
  add(
    GoingBackIDs.regenerate,
    () => 'Write the Answer Again',
    args => answered(run(args)),
    ({ run, step }) => goingBack.resume(run, { step })
  );
  add(
    GoingBackIDs.resume,
    args => (args.isPalette ? 'Continue the Last Run' : 'Continue Run'),
    args => unfinished(run(args)),
    found => goingBack.resume(found.run)
  );
}

const ARGS = {
  type: 'object',
  properties: {
    run: { type: 'string', description: 'whose id; without it, the last run of this notebook' },
    step: { type: 'number', description: 'its number; without it, the step of the active cell' }
  }
};

/** The run of that id, else the last one of the notebook in front; null while a run of its notebook is under way. */
function idle(store: Store, id: string | null): IRun | null {
  const conversation = id === null ? store.current : store.holding(id);
  const run = id === null ? conversation?.runs.at(-1) : conversation?.run(id);
  return conversation?.active === null && run ? run : null;
}

function whole(run: IRun | null): IRun | null {
  return run && firstStep(run) !== null ? run : null;
}

function answered(run: IRun | null): IPlace | null {
  return run?.answer && run.answerStep !== null ? { run: run.run, step: run.answerStep } : null;
}

function unfinished(run: IRun | null): IRun | null {
  return run && canContinue(run) ? run : null;
}

function activeStep(notebooks: Notebooks, run: IRun | null): number | null {
  const cell = notebooks.current?.content.activeCell;
  const mark = cell ? cellMark(cell.model) : null;
  return mark && mark.run === run?.run ? mark.step : null;
}

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { cards } from './chat';
import type { IActions, IWords } from './context';
import type { Verdict } from './events';
import { datarusIcon } from './icon';
import type { DatarusPanel } from './panel';
import type { Store } from './store';

export namespace CommandIDs {
  export const open = 'datarus:open';
  export const ask = 'datarus:ask';
  export const stop = 'datarus:stop';
  export const approve = 'datarus:approve';
  export const skip = 'datarus:skip';
  export const nextStep = 'datarus:next-step';
  export const previousStep = 'datarus:previous-step';
}

export interface ICommandOptions {
  app: JupyterFrontEnd;
  store: Store;
  actions: IActions;
  panel: DatarusPanel;
  palette: ICommandPalette | null;
}

/** Add the commands and their palette entries. */
export function addCommands(options: ICommandOptions): void {
  const { app, store, actions, panel, palette } = options;
  const { commands, shell } = app;
  const enabled = () => store.current?.busy ?? false;

  commands.addCommand(CommandIDs.open, {
    label: 'Show Datarus',
    caption: 'Ask about this notebook’s data',
    icon: datarusIcon,
    execute: (args: ReadonlyPartialJSONObject) => {
      shell.activateById(panel.id);
      if (typeof args.run === 'string' && typeof args.step === 'number') {
        panel.showCard(args.run, args.step);
      } else {
        panel.focusBox();
      }
    },
    describedBy: {
      args: {
        type: 'object',
        properties: {
          run: { type: 'string', description: 'with step: brings the card of that step into view' },
          step: { type: 'number' }
        }
      }
    }
  });
  commands.addCommand(CommandIDs.ask, {
    label: 'Ask Datarus…',
    caption: 'Put a question about this notebook’s data',
    execute: (args: ReadonlyPartialJSONObject) => {
      shell.activateById(panel.id);
      if (typeof args.question === 'string' && args.question.trim()) {
        void actions.ask(args.question.trim());
      } else {
        panel.focusBox();
      }
    },
    describedBy: {
      args: {
        type: 'object',
        properties: {
          question: { type: 'string', description: 'asked at once; without it the box is focused' }
        }
      }
    }
  });
  commands.addCommand(CommandIDs.stop, {
    label: 'Stop Datarus',
    caption: 'Stop the run of this notebook',
    icon: stopIcon,
    isEnabled: enabled,
    execute: () => actions.stop(),
    describedBy: { args: { type: 'object', properties: {} } }
  });
  addApprovalCommands(options);
  addStepCommands(options);
  store.changed.connect(() => commands.notifyCommandChanged(CommandIDs.stop));
  for (const command of Object.values(CommandIDs)) {
    palette?.addItem({ command, category: 'Datarus' });
  }
}

/** The user's word on the code that waits: in the step of `args`, or in the notebook in front. */
function addApprovalCommands({ app, store, actions }: ICommandOptions): void {
  const step = {
    run: {
      type: 'string',
      description: 'with step: whose code; without, of the notebook in front'
    },
    step: { type: 'number' }
  };
  const isEnabled = (args: ReadonlyPartialJSONObject) => waiting(store, args) !== null;
  const decide = (args: ReadonlyPartialJSONObject, verdict: Verdict, words?: IWords) => {
    const asked = waiting(store, args);
    if (asked) {
      actions.decide(asked.run, asked.step, verdict, words);
    }
  };
  app.commands.addCommand(CommandIDs.approve, {
    label: 'Run the Code That Waits',
    isEnabled,
    execute: args =>
      decide(args, 'approved', typeof args.code === 'string' ? { code: args.code } : {}),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          ...step,
          code: { type: 'string', description: 'run in its place; without it, what the cell says' }
        }
      }
    }
  });
  app.commands.addCommand(CommandIDs.skip, {
    label: 'Skip the Code That Waits',
    isEnabled,
    execute: args => decide(args, 'rejected'),
    describedBy: { args: { type: 'object', properties: step } }
  });
}

/** Walk through the cells of the last run. */
function addStepCommands({ app, store, actions }: ICommandOptions): void {
  let at: { run: string; step: number } | null = null;
  const walk = (by: number) => {
    const run = store.current?.runs.at(-1);
    const steps = run ? cards(run) : [];
    if (!run || steps.length === 0) {
      return;
    }
    const index =
      at?.run === run.run ? steps.findIndex(one => one.number === at?.step) : by > 0 ? -1 : 0;
    const next = steps[(index + by + steps.length) % steps.length];
    at = { run: run.run, step: next.number };
    actions.showCell(run.run, next.number);
  };
  const isEnabled = () => (store.current?.runs.length ?? 0) > 0;
  app.commands.addCommand(CommandIDs.nextStep, {
    label: 'Next Step of Datarus',
    isEnabled,
    execute: () => walk(1),
    describedBy: { args: { type: 'object', properties: {} } }
  });
  app.commands.addCommand(CommandIDs.previousStep, {
    label: 'Previous Step of Datarus',
    isEnabled,
    execute: () => walk(-1),
    describedBy: { args: { type: 'object', properties: {} } }
  });
}

function waiting(
  store: Store,
  args: ReadonlyPartialJSONObject
): { run: string; step: number } | null {
  if (typeof args.run === 'string' && typeof args.step === 'number') {
    return { run: args.run, step: args.step };
  }
  const run = store.current?.active;
  const step = run?.steps.find(one => one.approval !== null);
  return run && step ? { run: run.run, step: step.number } : null;
}

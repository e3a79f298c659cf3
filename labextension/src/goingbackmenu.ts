import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';
import { cards, title, type IRun } from './chat';
import { openBelow } from './popup';

export namespace GoingBackIDs {
  export const undo = 'datarus:undo';
  export const undoFrom = 'datarus:undo-from-step';
  export const retry = 'datarus:retry-from-step';
  export const edit = 'datarus:edit-step';
  export const regenerate = 'datarus:regenerate-answer';
  export const resume = 'datarus:continue';
}

/** Open the menu of a run, or of one of its steps, below the button that asks for it. */
export function openGoingBackMenu(
  commands: CommandRegistry,
  run: IRun,
  step: number | null,
  button: HTMLElement
): void {
  const menu = new Menu({ commands });
  if (step === null) {
    menu.addItem({ command: GoingBackIDs.undo, args: { run: run.run } });
    menu.addItem({ type: 'submenu', submenu: steps(commands, run, GoingBackIDs.undoFrom) });
    menu.addItem({ type: 'submenu', submenu: steps(commands, run, GoingBackIDs.retry) });
    menu.addItem({ command: GoingBackIDs.regenerate, args: { run: run.run } });
  } else {
    for (const command of [GoingBackIDs.retry, GoingBackIDs.edit, GoingBackIDs.undoFrom]) {
      menu.addItem({ command, args: { run: run.run, step } });
    }
  }
  openBelow(menu, button);
}

const STEPS: Record<string, string> = {
  [GoingBackIDs.undoFrom]: 'Undo from Step',
  [GoingBackIDs.retry]: 'Try Again from Step'
};

function steps(commands: CommandRegistry, run: IRun, command: string): Menu {
  const menu = new Menu({ commands });
  menu.title.label = STEPS[command];
  for (const step of cards(run)) {
    menu.addItem({ command, args: { run: run.run, step: step.number, title: title(step) } });
  }
  return menu;
}

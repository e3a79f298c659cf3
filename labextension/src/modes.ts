/** Who decides that code runs, as the user reads it, and which of it the server allows. */
import type { Mode } from './events';

/** A mode as the menu shows it. */
export interface IModeEntry {
  readonly value: Mode;
  readonly label: string;
  readonly title: string;
}

export const MODES: readonly IModeEntry[] = [
  {
    value: 'ask_if_risky',
    label: 'Ask if risky',
    title: 'Code waits for your approval where it may delete, overwrite, install, go online…'
  },
  { value: 'auto', label: 'Run code', title: 'Code runs as soon as it is written' },
  { value: 'ask', label: 'Ask first', title: 'Each piece of code waits for your approval' },
  { value: 'plan', label: 'Plan only', title: 'Thoughts and code are written, nothing runs' }
];

/** What the server allows (`GET modes`): the modes to choose of, and its own choice. */
export interface IServerModes {
  readonly modes: readonly Mode[];
  readonly mode: Mode;
}

/** Before the server has said: all. */
export const ANY_MODE: IServerModes = {
  modes: MODES.map(one => one.value),
  mode: 'ask_if_risky'
};

/** The mode that the user wants, or the server's own where theirs is not allowed. */
export function permitted(wanted: Mode, { modes, mode }: IServerModes): Mode {
  return modes.includes(wanted) ? wanted : mode;
}

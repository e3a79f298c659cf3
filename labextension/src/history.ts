import type { JupyterFrontEnd } from '@jupyterlab/application';
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';
import type { IActions } from './context';
import { basename, clock } from './format';
import { openBelow } from './popup';
import type { Store } from './store';
import type { IRunLine } from './tokens';

const LINES = 20;
const LABEL_CHARS = 60;
const SHOW = 'show';

/** The questions asked so far, in all notebooks, as a menu; choosing one opens its notebook and shows its run. */
export class History {
  constructor(
    private _app: JupyterFrontEnd,
    private _store: Store,
    private _actions: IActions
  ) {
    this._commands.addCommand(SHOW, {
      label: args => args.label as string,
      isEnabled: args => typeof args.notebook === 'string',
      execute: args => this._open(args.notebook as string, args.run as string)
    });
  }

  /** Open the menu below a button. */
  open(button: HTMLElement): void {
    this._store.attempt(
      this._store.client.runs().then(runs => {
        openBelow(this._menu(runs.slice(0, LINES)), button);
      })
    );
  }

  private _menu(runs: readonly IRunLine[]): Menu {
    const menu = new Menu({ commands: this._commands });
    for (const { run, notebook, question, started } of runs) {
      const cut = question.length > LABEL_CHARS ? `${question.slice(0, LABEL_CHARS)}…` : question;
      const label = `${day(started)}${clock(started)}  ${cut}  (${basename(notebook ?? 'no notebook')})`;
      menu.addItem({ command: SHOW, args: { run, notebook, label } });
    }
    if (runs.length === 0) {
      menu.addItem({ command: SHOW, args: { label: 'Nothing was asked yet' } });
    }
    return menu;
  }

  private _open(notebook: string, run: string): void {
    this._actions.pin(false);
    this._store.set({ wanted: run });
    this._store.attempt(this._app.commands.execute('docmanager:open', { path: notebook }));
  }

  private _commands = new CommandRegistry();
}

/** The date, if it is not today's. */
function day(seconds: number): string {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return today ? '' : `${date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })} `;
}

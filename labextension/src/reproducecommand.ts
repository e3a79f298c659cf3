import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { Reproductions } from './reproductions';
import type { Store } from './store';

const REPRODUCE = 'datarus:reproduce';

/** Add the command that checks the notebook in front, with its palette entry. */
export function addReproduceCommand(
  { commands }: JupyterFrontEnd,
  store: Store,
  reproductions: Reproductions,
  palette: ICommandPalette | null
): void {
  commands.addCommand(REPRODUCE, {
    label: 'Check That the Notebook Reproduces',
    caption: 'Run the notebook again in a fresh kernel and compare the outputs',
    isEnabled: () => store.current !== null,
    execute: args => reproductions.start(typeof args.run === 'string' ? args.run : undefined),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          run: { type: 'string', description: 'only the cells of this run; without it, all' }
        }
      }
    }
  });
  store.changed.connect(() => commands.notifyCommandChanged(REPRODUCE));
  palette?.addItem({ command: REPRODUCE, category: 'Datarus' });
}

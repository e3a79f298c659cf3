import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, type ICommandPalette } from '@jupyterlab/apputils';
import type { Store } from './store';
import type { IEngine } from './tokens';

export const SET_KEY = 'datarus:set-key';

const KEPT: Record<IEngine['key'], string> = {
  '': 'It is kept in the keyring of this system, or in a file that only you can read.',
  environment:
    'One stands in the environment variable DATARUS_API_KEY and comes first: take it out there to keep another here.',
  keyring: 'One is kept in the keyring of this system. An empty box forgets it.',
  file: 'One is kept in a file that only you can read. An empty box forgets it.'
};

/** Add the command that asks for the engine's API key and hands it on; it is kept nowhere in the browser. */
export function addKeyCommand(
  app: JupyterFrontEnd,
  store: Store,
  palette: ICommandPalette | null
): void {
  app.commands.addCommand(SET_KEY, {
    label: 'Set the API Key of the Engine…',
    caption: 'An engine that runs here needs none',
    isEnabled: () => store.state.engine?.kind === 'openai',
    execute: async () => {
      const { engine } = store.state;
      const { value, button } = engine ? await askForKey(engine) : { value: null, button: null };
      if (engine && button?.accept && value !== null) {
        store.attempt(store.client.setKey(engine.name, value).then(() => store.refresh()));
      }
    },
    describedBy: { args: { type: 'object', properties: {} } }
  });
  store.changed.connect(() => app.commands.notifyCommandChanged(SET_KEY));
  palette?.addItem({ command: SET_KEY, category: 'Datarus' });
}

function askForKey(engine: IEngine): ReturnType<typeof InputDialog.getPassword> {
  return InputDialog.getPassword({
    title: `API Key of ${engine.model || engine.name}`,
    label: KEPT[engine.key],
    okLabel: 'Keep'
  });
}

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookCellExecutor, INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { Actions } from './actions';
import { CellActions } from './cellactions';
import { addCellCommands } from './cellcommands';
import { CellExecutor } from './cellexecutor';
import { Client } from './client';
import { CommandIDs, addCommands } from './commands';
import type { Mode } from './events';
import { GoingBack } from './goingback';
import { addGoingBackCommands } from './goingbackcommands';
import { History } from './history';
import { addKeyCommand } from './keycommand';
import { Notebooks } from './notebooks';
import { DatarusPanel } from './panel';
import { addReproduceCommand } from './reproducecommand';
import { ReproductionMarks } from './reproductionmarks';
import { Reproductions } from './reproductions';
import { Socket } from './socket';
import { hasNotebooks, hasSettings, showAtStart } from './start';
import { Proposals } from './proposals';
import { Store } from './store';
import { IDatarus } from './tokens';
import { UserCells } from './usercells';

const ID = 'datarus-jupyter:plugin';
const RANK = 300;

const plugin: JupyterFrontEndPlugin<IDatarus> = {
  id: ID,
  description:
    'The panel in which questions are asked, and the cells of the runs that answer them.',
  autoStart: true,
  provides: IDatarus,
  requires: [INotebookTracker, IRenderMimeRegistry],
  optional: [
    ILayoutRestorer,
    ISettingRegistry,
    IStateDB,
    ICommandPalette,
    INotebookCellExecutor,
    IEditorLanguageRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    state: IStateDB | null,
    palette: ICommandPalette | null,
    executor: INotebookCellExecutor | null,
    languages: IEditorLanguageRegistry | null
  ): IDatarus => {
    const client = new Client(app.serviceManager.serverSettings);
    const store = new Store(client, new Socket(client.settings));
    const notebooks = new Notebooks(app, tracker, store);
    const actions = new Actions(store, notebooks, app.commands);
    const cells = new CellActions(store, notebooks, actions);
    notebooks.extend((panel, conversation) => new Proposals(panel, conversation, cells, languages));
    notebooks.extend(panel => new UserCells(panel, cells, cell => fix(cell)));
    const fix = (cell: Cell) => {
      app.shell.activateById(panel.id);
      cells.ask('fix', cell);
    };
    const reproductions = new Reproductions(store, notebooks, actions);
    notebooks.extend(
      (panel, { notebook }) => new ReproductionMarks(panel, notebook, reproductions)
    );
    const goingBack = new GoingBack(store, notebooks, app.commands);
    const panel = new DatarusPanel(
      { store, actions, cells, goingBack, reproductions, rendermime },
      button => history.open(button),
      hasSettings()
        ? () => store.attempt(app.commands.execute('settingeditor:open', { query: 'Datarus' }))
        : null
    );
    const history = new History(app, store, actions);
    if (hasNotebooks()) {
      app.shell.add(panel, 'right', { rank: RANK, type: 'Datarus' });
      restorer?.add(panel, panel.id);
      showAtStart(app, state, panel).catch(reason =>
        console.error('The panel of Datarus cannot be shown.', reason)
      );
    }
    if (executor instanceof CellExecutor) {
      executor.take = cell => actions.runCell(cell);
    }
    addCommands({ app, store, actions, panel, palette });
    addGoingBackCommands({ app, store, notebooks, goingBack, palette });
    addCellCommands(app, cells, palette);
    addReproduceCommand(app, store, reproductions, palette);
    addKeyCommand(app, store, palette);
    settings
      ?.load(ID)
      .then(loaded => {
        applySettings(loaded, store, notebooks);
        loaded.changed.connect(() => applySettings(loaded, store, notebooks));
      })
      .catch(reason => console.error('The settings of Datarus cannot be loaded.', reason));
    return {
      ask: async question => void (await app.commands.execute(CommandIDs.ask, { question })),
      stop: async () => void (await app.commands.execute(CommandIDs.stop))
    };
  }
};

/**
 * Takes the place of Lab's own: of several that provide one token, the last registered serves. The one of shared
 * documents would come after it and is disabled in package.json. Where yet another one comes, running a cell that waits
 * runs it there and then, and the run goes on waiting.
 */
const executing: JupyterFrontEndPlugin<INotebookCellExecutor> = {
  id: 'datarus-jupyter:cell-executor',
  description: 'Runs cells; running one that waits for approval approves it.',
  autoStart: true,
  provides: INotebookCellExecutor,
  activate: () => new CellExecutor()
};

function applySettings(
  settings: ISettingRegistry.ISettings,
  store: Store,
  notebooks: Notebooks
): void {
  store.set({ mode: settings.get('mode').composite as Mode });
  notebooks.follow = settings.get('follow').composite as boolean;
}

export default [executing, plugin];
export * from './tokens';

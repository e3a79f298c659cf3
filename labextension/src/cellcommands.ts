import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { CommandIDs } from './commands';
import { canAsk, isNeverRun, type CellActions, type CellTask } from './cellactions';
import { datarusIcon } from './icon';

const LABELS: Record<CellTask, { label: string; caption: string }> = {
  fix: { label: 'Fix Cell', caption: 'Propose a version of this cell that runs' },
  explain: { label: 'Explain Cell', caption: 'What this cell does, and what its result means' },
  improve: {
    label: 'Improve Cell',
    caption: 'Propose a clearer, safer, faster version of this cell'
  },
  document: { label: 'Document Cell', caption: 'Propose comments and docstrings for this cell' }
};

const NO_ARGUMENTS = { args: { type: 'object' as const, properties: {} } };

/** Commands on the user's own cells. */
export function addCellCommands(
  app: JupyterFrontEnd,
  cells: CellActions,
  palette: ICommandPalette | null
): void {
  const { commands } = app;
  const one = () => (cells.selected.length === 1 ? cells.selected[0] : null);
  const ids = ['datarus:add-cells', 'datarus:never-run'];
  commands.addCommand('datarus:add-cells', {
    label: 'Add to Datarus Question',
    caption: 'Show the selected cells with the next question',
    icon: datarusIcon,
    isEnabled: () => cells.selected.length > 0,
    execute: async () => {
      cells.addSelected();
      await commands.execute(CommandIDs.open);
    },
    describedBy: NO_ARGUMENTS
  });
  for (const task of Object.keys(LABELS) as CellTask[]) {
    const id = `datarus:${task}-cell`;
    ids.push(id);
    commands.addCommand(id, {
      ...LABELS[task],
      isEnabled: () => canAsk(task, one()),
      execute: async () => {
        const cell = one();
        if (cell) {
          await commands.execute(CommandIDs.open);
          cells.ask(task, cell);
        }
      },
      describedBy: NO_ARGUMENTS
    });
  }
  commands.addCommand('datarus:never-run', {
    label: 'Never Run by Datarus',
    caption: 'Datarus does not run the code of this cell without asking',
    isToggleable: true,
    isToggled: () => cells.selected.length > 0 && cells.selected.every(isNeverRun),
    isEnabled: () => cells.selected.length > 0,
    execute: () => cells.toggleNeverRun(),
    describedBy: NO_ARGUMENTS
  });
  ids.forEach(command => palette?.addItem({ command, category: 'Datarus' }));
}

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import type { IStateDB } from '@jupyterlab/statedb';
import { MessageLoop, type Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';

const SHOWN = 'datarus-jupyter:shown';

/** Which of Notebook 7's pages this is, one for each kind of document; '' in JupyterLab. */
const PAGE = PageConfig.getOption('notebookPage');

/** Whether notebooks are opened on this page: on that of files, the panel would be of no use. */
export function hasNotebooks(): boolean {
  return PAGE === '' || PAGE === 'notebooks';
}

/** Whether settings are edited on this page; Notebook 7 has its editor of settings on that of files. */
export function hasSettings(): boolean {
  return PAGE === '';
}

/** In a fresh workspace the panel opens by itself; from then on it is as the user left it. */
export async function showAtStart(
  app: JupyterFrontEnd,
  state: IStateDB | null,
  panel: Widget
): Promise<void> {
  await app.restored;
  if (PAGE === 'notebooks') {
    // Notebook 7 restores no layout and keeps no state.
    showUnlessClosed(app, panel);
  } else if (state && (await state.fetch(SHOWN)) === undefined) {
    app.shell.activateById(panel.id);
    await state.save(SHOWN, true);
  }
}

function showUnlessClosed(app: JupyterFrontEnd, panel: Widget): void {
  if (localStorage.getItem(SHOWN) !== 'false') {
    app.shell.activateById(panel.id);
  }
  MessageLoop.installMessageHook(panel, (_, message: Message) => {
    if (message.type === 'after-show' || message.type === 'after-hide') {
      localStorage.setItem(SHOWN, String(message.type === 'after-show'));
    }
    return true;
  });
}

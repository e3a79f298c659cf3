import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

export type NotebookContext = DocumentRegistry.IContext<INotebookModel>;

/**
 * Load the notebook again if its file is newer than the document and the document holds nothing unsaved.
 *
 * A shared document is never loaded again: its room is newer than the file.
 */
export async function reloadIfNewer(
  context: NotebookContext,
  contents: Contents.IManager
): Promise<boolean> {
  const known = context.contentsModel;
  if (context.model.dirty || context.model.collaborative || !known) {
    return false;
  }
  const disk = await contents.get(context.path, { content: false, hash: true });
  if (context.isDisposed || context.model.dirty || !differs(known, disk)) {
    return false;
  }
  await context.revert();
  return true;
}

function differs(known: Omit<Contents.IModel, 'content'>, disk: Contents.IModel): boolean {
  if (known.hash && disk.hash) {
    return known.hash !== disk.hash;
  }
  return new Date(disk.last_modified).getTime() > new Date(known.last_modified).getTime();
}

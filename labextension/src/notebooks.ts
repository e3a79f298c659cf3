import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { ApprovalBar } from './approvalbar';
import { cellId } from './cells';
import type { IStep } from './chat';
import type { Conversation } from './conversation';
import { Decorations } from './decorations';
import { Disk } from './disk';
import { Disposable } from './disposable';
import { Mirror } from './mirror';
import type { Store } from './store';
import { Surface } from './surface';
import { stepOf, type IStepOfRun } from './waiting';

/** What belongs to an open panel. */
interface IAttached {
  path: string;
  parts: DisposableSet;
  /** Of the first panel of a document; null for further ones. */
  surface: Surface | null;
  disk: Disk | null;
}

/** The open notebooks: gives each its surface, and tells the store which one is in front. */
export class Notebooks extends Disposable {
  constructor(
    private _app: JupyterFrontEnd,
    private _tracker: INotebookTracker,
    private _store: Store
  ) {
    super();
    _tracker.forEach(panel => this._add(panel));
    _tracker.widgetAdded.connect((_, panel) => this._add(panel), this);
    _tracker.currentChanged.connect(this._onCurrentChanged, this);
    this._onCurrentChanged();
  }

  /** Whether notebooks scroll to new text while the user looks at it. */
  set follow(follow: boolean) {
    this._follow = follow;
    for (const { surface } of this._attached.values()) {
      if (surface) {
        surface.follow = follow;
      }
    }
  }

  /** Give each notebook one more part; to be called right after construction. */
  extend(part: (panel: NotebookPanel, conversation: Conversation) => IDisposable): void {
    this._extensions.push(part);
  }

  protected release(): void {
    this._attached.forEach(one => one.parts.dispose());
  }

  /** The notebook that the panel is about: the one in front, or the one that it was pinned to. */
  get current(): NotebookPanel | null {
    return this._pinned ?? this.front;
  }

  /** The notebook in front. */
  get front(): NotebookPanel | null {
    return this._tracker.currentWidget;
  }

  /** Whether the panel keeps to its notebook when another one comes to the front. */
  get pinned(): boolean {
    return this._pinned !== null;
  }

  set pinned(pinned: boolean) {
    this._pinned = pinned ? this.current : null;
    this._store.set({ pinned: this.pinned });
    this._onCurrentChanged();
  }

  /** Where the server finds the notebook: its path without the drive. */
  pathOf(panel: NotebookPanel): string {
    return this._app.serviceManager.contents.localPath(panel.context.path);
  }

  /** The panel of a notebook; null if it is not open. */
  panel(notebook: string): NotebookPanel | null {
    return this._tracker.find(panel => this.pathOf(panel) === notebook) ?? null;
  }

  /** Bring the cell of a step into view and flash it. Focus and selection stay where they are. */
  async showCell(notebook: string, run: string, step: number): Promise<void> {
    const panel = this.panel(notebook);
    if (!panel) {
      return;
    }
    this._app.shell.activateById(panel.id);
    const ids = (['code', 'answer', 'thought'] as const).map(kind => cellId(run, step, kind));
    const { widgets } = panel.content;
    const cell = ids.map(id => widgets.find(one => one.model.id === id)).find(one => one);
    if (cell) {
      await panel.content.scrollToItem(widgets.indexOf(cell), 'smart');
      cell.addClass('jp-mod-datarusFlash');
      setTimeout(() => cell.removeClass('jp-mod-datarusFlash'), 1000);
    }
  }

  /** Put the cursor into the code cell of a step. False if it is not there. */
  editCell(notebook: string, run: string, step: number): boolean {
    const content = this.panel(notebook)?.content;
    const id = cellId(run, step, 'code');
    const index = content?.widgets.findIndex(cell => cell.model.id === id) ?? -1;
    if (!content || index < 0) {
      return false;
    }
    content.activeCellIndex = index;
    content.mode = 'edit';
    content.widgets[index].editor?.focus();
    return true;
  }

  /** The text in the cell of a step under way, with all of the step's code in it; null if there is no such cell. */
  codeIn(notebook: string, step: IStep): string | null {
    const conversation = this._store.conversation(notebook);
    const cells = this.panel(notebook)?.content.widgets ?? [];
    const cell = cells.find(
      ({ model }) => conversation && stepOf(model, conversation)?.step === step
    );
    return cell?.model.sharedModel.getSource() ?? null;
  }

  /** The step of a run under way whose code stands in `cell`; null for any other cell. */
  stepOf(cell: Cell): IStepOfRun | null {
    const panel = this._tracker.find(one => one.content === cell.parent);
    const conversation = panel && this._store.conversation(this.pathOf(panel));
    return conversation ? stepOf(cell.model, conversation) : null;
  }

  /** Save a notebook; also if it is not dirty, for what came while the last save was under way is not in the file. */
  async save(notebook: string): Promise<void> {
    const attached = [...this._attached.values()].find(one => one.path === notebook && one.disk);
    await attached?.disk?.save();
  }

  /** Start the notebook's kernel anew, without asking. */
  async restartKernel(notebook: string): Promise<void> {
    await this.panel(notebook)?.sessionContext.restartKernel();
  }

  private _add(panel: NotebookPanel): void {
    panel.context.ready
      .then(() => {
        if (!panel.isDisposed) {
          this._attach(panel);
          panel.context.pathChanged.connect(() => this._attach(panel), this);
          panel.disposed.connect(() => this._detach(panel), this);
          this._onCurrentChanged();
        }
      })
      .catch(reason => console.error('Datarus cannot follow a notebook.', reason));
  }

  private _attach(panel: NotebookPanel): void {
    this._detach(panel);
    const path = this.pathOf(panel);
    const conversation = this._store.open(path);
    const parts = new DisposableSet();
    parts.add(
      new Decorations(panel, conversation, ({ run, step }) =>
        this._app.commands.execute('datarus:open', { run, step })
      )
    );
    parts.add(new ApprovalBar(panel, conversation, this._app.commands));
    this._extensions.forEach(part => parts.add(part(panel, conversation)));
    // A second view of the same document shows what the first one writes.
    const second = [...this._attached.values()].some(other => other.path === path);
    const attached: IAttached = { path, parts, surface: null, disk: null };
    this._attached.set(panel, attached);
    if (!second) {
      this._write(panel, attached);
    }
  }

  /** What the runs do comes into the document through this panel. */
  private _write(panel: NotebookPanel, attached: IAttached): void {
    const { parts } = attached;
    const conversation = this._store.open(this.pathOf(panel));
    const disk = new Disk(panel.context, this._app.serviceManager.contents);
    const surface = new Surface(panel, conversation, this._store.socket, disk);
    surface.follow = this._follow;
    parts.add(surface);
    parts.add(new Mirror(conversation, disk));
    parts.add(disk);
    Object.assign(attached, { surface, disk });
  }

  private _detach(panel: NotebookPanel): void {
    const attached = this._attached.get(panel);
    if (!attached) {
      return;
    }
    this._attached.delete(panel);
    attached.parts.dispose();
    if (this._pinned === panel && panel.isDisposed) {
      this.pinned = false;
    }
    const heir = [...this._attached].find(([, other]) => other.path === attached.path);
    if (!heir) {
      this._store.close(attached.path);
    } else if (attached.surface) {
      this._write(...heir);
    }
  }

  private _onCurrentChanged(): void {
    const panel = this.current;
    this._watched?.sessionContext.statusChanged.disconnect(this._onKernel, this);
    this._watched?.sessionContext.kernelChanged.disconnect(this._onKernel, this);
    this._watched = panel;
    panel?.sessionContext.statusChanged.connect(this._onKernel, this);
    panel?.sessionContext.kernelChanged.connect(this._onKernel, this);
    this._store.show(panel ? this.pathOf(panel) : null);
    this._onKernel();
  }

  private _onKernel(): void {
    const session = this.current?.sessionContext;
    this._store.set({
      kernel: session?.kernelDisplayName ?? '',
      kernelState: session?.kernelDisplayStatus ?? ''
    });
  }

  private _extensions: ((panel: NotebookPanel, conversation: Conversation) => IDisposable)[] = [];
  private _attached = new Map<NotebookPanel, IAttached>();
  private _pinned: NotebookPanel | null = null;
  private _watched: NotebookPanel | null = null;
  private _follow = true;
}

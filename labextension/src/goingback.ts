import type { CommandRegistry } from '@lumino/commands';
import { Signal, type ISignal } from '@lumino/signaling';
import { firstStep, type IRun } from './chat';
import { openGoingBackMenu } from './goingbackmenu';
import { cellMark } from './metadata';
import type { Notebooks } from './notebooks';
import type { Store } from './store';
import type { IResume } from './tokens';

/** A step of a run. */
export interface IPlace {
  run: string;
  step: number;
}

/** Takes runs back and lets them go on. What fails becomes the panel's error line. */
export class GoingBack {
  constructor(
    private _store: Store,
    private _notebooks: Notebooks,
    private _commands: CommandRegistry
  ) {}

  get changed(): ISignal<GoingBack, void> {
    return this._changed;
  }

  /** The step whose code the user is changing in its card. */
  get editing(): IPlace | null {
    return this._editing;
  }

  /** Let the user change the code of a step; null when they are done. */
  edit(place: IPlace | null): void {
    this._editing = place;
    this._changed.emit();
  }

  /** The code of a step as the user sees it in the notebook. */
  codeOf({ run, step }: IPlace): string {
    const conversation = this._store.holding(run);
    const shown = conversation?.run(run)?.steps.find(one => one.number === step);
    const inCell =
      conversation && shown ? this._notebooks.codeIn(conversation.notebook, shown) : null;
    return inCell ?? shown?.code ?? '';
  }

  /** Take back a run, or what it did from `step` on. */
  undo(run: string, step?: number): void {
    const known = this._store.holding(run)?.run(run);
    const from = step ?? (known && firstStep(known));
    if (typeof from === 'number') {
      this._store.attempt(this._store.client.revert(run, from));
    }
  }

  /** Let a run go on: from where it is, from before a step, or with the user's code in a step's place. */
  resume(run: string, how: IResume = {}): void {
    const { client, state } = this._store;
    this.edit(null);
    this._store.set({ error: '' });
    this._store.holding(run)?.expect(run);
    this._store.attempt(client.resume(run, { ...how, mode: state.mode }));
  }

  /** Offer to restart the kernel and run the notebook down to what is left of the run. */
  restartAbove(run: string): void {
    const conversation = this._store.holding(run);
    const panel = conversation && this._notebooks.panel(conversation.notebook);
    if (!panel) {
      return;
    }
    const anchor = conversation.cells.find(one => one.run === run)?.anchor ?? null;
    const models = panel.content.widgets.map(cell => cell.model);
    const last = models.map(model => cellMark(model)?.run).lastIndexOf(run);
    const above = last >= 0 ? last : models.findIndex(model => model.id === anchor);
    panel.content.activeCellIndex = above >= 0 ? above : models.length - 1;
    this._store.attempt(this._commands.execute('notebook:restart-and-run-to-selected'));
  }

  /** Open the menu of a run, or of one of its steps, below the button that asks for it. */
  openMenu(run: IRun, step: number | null, button: HTMLElement): void {
    openGoingBackMenu(this._commands, run, step, button);
  }

  private _editing: IPlace | null = null;
  private _changed = new Signal<this, void>(this);
}

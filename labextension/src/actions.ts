import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { CommandRegistry } from '@lumino/commands';
import { contentOf } from './cellcontent';
import type { IStep } from './chat';
import type { IActions, IShowing, IWords } from './context';
import type { Conversation } from './conversation';
import type { Mode, Verdict } from './events';
import { SET_KEY } from './keycommand';
import type { Notebooks } from './notebooks';
import type { Store } from './store';
import type { IApproval, IRunRequest } from './tokens';

/** A run that has not ended this long after it was asked to stop waits for the kernel. */
const STUCK_MS = 1000;

/** What the panel's buttons and the commands do. What fails becomes the panel's error line. */
export class Actions implements IActions {
  constructor(
    private _store: Store,
    private _notebooks: Notebooks,
    private _commands: CommandRegistry
  ) {}

  ask(question: string, only?: IShowing): Promise<boolean> {
    const asked = this._ask(question, only);
    this._store.attempt(asked);
    return asked.then(
      () => true,
      () => false
    );
  }

  stop(): void {
    const conversation = this._store.current;
    const run = conversation?.active?.run ?? conversation?.asking?.run;
    if (run) {
      this._stop(run);
    } else {
      conversation?.stopAsking();
    }
  }

  private _stop(run: string): void {
    const again = this._store.state.stopping?.run === run;
    this._store.set({ stopping: { run, stuck: again } });
    if (!again) {
      setTimeout(() => this._tellStuck(run), STUCK_MS);
    }
    this._store.attempt(
      this._store.client.stop(run).catch((reason: unknown) => {
        this._store.stopped(run);
        throw reason;
      })
    );
  }

  restartKernel(): void {
    const { stopping } = this._store.state;
    const conversation = stopping && this._store.holding(stopping.run);
    if (conversation) {
      this._store.attempt(
        this._notebooks
          .restartKernel(conversation.notebook)
          .finally(() => this._store.stopped(stopping.run))
      );
    }
  }

  setMode(mode: Mode): void {
    this._store.set({ mode });
    const active = this._store.current?.active;
    const waiting = active?.steps.find(one => one.approval);
    if (active && waiting && mode === 'auto') {
      this.runAll(active.run, waiting.number);
    } else if (active) {
      this._store.attempt(this._store.client.setMode(active.run, mode));
    }
  }

  decide(run: string, step: number, verdict: Verdict, words: IWords = {}): void {
    this._store.attempt(this._decide(run, step, verdict, words));
  }

  runAll(run: string, step: number): void {
    this._store.set({ mode: 'auto' });
    // First the code as it stands in the cell: the other mode would let the code run that was asked about.
    this._store.attempt(
      this._decide(run, step, 'approved').then(() => this._store.client.setMode(run, 'auto'))
    );
  }

  /** The user runs a cell by one of Lab's commands. True if it is a run's, which then runs it, or does so already. */
  runCell(cell: Cell): boolean {
    const found = this._notebooks.stepOf(cell);
    if (found?.step.approval) {
      const code = cell.model.sharedModel.getSource();
      this.decide(found.run.run, found.step.number, 'approved', { code });
    }
    return found !== null && (found.step.approval !== null || found.step.state === 'running');
  }

  edit(run: string, step: number): void {
    const notebook = this._store.current?.notebook;
    if (notebook !== undefined && !this._notebooks.editCell(notebook, run, step)) {
      this._store.set({
        error: 'The cell is not in this notebook any more. Run or skip the step.'
      });
    }
  }

  showCell(run: string, step: number): void {
    const notebook = this._store.current?.notebook;
    if (notebook !== undefined) {
      this._store.attempt(this._notebooks.showCell(notebook, run, step));
    }
  }

  pull(model: string): void {
    this._store.attempt(this._store.client.pull(model));
  }

  cancelPull(model: string): void {
    this._store.attempt(this._store.client.cancelPull(model));
  }

  check(engine: string): void {
    this._store.attempt(this._check(engine));
  }

  setKey(): void {
    this._store.attempt(this._commands.execute(SET_KEY));
  }

  choose(engine: string): void {
    this._store.choose(engine);
  }

  pin(pinned: boolean): void {
    this._notebooks.pinned = pinned;
  }

  newNotebook(): void {
    this._store.attempt(this._commands.execute('notebook:create-new'));
  }

  dismissError(): void {
    this._store.set({ error: '' });
  }

  private async _ask(question: string, only?: IShowing): Promise<void> {
    const panel = this._notebooks.current;
    const conversation = this._store.current;
    if (!panel || !conversation) {
      throw new Error('No notebook is open. Open one, then ask again.');
    }
    if (this._store.state.engine?.state === 'missing') {
      throw new Error('The model is not on this computer yet. Download it, then ask again.');
    }
    if (conversation.busy) {
      throw new Error('A question is being worked on here. Wait for its answer, or stop it first.');
    }
    this._store.set({ error: '' });
    conversation.ask(question);
    try {
      await this._start(panel, conversation, {
        question,
        notebook: conversation.notebook,
        mode: this._store.state.mode,
        engine: this._store.state.engine?.name,
        ...(only ?? contentOf(panel, conversation.chips.all))
      });
    } catch (reason) {
      conversation.ask(null);
      throw reason;
    }
    if (!only) {
      conversation.chips.clear();
    }
  }

  private async _start(
    panel: NotebookPanel,
    conversation: Conversation,
    request: IRunRequest
  ): Promise<void> {
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session?.kernel?.id;
    const run = await this._store.client.startRun(kernel ? { ...request, kernel } : request);
    const stopped = conversation.asking?.stopped;
    conversation.expect(run);
    if (stopped) {
      this._stop(run);
    }
  }

  private async _decide(
    run: string,
    number: number,
    verdict: Verdict,
    { code, comment }: IWords = {}
  ): Promise<void> {
    const conversation = this._store.holding(run);
    const step = conversation?.run(run)?.steps.find(one => one.number === number);
    if (!conversation || !step?.approval || this._decided.has(step.approval)) {
      return;
    }
    const asked = step.approval;
    const approval: IApproval = { step: number, sha256: asked.sha256, verdict };
    const seen = code ?? this._codeSeen(conversation, step);
    if (verdict === 'approved' && seen !== step.code) {
      Object.assign(approval, { verdict: 'edited', code: seen });
    } else if (comment) {
      approval.comment = comment;
    }
    this._decided.add(asked);
    try {
      await this._store.client.approve(run, approval);
    } catch (reason) {
      this._decided.delete(asked);
      throw reason;
    }
  }

  /** What the user sees in the cell is what they approve, also where they changed it. */
  private _codeSeen(conversation: Conversation, step: IStep): string {
    const inCell = this._notebooks.codeIn(conversation.notebook, step);
    // Where another tab writes the notebook, this one hears of a change there through the journal.
    const newest = inCell !== null && (conversation.writer || inCell !== step.code);
    return newest ? inCell : (step.edited ?? step.code);
  }

  /** Say that a restart is left, if the run's own code still keeps it from ending. */
  private _tellStuck(run: string): void {
    const step = this._store.holding(run)?.run(run)?.steps.at(-1);
    if (this._store.state.stopping?.run === run && step?.state === 'running') {
      this._store.set({ stopping: { run, stuck: true } });
    }
  }

  private async _check(engine: string): Promise<void> {
    const lines = await this._store.client.check(engine);
    const failed = lines.find(line => !line.ok);
    this._store.set({ error: failed ? `${failed.name}: ${failed.text}` : '' });
    await this._store.refresh();
  }

  /** The requests that were answered; their decisions are on the way back. */
  private _decided = new WeakSet<NonNullable<IStep['approval']>>();
}

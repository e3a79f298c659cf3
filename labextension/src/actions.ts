import type { CommandRegistry } from '@lumino/commands';
import type { IActions } from './context';
import type { Mode, Verdict } from './events';
import type { Notebooks } from './notebooks';
import type { Store } from './store';
import type { IRunRequest } from './tokens';

/** What the panel's buttons and the commands do. What fails becomes the panel's error line. */
export class Actions implements IActions {
  constructor(
    private _store: Store,
    private _notebooks: Notebooks,
    private _commands: CommandRegistry
  ) {}

  ask(question: string): void {
    this._store.attempt(this._ask(question));
  }

  stop(): void {
    const active = this._store.current?.active;
    if (active) {
      this._store.attempt(this._store.client.stop(active.run));
    }
  }

  setMode(mode: Mode): void {
    this._store.set({ mode });
    const active = this._store.current?.active;
    if (active) {
      this._store.attempt(this._store.client.setMode(active.run, mode));
    }
  }

  decide(run: string, step: number, verdict: Verdict): void {
    this._store.attempt(this._decide(run, step, verdict));
  }

  runAll(run: string, step: number): void {
    this._store.set({ mode: 'auto' });
    this._store.attempt(
      this._store.client.setMode(run, 'auto').then(() => this._decide(run, step, 'approved'))
    );
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

  newNotebook(): void {
    this._store.attempt(this._commands.execute('notebook:create-new'));
  }

  dismissError(): void {
    this._store.set({ error: '' });
  }

  private async _ask(question: string): Promise<void> {
    const panel = this._notebooks.current;
    const conversation = this._store.current;
    if (!panel || !conversation) {
      throw new Error('No notebook is open. Open one, then ask again.');
    }
    if (this._store.state.engine?.state === 'missing') {
      throw new Error('The model is not on this computer yet. Download it, then ask again.');
    }
    this._store.set({ error: '' });
    await panel.sessionContext.ready;
    const request: IRunRequest = {
      question,
      notebook: conversation.notebook,
      mode: this._store.state.mode
    };
    const kernel = panel.sessionContext.session?.kernel?.id;
    const run = await this._store.client.startRun(kernel ? { ...request, kernel } : request);
    conversation.expect(run);
  }

  private async _decide(run: string, step: number, verdict: Verdict): Promise<void> {
    const conversation = this._store.current;
    const waiting = conversation?.run(run)?.steps.find(one => one.number === step);
    if (!conversation || !waiting?.approval) {
      return;
    }
    const { sha256 } = waiting.approval;
    const code = this._notebooks.codeIn(conversation.notebook, run, step);
    // What the user sees in the cell is what they approve, also where they changed it.
    const edited = verdict === 'approved' && code !== null && code !== waiting.code;
    await this._store.client.approve(
      run,
      edited ? { step, sha256, verdict: 'edited', code } : { step, sha256, verdict }
    );
  }

  private async _check(engine: string): Promise<void> {
    const lines = await this._store.client.check(engine);
    const failed = lines.find(line => !line.ok);
    this._store.set({ error: failed ? `${failed.name}: ${failed.text}` : '' });
    await this._store.refresh();
  }
}

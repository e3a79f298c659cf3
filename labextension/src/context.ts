import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { createContext, useContext, useEffect, useState } from 'react';
import type { ISignal } from '@lumino/signaling';
import type { CellActions } from './cellactions';
import type { Mode, Verdict } from './events';
import type { GoingBack } from './goingback';
import type { Reproductions } from './reproductions';
import type { Store } from './store';
import type { IRunRequest } from './tokens';

/** What the user says beside the verdict itself. */
export interface IWords {
  /** The code that they saw; without it, what stands in the step's cell. */
  code?: string;
  /** For the model. */
  comment?: string;
}

/** What goes with a question. */
export type IShowing = Pick<IRunRequest, 'attached' | 'anchor' | 'target'>;

/** What the user can do in the panel. None of it rejects: what fails is shown in the panel. */
export interface IActions {
  /**
   * Ask, showing what `only` says; without it, what the chips above the question box say. Resolves to whether the
   * question was taken.
   */
  ask(question: string, only?: IShowing): Promise<boolean>;
  /** Stop the run of the notebook in front; the second time, offer to restart its kernel. */
  stop(): void;
  restartKernel(): void;
  setMode(mode: Mode): void;
  /** Give the user's word on the code that waits in a step. */
  decide(run: string, step: number, verdict: Verdict, words?: IWords): void;
  /** Approve the step that waits, and all that come after it. */
  runAll(run: string, step: number): void;
  /** Put the cursor into the code that waits. */
  edit(run: string, step: number): void;
  /** Bring the cell of a step into view. */
  showCell(run: string, step: number): void;
  pull(model: string): void;
  cancelPull(model: string): void;
  check(engine: string): void;
  /** Ask for the API key of the engine. */
  setKey(): void;
  /** Ask this engine from now on. */
  choose(engine: string): void;
  /** Keep to this notebook, or follow the one in front again. */
  pin(pinned: boolean): void;
  newNotebook(): void;
  dismissError(): void;
}

/** What every view of the panel may need. */
export interface IServices {
  store: Store;
  actions: IActions;
  cells: CellActions;
  goingBack: GoingBack;
  reproductions: Reproductions;
  rendermime: IRenderMimeRegistry;
}

export const Services = createContext<IServices | null>(null);

export function useServices(): IServices {
  const services = useContext(Services);
  if (!services) {
    throw new Error('The views of the panel stand inside <Services.Provider>.');
  }
  return services;
}

/** The id of a step's card in the page. */
export function cardId(run: string, step: number): string {
  return `datarus-card-${run}-${step}`;
}

/** The id of a run's part of the conversation in the page. */
export function runId(run: string): string {
  return `datarus-run-${run}`;
}

/** Draw the component again after `signal`, at most once a frame however often it is emitted. */
export function useSignal<S, T>(signal: ISignal<S, T> | undefined): void {
  const [, setDrawn] = useState(0);
  useEffect(() => {
    if (!signal) {
      return;
    }
    let frame = 0;
    const slot = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setDrawn(drawn => drawn + 1);
      });
    };
    signal.connect(slot);
    return () => {
      signal.disconnect(slot);
      cancelAnimationFrame(frame);
    };
  }, [signal]);
}

/** The time in seconds since the epoch, kept up to date while `running`. */
export function useClock(running: boolean): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!running) {
      return;
    }
    const timer = setInterval(() => setNow(Date.now() / 1000), 500);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}

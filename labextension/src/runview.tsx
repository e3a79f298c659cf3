import { memo, useCallback } from 'react';
import { cards, correctedIn, pause, stepCount, type IRun } from './chat';
import { markClaims } from './claims';
import type { IAsking } from './conversation';
import { runId, useServices } from './context';
import { clock, count, plural, seconds } from './format';
import { GoOn, UndoMenu } from './goingbackview';
import { Markdown } from './markdown';
import { Offer } from './offer';
import { CheckReproduces } from './reproductionview';
import { StepCard } from './stepcard';

/** One question, its steps and its answer. */
export const RunView = memo(function RunView({ run }: { run: IRun }): JSX.Element {
  const shown = cards(run);
  const waiting = pause(run);
  return (
    <article className="jp-Datarus-run" id={runId(run.run)} aria-label={run.question}>
      <Question text={run.question} asked={run.started} />
      {run.attached.length > 0 && (
        <div className="jp-Datarus-stepNote jp-Datarus-shown">
          with {run.attached.map(one => one.name).join(', ')}
        </div>
      )}
      {run.thinking && <Thinking text={run.thinking} />}
      {shown.length > 0 && (
        <ol className="jp-Datarus-steps">
          {shown.map(step => (
            <StepCard
              key={step.number}
              run={run.run}
              step={step}
              corrected={correctedIn(run, step.number)}
            />
          ))}
        </ol>
      )}
      {waiting !== null && <Wait text={waiting} />}
      {run.answer && <Answer run={run} />}
      {run.message && <div className="jp-Datarus-message">{run.message}</div>}
      <GoOn run={run} />
      <Offer run={run} />
      {run.state !== 'running' && <Totals run={run} />}
    </article>
  );
});

/** A question whose run is not here yet: its kernel starts, or the server looks at the notebook and the data. */
export function AskingView({ asking }: { asking: IAsking }): JSX.Element {
  return (
    <article className="jp-Datarus-run" aria-label={asking.question}>
      <Question text={asking.question} asked={asking.since} />
      <Wait text={asking.stopped ? 'Stopping…' : 'Looking at the notebook and its data…'} />
    </article>
  );
}

function Question({ text, asked }: { text: string; asked: number }): JSX.Element {
  return (
    <>
      <header className="jp-Datarus-who">
        <span>You</span>
        <time>{clock(asked)}</time>
      </header>
      <div className="jp-Datarus-question">{text}</div>
    </>
  );
}

function Wait({ text }: { text: string }): JSX.Element {
  return (
    <div className="jp-Datarus-wait">
      <span className="jp-Datarus-dot" /> {text}
    </div>
  );
}

function Thinking({ text }: { text: string }): JSX.Element {
  return (
    <details className="jp-Datarus-thinking">
      <summary>Thinking</summary>
      <Markdown source={text} />
    </details>
  );
}

function Answer({ run }: { run: IRun }): JSX.Element {
  const { actions } = useServices();
  const label = (step: number) => String(run.steps.find(one => one.number === step)?.count ?? step);
  const onStep = useCallback((step: number) => actions.showCell(run.run, step), [actions, run.run]);
  return (
    <section className="jp-Datarus-answer" aria-label="Answer">
      <header className="jp-Datarus-who">
        <span>Answer</span>
      </header>
      <Markdown source={markClaims(run.answer, run.claims, label)} onStep={onStep} />
    </section>
  );
}

function Totals({ run }: { run: IRun }): JSX.Element | null {
  const tokens = run.promptTokens + run.completionTokens;
  if (tokens === 0 && run.steps.length === 0) {
    return null;
  }
  const parts = [plural(stepCount(run), 'step')];
  if (run.seconds) {
    parts.push(seconds(run.seconds));
  }
  if (tokens > 0) {
    const cached = run.promptTokens ? Math.round((100 * run.cachedTokens) / run.promptTokens) : 0;
    parts.push(`${count(tokens)} tokens` + (cached ? ` (${cached} % cached)` : ''));
  }
  return (
    <footer>
      <div className="jp-Datarus-totals">{parts.join(' · ')}</div>
      <UndoMenu run={run} />
      {run.steps.some(step => step.count !== null) && (
        <div className="jp-Datarus-checks">
          <CheckReproduces run={run.run} />
        </div>
      )}
    </footer>
  );
}

import { caretDownIcon, caretRightIcon, checkIcon, closeIcon } from '@jupyterlab/ui-components';
import { memo, useState } from 'react';
import { Approval } from './approval';
import { isOpen, title, type IStep, type StepState } from './chat';
import { cardId, useClock, useServices } from './context';
import { circled, count, seconds } from './format';
import { StepEditor, StepMenu } from './goingbackview';
import { Markdown } from './markdown';

export interface IStepCardProps {
  run: string;
  step: IStep;
  /** The step in which this one's failure was corrected, null if it did not fail or was not corrected. */
  corrected: number | null;
}

const WORDS: Record<StepState, string> = {
  thinking: 'thinking',
  writing: 'writing code',
  waiting: 'waits',
  ready: 'ready',
  running: 'running',
  ok: 'done',
  error: 'failed',
  timeout: 'too slow',
  interrupted: 'stopped',
  dead: 'kernel died',
  skipped: 'not run'
};

const FAILED: ReadonlySet<StepState> = new Set(['error', 'timeout', 'interrupted', 'dead']);

/** One step: a line with its number, title and state; the chevron opens thought, code and observation. */
export const StepCard = memo(function StepCard({
  run,
  step,
  corrected
}: IStepCardProps): JSX.Element {
  const { actions } = useServices();
  const [open, setOpen] = useState(false);
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <li
      id={cardId(run, step.number)}
      className="jp-Datarus-step"
      data-state={step.state}
      data-corrected={corrected !== null}
    >
      <div className="jp-Datarus-stepLine">
        <button
          className="jp-Datarus-chevron"
          aria-expanded={open}
          aria-label={`Details of step ${step.number}`}
          onClick={() => setOpen(!open)}
        >
          <Caret.react tag="span" />
        </button>
        <button
          className="jp-Datarus-stepTitle"
          title="Show the cell of this step"
          onClick={() => actions.showCell(run, step.number)}
        >
          <span className="jp-Datarus-number" aria-label={`Step ${step.number}`}>
            {circled(step.number)}
          </span>
          <span className="jp-Datarus-titleText">{title(step)}</span>
        </button>
        <State step={step} />
        {!isOpen(step) && <StepMenu run={run} step={step.number} />}
      </div>
      {step.error && <div className="jp-Datarus-stepError">{step.error}</div>}
      {corrected !== null && (
        <div className="jp-Datarus-stepNote">tried, then corrected in {circled(corrected)}</div>
      )}
      <StepEditor run={run} step={step.number} />
      {step.approval && <Approval run={run} step={step} />}
      {open && <Details step={step} />}
    </li>
  );
});

function State({ step }: { step: IStep }): JSX.Element {
  const running = step.state === 'running';
  const now = useClock(running);
  const time = running && step.started ? Math.max(0, now - step.started) : step.seconds;
  const icon =
    step.state === 'ok' ? (
      <checkIcon.react tag="span" className="jp-Datarus-stateIcon" />
    ) : FAILED.has(step.state) ? (
      <closeIcon.react tag="span" className="jp-Datarus-stateIcon" />
    ) : null;
  const quiet = step.state === 'ok' || step.state === 'error';
  return (
    <span className="jp-Datarus-state" title={WORDS[step.state]}>
      {icon ?? <span className="jp-Datarus-dot" />}
      <span className={quiet ? 'jp-Datarus-hidden' : undefined}>{WORDS[step.state]}</span>
      {time !== null && (step.code || running) && <span>{seconds(time)}</span>}
      {step.count !== null && <span className="jp-Datarus-count">[{step.count}]</span>}
    </span>
  );
}

function Details({ step }: { step: IStep }): JSX.Element {
  return (
    <div className="jp-Datarus-details">
      {step.thought && <Markdown source={step.thought} />}
      {step.code && !step.approval && <Text label="Code" text={step.code} />}
      {step.observation && <Text label="What the model was shown of it" text={step.observation} />}
      {step.tokens > 0 && <div className="jp-Datarus-stepNote">{count(step.tokens)} tokens</div>}
    </div>
  );
}

function Text({ label, text }: { label: string; text: string }): JSX.Element {
  return (
    <>
      <div className="jp-Datarus-stepNote">{label}</div>
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </>
  );
}

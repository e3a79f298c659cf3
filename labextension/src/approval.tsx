import { Button } from '@jupyterlab/ui-components';
import { useState } from 'react';
import type { IStep } from './chat';
import { useServices } from './context';

/** What waits for the user's word: why, the code, and the four things to do about it. */
export function Approval({ run, step }: { run: string; step: IStep }): JSX.Element {
  const { store, actions } = useServices();
  const [skipping, setSkipping] = useState(false);
  const { number } = step;
  return (
    <div
      className="jp-Datarus-approval"
      role="group"
      aria-label={`Step ${number} waits for your approval`}
    >
      <Reasons reasons={step.approval?.reasons ?? []} />
      <pre tabIndex={0} aria-label="Code that waits">
        {step.edited ?? step.code}
      </pre>
      {step.edited !== null && (
        <div className="jp-Datarus-stepNote">as you changed it in the cell</div>
      )}
      {skipping ? (
        <Skip
          onSkip={comment => actions.decide(run, number, 'rejected', { comment })}
          onCancel={() => setSkipping(false)}
        />
      ) : (
        <div className="jp-Datarus-buttons">
          <Button
            className="jp-mod-styled jp-mod-accept"
            small
            title="Run this code"
            onClick={() => actions.decide(run, number, 'approved')}
          >
            Run
          </Button>
          <Button
            className="jp-mod-styled"
            small
            title="Change the code in its cell, then run it"
            onClick={() => actions.edit(run, number)}
          >
            Edit
          </Button>
          <Button
            className="jp-mod-styled"
            small
            title="Do not run this code"
            onClick={() => setSkipping(true)}
          >
            Skip
          </Button>
          {store.state.allowed.modes.includes('auto') && (
            <Button
              className="jp-mod-styled"
              small
              title="Run this code and all that comes after it"
              onClick={() => actions.runAll(run, number)}
            >
              Run all of this run
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function Reasons({ reasons }: { reasons: readonly string[] }): JSX.Element {
  if (reasons.length < 2) {
    return <div>{['Waiting for your approval.', ...reasons].join(' ')}</div>;
  }
  return (
    <>
      <div>Waiting for your approval.</div>
      <ul>
        {reasons.map(reason => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </>
  );
}

/** One line for the model, which may stay empty. Enter skips, Esc goes back. */
function Skip({
  onSkip,
  onCancel
}: {
  onSkip: (comment: string) => void;
  onCancel: () => void;
}): JSX.Element {
  const [comment, setComment] = useState('');
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') {
      onCancel();
    }
  };
  const onSubmit = (event: React.FormEvent) => {
    event.preventDefault();
    onSkip(comment.trim());
  };
  return (
    // Here Esc is not to stop the run.
    <form className="jp-Datarus-skip" data-lm-suppress-shortcuts onSubmit={onSubmit}>
      <input
        className="jp-mod-styled"
        autoFocus
        value={comment}
        placeholder="Tell the model why (optional)"
        aria-label="Tell the model why"
        onChange={event => setComment(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="jp-Datarus-buttons">
        <Button className="jp-mod-styled" small type="submit">
          Skip
        </Button>
        <Button className="jp-mod-styled" small type="button" onClick={onCancel}>
          Back
        </Button>
      </div>
    </form>
  );
}

import { Button, caretDownIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';
import { canContinue, firstStep, type IRun } from './chat';
import { useServices, useSignal } from './context';
import { circled, plural } from './format';
import type { IPlace } from './goingback';

/** The menu under a run that is over: undo it, or do a part of it again. */
export function UndoMenu({ run }: { run: IRun }): JSX.Element | null {
  const { goingBack } = useServices();
  if (firstStep(run) === null) {
    return null;
  }
  return (
    <button
      className="jp-Datarus-menuButton"
      aria-haspopup="menu"
      onClick={event => goingBack.openMenu(run, null, event.currentTarget)}
    >
      Undo run <caretDownIcon.react tag="span" />
    </button>
  );
}

/** The menu of a step's card. */
export function StepMenu({ run, step }: IPlace): JSX.Element {
  const { goingBack, store } = useServices();
  const open = (button: HTMLElement) => {
    const known = store.holding(run)?.run(run);
    if (known) {
      goingBack.openMenu(known, step, button);
    }
  };
  return (
    <button
      className="jp-Datarus-stepMenu"
      aria-haspopup="menu"
      aria-label={`Go back to step ${step}`}
      title="Try again, change its code, undo"
      onClick={event => open(event.currentTarget)}
    >
      <ellipsesIcon.react tag="span" />
    </button>
  );
}

/** What was taken back, what was kept, and that the kernel is as it was; or how a run goes on that has no answer. */
export function GoOn({ run }: { run: IRun }): JSX.Element | null {
  const { goingBack } = useServices();
  if (!canContinue(run)) {
    return null;
  }
  const nothing = firstStep(run) === null;
  return (
    <div className="jp-Datarus-goOn" role={run.reverted ? 'status' : undefined}>
      {run.reverted && <div>{undone(run, nothing)}</div>}
      <div className="jp-Datarus-buttons">
        <Button className="jp-mod-styled" small onClick={() => goingBack.resume(run.run)}>
          {nothing ? 'Run again' : 'Continue'}
        </Button>
        {run.reverted && (
          <Button className="jp-mod-styled" small onClick={() => goingBack.restartAbove(run.run)}>
            Restart and run above
          </Button>
        )}
      </div>
    </div>
  );
}

function undone({ reverted }: IRun, nothing: boolean): string {
  const kept = reverted?.kept.length ?? 0;
  const were = kept === 1 ? 'was' : 'were';
  const what = nothing ? 'The run was undone.' : `Undone from step ${circled(reverted!.step)} on.`;
  const cells = kept ? ` ${plural(kept, 'cell')} that you edited ${were} kept.` : '';
  return `${what}${cells} The kernel’s variables are as the steps left them.`;
}

/** Where the user changes a step's code; shown in its card while they do. */
export function StepEditor(place: IPlace): JSX.Element | null {
  const { goingBack } = useServices();
  useSignal(goingBack.changed);
  const { editing } = goingBack;
  return editing?.run === place.run && editing.step === place.step ? <Editor {...place} /> : null;
}

function Editor({ run, step }: IPlace): JSX.Element {
  const { goingBack } = useServices();
  const [code, setCode] = useState(() => goingBack.codeOf({ run, step }));
  const send = () => {
    if (code.trim()) {
      goingBack.resume(run, { step, code });
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') {
      // Here it means "never mind"; elsewhere in the panel it stops the run.
      event.stopPropagation();
      goingBack.edit(null);
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      send();
    }
  };
  return (
    <div className="jp-Datarus-stepEditor">
      <div className="jp-Datarus-stepNote">
        What came from step {circled(step)} on is undone; your code runs, then the run goes on.
      </div>
      <textarea
        className="jp-mod-styled"
        aria-label={`Code in place of step ${step}`}
        autoFocus
        spellCheck={false}
        rows={Math.min(Math.max(code.split('\n').length, 3), 16)}
        value={code}
        onChange={event => setCode(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="jp-Datarus-buttons">
        <Button
          className="jp-mod-styled jp-mod-accept"
          small
          disabled={!code.trim()}
          onClick={send}
        >
          Run and continue
        </Button>
        <Button className="jp-mod-styled" small onClick={() => goingBack.edit(null)}>
          Cancel
        </Button>
      </div>
    </div>
  );
}

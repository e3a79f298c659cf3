import { Button, closeIcon, lockIcon } from '@jupyterlab/ui-components';
import { useEffect, useRef, useState } from 'react';
import { announcement } from './announce';
import type { IRun } from './chat';
import { Composer } from './composer';
import { useServices, useSignal } from './context';
import type { Conversation } from './conversation';
import { basename } from './format';
import { RunList } from './list';
import { ReproductionView } from './reproductionview';
import { EngineNotice, StatusLine } from './statusline';
import { StopNotice } from './stopnotice';

/** Everything below the panel's title. */
export function Body(): JSX.Element {
  const { store, actions } = useServices();
  useSignal(store.changed);
  const { state, current } = store;
  useSignal(current?.changed);
  const empty = !current || (current.runs.length === 0 && !current.asking);
  return (
    <>
      <Header />
      {empty ? (
        <EmptyState conversation={current} />
      ) : (
        <RunList key={`runs ${current.notebook}`} conversation={current} />
      )}
      {state.engine && <EngineNotice engine={state.engine} />}
      {current && <ReproductionView conversation={current} />}
      {current && <StopNotice conversation={current} />}
      {state.error && (
        <div className="jp-Datarus-error" role="alert">
          <span>{state.error}</span>
          <Button minimal small aria-label="Dismiss" onClick={() => actions.dismissError()}>
            <closeIcon.react tag="span" />
          </Button>
        </div>
      )}
      <Composer key={`box ${state.notebook}`} conversation={current} />
      <StatusLine />
      <LiveRegion conversation={current} />
    </>
  );
}

function Header(): JSX.Element | null {
  const { store, actions } = useServices();
  const { notebook, pinned, kernel, kernelState } = store.state;
  if (notebook === null) {
    return null;
  }
  return (
    <div className="jp-Datarus-header" title={notebook}>
      <span className="jp-Datarus-name">{basename(notebook)}</span>
      <span className="jp-Datarus-kernel">{kernel}</span>
      <span className="jp-Datarus-kernelState">{kernelState.toLowerCase()}</span>
      <Button
        className="jp-Datarus-pin"
        minimal
        small
        aria-pressed={pinned}
        aria-label="Keep to this notebook"
        title={pinned ? 'Follow the notebook in front again' : 'Keep to this notebook'}
        onClick={() => actions.pin(!pinned)}
      >
        <lockIcon.react tag="span" />
      </Button>
    </div>
  );
}

function EmptyState({ conversation }: { conversation: Conversation | null }): JSX.Element {
  const { store, actions } = useServices();
  if (!conversation) {
    return (
      <div className="jp-Datarus-list jp-Datarus-empty">
        <p>Open a notebook, then ask about its data: the steps become cells of that notebook.</p>
        <Button className="jp-mod-styled" small onClick={() => actions.newNotebook()}>
          New notebook
        </Button>
      </div>
    );
  }
  return (
    <div className="jp-Datarus-list jp-Datarus-empty">
      <p>Ask about your data. Each step becomes a cell of this notebook and runs in its kernel.</p>
      <ul>
        {store.state.suggestions.map(question => (
          <li key={question}>
            <button className="jp-Datarus-suggestion" onClick={() => void actions.ask(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Tells screen readers about step starts, errors and answers of the run under way. */
function LiveRegion({ conversation }: { conversation: Conversation | null }): JSX.Element {
  const [said, setSaid] = useState('');
  const before = useRef(new Map<string, IRun>());
  useEffect(() => {
    const known = before.current;
    const listen = () => {
      for (const run of conversation?.runs ?? []) {
        const old = known.get(run.run);
        known.set(run.run, run);
        const words = conversation?.isLive(run.run) && old !== run ? announcement(old, run) : '';
        if (words) {
          setSaid(words);
        }
      }
    };
    listen();
    conversation?.changed.connect(listen);
    return () => void conversation?.changed.disconnect(listen);
  }, [conversation]);
  return (
    <div className="jp-Datarus-hidden" role="status" aria-live="polite">
      {said}
    </div>
  );
}

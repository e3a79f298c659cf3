import { Button, HTMLSelect } from '@jupyterlab/ui-components';
import { useServices } from './context';
import { bytes, seconds } from './format';
import type { IEngine, IModelFile } from './tokens';

const WORDS: Record<IEngine['state'], string> = {
  ready: 'ready',
  starting: 'starting…',
  stopped: 'starts with the first question',
  missing: 'model not downloaded',
  unreachable: 'does not answer'
};

/** The engine: a dot for its state, its name and model, and how fast its last turn was. */
export function StatusLine(): JSX.Element {
  const { connected, engine, engines } = useServices().store.state;
  if (!connected) {
    return (
      <div className="jp-Datarus-status" data-state="starting">
        <span className="jp-Datarus-dot" />
        <span>Connecting to the Jupyter server…</span>
      </div>
    );
  }
  if (!engine) {
    return <div className="jp-Datarus-status" />;
  }
  return (
    <div
      className="jp-Datarus-status"
      data-state={engine.state}
      title={engine.message || WORDS[engine.state]}
    >
      <span className="jp-Datarus-dot" role="img" aria-label={WORDS[engine.state]} />
      {engines.length > 1 ? (
        <EngineChoice engine={engine} engines={engines} />
      ) : (
        <span className="jp-Datarus-engine">{nameOf(engine)}</span>
      )}
      <span className="jp-Datarus-speed">{speed(engine)}</span>
    </div>
  );
}

function EngineChoice({
  engine,
  engines
}: {
  engine: IEngine;
  engines: readonly IEngine[];
}): JSX.Element {
  const { actions } = useServices();
  return (
    <HTMLSelect
      className="jp-Datarus-engine"
      aria-label="The engine that is asked"
      value={engine.name}
      onChange={event => actions.choose(event.currentTarget.value)}
    >
      {engines.map(one => (
        <option key={one.name} value={one.name}>
          {nameOf(one)}
        </option>
      ))}
    </HTMLSelect>
  );
}

function nameOf(engine: IEngine): string {
  return `${engine.model || engine.name} · ${engine.name}`;
}

function speed(engine: IEngine): string {
  if (engine.state !== 'ready') {
    return WORDS[engine.state];
  }
  const parts: string[] = [];
  if (engine.first_token_seconds !== null) {
    const ms = Math.round(engine.first_token_seconds * 1000);
    parts.push(ms < 1000 ? `${ms} ms` : seconds(engine.first_token_seconds));
  }
  if (engine.tokens_per_second !== null) {
    parts.push(`${Math.round(engine.tokens_per_second)} tok/s`);
  }
  return parts.join(' · ');
}

/** What is missing before a question can be asked, and the one button that mends it. */
export function EngineNotice({ engine }: { engine: IEngine }): JSX.Element | null {
  const { store, actions } = useServices();
  if (engine.state === 'unreachable') {
    return (
      <div className="jp-Datarus-notice" role="status">
        <div>
          {engine.message ||
            `The engine ${engine.name} does not answer at ${engine.url}. Start it, then check again.`}
        </div>
        <Button className="jp-mod-styled" small onClick={() => actions.check(engine.name)}>
          Check again
        </Button>
        <Button className="jp-mod-styled" small onClick={() => actions.setKey()}>
          Set the API key…
        </Button>
      </div>
    );
  }
  const model = store.state.models.find(one => one.name === engine.model_file);
  return engine.state === 'missing' && model ? <Download model={model} /> : null;
}

function Download({ model }: { model: IModelFile }): JSX.Element {
  const { actions } = useServices();
  const percent = model.bytes ? Math.floor((100 * model.received) / model.bytes) : 0;
  if (model.state === 'pulling') {
    return (
      <div className="jp-Datarus-notice" role="status">
        <div>
          Downloading {model.title}: {bytes(model.received)} of {bytes(model.bytes)}
        </div>
        <progress max={100} value={percent} aria-label={`${percent} % downloaded`} />
        <Button className="jp-mod-styled" small onClick={() => actions.cancelPull(model.name)}>
          Cancel
        </Button>
      </div>
    );
  }
  const failed = model.state === 'failed' ? 'The download broke off. What is there is kept. ' : '';
  const verb = model.received > 0 ? 'Continue the download' : 'Download';
  return (
    <div className="jp-Datarus-notice" role="status">
      <div>
        {failed}Answers need a model on this computer: {model.title}, {bytes(model.bytes)},{' '}
        {model.licence}. No account, no GPU.
      </div>
      <Button
        className="jp-mod-styled jp-mod-accept"
        small
        onClick={() => actions.pull(model.name)}
      >
        {verb} ({bytes(model.bytes - model.received)})
      </Button>
    </div>
  );
}

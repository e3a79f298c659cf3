import { Button } from '@jupyterlab/ui-components';
import { useServices, useSignal } from './context';
import type { Conversation } from './conversation';
import { sign, summary, type ICellResult, type IReproduction } from './reproduction';

/** Starts a check of the cells of one run. */
export function CheckReproduces({ run }: { run: string }): JSX.Element {
  const { reproductions } = useServices();
  return (
    <Button
      className="jp-mod-styled"
      small
      title="Run these cells and all above them again in a fresh kernel, and compare the outputs"
      onClick={() => reproductions.start(run)}
    >
      Check reproduces
    </Button>
  );
}

/** How the check of the notebook in front stands, and the cells that came out otherwise. */
export function ReproductionView({
  conversation: { notebook }
}: {
  conversation: Conversation;
}): JSX.Element | null {
  const { reproductions } = useServices();
  useSignal(reproductions.changed);
  const check = reproductions.of(notebook);
  if (!check) {
    return null;
  }
  const running = check.state === 'running';
  const odd = check.cells.filter(one => one.verdict === 'differs' || one.verdict === 'fails');
  return (
    <section className="jp-Datarus-notice jp-Datarus-reproduction" aria-label="Does it reproduce">
      <div className="jp-Datarus-reproductionHead">
        {running && <span className="jp-Datarus-reproductionDot jp-Datarus-dot" />}
        <span className="jp-Datarus-reproductionText" role={running ? undefined : 'status'}>
          {check.state === 'failed' ? check.message : summary(check)}
        </span>
        <Button
          className="jp-mod-styled"
          small
          onClick={() => (running ? reproductions.stop(notebook) : reproductions.clear(notebook))}
        >
          {running ? 'Stop' : 'Clear'}
        </Button>
      </div>
      {check.too_large && <InPlace check={check} />}
      {odd.length > 0 && (
        <ul>
          {odd.map(result => (
            <OddCell key={result.index} notebook={notebook} result={result} asks={!running} />
          ))}
        </ul>
      )}
    </section>
  );
}

function InPlace({ check }: { check: IReproduction }): JSX.Element {
  const { reproductions } = useServices();
  return (
    <Button
      className="jp-mod-styled"
      small
      title="Files that the code writes are written again"
      onClick={() => reproductions.start(check.run ?? undefined, true)}
    >
      Run in the folder itself
    </Button>
  );
}

interface IOddCell {
  notebook: string;
  result: ICellResult;
  asks: boolean;
}

function OddCell({ notebook, result, asks }: IOddCell): JSX.Element {
  const { reproductions } = useServices();
  const name = reproductions.name(notebook, result);
  return (
    <li data-verdict={result.verdict}>
      <span aria-hidden="true">{sign(result.verdict)}</span>
      <button
        className="jp-Datarus-suggestion"
        onClick={() => reproductions.show(notebook, result)}
      >
        {name} {result.verdict}
      </button>
      {asks && (
        <Button
          className="jp-mod-styled"
          small
          aria-label={`Ask Datarus why: ${name}`}
          onClick={() => reproductions.askWhy(notebook, result)}
        >
          Ask Datarus why
        </Button>
      )}
      <div className="jp-Datarus-reason">{result.reason}</div>
    </li>
  );
}

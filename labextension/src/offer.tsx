import { Button } from '@jupyterlab/ui-components';
import { isOffered, type IRun } from './chat';
import { useServices } from './context';

/** What became of the new version of a cell that a run was asked for. */
export function Offer({ run }: { run: IRun }): JSX.Element | null {
  const { cells } = useServices();
  if (!run.target || !run.proposal) {
    return null;
  }
  if (!isOffered(run)) {
    return (
      <div className="jp-Datarus-stepNote jp-Datarus-offered">
        {run.accepted
          ? `${capital(run.target.name)} has the new version. `
          : 'The new version was rejected. '}
        The trial below it stays until you undo the run.
      </div>
    );
  }
  return (
    <div className="jp-Datarus-offered" role="group" aria-label="New version of a cell">
      <div>A new version of {run.target.name} is ready. The cell shows what would change.</div>
      <div className="jp-Datarus-buttons">
        <Button
          className="jp-mod-styled jp-mod-accept"
          small
          onClick={() => cells.decide(run, true)}
        >
          Accept
        </Button>
        <Button className="jp-mod-styled" small onClick={() => cells.decide(run, false)}>
          Reject
        </Button>
        <Button className="jp-mod-styled" small onClick={() => cells.showTarget(run)}>
          Show cell
        </Button>
      </div>
    </div>
  );
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

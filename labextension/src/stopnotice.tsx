import { Button } from '@jupyterlab/ui-components';
import type { Conversation } from './conversation';
import { useServices } from './context';

/** While a run that was asked to stop has not ended: that it stops, and what is left if its kernel does not react. */
export function StopNotice({ conversation }: { conversation: Conversation }): JSX.Element | null {
  const { store, actions } = useServices();
  const { stopping, kernelState } = store.state;
  if (!stopping || !conversation.run(stopping.run)) {
    return null;
  }
  const kernel = kernelState.toLowerCase();
  const ended = conversation.active?.run !== stopping.run;
  if (stopping.stuck && kernel.includes('restarting')) {
    return <Notice text="Restarting the kernel…" />;
  }
  if (ended ? !stopping.stuck || kernel !== 'busy' : !stopping.stuck) {
    return ended ? null : <Notice text="Stopping…" />;
  }
  return (
    <Notice text="The kernel does not react to the interrupt. A restart ends the code at once; variables are lost, cells stay.">
      <Button className="jp-mod-styled" small onClick={() => actions.restartKernel()}>
        Restart the kernel
      </Button>
    </Notice>
  );
}

function Notice({ text, children }: { text: string; children?: React.ReactNode }): JSX.Element {
  return (
    <div className="jp-Datarus-notice jp-Datarus-stopping" role="status">
      <div>{text}</div>
      {children}
    </div>
  );
}

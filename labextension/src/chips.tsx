import { Button, addIcon, closeIcon } from '@jupyterlab/ui-components';
import { useServices, useSignal } from './context';
import { shortCount, type IChip } from './chosen';
import type { Conversation } from './conversation';
import { count } from './format';

/** What goes with the question, what of the context window is used, and the last error as an offer. */
export function ChipRow({ conversation }: { conversation: Conversation }): JSX.Element | null {
  const { store, cells } = useServices();
  useSignal(conversation.chips.changed);
  useSignal(cells.changed);
  const chips = conversation.chips.all;
  const offered = cells.lastError(conversation.notebook);
  const offer = offered && !chips.some(chip => chip.id === offered.id) ? offered : null;
  const used = conversation.promptTokens + chips.reduce((sum, chip) => sum + chip.tokens, 0);
  const whole = store.state.engine?.context ?? null;
  if (chips.length === 0 && !offer && (used === 0 || whole === null)) {
    return null;
  }
  return (
    <div className="jp-Datarus-chips">
      <ul aria-label="Shown with the question">
        {chips.map(chip => (
          <Chip key={`${chip.kind} ${chip.id}`} chip={chip} conversation={conversation} />
        ))}
        {offer && (
          <li>
            <button
              className="jp-Datarus-offer"
              title={`Show the last error with the question: ${offer.detail}`}
              onClick={() => conversation.chips.add(offer)}
            >
              <addIcon.react tag="span" />
              <span className="jp-Datarus-chipName">last error</span>
            </button>
          </li>
        )}
      </ul>
      {used > 0 && <Meter used={used} whole={whole} />}
    </div>
  );
}

function Chip({ chip, conversation }: { chip: IChip; conversation: Conversation }): JSX.Element {
  const name = chip.kind === 'error' ? `error in ${chip.name}` : chip.name;
  const words = [`${name}, about ${count(chip.tokens)} tokens`, chip.detail];
  return (
    <li className="jp-Datarus-chip" title={words.filter(Boolean).join('\n')}>
      <span className="jp-Datarus-chipName">{name}</span>
      <span className="jp-Datarus-chipCost" aria-label={`about ${count(chip.tokens)} tokens`}>
        {shortCount(chip.tokens)}
      </span>
      <Button
        minimal
        small
        title={`Do not show ${name}`}
        aria-label={`Do not show ${name}`}
        onClick={() => conversation.chips.remove(chip)}
      >
        <closeIcon.react tag="span" />
      </Button>
    </li>
  );
}

function Meter({ used, whole }: { used: number; whole: number | null }): JSX.Element {
  const words =
    whole === null
      ? `About ${count(used)} tokens`
      : `About ${count(used)} of ${count(whole)} tokens`;
  return (
    <span
      className="jp-Datarus-meter"
      data-full={whole !== null && used > whole}
      title={`${words}: what the model was given last, and what you show`}
    >
      {whole === null ? `${shortCount(used)} tokens` : `${shortCount(used)}/${shortCount(whole)}`}
    </span>
  );
}

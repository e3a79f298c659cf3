import { useEffect, useLayoutEffect, useState } from 'react';
import { useServices } from './context';
import type { IChip } from './chosen';
import type { Conversation } from './conversation';
import { complete, fitting, mentionAt, type IMention } from './mention';

/** The list under an `@`, as the question box needs it. */
export interface IMentions {
  /** The list itself; null while there is none. */
  readonly list: JSX.Element | null;
  /** What the box tells assistive technology of the list. */
  readonly aria: React.AriaAttributes;
  /** Follow the text and the cursor. */
  follow(text: string, cursor: number): void;
  /** Whether the key was for the list. */
  onKeyDown(event: React.KeyboardEvent): boolean;
}

const LIST = 'jp-Datarus-mentions';

/** Completion of `@`: cells at once, files and variables as the server tells of them. */
export function useMentions(
  conversation: Conversation | null,
  text: string,
  onComplete: (text: string, cursor: number) => void
): IMentions {
  const [mention, setMention] = useState<IMention | null>(null);
  const [active, setActive] = useState(0);
  const candidates = useCandidates(mention !== null ? conversation : null);
  const shown = mention ? fitting(candidates, mention.query) : [];
  const at = Math.min(active, shown.length - 1);

  const open = shown.length > 0;
  // Escape stops the run elsewhere in the panel; here it closes the list.
  useLayoutEffect(() => {
    document.querySelector('.jp-Datarus')?.classList.toggle('jp-mod-completing', open);
  }, [open]);
  const choose = (chip: IChip) => {
    if (mention) {
      const done = complete(text, mention, chip.name);
      setMention(null);
      conversation?.chips.add(chip);
      onComplete(done.text, done.cursor);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent): boolean => {
    if (shown.length === 0 || event.nativeEvent.isComposing) {
      return false;
    }
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp':
        setActive((at + (event.key === 'ArrowDown' ? 1 : -1) + shown.length) % shown.length);
        break;
      case 'Enter':
      case 'Tab':
        choose(shown[at]);
        break;
      case 'Escape':
        setMention(null);
        break;
      default:
        return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const follow = (now: string, cursor: number) => {
    const found = mentionAt(now, cursor);
    if (found?.start !== mention?.start || found?.query !== mention?.query) {
      setActive(0);
    }
    setMention(found);
  };
  return {
    list: open ? <List shown={shown} at={at} choose={choose} /> : null,
    aria: open
      ? { 'aria-controls': LIST, 'aria-activedescendant': `${LIST}-${at}` }
      : { 'aria-autocomplete': 'list' },
    follow,
    onKeyDown
  };
}

function List({
  shown,
  at,
  choose
}: {
  shown: IChip[];
  at: number;
  choose: (chip: IChip) => void;
}): JSX.Element {
  return (
    <ul id={LIST} className={LIST} role="listbox" aria-label="What the question can show">
      {shown.map((chip, index) => (
        <li
          key={`${chip.kind} ${chip.id}`}
          id={`${LIST}-${index}`}
          role="option"
          aria-selected={index === at}
          // The box keeps the focus.
          onMouseDown={event => {
            event.preventDefault();
            choose(chip);
          }}
        >
          <span className="jp-Datarus-mentionName">{chip.name}</span>
          <span className="jp-Datarus-mentionDetail">{chip.detail}</span>
        </li>
      ))}
    </ul>
  );
}

/** What can be shown in a notebook; nothing while there is none. Asked for anew each time. */
function useCandidates(conversation: Conversation | null): readonly IChip[] {
  const { store, cells } = useServices();
  const [told, setTold] = useState<Record<'file' | 'variable', IChip[]>>({
    file: [],
    variable: []
  });
  useEffect(() => {
    let there = true;
    for (const kind of ['variable', 'file'] as const) {
      if (conversation) {
        store.attempt(
          store.client.attachable(kind, conversation.notebook).then(found => {
            if (there) {
              setTold(before => ({
                ...before,
                [kind]: found.map(one => ({ kind, id: one.name, ...one }))
              }));
            }
          })
        );
      }
    }
    return () => void (there = false);
  }, [store, conversation]);
  return conversation
    ? [...told.variable, ...told.file, ...cells.chips(conversation.notebook)]
    : [];
}

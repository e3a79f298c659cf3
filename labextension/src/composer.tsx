import { Button, HTMLSelect, runIcon, stopIcon } from '@jupyterlab/ui-components';
import { useLayoutEffect, useRef, useState } from 'react';
import { ChipRow } from './chips';
import type { Conversation } from './conversation';
import { useServices, useSignal } from './context';
import type { Mode } from './events';
import { useMentions } from './mentions';
import { MODES } from './modes';

/** The question box: Enter sends, Shift+Enter breaks the line, ↑ in an empty box recalls, @ completes. */
export function Composer({ conversation }: { conversation: Conversation | null }): JSX.Element {
  const { store, actions } = useServices();
  useSignal(conversation?.changed);
  const [text, setText] = useState(conversation?.draft ?? '');
  const write = (draft: string) => {
    setText(draft);
    if (conversation) {
      conversation.draft = draft;
    }
  };
  const box = useRef<HTMLTextAreaElement>(null);
  const recalled = useRef(0);
  const cursor = useRef<number | null>(null);
  const mentions = useMentions(conversation, text, (completed, at) => {
    cursor.current = at;
    write(completed);
  });
  const { allowed, engine } = store.state;
  const active = conversation?.active ?? null;
  const mode = active?.mode ?? store.state.mode;
  const missing = engine?.state === 'missing';
  const busy = conversation?.busy ?? false;
  const ready = conversation !== null && !busy && !missing && text.trim() !== '';

  useLayoutEffect(() => {
    if (box.current) {
      box.current.style.height = 'auto';
      // Where the panel is hidden there is nothing to measure.
      if (box.current.scrollHeight > 0) {
        box.current.style.height = `${box.current.scrollHeight + 2}px`;
      }
      if (cursor.current !== null) {
        box.current.setSelectionRange(cursor.current, cursor.current);
        cursor.current = null;
      }
    }
  }, [text]);

  const send = () => {
    if (!ready) {
      return;
    }
    write('');
    recalled.current = 0;
    void actions.ask(text.trim()).then(taken => {
      if (!taken && !conversation.draft) {
        write(text);
      }
    });
  };
  const recall = (by: number) => {
    const questions = [...new Set((conversation?.runs ?? []).map(run => run.question))];
    const at = Math.min(Math.max(recalled.current + by, 0), questions.length);
    recalled.current = at;
    write(at === 0 ? '' : questions[questions.length - at]);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (mentions.onKeyDown(event)) {
      return;
    }
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && (text === '' || recalled.current > 0)) {
      event.preventDefault();
      recall(1);
    } else if (event.key === 'ArrowDown' && recalled.current > 0) {
      event.preventDefault();
      recall(-1);
    }
  };
  const onChange = (event: React.ChangeEvent<HTMLTextAreaElement>) => {
    recalled.current = 0;
    write(event.target.value);
    mentions.follow(event.target.value, event.target.selectionStart);
  };
  return (
    <div className="jp-Datarus-composer">
      {conversation && <ChipRow conversation={conversation} />}
      {mentions.list}
      <textarea
        ref={box}
        {...mentions.aria}
        className="jp-Datarus-box jp-mod-styled"
        rows={2}
        value={text}
        disabled={conversation === null}
        placeholder={
          conversation ? 'Ask about this notebook’s data…' : 'Open a notebook to ask about its data'
        }
        aria-label="Question about this notebook’s data"
        onChange={onChange}
        onKeyDown={onKeyDown}
        onBlur={() => mentions.follow('', 0)}
      />
      <div className="jp-Datarus-controls">
        <HTMLSelect
          className="jp-Datarus-mode"
          aria-label="Who decides that code runs"
          title={MODES.find(one => one.value === mode)?.title}
          value={mode}
          onChange={event => actions.setMode(event.currentTarget.value as Mode)}
        >
          {MODES.filter(one => allowed.modes.includes(one.value)).map(one => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </HTMLSelect>
        {busy ? (
          <Button
            className="jp-Datarus-send"
            minimal
            title={
              active && store.state.stopping?.run === active.run
                ? 'Stopping… Press again to restart'
                : 'Stop this run (Esc)'
            }
            aria-label="Stop"
            onClick={() => actions.stop()}
          >
            <stopIcon.react tag="span" />
          </Button>
        ) : (
          <Button
            className="jp-Datarus-send"
            minimal
            title={missing ? 'Download the model first' : 'Ask (Enter)'}
            aria-label="Ask"
            disabled={!ready}
            onClick={send}
          >
            <runIcon.react tag="span" />
          </Button>
        )}
      </div>
    </div>
  );
}

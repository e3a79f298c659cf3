import { useEffect, useRef } from 'react';
import type { Conversation } from './conversation';
import { runId, useServices, useSignal } from './context';
import { AskingView, RunView } from './runview';

/** Within this distance of its end, in pixels, the list counts as being at its end. */
const SLACK = 24;

/** All runs of a notebook, oldest first. It follows new text only while it is at its end. */
export function RunList({ conversation }: { conversation: Conversation }): JSX.Element {
  const { store } = useServices();
  useSignal(conversation.changed);
  const list = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const [outer, inner] = [list.current, content.current];
    if (!outer || !inner) {
      return;
    }
    const follow = () => {
      atEnd.current ||= outer.scrollHeight <= outer.clientHeight;
      if (atEnd.current) {
        outer.scrollTop = outer.scrollHeight;
      }
    };
    const observer = new ResizeObserver(follow);
    observer.observe(inner);
    observer.observe(outer);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const { wanted } = store.state;
    if (wanted !== null && conversation.run(wanted)) {
      atEnd.current = false;
      document.getElementById(runId(wanted))?.scrollIntoView({ block: 'start' });
      store.set({ wanted: null });
    }
  });
  const onScroll = () => {
    const outer = list.current;
    if (outer) {
      atEnd.current = outer.scrollHeight - outer.scrollTop - outer.clientHeight < SLACK;
    }
  };
  return (
    <div
      className="jp-Datarus-list"
      ref={list}
      onScroll={onScroll}
      // What the user opens grows in its place, it is no new text.
      onClickCapture={() => (atEnd.current = false)}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Conversation"
    >
      <div ref={content}>
        {conversation.runs.map(run => (
          <RunView key={run.run} run={run} />
        ))}
        {conversation.asking && <AskingView asking={conversation.asking} />}
      </div>
    </div>
  );
}

import { cards, title, type IRun } from './chat';

/**
 * What a screen reader is told when a run goes from `before` to `after`: step starts, errors, approvals, the answer.
 * Streamed text is not told, it would never be quiet. '' if there is nothing to say.
 */
export function announcement(before: IRun | undefined, after: IRun): string {
  if (after.state === 'finished' && before?.state !== 'finished') {
    return after.answer ? `Answer: ${after.answer}` : after.message;
  }
  const step = cards(after).at(-1);
  const old = step && before?.steps.find(one => one.number === step.number);
  if (!step || old?.state === step.state) {
    return '';
  }
  switch (step.state) {
    case 'waiting':
      return `Step ${step.number} waits for your approval. ${(step.approval?.reasons ?? []).join(' ')}`;
    case 'running':
      return `Step ${step.number} runs: ${title(step)}`;
    case 'error':
    case 'timeout':
    case 'dead':
      return `Step ${step.number} failed. ${step.error}`;
    default:
      return '';
  }
}

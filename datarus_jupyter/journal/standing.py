"""What of a run still stands: its events but for those that a ``Reverted`` after them made void. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from datarus_jupyter.journal import events as ev

_WORK = (
    ev.StepOpened,
    ev.Text,
    ev.StepClosed,
    ev.Reply,
    ev.Usage,
    ev.ReplyDiscarded,
    ev.ApprovalRequested,
    ev.ApprovalDecided,
    ev.ExecutionStarted,
    ev.Output,
    ev.OutputsCleared,
    ev.ExecutionFinished,
    ev.Observation,
    ev.Reminder,
    ev.Grounding,
    ev.Proposed,
)
"""What the agent itself writes under a step's number."""
_OF_A_STEP = (*_WORK, ev.UserEdited)


def standing(events: Iterable[ev.Event]) -> list[ev.Event]:
    """The events that still count, in their order: what was reverted is left out, and so is ``Reverted`` itself."""
    kept: list[ev.Event] = []
    for event in events:
        if isinstance(event, ev.Reverted):
            kept = [one for one in kept if not _void(one, event.step)]
        else:
            kept.append(event)
    return kept


def _void(event: ev.Event, step: int) -> bool:
    if isinstance(event, ev.RunFinished) or (isinstance(event, ev.Text) and event.channel == "answer"):
        return True  # an answer comes after all steps
    if isinstance(event, ev.Reminder) and event.reason == "kernel":
        return event.step > step  # said before the step began, and still true
    return isinstance(event, _OF_A_STEP) and event.step >= step


def steps_of(events: Iterable[ev.Event]) -> set[int]:
    """The numbers of the steps on which the agent has worked, the answer's among them."""
    return {event.step for event in events if isinstance(event, _WORK)}


def next_step(events: Iterable[ev.Event]) -> int:
    """The first number that no step has had, of those that were reverted neither."""
    return max(steps_of(events), default=0) + 1

"""Where a run goes on: read from its journal alone, whatever it was cut off at. Pure but for a look at the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from datarus_jupyter.agent.interfaces import Executed, Kernel, Question
from datarus_jupyter.agent.turn import Turn, turn_of
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import sha256
from datarus_jupyter.journal.standing import next_step, standing, steps_of
from datarus_jupyter.protocol.prompts import PROFILES, Profile, step_turn
from datarus_jupyter.protocol.tags import render_code

Kind = TypeVar("Kind", bound=ev.Event)

CUT = "The run was cut off in mid-reply: the model is asked again."
LOST = "The run was cut off while this code ran, so how it ended is not known."
OTHER_KERNEL = (
    "The kernel was started anew since then: variables, imports and data of the steps so far may be gone. "
    "Load again what you need before you use it."
)
_LOOK = "print(get_ipython().execution_count)"
_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the loop: step ``step``, and what of it is there already.

    With ``turn`` the reply is there, with ``decision`` the user's word on its code, with ``executed`` the code's end.
    ``mend`` are the events that make the journal whole before it goes on.
    """

    step: int
    turn: Turn | None = None
    decision: ev.ApprovalDecided | None = None
    executed: Executed | None = None
    mend: tuple[ev.Event, ...] = ()


def where(events: Sequence[ev.Event]) -> Point:
    """The place at which a run goes on that has these events, complete or cut off after any of them."""
    there = standing(events)
    step = max(steps_of(there), default=0)
    work = [event for event in there if getattr(event, "step", None) == step]
    spoken = _last(work, ev.Reply, ev.Reminder)
    if not step or _last(work, ev.Observation):
        return Point(next_step(events))
    if any(isinstance(event, ev.Reminder) and event.reason == "bound" for event in work):
        # The model was told to end; the run goes on, so that was never said.
        return Point(next_step(events), mend=(ev.Reverted(step=step),))
    if isinstance(spoken, ev.Reply):
        return _after_reply(step, turn_of(spoken), work)
    discarded = _last(work, ev.ReplyDiscarded, ev.Reminder)
    half = _last(work, ev.StepOpened, ev.Text, ev.StepClosed)
    cut = half is not None and (discarded is None or discarded.seq < half.seq)
    return Point(step, mend=(ev.ReplyDiscarded(step=step, reason=CUT),) if cut else ())


def _after_reply(step: int, turn: Turn, work: Sequence[ev.Event]) -> Point:
    decision = _last(work, ev.ApprovalDecided)
    if isinstance(decision, ev.ApprovalDecided) and decision.sha256 != sha256(turn.code or ""):
        decision = None
    point = Point(step, turn, decision if isinstance(decision, ev.ApprovalDecided) else None)
    finished = _last(work, ev.ExecutionFinished)
    if isinstance(finished, ev.ExecutionFinished):
        return replace(point, executed=_executed(finished))
    if _last(work, ev.ExecutionStarted):
        lost = ev.ExecutionFinished(step=step, status="interrupted", error=LOST)
        return replace(point, executed=_executed(lost), mend=(lost,))
    return point


def _executed(event: ev.ExecutionFinished) -> Executed:
    return Executed(event.status, event.count, event.seconds, event.error)


def _last(events: Sequence[ev.Event], *kinds: type[ev.Event]) -> ev.Event | None:
    return next((event for event in reversed(events) if isinstance(event, kinds)), None)


def rewritten(step: int, thought: str, code: str, profile: Profile) -> Point:
    """A step that the user wrote in place of one of the model's: it stands as the model's own turn and may run."""
    digest = sha256(code)
    decision = ev.ApprovalDecided(step=step, verdict="approved", sha256=digest)
    mend: tuple[ev.Event, ...] = (
        ev.StepOpened(step=step),
        *([ev.Text(step=step, channel="thought", delta=thought)] if thought else []),
        ev.Text(step=step, channel="code", delta=code),
        ev.StepClosed(step=step, code=code, sha256=digest),
        ev.Reply(step=step, text=step_turn(profile, render_code(thought, code)), finish="user"),
        decision,
    )
    return Point(step, Turn(code=code, thought=thought), decision, mend=mend)


def question_of(events: Sequence[ev.Event]) -> Question:
    """The question of a run, as it was asked."""
    started = events[0]
    assert isinstance(started, ev.RunStarted), "a journal begins with the run's start"
    return Question(
        started.question,
        started.context,
        started.notebook,
        started.anchor,
        attached=started.attached,
        target=started.target,
    )


def engine_of(events: Sequence[ev.Event]) -> str:
    """The name of the engine that the run was asked of."""
    return next((event.engine for event in events if isinstance(event, ev.RunStarted)), "")


def mode_of(events: Sequence[ev.Event]) -> ev.Mode:
    """Who decided last that code runs."""
    return next((event.mode for event in reversed(events) if isinstance(event, ev.ModeChanged | ev.RunStarted)), "ask")


def profile_of(events: Sequence[ev.Event]) -> Profile | None:
    """How the model was addressed so far; None where that is a profile which is not known any more."""
    started = events[0]
    return PROFILES.get(started.profile) if isinstance(started, ev.RunStarted) else None


async def lost(kernel: Kernel, events: Sequence[ev.Event]) -> bool:
    """Whether what the steps so far have left in the kernel may be gone, and the model has not been told yet."""
    used, count, died, told = None, 0, False, False
    current = None
    for event in standing(events):
        match event:
            case ev.RunStarted(kernel=name):
                used = current = name
            case ev.RunResumed(kernel=name):
                current = name
            case ev.ExecutionFinished(count=number, status=status):
                used, count, died, told = current, number or count, status == "dead", False
            case ev.Reminder(reason="kernel"):
                told = True
    if told or used is None:
        return False
    if died or used != kernel.id:
        return True
    # A kernel that was restarted keeps its id and counts anew.
    shown = (await kernel.evaluate(_LOOK, timeout=_LOOK_SECONDS)).strip()
    return shown.isdigit() and int(shown) <= count

"""Going back: what a ``Reverted`` takes away, and that it takes away nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import runs
from test_folds import stamped

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.messages import MessagesFold
from datarus_jupyter.journal.standing import next_step, standing, steps_of
from datarus_jupyter.journal.summary import SummaryFold

STARTED = ev.RunStarted(
    question="?", prompt=[ev.Message("user", "?")], engine="", model="", profile="", notebook="a.ipynb"
)


def step(number: int, status: ev.ExecutionStatus = "ok") -> Iterator[ev.Event]:
    """One step as the agent writes it."""
    yield ev.StepOpened(step=number)
    yield ev.Text(step=number, channel="thought", delta=f"thought {number}")
    yield ev.Text(step=number, channel="code", delta=f"code({number})")
    yield ev.StepClosed(step=number, code=f"code({number})", sha256="")
    yield ev.Reply(step=number, text=f"reply {number}")
    yield ev.ExecutionStarted(step=number)
    yield ev.ExecutionFinished(step=number, status=status, count=number)
    yield ev.Observation(step=number, text=f"observation {number}")


def answer(number: int) -> Iterator[ev.Event]:
    yield ev.Text(step=number, channel="answer", delta="42.")
    yield ev.Reply(step=number, text="42.")
    yield ev.Grounding(step=number, claims=[])
    yield ev.RunFinished(reason="answered", answer="42.")


def run(*more: ev.Event) -> list[ev.Event]:
    """Three steps, of which the second fails, and an answer."""
    return stamped([STARTED, *step(1), *step(2, "error"), *step(3), *answer(4), *more])


def ids(events: list[ev.Event]) -> list[str]:
    return [cell["id"].removeprefix("datarus-run-") for cell in CellsFold.of(events).cells]


def contents(events: list[ev.Event]) -> list[str]:
    return [message.content for message in MessagesFold.of(events).messages]


def test_going_back_takes_the_steps_from_there_on_and_the_answer() -> None:
    events = run(ev.Reverted(step=2))
    assert ids(events) == ["1-thought", "1-code"]
    assert contents(events) == ["?", "reply 1", "observation 1"]
    summary = SummaryFold.of(events).summary
    assert (summary.steps, summary.errors, summary.answer, summary.reason) == (1, 0, "", "reverted")


def test_going_back_to_the_first_step_leaves_the_question_alone() -> None:
    events = run(ev.Reverted(step=1))
    assert ids(events) == []
    assert contents(events) == ["?"]
    assert standing(events) == events[:1]


def test_going_back_to_the_answer_takes_only_the_answer() -> None:
    events = run(ev.Reverted(step=4))
    assert ids(events)[-1] == "3-code"
    assert contents(events)[-1] == "observation 3"


def test_the_run_goes_on_under_new_numbers_and_can_go_back_again() -> None:
    back = [ev.Reverted(step=2), ev.RunResumed()]
    again = run(*back, *step(5), *step(6), *answer(7))
    assert ids(again)[2:] == ["5-thought", "5-code", "6-thought", "6-code", "7-answer"]
    assert steps_of(standing(again)) == {1, 5, 6, 7}
    assert (next_step(again), SummaryFold.of(again).summary.reason) == (8, "answered")
    twice = run(*back, *step(5), *step(6), *answer(7), ev.Reverted(step=5))
    assert ids(twice) == ["1-thought", "1-code"]
    assert next_step(twice) == 8


def test_what_was_said_of_a_reply_goes_with_it() -> None:
    asked_again = [
        ev.ReplyDiscarded(step=4, reason="no figure"),
        ev.Reminder(step=4, reason="unfinished", text="Draw it."),
        ev.Reply(step=4, text="43."),
    ]
    assert contents(run(*asked_again, ev.Reverted(step=4)))[-1] == "observation 3"


def test_a_reminder_goes_on_in_our_own_last_message_and_leaves_it_again() -> None:
    last_word = [*step(1), ev.Reminder(step=2, reason="bound", text="End now."), ev.Reply(step=2, text="42.")]
    assert contents(stamped([STARTED, *last_word]))[-2:] == ["observation 1\n\nEnd now.", "42."]
    assert contents(stamped([STARTED, *last_word, ev.Reverted(step=2)]))[-1] == "observation 1"


def test_that_the_kernel_is_another_one_stays_said() -> None:
    lost = ev.Reminder(step=2, reason="kernel", text="Variables are gone.")
    events = stamped([STARTED, *step(1), lost, *step(2), ev.Reverted(step=2)])
    assert contents(events)[-1] == "observation 1\n\nVariables are gone."


def test_the_cells_that_the_user_edited_are_known() -> None:
    def edit(step: int, source: str) -> ev.UserEdited:
        return ev.UserEdited(step=step, cell=f"datarus-run-{step}-code", source=source, sha256="")

    cells = CellsFold.of(run(edit(1, "mine"), edit(2, "mine"), edit(3, "code(3)")))
    assert cells.edited(2) == ["datarus-run-2-code"]
    assert cells.edited(1) == ["datarus-run-1-code", "datarus-run-2-code"]


def test_the_seconds_are_those_under_way() -> None:
    events = run(ev.Reverted(step=4), ev.RunResumed(), *answer(5))
    finished = [event.seq for event in events if isinstance(event, ev.RunFinished)]
    for event in events:
        event.ts = float(event.seq) + (1000 if event.seq > finished[0] + 1 else 0)
    assert SummaryFold.of(events).summary.seconds == finished[0] + finished[1] - (finished[0] + 2)


@settings(max_examples=200)
@given(runs().map(stamped))
def test_the_cells_are_those_of_what_stands(events: list[ev.Event]) -> None:
    assert CellsFold.of(events).cells == CellsFold.of(standing(events)).cells


@st.composite
def grown(draw: st.DrawFn) -> list[ev.Event]:
    """A run as the agent writes it, with reminders, that is taken back now and then."""
    events: list[ev.Event] = [STARTED]
    numbers = itertools.count(1)
    for what in draw(st.lists(st.sampled_from(["step", "step", "reminded", "kernel", "back"]), max_size=12)):
        if what == "back" and (there := steps_of(standing(events))):
            events.append(ev.Reverted(step=draw(st.sampled_from(sorted(there)))))
        elif what == "kernel":
            events.append(ev.Reminder(step=next_step(events), reason="kernel", text="another"))
        elif what != "back":
            number = next(numbers)
            if what == "reminded":
                events += [ev.Reply(step=number, text="?"), ev.Reminder(step=number, reason="format", text="form")]
            events += step(number)
    return stamped(events)


@settings(max_examples=200)
@given(grown())
def test_going_back_shortens_the_messages_to_what_they_were(events: list[ev.Event]) -> None:
    fold, before = MessagesFold(), ""
    for event in events:
        fold.apply(event)
        said = "\n\n".join(message.content for message in fold.messages)
        assert before.startswith(said) if isinstance(event, ev.Reverted) else said.startswith(before)
        before = said
        roles = [message.role for message in fold.messages]
        assert all(a != b for a, b in itertools.pairwise(roles))
    assert len({id(message) for message in fold.messages}) == len(fold.messages)

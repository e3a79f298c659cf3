"""Going on: a journal cut off after any of its events comes to an answer, and steps can be taken back and done anew."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from test_loop import answer, step

from datarus_jupyter.agent.interfaces import Limits, Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.agent.resume import LOST, OTHER_KERNEL, Point, lost, mode_of, where
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold, sha256
from datarus_jupyter.journal.log import RunLog, read
from datarus_jupyter.journal.messages import MessagesFold
from datarus_jupyter.journal.standing import standing, steps_of
from datarus_jupyter.kernels.channel import KernelChannel, Waits
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.prompts import DATARUS, GENERAL, Profile

REPLIES = [
    step("print(y)", "Print y."),
    "No step at all.",
    step("y = 5076\nprint(y)", "Define it."),
    answer("It is 5,077."),
    answer("It is 5,076."),
]


class Willing:
    """An approver that changes the first code and approves the rest."""

    def __init__(self) -> None:
        self.asked = 0

    async def decide(self, request: ev.ApprovalRequested, code: str) -> ev.ApprovalDecided:
        self.asked += 1
        edited = f"{code}  # seen" if self.asked == 1 else None
        verdict: ev.Verdict = "edited" if edited else "approved"
        return ev.ApprovalDecided(step=request.step, verdict=verdict, sha256=request.sha256, code=edited)


@asynccontextmanager
async def recorded(folder: Path, profile: Profile, mode: ev.Mode) -> AsyncIterator[tuple[Path, KernelChannel]]:
    """The journal of a run that meets an error, a reminder of the form and one of an unfounded number; its kernel."""
    async with own_kernel(folder) as kernel:
        with RunLog(folder / "whole.jsonl") as log:
            engine = ScriptedEngine(REPLIES)
            agent = Agent(engine, kernel, log, profile=profile, approver=Willing(), mode=mode)
            assert (await agent.run(Question("What is y?"))).answer == "It is 5,076."
        yield log.path, kernel


async def resumed(
    path: Path,
    kernel: KernelChannel,
    replies: Sequence[str] = (answer("It is 5,076."),) * 3,
    step: int | None = None,
    code: str | None = None,
    profile: Profile = GENERAL,
    mode: ev.Mode = "auto",
    limits: Limits | None = None,
) -> tuple[list[ev.Event], ScriptedEngine]:
    """Go on from the journal; its events then, and the engine that was asked."""
    engine = ScriptedEngine(replies)
    with RunLog(path) as log:
        agent = Agent(engine, kernel, log, profile=profile, approver=Willing(), mode=mode, limits=limits)
        await agent.resume(step, code)
        return log.events, engine


def cut(whole: Path, count: int, name: str) -> Path:
    """The journal's first ``count`` events, as the next server finds it."""
    lines = whole.read_bytes().splitlines(keepends=True)
    path = whole.parent / name / whole.name
    path.parent.mkdir()
    path.write_bytes(b"".join(lines[:count]))
    with RunLog(path) as log:
        log.append(ev.RunInterrupted(reason="The server ended."))
    return path


def roles(messages: Sequence[ev.Message]) -> list[str]:
    return [message.role for message in messages]


def alternate(messages: Sequence[ev.Message]) -> bool:
    """Whether the roles do, as chat templates want it, from the first message after the system's."""
    wanted = itertools.cycle(["user", "assistant"])
    return roles(messages)[0] == "system" and all(a == b for a, b in zip(roles(messages)[1:], wanted, strict=False))


def check(events: Sequence[ev.Event], engine: ScriptedEngine, before: int) -> None:
    end = events[-1]
    assert isinstance(end, ev.RunFinished)
    assert (end.reason, end.answer) == ("answered", "It is 5,076.")
    cells = CellsFold.of(events).cells
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert [cell["source"] for cell in cells].count("It is 5,076.") == 1
    assert all(alternate(call) and call[-1].role == "user" for call in engine.script.calls)
    assert alternate(MessagesFold.of(events).messages)
    executed = [event.step for event in events if isinstance(event, ev.ExecutionStarted)]
    assert len(executed) == len(set(executed))
    assert sum(isinstance(event, ev.RunResumed) for event in events[before:]) == 1


@pytest.mark.parametrize(("profile", "mode"), [(GENERAL, "ask"), (DATARUS, "auto")])
async def test_a_journal_cut_off_after_any_event_comes_to_an_answer(
    tmp_path: Path, profile: Profile, mode: ev.Mode
) -> None:
    async with recorded(tmp_path, profile, mode) as (whole, kernel):
        events = read(whole)
        for count in range(1, len(events)):
            path = cut(whole, count, f"cut-{count}")
            after, engine = await resumed(path, kernel, profile=profile, mode=mode)
            check(after, engine, count)
            done = [event for event in events[:count] if isinstance(event, ev.ExecutionFinished)]
            assert [e for e in after[:count] if isinstance(e, ev.ExecutionFinished)] == done


async def test_what_was_decided_is_not_asked_again(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "ask") as (whole, kernel):
        events = read(whole)
        decided = next(event for event in events if isinstance(event, ev.ApprovalDecided))
        after, _ = await resumed(cut(whole, decided.seq + 1, "decided"), kernel, mode="ask")
        assert [e.step for e in after if isinstance(e, ev.ApprovalRequested)] == [1]
        assert CellsFold.of(after).code(1) == "print(y)  # seen"
        asked, _ = await resumed(cut(whole, decided.seq, "asked"), kernel, mode="ask")
        assert [e.step for e in asked if isinstance(e, ev.ApprovalRequested)] == [1, 1]


async def test_a_cell_of_which_nobody_saw_the_end_is_said_to_be_cut_off_and_not_run_again(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "auto") as (whole, kernel):
        started = [event for event in read(whole) if isinstance(event, ev.ExecutionStarted)]
        after, engine = await resumed(cut(whole, started[1].seq + 1, "started"), kernel)
        ended = [event for event in after if isinstance(event, ev.ExecutionFinished)]
        assert [event.status for event in ended] == ["error", "interrupted"]
        assert LOST in engine.script.calls[0][-1].content


async def test_half_a_reply_is_discarded_and_asked_for_again(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "auto") as (whole, kernel):
        text = next(event for event in read(whole) if isinstance(event, ev.Text) and event.channel == "code")
        path = cut(whole, text.seq + 1, "half")
        after, _ = await resumed(path, kernel, [step("print(5076)", "Again."), answer("It is 5,076.")])
        assert [e.step for e in after if isinstance(e, ev.ReplyDiscarded)] == [1]
        assert [cell["source"] for cell in CellsFold.of(after).cells][:2] == ["Again.", "print(5076)"]


async def test_a_step_is_tried_again_under_a_new_number(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "auto") as (whole, kernel):
        before = read(whole)
        observed = next(event for event in before if isinstance(event, ev.Observation))
        replies = [step("print(y + 0)", "Another way."), answer("It is 5,076.")]
        after, engine = await resumed(whole, kernel, replies, step=2)
        assert steps_of(standing(after)) == {1, 4, 5}
        assert [*engine.script.calls[0]] == MessagesFold.of(before[: observed.seq + 1]).messages
        sources = [cell["source"] for cell in CellsFold.of(after).cells]
        assert sources == ["Print y.", "print(y)", "Another way.", "print(y + 0)", "All done.", "It is 5,076."]
        check(after, engine, len(before))


async def test_the_answer_is_written_anew(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "auto") as (whole, kernel):
        before = read(whole)
        after, engine = await resumed(whole, kernel, step=3)
        check(after, engine, len(before))
        assert len(engine.script.calls) == 1
        assert CellsFold.of(after).cells[-1]["metadata"]["datarus"]["step"] == 4


async def test_the_users_code_runs_in_a_steps_place_without_being_asked_for(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "auto") as (whole, kernel):
        mine = "y = 5076\nprint('mine', y)"
        after, engine = await resumed(whole, kernel, step=1, code=mine, mode="ask")
        sources = [cell["source"] for cell in CellsFold.of(after).cells]
        assert sources[:2] == ["Print y.", mine]
        turn, observed = engine.script.calls[0][-2:]
        assert mine in turn.content
        assert "mine 5076" in observed.content
        decided = [event for event in after if isinstance(event, ev.ApprovalDecided)]
        assert [(event.who, event.sha256, event.verdict) for event in decided] == [("user", sha256(mine), "approved")]
        assert not [event for event in after if isinstance(event, ev.ApprovalRequested)]


async def test_the_kept_cells_are_named(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "auto") as (whole, kernel):
        with RunLog(whole) as log:
            cell = f"datarus-{log.run}-2-code"
            log.append(ev.UserEdited(step=2, cell=cell, source="mine", sha256=sha256("mine")))
        after, _ = await resumed(whole, kernel, step=2)
        assert [event.kept for event in after if isinstance(event, ev.Reverted)] == [[cell]]


async def test_the_model_is_told_once_that_the_kernel_is_another_one(tmp_path: Path) -> None:
    async with recorded(tmp_path, GENERAL, "auto") as (whole, kernel):
        events = read(whole)
        observed = next(event for event in events if isinstance(event, ev.Observation))
        _, engine = await resumed(cut(whole, observed.seq + 1, "same"), kernel)
        assert OTHER_KERNEL not in engine.script.calls[0][-1].content
    async with own_kernel(tmp_path) as other:
        path = cut(whole, observed.seq + 1, "other")
        after, engine = await resumed(path, other)
        assert engine.script.calls[0][-1].content.endswith(OTHER_KERNEL)
        check(after, engine, observed.seq + 1)
        _, engine = await resumed(path, other, step=2)
        assert engine.script.calls[0][-1].content.count(OTHER_KERNEL) == 1


async def test_a_restarted_kernel_is_another_one(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        with RunLog(tmp_path / "run.jsonl") as log:
            await Agent(ScriptedEngine([step("print(1)"), step("print(2)"), answer()]), kernel, log).run(Question("?"))
        _, engine = await resumed(log.path, kernel, [answer("2.")], step=3)
        assert OTHER_KERNEL not in engine.script.calls[0][-1].content
        assert await kernel.evaluate("get_ipython().execution_count = 1\nprint('anew')", timeout=10) == "anew\n"
        _, engine = await resumed(log.path, kernel, [answer("2.")], step=4)
        assert OTHER_KERNEL in engine.script.calls[0][-1].content


async def test_a_kernel_that_died_is_another_one_also_before_it_is_back(tmp_path: Path) -> None:
    async with own_kernel(tmp_path, waits=Waits(back=0.1)) as kernel:
        with RunLog(tmp_path / "run.jsonl") as log:
            engine = ScriptedEngine([step("print(1)"), step("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")])
            assert (await Agent(engine, kernel, log).run(Question("?"))).reason == "kernel"
        assert await lost(kernel, log.events)
        told = ev.Reminder(step=3, reason="kernel", text=OTHER_KERNEL)
        assert not await lost(kernel, [*log.events, told])


async def test_a_run_that_a_bound_ended_goes_on_as_though_it_had_not(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        with RunLog(tmp_path / "run.jsonl") as log:
            engine = ScriptedEngine([step("print(1)"), "So far it is 1."])
            end = await Agent(engine, kernel, log, limits=Limits(steps=1)).run(Question("?"))
            assert (end.reason, end.answer) == ("steps", "So far it is 1.")
        assert [cell["id"][-8:] for cell in CellsFold.of(log.events).cells][-1] == "2-answer"
        replies = [step("print(5076)"), answer("It is 5,076.")]
        after, engine = await resumed(log.path, kernel, replies, limits=Limits(steps=2))
        assert "No more code" not in engine.script.calls[0][-1].content
        check(after, engine, 0)
        assert "So far it is 1." not in [cell["source"] for cell in CellsFold.of(after).cells]


def test_the_mode_is_the_last_one_that_was_set() -> None:
    started = ev.RunStarted(question="?", prompt=[], engine="", model="", profile="", mode="ask")
    assert mode_of([started]) == "ask"
    assert mode_of([started, ev.ModeChanged(mode="auto"), ev.StepOpened(step=1)]) == "auto"


def test_a_run_that_has_done_nothing_goes_on_with_its_first_step() -> None:
    started = ev.RunStarted(question="?", prompt=[], engine="", model="", profile="")
    assert where([started]) == Point(1)
    assert where([started, ev.StepOpened(step=1), ev.Reverted(step=1)]) == Point(2)

"""Who decides that code runs: each mode, the scan, a switch in mid-wait; on a scripted engine and a real kernel."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from datarus_jupyter.agent.approval import NOBODY, SEE_ALL, Approval, Belongings, executed
from datarus_jupyter.agent.context import user_names
from datarus_jupyter.agent.interfaces import Approver, Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.agent.record import Record
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import sha256
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.tags import render_answer, render_step
from tests.patience import PATIENCE

HARMLESS = "print(6 * 7)"
RISKY = "import os\nos.remove('made.csv')"


@dataclass
class Silent:
    """A user who has not answered yet; ``asked`` is set when they are."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def decide(self, request: ev.ApprovalRequested, code: str) -> ev.ApprovalDecided:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        raise AssertionError("nobody answers")


@dataclass
class Answers:
    """A user who gives these hashes and verdicts, one for each time they are asked."""

    given: list[tuple[str, ev.Verdict]]

    async def decide(self, request: ev.ApprovalRequested, code: str) -> ev.ApprovalDecided:
        digest, verdict = self.given.pop(0)
        return ev.ApprovalDecided(step=request.step, verdict=verdict, sha256=digest)


def approval(log: RunLog, mode: ev.Mode, approver: Approver | None = None, users: Belongings | None = None) -> Approval:
    return Approval(Record(log), approver, mode, users or Belongings())


def requests(log: RunLog) -> list[ev.ApprovalRequested]:
    return [event for event in log.events if isinstance(event, ev.ApprovalRequested)]


async def within(awaited: asyncio.Future[ev.ApprovalDecided] | asyncio.Task[ev.ApprovalDecided]) -> ev.ApprovalDecided:
    return await asyncio.wait_for(awaited, PATIENCE)


async def test_what_nobody_needs_to_see_runs(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run.jsonl") as log:
        decision = await approval(log, "ask_if_risky").decide(1, HARMLESS)
        assert (decision.verdict, decision.who, decision.sha256) == ("approved", "risk scan", sha256(HARMLESS))
        assert log.events == [decision]
        assert (await approval(log, "auto").decide(2, RISKY)).verdict == "approved"
        assert (await approval(log, "plan").decide(3, HARMLESS)).verdict == "rejected"
        assert log.events == [decision]


async def test_the_reasons_are_those_of_the_scan(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run.jsonl") as log:
        verdicts = Answers([(sha256(RISKY), "approved")] * 2 + [(sha256(HARMLESS), "rejected")])
        await approval(log, "ask_if_risky", verdicts).decide(1, RISKY)
        await approval(log, "ask", verdicts).decide(2, RISKY)
        await approval(log, "ask", verdicts).decide(3, HARMLESS)
        deletes = "line 2 deletes or moves files: os.remove"
        assert [request.reasons for request in requests(log)] == [[deletes], [SEE_ALL, deletes], [SEE_ALL]]


async def test_many_reasons_are_cut_short(tmp_path: Path) -> None:
    code = "import os\n" + "\n".join(f"os.remove('{number}')" for number in range(30))
    with RunLog(tmp_path / "run.jsonl") as log:
        await approval(log, "ask_if_risky", Answers([(sha256(code), "approved")])).decide(1, code)
        (request,) = requests(log)
        assert len(request.reasons) == 11
        assert request.reasons[-1] == "and 20 more"


async def test_a_verdict_on_other_code_is_none_on_this(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run.jsonl") as log:
        verdicts = Answers([(sha256(HARMLESS), "approved"), (sha256(RISKY), "rejected")])
        decision = await approval(log, "ask_if_risky", verdicts).decide(1, RISKY)
        assert decision.verdict == "rejected"
        assert [request.sha256 for request in requests(log)] == [sha256(RISKY)] * 2
        assert [event for event in log.events if isinstance(event, ev.ApprovalDecided)] == [decision]


async def test_where_nobody_can_be_asked_the_answer_is_no(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run.jsonl") as log:
        decision = await approval(log, "ask_if_risky").decide(1, RISKY)
        assert (decision.verdict, decision.comment) == ("rejected", NOBODY)


@pytest.mark.parametrize(
    ("begin", "code", "mode", "verdict"),
    [
        ("ask", RISKY, "auto", "approved"),
        ("ask", HARMLESS, "ask_if_risky", "approved"),
        ("ask_if_risky", RISKY, "auto", "approved"),
        ("ask_if_risky", RISKY, "plan", "rejected"),
    ],
)
async def test_another_mode_decides_what_waits(
    tmp_path: Path, begin: ev.Mode, code: str, mode: ev.Mode, verdict: str
) -> None:
    user = Silent()
    with RunLog(tmp_path / "run.jsonl") as log:
        decides = approval(log, begin, user)
        waiting = asyncio.create_task(decides.decide(1, code))
        await asyncio.wait_for(user.asked.wait(), PATIENCE)
        decides.switch(mode)
        decision = await within(waiting)
        assert (decision.verdict, decision.who) == (verdict, "mode")
        assert user.left.is_set()
        kinds = [type(event) for event in log.events]
        assert kinds == [ev.ApprovalRequested, ev.ModeChanged, ev.ApprovalDecided]
        assert decides.mode == mode


async def test_a_mode_that_would_ask_too_leaves_it_waiting(tmp_path: Path) -> None:
    user = Silent()
    with RunLog(tmp_path / "run.jsonl") as log:
        decides = approval(log, "ask", user)
        waiting = asyncio.create_task(decides.decide(1, RISKY))
        await asyncio.wait_for(user.asked.wait(), PATIENCE)
        decides.switch("ask_if_risky")
        decides.switch("ask_if_risky")
        assert sum(isinstance(event, ev.ModeChanged) for event in log.events) == 1
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        assert user.left.is_set()
        assert not any(isinstance(event, ev.ApprovalDecided) for event in log.events)


async def test_a_mode_does_not_run_the_code_that_the_user_has_changed_meanwhile(tmp_path: Path) -> None:
    user = Silent()
    with RunLog(tmp_path / "run.jsonl") as log:
        decides = approval(log, "ask", user)
        waiting = asyncio.create_task(decides.decide(1, HARMLESS))
        await asyncio.wait_for(user.asked.wait(), PATIENCE)
        log.append(ev.UserEdited(step=1, cell="datarus-run-1-code", source="print(1)", sha256=sha256("print(1)")))
        decides.switch("auto")
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        decides.switch("plan")
        assert (await within(waiting)).verdict == "rejected"


def test_only_what_ran_is_the_runs_own() -> None:
    events: list[ev.Event] = [
        ev.StepClosed(step=1, code="a = 1", sha256=""),
        ev.ApprovalDecided(step=1, verdict="edited", sha256="", code="b = 1"),
        ev.ExecutionStarted(step=1),
        ev.StepClosed(step=2, code="df = 1", sha256=""),
        ev.ApprovalDecided(step=2, verdict="rejected", sha256=""),
        ev.StepClosed(step=3, code="c = 1", sha256=""),
        ev.ExecutionStarted(step=3),
    ]
    assert executed(events) == ["b = 1", "c = 1"]


async def test_a_run_asks_for_the_users_variables_and_files_and_not_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "made.csv").write_text("a\n1\n")
    codes = ["mine = [1]", "mine = mine * 2\nprint(mine)", "df = []", "open('made.csv', 'w').close()"]
    engine = ScriptedEngine([*(render_step(f"Do {code}", code) for code in codes), render_answer("", "Done.")])
    with RunLog(tmp_path / "run.jsonl") as log:
        async with own_kernel(tmp_path) as kernel:
            await kernel.evaluate("import os\ndf = [1, 2]\ndef f(): pass\n_hidden = 1", timeout=30)
            names = await user_names(kernel)
            assert sorted(names) == ["df", "f"]
            users = Belongings(names, ["made.csv"], str(tmp_path))
            verdicts = Answers([(sha256(codes[2]), "rejected"), (sha256(codes[3]), "rejected")])
            agent = Agent(engine, kernel, log, approver=verdicts, mode="ask_if_risky", users=users)
            await agent.run(Question("What is it?"))
            assert await kernel.evaluate("print(df)", timeout=30) == "[1, 2]\n"
    assert [(request.step, request.reasons) for request in requests(log)] == [
        (3, ["line 1 overwrites or deletes your variable: df"]),
        (4, ["line 1 overwrites a file: made.csv"]),
    ]
    assert (tmp_path / "made.csv").read_text() == "a\n1\n"


async def test_stopping_ends_the_wait(tmp_path: Path) -> None:
    user = Silent()
    with RunLog(tmp_path / "run.jsonl") as log:
        async with own_kernel(tmp_path) as kernel:
            engine = ScriptedEngine([render_step("Tidy up.", RISKY)])
            agent = Agent(engine, kernel, log, approver=user, mode="ask_if_risky")
            running = asyncio.create_task(agent.run(Question("Tidy up.")))
            await asyncio.wait_for(user.asked.wait(), PATIENCE)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
    assert user.left.is_set()
    assert isinstance(log.events[-1], ev.RunFinished)
    assert not any(isinstance(event, ev.ExecutionStarted) for event in log.events)

"""The new version of a cell that a run offers: code that ran, and that is a version of the cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datarus_jupyter.agent.interfaces import Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.agent.proposal import proposal
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.prompts import GENERAL
from datarus_jupyter.protocol.tags import render_answer, render_step

SOURCE = "data = [1, 2, 3]\nprint('mean', sum(data) / length(data))"
FIXED = SOURCE.replace("length", "len")
ERROR = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}


def cell(step: int, source: str, *, count: int | None = 1, failed: bool = False) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "outputs": [ERROR] if failed else [],
        "metadata": {"datarus": {"step": step}},
    }


def test_it_is_the_last_version_that_ran() -> None:
    early = FIXED.replace("mean", "the mean")
    assert proposal(SOURCE, [cell(1, early), cell(2, FIXED), cell(3, FIXED, failed=True)]) == (2, FIXED)


def test_a_look_at_the_data_is_no_version_of_the_cell() -> None:
    assert proposal(SOURCE, [cell(1, "1 + 1"), cell(2, FIXED), cell(3, "type(data)")]) == (2, FIXED)


def test_what_did_not_run_or_changes_nothing_is_not_offered() -> None:
    assert proposal(SOURCE, [cell(1, FIXED, failed=True), cell(2, FIXED, count=None), cell(3, SOURCE + "\n")]) is None
    assert proposal(SOURCE, []) is None


async def work(folder: Path, *replies: str, mode: ev.Mode = "auto", target: bool = True) -> list[ev.Event]:
    chosen = [ev.Attached(kind="error", name="cell [1]", text=f"Cell [1]: 77 rows\n{SOURCE}")]
    wanted = ev.Target(cell="own", name="cell [1]", source=SOURCE) if target else None
    engine = ScriptedEngine([*replies, render_answer("Ran.", "`length` is `len`; there are 77 rows.")])
    with RunLog(folder / "run.jsonl") as log:
        async with own_kernel(folder) as kernel:
            await Agent(engine, kernel, log, profile=GENERAL, mode=mode).run(
                Question("Fix it.", attached=chosen, target=wanted)
            )
    assert engine.script.calls[0][-1].content.count("Cell [1]: 77 rows") == 1
    return log.events


async def test_a_run_with_a_target_offers_what_has_run(tmp_path: Path) -> None:
    events = await work(tmp_path, render_step("Repeat.", SOURCE), render_step("Mend.", FIXED))
    (offer,) = [event for event in events if isinstance(event, ev.Proposed)]
    assert (offer.step, offer.code) == (2, FIXED)
    assert isinstance(events[-1], ev.RunFinished)
    started = events[0]
    assert isinstance(started, ev.RunStarted)
    assert started.target == ev.Target(cell="own", name="cell [1]", source=SOURCE)


async def test_what_the_user_showed_needs_no_cell_that_printed_it(tmp_path: Path) -> None:
    events = await work(tmp_path, render_step("Mend.", FIXED))
    assert not [event for event in events if isinstance(event, ev.Reminder)]


async def test_without_a_target_or_without_running_nothing_is_offered(tmp_path: Path) -> None:
    for mode, target in (("auto", False), ("plan", True)):
        folder = tmp_path / mode
        folder.mkdir()
        events = await work(folder, render_step("Mend.", FIXED), mode=mode, target=target)  # type: ignore[arg-type]
        assert not [event for event in events if isinstance(event, ev.Proposed)]

"""Cells that the user marked are not run again without their word, whatever the mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from datarus_jupyter.agent.approval import Belongings
from datarus_jupyter.agent.interfaces import Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.agent.never_run import REASON, marked, repeats, told
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.tags import render_answer, render_step

CELL = "model = train( data )  # an hour\nsave(model)"


@pytest.mark.parametrize(
    ("code", "same"),
    [
        (CELL, True),
        ("import x\nmodel = train(data)\nsave(model)\nprint(model)", True),
        ("model = train(data)", False),
        ("model = train(data)\nprint(1)\nsave(model)", False),
        ("save(model)\nmodel = train(data)", False),
        ("model = train(", False),
        ("", False),
    ],
)
def test_code_repeats_a_cell_whatever_its_layout(code: str, same: bool) -> None:
    assert repeats(code, CELL) is same


def test_an_empty_cell_is_repeated_by_nothing_and_magics_by_their_text() -> None:
    assert not repeats("x = 1", "  # nothing\n")
    assert not repeats("x = 1", "")
    assert repeats("%run slow.py\nx", "%run slow.py")


def test_marked_cells_are_found_by_their_tag_and_told_escaped() -> None:
    def cell(kind: str, source: str, *tags: str) -> dict[str, object]:
        return {"cell_type": kind, "source": source, "metadata": {"tags": [*tags]} if tags else {}}

    tag = "datarus-never-run"
    cells = [cell("code", "a", tag), cell("code", "b", "x"), cell("markdown", "c", tag), cell("code", " ", tag)]
    assert marked(cells) == ["a"]
    assert told([]) == ""
    assert "&lt;/step>" in told(["'</step>'"])
    assert len(told(["x\n" * 10_000] * 100)) < 4_000


@pytest.mark.parametrize("mode", ["auto", "ask_if_risky"])
async def test_such_code_is_asked_for_in_every_mode_that_runs_code(tmp_path: Path, mode: ev.Mode) -> None:
    engine = ScriptedEngine([render_step("Again.", "y = 2\nprint(y)"), render_answer("No.", "Not run.")])
    with RunLog(tmp_path / "run.jsonl") as log:
        async with own_kernel(tmp_path) as kernel:
            users = Belongings(never_run=["y=2 # slow\nprint(y)"])
            await Agent(engine, kernel, log, mode=mode, users=users).run(Question("Go on."))
    (request,) = [event for event in log.events if isinstance(event, ev.ApprovalRequested)]
    assert REASON in request.reasons
    assert not [event for event in log.events if isinstance(event, ev.ExecutionStarted)]

"""What is on disk of a run whose notebook is moved while it is written."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import nbformat

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.server.file_writers import FileWriters
from datarus_jupyter.server.unsaved import UnsavedRuns
from datarus_jupyter.surfaces.notebooks import PlainNotebooks
from tests.patience import PATIENCE


def ids(path: Path) -> list[str]:
    return [cell.id for cell in nbformat.read(path, 4).cells] if path.exists() else []


async def written(path: Path, log: RunLog) -> None:
    async with asyncio.timeout(PATIENCE):
        while ids(path) != [cell["id"] for cell in CellsFold.of(log.events).cells]:
            await asyncio.sleep(0.01)


def step(log: RunLog, number: int) -> None:
    log.append(ev.StepClosed(step=number, code=f"print({number})", sha256=""))
    log.append(ev.ExecutionStarted(step=number))
    log.append(ev.ExecutionFinished(step=number, status="ok", count=number))


async def test_what_was_saved_under_the_old_name_while_it_was_moved_comes_under_the_new_one(tmp_path: Path) -> None:
    old, new = tmp_path / "old.ipynb", tmp_path / "new.ipynb"
    unsaved = UnsavedRuns(tmp_path / "unsaved", "root")
    files = FileWriters(PlainNotebooks(), unsaved)
    with RunLog(tmp_path / "run.jsonl") as log:
        log.append(ev.RunStarted(question="?", prompt=[], engine="e", model="m", profile="p", notebook=str(old)))
        files.add(str(old), log)
        step(log, 1)
        await written(old, log)
        assert [*unsaved] == ["run"]
        shutil.copy(old, new)  # a write that was under way has made the old one anew
        step(log, 2)
        await written(old, log)
        await files.move(str(old), str(new))
        files.take_over(str(new))
        await written(new, log)
        log.append(ev.RunFinished(reason="answered", answer="Done."))
        await files.stop()  # at once: what is due is written all the same
        assert ids(new)[-1].endswith("-answer")
        assert [*unsaved] == []

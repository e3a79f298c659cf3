"""The file surface on real files."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import nbformat
import pytest
from recorded_runs import RUN, run, stamped, step

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.surfaces.file import FileSurface
from datarus_jupyter.surfaces.merge import Notebook
from datarus_jupyter.surfaces.notebooks import NEW, NotebookChanged, Notebooks, PlainNotebooks, Snapshot
from tests.patience import PATIENCE


def save(path: Path, *sources: str) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(notebook, path)


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def apply(surface: FileSurface, events: list[ev.Event]) -> None:
    for event in events:
        surface.apply(event)


async def test_a_run_ends_up_in_a_new_notebook(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "new.ipynb"
    surface, events = FileSurface(PlainNotebooks(), str(path), RUN), run()
    apply(surface, events)
    async with asyncio.timeout(PATIENCE):
        await surface.follow()
    assert [cell.source for cell in read(path).cells] == [cell["source"] for cell in CellsFold.of(events).cells]
    assert surface.saved == events[-1].seq
    assert [entry.name for entry in path.parent.iterdir()] == ["new.ipynb"]


async def test_nothing_is_written_in_mid_text(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    save(path, "a = 1")
    surface, events = FileSurface(PlainNotebooks(), str(path), RUN), run()
    boundary = next(index for index, event in enumerate(events) if isinstance(event, ev.ExecutionFinished))
    apply(surface, events[:3])
    await surface.write()
    assert len(read(path).cells) == 1
    apply(surface, events[3 : boundary + 3])
    await surface.write()
    assert [cell.source for cell in read(path).cells] == ["a = 1", "Step 1: look.", "print(1)"]


async def test_what_the_user_did_between_two_steps_stays(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    save(path, "a = 1")
    surface, events = FileSurface(PlainNotebooks(), str(path), RUN), run()
    half = next(index for index, event in enumerate(events) if isinstance(event, ev.ExecutionFinished)) + 1
    apply(surface, events[:half])
    await surface.write()
    notebook = read(path)
    notebook.cells = [nbformat.v4.new_markdown_cell("mine"), *notebook.cells]
    notebook.cells[3].source = "print('changed')"
    del notebook.cells[2]
    nbformat.write(notebook, path)
    apply(surface, events[half:])
    await surface.write()
    sources = [cell.source for cell in read(path).cells]
    assert sources[:3] == ["mine", "a = 1", "print('changed')"]
    assert "Step 1: look." not in sources
    assert sources[-1] == "Forty-two."


async def test_a_cell_that_was_on_disk_and_is_gone_does_not_come_back(tmp_path: Path) -> None:
    path, events = tmp_path / "n.ipynb", run()
    save(path, "a = 1")
    gone = {cell["id"] for cell in CellsFold.of(events).cells[:2]}
    surface = FileSurface(PlainNotebooks(), str(path), RUN, written=gone)
    apply(surface, events)
    await surface.write()
    assert not gone & {cell.id for cell in read(path).cells}


async def test_a_reply_asked_again_is_written_though_it_was_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    save(path, "a = 1")
    whole = run(steps=1)
    started, (step, end) = whole[0], (whole[1:9], whole[9:])
    asked = [ev.ApprovalRequested(step=1, sha256="0")]
    events = stamped([started, *step[:5], *asked, ev.ReplyDiscarded(step=1, reason="cut")])
    surface = FileSurface(PlainNotebooks(), str(path), RUN)
    apply(surface, events)
    await surface.write()
    assert len(read(path).cells) == 3
    again = [*events, ev.ApprovalRequested(step=1, sha256="0")]
    apply(surface, stamped(again)[-1:])
    await surface.write()
    assert len(read(path).cells) == 1
    apply(surface, stamped([*again, *run(steps=1)[1:9], *end])[len(again) :])
    await surface.write()
    assert [cell.source for cell in read(path).cells] == ["a = 1", "Step 1: look.", "print(1)", "Forty-two."]


async def test_an_old_notebook_gets_ids_and_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    old = {"cell_type": "code", "source": ["a = ", "1"], "metadata": {}, "outputs": [], "execution_count": None}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": [old]}))
    surface = FileSurface(PlainNotebooks(), str(path), RUN)
    apply(surface, run())
    await surface.write()
    assert read(path).cells[0].source == "a = 1"
    assert read(path).nbformat_minor >= 5


async def test_the_files_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    save(path, "a = 1")
    path.chmod(0o640)
    surface = FileSurface(PlainNotebooks(), str(path), RUN)
    apply(surface, run())
    await surface.write()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


BAD = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"{",
    b"\xff\xfe",
    b'{"nbformat": 4}',
    b'{"nbformat": 9, "nbformat_minor": 0, "metadata": {}, "cells": []}',
    b'{"nbformat": 4, "nbformat_minor": "a", "metadata": {}, "cells": []}',
    b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}',
    b'{"nbformat": 4, "nbformat_minor": 2, "metadata": {}}',
]


@pytest.mark.parametrize("content", BAD)
async def test_what_is_no_notebook_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(content)
    surface = FileSurface(PlainNotebooks(), str(path), RUN)
    apply(surface, run())
    with pytest.raises(SurfaceError, match=r"n\.ipynb is not a notebook"):
        await surface.write()
    assert path.read_bytes() == content


async def test_a_folder_in_its_place_or_above_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "dir.ipynb").mkdir()
    (tmp_path / "file").write_text("")
    for name in ("dir.ipynb", "file/n.ipynb"):
        surface = FileSurface(PlainNotebooks(), str(tmp_path / name), RUN)
        apply(surface, run())
        with pytest.raises(SurfaceError, match="cannot be"):
            await surface.write()


async def test_output_that_is_no_nbformat_is_not_saved(tmp_path: Path) -> None:
    path, events = tmp_path / "n.ipynb", run()
    save(path, "a = 1")
    before = path.read_bytes()
    for event in events:
        if isinstance(event, ev.Output):
            event.output = {"output_type": "stream", "name": "stdout", "text": "1", "odd": 1}
    surface = FileSurface(PlainNotebooks(), str(path), RUN)
    apply(surface, events)
    with pytest.raises(SurfaceError, match="not valid nbformat"):
        await surface.write()
    assert path.read_bytes() == before


class Contested:
    """Plain notebooks that somebody else saves ``times`` times between our reading and our writing."""

    def __init__(self, path: Path, times: int) -> None:
        self._plain: Notebooks = PlainNotebooks()
        self._path = path
        self.times = times

    async def read(self, path: str) -> Snapshot:
        there = await self._plain.read(path)
        if self.times:
            self.times -= 1
            save(self._path, f"b = {self.times}")
        return there

    async def write(self, path: str, notebook: Notebook, version: str) -> None:
        await self._plain.write(path, notebook, version)


async def test_a_save_in_between_is_merged_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    save(path, "a = 1")
    surface = FileSurface(Contested(path, 2), str(path), RUN)
    apply(surface, run())
    await surface.write()
    assert [cell.source for cell in read(path).cells][:2] == ["b = 0", "Step 1: look."]


async def test_a_notebook_saved_all_the_time_is_given_up_on(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    save(path, "a = 1")
    contested = Contested(path, 1000)
    surface = FileSurface(contested, str(path), RUN)
    apply(surface, run())
    with pytest.raises(SurfaceError, match="another program"):
        await surface.write()
    contested.times = 0
    await surface.write()
    assert len(read(path).cells) == 6


async def test_a_notebook_that_came_into_being_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    save(path, "mine")
    with pytest.raises(NotebookChanged):
        await PlainNotebooks().write(str(path), nbformat.v4.new_notebook(), NEW)
    assert read(path).cells[0].source == "mine"
    assert os.listdir(tmp_path) == ["n.ipynb"]


async def test_follow_ends_when_told_to(tmp_path: Path) -> None:
    surface = FileSurface(PlainNotebooks(), str(tmp_path / "n.ipynb"), RUN)
    following = asyncio.create_task(surface.follow())
    apply(surface, run()[:4])
    surface.stop()
    async with asyncio.timeout(PATIENCE):
        await following
    assert not (tmp_path / "n.ipynb").exists()


async def test_a_run_is_taken_back_on_disk_and_goes_on_there(tmp_path: Path) -> None:
    path, events = tmp_path / "n.ipynb", run()
    save(path, "a = 1")
    surface = FileSurface(PlainNotebooks(), str(path), RUN)
    apply(surface, events)
    await surface.write()
    notebook = read(path)
    notebook.cells[4].source = "mine"
    nbformat.write(notebook, path)

    events = stamped([*events, ev.Reverted(step=2)])
    later = FileSurface(PlainNotebooks(), str(path), RUN, written={cell["id"] for cell in CellsFold.of(events).cells})
    apply(later, events)
    async with asyncio.timeout(PATIENCE):
        await later.follow()
    assert [cell.source for cell in read(path).cells] == ["a = 1", "Step 1: look.", "print(1)", "mine"]

    events = stamped([*events, ev.RunResumed(), *step(4, "print(4)", "4"), ev.RunFinished(reason="answered")])
    apply(later, events)
    await later.write()
    sources = [cell.source for cell in read(path).cells]
    assert sources == ["a = 1", "Step 1: look.", "print(1)", "Step 4: look.", "print(4)", "mine"]

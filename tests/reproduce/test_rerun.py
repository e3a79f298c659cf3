"""Notebooks run again in real kernels: the verdicts, the limits, and what is left alone."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from datarus_jupyter.errors import ConfigError, KernelError, SurfaceError
from datarus_jupyter.reproduce.rerun import LOST, NEVER_RUN, NO_RESULT, UNRUN, CellResult, Rerun
from datarus_jupyter.reproduce.scratch import scratch_copy
from tests.patience import PATIENCE

v4: Any = nbformat.v4


def notebook(*sources: str, folder: Path | None = None, **metadata: Any) -> Any:
    """These code cells; executed in ``folder`` if that is given."""
    cells = [
        v4.new_code_cell(source, metadata={"tags": ["raises-exception"]}, id=f"c{n}")
        for n, source in enumerate(sources)
    ]
    made = v4.new_notebook(cells=cells, metadata=metadata)
    if folder is not None:
        NotebookClient(made, resources={"metadata": {"path": str(folder)}}).execute()
    return made


async def results(rerun: Rerun) -> list[CellResult]:
    async with aclosing(rerun.results()) as stream:
        return [result async for result in stream]


def verdicts(found: list[CellResult]) -> list[str]:
    return [result.verdict for result in found]


async def test_each_kind_of_cell_gets_its_verdict(tmp_path: Path) -> None:
    made = notebook(
        "import random, os, pandas as pd, matplotlib.pyplot as plt",
        "print(random.random())",
        "plt.plot([1, 3, 2]);",
        "pd.DataFrame({'a': [1 / 3, 2.5], 'b': ['x', 'y']})",
        "1 / 0",
        "os.getcwd()",
        "import datetime; print(datetime.datetime.now()); object()",
        "%%time\nsum(range(10))",
        "from IPython.display import clear_output; print('gone'); clear_output(); print('stays')",
        "h = display('first', display_id=True); h.update('second')",
        folder=tmp_path,
    )
    found = await results(Rerun(made, tmp_path))
    assert verdicts(found) == ["same", "differs", *["same"] * 8]
    assert found[1].reason.startswith("was “0.")
    assert [result.cell for result in found] == [cell.id for cell in made.cells]
    assert [result.index for result in found] == [*range(10)]


async def test_what_the_code_writes_stays_in_the_copy(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("a\n1\n")
    (folder / "own.txt").write_text("mine")
    made = notebook("open('own.txt').read()", "open('../data/x.csv').read()", folder=folder)
    made.cells.append(v4.new_code_cell("open('own.txt', 'w').write('lost'); open('new.txt', 'w').write('x')"))
    assert verdicts(await results(Rerun(made, folder))) == ["same", "same", "skipped"]
    assert (folder / "own.txt").read_text() == "mine"
    assert os.listdir(folder) == ["own.txt"]


async def test_in_place_the_files_are_the_folders_own(tmp_path: Path) -> None:
    made = notebook("open('new.txt', 'w').write('x')", folder=tmp_path)
    (tmp_path / "new.txt").unlink()
    assert verdicts(await results(Rerun(made, tmp_path, in_place=True))) == ["same"]
    assert (tmp_path / "new.txt").exists()


async def test_a_folder_too_large_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"x" * 2000)
    with pytest.raises(SurfaceError, match="holds more than 0 MB, too much to copy"):
        async with scratch_copy(tmp_path, max_bytes=1000):
            pass


async def test_pipes_are_left_out_and_links_stay_links(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    async with scratch_copy(tmp_path) as copy:
        assert sorted(os.listdir(copy)) == ["file", "link"]
        assert (copy / "link").is_symlink()
    assert not copy.exists()


async def test_marked_cells_are_not_run_and_unrun_ones_have_no_verdict(tmp_path: Path) -> None:
    made = notebook("x = 1", "x = 2", "x", "y = 1", folder=tmp_path)
    made.cells[0].metadata["datarus"] = {"never_run": True}
    made.cells[1].metadata["tags"] = ["datarus-never-run"]
    made.cells[3].outputs, made.cells[3].execution_count = [], None
    found = await results(Rerun(made, tmp_path))
    assert [(result.verdict, result.reason) for result in found] == [
        ("skipped", NEVER_RUN),
        ("skipped", NEVER_RUN),
        ("fails", "“NameError: name 'x' is not defined”"),
        ("skipped", NO_RESULT),
    ]


async def test_code_of_a_run_that_nobody_let_run_is_not_run(tmp_path: Path) -> None:
    made = notebook("x = 1", "open('written.txt', 'w')", "print(x)", folder=tmp_path)
    made.cells[1].metadata["datarus"] = {"run": "r1", "step": 1}
    made.cells[1].outputs, made.cells[1].execution_count = [], None
    (tmp_path / "written.txt").unlink()
    found = await results(Rerun(made, tmp_path, in_place=True))
    assert (found[1].verdict, found[1].reason) == ("skipped", UNRUN)
    assert found[2].verdict == "same"
    assert not (tmp_path / "written.txt").exists()


async def test_a_run_is_judged_with_what_stands_above_it(tmp_path: Path) -> None:
    made = notebook("x = 20", "print(x + 1)", "1 / 0", "print(x + 2)", "assert False", folder=tmp_path)
    for at in (1, 3):
        made.cells[at].metadata["datarus"] = {"run": "r1", "step": at}
    made.cells[3].outputs[0].text = "23\n"
    rerun = Rerun(made, tmp_path, run="r1")
    found = await results(rerun)
    assert rerun.total == 2
    assert [(result.index, result.verdict) for result in found] == [(1, "same"), (3, "differs")]
    assert found[1].reason == "was “23”, is “22”"


async def test_a_run_without_cells_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No cells of this run"):
        await results(Rerun(notebook("1"), tmp_path, run="absent"))


async def test_a_slow_cell_fails_and_the_next_ones_run(tmp_path: Path) -> None:
    made = notebook("import time", "for _ in range(600): time.sleep(0.1)", "3")
    made.cells[1].execution_count = made.cells[2].execution_count = 1
    made.cells[2].outputs = [v4.new_output("execute_result", {"text/plain": "3"}, execution_count=1)]
    found = await results(Rerun(made, tmp_path, cell_seconds=0.5))
    assert verdicts(found) == ["skipped", "fails", "same"]
    assert found[1].reason == "The cell ran longer than 0.5 s and was interrupted."


async def test_after_the_kernels_death_nothing_more_runs(tmp_path: Path) -> None:
    found = await results(Rerun(notebook("import os; os._exit(1)", "1"), tmp_path))
    assert verdicts(found) == ["fails", "skipped"]
    assert found[1].reason == LOST


async def test_the_whole_check_is_bounded(tmp_path: Path) -> None:
    found = await results(Rerun(notebook("1", "2"), tmp_path, seconds=0.0))
    assert verdicts(found) == ["skipped", "skipped"]
    assert "took longer than 0 min" in found[0].reason


async def test_an_unknown_kernel_is_said(tmp_path: Path) -> None:
    made = notebook("1", kernelspec={"name": "no-such-kernel", "display_name": "x"})
    with pytest.raises(KernelError, match="no-such-kernel"):
        await results(Rerun(made, tmp_path))


async def test_cancelling_ends_the_kernel_and_removes_the_copy(tmp_path: Path) -> None:
    said = tmp_path / "said"
    code = f"import os, time\nopen({str(said)!r}, 'w').write(f'{{os.getpid()}} {{os.getcwd()}}')\n"
    code += "while True: time.sleep(0.1)"
    folder = tmp_path / "work"
    folder.mkdir()
    task = asyncio.create_task(results(Rerun(notebook(code), folder)))
    deadline = time.monotonic() + PATIENCE
    while not (said.exists() and " " in said.read_text()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    pid, _, place = said.read_text().partition(" ")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(int(pid))
    assert not Path(place).exists()

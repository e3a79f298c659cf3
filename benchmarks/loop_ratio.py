"""A run of 20 steps on an engine without latency, beside nbclient running the same 20 cells, each in a fresh kernel.

The start of the kernels is left out on both sides. The agent does more than nbclient: it parses the replies, keeps the
journal, observes the outputs and writes them into the next prompt.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from benchmarks.figure import Figure, figure
from benchmarks.transcripts import STEPS
from datarus_jupyter.agent.interfaces import Limits, Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.tags import render_answer, render_step

_STEPS = 20
_RUNS = 9
_DATA = Path("examples/penguins.csv")

_ANALYSIS = [code for _, code in STEPS]
ANALYSIS = [f"{code}\nprint({number})" for number, code in enumerate(_ANALYSIS * (_STEPS // len(_ANALYSIS)))]
"""Five times: load a file, group it, test, plot."""
TRIVIAL = [f"x = {number}\nprint(x)" for number in range(_STEPS)]
"""What remains of a cell's time is the way to the kernel and back."""


def measure() -> list[Figure]:
    """The ratio of the medians, for the cells of an analysis and for trivial ones; both sides take turns."""
    return [*_compare("loop_ratio", ANALYSIS), *_compare("loop_ratio_trivial", TRIVIAL)]


def _compare(name: str, codes: Sequence[str]) -> list[Figure]:
    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(_DATA, folder)
        for number in range(_RUNS):
            ours.append(asyncio.run(_agent(Path(folder), f"{number}.jsonl", codes)))
            theirs.append(asyncio.run(_nbclient(Path(folder), codes)))
    # Neighbours in time share the machine's mood, so the spread is of their ratios.
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    note = f"20 steps in {statistics.median(ours):.3f} s, nbclient in {statistics.median(theirs):.3f} s"
    return [figure(name, "×", ratios, at_most=1.15, note=note)]


async def _agent(folder: Path, journal: str, codes: Sequence[str]) -> float:
    replies = [render_step(f"Step {number} of the analysis.", code) for number, code in enumerate(codes, 1)]
    engine = ScriptedEngine([*replies, render_answer("All is done.", "It is done.")])
    async with own_kernel(folder) as kernel:
        with RunLog(folder / journal) as log:
            agent = Agent(engine, kernel, log, limits=Limits(steps=_STEPS + 1))
            began = time.perf_counter()
            end = await agent.run(Question("What is in penguins.csv?"))
            seconds = time.perf_counter() - began
    assert end.reason == "answered", end
    return seconds


async def _nbclient(folder: Path, codes: Sequence[str]) -> float:
    cells = [nbformat.v4.new_code_cell(code) for code in codes]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, resources={"metadata": {"path": str(folder)}})
    async with client.async_setup_kernel():
        began = time.perf_counter()
        for number, cell in enumerate(notebook.cells):
            await client.async_execute_cell(cell, number)
        return time.perf_counter() - began

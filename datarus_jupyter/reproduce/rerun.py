"""Runs a notebook's code cells again, in a fresh kernel and a copy of the folder, and judges each (issue 3, §1)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datarus_jupyter.agent.interfaces import Cleared, Displayed, Executed, Kernel, KernelOutput, Updated
from datarus_jupyter.errors import ConfigError, KernelError
from datarus_jupyter.journal.cells import sha256
from datarus_jupyter.kernels.channel import KernelChannel
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.reproduce.compare import Comparison, Output, compare
from datarus_jupyter.reproduce.scratch import scratch_copy
from datarus_jupyter.reproduce.text import Tolerance
from datarus_jupyter.reproduce.volatile import Moment

NEVER_RUN_TAG = "datarus-never-run"

NEVER_RUN = "The cell is marked “never run by Datarus”."
UNRUN = "This cell of Datarus never ran, so the check does not run it either: run it yourself, then check again."
NO_RESULT = "It ran, but the notebook holds no result of it to compare with."
OUT_OF_TIME = "The check took longer than {:g} min in all, so this cell was not run."
LOST = "The kernel did not come back from an earlier cell, so this one was not run."
_REACT_SECONDS = 10.0

Notebook = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CellResult:
    """One cell: its id, its place in the notebook from 0, the hash of the source that ran, seconds it took."""

    cell: str
    index: int
    sha256: str
    verdict: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Rerun:
    """What to run again: the cells of ``run`` and what stands above them, or the whole notebook.

    ``in_place`` runs in the folder itself, so files that the code writes are written again. ``kernel``: the kernel's
    name where it is not the notebook's own.
    """

    notebook: Notebook
    folder: Path
    run: str | None = None
    in_place: bool = False
    kernel: str = ""
    cell_seconds: float = 60.0
    seconds: float = 1800.0
    tolerance: Tolerance = field(default=Tolerance())

    @property
    def cells(self) -> list[tuple[int, Output]]:
        """The code cells to run, each with its place in the notebook. Raises ``ConfigError`` if there are none."""
        cells = [(at, cell) for at, cell in enumerate(self.notebook["cells"]) if _is_code(cell)]
        last = max((at for at, cell in cells if self.judges(cell)), default=-1)
        if last < 0:
            what = "of this run are" if self.run else "with code are"
            raise ConfigError(f"No cells {what} in the notebook: save it and check again.")
        return [(at, cell) for at, cell in cells if at <= last]

    def judges(self, cell: Output) -> bool:
        """Whether a result of the cell is asked for; others run only for what comes after them."""
        return self.run is None or _marks(cell).get("run") == self.run

    @property
    def total(self) -> int:
        """How many results there will be."""
        return sum(self.judges(cell) for _, cell in self.cells)

    async def results(self) -> AsyncGenerator[CellResult, None]:
        """Run the cells in order, each whatever became of those before; yield the results as they come.

        The kernel and the copy of the folder are gone when the generator is closed. Raises ``KernelError`` if the
        kernel does not start, ``SurfaceError`` if the folder cannot be copied.
        """
        cells = self.cells
        name = self.kernel or self.notebook["metadata"].get("kernelspec", {}).get("name") or "python3"
        async with self._place() as place, own_kernel(place, name=name) as kernel:
            deadline = time.monotonic() + self.seconds
            unfit = ""
            for at, cell in cells:
                if time.monotonic() > deadline:
                    unfit = unfit or OUT_OF_TIME.format(self.seconds / 60)
                skipped = NEVER_RUN if is_never_run(cell) else UNRUN if _waits(cell) else unfit
                if skipped:
                    result = _result(at, cell, Comparison("skipped", skipped))
                else:
                    result, ended = await self._judge(kernel, place, at, cell)
                    unfit = await _unfit(kernel, ended)
                if self.judges(cell):
                    yield result

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[Path]:
        if self.in_place:
            yield self.folder
        else:
            async with scratch_copy(self.folder) as copy:
                yield copy

    async def _judge(self, kernel: Kernel, place: Path, at: int, cell: Output) -> tuple[CellResult, Executed]:
        begin = time.time()
        outputs, executed = await _execute(kernel, _source(cell), self.cell_seconds)
        tolerance = replace(self.tolerance, moment=Moment(begin, time.time()))
        outputs = _moved(outputs, place, self.folder)
        comparison = await asyncio.to_thread(_verdict, cell, outputs, executed, tolerance)
        return _result(at, cell, comparison, executed.seconds), executed


def is_never_run(cell: Output) -> bool:
    """Whether the user marked the cell as one that Datarus does not run."""
    tags = cell.get("metadata", {}).get("tags")
    return _marks(cell).get("never_run") is True or (isinstance(tags, list) and NEVER_RUN_TAG in tags)


def _verdict(cell: Output, outputs: list[Output], executed: Executed, tolerance: Tolerance) -> Comparison:
    if executed.status in ("timeout", "dead"):
        return Comparison("fails", executed.error)
    judged = compare(cell["outputs"], outputs, tolerance)
    return Comparison("skipped", NO_RESULT) if _never_ran(cell) and judged.verdict != "fails" else judged


def _never_ran(cell: Output) -> bool:
    return cell.get("execution_count") is None and not cell["outputs"]


def _waits(cell: Output) -> bool:
    """Whether it is a run's code that nobody has let run: the user rejected it, or was not asked yet."""
    return "run" in _marks(cell) and _never_ran(cell)


async def _unfit(kernel: KernelChannel, ended: Executed) -> str:
    """Why nothing more can run in this kernel, if so."""
    if ended.status not in ("timeout", "dead"):
        return ""
    try:
        await kernel.ready(_REACT_SECONDS)
    except KernelError:
        return LOST
    return ""


async def _execute(kernel: Kernel, code: str, seconds: float) -> tuple[list[Output], Executed]:
    shown = _Shown()
    async with aclosing(kernel.execute(code, timeout=seconds)) as stream:
        async for item in stream:
            if isinstance(item, Executed):
                return shown.outputs, item
            shown.apply(item)
    raise KernelError("The kernel gave no result: check again.")


class _Shown:
    """What stands below a cell after all that it showed, replaced and cleared."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self._ids: list[str | None] = []
        self._clear = False

    def apply(self, item: KernelOutput) -> None:
        match item:
            case Displayed(output, display_id):
                self._clear_if(self._clear)
                self.outputs.append(output)
                self._ids.append(display_id)
            case Updated(display_id, output):
                places = [at for at, known in enumerate(self._ids) if known == display_id]
                for at in places:
                    self.outputs[at] = {**self.outputs[at], "data": output["data"]}
            case Cleared(wait):
                self._clear = wait
                self._clear_if(not wait)

    def _clear_if(self, due: bool) -> None:
        if due:
            self.outputs, self._ids, self._clear = [], [], False


def _moved(outputs: Sequence[Output], place: Path, folder: Path) -> list[Output]:
    """The outputs as they would be in the notebook's own folder."""
    here, there = (json.dumps(str(path))[1:-1] for path in (place, folder))
    moved = json.dumps(list(outputs)).replace(here, there)
    return list(json.loads(moved))


def _result(at: int, cell: Output, comparison: Comparison, seconds: float = 0.0) -> CellResult:
    digest = sha256(_source(cell))
    return CellResult(cell.get("id", ""), at, digest, comparison.verdict, comparison.reason, round(seconds, 3))


def _is_code(cell: Output) -> bool:
    return bool(cell["cell_type"] == "code" and _source(cell).strip())


def _source(cell: Output) -> str:
    return str(cell["source"])


def _marks(cell: Output) -> dict[str, Any]:
    marks = cell.get("metadata", {}).get("datarus")
    return marks if isinstance(marks, dict) else {}

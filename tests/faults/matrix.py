"""The fault matrix: each fault, how it is brought about, and what must hold after it whatever it was.

No event that was once on disk is lost, no cell of the run or of the user's is lost, none is there twice, and the run
ends as the fault says it must.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nbformat

from datarus_jupyter.errors import JournalError
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.log import read
from datarus_jupyter.surfaces.merge import edited, source_of
from tests.faults.world import World, settled

FAILURES = (AssertionError, TimeoutError, httpx.HTTPError)
"""What a try raises that fails: something did not come, or the server gave no answer."""

Bring = Callable[[World], Awaitable[str]]
"""Starts a run, brings the fault about, waits for what must come of it; gives the run's id."""


@dataclass(frozen=True)
class Fault:
    """One row. ``ends`` is the reason with which the run must end; ``written``: whether its cells must be on disk.

    ``quick``: it is in ``make test`` too.
    """

    name: str
    bring: Bring
    ends: str = "answered"
    written: bool = True
    options: tuple[str, ...] = ()
    quick: bool = False


@dataclass
class Tally:
    """How a fault turned out, over all tries."""

    tried: int = 0
    lost_events: int = 0
    lost_cells: int = 0
    doubled_cells: int = 0
    recovered: int = 0

    def add(self, other: Tally) -> None:
        """Count the tries of ``other`` too."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def sound(self) -> bool:
        """Whether nothing was lost or doubled and every run recovered."""
        return self.recovered == self.tried and not (self.lost_events or self.lost_cells or self.doubled_cells)


@dataclass
class Table:
    """The faults in the order in which they were declared."""

    rows: list[Fault] = field(default_factory=list)

    def fault(self, name: str, **more: Any) -> Callable[[Bring], Bring]:
        """Declare that the function brings about the fault ``name``."""

        def declare(bring: Bring) -> Bring:
            self.rows.append(Fault(name, bring, **more))
            return bring

        return declare


MATRIX = Table()


async def bring(fault: Fault, folder: Path | None = None) -> Tally:
    """Bring the fault about once, in a world of its own, and judge what is left."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="faults-") as made:
            return await bring(fault, Path(made))
    async with World(folder, *fault.options) as world:
        run = await fault.bring(world)
        return await judge(world, run, fault.ends, written=fault.written)


async def judge(world: World, run: str, ends: str, *, written: bool = True) -> Tally:
    """Count what is missing or there twice, once the run's last cells are written or have had time to be."""
    if written:
        await settled(lambda: not _missing(world, run) and not _surplus(world, run))
    return Tally(
        tried=1,
        lost_events=world.lost_events(run),
        lost_cells=len(_missing(world, run)) if written else 0,
        doubled_cells=len(_surplus(world, run)) if written else 0,
        recovered=int(_end(world, run) == ends),
    )


def _end(world: World, run: str) -> str:
    ends = [event for event in world.events(run) if event["type"] in ("run_finished", "run_interrupted", "run_resumed")]
    return str(ends[-1].get("reason", "")) if ends and ends[-1]["type"] == "run_finished" else ""


def _missing(world: World, run: str) -> list[str]:
    """Ids of cells that should be in the notebook and are not, or not with what the run wrote into them."""
    there = {cell["id"]: cell for cell in cells(world)}
    wanted = {cell["id"]: cell for cell in folded(world, run) if cell["id"] not in world.removed}
    lost = [name for name in wanted.keys() | {"own-0"} if name not in there]
    return lost + [name for name in wanted.keys() & there.keys() if not _same(there[name], wanted[name])]


def _same(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if edited(there):
        return True
    texts = [["".join(output.get("text", "")) for output in cell.get("outputs", [])] for cell in (there, wanted)]
    return source_of(there) == source_of(wanted) and texts[0] == texts[1]


def _surplus(world: World, run: str) -> list[str]:
    """Ids that stand in the notebook twice, and cells of the run that are none of its any more."""
    ids = [cell["id"] for cell in cells(world)]
    wanted = {cell["id"] for cell in folded(world, run)}
    stale = [c["id"] for c in cells(world) if run in c["id"] and c["id"] not in wanted and not edited(c)]
    return [name for name in set(ids) if ids.count(name) > 1] + stale


def cells(world: World) -> Sequence[dict[str, Any]]:
    """The notebook's cells on disk; none while it is being saved."""
    try:
        return nbformat.read(world.path, 4).cells
    except (nbformat.reader.NotJSONError, FileNotFoundError):
        return []


def folded(world: World, run: str) -> list[dict[str, Any]]:
    """The cells as the journal has them."""
    try:
        return CellsFold.of(read(world.journal(run))).cells
    except JournalError:
        return []

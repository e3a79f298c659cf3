"""Writes the runs of the notebooks that no tab has open, and knows what is on disk of each run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.server.unsaved import UnsavedRuns
from datarus_jupyter.surfaces.file import FileSurface
from datarus_jupyter.surfaces.merge import trace
from datarus_jupyter.surfaces.notebooks import Notebooks

_log = logging.getLogger(__name__)

_ENDS = (ev.RunFinished, ev.RunInterrupted, ev.Reverted)
_TURNS = (*_ENDS, ev.RunResumed)


@dataclass(slots=True)
class _Unsaved:
    """A run whose cells are not all on disk yet; ``saved`` is the seq up to which they are."""

    log: RunLog
    saved: int = -1
    surface: FileSurface | None = None
    task: asyncio.Task[None] | None = None
    unsubscribe: Callable[[], None] = field(default=lambda: None)


class FileWriters:
    """The file surfaces of all notebooks. ``take_over`` and ``hand_over`` follow the lease."""

    def __init__(self, notebooks: Notebooks, marks: UnsavedRuns) -> None:
        self._notebooks = notebooks
        self._marks = marks
        self._unsaved: dict[str, dict[str, _Unsaved]] = {}
        self._handed: set[str] = set()
        self._stopped = False

    def add(self, notebook: str, log: RunLog) -> None:
        """A run has begun. Its events are kept until all of its cells are on disk."""
        unsaved = self._begin(notebook, log)
        if self._writes(notebook):
            self._start(notebook, unsaved)

    async def reopen(self, notebook: str, log: RunLog) -> None:
        """A run of the past goes on, or is taken back. What is on disk of it is read from there."""
        if before := self._unsaved.get(notebook, {}).pop(log.run, None):
            await self._stop(notebook, before)
        try:
            saved = await self._saved(notebook, log.run)
        except SurfaceError as error:
            _log.warning("%s", error)
            saved = -1
        unsaved = self._begin(notebook, log, saved)
        if self._writes(notebook):
            self._start(notebook, unsaved).go_on()

    async def recover(self, notebook: str, log: RunLog) -> None:
        """A run of a server that ended before it saved all: what is missing is written. Raises ``SurfaceError``."""
        saved = await self._saved(notebook, log.run)
        if log.run in self._unsaved.get(notebook, {}):
            return  # it goes on meanwhile
        unsaved = self._begin(notebook, log, saved)
        if self._writes(notebook):
            self._start(notebook, unsaved)

    def _begin(self, notebook: str, log: RunLog, saved: int = -1) -> _Unsaved:
        self._marks.add(log.run)
        unsaved = self._unsaved.setdefault(notebook, {})[log.run] = _Unsaved(log, saved)
        return unsaved

    async def _saved(self, notebook: str, run: str) -> int:
        return trace((await self._notebooks.read(notebook)).notebook, run)

    def _writes(self, notebook: str) -> bool:
        return notebook not in self._handed and not self._stopped

    def saved(self, notebook: str, run: str, seq: int) -> None:
        """The writer saved the notebook with all events of the run up to ``seq``."""
        unsaved = self._unsaved.get(notebook, {}).get(run)
        if unsaved is not None:
            unsaved.saved = max(unsaved.saved, seq)
            self._forget_if_done(notebook, unsaved)

    def take_over(self, notebook: str) -> None:
        """No tab has the notebook open: write what is not on disk, now and at each step to come."""
        self._handed.discard(notebook)
        for unsaved in self._unsaved.get(notebook, {}).values():
            if self._writes(notebook) and (unsaved.task is None or unsaved.task.done()):
                self._start(notebook, unsaved)

    async def hand_over(self, notebook: str) -> None:
        """A tab has it open: finish the write under way and write no more.

        What is newer than that is left to the tab, which loaded the file already and gets the events.
        """
        self._handed.add(notebook)
        for unsaved in tuple(self._unsaved.get(notebook, {}).values()):
            await self._stop(notebook, unsaved)

    async def move(self, notebook: str, path: str) -> None:
        """The notebook is at ``path`` now: finish the write under way; what is due is for who writes it there."""
        await self.hand_over(notebook)
        self._handed.discard(notebook)
        self._handed.add(path)
        moved = self._unsaved.pop(notebook, {})
        self._unsaved.setdefault(path, {}).update(moved)
        await self._look_again(notebook, path, moved)

    async def _look_again(self, notebook: str, path: str, moved: Mapping[str, _Unsaved]) -> None:
        """A write that was under way when the notebook was moved has made it anew under its old name."""
        for run, unsaved in moved.items():
            try:
                if await self._saved(notebook, run) < 0:
                    continue
                unsaved.saved = min(unsaved.saved, await self._saved(path, run))
            except SurfaceError:
                continue
            _log.warning("%s was saved while it was moved: delete it, %s has all that is in it.", notebook, path)

    async def stop(self) -> None:
        """The server stops: write what is due, and begin no more."""
        self._stopped = True
        for notebook, runs in tuple(self._unsaved.items()):
            for unsaved in tuple(runs.values()):
                await self._stop(notebook, unsaved, last=True)

    def _start(self, notebook: str, unsaved: _Unsaved) -> FileSurface:
        run = unsaved.log.run
        surface = FileSurface(self._notebooks, notebook, run, written=_cells_at(unsaved))
        unsaved.surface = surface
        unsaved.unsubscribe = unsaved.log.subscribe(surface.apply)
        unsaved.task = asyncio.create_task(self._follow(notebook, unsaved, surface))
        return surface

    async def _follow(self, notebook: str, unsaved: _Unsaved, surface: FileSurface) -> None:
        while not surface.stopped:
            try:
                await surface.follow()
            except SurfaceError as error:
                _log.warning("%s", error)
            unsaved.saved = max(unsaved.saved, surface.saved)
        self._forget_if_done(notebook, unsaved)

    async def _stop(self, notebook: str, unsaved: _Unsaved, *, last: bool = False) -> None:
        if unsaved.surface and unsaved.task:
            unsaved.unsubscribe()
            unsaved.surface.stop(last=last)
            await unsaved.task
            unsaved.surface = unsaved.task = None

    def _forget_if_done(self, notebook: str, unsaved: _Unsaved) -> None:
        turns = (event for event in reversed(unsaved.log.events) if isinstance(event, _TURNS))
        last = next(turns, None)
        if isinstance(last, _ENDS) and unsaved.saved >= last.seq:
            self._unsaved[notebook].pop(unsaved.log.run, None)
            self._marks.discard(unsaved.log.run)


def _cells_at(unsaved: _Unsaved) -> set[str]:
    """The ids of the cells that were on disk when the run was last saved."""
    return {cell["id"] for cell in CellsFold.of(unsaved.log.events[: unsaved.saved + 1]).cells}

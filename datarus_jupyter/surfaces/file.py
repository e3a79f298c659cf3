"""The file surface: writes a run's cells into the notebook where no tab has it open, and for ``datarus run``."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.surfaces.merge import Cell, cell_ids, merge, refuse_loss
from datarus_jupyter.surfaces.notebooks import NotebookChanged, Notebooks

_ENDS = (ev.RunInterrupted, ev.RunFinished, ev.Reverted)
"""The events that may be a run's last."""
_BOUNDARIES = (ev.ApprovalRequested, ev.ExecutionStarted, ev.ExecutionFinished, ev.RunResumed, *_ENDS)
"""The events at which no cell is half written."""

_ATTEMPTS = 5
_PATIENCE = 30.0


class FileSurface:
    """One run's cells in one notebook file.

    ``apply`` takes the run's events in order (it fits ``RunLog.subscribe``); ``write`` saves the cells as they stood at
    the last step boundary. ``written`` names cells that are known to have been in the file before.
    """

    def __init__(self, notebooks: Notebooks, path: str, run: str, *, written: Collection[str] = ()) -> None:
        self.path = path
        self._notebooks = notebooks
        self._run = run
        self._fold = CellsFold()
        self._cells: Sequence[Cell] = ()
        self._reverted = -1
        self._seq = -1
        self.saved = -1
        """The seq of the last event whose effect is on disk."""
        self.stopped = False
        """Whether ``follow`` has nothing more to do."""
        self._ended = False
        self._last = False
        self._written = set(written)
        self._due = asyncio.Event()

    def apply(self, event: ev.Event) -> None:
        """Fold one event; at a step boundary, what it made becomes due to be written."""
        self._fold.apply(event)
        if isinstance(event, _BOUNDARIES):
            self._cells, self._reverted, self._seq = self._fold.cells, self._fold.reverted, event.seq
            self._ended = isinstance(event, _ENDS)
            self._due.set()

    async def follow(self) -> None:
        """Write at every step boundary until the run's end or ``stop``. Raises ``SurfaceError``.

        After an error it can be called again; what was not written is written at the next boundary.
        """
        while not self.stopped or (self._last and self._due.is_set()):
            await self._due.wait()
            self._due.clear()
            if not self.stopped or self._last:
                self.stopped = self.stopped or self._ended
                await self.write()

    def go_on(self) -> None:
        """The last event so far was not the run's end: it is about to be resumed or taken back."""
        self._ended = False

    def stop(self, *, last: bool = False) -> None:
        """Let ``follow`` return once the write under way is done; with ``last``, what is due by now is written too."""
        self.stopped, self._last = True, last
        self._due.set()

    async def write(self) -> None:
        """Save what is due, if anything is. Raises ``SurfaceError``; what was due stays so."""
        seq = self._seq
        if seq <= self.saved:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._save(self._cells, self._reverted)
        except TimeoutError as error:
            message = f"{self.path} could not be saved in {_PATIENCE:.0f} s: check its disk and ask again."
            raise SurfaceError(message) from error
        self.saved = seq

    async def _save(self, cells: Sequence[Cell], reverted: int) -> None:
        for _ in range(_ATTEMPTS):
            there = await self._notebooks.read(self.path)
            merged = merge(there.notebook, cells, self._run, self._fold.anchor, self._written, reverted)
            refuse_loss(there.notebook, merged, self._run)
            try:
                if merged != there.notebook:
                    await self._notebooks.write(self.path, merged, there.version)
            except NotebookChanged:
                continue
            wanted = {cell["id"] for cell in cells}
            self._written = (self._written | cell_ids(merged, self._run)) & wanted
            return
        raise SurfaceError(f"{self.path} is being saved by another program all the time: close it there and ask again.")

"""What a server does about the runs of one that ended in their midst: it marks them, and saves what was not saved."""

from __future__ import annotations

import asyncio
import logging

from datarus_jupyter.errors import DatarusError
from datarus_jupyter.server.registry import RunNotFound, RunRegistry
from datarus_jupyter.server.unsaved import UnsavedRuns

_log = logging.getLogger(__name__)


class Recovery:
    """One task at the server's start. ``grace`` is the seconds in which open tabs come back and write themselves."""

    def __init__(self, runs: RunRegistry, unsaved: UnsavedRuns, grace: float) -> None:
        self._runs = runs
        self._unsaved = unsaved
        self._grace = grace
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the server's loop runs."""
        self._task = asyncio.create_task(self._recover([*self._unsaved]))

    async def close(self) -> None:
        """The server stops."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _recover(self, unsaved: list[str]) -> None:
        await self._runs.recover()
        if unsaved:
            await asyncio.sleep(self._grace)
        for run in unsaved:
            try:
                await self._runs.save(run)
            except RunNotFound:
                self._unsaved.discard(run)
            except DatarusError as error:
                _log.info("%s", error)

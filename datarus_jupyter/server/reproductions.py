"""Checks whether notebooks reproduce: one at a time in each, its results sent to all tabs as they come."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Literal

import msgspec

from datarus_jupyter.errors import DatarusError
from datarus_jupyter.journal.secrets import Secrets
from datarus_jupyter.reproduce.rerun import CellResult, Rerun
from datarus_jupyter.reproduce.scratch import FolderTooLarge
from datarus_jupyter.server.contents import ContentsNotebooks
from datarus_jupyter.server.registry import RunConflict
from datarus_jupyter.server.tabs import Tab, Tabs

_log = logging.getLogger(__name__)

FAILED = "The check failed for a reason of its own, which is in the server's log: check again."
_CLOSING_SECONDS = 15.0

State = Literal["running", "done", "stopped", "failed", "cleared"]


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST notebooks/reproduce``. ``in_place`` runs in the folder itself, not in a copy of it."""

    notebook: str
    run: str | None = None
    in_place: bool = False


@dataclass(slots=True)
class _Reproduction:
    id: int
    check: Check
    total: int
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    state: State = "running"
    message: str = ""
    too_large: bool = False
    cells: list[CellResult] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    def frame(self, cells: list[CellResult]) -> dict[str, Any]:
        return {
            "kind": "reproduction",
            "notebook": self.check.notebook,
            "check": self.id,
            "run": self.check.run,
            "state": self.state,
            "total": self.total,
            "cells": cells,
            "seconds": round(self.seconds or time.monotonic() - self.begun, 3),
            "message": self.message,
            "too_large": self.too_large,
        }


class Reproductions:
    """The checks under way, and the last one of each notebook."""

    def __init__(self, contents_manager: Any, kernel_manager: Any, tabs: Tabs, secrets: Secrets) -> None:
        self._notebooks = ContentsNotebooks(contents_manager)
        self._kernels = kernel_manager
        self._tabs = tabs
        self._secrets = secrets
        self._ids = count(1)
        self._known: dict[str, _Reproduction] = {}

    async def start(self, check: Check) -> int:
        """Start a check of the notebook as it is on disk; its number. Raises ``RunConflict``, ``DatarusError``."""
        snapshot = await self._notebooks.read(check.notebook)
        rerun = Rerun(
            dict(snapshot.notebook),
            Path(self._kernels.cwd_for_path(check.notebook)),
            run=check.run,
            in_place=check.in_place,
        )
        one = _Reproduction(next(self._ids), check, rerun.total)
        before = self._known.get(check.notebook)
        if before and before.state == "running":
            raise RunConflict("A check of this notebook is under way: wait for its end or stop it first.")
        self._known[check.notebook] = one
        self._send(one, [])
        one.task = asyncio.create_task(self._work(one, rerun))
        one.task.add_done_callback(partial(self._ended, one))
        return one.id

    async def stop(self, notebook: str) -> None:
        """Stop the check that is under way, if one is; what is known by then stays."""
        one = self._known.get(notebook)
        if one and one.task and not one.task.done():
            one.task.cancel()
            await asyncio.wait([one.task], timeout=_CLOSING_SECONDS)

    async def clear(self, notebook: str) -> None:
        """Forget the notebook's check; one under way is stopped first."""
        await self.stop(notebook)
        if one := self._known.pop(notebook, None):
            one.state = "cleared"
            self._send(one, [])

    def follow(self, tab: Tab, notebook: str) -> None:
        """Tell a tab what is known of the notebook."""
        if one := self._known.get(notebook):
            tab.outbox.state("reproduction", str(one.id), frame=one.frame(one.cells))
            tab.wake()

    async def close(self) -> None:
        """The server stops: end all checks."""
        for notebook in tuple(self._known):
            await self.stop(notebook)

    async def _work(self, one: _Reproduction, rerun: Rerun) -> None:
        async with aclosing(rerun.results()) as results:
            async for result in results:
                # A reason quotes what the cells printed.
                shown = replace(result, reason=self._secrets.redact(result.reason))
                one.cells.append(shown)
                self._send(one, [shown])

    def _ended(self, one: _Reproduction, task: asyncio.Task[None]) -> None:
        one.seconds = time.monotonic() - one.begun
        if task.cancelled():
            one.state = "stopped"
        elif error := task.exception():
            one.state, one.message = "failed", str(error) if isinstance(error, DatarusError) else FAILED
            one.too_large = isinstance(error, FolderTooLarge)
            _log.info("The check of %s failed.", one.check.notebook, exc_info=error)
        else:
            one.state = "done"
        self._send(one, [])

    def _send(self, one: _Reproduction, cells: list[CellResult]) -> None:
        # Each under a key of its own: a frame that waits must not be replaced by the next cell's.
        place = str(len(one.cells)) if cells else one.state
        self._tabs.broadcast("reproduction", str(one.id), place, frame=one.frame(cells))

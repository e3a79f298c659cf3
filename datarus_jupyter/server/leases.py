"""Who writes a notebook's cells: one open tab, or the file surface where no tab is open.

``Lease`` is the state machine of one notebook, pure: a tab that opens takes over from the file; when the writer's
socket goes away its place stays vacant for a short grace, in which a reload comes back; then the tab that opened last
takes over, else the file. ``Leases`` adds the clock and tells the world.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

FILE: Final = "file"
VACANT: Final = ""


@dataclass(slots=True)
class Lease:
    """One notebook's lease. ``holder`` is the name of a tab in ``tabs``, ``FILE`` or ``VACANT``."""

    tabs: list[str] = field(default_factory=list)
    holder: str = FILE

    def open(self, tab: str) -> None:
        """``tab`` shows the notebook from now on."""
        if tab not in self.tabs:
            self.tabs.append(tab)
        if self.holder in (FILE, VACANT):
            self.holder = tab

    def close(self, tab: str, *, grace: bool) -> None:
        """``tab`` shows it no longer. With ``grace``, its place as the writer stays vacant until ``expire``."""
        if tab in self.tabs:
            self.tabs.remove(tab)
        if self.holder == tab:
            self.holder = VACANT if grace else self._next()

    def vacate(self) -> None:
        """A tab that had the notebook elsewhere is about to open it."""
        if self.holder == FILE:
            self.holder = VACANT

    def expire(self) -> None:
        """The grace is over: the next one takes a vacant place."""
        if self.holder == VACANT:
            self.holder = self._next()

    def _next(self) -> str:
        return self.tabs[-1] if self.tabs else FILE


Announce = Callable[[str, str, str], Awaitable[None]]
"""Called with the notebook, the former holder and the new one; must not raise."""


class Leases:
    """The leases of all notebooks. ``grace`` is in seconds.

    ``announce`` is awaited at each change of holder; the next change of the same notebook waits for it, so the file
    surface can finish its last write before a tab is told that it is the writer.
    """

    def __init__(self, grace: float, announce: Announce) -> None:
        self._grace = grace
        self._announce = announce
        self._leases: dict[str, tuple[Lease, asyncio.Lock]] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}

    def holder(self, notebook: str) -> str:
        """Who writes the notebook now."""
        return self._of(notebook)[0].holder

    def tabs(self, notebook: str) -> tuple[str, ...]:
        """The tabs that show the notebook, in the order in which they opened it."""
        return tuple(self._of(notebook)[0].tabs)

    async def open(self, notebook: str, tab: str) -> None:
        """``tab`` shows the notebook."""
        await self._change(notebook, lambda lease: lease.open(tab))

    async def close(self, notebook: str, tab: str) -> None:
        """The user closed the notebook in ``tab``: its lease passes on at once."""
        await self._change(notebook, lambda lease: lease.close(tab, grace=False))

    async def lose(self, notebook: str, tab: str) -> None:
        """The socket of ``tab`` went away: its lease passes on after the grace."""
        await self._change(notebook, lambda lease: lease.close(tab, grace=True))
        self._expire_after_grace(notebook)

    def _expire_after_grace(self, notebook: str) -> None:
        if self.holder(notebook) == VACANT:
            self._cancel(notebook)
            self._timers[notebook] = asyncio.create_task(self._expire_later(notebook))

    async def move(self, notebook: str, path: str) -> None:
        """The notebook is at ``path`` now. Its tabs open it there; until then, for the grace, nobody writes it."""
        lease, _ = self._of(notebook)
        del self._leases[notebook]
        self._cancel(notebook)
        if lease.holder != FILE:
            await self._change(path, Lease.vacate)
            self._expire_after_grace(path)

    async def stop(self) -> None:
        """Cancel the graces under way."""
        timers = tuple(self._timers.values())
        for notebook in tuple(self._timers):
            self._cancel(notebook)
        await asyncio.gather(*timers, return_exceptions=True)

    def _cancel(self, notebook: str) -> None:
        if timer := self._timers.pop(notebook, None):
            timer.cancel()

    async def _expire_later(self, notebook: str) -> None:
        await asyncio.sleep(self._grace)
        await self._change(notebook, Lease.expire)

    def _of(self, notebook: str) -> tuple[Lease, asyncio.Lock]:
        return self._leases.setdefault(notebook, (Lease(), asyncio.Lock()))

    async def _change(self, notebook: str, change: Callable[[Lease], None]) -> None:
        lease, lock = self._of(notebook)
        async with lock:
            before = lease.holder
            change(lease)
            if lease.holder != before:
                await self._announce(notebook, before, lease.holder)

"""The open tabs: what each is sent, and which of them writes a notebook's cells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from datarus_jupyter.journal.events import Event
from datarus_jupyter.server.file_writers import FileWriters
from datarus_jupyter.server.leases import FILE, Leases
from datarus_jupyter.server.outbox import Outbox


class Tab:
    """One connected tab. ``name`` is unique among those connected; ``disconnect`` closes its socket."""

    def __init__(self, name: str, disconnect: Callable[[], None]) -> None:
        self.name = name
        self.disconnect = disconnect
        self.outbox = Outbox()
        self._waiting = asyncio.Event()

    def wake(self) -> None:
        """Something was put into the outbox."""
        self._waiting.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield the outbox's frames as they come, without end."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while (frame := self.outbox.take()) is not None:
                yield frame


class Tabs:
    """All connected tabs. ``grace`` is the seconds in which a lost tab may come back before another one writes."""

    def __init__(self, grace: float, files: FileWriters) -> None:
        self._tabs: dict[str, Tab] = {}
        self._files = files
        self._leases = Leases(grace, self._announce)
        self._leaving: set[asyncio.Task[None]] = set()
        self._stopped = False

    def join(self, tab: Tab) -> None:
        """A tab connected. A former connection of the same page, which may hang half-open, is given up."""
        if before := self._tabs.get(tab.name):
            self.leave(before)
            before.disconnect()
        self._tabs[tab.name] = tab

    def leave(self, tab: Tab) -> None:
        """Its socket is gone, whatever the reason. Its leases pass on after the grace."""
        if self._tabs.get(tab.name) is tab:
            del self._tabs[tab.name]
            if self._stopped:
                return
            leaving = asyncio.create_task(self._lose(tab))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def _lose(self, tab: Tab) -> None:
        for notebook in tab.outbox.notebooks:
            await self._leases.lose(notebook, tab.name)

    async def open(self, tab: Tab, notebook: str) -> None:
        """``tab`` shows the notebook; it hears whether it is the writer."""
        if self._tabs.get(tab.name) is tab:
            await self._leases.open(notebook, tab.name)
            self._tell(tab, notebook, self._leases.holder(notebook))

    async def close(self, tab: Tab, notebook: str) -> None:
        """The user closed the notebook in ``tab``."""
        tab.outbox.close(notebook)
        await self._leases.close(notebook, tab.name)

    async def move(self, notebook: str, path: str) -> None:
        """The notebook is at ``path`` now; the tabs that show it open it there."""
        await self._leases.move(notebook, path)
        if self._leases.holder(path) == FILE:
            self._files.take_over(path)

    def writer(self, notebook: str) -> str:
        """The name of the tab that writes the notebook's cells, ``FILE`` or ``VACANT``."""
        return self._leases.holder(notebook)

    def publish(self, notebook: str, event: Event) -> None:
        """An event was appended to the journal of one of the notebook's runs."""
        for name in self._leases.tabs(notebook):
            tab = self._tabs.get(name)
            if tab and notebook in tab.outbox.notebooks:
                tab.outbox.add(notebook, event)
                tab.wake()

    def broadcast(self, *key: str, frame: object) -> None:
        """Send ``frame`` to every tab; it replaces the one that still waits under the same key."""
        for tab in self._tabs.values():
            tab.outbox.state(*key, frame=frame)
            tab.wake()

    async def stop(self) -> None:
        """The server stops: no lease changes hands any more."""
        self._stopped = True
        await asyncio.gather(*self._leaving)
        await self._leases.stop()

    async def _announce(self, notebook: str, before: str, after: str) -> None:
        if before == FILE:
            await self._files.hand_over(notebook)
        for name in self._leases.tabs(notebook):
            if name in self._tabs:
                self._tell(self._tabs[name], notebook, after)
        if after == FILE:
            self._files.take_over(notebook)

    def _tell(self, tab: Tab, notebook: str, writer: str) -> None:
        frame = {"kind": "lease", "notebook": notebook, "writer": tab.name == writer}
        tab.outbox.state("lease", notebook, frame=frame)
        tab.wake()

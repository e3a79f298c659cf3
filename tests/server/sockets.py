"""A tab's end of the socket, for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tornado.websocket import WebSocketClientConnection

from tests.patience import PATIENCE


class Browser:
    """Keeps every frame that came; ``until`` waits for a condition on them."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.closed = False

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.write_message(json.dumps({"kind": kind, **fields}))

    async def close(self) -> None:
        """Close the socket and wait for its end."""
        self.connection.close()
        if not self.closed:
            await self.ended()

    async def ended(self) -> None:
        """Wait until the socket is closed."""
        async with asyncio.timeout(PATIENCE):
            while await self.connection.read_message() is not None:
                pass
        self.closed = True

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Read frames until the condition is true, and return what it gave."""
        async with asyncio.timeout(PATIENCE):
            while not (result := condition()):
                message = await self.connection.read_message()
                assert message is not None, f"the server closed the socket after {self.frames}"
                self.frames.append(json.loads(message))
        return result

    def events(self, run: str | None = None) -> list[dict[str, Any]]:
        """The events so far, of one run or of all."""
        sent = [event for frame in self.frames if frame["kind"] == "events" for event in frame["events"]]
        return [event for event in sent if run in (None, event["run"])]

    def event(self, kind: str, **fields: Any) -> dict[str, Any] | None:
        """The first event of that type with these fields."""
        for event in self.events():
            if event["type"] == kind and fields.items() <= event.items():
                return event
        return None

    def caught_up(self) -> bool:
        return any(frame["kind"] == "caught_up" for frame in self.frames)

    def writer(self, notebook: str = "a.ipynb") -> bool | None:
        """What the last lease frame said; None before the first."""
        leases = [frame for frame in self.frames if frame["kind"] == "lease" and frame["notebook"] == notebook]
        return leases[-1]["writer"] if leases else None

    async def open(self, notebook: str = "a.ipynb", **since: int) -> None:
        """Follow the notebook and wait until all from before is here."""
        before = sum(frame["kind"] == "caught_up" for frame in self.frames)
        await self.send("open", notebook=notebook, since=since)
        await self.until(lambda: sum(frame["kind"] == "caught_up" for frame in self.frames) > before)

"""A tab's end of the wire, without a browser: starts runs over REST and hears their events over the WebSocket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.browser.lab import Lab

_SECONDS = 120.0


class Client:
    """One tab, which shows ``notebook``."""

    def __init__(self, http: httpx.AsyncClient, socket: WebSocketClientConnection, notebook: str) -> None:
        self._http = http
        self._socket = socket
        self._notebook = notebook

    async def open(self) -> None:
        """Show the notebook: the server then sends its runs. Its kernel is started, as Lab does."""
        await self._socket.write_message(json.dumps({"kind": "open", "notebook": self._notebook}))
        session = {"path": self._notebook, "name": self._notebook, "type": "notebook", "kernel": {"name": "python3"}}
        await self._post("api/sessions", session)

    async def ask(self, question: str) -> str:
        """Start a run; its id."""
        started = await self._post("datarus/api/runs", {"question": question, "notebook": self._notebook})
        return str(started["run"])

    async def stop(self, run: str) -> None:
        """End the run."""
        await self._post(f"datarus/api/runs/{run}/stop", {})

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """What the server sends, without end."""
        while True:
            message = await self._socket.read_message()
            assert isinstance(message, str | bytes), "the server closed the socket"
            yield json.loads(message)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """The events among it."""
        async for frame in self.frames():
            if frame["kind"] == "events":
                for event in frame["events"]:
                    yield event

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = await self._http.post(path, json=body)
        return response.raise_for_status().json()


@asynccontextmanager
async def connected(lab: Lab, notebook: str) -> AsyncIterator[Client]:
    """A client of the server."""
    url = f"{lab.url.replace('http', 'ws', 1)}/datarus/ws?token={lab.token}"
    headers = {"Authorization": f"token {lab.token}"}
    socket = await websocket_connect(url, max_message_size=1 << 30)
    async with httpx.AsyncClient(base_url=lab.url, headers=headers, timeout=_SECONDS, trust_env=False) as http:
        try:
            yield Client(http, socket, notebook)
        finally:
            socket.close()

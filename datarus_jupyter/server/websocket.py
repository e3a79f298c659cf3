"""The WebSocket: one a tab. docs/protocol.md describes its frames."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from typing import Any

import msgspec
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from datarus_jupyter.errors import DatarusError
from datarus_jupyter.journal.cells import sha256
from datarus_jupyter.journal.events import UserEdited
from datarus_jupyter.server.api import may_execute
from datarus_jupyter.server.services import Services
from datarus_jupyter.server.tabs import Tab

_PING_MILLISECONDS = 20_000


class Open(msgspec.Struct, frozen=True, tag_field="kind", tag="open"):
    """Follow the notebook's runs, each from its seq in ``since``."""

    notebook: str
    since: dict[str, int] = {}


class Close(msgspec.Struct, frozen=True, tag_field="kind", tag="close"):
    """The notebook is not shown any more."""

    notebook: str


class Ack(msgspec.Struct, frozen=True, tag_field="kind", tag="ack"):
    """The notebook's cells hold all events of the run up to ``seq``; ``saved``: on disk or shared, too."""

    notebook: str
    run: str
    seq: int
    saved: bool = False


class Edited(msgspec.Struct, frozen=True, tag_field="kind", tag="edited"):
    """The user changed a cell of the run."""

    run: str
    step: int
    cell: str
    source: str


_decoder: msgspec.json.Decoder[Open | Close | Ack | Edited] = msgspec.json.Decoder(Open | Close | Ack | Edited)


class TabSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """The server's end of a tab's socket. ``?tab=`` names the page, so that it can replace its own lost connection."""

    auth_resource = "datarus"

    def initialize(self, services: Services) -> None:
        """Called by tornado with the route's arguments."""
        super().initialize()
        self._services = services

    @property
    def ping_interval(self) -> int:
        """In milliseconds: below the idle time after which proxies cut a connection."""
        return _PING_MILLISECONDS

    @ws_authenticated
    @may_execute
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Upgrade to a WebSocket."""
        await super().get(*args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """The socket is open."""
        super().open(*args, **kwargs)
        # With a prefix, so that no page can call itself what stands for the file surface.
        name = "tab-" + (self.get_query_argument("tab", "") or secrets.token_hex(8))
        self._tab = Tab(name, self.close)
        self._services.tabs.join(self._tab)
        self._sending = asyncio.create_task(self._send())

    async def on_message(self, message: str | bytes) -> None:
        """Do what a frame from the browser asks for; tornado hands over the next one when this is done."""
        if self._services.requests.closed:
            return
        try:
            await self._handle(_decoder.decode(message))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._refuse(f"The frame was not understood: {error}.")
        except DatarusError as error:
            self._refuse(str(error))

    def on_close(self) -> None:
        """The socket is gone."""
        super().on_close()
        self._sending.cancel()
        self._services.tabs.leave(self._tab)

    async def _handle(self, frame: Open | Close | Ack | Edited) -> None:
        services, tab = self._services, self._tab
        match frame:
            case Open(notebook, since):
                await self._warm(notebook)
                await services.runs.follow(tab, notebook, since)
                services.reproductions.follow(tab, notebook)
            case Close(notebook):
                await services.tabs.close(tab, notebook)
            case Ack(notebook, run, seq, saved):
                if saved and services.tabs.writer(notebook) == tab.name:
                    services.files.saved(notebook, run, seq)
                    await self._warm(notebook)
            case Edited(run, step, cell, source):
                edit = UserEdited(step=step, cell=cell, source=source, sha256=sha256(source))
                await services.runs.append(run, edit)

    async def _warm(self, notebook: str) -> None:
        """Have the engine read what a question would begin with, now that the notebook's cells are others."""
        services = self._services
        if not services.runs.busy and await services.notebook_exists(notebook):
            services.engines.warm(partial(services.agents.beginning, notebook))

    def _refuse(self, message: str) -> None:
        self._tab.outbox.state("error", frame={"kind": "error", "message": message})
        self._tab.wake()

    async def _send(self) -> None:
        """Send frame after frame; a slow reader is waited for here, where nobody else waits."""
        try:
            async for frame in self._tab.frames():
                await self.write_message(frame)
        except WebSocketClosedError:
            pass

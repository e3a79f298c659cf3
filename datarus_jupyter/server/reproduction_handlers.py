"""REST: whether a notebook reproduces."""

from __future__ import annotations

import msgspec
from tornado import web

from datarus_jupyter.server.api import DatarusHandler, may_execute
from datarus_jupyter.server.reproductions import Check


class ReproduceHandler(DatarusHandler):
    """``notebooks/reproduce``."""

    @web.authenticated
    @may_execute
    async def post(self) -> None:
        """Start a check; its results come over the WebSocket."""
        check = self.body(Check)
        check = msgspec.structs.replace(check, notebook=await self.notebook(check.notebook))
        self.reply({"check": await self.services.reproductions.start(check)}, 201)


class NotebookBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which notebook."""

    notebook: str


class StopReproducingHandler(DatarusHandler):
    """``notebooks/reproduce/stop``."""

    @web.authenticated
    @may_execute
    async def post(self) -> None:
        """Stop the check; the results so far stay."""
        await self.services.reproductions.stop(self.body(NotebookBody).notebook.strip("/"))
        self.reply({}, 202)


class ClearReproductionHandler(DatarusHandler):
    """``notebooks/reproduce/clear``."""

    @web.authenticated
    @may_execute
    async def post(self) -> None:
        """Stop the check and forget its results."""
        await self.services.reproductions.clear(self.body(NotebookBody).notebook.strip("/"))
        self.reply({}, 202)

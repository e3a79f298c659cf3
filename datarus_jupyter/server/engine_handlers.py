"""REST: engines, the embedded engine's models, suggestions."""

from __future__ import annotations

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from datarus_jupyter.server.api import DatarusHandler


class EnginesHandler(DatarusHandler):
    """``engines``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """All engines, and which is asked where a request names none."""
        engines = self.services.engines
        self.reply({"active": engines.active, "engines": await engines.statuses()})


class CheckHandler(DatarusHandler):
    """``engines/{name}/check``."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Ask the engine a few things and say in plain words how fit it is."""
        self.reply({"lines": await self.services.engines.check(name)})


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An engine's API key; '' forgets it."""

    key: str


class KeyHandler(DatarusHandler):
    """``engines/{name}/key``: written only."""

    @web.authenticated
    @authorized
    async def put(self, name: str) -> None:
        """Keep the key in the keyring or in a file."""
        await self.services.engines.set_key(name, self.body(KeyBody).key)
        self.reply({})


class ModelsHandler(DatarusHandler):
    """``models``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The catalogue."""
        self.reply(self.services.models.list())


class PullHandler(DatarusHandler):
    """``models/{name}/pull``."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Start or continue the download."""
        self.services.models.pull(name)
        self.reply({}, 202)


class CancelHandler(DatarusHandler):
    """``models/{name}/cancel``."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Stop the download; what is there is kept."""
        await self.services.models.cancel(name)
        self.reply({}, 202)


class SuggestionsHandler(DatarusHandler):
    """``suggestions``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Up to three questions about the data files next to the notebook."""
        notebook = await self.notebook(self.get_query_argument("notebook"))
        self.reply({"questions": await self.services.suggestions(notebook)})

"""What all REST handlers share: JSON in, JSON out, and one sentence where something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler

from datarus_jupyter.errors import AttachmentError, ConfigError, DatarusError
from datarus_jupyter.server.registry import RunConflict, RunNotFound
from datarus_jupyter.server.services import Services

_BODY_BYTES = 1024 * 1024

Body = TypeVar("Body")
Method = TypeVar("Method", bound=Callable[..., Any])

may_execute = cast(Callable[[Method], Method], authorized("execute", "datarus"))
"""For what runs code in a kernel, or decides that code runs."""


class BadRequest(DatarusError):
    """The request's body or arguments have no sense."""


class TooLarge(DatarusError):
    """The request's body is larger than any that has sense."""


_STATUS: dict[type[DatarusError], int] = {
    AttachmentError: 400,
    BadRequest: 400,
    ConfigError: 400,
    RunNotFound: 404,
    RunConflict: 409,
    TooLarge: 413,
}
_UNAVAILABLE = 503


class DatarusHandler(APIHandler):
    """A handler under ``{base_url}datarus/api``. A ``DatarusError`` becomes its status and message."""

    auth_resource = "datarus"

    def initialize(self, services: Services) -> None:
        """Called by tornado with the route's arguments."""
        super().initialize()
        self.services = services

    async def prepare(self) -> None:  # type: ignore[override]
        """Called by tornado before the request's method."""
        self.services.requests.enter()
        await super().prepare()

    def body(self, kind: type[Body]) -> Body:
        """The request's JSON body. Raises ``BadRequest``, ``TooLarge``."""
        if len(self.request.body) > _BODY_BYTES:
            raise TooLarge(f"The request is larger than {_BODY_BYTES // 1024} KB: send less.")
        try:
            return msgspec.json.decode(self.request.body or b"{}", type=kind)
        except msgspec.DecodeError as error:
            raise BadRequest(f"The request was not understood: {error}.") from error

    async def notebook(self, path: str) -> str:
        """The path of a notebook that is there, as the contents API has it. Raises ``BadRequest``, ``RunNotFound``."""
        path = path.strip("/")
        if not path.endswith(".ipynb"):
            raise BadRequest("Name a notebook: its path ends in .ipynb.")
        if not await self.services.notebook_exists(path):
            raise RunNotFound(f"There is no notebook {path}: save it or check its path.")
        return path

    def reply(self, content: object, status: int = 200) -> None:
        """Answer with ``content`` as JSON."""
        self.set_status(status)
        self.finish(msgspec.json.encode(content))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with ``{"message": …}``."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, DatarusError):
            self.reply({"message": str(error)}, status_of(error))
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A ``DatarusError`` is the user's to mend and needs no traceback."""
        if isinstance(value, DatarusError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, value)
        else:
            super().log_exception(typ, value, tb)


def status_of(error: DatarusError) -> int:
    """The HTTP status of an error; 503 where something that we need fails."""
    return _STATUS.get(type(error), _UNAVAILABLE)

"""The embedded engine's models: which are there, and the downloads under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from datarus_jupyter.engines.catalogue import CATALOGUE, CatalogueModel, find_model
from datarus_jupyter.errors import DownloadError

_REPORT_SECONDS = 0.2
"""A download reports at most five times a second."""


class ModelStatus(msgspec.Struct, frozen=True):
    """A model of the catalogue; ``bytes`` and ``received`` are sizes. ``message`` says why a download failed."""

    name: str
    title: str
    licence: str
    bytes: int
    received: int
    state: Literal["absent", "pulling", "present", "failed"]
    message: str = ""


class Models:
    """The models of ``directory``. ``changed`` is called with each new status."""

    def __init__(self, directory: Path, changed: Callable[[ModelStatus], None]) -> None:
        self._directory = directory
        self._changed = changed
        self._pulls: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, str] = {}
        self._reported: dict[str, float] = {}

    def list(self) -> list[ModelStatus]:
        """All models of the catalogue."""
        return [self._status(model) for model in CATALOGUE]

    def pull(self, name: str) -> None:
        """Start the download or go on with it. Raises ``ConfigError`` for a name that is not in the catalogue."""
        model = find_model(name)
        if name not in self._pulls and model.state(self._directory) == "absent":
            self._failures.pop(name, None)
            self._pulls[name] = asyncio.create_task(self._pull(model))
            self._pulls[name].add_done_callback(lambda _: self._ended(model))
            self._changed(self._status(model))

    async def cancel(self, name: str) -> None:
        """Stop the download; what is there is kept. Raises ``ConfigError`` for an unknown name."""
        find_model(name)
        if task := self._pulls.get(name):
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """The server stops: end all downloads."""
        for name in tuple(self._pulls):
            await self.cancel(name)

    async def _pull(self, model: CatalogueModel) -> None:
        from datarus_jupyter.engines.download import pull

        try:
            await pull(model, self._directory, progress=lambda received, _: self._report(model, received))
        except DownloadError as error:
            self._failures[model.name] = str(error)

    def _ended(self, model: CatalogueModel) -> None:
        del self._pulls[model.name]
        self._changed(self._status(model))

    def _report(self, model: CatalogueModel, received: int) -> None:
        now = time.monotonic()
        if now - self._reported.get(model.name, 0.0) >= _REPORT_SECONDS:
            self._reported[model.name] = now
            self._changed(msgspec.structs.replace(self._status(model), received=received))

    def _status(self, model: CatalogueModel) -> ModelStatus:
        message = self._failures.get(model.name, "")
        state: Literal["absent", "pulling", "present", "failed"] = model.state(self._directory)
        if model.name in self._pulls:
            state = "pulling"
        elif message and state == "absent":
            state = "failed"
        received = model.received(self._directory)
        return ModelStatus(model.name, model.title, model.licence, model.bytes, received, state, message)

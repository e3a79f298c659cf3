"""One class for each kind of engine: makes it when it is first needed, and tells how it is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from datarus_jupyter.agent.interfaces import Engine
from datarus_jupyter.engines.catalogue import CatalogueModel
from datarus_jupyter.errors import EngineError
from datarus_jupyter.protocol.prompts import fixed_prefix, profile_for

if TYPE_CHECKING:
    # httpx, which these need, costs memory and time that a server which is never asked anything should not spend.
    from datarus_jupyter.engines.embedded import Embedded
    from datarus_jupyter.engines.openai_compatible import OpenAICompatible

Kind = Literal["embedded", "openai"]
State = Literal["ready", "starting", "stopped", "missing", "unreachable"]

_FRESH_SECONDS = 10.0


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """``Engine`` of docs/protocol.md. The speeds are of the last turn, None before."""

    name: str
    kind: Kind
    url: str
    model: str
    state: State
    message: str = ""
    model_file: str | None = None
    first_token_seconds: float | None = None
    tokens_per_second: float | None = None


class Source(Protocol):
    """Where an engine comes from."""

    name: str

    def engine(self) -> Engine:
        """The engine, made at the first call. Raises ``ConfigError``."""
        ...

    async def look(self) -> None:
        """Find out how it is doing, within seconds."""
        ...

    def status(self) -> EngineStatus:
        """How it was doing when it was last looked at or used."""
        ...

    async def warm(self) -> None:
        """Make it ready for a first question. Raises ``EngineError``."""
        ...

    async def close(self) -> None:
        """End what was started."""
        ...


class EmbeddedSource:
    """The embedded engine with a model of the catalogue."""

    name = "embedded"

    def __init__(self, model: CatalogueModel, directory: Path, changed: Callable[[], None]) -> None:
        self._model = model
        self._directory = directory
        self._changed = changed
        self._engine: Embedded | None = None

    def engine(self) -> Embedded:
        if self._engine is None:
            from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings

            settings = EmbeddedSettings(self._model.name, self._model.path(self._directory))
            self._engine = Embedded(settings, on_state=self._changed)
        return self._engine

    async def look(self) -> None:
        """Its state is always known."""

    def status(self) -> EngineStatus:
        engine = self._engine
        state: State = engine.state if engine else "stopped"
        if self._model.state(self._directory) != "present":
            state = "missing"
        return EngineStatus(
            name=self.name,
            kind="embedded",
            url=engine.url if engine else "",
            model=self._model.name,
            state=state,
            message=engine.message if engine else "",
            model_file=self._model.name,
        )

    async def warm(self) -> None:
        if self._model.state(self._directory) == "present":
            await self.engine().warm(fixed_prefix(profile_for(self._model.name)))

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.aclose()


class RemoteSource:
    """An engine behind a URL."""

    def __init__(self, name: str, url: str, model: str, key: str) -> None:
        self.name = name
        self._url = url
        self._model = model
        self._key = key
        self._engine: OpenAICompatible | None = None
        self._message = ""
        self._state: State = "stopped"
        self._looked = float("-inf")

    def engine(self) -> OpenAICompatible:
        if self._engine is None:
            from datarus_jupyter.engines.openai_compatible import OpenAICompatible

            self._engine = OpenAICompatible(self._url, self._model, key=self._key, name=self.name)
        return self._engine

    async def look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._looked < _FRESH_SECONDS:
            return
        self._looked = now
        try:
            await self.engine().probe()
            self._state, self._message = "ready", ""
        except EngineError as error:
            self._state, self._message = "unreachable", str(error)

    def status(self) -> EngineStatus:
        model = self._engine.model if self._engine else self._model
        return EngineStatus(
            name=self.name, kind="openai", url=self._url, model=model, state=self._state, message=self._message
        )

    async def warm(self) -> None:
        """Others look after their own engine."""

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.aclose()


class ScriptedSource:
    """Prepared replies from a file, for tests and demonstrations."""

    name = "scripted"

    def __init__(self, path: str, tokens_per_second: float) -> None:
        self._path = path
        self._rate = tokens_per_second
        self._engine: Engine | None = None

    def engine(self) -> Engine:
        if self._engine is None:
            from datarus_jupyter.engines.scripted import ScriptedEngine

            self._engine = ScriptedEngine.from_file(self._path, tokens_per_second=self._rate)
        return self._engine

    async def look(self) -> None:
        """A file needs no look."""

    def status(self) -> EngineStatus:
        return EngineStatus(name=self.name, kind="openai", url="", model="script", state="ready")

    async def warm(self) -> None:
        """Nothing to warm."""

    async def close(self) -> None:
        """Nothing was started."""

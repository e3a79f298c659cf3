"""The engines that this server can ask, and how fast the last turn of each was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from datarus_jupyter.agent.interfaces import Engine
from datarus_jupyter.errors import ConfigError, EngineError
from datarus_jupyter.journal.events import Usage
from datarus_jupyter.server.engine_sources import EngineStatus, Source

_log = logging.getLogger(__name__)


class Engines:
    """The first of ``sources`` is the active one. ``changed`` is called with each new status."""

    def __init__(self, sources: Sequence[Source], changed: Callable[[EngineStatus], None]) -> None:
        self._sources = {source.name: source for source in sources}
        self.active = sources[0].name
        self._changed = changed
        self._speeds: dict[str, tuple[float, float | None]] = {}
        self._warming: asyncio.Task[None] | None = None

    def engine(self, name: str | None = None) -> Engine:
        """The engine of that name, else the active one. Raises ``ConfigError``."""
        return self._source(name or self.active).engine()

    async def list(self) -> list[EngineStatus]:
        """How each engine is doing, asked now."""
        await asyncio.gather(*(source.look() for source in self._sources.values()))
        return [self.status(name) for name in self._sources]

    def status(self, name: str) -> EngineStatus:
        """How the engine was doing when it was last looked at or used. Raises ``ConfigError``."""
        status = self._source(name).status()
        first, rate = self._speeds.get(name, (None, None))
        return msgspec.structs.replace(status, first_token_seconds=first, tokens_per_second=rate)

    def used(self, name: str, usage: Usage) -> None:
        """The engine took a turn."""
        writing = usage.seconds - usage.first_token_seconds
        rate = usage.completion_tokens / writing if writing > 0 else None
        self._speeds[name] = (usage.first_token_seconds, rate)
        self.notice(name)

    def notice(self, name: str) -> None:
        """The engine's state changed."""
        if name in self._sources:
            self._changed(self.status(name))

    def warm(self) -> None:
        """Somebody may ask soon: make the active engine ready, in the background."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._warm())

    async def close(self) -> None:
        """The server stops: end what was started."""
        if self._warming:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        for source in self._sources.values():
            await source.close()

    async def _warm(self) -> None:
        try:
            await self._source(self.active).warm()
        except EngineError as error:
            _log.warning("%s", error)

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            raise ConfigError(f"There is no engine {name}: choose one of {', '.join(self._sources)}.")
        return self._sources[name]

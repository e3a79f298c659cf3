"""The engines that this server can ask, how they are doing, and how fast the last turn of each was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from datarus_jupyter.agent.interfaces import Question
from datarus_jupyter.engines.catalogue import CATALOGUE, CatalogueModel, models_dir
from datarus_jupyter.errors import ConfigError, EngineError
from datarus_jupyter.journal.events import Usage
from datarus_jupyter.journal.secrets import Secrets
from datarus_jupyter.protocol.prompts import Profile, first_messages, fixed_prefix, profile_for

if TYPE_CHECKING:
    # What these import costs memory and time that a server which is never asked anything should not spend.
    from datarus_jupyter.engines.keys import KeySource
    from datarus_jupyter.engines.readiness import ReadinessLine
    from datarus_jupyter.engines.served import ServedEngine

_log = logging.getLogger(__name__)

EMBEDDED = "embedded"
_LOOK_SECONDS = 10.0
"""How long what an engine said of itself stays true."""


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """``Engine`` of docs/protocol.md. ``context`` is in tokens. What is not known yet is None."""

    name: str
    kind: Literal["embedded", "openai"]
    url: str
    model: str
    state: Literal["ready", "starting", "stopped", "missing", "unreachable"]
    message: str
    model_file: str | None
    context: int | None
    first_token_seconds: float | None
    tokens_per_second: float | None
    key: Literal["", "environment", "keyring", "file"] = ""
    """Where its API key is kept; the key itself is never told."""


class Engines:
    """The engine that ``settings`` and the environment name, and the embedded one.

    ``settings`` are fields of ``EngineConfig``. ``changed`` is called with each new status. Nothing is made before it
    is first asked for; a setting that has no sense is told then, by ``ConfigError``.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        profile: Profile | None,
        changed: Callable[[EngineStatus], None],
        secrets: Secrets | None = None,
    ) -> None:
        self._settings = settings
        self._secrets = secrets or Secrets()
        self._keys: dict[str, KeySource] = {}
        self._profile = profile
        self._changed = changed
        self._made: dict[str, ServedEngine] = {}
        self._looked: dict[str, float] = {}
        self._speeds: dict[str, tuple[float, float | None]] = {}
        self._warming: asyncio.Task[None] | None = None

    @property
    def active(self) -> str:
        """The name of the engine that is asked where a request names none. Raises ``ConfigError``."""
        return next(iter(self._engines))

    def engine(self, name: str | None = None) -> ServedEngine:
        """The engine of that name, else the active one. Raises ``ConfigError``."""
        name = name or self.active
        if name not in self._engines:
            raise ConfigError(f"There is no engine {name}: choose one of {', '.join(self._engines)}.")
        return self._engines[name]

    def engine_or_active(self, name: str) -> ServedEngine:
        """The engine of that name, or the active one if it is there no more. Raises ``ConfigError``."""
        return self.engine(name if name in self._engines else None)

    async def statuses(self) -> list[EngineStatus]:
        """How each engine is doing, asked now where it is somebody else's. Raises ``ConfigError``."""
        await asyncio.gather(*map(self._look, self._engines))
        return [self.status(name) for name in self._engines]

    def status(self, name: str) -> EngineStatus:
        """How the engine was doing when it was last looked at or used. Raises ``ConfigError``."""
        engine, model = self.engine(name), self._model(name)
        first, rate = self._speeds.get(name, (None, None))
        state = engine.state
        if model and state in ("stopped", "missing"):
            state = "stopped" if model.state(models_dir()) == "present" else "missing"
        return EngineStatus(
            name=name,
            kind="embedded" if name == EMBEDDED else "openai",
            url=engine.url,
            model=engine.model,
            state=state,
            message="" if state == "stopped" else engine.message,
            model_file=model.name if model else None,
            context=engine.capabilities.context if engine.capabilities else None,
            first_token_seconds=first,
            tokens_per_second=rate,
            key=self._keys.get(name, ""),
        )

    async def check(self, name: str) -> list[ReadinessLine]:
        """The readiness check. Raises ``ConfigError``."""
        from datarus_jupyter.engines.readiness import check

        return [line async for line in check(self.engine(name))]

    async def set_key(self, name: str, value: str) -> None:
        """Keep an engine's API key and use it from now on; '' forgets it. Raises ``ConfigError``."""
        from datarus_jupyter.engines.keys import store_key
        from datarus_jupyter.engines.openai_compatible import OpenAICompatible

        engine = self.engine(name)
        if not isinstance(engine, OpenAICompatible):
            raise ConfigError(f"The engine {name} needs no key: there is nothing to set.")
        if self._keys.get(name) == "environment":
            raise ConfigError(
                "The key of the environment comes first: take it out there and restart, then set it here."
            )
        self._secrets.add({f"the key of {name}": value})
        self._keys[name] = await asyncio.to_thread(store_key, name, value)
        engine.use_key(value.strip())
        self._looked.pop(name, None)
        self._notice(name)

    def used(self, name: str, usage: Usage) -> None:
        """The engine took a turn."""
        writing = usage.seconds - usage.first_token_seconds
        rate = usage.completion_tokens / writing if writing > 0 else None
        self._speeds[name] = (usage.first_token_seconds, rate)
        self._notice(name)

    def warm(self, beginning: Callable[[], Awaitable[Question]] | None = None) -> None:
        """Somebody may ask soon: make the active engine ready in the background, if its model is there.

        With ``beginning`` it reads what they would ask in as well, or a first answer would wait for that.
        """
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._warm(beginning))

    async def close(self) -> None:
        """The server stops: end what was started."""
        if self._warming:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        for engine in self._made.values():
            await engine.aclose()

    @property
    def _engines(self) -> dict[str, ServedEngine]:
        """By name, the active one first."""
        if not self._made:
            from datarus_jupyter.engines.config import EngineConfig, make_engine

            config = EngineConfig.load(self._settings)
            configs = {str(config.engine_kind): config}
            configs.setdefault(EMBEDDED, EngineConfig(kind="embedded"))
            self._made = {
                name: make_engine(each, name=name, on_state=partial(self._notice, name))
                for name, each in configs.items()
            }
            for name in configs.keys() - {EMBEDDED}:
                self._look_up_key(name)
        return self._made

    def _look_up_key(self, name: str) -> None:
        from datarus_jupyter.engines.keys import Key, find_key

        given = self._settings.get("key", "")
        key = Key(given, "environment") if given else find_key(name)
        self._keys[name] = key.source
        self._secrets.add({f"the key of {name}": key.value})

    async def _look(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        if name != EMBEDDED and now - self._looked.get(name, -_LOOK_SECONDS) >= _LOOK_SECONDS:
            self._looked[name] = now
            try:
                await self.engine(name).start()
            except EngineError:
                pass  # its state and message tell

    async def _warm(self, beginning: Callable[[], Awaitable[Question]] | None) -> None:
        try:
            if self.status(self.active).state != "missing":
                engine = self.engine()
                profile = self._profile or profile_for(engine.model)
                asked = await beginning() if beginning else None
                await engine.warm(
                    first_messages(profile, asked.text, asked.context, asked.earlier)
                    if asked
                    else fixed_prefix(profile)
                )
        except (EngineError, ConfigError) as error:
            _log.warning("%s", error)

    def _model(self, name: str) -> CatalogueModel | None:
        """The catalogue's model that the engine runs, if it is one."""
        model = self.engine(name).model if name == EMBEDDED else ""
        return next((entry for entry in CATALOGUE if entry.name == model), None)

    def _notice(self, name: str) -> None:
        if name in self._made:
            self._changed(self.status(name))

"""Which engine: a handful of settings, and the engine that they describe. The table of them is in docs/engines.md."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

from datarus_jupyter.engines.catalogue import DEFAULT_MODEL, find_model, models_dir
from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings
from datarus_jupyter.engines.keys import find_key
from datarus_jupyter.engines.openai_compatible import OpenAICompatible
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.engines.served import ServedEngine
from datarus_jupyter.errors import ConfigError

EngineKind = Literal["embedded", "openai", "scripted"]

_ENVIRONMENT = {
    "DATARUS_ENGINE": "kind",
    "DATARUS_ENGINE_URL": "url",
    "DATARUS_MODEL": "model",
    "DATARUS_API_KEY": "key",
    "DATARUS_THREADS": "threads",
    "DATARUS_CONTEXT": "context",
    "DATARUS_SLOTS": "slots",
    "DATARUS_WAIT_POLICY": "wait_policy",
    "DATARUS_LORA": "lora_file",
    "DATARUS_REPLIES": "replies",
    "DATARUS_TOKENS_PER_SECOND": "tokens_per_second",
}


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An engine in settings. ``kind`` '' follows from the rest: a ``url`` means openai, ``replies`` scripted.

    ``model``: for embedded a name of the catalogue or the path of a GGUF file, else the name that the server uses.
    ``threads``, ``context`` (tokens), ``slots``, ``wait_policy`` and ``lora_file``: see ``EmbeddedSettings``.
    ``replies`` (a reply file) and ``tokens_per_second`` are for scripted.
    """

    kind: EngineKind | Literal[""] = ""
    url: str = ""
    model: str = ""
    key: str = ""
    threads: int = 0
    context: int = 8192
    slots: int = 2
    wait_policy: Literal["", "active", "passive"] = "passive"
    lora_file: str = ""
    replies: str = ""
    tokens_per_second: float = 0.0

    def __repr__(self) -> str:
        shown = {name: value for name, value in msgspec.structs.asdict(self).items() if value and name != "key"}
        return f"EngineConfig({shown})"

    @classmethod
    def load(
        cls, arguments: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
    ) -> EngineConfig:
        """From the environment, then ``arguments`` (by field; empty ones do not count), then the defaults.

        Raises ``ConfigError`` for a value that has no sense.
        """
        environment = os.environ if environment is None else environment
        settings = {name: value for name, value in (arguments or {}).items() if value not in (None, "")}
        settings |= {name: environment[key] for key, name in _ENVIRONMENT.items() if environment.get(key)}
        try:
            return msgspec.convert(settings, cls, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(f"The engine's settings have no sense ({error}): see docs/engines.md.") from error

    @property
    def engine_kind(self) -> EngineKind:
        """The kind, named or implied."""
        if self.kind:
            return self.kind
        return "openai" if self.url else "scripted" if self.replies else "embedded"


def make_engine(config: EngineConfig, *, name: str = "", on_state: Callable[[], None] | None = None) -> ServedEngine:
    """The engine that ``config`` describes; it is not started. Raises ``ConfigError``.

    ``name`` is what the user calls it, by default its kind. ``on_state`` is called when its state changes.
    """
    name = name or config.engine_kind
    if config.engine_kind == "scripted":
        if not config.replies:
            raise ConfigError("The scripted engine has no reply file: set DATARUS_REPLIES.")
        return ScriptedEngine.from_file(config.replies, tokens_per_second=config.tokens_per_second, name=name)
    if config.engine_kind == "openai":
        url = _api_base(config.url)
        key = config.key or find_key(name).value
        return OpenAICompatible(url, config.model, key=key, name=name, on_state=on_state)
    return Embedded(_embedded_settings(config), name=name, on_state=on_state)


@asynccontextmanager
async def open_engine(config: EngineConfig) -> AsyncGenerator[ServedEngine, None]:
    """The engine that ``config`` describes, started; closed at the end. Raises ``ConfigError``, ``EngineError``."""
    engine = make_engine(config)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.aclose()


def _api_base(url: str) -> str:
    """The base of the API; ``/v1`` is added to an address without a path."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(f"{url!r} is no engine's address: give one such as http://127.0.0.1:8000/v1.")
    return str(parsed.copy_with(path="/v1")) if parsed.path in ("", "/") else str(parsed)


def _embedded_settings(config: EngineConfig) -> EmbeddedSettings:
    given = Path(config.model).expanduser()
    if given.suffix == ".gguf":
        name, file = given.stem, given
    else:
        model = find_model(config.model or DEFAULT_MODEL)
        name, file = model.name, model.path(models_dir())
    return EmbeddedSettings(
        model=name,
        model_file=file,
        threads=config.threads,
        context=config.context,
        slots=config.slots,
        lora_file=Path(config.lora_file).expanduser() if config.lora_file else None,
        wait_policy=config.wait_policy,
    )

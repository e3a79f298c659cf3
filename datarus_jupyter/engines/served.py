"""What every engine of this package offers beyond ``Engine``: it can be started, looked at and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from datarus_jupyter.agent.interfaces import Engine
from datarus_jupyter.engines.wire import Dialect
from datarus_jupyter.journal.events import Message

EngineState = Literal["stopped", "starting", "ready", "missing", "unreachable"]
"""``missing``: its model is not on disk. ``stopped``: nobody has asked for it yet, or it was closed."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the server said of itself. ``models`` is empty and ``context`` (tokens) None where it does not tell."""

    dialect: Dialect = "other"
    models: tuple[str, ...] = ()
    context: int | None = None
    version: str = ""


class ServedEngine(Engine, Protocol):
    """An engine with its server."""

    @property
    def url(self) -> str:
        """The base of its API; '' where it has none now."""
        ...

    @property
    def state(self) -> EngineState:
        """How it was when it was last used."""
        ...

    @property
    def message(self) -> str:
        """What is wrong, in a sentence that says what to do; '' if nothing is."""
        ...

    @property
    def capabilities(self) -> Capabilities | None:
        """What its server said when it was started; None before."""
        ...

    async def start(self) -> None:
        """Make it ready, or find out why it is not. Raises ``EngineError``."""
        ...

    async def warm(self, prefix: Sequence[Message]) -> None:
        """Start it and, where that pays, have it read the messages every conversation begins with."""
        ...

    async def aclose(self) -> None:
        """Leave nothing of it behind. A later reply starts it again."""
        ...


class Status:
    """An engine's state and message. ``changed`` is called when they change."""

    def __init__(self, state: EngineState, changed: Callable[[], None] | None) -> None:
        self.state: EngineState = state
        self.message = ""
        self._changed = changed

    def set(self, state: EngineState, message: str = "") -> None:
        """Note the state, and tell if it is a new one."""
        if (state, message) != (self.state, self.message):
            self.state, self.message = state, message
            if self._changed is not None:
                self._changed()

"""The embedded engine: a small model on this machine's CPU, served by a child process that is started when needed."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from datarus_jupyter.agent.interfaces import EngineDelta, Sampling
from datarus_jupyter.engines.cores import usable_cores
from datarus_jupyter.engines.embedded_process import ServerProcess, ServerSettings
from datarus_jupyter.engines.openai_compatible import OpenAICompatible, Patience
from datarus_jupyter.engines.served import Capabilities, EngineState, Status
from datarus_jupyter.errors import EngineError, EngineUnreachable, ModelMissing
from datarus_jupyter.journal.events import Message

# A long transcript is read at some 70 tokens a second, so the first token may take minutes.
_PATIENCE = Patience(first_token=600.0, pauses=())
_DEATH_SECONDS = 5.0
# llama.cpp sees that a connection was closed when it writes the tokens after, and frees the slot only then. A question
# that comes sooner would get another slot, in which the whole prompt has to be read again.
_CUT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """What the embedded engine runs. ``context`` is in tokens for each of the ``slots`` that answer at once.

    ``threads`` 0: as many as there are physical cores, 8 at the most. ``wait_policy`` is OpenMP's: ``passive`` is
    several times faster beside busy neighbours, ``active`` somewhat faster on a quiet machine; '' leaves it alone.
    """

    model: str
    model_file: Path
    threads: int = 0
    context: int = 8192
    slots: int = 2
    lora_file: Path | None = None
    wait_policy: Literal["", "active", "passive"] = "passive"
    start_seconds: float = 120.0


class Embedded:
    """Implements ``Engine``. Starts its server at the first reply or at ``start``; restarts it once if it dies.

    ``on_state`` is called at each change of ``state``; ``message`` then says in a sentence what is wrong, if anything.
    Close it with ``aclose`` or ``async with``; the server also ends when this process dies, in whatever way.
    """

    def __init__(
        self, settings: EmbeddedSettings, *, name: str = "embedded", on_state: Callable[[], None] | None = None
    ) -> None:
        self.name = name
        self.model = settings.model
        self._status = Status("stopped", on_state)
        self._settings = settings
        self._lock = asyncio.Lock()
        self._server: ServerProcess | None = None
        self._client: OpenAICompatible | None = None
        self._supervising: asyncio.Task[None] | None = None
        self._prefix: tuple[Message, ...] = ()
        self._restarts_left = 1
        self._cut = -math.inf

    async def __aenter__(self) -> Embedded:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def url(self) -> str:
        """The base of the server's API; '' while there is none."""
        return self._server.url if self._server else ""

    @property
    def pid(self) -> int | None:
        """The server's process id."""
        return self._server.pid if self._server else None

    @property
    def state(self) -> EngineState:
        """See ``ServedEngine``. Whether the model is on disk is looked up while nothing runs."""
        if self._status.state in ("stopped", "missing"):
            return "stopped" if self._settings.model_file.exists() else "missing"
        return self._status.state

    @property
    def message(self) -> str:
        """See ``ServedEngine``."""
        return self._missing() if self.state == "missing" else self._status.message

    def _missing(self) -> str:
        return f"The model {self.model} is not on disk: run `datarus models pull {self.model}`."

    @property
    def capabilities(self) -> Capabilities | None:
        """See ``ServedEngine``."""
        return self._client.capabilities if self._client else None

    async def start(self) -> None:
        """Start the server and wait until it is ready; nothing if it runs. Raises ``EngineError``."""
        async with self._lock:
            if self._running():
                return
            self._status.set("starting")
            try:
                await self._discard()
                await self._launch()
                self._status.set("ready")
            except ModelMissing as error:
                self._status.set("missing", str(error))
                raise
            except EngineError as error:
                self._status.set("unreachable", str(error))
                raise
            finally:
                if self._status.state != "ready":
                    await self._discard()
                if self._status.state == "starting":  # cancelled
                    self._status.set("stopped")

    async def warm(self, prefix: Sequence[Message]) -> None:
        """Have the server read the messages that every conversation begins with, now and after each start.

        They are then in its prefix cache, so that a first question waits for its own text only. Raises ``EngineError``.
        """
        self._prefix = tuple(prefix)
        async with self._lock:
            running = self._running()
            if running:
                # Under the lock: a question that comes meanwhile waits, for it would read the same text beside this.
                await self._read_prefix()
        if not running:
            await self.start()

    async def aclose(self) -> None:
        """End the server. A later reply starts it again."""
        async with self._lock:
            await self._discard()
            self._restarts_left = 1
            self._status.set("stopped")

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[EngineDelta, None]:
        """Yield the reply as it comes, then its end; see ``Engine.stream``. Starts the server if it does not run."""
        for may_retry in (True, False):
            await asyncio.sleep(max(0.0, self._cut + _CUT_SECONDS - time.monotonic()))
            await self.start()
            server, whole = self._server, False
            try:
                async with aclosing(self._client_now().stream(messages, sampling)) as deltas:
                    async for delta in deltas:
                        yield delta
                self._restarts_left, whole = 1, True
                return
            except EngineError as error:
                # A server that died before it said anything is started again and asked again.
                if not may_retry or error.streamed or server is None or not await _died(server):
                    raise
            finally:
                if not whole:
                    self._cut = time.monotonic()

    def _running(self) -> bool:
        return self._server is not None and self._server.running

    def _client_now(self) -> OpenAICompatible:
        if self._client is None:
            raise EngineUnreachable("The embedded engine was stopped: ask again.")
        return self._client

    async def _launch(self) -> None:
        settings = self._settings
        if not settings.model_file.exists():
            raise ModelMissing(self._missing())
        key = secrets.token_urlsafe(32)
        self._server = await ServerProcess.start(
            ServerSettings(
                model_file=str(settings.model_file),
                model=settings.model,
                key=key,
                threads=settings.threads or usable_cores(),
                context=settings.context,
                slots=settings.slots,
                lora_file=str(settings.lora_file or ""),
            ),
            seconds=settings.start_seconds,
            wait_policy=settings.wait_policy,
        )
        self._client = OpenAICompatible(self._server.url, self.model, key=key, patience=_PATIENCE)
        await self._client.probe()
        await self._read_prefix()
        self._supervising = asyncio.create_task(self._supervise(self._server))

    async def _read_prefix(self) -> None:
        if self._prefix:
            async with aclosing(self._client_now().stream(self._prefix, Sampling(max_tokens=1))) as deltas:
                async for _ in deltas:
                    pass

    async def _supervise(self, server: ServerProcess) -> None:
        """Start the server anew when it dies by itself: once, until it has answered again."""
        await server.wait()
        if self._restarts_left == 0:
            self._status.set("unreachable", f"The embedded engine died twice ({await server.last_words()}): ask again.")
            return
        self._restarts_left -= 1
        try:
            await self.start()
        except EngineError:
            pass  # the state and its message tell

    async def _discard(self) -> None:
        """Leave nothing of the last server: no process, no connection, no task."""
        supervising, self._supervising = self._supervising, None
        if supervising is not None and supervising is not asyncio.current_task():
            supervising.cancel()
            await asyncio.wait([supervising])
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        server, self._server = self._server, None
        if server is not None:
            await server.stop()


async def _died(server: ServerProcess) -> bool:
    """Whether the server that was asked has ended; its end may show a moment after its connections broke.

    By then another may stand in its place: that is why the one that was asked is looked at.
    """
    try:
        await asyncio.wait_for(server.wait(), _DEATH_SECONDS)
    except TimeoutError:
        return False
    return True

"""The engine and the kernel as the agent sees them: without the secrets that are known.

Redacted where it comes in, before anything is parsed, run, shown or kept: so the code that the user is shown is the
code that runs, and a secret that comes in pieces never leaves in pieces.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from datarus_jupyter.agent.interfaces import (
    Displayed,
    Engine,
    EngineDelta,
    Executed,
    Kernel,
    KernelOutput,
    Sampling,
    StreamEnd,
    TextDelta,
    Updated,
)
from datarus_jupyter.journal.events import Message
from datarus_jupyter.journal.secrets import Secrets, SecretStream


class RedactedEngine:
    """Implements ``Engine``."""

    def __init__(self, engine: Engine, secrets: Secrets) -> None:
        self._engine = engine
        self._secrets = secrets

    @property
    def name(self) -> str:
        """The engine's."""
        return self._engine.name

    @property
    def model(self) -> str:
        """The engine's."""
        return self._engine.model

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[EngineDelta, None]:
        """See ``Engine.stream``. Token ids come with the piece whose text they are of, redacted or not."""
        text = SecretStream(self._secrets)
        async with aclosing(self._engine.stream(messages, sampling)) as deltas:
            async for delta in deltas:
                if isinstance(delta, StreamEnd):
                    if rest := text.flush():
                        yield TextDelta(rest)
                    yield delta
                else:
                    yield replace(delta, text=text.feed(delta.text))


class RedactedKernel:
    """Implements ``Kernel``."""

    def __init__(self, kernel: Kernel, secrets: Secrets) -> None:
        self._kernel = kernel
        self._secrets = secrets

    @property
    def id(self) -> str:
        """The kernel's."""
        return self._kernel.id

    async def execute(self, code: str, *, timeout: float) -> AsyncGenerator[KernelOutput, None]:
        """See ``Kernel.execute``."""
        streams = _Streams(self._secrets)
        async with aclosing(self._kernel.execute(code, timeout=timeout)) as outputs:
            async for output in outputs:
                for shown in streams.take(output):
                    yield shown

    async def evaluate(self, code: str, *, timeout: float) -> str:
        """See ``Kernel.evaluate``."""
        return self._secrets.redact(await self._kernel.evaluate(code, timeout=timeout))


class _Streams:
    """The outputs of one execution; of a stream under way a piece may be held back until the next output."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._name = ""
        self._stream = SecretStream(secrets)

    def take(self, output: KernelOutput) -> Iterator[KernelOutput]:
        match output:
            case Displayed({"output_type": "stream", "name": name, "text": text}):
                if name != self._name:
                    yield from self._end()
                    self._name = name
                yield from self._shown(self._stream.feed(text))
                return
            case Displayed(data) | Updated(_, data):
                output = replace(output, output=_redacted(data, self._secrets))
            case Executed(error=error):
                output = replace(output, error=self._secrets.redact(error))
        yield from self._end()
        yield output

    def _end(self) -> Iterator[Displayed]:
        yield from self._shown(self._stream.flush())
        self._name, self._stream = "", SecretStream(self._secrets)

    def _shown(self, text: str) -> Iterator[Displayed]:
        if text:
            yield Displayed({"output_type": "stream", "name": self._name, "text": text})


def _redacted(output: dict[str, Any], secrets: Secrets) -> dict[str, Any]:
    redacted: dict[str, Any] = secrets.redact_all(output)
    return redacted

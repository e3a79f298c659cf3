"""How these tests read a stream."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from datarus_jupyter.agent.interfaces import Engine, Sampling, StreamEnd, TextDelta
from datarus_jupyter.journal.events import Message

HELLO = [Message("user", "hello")]


async def read(engine: Engine, messages: list[Message] = HELLO, **sampling: Any) -> tuple[str, StreamEnd]:
    """The whole reply and its end."""
    heard: list[TextDelta] = []
    end = await listen(engine, heard, messages, **sampling)
    assert end is not None
    return "".join(delta.text for delta in heard), end


async def listen(
    engine: Engine, heard: list[TextDelta], messages: list[Message] = HELLO, **sampling: Any
) -> StreamEnd | None:
    """Gather the deltas in ``heard``, so that they are there if the stream fails."""
    end: StreamEnd | None = None
    async with aclosing(engine.stream(messages, Sampling(**sampling))) as stream:
        async for delta in stream:
            assert end is None, "nothing comes after the end"
            if isinstance(delta, StreamEnd):
                end = delta
            else:
                heard.append(delta)
    return end


def joined(heard: list[TextDelta]) -> str:
    """The text of the deltas."""
    return "".join(delta.text for delta in heard)

"""One streamed reply: what its events say, from the first to the last."""

from __future__ import annotations

import time

import msgspec

from datarus_jupyter.agent.interfaces import StreamEnd, TextDelta
from datarus_jupyter.engines.wire import Choice, Chunk, Delta, ErrorBody, Usage

# Far above what any tokenizer puts into one token on the average: a reply beyond it ignores max_tokens.
_CHARS_PER_TOKEN = 32

_chunk = msgspec.json.Decoder(Chunk)


class NoEvent(Exception):
    """The data is no event of a chat completion, or one that reports the server's failure; the message is a clause."""


class Endless(Exception):
    """The reply is far longer than ``max_tokens`` allows."""


class Reply:
    """Gathers what the events of one reply say. Its clock starts when it is made."""

    def __init__(self, max_tokens: int) -> None:
        self._limit = max_tokens * _CHARS_PER_TOKEN
        self._started = time.monotonic()
        self._first: float | None = None
        self._chars = 0
        self._pieces = 0
        self._thinking = False
        self._usage = Usage()
        self.finish = ""

    @property
    def streamed(self) -> bool:
        """Whether any text has come."""
        return self._first is not None

    @property
    def seconds(self) -> float:
        """Since the request was made."""
        return time.monotonic() - self._started

    def take(self, data: str) -> TextDelta | None:
        """The text of one event, if it has any. Raises ``NoEvent`` or ``Endless``."""
        try:
            chunk = _chunk.decode(data)
        except msgspec.DecodeError as error:
            raise NoEvent(f"sent a line that is no event ({error})") from error
        if chunk.error:
            message = chunk.error.message if isinstance(chunk.error, ErrorBody) else chunk.error
            raise NoEvent(f"failed while it answered ({message})")
        self._usage = chunk.usage or self._usage
        return self._choose(chunk.choices[0]) if chunk.choices else None

    def _choose(self, choice: Choice) -> TextDelta | None:
        self.finish = choice.finish_reason or self.finish
        text = self._text(choice.delta)
        logprobs = (choice.logprobs and choice.logprobs.content) or []
        if not text and not choice.token_ids:
            return None
        self._first = self.seconds if self._first is None else self._first
        self._pieces += 1
        self._chars += len(text)
        if self._chars > self._limit:
            raise Endless
        return TextDelta(text, tuple(choice.token_ids or ()), tuple(entry.logprob for entry in logprobs))

    def _text(self, delta: Delta) -> str:
        """The delta's text. What a reasoning parser took out is put back between its tags."""
        reasoning, content = delta.reasoning_content or delta.reasoning or "", delta.content or ""
        if reasoning and not self._thinking:
            self._thinking = True
            reasoning = "<think>" + reasoning
        if content and self._thinking and not reasoning:
            self._thinking = False
            content = "</think>" + content
        return reasoning + content

    def end(self) -> StreamEnd:
        """The stream's last value. Where the server counts no tokens, the pieces are counted."""
        return StreamEnd(
            finish=self.finish,
            prompt_tokens=self._usage.prompt_tokens,
            cached_tokens=self._usage.cached_tokens,
            completion_tokens=self._usage.completion_tokens or self._pieces,
            first_token_seconds=self._first or 0.0,
            seconds=self.seconds,
        )

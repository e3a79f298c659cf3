"""An engine that replays prepared replies: the test double of this package. ``scripted_server`` puts it behind HTTP.

A reply file is JSON: a list of replies, or ``{"per_conversation": true, "replies": [...]}``. A reply is a string, or an
object with the fields of ``ScriptedReply``::

    [
      "<step>\\n<thought>Look at the data.</thought>\\n<action>python_executor</action>...",
      {"text": "<step>...", "fault": "cut", "after": 40},
      {"text": "<stop_analysis>...", "when": "penguin"}
    ]

Replies are given in order. One with ``when`` is only given to a conversation in which a user message contains that
text. With ``per_conversation`` each conversation plays the script from its start: a call whose messages begin with all
messages of an earlier call continues that call's conversation; any other starts a new one.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from datarus_jupyter.agent.interfaces import EngineDelta, Sampling, StreamEnd, TextDelta
from datarus_jupyter.engines.served import Capabilities, EngineState
from datarus_jupyter.errors import ConfigError, ContextTooLong, EngineBroken, EngineRefused
from datarus_jupyter.journal.events import Message

Fault = Literal["cut", "stall", "malformed", "html", "buffered", "endless"]
"""What goes wrong. After ``after`` characters the stream is cut, falls silent, or has a line that is no event; or all
of it is an HTML page, comes in one lump at the end, or never ends (the text is repeated)."""

_PIECE_LENGTHS = (4, 3, 5, 1, 6, 2)
_CHARS_PER_TOKEN = 4


class ScriptedReply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reply and what goes wrong with it. A ``status`` other than 200 refuses the request, with ``text`` as reason.

    ``after`` counts characters; ``delay`` is the seconds before the first token.
    """

    text: str = ""
    status: int = 200
    fault: Fault | None = None
    after: int = 0
    delay: float = 0.0
    when: str = ""


class _ReplyFile(msgspec.Struct, forbid_unknown_fields=True):
    replies: list[str | ScriptedReply]
    per_conversation: bool = False


def pieces(text: str) -> Iterator[str]:
    """Cut ``text`` into pieces of a few characters, always the same ones; each stands for one token."""
    start = 0
    for length in itertools.cycle(_PIECE_LENGTHS):
        if start >= len(text):
            return
        yield text[start : start + length]
        start += length


def cut_at_stop(text: str, stop: Iterable[str], *, include: bool = False) -> str:
    """``text`` up to the earliest of the stop strings; the string itself is left out unless ``include``, as in vLLM."""
    found = [(text.find(string), string) for string in stop if string and string in text]
    if not found:
        return text
    at, string = min(found)
    return text[: at + len(string)] if include else text[:at]


@dataclass(slots=True)
class _Conversation:
    messages: tuple[Message, ...] = ()
    used: set[int] = field(default_factory=set)


class Script:
    """Which reply comes next. See the module's docstring for the order. ``calls`` keeps the messages of every call."""

    def __init__(self, replies: Iterable[str | ScriptedReply], *, per_conversation: bool = False) -> None:
        self.calls: list[tuple[Message, ...]] = []
        self._replies = [ScriptedReply(text=reply) if isinstance(reply, str) else reply for reply in replies]
        self._per_conversation = per_conversation
        self._conversations: list[_Conversation] = []

    @classmethod
    def from_file(cls, path: Path | str) -> Script:
        """Read a reply file. Raises ``ConfigError``."""
        try:
            content = msgspec.json.decode(Path(path).read_bytes(), type=list[str | ScriptedReply] | _ReplyFile)
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(
                f"The reply file {path} cannot be used ({error}): give a JSON list of replies."
            ) from error
        if isinstance(content, list):
            return cls(content)
        return cls(content.replies, per_conversation=content.per_conversation)

    def next(self, messages: Sequence[Message]) -> ScriptedReply:
        """The reply for this call; it is used up. Raises ``EngineBroken`` when none is left."""
        self.calls.append(tuple(messages))
        conversation = self._conversation(tuple(messages))
        said = "\n".join(message.content for message in messages if message.role == "user")
        for index, reply in enumerate(self._replies):
            if index not in conversation.used and reply.when in said:
                conversation.used.add(index)
                return reply
        raise EngineBroken("The script has no reply left for this conversation: add one to the reply file.")

    def _conversation(self, messages: tuple[Message, ...]) -> _Conversation:
        for conversation in reversed(self._conversations):
            if not self._per_conversation or messages[: len(conversation.messages)] == conversation.messages:
                break
        else:
            conversation = _Conversation()
            self._conversations.append(conversation)
        conversation.messages = messages
        return conversation


class ScriptedEngine:
    """Replays a script at ``tokens_per_second`` (0: as fast as it is read). Implements ``Engine``.

    ``include_stop`` leaves the stop string in the text, as vLLM does when asked to. Prompt tokens are counted as a
    quarter of the characters; the messages that the last call began with count as cached.
    """

    def __init__(
        self,
        script: Script | Iterable[str | ScriptedReply],
        *,
        tokens_per_second: float = 0.0,
        include_stop: bool = False,
        name: str = "scripted",
        model: str = "script",
    ) -> None:
        self.script = script if isinstance(script, Script) else Script(script)
        self.name = name
        self.model = model
        self._tokens_per_second = tokens_per_second
        self._include_stop = include_stop

    @classmethod
    def from_file(cls, path: Path | str, *, tokens_per_second: float = 0.0, name: str = "scripted") -> ScriptedEngine:
        """Replay a reply file (see the module's docstring). Raises ``ConfigError``."""
        return cls(Script.from_file(path), tokens_per_second=tokens_per_second, name=name)

    @property
    def url(self) -> str:
        """It has none."""
        return ""

    @property
    def state(self) -> EngineState:
        """Always ready."""
        return "ready"

    @property
    def message(self) -> str:
        """Nothing is ever wrong."""
        return ""

    @property
    def capabilities(self) -> Capabilities:
        """Its model, and nothing else."""
        return Capabilities(models=(self.model,))

    async def start(self) -> None:
        """Nothing to start."""

    async def warm(self, prefix: Sequence[Message]) -> None:
        """Nothing to warm."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[EngineDelta, None]:
        """Yield the next reply in pieces, then its end. A fault raises what the HTTP client would raise."""
        reply = self.script.next(messages)
        async for delta in self.play(reply, sampling, include_stop=self._include_stop):
            yield delta

    async def play(
        self, reply: ScriptedReply, sampling: Sampling, *, include_stop: bool
    ) -> AsyncGenerator[EngineDelta, None]:
        """Yield ``reply`` in pieces, then its end. Raises ``EngineError`` where it has a fault."""
        refuse(reply)
        started = time.monotonic()
        tokens, finish = _spoken(reply, sampling, include_stop)
        await asyncio.sleep(reply.delay)
        first, count = time.monotonic() - started, 0
        lump: list[str] = []
        async for token in self._paced(tokens):
            count += 1
            if reply.fault == "buffered":
                lump.append(token)
            else:
                yield TextDelta(token)
        if lump:
            yield TextDelta("".join(lump))
        await _fail(reply)
        prompt, cached = self._prompt_tokens()
        yield StreamEnd(finish, prompt, cached, count, first, time.monotonic() - started)

    async def _paced(self, tokens: Iterable[str]) -> AsyncIterator[str]:
        """Each token at its own time since the start, so that a slow reader does not slow the rest down."""
        clock = asyncio.get_running_loop().time
        started = clock()
        for number, token in enumerate(tokens):
            due = started + number / self._tokens_per_second if self._tokens_per_second else 0.0
            await asyncio.sleep(max(0.0, due - clock()))
            yield token

    def _prompt_tokens(self) -> tuple[int, int]:
        """Tokens of the last call's prompt, and how many of them the call before it began with."""
        if not self.script.calls:
            return 0, 0
        last = self.script.calls[-1]
        before = self.script.calls[-2] if len(self.script.calls) > 1 else ()
        shared = list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(last, before, strict=False)))
        return _count(last), _count(message for message, _ in shared)


def _count(messages: Iterable[Message]) -> int:
    return sum(len(message.content) for message in messages) // _CHARS_PER_TOKEN


def _spoken(reply: ScriptedReply, sampling: Sampling, include_stop: bool) -> tuple[Iterable[str], str]:
    """The tokens that are sent before the reply ends or fails, and the finish reason if it does not fail."""
    if reply.fault == "endless":
        return itertools.cycle(list(pieces(reply.text or "again and "))), "length"
    text = cut_at_stop(reply.text, sampling.stop, include=include_stop)
    if reply.fault in ("cut", "stall", "malformed"):
        text = text[: reply.after]
    tokens = list(pieces(text))
    return tokens[: sampling.max_tokens], "stop" if len(tokens) <= sampling.max_tokens else "length"


def refuse(reply: ScriptedReply) -> None:
    """Raise what a client makes of the reply's status or of its HTML page, if it has one."""
    if reply.status == 400:
        raise ContextTooLong(reply.text or "The conversation is longer than the model's context.")
    if 400 < reply.status < 500:
        raise EngineRefused(reply.text or f"The engine refused the request (status {reply.status}).")
    if reply.status >= 500:
        raise EngineBroken(reply.text or f"The engine failed (status {reply.status}).")
    if reply.fault == "html":
        raise EngineBroken("A web page came in place of the model's reply.")


async def _fail(reply: ScriptedReply) -> None:
    if reply.fault == "stall":
        await asyncio.Event().wait()
    if reply.fault in ("cut", "malformed"):
        raise EngineBroken("The stream broke in mid-reply.", streamed=reply.after > 0)

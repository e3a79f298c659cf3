"""The readiness check: is this engine fit for a run? Each line is one property, in plain words."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from datarus_jupyter.agent.interfaces import Sampling, StreamEnd
from datarus_jupyter.engines.served import ServedEngine
from datarus_jupyter.errors import EngineError
from datarus_jupyter.journal.events import Message

_LEAST_CONTEXT = 4096
_LEAST_PIECES = 3
# Of a streamed reply's time, the part between its first and its last piece. A buffered one comes at the very end.
_LEAST_SPREAD = 0.2

_COUNT = [Message("user", "Count from one to thirty in words, separated by commas. Write nothing else.")]
_TAGS = "<step><thought>ready</thought></step>"
_REPEAT = [Message("user", f"Repeat exactly this text and nothing else: {_TAGS}")]
_TAG_GRAMMAR = 'root ::= "<step><thought>" [a-z ]+ "</thought></step>"'


class ReadinessLine(msgspec.Struct, frozen=True):
    """One property. ``ok`` false means that runs will fail or suffer; ``text`` says what was found and what to do."""

    name: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Timed:
    text: str
    arrivals: tuple[float, ...]
    end: StreamEnd


async def check(engine: ServedEngine) -> AsyncGenerator[ReadinessLine, None]:
    """Yield the lines as they are found; the first failure to answer at all is the last line. Takes three replies."""
    try:
        await engine.start()
        yield ReadinessLine("reachable", True, f"{engine.name} answers{f' at {engine.url}' if engine.url else ''}.")
        yield _model(engine)
        yield _context(engine)
        counted = await _ask(engine, _COUNT, Sampling(temperature=0.0, max_tokens=48))
        yield _streaming(counted)
        yield _first_token(counted)
        yield _speed(counted)
        repeated = Sampling(temperature=0.0, max_tokens=32, stop=("</step>",), grammar=_TAG_GRAMMAR)
        yield _tags(await _ask(engine, _REPEAT, repeated))
        yield _prefix_cache(await _ask(engine, _COUNT, Sampling(temperature=0.0, max_tokens=1)))
    except EngineError as error:
        yield ReadinessLine("answers", False, str(error))


async def _ask(engine: ServedEngine, messages: list[Message], sampling: Sampling) -> _Timed:
    texts, arrivals, end = [], [], StreamEnd("")
    started = time.monotonic()
    async with aclosing(engine.stream(messages, sampling)) as deltas:
        async for delta in deltas:
            if isinstance(delta, StreamEnd):
                end = delta
            else:
                texts.append(delta.text)
                arrivals.append(time.monotonic() - started)
    return _Timed("".join(texts), tuple(arrivals), end)


def _model(engine: ServedEngine) -> ReadinessLine:
    models = engine.capabilities.models if engine.capabilities else ()
    if engine.model in models or not models:
        return ReadinessLine("model", True, f"The model is {engine.model}.")
    return ReadinessLine(
        "model", False, f"{engine.model} is not served; set DATARUS_MODEL to one of {', '.join(models)}."
    )


def _context(engine: ServedEngine) -> ReadinessLine:
    context = engine.capabilities.context if engine.capabilities else None
    if context is None:
        return ReadinessLine(
            "context", True, "The engine does not tell its context length; runs need 4,096 tokens or more."
        )
    advice = (
        ""
        if context >= _LEAST_CONTEXT
        else f" Runs need {_LEAST_CONTEXT:,} or more: serve the model with a longer one."
    )
    return ReadinessLine("context", not advice, f"The context holds {context:,} tokens.{advice}")


def _streaming(reply: _Timed) -> ReadinessLine:
    pieces = len(reply.arrivals)
    spread = reply.arrivals[-1] - reply.arrivals[0] if reply.arrivals else 0.0
    if pieces >= _LEAST_PIECES and spread >= _LEAST_SPREAD * reply.arrivals[-1]:
        return ReadinessLine("streaming", True, f"The text streams: {pieces} pieces over {spread:.2g} s.")
    return ReadinessLine(
        "streaming",
        False,
        f"The text does not stream ({pieces} pieces within {spread:.2g} s): "
        "something buffers it, such as a proxy; switch its buffering off (nginx: proxy_buffering off).",
    )


def _first_token(reply: _Timed) -> ReadinessLine:
    return ReadinessLine("first token", True, f"The first text came after {reply.end.first_token_seconds:.2g} s.")


def _speed(reply: _Timed) -> ReadinessLine:
    seconds = reply.end.seconds - reply.end.first_token_seconds
    speed = (reply.end.completion_tokens - 1) / seconds if seconds > 0 else 0.0
    return ReadinessLine("speed", True, f"It writes {speed:.3g} tokens a second.")


def _tags(reply: _Timed) -> ReadinessLine:
    if "<step>" in reply.text and "</thought>" in reply.text:
        kept = "kept" if reply.text.rstrip().endswith("</step>") else "left out, which is fine"
        return ReadinessLine("tags", True, f"The tags of the format survive; the stop string is {kept}.")
    return ReadinessLine(
        "tags",
        False,
        f"The tags of the format did not come back (it said {reply.text[:60]!r}): "
        "a filter on the way removes them, or the model is too weak to repeat a line.",
    )


def _prefix_cache(reply: _Timed) -> ReadinessLine:
    if reply.end.cached_tokens:
        cached, prompt = reply.end.cached_tokens, reply.end.prompt_tokens
        return ReadinessLine("prefix cache", True, f"Of {prompt} prompt tokens seen before, {cached} were cached.")
    return ReadinessLine(
        "prefix cache",
        True,
        "No cached tokens were reported. Runs are faster with a prefix cache; "
        "vLLM reports it with --enable-prompt-tokens-details.",
    )

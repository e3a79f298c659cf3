"""What a server's refusal means: an HTTP status and its body become an error that says what to do."""

from __future__ import annotations

import re

import msgspec

from datarus_jupyter.engines.wire import ErrorBody
from datarus_jupyter.errors import ContextTooLong, EngineBroken, EngineError, EngineRefused

_TOO_LONG = re.compile(
    r"context (length|size|window)|exceed_context_size|maximum (model|input|sequence) length|too many tokens"
    r"|(prompt|input) is too long|max_model_len",
    re.IGNORECASE,
)
_HTML = re.compile(r"\s*<(!doctype|html|head|body)", re.IGNORECASE)
_SHOWN_CHARS = 300


class _Refusal(msgspec.Struct):
    error: ErrorBody | str | None = None
    message: str = ""
    detail: str = ""


def explain(status: int, body: str, *, url: str, model: str) -> EngineError:
    """The error for a response that is no stream of events. ``body`` may be anything, but must be free of secrets."""
    reason = server_message(body)
    if is_html(body) or status < 400:
        return not_an_engine(url, f"status {status}")
    if status in (401, 403):
        return EngineRefused(
            f"The engine at {url} refused the API key (status {status}): "
            "run `datarus engines key`, or set DATARUS_API_KEY."
        )
    if status == 413 or (status < 500 and _TOO_LONG.search(reason)):
        return _too_long(model, reason)
    if status == 404:
        return EngineRefused(
            f"The engine at {url} does not serve the model {model!r} ({reason}): "
            "`datarus engines check` lists what it serves."
        )
    if status == 429:
        return EngineRefused(f"The engine at {url} is too busy (status 429): wait a moment and ask again.")
    if status >= 500:
        return EngineBroken(f"The engine at {url} failed (status {status}: {reason}): look at its log.")
    return EngineRefused(f"The engine at {url} refused the request (status {status}: {reason}).")


def context_full(model: str, context: int) -> ContextTooLong:
    """The reply ended where the context, in tokens, did."""
    return _too_long(model, f"it has {context:,} tokens, and the reply was cut there")


def _too_long(model: str, reason: str) -> ContextTooLong:
    return ContextTooLong(
        f"The conversation does not fit the context of {model} ({reason}): "
        "start a new conversation, or serve the model with a longer context."
    )


def not_an_engine(url: str, detail: str) -> EngineBroken:
    """A web page came, or a redirection: something else answers under this address."""
    return EngineBroken(
        f"At {url} a web page answered instead of a model ({detail}): "
        "check the address, and any proxy or login in front of it."
    )


def is_html(text: str) -> bool:
    """Whether a body is a web page."""
    return _HTML.match(text) is not None


def server_message(body: str) -> str:
    """The server's own words, in one bounded line; ``no reason given`` if there are none."""
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except msgspec.DecodeError:
        text = body
    else:
        error = refusal.error
        text = (error.message if isinstance(error, ErrorBody) else error) or refusal.message or refusal.detail
    return " ".join(text.split())[:_SHOWN_CHARS] or "no reason given"

"""The chat-completions API on the wire: the request's body, and the types of what comes back.

Sources: OpenAI's API reference; vLLM's extra parameters (OpenAI-compatible server, ``structured_outputs``,
``include_stop_str_in_output``, ``return_token_ids``); llama.cpp's server README (``grammar``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from datarus_jupyter.agent.interfaces import Sampling
from datarus_jupyter.journal.events import Message

Dialect = Literal["vllm", "llamacpp", "other"]
"""Which server it is, and so which fields beyond OpenAI's it understands."""


class ServedModel(msgspec.Struct, frozen=True):
    """An entry of ``/v1/models``. ``max_model_len`` is vLLM's; ``meta.n_ctx`` llama.cpp's."""

    id: str
    owned_by: str = ""
    max_model_len: int | None = None
    meta: dict[str, Any] | None = None

    @property
    def context(self) -> int | None:
        """The context length in tokens, if the server tells."""
        length = self.max_model_len or (self.meta or {}).get("n_ctx")
        return int(length) if length else None


class ModelList(msgspec.Struct, frozen=True):
    """The answer to ``GET /v1/models``."""

    data: list[ServedModel]


class Delta(msgspec.Struct, frozen=True):
    """A piece of the reply. ``reasoning_content`` or ``reasoning``: what a reasoning parser took out of the text."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class TokenLogprob(msgspec.Struct, frozen=True):
    """The log-probability of one sampled token."""

    logprob: float


class Logprobs(msgspec.Struct, frozen=True):
    """The log-probabilities of a piece's tokens."""

    content: list[TokenLogprob] | None = None


class Choice(msgspec.Struct, frozen=True):
    """The only choice of a chunk; ``token_ids`` are vLLM's."""

    delta: Delta = Delta()
    finish_reason: str | None = None
    token_ids: list[int] | None = None
    logprobs: Logprobs | None = None


class PromptDetails(msgspec.Struct, frozen=True):
    """How much of the prompt came from the prefix cache."""

    cached_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """Token counts, in the last chunk."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: PromptDetails | None = None

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens from the prefix cache; 0 where the server does not tell."""
        return (self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens) or 0


class ErrorBody(msgspec.Struct, frozen=True):
    """The error object of OpenAI, vLLM and llama.cpp."""

    message: str = ""
    code: int | str | None = None


class Chunk(msgspec.Struct, frozen=True):
    """One event of the stream. An error in mid-stream is an event too."""

    choices: list[Choice] = []
    usage: Usage | None = None
    error: ErrorBody | str | None = None


def request_body(
    model: str, messages: Sequence[Message], sampling: Sampling, dialect: Dialect, *, logprobs: bool = False
) -> dict[str, Any]:
    """The JSON of a streamed completion. What is not set, or what the server would not understand, is left out."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "max_tokens": sampling.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    for name in ("temperature", "top_p", "top_k", "seed"):
        value = getattr(sampling, name)
        if value is not None:
            body[name] = value
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    return body | _dialect_fields(sampling, dialect, logprobs)


def _dialect_fields(sampling: Sampling, dialect: Dialect, logprobs: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if dialect == "llamacpp" and sampling.grammar:
        fields["grammar"] = sampling.grammar
    if dialect == "vllm":
        fields["return_token_ids"] = True
        if sampling.stop:
            fields["include_stop_str_in_output"] = True
        if sampling.grammar:
            fields["structured_outputs"] = {"grammar": sampling.grammar}
        if logprobs:
            fields["logprobs"] = True
    return fields

"""What a refusal means, in the words of the servers that are met."""

from __future__ import annotations

import json

import pytest

from datarus_jupyter.engines.refusals import explain
from datarus_jupyter.errors import ContextTooLong, EngineBroken, EngineError, EngineRefused

VLLM_TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, your request has 4100 input tokens. "
    "Please reduce the length of the input messages."
)
LLAMACPP_TOO_LONG = "the request exceeds the available context size, try increasing it"


def error(message: str) -> str:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": 400}})


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, error("Incorrect API key"), EngineRefused, "DATARUS_API_KEY"),
        (403, "", EngineRefused, "DATARUS_API_KEY"),
        (404, error("The model `x` does not exist."), EngineRefused, "does not serve the model 'qwen'"),
        (404, '{"detail":"Not Found"}', EngineRefused, "Not Found"),
        (400, error(VLLM_TOO_LONG), ContextTooLong, "start a new conversation"),
        (400, error(LLAMACPP_TOO_LONG), ContextTooLong, "start a new conversation"),
        (413, "", ContextTooLong, "does not fit"),
        (400, error("top_k must be an integer"), EngineRefused, "top_k must be an integer"),
        (422, '{"error": "bad field"}', EngineRefused, "bad field"),
        (429, "", EngineRefused, "too busy"),
        (500, '{"message": "CUDA out of memory"}', EngineBroken, "CUDA out of memory"),
        (503, "", EngineBroken, "no reason given"),
        (502, "<html><body>nginx</body></html>", EngineBroken, "proxy"),
        (200, " <!DOCTYPE html><title>Sign in</title>", EngineBroken, "login"),
        (302, "", EngineBroken, "login"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, body: str, kind: type[EngineError], words: str) -> None:
    explained = explain(status, body, url="http://host/v1", model="qwen")
    assert type(explained) is kind
    assert words in str(explained)
    assert "http://host/v1" in str(explained) or kind is ContextTooLong


def test_the_servers_words_are_bounded() -> None:
    explained = explain(400, error("x" * 100_000), url="http://host/v1", model="qwen")
    assert len(str(explained)) < 500

"""What the events of a reply say, in the forms that servers send them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.engines.reply import NoEvent, Reply


def event(**delta: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def text_of(reply: Reply, *events: str) -> str:
    return "".join(delta.text for delta in map(reply.take, events) if delta)


def test_role_only_and_empty_deltas_have_no_text() -> None:
    reply = Reply(10)
    assert reply.take(event(role="assistant", content=None)) is None
    assert reply.take(event(content="")) is None
    assert reply.take('{"choices": []}') is None
    assert not reply.streamed


# vLLM with a reasoning parser says ``reasoning`` (before 0.11 ``reasoning_content``) and leaves the tags out.
@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_that_was_taken_out_is_put_back(field: str) -> None:
    events = event(**{field: "first "}), event(**{field: "this"}), event(content="so "), event(content="that")
    assert text_of(Reply(10), *events) == "<think>first this</think>so that"


@given(st.lists(st.text(min_size=1), min_size=1))
def test_the_pieces_add_up_to_the_text(texts: list[str]) -> None:
    reply = Reply(1000)
    assert text_of(reply, *(event(content=text) for text in texts)) == "".join(texts)
    assert reply.end().completion_tokens == len(texts)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('{"error": {"message": "CUDA error", "code": 500}}', "CUDA error"),
        ('{"error": "out of memory"}', "out of memory"),
        ("{not json", "no event"),
        ('{"choices": 3}', "no event"),
    ],
)
def test_what_is_no_event_is_told(data: str, words: str) -> None:
    with pytest.raises(NoEvent, match=words):
        Reply(10).take(data)


def test_the_servers_count_goes_before_ours() -> None:
    reply = Reply(10)
    reply.take(event(content="a"))
    reply.take('{"choices": [{"delta": {}, "finish_reason": "stop"}]}')
    reply.take('{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": null}}')
    end = reply.end()
    assert (end.finish, end.prompt_tokens, end.cached_tokens, end.completion_tokens) == ("stop", 7, 0, 2)

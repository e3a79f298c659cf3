"""Server-sent events: the same ones, however the bytes are chunked."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.engines.sse import EventParser

PAYLOADS = st.lists(st.text().map(lambda text: json.dumps({"content": text}, ensure_ascii=False)), max_size=6)


@given(PAYLOADS, st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(1, 30)))
def test_any_chunking_gives_the_same_events(payloads: list[str], newline: str, lengths: list[int]) -> None:
    stream = "".join(f": ping{newline}data: {payload}{newline}{newline}" for payload in payloads).encode()
    parser, events = EventParser(), []
    for length in lengths:
        events += parser.feed(stream[:length])
        stream = stream[length:]
    assert events + parser.feed(stream) == payloads


def test_only_newlines_end_a_line() -> None:
    assert EventParser().feed('data: {"a": "b\u2028c\x85d"}\n\n'.encode()) == ['{"a": "b\u2028c\x85d"}']


def test_the_lines_of_one_event_are_joined_and_other_fields_left_out() -> None:
    assert EventParser().feed(b"event: x\nid: 1\ndata: one\ndata:two\n\n\n\ndata: cut") == ["one\ntwo"]

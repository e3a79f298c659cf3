"""What is fuzzed: each target takes any bytes and fails if a property of ours does not hold."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat

from datarus_jupyter.engines.sse import EventParser
from datarus_jupyter.errors import JournalError
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.log import parse, read
from datarus_jupyter.journal.messages import MessagesFold
from datarus_jupyter.journal.secrets import Secrets, SecretStream
from datarus_jupyter.journal.summary import SummaryFold
from datarus_jupyter.protocol.parser import Delta, StreamParser
from fuzz.stories import Story, events_of

_KNOWN = Secrets({"A_KEY": "canary-7f3a9c1e-0123456789"})
_FOLDER = tempfile.TemporaryDirectory()


def _pieces(data: bytes) -> tuple[bytes, int]:
    """The first byte says how large the pieces are in which the rest comes."""
    return data[1:], 1 + (data[0] % 32 if data else 0)


def parser(data: bytes) -> None:
    """No character is lost, however the reply is cut, and no reply makes the parser fail."""
    raw, size = _pieces(data)
    text = raw.decode(errors="replace")
    reading = StreamParser()
    values = [value for at in range(0, len(text), size) for value in reading.feed(text[at : at + size])]
    values += reading.finish()
    assert "".join(value.text for value in values if isinstance(value, Delta)) == text


def journal(data: bytes) -> None:
    """A file of any bytes is read as whole events or refused in a sentence; what was read can be listed."""
    path = Path(_FOLDER.name) / "run.jsonl"
    path.write_bytes(data)
    try:
        events = read(path)
    except JournalError:
        return
    assert events == list(parse(data[: data.rfind(b"\n") + 1], path))
    SummaryFold.of(events)
    MessagesFold.of(events)
    assert len({cell["id"] for cell in CellsFold.of(events).cells}) == len(CellsFold.of(events).cells)


def cells(data: bytes) -> None:
    """Any events give valid cells, each once, and a replay from anywhere changes nothing."""
    happened = events_of(_pieces(data)[0])
    fold = CellsFold.of(happened)
    once = fold.cells
    nbformat.validate(nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": once}))
    assert len({cell["id"] for cell in once}) == len(once)
    for event in happened[len(data) % (len(happened) + 1) :]:
        fold.apply(event)
    assert fold.cells == once


def merge(data: bytes) -> None:
    """Whatever a run, its user and a forger do to a notebook, saving loses no cell and doubles none."""
    Story().play(_pieces(data)[0])


def sse(data: bytes) -> None:
    """Pieces of any size give the same events."""
    raw, size = _pieces(data)
    pieces = EventParser()
    events = [event for at in range(0, len(raw), size) for event in pieces.feed(raw[at : at + size])]
    assert events == EventParser().feed(raw)


def secrets(data: bytes) -> None:
    """Known values never come out, in whatever pieces they come in."""
    raw, size = _pieces(data)
    text = raw.decode(errors="replace")
    stream = SecretStream(_KNOWN)
    shown = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size)) + stream.flush()
    assert "canary-7f3a9c1e" not in shown
    assert "canary-7f3a9c1e" not in _KNOWN.redact(text)


TARGETS = {
    "parser": parser,
    "journal": journal,
    "sse": sse,
    "secrets": secrets,
    "cells": cells,
    "merge": merge,
}

DICTIONARY = {
    "parser": [
        *("<step>", "</step>", "<thought>", "</thought>", "<action_input>", "</action_input>", "<answer>", "</answer>"),
        *("<stop_analysis>", "<think>", "<observation>", "```python\n", "'''", '"""', "# don't"),
    ],
    "journal": [
        '{"type":"run_started","question":"q","prompt":[],"engine":"e","model":"m","profile":"p","seq":0}\n',
        '{"type":"text","step":1,"channel":"code","delta":"x","seq":1}\n',
        '{"type":"output","step":1,"output":{"output_type":"stream","name":"stdout","text":"1"},"seq":2}\n',
        '{"type":"reverted","step":1,"seq":3}\n',
        '{"type":"observation","step":1,"text":"t","then":"n","seq":4}\n',
    ],
    "sse": ["data: ", "\r\n\r\n", "\n\n", ": ping\n", "event: x\n", "\u2028"],
    "secrets": [
        "canary-7f3a9c1e-0123456789",
        "sk-",
        "password=",
        "API_KEY='",
        "://a:b@",
        "Bearer ",
        "eyJ",
        "-----BEGIN",
    ],
    "cells": ["\x00\x00\x03\x00\x07\x00\x08\x01\x0c\x01", "\x01\x01\x04\x01\x01\x01", "\x02\x04\x05\x01\x0f\x01"],
    "merge": ["\x00\x00\x03\x00\x16\x00", "\x11\x02\x16\x00", "\x12\x03\x16\x00", "\x05\x01\x17\x00", "\x14\x01"],
}

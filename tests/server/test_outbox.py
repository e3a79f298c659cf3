"""The outbox: each event once and in order, bounded frames, and nobody waits behind a busy notebook."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.journal import events as ev
from datarus_jupyter.server.outbox import Outbox


def text(run: str, seq: int, delta: str = "x") -> ev.Text:
    return ev.Text(step=1, channel="code", delta=delta, run=run, seq=seq)


def drain(outbox: Outbox) -> list[dict[str, Any]]:
    frames = []
    while (frame := outbox.take()) is not None:
        frames.append(json.loads(frame))
    return frames


def seqs(frames: list[dict[str, Any]], run: str) -> list[int]:
    return [event["seq"] for frame in frames for event in frame.get("events", []) if event["run"] == run]


@given(
    past=st.integers(0, 20),
    since=st.integers(-1, 25),
    shared=st.booleans(),
    steps=st.lists(st.sampled_from(["append", "take", "other"]), max_size=40),
)
def test_every_event_from_since_on_goes_out_once_and_in_order(
    past: int, since: int, shared: bool, steps: list[str]
) -> None:
    outbox, journal = Outbox(), [text("r", seq) for seq in range(past)]
    others, frames = 0, []
    outbox.open("n")
    outbox.follow("n", "r", journal if shared else list(journal), since)
    outbox.caught_up("n")
    for step in steps:
        if step == "append":
            journal.append(text("r", len(journal)))
            outbox.add("n", journal[-1])
        elif step == "other":
            outbox.add("n", text("new", others))
            others += 1
        elif frame := outbox.take():
            frames.append(json.loads(frame))
    frames += drain(outbox)
    assert seqs(frames, "r") == list(range(max(since, 0), len(journal)))
    assert seqs(frames, "new") == list(range(others))
    assert [frame["kind"] for frame in frames].count("caught_up") == 1


def test_consecutive_events_are_one_frame_and_large_ones_are_not() -> None:
    outbox = Outbox()
    outbox.open("n")
    outbox.follow("n", "small", [text("small", seq) for seq in range(100)], 0)
    assert len(drain(outbox)) == 1
    outbox.follow("n", "large", [text("large", seq, "x" * 200_000) for seq in range(4)], 0)
    frames = drain(outbox)
    assert len(frames) == 2
    assert seqs(frames, "large") == [0, 1, 2, 3]


def test_of_a_state_only_the_newest_frame_waits() -> None:
    outbox = Outbox()
    for number in range(1000):
        outbox.state("lease", "n", frame={"kind": "lease", "number": number})
    outbox.state("lease", "m", frame={"kind": "lease", "number": 0})
    assert [frame["number"] for frame in drain(outbox)] == [999, 0]


def test_a_busy_notebook_keeps_no_other_waiting() -> None:
    outbox = Outbox()
    for notebook in ("busy", "quiet"):
        outbox.open(notebook)
    outbox.follow("busy", "b", [text("b", seq, "x" * 300_000) for seq in range(5)], 0)
    outbox.follow("quiet", "q", [text("q", 0)], 0)
    notebooks = [frame["notebook"] for frame in drain(outbox)]
    assert notebooks.index("quiet") == 1


def test_a_closed_notebook_sends_nothing_and_opens_anew() -> None:
    outbox = Outbox()
    outbox.open("n")
    outbox.follow("n", "r", [text("r", 0)], 0)
    outbox.close("n")
    outbox.caught_up("n")
    assert drain(outbox) == []
    outbox.open("n")
    outbox.follow("n", "r", [text("r", 0)], 0)
    assert seqs(drain(outbox), "r") == [0]
    assert outbox.notebooks == ("n",)


def test_an_event_of_a_run_not_yet_followed_is_left_to_its_journal() -> None:
    outbox, journal = Outbox(), [text("r", 0), text("r", 1)]
    outbox.open("n")
    outbox.add("n", journal[1])
    outbox.follow("n", "r", journal, 0)
    assert seqs(drain(outbox), "r") == [0, 1]

"""The bounds of what one execution keeps."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.agent.interfaces import Cleared, Displayed, Updated
from datarus_jupyter.journal import events as ev
from datarus_jupyter.kernels.outputs import Bounds, Outputs, Shown, error_line

SMALL = Bounds(
    head_chars=40,
    tail_chars=20,
    head_displays=4,
    tail_displays=2,
    display_chars=100,
    chars_a_display=120,
    traceback_chars=90,
)
NOT_KEPT = re.compile(r"\n… .*not kept …\n")


def write(outputs: Outputs, text: str, name: str = "stdout") -> None:
    outputs.add("stream", {"name": name, "text": text})


def show(outputs: Outputs, text: str, kind: str = "display_data", display_id: str | None = None) -> None:
    outputs.add(kind, {"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": display_id}})


def texts(shown: list[Shown]) -> list[Any]:
    """Each output in short: a stream's text, a display's text/plain, a clear."""
    short: list[Any] = []
    for item in shown:
        if isinstance(item, Cleared):
            short.append(item)
        else:
            short.append(item.output["text"] if "text" in item.output else item.output["data"]["text/plain"])
    return short


def test_streams_of_one_name_are_joined_and_drained_once() -> None:
    outputs = Outputs()
    for text, name in (("a", "stdout"), ("b", "stdout"), ("e", "stderr"), ("c", "stdout")):
        write(outputs, text, name)
    assert texts(outputs.drain()) == ["ab", "e", "c"]
    assert outputs.drain() == outputs.close() == []


def test_a_long_stream_keeps_head_and_tail_and_says_what_is_missing() -> None:
    outputs = Outputs(SMALL)
    for number in range(100):
        write(outputs, f"{number:03}\n")
    assert texts(outputs.drain()) == ["".join(f"{number:03}\n" for number in range(10))]
    assert texts(outputs.close()) == ["\n… 340 more characters not kept …\n", "095\n096\n097\n098\n099\n"]


def test_one_huge_piece_is_cut_like_many_small_ones() -> None:
    outputs = Outputs(SMALL)
    write(outputs, "h" * 40 + "x" * 1000 + "t" * 20)
    assert texts(outputs.close()) == ["h" * 40, "\n… 1,000 more characters not kept …\n", "t" * 20]


@given(st.lists(st.text("abc\n", max_size=30), max_size=20), st.integers(0, 5))
def test_kept_and_missing_characters_add_up(pieces: list[str], drains: int) -> None:
    outputs, shown = Outputs(SMALL), []
    for place, piece in enumerate(pieces):
        write(outputs, piece)
        if drains and place % drains == 0:
            shown += texts(outputs.drain())
    said = "".join(shown + texts(outputs.close()))
    text = "".join(pieces)
    note = NOT_KEPT.search(said)
    if note is None:
        assert said == text
    else:
        assert text.startswith(said[: note.start()])
        assert text.endswith(said[note.end() :])
        assert len(said) - len(note[0]) <= SMALL.head_chars + SMALL.tail_chars
        assert int(note[0].split()[1]) == len(text) - (len(said) - len(note[0]))


def test_displays_are_bounded_and_the_last_ones_kept() -> None:
    outputs = Outputs(SMALL)
    for number in range(10):
        show(outputs, str(number))
    assert texts(outputs.close()) == ["0", "1", "2", "3", "\n… 4 more outputs not kept …\n", "8", "9"]


def test_a_large_display_counts_for_several() -> None:
    outputs = Outputs(SMALL)
    for _ in range(3):
        show(outputs, "x" * 90)
    show(outputs, "small")
    assert texts(outputs.close()) == ["x" * 90, "x" * 90, "\n… 1 more output not kept …\n", "small"]


def test_a_plot_after_a_flood_of_text_is_kept() -> None:
    outputs = Outputs(SMALL)
    write(outputs, "x" * 100)
    show(outputs, "plot")
    write(outputs, "y" * 100)
    assert texts(outputs.close())[-2:] == ["plot", "y" * 20]


def test_what_is_too_large_for_a_notebook_becomes_a_note() -> None:
    outputs = Outputs(SMALL)
    outputs.add("display_data", {"data": {"image/png": "A" * 200, "text/plain": "<Figure>"}, "metadata": {}})
    outputs.add("display_data", {"data": {"application/json": {"a": "b" * 200}}, "metadata": {}})
    plot, json = texts(outputs.close())
    assert plot.startswith("<Figure>\n[image/png of 0.0 MB not kept")
    assert json.startswith("[application/json of")


def test_clearing_hides_what_was_not_drained_and_gives_its_room_back() -> None:
    outputs = Outputs(SMALL)
    for number in range(50):
        write(outputs, f"frame {number}")
        outputs.add("clear_output", {"wait": False})
    write(outputs, "last")
    assert texts(outputs.close()) == [Cleared(False), "last"]


def test_clearing_with_wait_hides_at_the_next_output_only() -> None:
    outputs = Outputs(SMALL)
    write(outputs, "old")
    outputs.add("clear_output", {"wait": True})
    assert texts(outputs.drain()) == ["old", Cleared(True)]
    for number in range(50):
        write(outputs, f"frame {number}")
        outputs.add("clear_output", {"wait": True})
    assert texts(outputs.close()) == [Cleared(True), "frame 49", Cleared(True)]


def test_frames_beyond_the_bound_end_with_the_last_one() -> None:
    outputs = Outputs(SMALL)
    seen = []
    for number in range(50):
        outputs.add("clear_output", {"wait": True})
        write(outputs, f"frame {number}")
        seen += texts(outputs.drain())
    assert seen[:4] == [Cleared(True), "frame 0", Cleared(True), "frame 1"]
    assert texts(outputs.close()) == [Cleared(True), "frame 49"]


def test_only_the_newest_update_of_a_display_is_handed_on() -> None:
    outputs = Outputs(SMALL)
    show(outputs, "a", display_id="bar")
    for number in range(50):
        show(outputs, str(number), "update_display_data", "bar")
        show(outputs, str(number), "update_display_data", "other")
    outputs.add("clear_output", {"wait": False})
    shown = outputs.close()
    assert [(item.display_id, item.output["data"]["text/plain"]) for item in shown if isinstance(item, Updated)] == [
        ("bar", "49"),
        ("other", "49"),
    ]
    assert shown[-1] == Cleared(False)


def test_an_error_is_kept_whole_if_short_and_bounded_if_long() -> None:
    outputs = Outputs(SMALL)
    outputs.add("error", {"ename": "E", "evalue": "v", "traceback": ["a\nb", "E: v"]})
    outputs.add("error", {"ename": "F", "evalue": "w" * 500, "traceback": ["x\n" * 500, "F: w"]})
    short, long = [item.output for item in outputs.close() if isinstance(item, Displayed)]
    assert short == {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a\nb", "E: v"]}
    assert len("\n".join(long["traceback"])) <= 90
    assert long["traceback"][-1] == "F: w"
    assert len(long["evalue"]) <= 90
    assert outputs.error == "E: v"


def test_other_messages_show_nothing() -> None:
    outputs = Outputs()
    outputs.add("comm_open", {"comm_id": "1", "data": {}})
    assert outputs.close() == []


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("KeyboardInterrupt", "", "KeyboardInterrupt"),
        ("ValueError", "\x1b[31m\nred\x1b[0m\nmore", "ValueError: red"),
        ("E", "x" * 1000, "E: " + "x" * 296 + "…"),
    ],
)
def test_an_error_in_one_line(name: str, value: str, line: str) -> None:
    assert error_line(name, value) == line


def test_a_flood_takes_time_in_proportion() -> None:
    outputs = Outputs()
    began = time.monotonic()
    for number in range(30_000):
        write(outputs, f"{number}" + "x" * 300 + "\n", ("stdout", "stderr")[number % 2])
    assert len("".join(texts(outputs.close()))) < 1_000_100
    assert time.monotonic() - began < 10


junk = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
fields = st.sampled_from(["name", "text", "data", "metadata", "transient", "ename", "evalue", "traceback", "wait"])
kinds = st.sampled_from(["stream", "display_data", "execute_result", "update_display_data", "error", "clear_output"])


@given(st.lists(st.tuples(kinds, junk | st.dictionaries(fields, junk | st.dictionaries(st.text(max_size=3), junk)))))
def test_what_is_not_as_the_protocol_has_it_shows_nothing_and_breaks_nothing(messages: list[tuple[str, Any]]) -> None:
    outputs = Outputs(SMALL)
    for kind, content in messages:
        outputs.add(kind, content)
    for item in outputs.drain() + outputs.close():
        if isinstance(item, Displayed):
            ev.Output(step=1, output=item.output)
        elif isinstance(item, Updated):
            ev.OutputUpdated(display_id=item.display_id, output=item.output)

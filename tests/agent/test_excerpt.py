from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.agent.excerpt import excerpt

NOTE = re.compile(r"\n… ([\d,]+) characters left out …\n")


@given(st.text(max_size=400), st.integers(60, 300))
def test_an_excerpt_fits_and_counts_what_it_leaves_out(text: str, limit: int) -> None:
    short = excerpt(text, limit)
    assert len(short) <= max(limit, len(text) if len(text) <= limit else 0)
    if len(text) <= limit:
        assert short == text
    else:
        note = NOTE.search(short)
        assert note is not None
        head, tail = short[: note.start()], short[note.end() :]
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(head) + int(note[1].replace(",", "")) + len(tail) == len(text)


def test_lines_are_kept_whole() -> None:
    text = "".join(f"line {number:04}\n" for number in range(1000))
    head, tail = NOTE.split(excerpt(text, 500))[::2]
    assert head.split("\n") == [f"line {number:04}" for number in range(len(head.split("\n")))]
    assert tail.startswith("line ")
    assert tail.endswith("line 0999\n")


def test_without_room_only_the_note_is_left() -> None:
    assert excerpt("x" * 5000, 10) == "\n… 5,000 characters left out …\n"

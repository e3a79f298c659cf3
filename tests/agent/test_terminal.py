from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.agent.terminal import as_shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31;1mred\x1b[0m and \x1b[38;5;208morange\x1b[39m", "red and orange"),
        ("a\x1b]0;title\x07b\x1b(Bc", "abc"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"),
        (" 10%\r 50%\r100%\ndone\n", "100%\ndone\n"),
        ("loading...\rdone", "doneing..."),
        ("loading...\r\x1b[Kdone", "done"),
        ("loading...\x1b[2K\rdone", "done"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("abc\b\bX", "aXc"),
        ("\b\bx", "x"),
        ("bell\x07 null\x00 tab\t.", "bell null tab\t."),
        ("a\x1b]unfinished\nstays", "a\nstays"),
    ],
)
def test_text_is_left_as_a_terminal_shows_it(text: str, shown: str) -> None:
    assert as_shown(text) == shown


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_plain_text_is_unchanged(text: str) -> None:
    assert as_shown(text) == text


@given(st.text("ab\r\b\n\x1b[K0m]\x07\x00"))
def test_nothing_that_moves_a_cursor_is_left(text: str) -> None:
    assert not set(as_shown(text)) & set("\r\b\x07\x00")


def test_a_million_overwritten_characters_take_little_time() -> None:
    began = time.monotonic()
    assert as_shown("x" * 500_000 + "\ry" * 250_000) == "y" + "x" * 499_999
    assert time.monotonic() - began < 5

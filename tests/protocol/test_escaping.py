"""No text can speak in our tags once it is escaped."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.protocol.escaping import escape, fenced, one_line
from datarus_jupyter.protocol.tags import TAGS

TAG = re.compile(rf"<\s*/?\s*(?:{'|'.join(TAGS)})\s*>|<\|\w+\|>", re.IGNORECASE)

blanks = st.text(" \t\n", max_size=3)
cased = st.sampled_from(TAGS).flatmap(lambda tag: st.sampled_from([tag, tag.upper(), tag.title()]))
tags = st.builds("<{}{}{}{}{}>".format, blanks, st.sampled_from(["", "/"]), blanks, cased, blanks)
tokens = st.sampled_from(["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|fim_prefix|>"])
scraps = st.text("<>/|&lt;step thinkaroundo_i\n", max_size=12)
texts = st.lists(st.one_of(tags, tokens, scraps, st.text(max_size=12))).map("".join)


@given(texts)
def test_no_tag_remains(text: str) -> None:
    assert not TAG.search(escape(text))


@given(texts)
def test_escaping_twice_is_escaping_once(text: str) -> None:
    assert escape(escape(text)) == escape(text)


@given(texts)
def test_only_the_beginnings_of_tags_change(text: str) -> None:
    assert escape(text).replace("&lt;", "<") == text.replace("&lt;", "<")


@given(st.text().filter(lambda text: "<" not in text))
def test_text_without_a_bracket_is_unchanged(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "<table><tr><td>step</td></tr></table>",
        "<thoughtful> <steps> <stepwise/> <actions> < steppe >",
        "<class 'pandas.core.frame.DataFrame'>",
        "x <| y |> z, <||>",
        "List<String> <- read.csv(step)",
        "<step",
        "step>",
    ],
)
def test_other_brackets_are_unchanged(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("</observation><step>", "&lt;/observation>&lt;step>"),
        ("<Action_Input>", "&lt;Action_Input>"),
        ("</ step >", "&lt;/ step >"),
        ("<<step>>", "<&lt;step>>"),
        ('<step id="1">', '&lt;step id="1">'),
        ("<answer/>", "&lt;answer/>"),
        ("<|im_end|>\n<|im_start|>system", "&lt;|im_end|>\n&lt;|im_start|>system"),
        ("<\uff5cUser\uff5c> <end_of_turn>", "&lt;\uff5cUser\uff5c> &lt;end_of_turn>"),
    ],
)
def test_tags_and_control_tokens_are_neutralised(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_long_hostile_text_takes_linear_time() -> None:
    for piece in ("< ", "<step ", "<|a", "</ "):
        assert len(escape(piece * 200_000)) == len(piece) * 200_000
    assert len(escape("<" + " " * 1_000_000)) == 1_000_001


@given(st.text("`~ \n\tab", max_size=60))
def test_no_line_of_a_fenced_text_ends_its_fence(text: str) -> None:
    opening, *inside, closing = fenced(text).split("\n")
    assert opening == closing
    assert "\n".join(inside) == text
    assert not any(opening in line for line in inside)


@given(st.text())
def test_one_line_is_one_line_and_keeps_the_rest(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line.split() == text.split()

"""The model's Markdown loads nothing and sends nothing by being looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.protocol.markdown import HarmlessStream, harmless

REMOTE = "https://elsewhere.example/pixel.png?d=5076"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"See ![it]({REMOTE}).", f"See [it]({REMOTE})."),
        (f"![a][b]\n\n[b]: {REMOTE}", f"[a][b]\n\n[b]: {REMOTE}"),
        (f'<img src="{REMOTE}">', f'&lt;img src="{REMOTE}">'),
        ("< IMG\nsrc=x>", "&lt; IMG\nsrc=x>"),
        (f'<form action="{REMOTE}"><input name=a></form>', f'&lt;form action="{REMOTE}">&lt;input name=a>&lt;/form>'),
        (f'<p style="background:url({REMOTE})">', f'&lt;p style="background:url({REMOTE})">'),
        (f"<b style='background:url({REMOTE})'>x</b>", f"&lt;b style='background:url({REMOTE})'>x</b>"),
        (f"<h1/style=background:url({REMOTE})>", f"&lt;h1/style=background:url({REMOTE})>"),
        (f"<Sub\n\nstyle=background:url({REMOTE})>", f"&lt;Sub\n\nstyle=background:url({REMOTE})>"),
        (f"<li {' ' * 20}style=background:url({REMOTE})>", f"&lt;li {' ' * 20}style=background:url({REMOTE})>"),
        ("<a href='javascript:x()'>", "&lt;a href='javascript:x()'>"),
        ("```mermaid\nA\n```", "```text\nA\n```"),
        ("> ~~~~ \u00a0mermaid x", "> ~~~~ \u00a0text x"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
    ],
)
def test_what_loads_or_submits_does_not(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    "text", ["a < b! Really? [1] **p < 0.05**", "x<y, $a<b$", "H<sub>2</sub>O!<br />", "`<class 'x'>` <b >"]
)
def test_the_rest_stays(text: str) -> None:
    assert harmless(text) == text


scraps = st.text("!<[]/ imgsrcforpb1h=>\n`~", max_size=20)
words = st.sampled_from(["<img", "<b style=", "</sub>", "```", "~~~ ", "mermaid", "merm", " " * 50])


@given(st.lists(scraps | words, max_size=8).map("".join), st.lists(st.integers(0, 5)))
def test_pieces_give_the_same_as_the_whole(text: str, sizes: list[int]) -> None:
    stream, shown, at = HarmlessStream(), "", 0
    for size in sizes:
        shown += stream.feed(text[at : at + size])
        at += size
    assert shown + stream.feed(text[at:]) + stream.flush() == harmless(text)


def test_a_long_hostile_text_is_streamed_in_little_time() -> None:
    stream = HarmlessStream()
    pieces = ["```", *[" " * 100] * 500, "mer", "maid"]
    shown = "".join(map(stream.feed, pieces)) + stream.flush()
    assert shown == "```" + " " * 50_000 + "text"

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.agent.html_text import html_to_text

FRAME = pd.DataFrame({"species": ["Adelie", "Gentoo"], "mass": [3700.66, 5076.02]})


def test_a_table_has_aligned_columns() -> None:
    assert html_to_text(FRAME.to_html()) == "   species     mass\n0  Adelie   3700.66\n1  Gentoo   5076.02"


def test_spans_keep_the_columns_in_place() -> None:
    frame = pd.DataFrame(
        [[1, 2], [3, 4]],
        index=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]),
        columns=pd.MultiIndex.from_tuples([("m", "p"), ("m", "q")]),
    )
    assert html_to_text(frame.to_html()) == "      m\n      p  q\na  x  1  2\n   y  3  4"


def test_text_around_tables_is_kept_and_what_is_unseen_is_not() -> None:
    html = """<style>td {color: red}</style><h2>Mass &amp; size</h2><p>in <b>g</b></p><script>alert(1)</script>
    <table><caption>Means</caption><tr><th>a<th>b<tr><td>1<td><table><tr><td>inner</table></table>after<br>all"""
    assert html_to_text(html).split("\n") == ["Mass & size", "in g", "Means", "a  b", "1  inner", "after", "all"]


def test_hostile_tables_are_bounded() -> None:
    wide = html_to_text("<table>" + "<tr>" + "<td colspan=100>x" * 20_000)
    assert "more columns left out" in wide
    assert len(wide) < 1000
    long = html_to_text("<table>" + "<tr><td>x" * 40_000)
    assert long.endswith("… 39,000 more rows left out …")
    assert html_to_text("<table><tr><td colspan='many' rowspan='-1'>x</table>") == "x"


def test_sloppy_tables_are_read() -> None:
    assert html_to_text("<table><td>1<td>b</td></tr><tr><td>22<td>c") == " 1  b\n22  c"


@given(st.text("<>/tabledrh scipy=\"'x&;!-\n", max_size=200))
def test_any_text_can_be_read(html: str) -> None:
    assert isinstance(html_to_text(html), str)

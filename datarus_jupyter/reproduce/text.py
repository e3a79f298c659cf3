"""Two texts as results: numbers by tolerance, layout and volatile parts aside."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from datarus_jupyter.reproduce.volatile import STAMP, Moment, steady

MAX_CHARS = 200_000
"""How much of a text is compared."""

_TOKEN = re.compile(
    STAMP + r"|(?P<number>(?:(?<![\w.)\]])[-+])?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+|\.\d)(?:\.\d*|\d*)(?:[eE][-+]?\d+)?)"
    # The length of a rule or a bar follows from the width of the numbers around it.
    r"|(?P<rule>(?P<char>[-=_─━═╌·.*#+█▏])(?P=char){2,})"
    r"|(?P<word>\w+)|(?P<other>\S)"
)
_STAMPS = frozenset(re.compile(STAMP).groupindex)
_SURE_DIGITS = 5
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Tolerance:
    """When two numbers that are not both whole are the same. ``moment``: the run whose clock is no result."""

    relative: float = 1e-6
    absolute: float = 1e-12
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def text_difference(before: str, after: str, tolerance: Tolerance) -> str:
    """The first difference in one line, such as ``line 3 was “mean 0.84”, is “mean 0.76”``; '' if there is none."""
    if before == after:
        return ""
    before, after = steady(before[:MAX_CHARS]), steady(after[:MAX_CHARS])
    for one, other in zip_longest(_tokens(before), _tokens(after)):
        if one is None:
            return f"more lines: {_line(after, other.at)}"
        if other is None:
            return f"missing: {_line(before, one.at)}"
        if not _same(one, other, tolerance):
            number = before.count("\n", 0, one.at) + 1
            where = f"line {number} " if "\n" in before.strip() else ""
            return f"{where}was {_line(before, one.at)}, is {_line(after, other.at)}"
    return ""


def number_same(before: str, after: str, tolerance: Tolerance) -> bool:
    """Whether two printed numbers are one result: whole ones exactly, others by tolerance or to their last digit.

    Where five digits or more are printed, the last may have been rounded the other way.
    """
    before, after = (text.replace(",", "").lstrip("+") for text in (before, after))
    if before == after:
        return True
    if all(text.lstrip("-").rstrip(".").isdigit() for text in (before, after)):
        return False
    one, other = float(before), float(after)
    if math.isclose(one, other, rel_tol=tolerance.relative, abs_tol=tolerance.absolute):
        return True
    place = _last_place(before)
    sure = place == _last_place(after) and min(map(_significant, (before, after))) >= _SURE_DIGITS
    return sure and abs(one - other) <= 1.001 * 10.0**place


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        yield _Token(kind, match["char"] if kind == "rule" else match[0], match.start())


def _same(one: _Token, other: _Token, tolerance: Tolerance) -> bool:
    if one.text == other.text:
        return True
    numbers = {one.kind, other.kind} <= {"number", "epoch"}
    if numbers and number_same(one.text, other.text, tolerance):
        return True
    moment = tolerance.moment
    if moment is None or one.kind != other.kind or one.kind not in _STAMPS:
        return False
    return any(moment.is_now(token.kind, token.text) for token in (one, other))


def _last_place(number: str) -> int:
    """The power of ten of the last digit that is printed."""
    mantissa, _, exponent = number.lower().partition("e")
    return int(exponent[:5] or 0) - len(mantissa.partition(".")[2])


def _significant(number: str) -> int:
    mantissa = number.lower().partition("e")[0]
    return len(mantissa.lstrip("-0.").replace(".", ""))


def _line(text: str, at: int) -> str:
    """The line of ``text`` around the place ``at``, in quotes."""
    begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[begin : end if end >= 0 else len(text)]
    if len(line) > _SHOWN_CHARS:
        first = max(0, min(at - begin - _SHOWN_CHARS // 2, len(line) - _SHOWN_CHARS))
        line = ("…" if first else "") + line[first : first + _SHOWN_CHARS].strip() + "…"
    return f"“{' '.join(line.split())}”"

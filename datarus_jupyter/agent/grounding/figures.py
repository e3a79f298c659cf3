"""The numbers that an answer claims, with every value that a printed number may have to bear them out.

Numbers are read as English writes them: a comma groups thousands, a point begins the decimals.
"""

# Typographic minus signs, dashes and quotation marks are what this file reads.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from datarus_jupyter.agent.grounding.clauses import Clauses
from datarus_jupyter.agent.grounding.exempt import SMALL, silent_spans, states_no_result
from datarus_jupyter.agent.grounding.units import Suffix

Relation = Literal["=", "~", "<", ">"]

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−–", "0123456789-+--")
_NUMBER = re.compile(
    r"""(?<![\w.^\\]) (?<!\d,) (?<!\d:)
    (?P<sign>(?<![\w)\]%])[-−–+])?
    (?P<currency>\\?[$€£¥])?
    (?P<digits>\d{1,3}(?:(?:,|\{,\}|[\u202f\u00a0\u2009])\d{3}){1,9}(?!\d)(?:\.\d{1,60})?|\d{1,60}(?:\.\d{1,60})?|\.\d{1,60})(?!\d)
    (?:[eE](?P<e>[-+−]?\d{1,4})(?!\d)
      |\s?(?:×|x|\*|·|\\times|\\cdot)\s?10(?:\^|\*\*)?\{?(?P<power>[-−–+]?\d{1,4}(?!\d)|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})\}?
      |(?<=(?<![\d.,])10)(?:(?:\^|\*\*)\{?(?P<ten>[-−–+]?\d{1,4})(?!\d)\}?|(?P<super>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4})))?
    """,
    re.VERBOSE,
)
_IN_HEADING = re.compile(r"[(\[]\s*([^()\[\]|]+?)\s*[)\]]\s*$")
_JOINED = re.compile(r"\s*(?:[-–—/]|to|and|or)\s*\\?[$€£]?$")
_MARKUP = r"[\s*_$(`\[]*(?:US)?$"
_RELATIONS: tuple[tuple[Relation, re.Pattern[str]], ...] = (
    (
        "~",
        re.compile(
            r"(?:\b(?:about|around|roughly|approximately|approx\.?|circa|ca\.|nearly|almost|close to|some"
            r"|just (?:under|over|below|above|shy of)|slightly (?:under|over|below|above|more than|less than))"
            r"|[~≈∼]|\\approx|\\sim)" + _MARKUP,
            re.I,
        ),
    ),
    (
        "<",
        re.compile(
            r"(?:[<≤]|&lt;|\\(?:leq?|lt)|\b(?:(?:less|fewer|smaller|lower|no more|not more) than|below|under|at most"
            r"|up to))\s*=?" + _MARKUP,
            re.I,
        ),
    ),
    (
        ">",
        re.compile(
            r"(?:[>≥]|&gt;|\\(?:geq?|gt)|\b(?:(?:more|greater|larger|higher|no less|no fewer) than|above|over|at least"
            r"|exceed(?:s|ed|ing)?|upwards of))\s*=?" + _MARKUP,
            re.I,
        ),
    ),
)
_PERCENT_WORD = re.compile(r"%|percent|\bpct\b|_pct|pct_|\bshares?\b", re.I)
_FALLING = re.compile(
    r"negativ|invers|declin|decreas|dr[oi]p|f[ea]ll|lower|less|below|loss|lost|reduc|down|short|light|fewer|small|behind"
    r"|differ|gap|slow|cheap|under|minus|absolute|magnitude|shrink|shrank|worse|\b[tz]\b|statistic|\bd\b",
    re.I,
)
_NEAR = 80
_SUBTRACTED = re.compile(r"[\w)]\s*[-−–]\s*$")
_P_VALUE = re.compile(
    r"\bp(?:-| |_)?(?:values?)?[\s*_$)(`]*(?:\w+[\s*_$`]+){0,2}[<>=≤≥≈:\\]*[a-z\s]{0,16}[*_$`\s]*$", re.I
)
_LEVELS = ("0.1", "0.05", "0.01", "0.001", ".05", ".01", ".001")
_TESTED = re.compile(r"\bp\b|\bp[- ]value|significan", re.I)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value that a printed number may have, and by how much it may differ: half a unit of the last digit shown."""

    value: float
    tolerance: float
    grain: float
    """One unit of the last digit that is not zero: how far "over 300" may be exceeded."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number claimed in ``answer[start:end]``. ``readings`` are magnitudes: the sign is in ``signs``."""

    start: int
    end: int
    readings: tuple[Reading, ...]
    relation: Relation
    signs: frozenset[bool]
    """Which signs of a printed number bear the claim out: True for negative."""
    p_value: bool
    percent: bool
    unit: str
    telling: bool
    """Three significant digits or more: too many to be a setting that the user merely repeated."""
    count: bool
    """A bare integer of ten or less: the number of rows of a printed listing bears it out, too."""
    clause: str

    def literal(self) -> Figure:
        """The same number as it must read where it is repeated, not rounded."""
        readings = tuple(replace(reading, tolerance=0.0) for reading in self.readings)
        return replace(self, readings=readings, relation="=", p_value=False, count=False)


def figures(answer: str) -> Iterator[Figure]:
    """The numbers that ``answer`` claims, in order."""
    clauses = Clauses(answer)
    silent = silent_spans(answer)
    matches = [match for match in _NUMBER.finditer(answer) if not silent.covers(match.start("digits"))]
    suffixes = [Suffix(answer, match.end()) for match in matches]
    for match, suffix in zip(matches, suffixes, strict=True):
        if not suffix.text and (heading := _IN_HEADING.search(clauses.heading(match.start()))):
            suffix.inherit(Suffix(heading[1], 0))
    for i in range(len(matches) - 2, -1, -1):  # "1.2–1.5 million": the first number has the second one's suffix
        if not suffixes[i].text and _JOINED.match(answer, matches[i].end(), matches[i + 1].start("digits")):
            suffixes[i].inherit(suffixes[i + 1])
    for match, suffix in zip(matches, suffixes, strict=True):
        before, after = clauses.before(match.start())[-_NEAR:], answer[suffix.end : suffix.end + _NEAR]
        if not states_no_result(match["digits"], suffix, before, after, bare=_is_bare(match, suffix)):
            yield _figure(match, suffix, before, after, clauses.around(match.start()))


def _figure(match: re.Match[str], suffix: Suffix, before: str, after: str, clause: str) -> Figure:
    relation = _relation(before, after)
    number = _decimal(match)
    powers = [suffix.scale]
    if suffix.percent or (not suffix.text and _PERCENT_WORD.search(clause)):
        powers = [0, -2]
    elif suffix.inherited or (suffix.spelled and _significant(number) >= 3):
        powers = [suffix.scale, 0]
    return Figure(
        start=match.start(),
        end=suffix.end,
        readings=tuple(_reading(number, power, relation) for power in powers),
        relation=relation,
        signs=_signs(match["sign"], before, clause),
        p_value=bool(_P_VALUE.search(before) or (match[0] in _LEVELS and relation in "<>" and _TESTED.search(clause))),
        percent=suffix.percent,
        unit=suffix.unit,
        telling=_significant(number) >= 3,
        count=_is_bare(match, suffix) and number <= SMALL,
        clause=clause,
    )


def _decimal(match: re.Match[str]) -> Decimal:
    digits = re.sub(r"[^\d.]", "", match["digits"])
    power = match["e"] or match["power"]
    if match["ten"] or match["super"]:  # 10^-16
        digits, power = "1", match["ten"] or match["super"]
    exponent = max(-400, min(400, int((power or "0").translate(_SUPERSCRIPTS))))
    return Decimal(digits).scaleb(exponent)


def _significant(number: Decimal) -> int:
    return len(number.normalize().as_tuple().digits)


def _reading(number: Decimal, power: int, relation: Relation) -> Reading:
    last, value = int(number.as_tuple().exponent), float(number.scaleb(power))
    grain = float(Decimal(10) ** (int(number.normalize().as_tuple().exponent) + power)) if number else 1.0
    tolerance = float(Decimal(10) ** (last + power)) / 2
    if relation == "~":
        tolerance = max(tolerance, min(grain / 2, value * 0.05))
        if _significant(number) <= 2:
            tolerance = max(tolerance, value * 0.02)
    return Reading(value, tolerance, grain)


def _relation(before: str, after: str) -> Relation:
    if after.startswith("+"):
        return ">"
    if re.match(r"\s+or so\b", after):
        return "~"
    return next((relation for relation, pattern in _RELATIONS if pattern.search(before)), "=")


def _signs(sign: str | None, before: str, clause: str) -> frozenset[bool]:
    if sign:
        return frozenset([sign != "+"])
    return frozenset([False, True] if _FALLING.search(clause) or _SUBTRACTED.search(before) else [False])


def _is_bare(match: re.Match[str], suffix: Suffix) -> bool:
    marks = ("sign", "currency", "ten", "super", "power", "e")
    return match["digits"].isdigit() and not suffix.text and not any(match[mark] for mark in marks)

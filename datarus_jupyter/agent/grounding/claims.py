"""The numbers that an answer claims, with every value that a printed number may have to bear them out.

No claims, because they state no result: list numbers, ``[3]``, ``Step 2``, ordinals, decades, ``5-fold``, code,
conventional levels (95 % confidence, α = 0.05), ``80/20``, and bare integers up to ten outside a value position:
"the 3 species" reads as a word, "n = 3" and "there are 3" as results.
"""

# Typographic minus signs, dashes and quotation marks are what this file reads.
# ruff: noqa: RUF001, RUF002

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from datarus_jupyter.agent.grounding.clauses import Clauses

Relation = Literal["=", "~", "<", ">"]

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−–", "0123456789-+--")
_NUMBER = re.compile(
    r"""(?<![\w.^\\]) (?<!\d,) (?<!\d:)
    (?P<sign>(?<![\w)\]%])[-−–+])?
    (?P<currency>\\?[$€£¥])?
    (?P<digits>\d{1,3}(?:(?:,|\{,\}|[\u202f\u00a0\u2009])\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    (?:[eE](?P<e>[-+−]?\d+)
      |\s?(?:×|x|\*|·|\\times|\\cdot)\s?10(?:\^|\*\*)?\{?(?P<power>[-−–+]?\d+|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)\}?
      |(?:\^|\*\*)\{?(?P<ten>[-−–+]?\d+)\}?|(?P<super>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))?
    """,
    re.VERBOSE,
)
_GAP = r"(?:\s|\\,|\\ |~|-(?=[a-z]{4}))?(?:\\(?:text|mathrm)\{\s*)?"
_PERCENT = re.compile(
    _GAP + r"(?:\\?%|percent\b|per\s?cent\b|percentage[ -]points?\b|pp\b|p\.p\.|cents?\b)(?:[ -]points?\b)?", re.I
)
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "trillion": 12}
_SCALE = re.compile(r"(?:[kKMB]|\s?(?:mn|bn)|[\s-]?(?:thousand|million|billion|trillion))(?![A-Za-z])")
UNITS: dict[str, tuple[str, int]] = {
    **dict.fromkeys(["mg", "milligrams"], ("mass", -3)),
    **dict.fromkeys(["g", "gram", "grams"], ("mass", 0)),
    **dict.fromkeys(["kg", "kilogram", "kilograms"], ("mass", 3)),
    **dict.fromkeys(["t", "tonnes"], ("mass", 6)),
    **dict.fromkeys(["mm", "millimeters", "millimetres"], ("length", -3)),
    **dict.fromkeys(["cm", "centimeters", "centimetres"], ("length", -2)),
    **dict.fromkeys(["m", "meters", "metres"], ("length", 0)),
    **dict.fromkeys(["km", "kilometers", "kilometres"], ("length", 3)),
    **dict.fromkeys(["ms", "milliseconds"], ("time", -3)),
    **dict.fromkeys(["s", "seconds"], ("time", 0)),
    **dict.fromkeys(["ml", "millilitres", "milliliters"], ("volume", -3)),
    **dict.fromkeys(["l", "litres", "liters"], ("volume", 0)),
}
"""Unit of measure → its dimension and its power of ten."""

_UNIT = re.compile(_GAP + "(" + "|".join(sorted(UNITS, key=len, reverse=True)) + r")(?![A-Za-z0-9_^²³/])")
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
_SUBTRACTED = re.compile(r"[\w)]\s*[-−–]\s*$")
_P_VALUE = re.compile(
    r"\bp(?:-| |_)?(?:values?)?[\s*_$)(`]*(?:\w+[\s*_$`]+){0,2}[<>=≤≥≈:\\]*[a-z\s]{0,16}[*_$`\s]*$", re.I
)
_LEVELS = ("0.1", "0.05", "0.01", "0.001", ".05", ".01", ".001")
_TESTED = re.compile(r"\bp\b|\bp[- ]value|significan", re.I)
_FENCE = re.compile(r"^```(?:python|py|r|sql)\b.*?(?:^```|\Z)", re.M | re.S)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_CODE_LIKE = re.compile(r"[A-Za-z_].*[(=\[]")
_CLOCK = re.compile(r"(?<![\d:])\d{1,2}(?::\d{2}(?::\d{2})?|\s?(?:am|pm|a\.m\.|p\.m\.))(?!\w)", re.I)
_ADDRESS = re.compile(r"https?://\S+")
_LIST_NUMBER = re.compile(r"^[ \t]*(?:[#>*-]+[ \t]*)?(?:\*\*)?\(?\d{1,2}[.)](?=\s|\*)", re.M)
_CITATION = re.compile(r"(?<![\w\]])\[\d{1,2}(?:,\s*\d{1,2})*\]")
_NAMED = re.compile(
    r"\b(?:step|figure|fig\.|table|cell|section|chapter|phase|part|question|cluster|group|class|level|model|week|day|type"
    r"|component|factor|quartile|option|round|top|first|last|bottom|hypothesis|python|version|degree|seed|year)[\s*_]*#?$",
    re.I,
)
_AFTER_NAME = re.compile(
    r"(?:st|nd|rd|th)\b|s\b|-(?:fold|way|sample|tailed|sided|dimensional|year|point|day|step|nearest)\b|D\b"
)
_LEVEL_AFTER = re.compile(r"[\s-]*(?:confidence|CI\b|significance|(?:\w+ )?level\b|credib|prediction interval)", re.I)
_LEVEL_BEFORE = re.compile(r"(?:alpha|α|significance level|\\alpha)[\s*_$]*(?:of|=|is|:)?[\s*_$]*$", re.I)
_SPLIT = re.compile(r"\d+\s?[/:-]\s?\d+(?:[/:-]\d+)?(?=[\s-](?:train|split|test|hold))", re.I)
_PER = re.compile(r"\b(?:per|every|each|for an?)(?: additional| extra| further| more)?[\s*_$]*$", re.I)
_RULE_OF_THUMB = re.compile(r"\s?(?:[×x*·]|\\times|times)\s?(?:the )?(?:IQR|interquartile)", re.I)
_SMALL = 10
_VALUE_POSITION = re.compile(
    r"(?:[=≈:<>~$€£]|\w\[|\b(?:is|was|equals?|equal to|there (?:are|were|is)|has|have|had|found|contains?|only|total of"
    r"|exactly|increased by|decreased by|by))[\s*_$`]*$",
    re.I,
)


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
    silent = _silent_spans(answer)
    matches = [match for match in _NUMBER.finditer(answer) if not silent.covers(match.start("digits"))]
    suffixes = [_Suffix(answer, match.end()) for match in matches]
    for match, suffix in zip(matches, suffixes, strict=True):
        if not suffix.text and (heading := _IN_HEADING.search(clauses.heading(match.start()))):
            suffix.inherit(_Suffix(heading[1], 0))
    for i in range(len(matches) - 2, -1, -1):  # "1.2–1.5 million": the first number has the second one's suffix
        if not suffixes[i].text and _JOINED.match(answer, matches[i].end(), matches[i + 1].start("digits")):
            suffixes[i].inherit(suffixes[i + 1])
    for match, suffix in zip(matches, suffixes, strict=True):
        before, after = clauses.before(match.start()), answer[suffix.end : suffix.end + 40]
        if not _no_claim(match, suffix, before, after):
            yield _figure(match, suffix, before, after, clauses.around(match.start()))


def _figure(match: re.Match[str], suffix: _Suffix, before: str, after: str, clause: str) -> Figure:
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
        count=_is_small(match, suffix),
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


def _no_claim(match: re.Match[str], suffix: _Suffix, before: str, after: str) -> bool:
    bare = not suffix.text and match["digits"].isdigit()
    if not suffix.text and re.match(r"[A-Za-z_]", after) and not _AFTER_NAME.match(after):
        return True
    if suffix.text == "s" and re.fullmatch(r"\d{3}0", match["digits"]):  # the 1990s
        return True
    if bare and (_AFTER_NAME.match(after) or (len(match["digits"]) < 3 and _NAMED.search(before))):
        return True
    if _LEVEL_AFTER.match(after) and (suffix.percent or match["digits"].startswith(("0.", "."))):
        return True
    if _LEVEL_BEFORE.search(before) or _PER.search(before) or _RULE_OF_THUMB.match(after):
        return True
    return _is_small(match, suffix) and not _VALUE_POSITION.search(before)


def _is_small(match: re.Match[str], suffix: _Suffix) -> bool:
    marks = ("sign", "currency", "ten", "super", "power")
    plain = match["digits"].isdigit() and not any(match[mark] for mark in marks)
    return plain and not suffix.text and int(match["digits"]) <= _SMALL


class _Suffix:
    """What follows a number and belongs to it: a percent sign, a scale, a unit of measure."""

    def __init__(self, answer: str, at: int) -> None:
        self.end, self.scale, self.percent, self.unit, self.inherited, self.spelled = at, 0, False, "", False, False
        if percent := _PERCENT.match(answer, at):
            self.percent, self.end = True, percent.end()
        elif scale := _SCALE.match(answer, at):
            word = scale[0].strip(" -\u00a0\n").lower()
            self.scale, self.end, self.spelled = _SCALES[word], scale.end(), word.endswith(("thousand", "lion"))
        if not self.percent and (unit := _UNIT.match(answer, self.end)):
            self.unit, self.end = unit[1], unit.end()
        self.text = answer[at : self.end]

    def inherit(self, other: _Suffix) -> None:
        self.text, self.scale, self.percent, self.unit = other.text, other.scale, other.percent, other.unit
        self.inherited = bool(other.text)


class _Spans:
    """Disjoint stretches of the answer."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def covers(self, at: int) -> bool:
        i = bisect_right(self._starts, at) - 1
        return i >= 0 and at < self._ends[i]


def _silent_spans(answer: str) -> _Spans:
    patterns = (_FENCE, _ADDRESS, _LIST_NUMBER, _CITATION, _SPLIT, _CLOCK)
    spans = [match.span() for pattern in patterns for match in pattern.finditer(answer)]
    spans += [match.span() for match in _INLINE_CODE.finditer(answer) if _CODE_LIKE.search(match[0])]
    return _Spans(spans)

"""What the run's code printed, indexed once, so that a claim is looked up without reading it again.

Two guards keep a claim from being borne out by chance. Row numbers and quantile names (``25%``) of a printed
table are no numbers. And where a step printed so many numbers of the claim's size that one of them would fit anyway
("27 %" among forty percentages), the line with the fitting number must share a word with the claim's sentence.
"""

# Typographic minus signs are read as minus signs.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import isfinite

from datarus_jupyter.agent.grounding.figures import Figure, Reading
from datarus_jupyter.agent.grounding.units import UNITS

_DATE = re.compile(
    r"(?<![\d.])(\d{4})-\d{2}-\d{2}(?!\d)(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?|(?<!\d)\d{1,2}:\d{2}(?::\d{2})?"
)
_NUMBER = re.compile(
    r"""(?<![\w.]) (?:(?<![\w)\]])([-−]))? [$€£]?
    ((?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)? | \.\d+(?:[eE][-+]?\d+)?)
    (\s?% | \s?(?:thousand|million|billion)\b | [A-Za-zµ]{1,2}(?![A-Za-z0-9_]))? (?![A-Za-z0-9_])""",
    re.VERBOSE,
)
_SUFFIX_FACTORS = {"%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_UNIT_SEEN = re.compile("(?:[_(\\[]|\\d\\s?)(" + "|".join(sorted(UNITS, key=len, reverse=True)) + r")(?![A-Za-z0-9])")
_PERCENT_SEEN = re.compile(r"%|percent|pct", re.I)
_P_SEEN = re.compile(r"\bp\b|p[-_ ]?val|P>\||PR\(|\bsig\b", re.I)
_ROW = re.compile(r" {0,6}(\d+)(?: {2,}|\t)\S")
_QUANTILE = re.compile(r"^[ \t]*(\d+(?:\.\d+)?)%(?=\s)|'(\d+(?:\.\d+)?)%':", re.M)
_FIELD = re.compile(r"\S+(?: \S+)*")
_WORD = re.compile(r"[a-z]{3,}")
_ORDINARY = frozenset(
    "the and for are was were has have had with than that from this which about perce their there these those not but"
    " its dtype float name objec into only more over all between each".split()
)
_SAME_WORD = {
    "avera": "mean",
    "maxim": "max",
    "highe": "max",
    "large": "max",
    "minim": "min",
    "lowes": "min",
    "stand": "std",
}
_ROWS_UP_TO_HEADER = 40
_PLACES = 20
_HITS_READ = 100
_REACH = 300
_CHANCE = 0.12
"""How many chance hits in a step are too many to accept a match without a shared word."""


def words(text: str) -> frozenset[str]:
    """The stems by which two lines are said to speak of the same thing."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("50%", "median").lower()
    stems = (word[:5] for word in _WORD.findall(split))
    return frozenset(_SAME_WORD.get(stem, stem) for stem in stems if stem not in _ORDINARY)


class Printed:
    """The printed texts of a run, by step. ``units_from`` is further text that tells units of measure (``mass_g``)."""

    def __init__(self, texts: Mapping[int, str], units_from: str = "") -> None:
        self._pages = [_Page(step, texts[step]) for step in sorted(texts, reverse=True)]
        self._units_from = units_from

    def step_naming(self, needles: Sequence[str]) -> int | None:
        """The last step whose text has one of ``needles`` as whole words, whatever their case."""
        return next((page.step for page in self._pages if any(page.names(needle.lower()) for needle in needles)), None)

    def step_printing(self, figure: Figure) -> int | None:
        """The last step that printed a number that bears ``figure`` out; one that names the same thing goes first."""
        fallback = None
        clause = words(figure.clause)
        for page in self._pages:
            for reading in self._readings(figure):
                hits = page.hits(figure, reading)
                if any(clause & page.words_at(at) for at in hits[-_HITS_READ:]):
                    return page.step
                if hits and fallback is None and (figure.p_value or not page.crowded(reading)):
                    fallback = page.step
            if fallback is None and figure.count and int(figure.readings[0].value) in page.sizes:
                fallback = page.step
        return fallback

    @cached_property
    def _units(self) -> frozenset[str]:
        texts = (self._units_from, *(page.text for page in self._pages))
        return frozenset(unit for text in texts for unit in _UNIT_SEEN.findall(text))

    def _readings(self, figure: Figure) -> Iterator[Reading]:
        if not figure.unit:
            yield from figure.readings
            return
        dimension, power = UNITS[figure.unit]
        powers = {10.0 ** (power - p) for d, p in UNITS.values() if d == dimension}
        seen = {10.0 ** (power - UNITS[unit][1]) for unit in self._units if UNITS[unit][0] == dimension}
        for factor in seen or powers:
            for one in figure.readings:
                yield Reading(one.value * factor, one.tolerance * factor, one.grain * factor)


class _Page:
    """One step's text: its numbers by magnitude, with sign and place."""

    def __init__(self, step: int, text: str) -> None:
        self.step, self.text = step, text
        rows = {*_row_numbers(text), *(match.start(match.lastindex or 0) for match in _QUANTILE.finditer(text))}
        places: dict[tuple[float, bool], list[int]] = {}
        for magnitude, negative, at in _numbers(text):
            if at not in rows:
                places.setdefault((magnitude, negative), []).append(at)
        self._entries = sorted((key, found[-_PLACES:]) for key, found in places.items())
        self._magnitudes = [magnitude for (magnitude, _), _ in self._entries]

    @cached_property
    def _folded(self) -> str:
        return self.text.lower()

    def names(self, needle: str) -> bool:
        """Whether the text has this lower-case text as whole words; ``mass`` is no word of ``body_mass_g``."""
        inner = None if "_" in needle else "_"
        at = self._folded.find(needle)
        while at >= 0:
            end = at + len(needle)
            before, after = self._folded[max(at - 1, 0) : at], self._folded[end : end + 1]
            inside = (before.isalnum() or before == inner) and needle[0].isalnum()
            if not inside and not after.isalnum() and after != inner:
                return True
            at = self._folded.find(needle, at + 1)
        return False

    @cached_property
    def sizes(self) -> frozenset[int]:
        """How many rows or items the listings in the text have."""
        return frozenset(size for size in _listing_sizes(self.text) if size > 1)

    @cached_property
    def _speaks_of_p(self) -> bool:
        return bool(_P_SEEN.search(self.text))

    @cached_property
    def _speaks_of_percent(self) -> bool:
        return bool(_PERCENT_SEEN.search(self.text))

    def words_at(self, at: int) -> frozenset[str]:
        """The words of the line at a place; where it has none, those of the table's header above it."""
        end = self.text.find("\n", at, at + _REACH)
        end = min(at + _REACH, len(self.text)) if end < 0 else end
        for _ in range(_ROWS_UP_TO_HEADER):
            start = self.text.rfind("\n", max(end - 2 * _REACH, 0), end) + 1 or max(end - 2 * _REACH, 0)
            if (found := words(self.text[start:end])) or start == 0:
                return found
            end = start - 1
        return frozenset()

    def hits(self, figure: Figure, reading: Reading) -> list[int]:
        """Where the text has a number that bears out this reading of ``figure``."""
        if not isfinite(reading.value):
            return []
        slack = reading.value * 1e-12  # floats
        low, high = reading.value - reading.tolerance - slack, reading.value + reading.tolerance + slack
        found = self._between(low, high, figure.signs) or self._bounded(figure, reading)
        if figure.percent and reading is figure.readings[0] and not self._speaks_of_percent:
            # Without a percent sign in sight, 0.463 is no 0.463 %, and a whole number is rather a count than a rate.
            return [at for at in found if reading.value >= 1 and "." in self._token(at)]
        return found

    def _between(self, low: float, high: float, signs: frozenset[bool]) -> list[int]:
        first, last = bisect_left(self._magnitudes, low), bisect_right(self._magnitudes, high)
        return [at for (_, negative), places in self._entries[first:last] if negative in signs for at in places]

    def _bounded(self, figure: Figure, reading: Reading) -> list[int]:
        if figure.relation not in ("<", ">"):
            return []
        below = figure.relation == "<"
        if figure.p_value:
            places = self._between(*((0.0, reading.value) if below else (reading.value, 1.0)), frozenset([False]))
            return [at for at in places if self._like_p(at)]
        margin = (
            (reading.value - reading.grain, reading.value) if below else (reading.value, reading.value + reading.grain)
        )
        return self._between(*margin, figure.signs)

    def _token(self, at: int) -> str:
        match = _NUMBER.match(self.text, at)
        return match[2] if match else ""

    def _like_p(self, at: int) -> bool:
        token = self._token(at).lower()
        return "e-" in token or ("." in token and (self._speaks_of_p or len(token.partition(".")[2]) >= 4))

    def crowded(self, reading: Reading) -> bool:
        """Whether so many other numbers have about this size that one would fit by chance."""
        value, inside = reading.value, 2 * reading.tolerance
        if value == 0:
            return False
        near = self._count(value / 2, 2 * value)
        fitting = self._count(value - reading.tolerance, value + reading.tolerance)
        return (near - fitting) * inside / (1.5 * value) > _CHANCE

    def _count(self, low: float, high: float) -> int:
        return bisect_right(self._magnitudes, high) - bisect_left(self._magnitudes, low)


def _numbers(text: str) -> Iterator[tuple[float, bool, int]]:
    for match in _DATE.finditer(text):
        if match[1]:
            yield float(match[1]), False, match.start()
    without_dates = _DATE.sub(lambda match: " " * len(match[0]), text)
    for match in _NUMBER.finditer(without_dates):
        sign, digits, suffix = match.groups()
        value, at = float(digits.replace(",", "")), match.start()
        yield value, bool(sign), at
        if suffix and (factor := _SUFFIX_FACTORS.get(suffix.strip())):
            yield value * factor, bool(sign), at


def _row_numbers(text: str) -> Iterator[int]:
    """Where lines begin with a row number: under a header that has no name for it, or counting up from 0."""
    header, expected, at = "", 0, 0
    for line in text.split("\n"):
        row = _ROW.match(line)
        if row:
            unnamed = header[:1] in (" ", "\t") and len(_FIELD.findall(header)) < len(_FIELD.findall(line))
            unnamed = unnamed or header.lstrip().startswith("# ")
            counting = int(row[1]) == expected and not re.fullmatch(r"\w+", header.strip())
            if unnamed or counting:
                yield at + row.start(1)
            expected = int(row[1]) + 1
        elif line.strip(" .-=|:+"):
            header, expected = line, 0
        at += len(line) + 1


def _listing_sizes(text: str) -> Iterator[int]:
    size = 0  # rows so far
    for line in (*text.split("\n"), ""):
        if re.search(r"\d\s*$|^\s*\d+\s", line) and not line.startswith(" "):
            size += 1
        else:
            yield size
            size = 0
    for listing in re.finditer(r"\[[^\[\]]{1,2000}\]", text):
        yield len(re.findall(r"'[^']*'|\"[^\"]*\"", listing[0]))

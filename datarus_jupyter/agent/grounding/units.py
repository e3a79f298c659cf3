"""What follows a number and belongs to it: a percent sign, a scale (``k``, ``million``), a unit of measure."""

from __future__ import annotations

import re

_GAP = r"(?:[^\S\n]|\\,|\\ |~|-(?=[a-z]{4}))?(?:\\(?:text|mathrm)\{\s*)?"
_PERCENT = re.compile(
    _GAP + r"(?:\\?%|percent\b|per\s?cent\b|percentage[ -]points?\b|pp\b|p\.p\.|cents?\b)(?:[ -]points?\b)?", re.I
)
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "trillion": 12}
_SCALE = re.compile(r"(?:[kKMB]|[^\S\n]?(?:mn|bn)|(?:[^\S\n]|-)?(?:thousand|million|billion|trillion))(?![A-Za-z])")
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


class Suffix:
    """The suffix of the number that ends at ``at``; ``text`` is '' if it has none. Cents count as percent of a unit."""

    def __init__(self, answer: str, at: int) -> None:
        self.end, self.scale, self.percent, self.unit, self.inherited, self.spelled = at, 0, False, "", False, False
        if percent := _PERCENT.match(answer, at):
            self.percent, self.end = True, percent.end()
        elif scale := _SCALE.match(answer, at):
            word = scale[0].strip(" -\u00a0\u202f").lower()
            self.scale, self.end, self.spelled = _SCALES[word], scale.end(), word.endswith(("thousand", "lion"))
        if not self.percent and (unit := _UNIT.match(answer, self.end)):
            self.unit, self.end = unit[1], unit.end()
        self.text = answer[at : self.end]

    def inherit(self, other: Suffix) -> None:
        """Take over what a heading or a later number of the same range says."""
        self.text, self.scale, self.percent, self.unit = other.text, other.scale, other.percent, other.unit
        self.inherited = bool(other.text)

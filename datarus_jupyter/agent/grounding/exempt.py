"""Numbers that state no result and so need no source.

List numbers, ``[3]``, ``Step 2``, ordinals, decades, ``5-fold``, clock times, code, conventional levels (95 %
confidence, alpha = 0.05), ``80/20``, "the top 5 %", "per 1,000", and bare integers up to ten outside a value position:
"the 3 species" reads as a word, "n = 3" and "there are 3" as results.
"""

# Typographic signs are what this file reads.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from bisect import bisect_right

from datarus_jupyter.agent.grounding.units import Suffix

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
_LEVEL_AFTER = re.compile(
    r"[\s-]*(?:confidence|CI\b|significance|(?:\w+ )?level\b|credib|prediction interval|quantile|percentile)", re.I
)
_LEVEL_BEFORE = re.compile(r"(?:alpha|α|significance level|\\alpha)[\s*_$]*(?:of|=|is|:)?[\s*_$]*$", re.I)
_PART = re.compile(r"\b(?:top|bottom|middle|upper|lower|first|last)[\s*_]*$", re.I)
_SPLIT = re.compile(r"(?<!\d)\d{1,3}\s?[/:-]\s?\d{1,3}(?:[/:-]\d{1,3})?(?=[\s-](?:train|split|test|hold))", re.I)
_PER = re.compile(r"\b(?:per|every|each|for an?)(?: additional| extra| further| more)?[\s*_$]*$", re.I)
_RULE_OF_THUMB = re.compile(r"\s?(?:[×x*·]|\\times|times)\s?(?:the )?(?:IQR|interquartile)", re.I)
SMALL = 10
"""Integers up to this are words as often as results."""

_VALUE_POSITION = re.compile(
    r"(?:[=≈:<>~$€£]|\w\[|\b(?:is|was|equals?|equal to|there (?:are|were|is)|has|have|had|found|contains?|only|total of"
    r"|exactly|increased by|decreased by|by))[\s*_$`]*$",
    re.I,
)


def states_no_result(digits: str, suffix: Suffix, before: str, after: str, *, bare: bool) -> bool:
    """Whether the number between ``before`` and ``after`` is none to be sourced; ``bare``: digits and nothing else."""
    level = suffix.percent or digits.startswith(("0.", "."))
    return bool(
        (not suffix.text and re.match(r"[A-Za-z_]", after) and not _AFTER_NAME.match(after))
        or (suffix.text == "s" and re.fullmatch(r"\d{3}0", digits))
        or (bare and (_AFTER_NAME.match(after) or (len(digits) < 3 and _NAMED.search(before))))
        or (level and _LEVEL_AFTER.match(after))
        or (suffix.percent and _PART.search(before))
        or _LEVEL_BEFORE.search(before)
        or _PER.search(before)
        or _RULE_OF_THUMB.match(after)
        or (bare and len(digits) <= 2 and int(digits) <= SMALL and not _VALUE_POSITION.search(before))
    )


class Spans:
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
        """Whether the character at a place is inside one."""
        i = bisect_right(self._starts, at) - 1
        return i >= 0 and at < self._ends[i]


def silent_spans(answer: str) -> Spans:
    """Where the answer speaks no prose of its own: code, addresses, list numbers, citations, splits, clock times."""
    patterns = (_FENCE, _ADDRESS, _LIST_NUMBER, _CITATION, _SPLIT, _CLOCK)
    spans = [match.span() for pattern in patterns for match in pattern.finditer(answer)]
    spans += [match.span() for match in _INLINE_CODE.finditer(answer) if _CODE_LIKE.search(match[0])]
    return Spans(spans)

"""What differs between two runs of the same code though nothing is wrong: addresses, durations, the time of day.

Dates in the data are results like any other: a stamp is volatile only where it is of the very moment of the run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

# Every repetition is bounded or anchored, since the text may be a megabyte of digits or of base64.
_NUMBER = r"\d[\d,]{0,15}(?:\.\d{1,20})?(?:e[-+]?\d{1,3})?"
_UNIT = r"(?:ns|us|µs|μs|ms|s|secs?|seconds?|min|mins|minutes?|h|hours?)\b"
_SPAN = rf"{_NUMBER} ?{_UNIT}(?: ?{_NUMBER} ?{_UNIT}){{0,3}}"
_CUE = r"(?:took|elapsed|run ?time|wall(?: time)?|(?:execution|training|elapsed|total) time|time (?:taken|elapsed))"
_TEMPORARY = r"(?:/private)?(?:/tmp|/var/tmp|/var/folders/[^/\s'\"]{1,99}/[^/\s'\"]{1,99}/T)"

_PARTS: list[tuple[str, str]] = [
    # %%time, %timeit, tqdm, keras, "took 1.2 s", "--- 1.2 seconds ---"
    (r"(?m)^(CPU times|Wall time|Compiler time): .*$", r"\1: ⟨duration⟩"),
    (rf"{_SPAN} ± {_SPAN} per loop \([^)\n]{{0,99}}\)", "⟨duration⟩ per loop"),
    (r"\[(?:\d{1,3}:)?\d{1,3}:\d\d<[^\]\n]{0,99}\]", "[⟨duration⟩]"),
    (rf"{_NUMBER} ?(?:it/s|s/it|[kMG]?i?B/s|(?:s|ms|us|µs)/(?:step|epoch|sample))", "⟨rate⟩"),
    (rf"\b{_NUMBER}s(?= ⟨rate⟩)", "⟨duration⟩"),
    (rf"(?i)\b({_CUE} ?(?:\([^)\n]{{0,20}}\))? ?(?:is|was|:|=|of)? ?){_SPAN}", r"\1⟨duration⟩"),
    (rf"(?i)\b((?:done|finished|completed|ran) in ){_SPAN}", r"\1⟨duration⟩"),
    (rf"(?i)(--- ?){_SPAN}( ?---)", r"\1⟨duration⟩\2"),
    # objects and identifiers
    (r"\b0x[0-9a-fA-F]{6,16}\b", "⟨address⟩"),
    (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "⟨id⟩"),
    (r"\b[0-9a-f]{32}\b", "⟨id⟩"),
    # a cell's own name, files in passing, and the installation that a warning names
    (r"<(?:ipython-input|cell)-[\w-]{1,99}>(?::\d{1,9})?", "⟨cell⟩"),
    (r"(?<![\w.])(?:/[^\s'\":]{0,200})?/ipykernel_\d{1,9}/\d{1,12}\.py(?::\d{1,9})?", "⟨cell⟩"),
    (r"\b(?:Cell )?In ?\[\d{1,9}\]", "⟨cell⟩"),
    (_TEMPORARY + r"/[^\s'\",)]{1,400}", "⟨temporary file⟩"),
    (r"(?<![^\s'\"])[^\s'\"]{0,300}/(?:site|dist)-packages/([\w./-]{1,200})(?::\d{1,9})?", r"⟨package⟩/\1"),
]
_RULES = [(re.compile(pattern), replacement) for pattern, replacement in _PARTS]

STAMP = (
    r"(?P<iso>\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[-+]\d\d:?\d\d)?)"
    r"|(?P<date>\b\d{4}-\d\d-\d\d\b)"
    r"|(?P<clock>\b\d\d:\d\d:\d\d(?:[.,]\d{1,6})?\b)"
    r"|(?P<ctime>\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\b)"
    r"|(?P<repr>\bdatetime\.datetime\(\d{4}(?:, \d{1,6}){4,6}\))"
    r"|(?P<epoch>\b[12]\d{9}(?:\.\d{1,9})?\b)"
)
"""A time of day, a date or both, as Python prints them: part of a regular expression."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When code ran, from ``begin`` to ``end`` in seconds since the epoch."""

    begin: float
    end: float

    def is_now(self, kind: str, stamp: str) -> bool:
        """Whether ``stamp``, which the group ``kind`` of ``STAMP`` found, is of this moment here or in UTC."""
        try:
            return self._holds(kind, stamp)
        except ValueError:  # 2024-02-31
            return False

    def _holds(self, kind: str, stamp: str) -> bool:
        match kind:
            case "iso":
                return self._shows(datetime.fromisoformat(stamp.replace(",", ".")), minute=len(stamp) == 16)
            case "date":
                return any(stamp == end.date().isoformat() for ends in self._ends for end in ends)
            case "clock":
                at = time.fromisoformat(stamp.replace(",", "."))
                return any(self._shows(datetime.combine(end, at)) for ends in self._ends for end in ends)
            case "ctime":
                return self._shows(datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y"))
            case "repr":
                parts = re.sub(r"\D+", " ", stamp)
                form = "%Y %m %d %H %M %S %f"[: 3 * len(parts.split()) - 1]
                return self._shows(datetime.strptime(parts.strip(), form))
            case _:
                return self.begin - 1 <= float(stamp) <= self.end

    @property
    def _ends(self) -> list[tuple[datetime, datetime]]:
        """Begin and end as clocks show them, in UTC and here."""
        shown = [
            (datetime.fromtimestamp(self.begin, zone), datetime.fromtimestamp(self.end, zone)) for zone in (UTC, None)
        ]
        return [(begin.replace(tzinfo=None), end.replace(tzinfo=None)) for begin, end in shown]

    def _shows(self, stamp: datetime, *, minute: bool = False) -> bool:
        """Whether a clock showed it, which cuts to seconds or, with ``minute``, to minutes."""
        cut = timedelta(minutes=1) if minute else timedelta(seconds=1)
        if stamp.tzinfo is not None:
            return self.begin - cut.total_seconds() <= stamp.timestamp() <= self.end
        return any(begin - cut <= stamp <= end for begin, end in self._ends)


def steady(text: str) -> str:
    """``text`` with a placeholder for each address, duration, identifier and path that changes from run to run."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text

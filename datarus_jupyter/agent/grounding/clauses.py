"""The surroundings of a place in an answer: what a number or a name there is said of."""

from __future__ import annotations

import re
from bisect import bisect_right

_END = re.compile(r"[.!?;](?=\s)|\n")
_REACH = 400
"""Characters to either side that a clause may have: an answer without a full stop must not cost its square."""


class Clauses:
    """The sentence or line around a place; in a Markdown table, its row with the heading of its column."""

    def __init__(self, answer: str) -> None:
        self._answer = answer
        self._bounds = [0, *(match.end() for match in _END.finditer(answer)), len(answer)]
        self._headings: dict[int, list[str]] = {}
        headings: list[str] = []
        for line in re.finditer(r"^.*$", answer, re.M):
            in_table = line[0].lstrip().startswith("|")
            headings = (headings or line[0].split("|")) if in_table else []
            if headings:
                self._headings[line.start()] = headings

    def before(self, at: int) -> str:
        """The clause up to a place."""
        return self._answer[max(self._bounds[bisect_right(self._bounds, at) - 1], at - _REACH) : at]

    def around(self, at: int) -> str:
        """The whole clause, after the heading of its column."""
        end = self._bounds[min(bisect_right(self._bounds, at), len(self._bounds) - 1)]
        return f"{self.heading(at)} {self.before(at)}{self._answer[at : min(end, at + _REACH)]}"

    def heading(self, at: int) -> str:
        """The heading of the table column at a place; '' outside tables."""
        line = self._answer.rfind("\n", 0, at) + 1
        headings = self._headings.get(line)
        if not headings:
            return ""
        column = self._answer.count("|", line, at)
        return headings[column] if column < len(headings) else ""

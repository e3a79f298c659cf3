"""How an answer is graded: as InfiAgent's closed-form scorer does (arXiv 2401.05507, eval_closed_form.py). Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

_PAIR = re.compile(r"@(\w+)\[(.*?)\]")
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Grade:
    """``correct``: for each label, whether the answer has its value. ``in_form``: every label's name is there."""

    correct: dict[str, bool]
    in_form: bool

    @property
    def right(self) -> bool:
        """A question is right when all its labels are."""
        return all(self.correct.values())


def pairs(answer: str) -> dict[str, str]:
    """The ``@name[value]`` pairs of an answer. The last of a name counts; a value ends at the first ``]``."""
    return dict(_PAIR.findall(answer))


def equal(value: str | None, label: str) -> bool:
    """Whether it is the same string, or the same number within 1e-6. Nothing is trimmed or rounded."""
    if value is None or value == label:
        return value == label
    try:
        return abs(float(value) - float(label)) < _TOLERANCE
    except ValueError:
        return False


def grade(answer: str, labels: Mapping[str, str]) -> Grade:
    """Grade an answer. Unlike the original, which leaves it out, a question without an answer counts as wrong."""
    found = pairs(answer)
    return Grade({name: equal(found.get(name), label) for name, label in labels.items()}, labels.keys() <= found.keys())


def wilson(successes: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval of a proportion, by default at 95 %; (0, 1) if nothing was tried."""
    if total == 0:
        return 0.0, 1.0
    share, spread = successes / total, z * z / total
    centre = share + spread / 2
    half = z * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))

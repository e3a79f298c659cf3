"""Grounded answers: where each number and label that an answer claims was printed by the run's code.

A claim is a number or a name that the reader would take for a result. It is *sourced* when some step printed it: the
same number rounded to the digits that the answer shows, in the same scale (a percent sign, ``k``, ``million`` or a
unit of measure is what permits another power of ten), with the same sign. What was worked out in the model's head from
printed numbers, a difference or a ratio, is not sourced: code has to compute it. What the user said (``given``) and
the settings in the code (``code``) need no source and are no claims.

Which numbers are no claims is decided in ``exempt.py``, which names are claims in ``labels.py``, and what guards
against a match by chance in ``printed.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from datarus_jupyter.agent.grounding.figures import Figure, figures
from datarus_jupyter.agent.grounding.labels import Label, labels
from datarus_jupyter.agent.grounding.printed import Printed
from datarus_jupyter.journal.events import Claim

_NAMED_IN_REMINDER = 8
_SETTING = re.compile(r"(?<=\w=)-?\d[\d_.]*(?:e-?\d+)?|\b(?:19|20)\d\d\b")


def ground(answer: str, printed: Mapping[int, str], *, given: str = "", code: str = "") -> list[Claim]:
    """The claims of ``answer`` in order, disjoint, each with the last step that printed it, or None.

    ``printed`` maps a step's number to all text that its code printed. ``given`` is the question with its context.
    ``code`` is the code of the steps: a name that it uses is not invented, and neither is a number that it passes as
    a keyword argument (``random_state=42``) or a year; other numbers in it are no source: the model wrote them.
    """
    source = Printed(printed, units_from=given)
    known = Printed({0: "\n".join([given, *_SETTING.findall(code)])})
    named = Printed({0: f"{given}\n{code}"})
    names = labels(answer)
    found = _Claims(answer)
    for label in names:
        step = source.step_naming(label.needles)
        if step is not None:
            found.add(label, step)
    for figure in figures(answer):
        step = source.step_printing(figure)
        if known.step_printing(figure.literal()) is None or (step is not None and figure.telling):
            found.add(figure, step)
    for label in names:
        if label.data_like and named.step_naming(label.needles) is None:
            found.add(label, None)
    return found.in_order()


class _Claims:
    """Claims that do not overlap: what is added first keeps its place."""

    def __init__(self, answer: str) -> None:
        self._answer = answer
        self._taken = bytearray(len(answer))
        self._found: list[Claim] = []

    def add(self, part: Figure | Label, step: int | None) -> None:
        if not any(self._taken[part.start : part.end]):
            self._taken[part.start : part.end] = b"x" * (part.end - part.start)
            text = self._answer[part.start : part.end]
            self._found.append(Claim(start=part.start, end=part.end, text=text, step=step))

    def in_order(self) -> list[Claim]:
        return sorted(self._found, key=lambda claim: claim.start)


def unfounded(claims: Sequence[Claim]) -> list[Claim]:
    """The claims that no step printed."""
    return [claim for claim in claims if claim.step is None]


def reminder(claims: Sequence[Claim]) -> str:
    """What the model is told, once, about an answer whose claims are not all sourced; '' if they are."""
    missing = list(dict.fromkeys(claim.text for claim in unfounded(claims)))
    if not missing:
        return ""
    names = ", ".join(missing[:_NAMED_IN_REMINDER])
    more = f" and {len(missing) - _NAMED_IN_REMINDER} more" if len(missing) > _NAMED_IN_REMINDER else ""
    return (
        f"Your code printed none of this, but your answer says it: {names}{more}. "
        "Compute it in code and print it in one more step, or leave it out; then answer again."
    )

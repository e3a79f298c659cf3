"""Which of a run's steps is the new version of the user's cell that the run was asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

_NEAR = 0.5
"""Of the best likeness, what makes a step another version of the cell and no look at something else."""


def proposal(source: str, cells: Sequence[dict[str, Any]]) -> tuple[int, str] | None:
    """The step and its code that may take the place of ``source``; None if there is none.

    ``cells`` are the run's, in nbformat. Only code that ran without an error counts. Of that it is the last that is
    about as like ``source`` as any: a model may look at the data before, and at its result after.
    """
    ran = [cell for cell in cells if _ran(cell) and cell["source"].strip() != source.strip()]
    likeness = [SequenceMatcher(None, source, cell["source"], autojunk=False).ratio() for cell in ran]
    near = _NEAR * max(likeness, default=0.0)
    for cell, like in zip(reversed(ran), reversed(likeness), strict=True):
        if like >= near:
            return cell["metadata"]["datarus"]["step"], cell["source"]
    return None


def _ran(cell: dict[str, Any]) -> bool:
    if cell["cell_type"] != "code" or cell["execution_count"] is None:
        return False
    return all(output["output_type"] != "error" for output in cell["outputs"])

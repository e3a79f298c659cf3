"""How a run's cells go into a notebook, as a pure function on nbformat documents.

The user's hand wins: a cell whose source is no longer what the run wrote stays as it is, and a cell that was there and
is gone was deleted and does not come back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.journal.cells import Kind, cell_id

Cell = dict[str, Any]
"""A cell as in nbformat 4.5, with ``metadata.datarus`` where a run wrote it."""

Notebook = dict[str, Any]


class Mark(msgspec.Struct, frozen=True):
    """``metadata.datarus`` of a cell. Notebooks come from anywhere: what is not just this is no mark."""

    run: str
    step: int
    kind: Kind
    seq: int
    sha256: str


def mark_of(cell: Cell) -> Mark | None:
    """The mark that a run has left on the cell; None if there is none."""
    try:
        return msgspec.convert(cell["metadata"].get("datarus"), Mark)
    except msgspec.ValidationError:
        return None


def merge(
    notebook: Notebook,
    cells: Sequence[Cell],
    run: str,
    anchor: str | None,
    written: Collection[str],
    reverted: int = -1,
) -> Notebook:
    """``notebook`` (which stays as it is) with the cells of ``run`` brought up to date.

    New cells go below the run's last cell before them; the first one below the cell ``anchor``, or to the end.
    ``written`` names the cells that were in the notebook before: those not there any more were deleted by the user.
    What the run has taken back goes, but for cells that the user edited; those written before the event ``reverted``
    are theirs from now on and bear no mark of the run.
    """
    wanted = {cell["id"] for cell in cells}
    back = trace(notebook, run) >= reverted
    left = (_left(cell, reverted, back) if _gone(cell, run, wanted) else cell for cell in notebook["cells"])
    merged = {**notebook, "cells": [cell for cell in left if cell]}
    after = _index(merged, anchor)
    for cell in cells:
        here = _index(merged, cell["id"])
        if here is not None:
            merged["cells"][here] = _updated(merged["cells"][here], cell)
            after = here
        elif cell["id"] not in written:
            after = len(merged["cells"]) if after is None else after + 1
            merged["cells"].insert(after, cell)
    if notebook["cells"] and not merged["cells"]:
        merged["cells"] = [_empty(run)]  # as Lab does where the last cell is deleted
    return merged


def refuse_loss(before: Notebook, after: Notebook, run: str) -> None:
    """Raise ``SurfaceError`` if saving ``after`` over ``before`` would take away a cell that ``run`` did not make."""
    kept = {cell["id"] for cell in after["cells"]}
    lost = [cell for cell in before["cells"] if cell["id"] not in kept and _run_of(cell) != run]
    if lost or (before["cells"] and not after["cells"]):
        raise SurfaceError("The save would have removed cells of yours and was refused: reload the notebook and go on.")


def edited(cell: Cell) -> bool:
    """Whether the source of ``cell`` is another than a run wrote."""
    mark = mark_of(cell)
    return mark is None or mark.sha256 != hashlib.sha256(source_of(cell).encode()).hexdigest()


def source_of(cell: Cell) -> str:
    """The cell's source as one text; on disk it may be a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def cell_ids(notebook: Notebook, run: str) -> set[str]:
    """The ids of the cells of ``run`` in the notebook."""
    return {cell["id"] for cell in notebook["cells"] if _run_of(cell) == run}


def _run_of(cell: Cell) -> str | None:
    mark = mark_of(cell)
    return mark.run if mark else None


def _empty(run: str) -> Cell:
    source: Cell = {"id": f"after-{run}", "cell_type": "code", "source": "", "metadata": {}}
    return {**source, "execution_count": None, "outputs": []}


def trace(notebook: Notebook, run: str) -> int:
    """The last event of ``run`` that the notebook is known to have held; -1 if none is."""
    marks = (mark_of(cell) for cell in notebook["cells"])
    return max(_noted(notebook, run), *(mark.seq for mark in marks if mark and mark.run == run), -1)


def _noted(notebook: Notebook, run: str) -> int:
    try:
        return msgspec.convert(notebook["metadata"].get("datarus"), _Traces).runs.get(run, -1)
    except msgspec.ValidationError:
        return -1


class _Traces(msgspec.Struct):
    """``metadata.datarus`` of a notebook: the last event of each run that it holds."""

    runs: dict[str, int] = {}


def _gone(cell: Cell, run: str, wanted: Collection[str]) -> bool:
    """A cell that the run took back; a copy of one, which has another id, is the user's own."""
    mark = mark_of(cell)
    if mark is None or mark.run != run or cell["id"] in wanted:
        return False
    return bool(cell["id"] == cell_id(run, mark.step, mark.kind))


def _left(cell: Cell, reverted: int, back: bool) -> Cell | None:
    """What stays of a cell that the run took back. ``back``: it was gone before, and the user put it there again."""
    mark = mark_of(cell)
    void = mark is not None and mark.seq < reverted
    if not edited(cell) and not (void and back):
        return None
    metadata = {name: value for name, value in cell["metadata"].items() if name != "datarus" or not void}
    return {**cell, "metadata": metadata}


def _updated(there: Cell, cell: Cell) -> Cell:
    mark = mark_of(there)
    if mark is None or edited(there) or mark.seq > cell["metadata"]["datarus"]["seq"]:
        return there
    metadata = {**there["metadata"], **cell["metadata"]}
    if cell.get("outputs") != there.get("outputs"):
        metadata.pop("trusted", None)  # Jupyter trusts a cell without outputs; script in new ones must not run for that
    return {**cell, "metadata": metadata}


def _index(notebook: Notebook, cell: str | None) -> int | None:
    ids = [other["id"] for other in notebook["cells"]]
    return ids.index(cell) if cell in ids else None

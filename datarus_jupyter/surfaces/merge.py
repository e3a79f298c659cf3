"""How a run's cells go into a notebook, as a pure function on nbformat documents.

The user's hand wins: a cell whose source is no longer what the run wrote stays as it is, and a cell that was there and
is gone was deleted and does not come back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from datarus_jupyter.errors import SurfaceError

Cell = dict[str, Any]
"""A cell as in nbformat 4.5, with ``metadata.datarus`` where a run wrote it."""

Notebook = dict[str, Any]


def merge(
    notebook: Notebook, cells: Sequence[Cell], run: str, anchor: str | None, written: Collection[str]
) -> Notebook:
    """``notebook`` (which stays as it is) with the cells of ``run`` brought up to date.

    New cells go below the run's last cell before them; the first one below the cell ``anchor``, or to the end.
    ``written`` names the cells that were in the notebook before: those not there any more were deleted by the user.
    """
    merged = {**notebook, "cells": list(notebook["cells"])}
    wanted = {cell["id"] for cell in cells}
    merged["cells"] = [cell for cell in merged["cells"] if not _discarded(cell, run, wanted)]
    after = _index(merged, anchor)
    for cell in cells:
        here = _index(merged, cell["id"])
        if here is not None:
            merged["cells"][here] = _updated(merged["cells"][here], cell)
            after = here
        elif cell["id"] not in written:
            after = len(merged["cells"]) if after is None else after + 1
            merged["cells"].insert(after, cell)
    return merged


def refuse_loss(before: Notebook, after: Notebook, run: str) -> None:
    """Raise ``SurfaceError`` if saving ``after`` over ``before`` would take away a cell that ``run`` did not make."""
    kept = {cell["id"] for cell in after["cells"]}
    lost = [cell for cell in before["cells"] if cell["id"] not in kept and _run_of(cell) != run]
    if lost or (before["cells"] and not after["cells"]):
        raise SurfaceError("The save would have removed cells of yours and was refused: reload the notebook and go on.")


def edited(cell: Cell) -> bool:
    """Whether the user changed the source that the run wrote into ``cell``."""
    mark = cell["metadata"].get("datarus", {})
    return bool(mark.get("sha256") != hashlib.sha256(source_of(cell).encode()).hexdigest())


def source_of(cell: Cell) -> str:
    """The cell's source as one text; on disk it may be a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def cell_ids(notebook: Notebook, run: str) -> set[str]:
    """The ids of the cells of ``run`` in the notebook."""
    return {cell["id"] for cell in notebook["cells"] if _run_of(cell) == run}


def _run_of(cell: Cell) -> str | None:
    mark = cell["metadata"].get("datarus")
    return mark.get("run") if isinstance(mark, dict) else None


def _discarded(cell: Cell, run: str, wanted: Collection[str]) -> bool:
    """A cell of this run that the run took back (a reply cut in the middle), and that nobody edited since."""
    return _run_of(cell) == run and cell["id"] not in wanted and not edited(cell)


def _updated(there: Cell, cell: Cell) -> Cell:
    if edited(there) or there["metadata"].get("datarus", {}).get("seq", -1) > cell["metadata"]["datarus"]["seq"]:
        return there
    return {**cell, "metadata": {**there["metadata"], **cell["metadata"]}}


def _index(notebook: Notebook, cell: str | None) -> int | None:
    ids = [other["id"] for other in notebook["cells"]]
    return ids.index(cell) if cell in ids else None

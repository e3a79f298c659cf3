"""A notebook that is open as a shared document, as nbformat and back. Pure on a ``jupyter_ydoc.YNotebook``.

What users type meanwhile is theirs: a write changes the cells that differ and leaves all others as they are, so that
cursors stay and what is typed at the same moment is merged by the document itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from datarus_jupyter.surfaces.merge import Cell, Notebook

_WITH_IDS = 5
"""From this minor version of nbformat 4 on, cells have ids in the file too; in a shared document they always have."""


class SharedDocument(Protocol):
    """What is used of ``YNotebook``. ``dirty``: not on disk yet; whoever saves the document sets it to False."""

    dirty: bool | None

    @property
    def ycells(self) -> Iterable[Mapping[str, Any]]: ...

    def get(self, deduplicate: bool = True) -> dict[str, Any]: ...

    def set(self, value: dict[str, Any]) -> None: ...


def read(document: SharedDocument) -> Notebook | None:
    """The notebook, each cell under its id; None while the document is still being loaded.

    Of two cells with one id, which two tabs can have inserted at once, the first counts; ``write`` removes the other.
    """
    notebook = document.get(deduplicate=False)
    if not notebook["nbformat"]:
        return None
    cells: dict[str, Cell] = {}
    for cell, shared in zip(notebook["cells"], document.ycells, strict=True):
        cells.setdefault(shared["id"], {**cell, "id": shared["id"]})
    minor = max(notebook["nbformat_minor"], _WITH_IDS)
    return {**notebook, "nbformat_minor": minor, "cells": list(cells.values())}


def write(document: SharedDocument, notebook: Notebook) -> None:
    """Bring the document to ``notebook`` in one transaction."""
    document.set(notebook)
    document.dirty = True


def version(notebook: Notebook) -> str:
    """What changes whenever the notebook does."""
    return hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).hexdigest()

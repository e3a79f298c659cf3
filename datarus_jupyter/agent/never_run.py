"""Cells that the user has marked: their code is not to be run again without their word. Pure."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from datarus_jupyter.agent.excerpt import excerpt
from datarus_jupyter.protocol.escaping import escape, fenced

TAG = "datarus-never-run"
"""Among ``metadata.tags`` of a marked cell."""
REASON = "It repeats a cell that you marked as never run by Datarus."

_TOLD_CHARS = 600
_TOLD_CELLS = 5


def marked(cells: Sequence[dict[str, Any]]) -> list[str]:
    """The sources of the marked code cells of a notebook in nbformat."""
    return [
        cell["source"]
        for cell in cells
        if cell["cell_type"] == "code" and TAG in cell["metadata"].get("tags", ()) and cell["source"].strip()
    ]


def repeats(code: str, source: str) -> bool:
    """Whether ``code`` holds all statements of ``source``, one after the other; layout and comments do not count."""
    part, whole = _statements(source), _statements(code)
    if part is None or whole is None:
        return bool(source.strip()) and source.strip() in code
    return bool(part) and any(whole[n : n + len(part)] == part for n in range(len(whole) - len(part) + 1))


def told(sources: Sequence[str]) -> str:
    """What the model is told of the marked cells; '' if there are none."""
    if not sources:
        return ""
    shown = "\n".join(fenced(excerpt(source.strip(), _TOLD_CHARS)) for source in sources[:_TOLD_CELLS])
    return escape(f"Cells that the user does not want run again; use what they have left:\n{shown}")


def _statements(code: str) -> list[str] | None:
    try:
        return [ast.dump(statement) for statement in ast.parse(code).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

"""Whose the names in a kernel are: the user's, or left over from runs. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable


def made_by(source: str) -> set[str]:
    """The names that code assigns. None of code that cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def left_by_runs(runs: Iterable[str], users: Iterable[str]) -> set[str]:
    """The names that the code of ``runs`` has assigned and that no code of the user's mentions.

    A question that goes on from the last one may assign them again; what the user has taken up is theirs.
    """
    mentioned = {word for source in users for word in re.findall(r"\w+", source)}
    return {name for source in runs for name in made_by(source)} - mentioned

"""Risky for a database: SQL that takes tables or rows away, and a table that pandas replaces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from datarus_jupyter.agent.risk.finding import Risk
from datarus_jupyter.agent.risk.names import Names

_NAME = r"[\w.\"'`\[\]{…%$:]"
_TAKES_AWAY = re.compile(
    r"(?:^|;)\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*"
    r"(DROP\s+(TABLE|DATABASE|SCHEMA|VIEW|INDEX|COLLECTION|MATERIALIZED)\b|TRUNCATE\s+(TABLE\s+)?" + _NAME + r"|"
    rf"DELETE\s+FROM\s+{_NAME}|UPDATE\s+{_NAME}+\s+SET\b|ALTER\s+TABLE\s+{_NAME}+\s+(DROP|RENAME)\b"
    rf"|(INSERT\s+OR\s+)?REPLACE\s+INTO\b|WITH\b.*\bDELETE\s+FROM\s+{_NAME})",
    re.IGNORECASE | re.DOTALL,
)


def database(nodes: Sequence[ast.AST], names: Names) -> Iterator[Risk]:
    """The risks of the strings among ``nodes`` that are SQL."""
    spoken = _spoken(nodes)
    for node in nodes:
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and id(node) not in spoken:
            for text in names.texts(node):
                yield from sql(node.lineno, text)
        if isinstance(node, ast.Call):
            yield from _replaced(node)


def sql(line: int, text: str) -> Iterator[Risk]:
    """The risk of running ``text``, which begins in ``line``."""
    if found := _TAKES_AWAY.search(text):
        yield Risk(line + text.count("\n", 0, found.start(1)), "database", text[found.start(1) :].partition("\n")[0])


def _spoken(nodes: Sequence[ast.AST]) -> set[int]:
    """The strings that are only printed, or stand by themselves as a comment does, and the pieces of longer ones."""
    spoken: set[int] = set()
    for node in nodes:
        match node:
            case ast.Expr(value=ast.Constant() as alone):
                spoken.add(id(alone))
            case ast.Call(func=ast.Name(id="print" | "display"), args=arguments):
                spoken.update(id(inner) for argument in arguments for inner in ast.walk(argument))
            case ast.JoinedStr() | ast.BinOp():
                spoken.update(id(inner) for inner in ast.iter_child_nodes(node))
    return spoken


def _replaced(node: ast.Call) -> Iterator[Risk]:
    """``df.to_sql(…, if_exists="replace")`` drops the table first."""
    for keyword in node.keywords:
        if keyword.arg == "if_exists" and isinstance(keyword.value, ast.Constant) and keyword.value.value == "replace":
            yield Risk(node.lineno, "database", "to_sql(if_exists='replace')")

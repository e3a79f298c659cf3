"""Risky by what the code refers to: a function need not be called where it is named to be called in the end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from datarus_jupyter.agent.risk.finding import Kind, Risk
from datarus_jupyter.agent.risk.names import UNKNOWN, Names
from datarus_jupyter.agent.risk.table import METHODS, holds_risks, kind_of

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CRED|AUTH|SESSION|COOKIE|DSN|URL|URI|" + UNKNOWN, re.IGNORECASE)
_READS_ENVIRONMENT = {"os.environ.get", "os.environ.pop", "os.environ.setdefault", "os.getenv"}
_Reference = ast.Name | ast.Attribute | ast.Call | ast.Subscript


def references(nodes: Sequence[ast.AST], names: Names) -> Iterator[Risk]:
    """The risks of what ``nodes``, outer ones first, refer to."""
    seen: set[int] = set()
    for node in nodes:
        if id(node) in seen or not isinstance(node, _Reference):
            continue
        if _harmless_environment(node, names):
            seen.update(map(id, _chain(node)))
        elif found := _kind(node, names):
            seen.update(map(id, _chain(node)))
            yield Risk(node.lineno, *found)


def _kind(node: _Reference, names: Names) -> tuple[Kind, str] | None:
    if isinstance(node, ast.Attribute) and node.attr in METHODS:
        return METHODS[node.attr], ast.unparse(node)
    if isinstance(node, ast.Name | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return None
    for origin in sorted(names.origins(node)):
        if found := kind_of(origin):
            return found
    return _hidden(node, names) if isinstance(node, ast.Call) else None


def _hidden(node: ast.Call, names: Names) -> tuple[Kind, str] | None:
    """What of a module is meant only shows when it runs, or data is allowed to be code."""
    function = names.origins(node.func)
    if "getattr" in function and len(node.args) > 1 and not names.texts(node.args[1]):
        of = sorted(names.origins(node.args[0]))
        if any(map(holds_risks, of)):
            return "dynamic", f"getattr({of[0]}, …)"
    for keyword in node.keywords:
        if keyword.arg == "allow_pickle" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True:
            return "dynamic", "allow_pickle=True"
    return None


def _harmless_environment(node: _Reference, names: Names) -> bool:
    """Whether an environment variable is only set, or read by a name that is no secret's."""
    key: ast.expr | None = None
    if isinstance(node, ast.Subscript) and "os.environ" in names.origins(node.value):
        if not isinstance(node.ctx, ast.Load):
            return True
        key = node.slice
    elif isinstance(node, ast.Call) and node.args and names.origins(node.func) & _READS_ENVIRONMENT:
        key = node.args[0]
    texts = names.texts(key) if key else ()
    return bool(texts) and not any(map(_SECRET_NAME.search, texts))


def _chain(node: ast.AST) -> Iterator[ast.AST]:
    """The expression and those that it begins with: ``a.b().c``, ``a.b()``, ``a.b``, ``a``."""
    while True:
        yield node
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
                node = inner
            case _:
                return

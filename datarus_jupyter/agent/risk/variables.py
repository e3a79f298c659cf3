"""Risky for the user's variables: a name of theirs bound anew or deleted, or what it holds changed in place.

The run's own names are its own, from the statement that first binds them; a loop over one letter, as in ``for i in``,
is not asked about.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from datarus_jupyter.agent.risk.finding import Risk

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_EMPTIES = {"clear", "pop", "popitem", "remove", "drop_in_place"}


def assigned(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that the code binds at its top."""
    return {name for node in _at_top(nodes) for name, _ in _bound(node)}


def changes(nodes: Sequence[ast.AST], variables: Collection[str]) -> Iterator[Risk]:
    """The risks for ``variables``, which are the user's."""
    variables = set(variables) - _loop_letters(nodes)
    if not variables:
        return
    for node in _at_top(nodes):
        for name, line in (*_bound(node), *_changed(node)):
            if name in variables:
                yield Risk(line, "variables", name)


def _loop_letters(nodes: Sequence[ast.AST]) -> set[str]:
    """Names of one letter that loops run over."""
    targets = [node.target for node in nodes if isinstance(node, ast.For)]
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name) and len(one.id) == 1}


def _at_top(nodes: Sequence[ast.AST]) -> list[ast.AST]:
    """The nodes whose names are the notebook's: those of no inner scope, but for what is declared global there."""
    scopes = [child for node in nodes if isinstance(node, _SCOPES) for child in ast.iter_child_nodes(node)]
    targets = [node.target for node in nodes if isinstance(node, ast.comprehension)]
    inner = {id(one) for outer in (*scopes, *targets) for one in ast.walk(outer)}
    everywhere = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    return [n for n in nodes if id(n) not in inner or (isinstance(n, ast.Name) and n.id in everywhere)]


def _bound(node: ast.AST) -> Iterator[tuple[str, int]]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name, node.lineno
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((alias.asname or alias.name.partition(".")[0], node.lineno) for alias in aliases)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, node.lineno
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name, node.lineno


def _changed(node: ast.AST) -> Iterator[tuple[str, int]]:
    """What is deleted, or held and changed: an item or an attribute set or deleted, ``inplace=True``, emptied."""
    match node:
        case ast.Name(id=name, ctx=ast.Del()):
            yield name, node.lineno
        case ast.Subscript(
            value=ast.Call(func=ast.Name(id="globals" | "locals" | "vars")), slice=ast.Constant(value=str(name))
        ):
            if not isinstance(node.ctx, ast.Load):
                yield name, node.lineno
        case (ast.Subscript(value=held, ctx=ast.Store() | ast.Del())) | (
            ast.Attribute(value=held, ctx=ast.Store() | ast.Del())
        ):
            yield from _root(held)
        case ast.Call(func=ast.Attribute(value=held, attr=attr), keywords=keywords):
            if attr in _EMPTIES or any(map(_in_place, keywords)):
                yield from _root(held)


def _in_place(keyword: ast.keyword) -> bool:
    return keyword.arg == "inplace" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _root(node: ast.AST) -> Iterator[tuple[str, int]]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id, node.lineno

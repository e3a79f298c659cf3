"""Risky by a loop that has no way out in sight."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from datarus_jupyter.agent.risk.finding import Risk
from datarus_jupyter.agent.risk.names import Names

_ENDLESS = {"itertools.count()", "itertools.cycle()", "count()", "cycle()"}
_LEAVES = ast.Return | ast.Raise | ast.Yield | ast.YieldFrom
_EXITS = {"exit", "quit", "sys.exit", "os._exit"}
_ORDERS = ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.NotEq
_INNER = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def loops(nodes: Sequence[ast.AST], names: Names) -> Iterator[Risk]:
    """The risks of the loops among ``nodes``."""
    for node in nodes:
        match node:
            case ast.While(test=test, body=body) if _always(test) or _unchanged(test, body):
                if not any(_leaves(statement, names) for statement in body):
                    yield Risk(node.lineno, "loop", f"while {ast.unparse(test)}")
            case ast.For(iter=over, body=body) if _goes_on(over, names):
                if not any(_leaves(statement, names) for statement in body):
                    yield Risk(node.lineno, "loop", f"for … in {ast.unparse(over)}")


def _always(test: ast.expr) -> bool:
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant(value=value)):
            return not value
        case ast.Compare(left=ast.Constant(value=left), ops=[ast.Eq()], comparators=[ast.Constant(value=right)]):
            return bool(left == right)
        case _:
            return False


def _unchanged(test: ast.expr, body: list[ast.stmt]) -> bool:
    """Whether the test compares numbers and names that the body never binds: true once, it stays true."""
    if not isinstance(test, ast.Compare) or not isinstance(
        test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.NotEq
    ):
        return False
    sides = [test.left, *test.comparators]
    compared = {side.id for side in sides if isinstance(side, ast.Name)}
    if not all(isinstance(side, ast.Name | ast.Constant) for side in sides) or len(compared) == len(sides):
        return False
    bound = {one.id for line in body for one in ast.walk(line) if isinstance(one, ast.Name) and not _loaded(one)}
    elsewhere = any(isinstance(one, ast.Global | ast.Nonlocal) for line in body for one in ast.walk(line))
    return bool(compared) and not compared & bound and not elsewhere


def _loaded(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


def _goes_on(over: ast.expr, names: Names) -> bool:
    match over:
        case ast.Call(func=function, args=[_, sentinel]) if "iter" in names.origins(function):
            return isinstance(sentinel, ast.Constant)
        case ast.Call(func=function, args=[_], keywords=[]) if "itertools.repeat" in names.origins(function):
            return True
        case _:
            return bool(names.origins(over) & _ENDLESS)


def _leaves(node: ast.AST, names: Names, *, nested: bool = False) -> bool:
    """Whether the statement may leave the loop that it stands in; a ``break`` of a ``nested`` loop does not."""
    if isinstance(node, _LEAVES) or (isinstance(node, ast.Break) and not nested):
        return True
    if isinstance(node, ast.Call) and names.origins(node.func) & _EXITS:
        return True
    if isinstance(node, _INNER):
        return False
    nested = nested or isinstance(node, ast.For | ast.AsyncFor | ast.While)
    return any(_leaves(child, names, nested=nested) for child in ast.iter_child_nodes(node))

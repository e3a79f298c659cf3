"""Puts the kinds of risk together."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from datarus_jupyter.agent.risk.database import database, sql
from datarus_jupyter.agent.risk.finding import Risk
from datarus_jupyter.agent.risk.ipython import Command, take_apart
from datarus_jupyter.agent.risk.loops import loops
from datarus_jupyter.agent.risk.magics import called, magics
from datarus_jupyter.agent.risk.names import Names
from datarus_jupyter.agent.risk.places import Files, known_files, place_risks, places
from datarus_jupyter.agent.risk.references import references
from datarus_jupyter.agent.risk.table import kind_of
from datarus_jupyter.agent.risk.variables import assigned, changes

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell as it was read. ``nodes``, outer ones first, are None for one that is no Python to us."""

    commands: tuple[Command, ...]
    python: str
    nodes: tuple[ast.AST, ...] | None


def scan(
    code: str,
    *,
    variables: Collection[str] = (),
    files: Collection[str] = (),
    folder: str | None = None,
    before: Sequence[str] = (),
) -> list[Risk]:
    """What may be risky in ``code``, in the order of its lines; nothing is run, opened or looked up.

    ``variables`` are the names that the user's kernel had before the run, ``files`` the paths of the user's data as
    code names them, ``folder`` the absolute path of the working directory, ``before`` the run's own earlier code: what
    it has imported is known, and what it has made is its own. Never raises; code that Python cannot read, which is not
    going to run either unless the kernel's Python is newer than ours, is searched for risky names alone.
    """
    cell = _read(code)
    earlier = [_read(one) for one in before]
    try:
        found = set(_risks(cell, earlier, variables, files, folder))
    except RecursionError:
        found = set(_by_name(cell))
    return sorted(found)


def _risks(
    cell: _Cell, earlier: Sequence[_Cell], variables: Collection[str], files: Collection[str], folder: str | None
) -> Iterator[Risk]:
    past = [node for one in earlier for node in one.nodes or ()]
    users = set(variables).difference(*(assigned(one.nodes or ()) for one in earlier))
    nodes = cell.nodes or ()
    names = Names([*past, *nodes], users)
    known = known_files(files, past, names)
    yield from _commands([*cell.commands, *called(nodes, names)], known, folder)
    if cell.nodes is None:
        yield from _by_name(cell)
        return
    yield from references(nodes, names)
    yield from places(nodes, names, known, folder)
    yield from changes(nodes, users)
    yield from database(nodes, names)
    yield from loops(nodes, names)


def _commands(commands: Sequence[Command], files: Files, folder: str | None) -> Iterator[Risk]:
    yield from magics(commands)
    for command in commands:
        if command.name in ("writefile", "file", "cd"):
            for place in command.text.split():
                yield from place_risks(command.line, place, files, folder, rooted=True)
                if command.name != "cd" and files.overwritten(place):
                    yield Risk(command.line, "overwrites", place)
        if command.name == "sql":
            yield from sql(command.line, f"{command.text}\n{command.body or ''}".strip())


def _by_name(cell: _Cell) -> Iterator[Risk]:
    """The risky names as they stand, in strings and comments too."""
    for number, line in enumerate(cell.python.splitlines(), 1):
        for name in _DOTTED.findall(line):
            if "." in name and (found := kind_of(name)):
                yield Risk(number, *found)


@lru_cache(maxsize=64)
def _read(code: str) -> _Cell:
    source = take_apart(code)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = tuple(ast.walk(ast.parse(source.python)))
        return _Cell(tuple(source.commands), source.python, nodes)
    except _UNREADABLE:
        return _Cell(tuple(source.commands), source.python, None)

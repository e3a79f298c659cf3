"""Risky by a magic or a shell line, be it written as one or as a call of ``get_ipython()``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from datarus_jupyter.agent.risk.finding import Kind, Risk
from datarus_jupyter.agent.risk.ipython import Command
from datarus_jupyter.agent.risk.names import Names

_SHELL = frozenset(
    "! !! sx sc system script bash sh zsh cmd powershell perl ruby pypy python python2 python3 alias".split()
)
_PACKAGES = {"pip", "conda", "mamba", "micromamba", "uv"}
_INSTALLS = re.compile(
    r"\b(pip3?|conda|mamba|micromamba|uv|poetry|apt|apt-get|brew|npm|yarn)\b[^\n;&|]*"
    r"\b(install|add|update|upgrade|uninstall|remove)\b"
)
_KIND: dict[str, Kind] = {
    "rm": "deletes",
    "rmdir": "deletes",
    "mv": "deletes",
    "cp": "overwrites",
    "run": "dynamic",
    "macro": "dynamic",
    "rerun": "dynamic",
    "javascript": "dynamic",
    "js": "dynamic",
    "reset": "variables",
    "reset_selective": "variables",
    "xdel": "variables",
}
_HARMLESS = frozenset(
    "html HTML latex markdown svg SVG time timeit capture prun memit mprun debug writefile file sql".split()
)
_CALLS = {"run_line_magic", "run_cell_magic", "magic", "system", "getoutput"}


def magics(commands: Sequence[Command]) -> Iterator[Risk]:
    """The risks of the commands themselves; what files, addresses and databases they name is looked at elsewhere."""
    for command in commands:
        if kind := _kind(command):
            mark = "" if command.name == "!" else ("%" if command.body is None else "%%")
            yield Risk(command.line, kind, f"{mark}{command.name} {command.text}".replace("! ", "!", 1).strip())


def called(nodes: Sequence[ast.AST], names: Names) -> Iterator[Command]:
    """The commands that are written as calls, as in ``get_ipython().run_line_magic("pip", "install x")``."""
    for node in nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS):
            continue
        if "get_ipython()" not in names.origins(node.func.value):
            continue
        for said in _product([names.texts(argument) for argument in node.args]):
            yield _command(node.lineno, node.func.attr, said)


def _command(line: int, attr: str, said: Sequence[str]) -> Command:
    if attr in ("system", "getoutput"):
        return Command(line, "!", " ".join(said))
    name, _, text = " ".join(said[:2]).lstrip("%").partition(" ")
    return Command(line, name, text, said[2] if attr == "run_cell_magic" and len(said) > 2 else None)


def _product(texts: Sequence[frozenset[str]]) -> Iterator[list[str]]:
    if texts and all(texts):
        yield [min(one) for one in texts]


def _kind(command: Command) -> Kind | None:
    name, text = command.name, command.text
    if name in _PACKAGES or name in _SHELL:
        said = f"{name if name in _PACKAGES else ''} {text}\n{command.body or ''}"
        if _INSTALLS.search(said):
            return "install"
        return "process" if name in _SHELL else None
    if name in ("env", "set_env"):
        return None if "=" in text or (name == "set_env" and " " in text) else "secrets"
    if name in _KIND:
        return _KIND[name]
    # A cell in another language, as %%R or %%cython.
    return "dynamic" if command.body is not None and name not in _HARMLESS else None

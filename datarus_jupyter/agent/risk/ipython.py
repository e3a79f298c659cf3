"""IPython's own syntax: magics, shell lines and help are told apart from the Python, line for line.

IPython's transformer is not used: it moves lines, and reads the whole cell anew for each magic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What hides line ends and brackets, then what changes the depth, then what ends a line.
_TOKEN = re.compile(
    r"\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    r"|#[^\n]*|[\[({]|[\])}]|\\\n|\n",
    re.DOTALL,
)
_REST_OF_LINE = r"((?:[^\\\n]|\\(?s:.))*)"
_CELL_MAGIC = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*%%(\w+)[ \t]*([^\n]*)(?:\n|\Z)")
_MAGIC = re.compile(rf"([ \t]*)((?:[\w.,\[\]\"' \t]+=[ \t]*)?)(!!?|%%?(?=\w))[ \t]*{_REST_OF_LINE}")
_HELP = re.compile(r"[ \t]*(\?{1,2}[^\n]*|%{0,2}[\w.*]+\?{1,2})[ \t]*(?=\n|\Z)")
_CALLED = re.compile(r"([ \t]*)[,;/]([A-Za-z_][\w.]*)([ \t][^\n]*)?(?=\n|\Z)")
# Magics and aliases that IPython also takes without their %; two words side by side are no Python.
_WORD = re.compile(
    r"([ \t]*)()()((?:pip|conda|mamba|uv|cd|rm|rmdir|mv|cp|reset|run|sx|system|env|xdel)[ \t]+[-\w./~'\"*$]"
    rf"(?<!=){_REST_OF_LINE})"
)
_PYTHON_CELLS = {"time", "timeit", "capture", "prun", "memit", "mprun", "debug", "skip", "python_tags"}
_PYTHON_LINES = {"time", "timeit", "prun", "memit", "lprun", "debug"}
_OPTIONS = re.compile(r"(?:-\w[ \t]*\d*[ \t]+|--\w+[ \t]+)*")


@dataclass(frozen=True, slots=True)
class Command:
    """A magic or a shell line. ``name`` is ``!`` for the shell, ``bash`` for ``%%bash``, whose cell is the ``body``."""

    line: int
    name: str
    text: str
    body: str | None = None


@dataclass(slots=True)
class Source:
    """A cell taken apart: the Python that is left has as many lines as the cell."""

    python: str = ""
    commands: list[Command] = field(default_factory=list)


def take_apart(code: str) -> Source:
    """Tell the commands of a cell from its Python."""
    source = Source()
    if cell := _CELL_MAGIC.match(code):
        line = code.count("\n", 0, cell.start(1)) + 1
        name, body = cell.group(1), code[cell.end() :]
        source.commands.append(Command(line, name, cell.group(2), body))
        if name not in _PYTHON_CELLS:
            return source
        source.python = "\n" * line
        code = body
    _take_lines(code, source)
    return source


def _take_lines(code: str, source: Source) -> None:
    kept: list[str] = []
    line, at = source.python.count("\n") + 1, 0
    while at < len(code):
        end, python = _special(code, at, line, source.commands) or (_end_of_line(code, at), None)
        kept.append(code[at:end] if python is None else python + "\n" * code.count("\n", at, end))
        line += code.count("\n", at, end)
        at = end
    source.python += "".join(kept)


def _special(code: str, at: int, line: int, commands: list[Command]) -> tuple[int, str] | None:
    """The end of a line that is no Python, and the Python in its place; None for one that is."""
    if found := _MAGIC.match(code, at) or _WORD.match(code, at):
        indent, assigned, mark, rest = found.group(1, 2, 3, 4)
        name, _, text = rest.partition(" ") if not mark.startswith("!") else ("!", "", rest)
        if name in _PYTHON_LINES and not assigned:
            return found.end(), indent + (_OPTIONS.sub("", text, count=1).strip() or "pass")
        commands.append(Command(line, name.strip(), text.strip()))
        return found.end(), f"{indent}{assigned}0"
    if found := _HELP.match(code, at):
        return found.end(), ""
    if found := _CALLED.match(code, at):
        return found.end(), f"{found.group(1)}{found.group(2)}()"
    return None


def _end_of_line(code: str, at: int) -> int:
    """Where the statement that begins here ends, or a line of it that is followed by another statement."""
    depth = 0
    for token in _TOKEN.finditer(code, at):
        text = token.group()
        if text in ("(", "[", "{"):
            depth += 1
        elif text in (")", "]", "}"):
            depth = max(depth - 1, 0)
        elif text == "\n" and depth == 0:
            return token.end()
    return len(code)

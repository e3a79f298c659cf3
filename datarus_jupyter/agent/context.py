"""What the model is told of the user's surroundings: data files, kernel variables, the cells above. All of it bounded.

Names and contents come from the user's data, so everything is escaped before it is put into words.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from datarus_jupyter.agent.interfaces import Kernel
from datarus_jupyter.protocol.escaping import escape, fenced, one_line

_SUFFIXES = (".csv", ".tsv", ".parquet", ".feather", ".xlsx", ".xls", ".json", ".jsonl", ".sqlite", ".db", ".txt")
_HEAD_BYTES = 64 * 1024
_COUNTED_BYTES = 64 * 1024 * 1024
_MAX_FILES = 20
_MAX_COLUMNS = 40
_MAX_ROW_CHARS = 160
_MAX_CELL_CHARS = 600
_MAX_CELLS_CHARS = 3_000
_PROBE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file: its path as the code can open it, columns and the first row where they can be read cheaply.

    ``first`` is the beginning of the first row as it stands in the file; ``rows`` is None if they were not counted.
    """

    path: str
    columns: tuple[str, ...] = ()
    rows: int | None = None
    bytes: int = 0
    first: str = ""


class Variable(msgspec.Struct, frozen=True):
    """A variable of the user's in the kernel. ``shape`` and ``columns`` where it has them."""

    name: str
    type: str
    shape: list[int] = []
    columns: list[str] = []


def data_files(folder: Path, places: Sequence[Path] = ()) -> list[DataFile]:
    """The data files at ``places`` or directly in them, by default in ``folder``: the first 20.

    Their paths are relative to ``folder``, where the code runs.
    Reads the beginning of each, and counts the lines of those under 64 MiB. Files that cannot be read are left out, and
    a link out of its folder is only named: it may lead to any file of the user's, and nobody has chosen to show that.
    """
    found: dict[str, DataFile] = {}
    for path in (file for place in places or (folder,) for file in _files(place)):
        name = os.path.relpath(path, folder)
        if name not in found:
            with suppress(OSError):
                away = path not in places and _leads_away(path)
                found[name] = DataFile(name, bytes=path.stat().st_size) if away else describe_file(path, name)
        if len(found) == _MAX_FILES:
            break
    return list(found.values())


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    files = sorted(path for path in place.glob("[!.]*") if path.suffix.lower() in _SUFFIXES)
    return [path for path in files if path.is_file()]


def _leads_away(path: Path) -> bool:
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())


def describe_file(path: Path, name: str) -> DataFile:
    """The file at ``path``, to be opened as ``name``. Raises ``OSError``."""
    size = path.stat().st_size
    if path.suffix.lower() not in (".csv", ".tsv"):
        return DataFile(name, bytes=size)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        end = b"\n" if b"\n" in head else b"\r"
        lines = head.count(end)
        if size <= _COUNTED_BYTES:
            lines += sum(piece.count(end) for piece in iter(lambda: file.read(1 << 20), b""))
    if not head.strip() or b"\0" in head:
        return DataFile(name, bytes=size)
    unfinished = size <= _HEAD_BYTES and not head.endswith(end)
    rows = lines - 1 + unfinished if size <= _COUNTED_BYTES else None
    text = head.decode("utf-8-sig", "replace")
    return DataFile(name, _columns(text), rows, size, _first_row(text))


def _columns(head: str) -> tuple[str, ...]:
    line = head.splitlines()[0]
    delimiter = max(",\t;|", key=line.count)
    return tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter), []))


def _first_row(head: str) -> str:
    lines = head.splitlines()[1:2]
    row = " ".join(lines[0].split()) if lines else ""
    return row if len(row) <= _MAX_ROW_CHARS else row[:_MAX_ROW_CHARS] + "…"


# Reads names and metadata only: no user code beyond type(), .shape and .columns of pandas, polars and numpy objects.
_PROBE = """
def _datarus_probe():
    import json, sys
    user = sys.modules["__main__"].__dict__
    found = []
    for name in [n for n in user if not n.startswith("_")][:2000]:
        value = user[name]
        kind = type(value)
        module = (kind.__module__ or "").partition(".")[0]
        if module in ("pandas", "polars", "numpy", "torch"):
            shape = [int(n) for n in getattr(value, "shape", ())]
            columns = list(getattr(value, "columns", ())) if kind.__name__ == "DataFrame" else []
            columns = [str(column)[:60] for column in columns[:40]]
            found.append({"name": name, "type": kind.__name__, "shape": shape, "columns": columns})
        elif kind in (int, float, bool):
            found.append({"name": name, "type": kind.__name__})
        elif kind in (str, list, dict, tuple, set):
            found.append({"name": name, "type": kind.__name__, "shape": [len(value)]})
    hidden = {"In", "Out", "exit", "quit", "open"}
    found = [v for v in found if v["name"] not in hidden]
    print(json.dumps(sorted(found, key=lambda v: not v.get("columns"))[:30]))
_datarus_probe()
del _datarus_probe
"""


_NAMES = """
def _datarus_names():
    import json, sys, types
    user = sys.modules["__main__"].__dict__
    hidden = {"In", "Out", "exit", "quit", "open", "get_ipython"}
    named = [name for name, value in list(user.items()) if not isinstance(value, types.ModuleType)]
    found = [name for name in named if not name.startswith("_") and name not in hidden]
    print(json.dumps(found[:10000]))
_datarus_names()
del _datarus_names
"""


async def user_names(kernel: Kernel) -> list[str]:
    """All names that the user's code has given to something, but for modules; none where ``variables`` has none."""
    text = await kernel.evaluate(_NAMES, timeout=_PROBE_SECONDS)
    try:
        return msgspec.json.decode(text.strip().encode(), type=list[str])
    except msgspec.DecodeError:
        return []


async def variables(kernel: Kernel) -> list[Variable]:
    """The user's variables, dataframes first, at most 30; none if the kernel is busy, slow or not Python's."""
    text = await kernel.evaluate(_PROBE, timeout=_PROBE_SECONDS)
    try:
        return msgspec.json.decode(text.strip().encode(), type=list[Variable])
    except msgspec.DecodeError:
        return []


def render(
    notebook: str | None, files: Sequence[DataFile], known: Sequence[Variable], cells: Sequence[str] = ()
) -> str:
    """The context in words, escaped. ``cells`` are the sources of the cells above, in order."""
    parts = []
    if notebook:
        parts.append(f"Notebook: {one_line(notebook)}")
    if files:
        parts.append("Files in the working directory, not loaded yet:\n" + "\n".join(map(file_line, files)))
    if above := _cells_above(cells):
        parts.append("Cells above, last ones:\n" + above)
    # What changes most comes last: the rest may be in the engine's prefix cache already.
    if known:
        parts.append("Variables in the kernel:\n" + "\n".join(map(_variable_line, known)))
    return escape("\n\n".join(parts))


def file_line(file: DataFile) -> str:
    """A file in one line, and a second one where its first row is known; not yet escaped."""
    size = f"{file.rows:,} rows" if file.rows is not None else f"{file.bytes / 1e6:,.1f} MB"
    line = one_line(f"- {file.path} ({size})" + (f": {_listed(file.columns)}" if file.columns else ""))
    return line + (f"\n  first row: {file.first}" if file.first else "")


def _variable_line(variable: Variable) -> str:
    shape = " × ".join(map(str, variable.shape))
    line = f"- {variable.name}: {variable.type}" + (f" ({shape})" if shape else "")
    return one_line(line + (f" with columns {_listed(variable.columns)}" if variable.columns else ""))


def _listed(names: Sequence[str]) -> str:
    # Names in quotes where spaces or case could be lost otherwise.
    shown = [name if name.isidentifier() else json.dumps(name, ensure_ascii=False) for name in names[:_MAX_COLUMNS]]
    rest = len(names) - _MAX_COLUMNS
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _cells_above(cells: Sequence[str]) -> str:
    kept: list[str] = []
    room = _MAX_CELLS_CHARS
    for source in reversed([cell.strip() for cell in cells if cell.strip()]):
        short = source if len(source) <= _MAX_CELL_CHARS else source[:_MAX_CELL_CHARS] + " …"
        if (room := room - len(short)) < 0:
            break
        kept.append(fenced(short))
    return "\n".join(reversed(kept))

"""Where notebooks are read and saved. ``PlainNotebooks`` are files; the server's go through its contents manager."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import nbformat

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.surfaces.merge import Notebook

NEW = ""
"""The version of a notebook that is not there."""


class NotebookChanged(Exception):
    """Somebody saved the notebook since it was read: read it again and merge."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A notebook as it was read: nbformat 4.5 or newer, every cell with an id. ``version`` changes with each save."""

    notebook: Notebook
    version: str


class Notebooks(Protocol):
    """Where the notebook lives. Both raise ``SurfaceError`` with a sentence for the user."""

    async def read(self, path: str) -> Snapshot:
        """The notebook; a new empty one of version ``NEW`` if there is none."""
        ...

    async def write(self, path: str, notebook: Notebook, version: str) -> None:
        """Save the notebook at once and whole. Raises ``NotebookChanged`` unless ``version`` is the one there now."""
        ...


def load(text: str | None, path: str) -> Notebook:
    """Parse a notebook's file. Raises ``SurfaceError``."""
    if text is None:
        return cast(Notebook, nbformat.v4.new_notebook())  # type: ignore[no-untyped-call]
    try:
        return upgrade(nbformat.convert(nbformat.reader.reads(text), 4), path)  # type: ignore[no-untyped-call]
    except _MALFORMED as error:
        raise _unreadable(path) from error


def upgrade(notebook: Any, path: str) -> Notebook:
    """A parsed notebook as valid nbformat 4.5 or newer, in which cells have ids. Raises ``SurfaceError``."""
    try:
        if notebook.nbformat_minor < 5:
            notebook = nbformat.v4.upgrade(notebook, 4, notebook.nbformat_minor)  # type: ignore[no-untyped-call]
        _, notebook = nbformat.validator.normalize(notebook)
        nbformat.validate(notebook)
    except _MALFORMED as error:
        raise _unreadable(path) from error
    return cast(Notebook, notebook)


# What nbformat raises, depending on where a document that is no notebook first surprises it.
_MALFORMED = (nbformat.ValidationError, ValueError, AttributeError, KeyError, TypeError, AssertionError)


def _unreadable(path: str) -> SurfaceError:
    return SurfaceError(f"{path} is not a notebook that can be read: repair or rename it and ask again.")


def dump(notebook: Notebook) -> str:
    """The notebook as the text of its file. Raises ``SurfaceError`` if it is not valid nbformat."""
    node = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    try:
        nbformat.validate(node)
    except nbformat.ValidationError as error:
        raise SurfaceError(f"The run's cells are not valid nbformat and were not saved: {error.message}.") from error
    return cast(str, nbformat.writes(node)) + "\n"  # type: ignore[no-untyped-call]


class PlainNotebooks:
    """Notebooks as plain files; a path is an ordinary path."""

    async def read(self, path: str) -> Snapshot:
        return await asyncio.to_thread(_read, Path(path))

    async def write(self, path: str, notebook: Notebook, version: str) -> None:
        await asyncio.to_thread(_write, Path(path), notebook, version)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SurfaceError(f"{path} cannot be read ({error.strerror}): free it or choose another notebook.") from error


def _version(data: bytes | None) -> str:
    return NEW if data is None else hashlib.sha256(data).hexdigest()


def _read(path: Path) -> Snapshot:
    data = _bytes(path)
    try:
        return Snapshot(load(None if data is None else data.decode(), str(path)), _version(data))
    except UnicodeDecodeError as error:
        raise _unreadable(str(path)) from error


def _write(path: Path, notebook: Notebook, version: str) -> None:
    text = dump(notebook)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if _version(_bytes(path)) != version:
            raise NotebookChanged(str(path))
        if version != NEW:
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    except OSError as error:
        raise SurfaceError(f"{path} cannot be written ({error.strerror}): free some space.") from error
    finally:
        temporary.unlink(missing_ok=True)

"""A copy of the notebook's folder to run code in, so that what the code writes does not touch the user's files."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

from datarus_jupyter.errors import SurfaceError

MAX_BYTES = 200_000_000
MAX_FILES = 20_000
_LEFT_OUT = {".git", ".ipynb_checkpoints", "__pycache__", "node_modules", ".venv"}
_ABOVE = 3
"""How many folders above the notebook's can be reached by ``..`` from the copy."""


class FolderTooLarge(SurfaceError):
    """There is too much to copy."""


@asynccontextmanager
async def scratch_copy(folder: Path, *, max_bytes: int = MAX_BYTES) -> AsyncIterator[Path]:
    """A copy of ``folder``, removed at the end. What lies beside and above it is there too, as links to the originals.

    Raises ``FolderTooLarge`` if there is more than ``max_bytes``, ``SurfaceError`` if it cannot be copied.
    """
    with tempfile.TemporaryDirectory(prefix="datarus-", ignore_cleanup_errors=True) as root:
        copying = asyncio.create_task(asyncio.to_thread(_copy, folder, Path(root).resolve(), max_bytes))
        try:
            copy = await asyncio.shield(copying)
        finally:
            # A thread cannot be cancelled, and must not write into what is being removed.
            await asyncio.wait([copying])
        yield copy


def _copy(folder: Path, root: Path, max_bytes: int) -> Path:
    try:
        _check_size(folder, max_bytes)
        parent = _linked_above(folder, root)
        shutil.copytree(folder, parent / folder.name, symlinks=True, ignore=_ignored)
    except OSError as error:
        reason = error.strerror or "a file in it cannot be read"
        raise SurfaceError(f"{folder} cannot be copied for the check ({reason}): free it and check again.") from error
    return parent / folder.name


def _check_size(folder: Path, max_bytes: int) -> None:
    left = max_bytes
    for number, size in enumerate(_sizes(folder)):
        left -= size
        if left < 0 or number >= MAX_FILES:
            bound = f"{max_bytes / 1e6:,.0f} MB" if left < 0 else f"{MAX_FILES:,} files"
            raise FolderTooLarge(
                f"{folder} holds more than {bound}, too much to copy for the check: move the notebook and its data "
                "into a folder of their own, or let the check run in place."
            )


def _sizes(folder: Path) -> Iterator[int]:
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        yield from (os.lstat(os.path.join(path, name)).st_size for name in files)


def _ignored(path: str, names: list[str]) -> set[str]:
    """Folders that no analysis reads, and what is neither file, folder nor link: copying a pipe would never end."""
    with os.scandir(path) as entries:
        odd = {one.name for one in entries if not (one.is_symlink() or one.is_dir() or one.is_file())}
    return odd | (_LEFT_OUT & {*names})


def _linked_above(folder: Path, root: Path) -> Path:
    """Folders in ``root`` named as those above ``folder``, with links to all else that is in each; the innermost."""
    above = [parent for parent in [*folder.parents][:_ABOVE] if parent != Path(folder.anchor)]
    inside = root
    for parent, child in pairwise([*reversed(above), folder]):
        inside = inside / parent.name
        inside.mkdir()
        # Without links, as on Windows for most users, `..` is empty and the code says what it misses.
        with suppress(OSError), os.scandir(parent) as entries:
            for entry in entries:
                if entry.name != child.name:
                    (inside / entry.name).symlink_to(entry.path)
    return inside

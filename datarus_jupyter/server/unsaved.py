"""Which runs have cells that are not in their notebooks' files yet, so that the next server knows if this one dies."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from datarus_jupyter.journal.paths import private_folder

_log = logging.getLogger(__name__)


class UnsavedRuns:
    """A small file a run in ``folder``. ``root`` is what this server serves: paths in another one's runs mean nothing
    here, so they are left to it."""

    def __init__(self, folder: Path, root: str) -> None:
        self._folder = folder
        self._root = root

    def add(self, run: str) -> None:
        """The run is going to have cells."""
        try:
            private_folder(self._folder)
            (self._folder / run).write_text(self._root)
        except OSError as error:
            # As on a full disk. The run itself is told of that by its journal.
            _log.warning("%s cannot be written (%s): free some space.", self._folder, error.strerror)

    def discard(self, run: str) -> None:
        """All of its cells are on disk."""
        try:
            (self._folder / run).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("%s cannot be written (%s): unlock it.", self._folder, error.strerror)

    def __iter__(self) -> Iterator[str]:
        """The runs, oldest first."""
        for path in sorted(self._folder.glob("*")):
            if path.is_file() and path.read_text(errors="replace") == self._root:
                yield path.name

"""The runs of a user, to be listed and found: SQLite over the journals' summaries.

The journals are the truth. The index is brought up to date with them at each listing, by size and time of each file,
so it may be deleted at any moment and holds nothing of its own.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from datarus_jupyter.errors import JournalError
from datarus_jupyter.journal.log import read
from datarus_jupyter.journal.paths import private_folder
from datarus_jupyter.journal.summary import Summary, SummaryFold

_SCHEMA = """create table if not exists runs (
    run text primary key, stamp text not null, notebook text, started real, summary blob not null
)"""


class RunIndex:
    """The summaries of the journals in ``folder``. A journal that cannot be read is left out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def summaries(self, notebook: str | None = None) -> list[Summary]:
        """All runs, or those of one notebook, newest first."""
        private_folder(self.folder)
        with closing(self._open()) as db, db:
            self._refresh(db)
            where, values = ("where notebook = ?", (notebook,)) if notebook is not None else ("", ())
            rows = db.execute(f"select summary from runs {where} order by started desc", values)
            return [msgspec.json.decode(blob, type=Summary) for (blob,) in rows]

    def _open(self) -> sqlite3.Connection:
        path = self.folder / "index.sqlite"
        path.touch(mode=0o600)
        try:
            db = sqlite3.connect(path, timeout=5)
            db.execute(_SCHEMA)
        except sqlite3.DatabaseError:
            path.unlink()
            db = sqlite3.connect(path, timeout=5)
            db.execute(_SCHEMA)
        return db

    def _refresh(self, db: sqlite3.Connection) -> None:
        known = dict(db.execute("select run, stamp from runs"))
        present = {path.stem: path for path in self.folder.glob("*.jsonl")}
        db.executemany("delete from runs where run = ?", [(run,) for run in known.keys() - present.keys()])
        for run, path in present.items():
            stat = path.stat()
            stamp = f"{stat.st_size}:{stat.st_mtime_ns}"
            if known.get(run) != stamp:
                self._store(db, path, stamp)

    def _store(self, db: sqlite3.Connection, path: Path, stamp: str) -> None:
        try:
            summary = SummaryFold.of(read(path)).summary
        except JournalError:
            return
        row = (path.stem, stamp, summary.notebook, summary.started, msgspec.json.encode(summary))
        db.execute("insert or replace into runs values (?, ?, ?, ?, ?)", row)

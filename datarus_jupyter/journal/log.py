"""A run's journal on disk: one append-only file of JSON lines.

Every event is handed to the operating system as it is appended, so a killed process loses nothing it wrote; at step
boundaries the file is also synced, so a lost machine loses at most the step under way. A disk takes milliseconds for
that, or seconds, so it is done in a thread beside the loop that streams to everybody. A line cut by a crash is
ignored when reading and cut off when writing goes on.

All that is kept or shown of a run comes from here, so here, at the latest, the secrets that are known are taken out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from types import TracebackType

import msgspec

from datarus_jupyter.errors import JournalError
from datarus_jupyter.file_lock import lock
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.paths import private_folder
from datarus_jupyter.journal.secrets import MARK, Secrets

Subscriber = Callable[[ev.Event], None]

_SYNCED = (
    ev.RunStarted,
    ev.StepClosed,
    ev.ApprovalDecided,
    ev.ExecutionFinished,
    ev.Reverted,
    ev.RunInterrupted,
    ev.RunResumed,
    ev.RunFinished,
)


def new_run_id() -> str:
    """A sortable, unique name for a run that fits into a cell id: ``20261122-154240-9f3c1a``."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + "-" + token_hex(3)


class RunLog:
    """The journal of one run, open for appending. All events so far are in ``events``.

    Raises ``JournalError`` when the file cannot be opened or written; an event that was not written whole is not in
    ``events`` and reached no subscriber.
    """

    def __init__(self, path: Path, secrets: Secrets | None = None) -> None:
        self.path = path
        self.secrets = Secrets.of_process() if secrets is None else secrets
        """What never gets into this journal; by default what this process's environment holds."""
        self.run = path.stem
        self.events: list[ev.Event] = []
        self._subscribers: list[Subscriber] = []
        self._syncing = ThreadPoolExecutor(1, "journal")
        self._unsynced: OSError | None = None
        try:
            private_folder(path.parent)
            # A journal holds the user's data: nobody else on the host may read it.
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            lock(self._fd)
            self._recover()
        except OSError as error:
            raise JournalError(
                f"The journal {path} cannot be opened ({error.strerror}): free or unlock its folder."
            ) from error

    def _recover(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        self.events.extend(parse(data[:whole], self.path))
        os.ftruncate(self._fd, whole)
        os.lseek(self._fd, whole, os.SEEK_SET)
        self._size = whole

    def append(self, event: ev.Event) -> None:
        """Stamp ``event``, take the secrets out of it, write it, and hand it to the subscribers."""
        self.secrets.redact_struct(event)
        if isinstance(event, ev.Reply) and MARK in event.text:
            event.token_ids, event.logprobs = [], []  # they would spell it out
        event.run, event.seq, event.ts, event.v = self.run, len(self.events), time.time(), ev.VERSION
        self._write(ev.encode(event) + b"\n")
        if isinstance(event, _SYNCED):
            self._syncing.submit(self._sync)
        self.events.append(event)
        for subscriber in tuple(self._subscribers):
            subscriber(event)

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._unsynced = error  # the next append tells

    def _write(self, line: bytes) -> None:
        try:
            if self._unsynced:
                raise self._unsynced
            written = os.write(self._fd, line)
            if written < len(line):
                raise OSError(28, "No space left on device")
        except OSError as error:
            os.ftruncate(self._fd, self._size)
            os.lseek(self._fd, self._size, os.SEEK_SET)
            raise JournalError(
                f"The journal {self.path} cannot be written ({error.strerror}): free some space."
            ) from error
        self._size += len(line)

    def subscribe(self, subscriber: Subscriber, since: int = 0) -> Callable[[], None]:
        """Hand over every event from seq ``since`` on, past ones now, later ones as they come; returns the way out."""
        for event in self.events[since:]:
            subscriber(event)
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end and was not resumed since."""
        ends = (event for event in reversed(self.events) if isinstance(event, ev.RunFinished | ev.RunResumed))
        return isinstance(next(ends, None), ev.RunFinished)

    def close(self) -> None:
        """Sync and close the file. Appending afterwards is an error."""
        if self._fd >= 0:
            self._syncing.shutdown()
            os.fsync(self._fd)
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def parse(data: bytes, path: Path, first: int = 1) -> Iterator[ev.AnyEvent]:
    """The events in whole lines of ``data``, numbered from ``first``. Raises ``JournalError`` that names a bad line."""
    for number, line in enumerate(data.splitlines(), first):
        try:
            yield ev.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise JournalError(f"{path}, line {number}, is not an event of a run: {error}.") from error


def read(path: Path) -> list[ev.AnyEvent]:
    """All whole events of a journal; a last line without its end is left out. Raises ``JournalError``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be read ({error.strerror}).") from error
    return list(parse(data[: data.rfind(b"\n") + 1], path))

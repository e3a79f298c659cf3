"""What one tab still has to be sent: bounded, however slow the tab is.

Events wait in their runs' journals, and only a cursor a run is kept here; of a state that changes (the lease, an
engine, a download) only the newest frame waits. Consecutive events go out as one frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from datarus_jupyter.journal import events as ev

_FRAME_BYTES = 256 * 1024


@dataclass(slots=True)
class _Feed:
    events: list[ev.Event]
    next: int

    def take(self, room: int) -> Iterable[bytes]:
        """Encode and pass over the next events, until ``room`` bytes are full; always at least one."""
        while self.next < len(self.events) and room > 0:
            line = ev.encode(self.events[self.next])
            self.next += 1
            room -= len(line)
            yield line


class Outbox:
    """The frames for one tab: the other methods add, ``take`` gives the next frame or None. Pure."""

    def __init__(self) -> None:
        self._feeds: dict[str, dict[str, _Feed]] = {}
        self._catching_up: set[str] = set()
        self._states: dict[tuple[str, ...], bytes] = {}

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The notebooks that the tab follows."""
        return tuple(self._feeds)

    def state(self, *key: str, frame: object) -> None:
        """Send ``frame``; it replaces the one waiting under the same key."""
        self._states[key] = msgspec.json.encode(frame)

    def open(self, notebook: str) -> None:
        """Follow the notebook, from the start if it was followed before."""
        self.close(notebook)
        self._feeds[notebook] = {}

    def caught_up(self, notebook: str) -> None:
        """Say so once all that the notebook's runs hold by then has been sent."""
        if notebook in self._feeds:
            self._catching_up.add(notebook)

    def close(self, notebook: str) -> None:
        """Send nothing more of the notebook."""
        self._feeds.pop(notebook, None)
        self._catching_up.discard(notebook)

    def follow(self, notebook: str, run: str, events: list[ev.Event], since: int) -> None:
        """Send the run from seq ``since`` on, unless it is sent already. ``events`` may be a journal's growing list."""
        self._feeds[notebook].setdefault(run, _Feed(events, max(since, 0)))

    def add(self, notebook: str, event: ev.Event) -> None:
        """An event was appended to a run of the notebook; where the journal's own list is followed, it is there."""
        if event.seq == 0:
            self._feeds[notebook].setdefault(event.run, _Feed([], 0))
        feed = self._feeds[notebook].get(event.run)
        if feed and event.seq == len(feed.events):
            feed.events.append(event)

    def take(self) -> bytes | None:
        """The next frame, or None if nothing waits now."""
        if self._states:
            return self._states.pop(next(iter(self._states)))
        for notebook in self._feeds:
            if lines := self._lines(notebook):
                # To the end of the queue: a busy notebook must not keep the others waiting.
                self._feeds[notebook] = self._feeds.pop(notebook)
                return _frame("events", notebook, events=[msgspec.Raw(line) for line in lines])
            if notebook in self._catching_up:
                self._catching_up.discard(notebook)
                return _frame("caught_up", notebook)
        return None

    def _lines(self, notebook: str) -> list[bytes]:
        lines: list[bytes] = []
        room = _FRAME_BYTES
        for feed in self._feeds[notebook].values():
            for line in feed.take(room):
                lines.append(line)
                room -= len(line)
            if room <= 0:
                break
        return lines


def _frame(kind: str, notebook: str, **fields: object) -> bytes:
    return msgspec.json.encode({"kind": kind, "notebook": notebook, **fields})

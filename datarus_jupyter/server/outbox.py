"""What one tab still has to be sent: bounded, however slow the tab is.

Of events only those wait here that were not sent yet; of a state that changes (the lease, an engine, a download) only
the newest frame. Consecutive events go out as one frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from datarus_jupyter.journal import events as ev

_FRAME_BYTES = 256 * 1024


@dataclass(slots=True)
class _Feed:
    """What waits of one run: what was sent is let go, or a past run would stay in memory. ``next`` is to be added."""

    waiting: deque[ev.Event]
    next: int
    since: int

    def add(self, event: ev.Event) -> None:
        """Let ``event`` wait, unless it is there already."""
        if event.seq == self.next:
            self.next += 1
            if event.seq >= self.since:
                self.waiting.append(event)

    def take(self, room: int) -> Iterable[bytes]:
        """Encode and let go the next events, until ``room`` bytes are full; always at least one."""
        while self.waiting and room > 0:
            line = ev.encode(self.waiting.popleft())
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
        """Send the run from seq ``since`` on, unless it is sent already. ``events`` are all that it has now."""
        waiting = deque(events[max(since, 0) :])
        self._feeds[notebook].setdefault(run, _Feed(waiting, len(events), since))

    def add(self, notebook: str, event: ev.Event) -> None:
        """An event was appended to a run of the notebook."""
        if event.seq == 0:
            self._feeds[notebook].setdefault(event.run, _Feed(deque(), 0, 0))
        if feed := self._feeds[notebook].get(event.run):
            feed.add(event)

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

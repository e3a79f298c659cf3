"""A fold: a view of a run, computed from its events in order and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from datarus_jupyter.journal.events import Event


class Fold:
    """Applies events in order. One already applied is ignored, so a replay from any earlier seq changes nothing."""

    def __init__(self) -> None:
        self.seq = -1
        """The last event applied; -1 before the first."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """The fold of ``events``."""
        fold = cls()
        for event in events:
            fold.apply(event)
        return fold

    def apply(self, event: Event) -> None:
        """Take the next event in."""
        if event.seq > self.seq:
            self.seq = event.seq
            self._apply(event)

    def _apply(self, event: Event) -> None:
        raise TypeError(f"{type(self).__name__} does not say what an event changes")

"""A piece of a journal: however long a run is and whatever is asked for, memory holds one piece of it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from datarus_jupyter.errors import JournalError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import parse

_PAGE_BYTES = 1024 * 1024


class Page(msgspec.Struct, frozen=True):
    """Consecutive events of a run; ``more``: there are others after them."""

    events: list[ev.AnyEvent]
    more: bool


def page(path: Path, since: int, room: int = _PAGE_BYTES) -> Page:
    """The events from seq ``since`` on that fit into ``room`` bytes, but at least one. Raises ``JournalError``."""
    lines: list[bytes] = []
    try:
        with path.open("rb") as file:
            for seq, line in enumerate(file):
                if seq < since or not line.endswith(b"\n"):
                    continue
                if room <= 0:
                    return Page([*parse(b"".join(lines), path, since + 1)], more=True)
                lines.append(line)
                room -= len(line)
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be read ({error.strerror}).") from error
    return Page([*parse(b"".join(lines), path, since + 1)], more=False)

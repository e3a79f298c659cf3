"""A long text cut to a bound: its head and its tail, and between them how much is left out."""

from __future__ import annotations


def excerpt(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters (at least those of the note). The head gets three fifths of the room."""
    if len(text) <= limit:
        return text
    room = max(0, limit - len(_note(len(text))))
    head = _whole_lines(text[: room * 3 // 5])
    tail = _whole_lines(text[len(text) - (room - room * 3 // 5) :][::-1])[::-1]
    return head + _note(len(text) - len(head) - len(tail)) + tail


def _note(count: int) -> str:
    return f"\n… {count:,} characters left out …\n"


def _whole_lines(text: str) -> str:
    """Without a piece of a line at the end, if that is no great loss."""
    end = text.rfind("\n")
    return text[:end] if end > len(text) * 3 // 4 else text

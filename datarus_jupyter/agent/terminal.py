"""Text as a terminal would leave it standing: colours gone, progress bars at their last state."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|[ -/]*[0-~])"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_ERASE_LINE, _ERASE_REST = re.compile(r"\x1b\[2K"), re.compile(r"\x1b\[0?K")
_MOVE = re.compile("([\r\b\x00])")
_CONTROL = re.compile(r"[\x01-\x07\x0b\x0c\x0e-\x1f\x7f]")


def as_shown(text: str) -> str:
    """``text`` without escape sequences, with ``\\r``, ``\\b`` and erasing to the line's end carried out."""
    text = text.replace("\x00", "").replace("\r\n", "\n")
    text = _ERASE_REST.sub("\x00", _ERASE_LINE.sub("\r\x00", text))
    text = _CONTROL.sub("", _ESCAPE.sub("", text))
    return "\n".join(_overwritten(line) if _MOVE.search(line) else line for line in text.split("\n"))


def strip_escapes(text: str) -> str:
    """``text`` without escape sequences."""
    return _ESCAPE.sub("", text)


def _overwritten(line: str) -> str:
    shown: list[str] = []
    at = 0
    for piece in _MOVE.split(line):
        match piece:
            case "\r":
                at = 0
            case "\b":
                at = max(0, at - 1)
            case "\x00":
                del shown[at:]
            case _:
                shown[at : at + len(piece)] = piece
                at += len(piece)
    return "".join(shown)

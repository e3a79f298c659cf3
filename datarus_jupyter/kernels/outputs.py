"""What one execution shows, bounded: pure, no clock, no kernel.

A cell may print 10 MB or draw ten thousand frames. The kernel is never held up for that, and neither the journal nor
memory may grow with it: a head is handed on as it comes, a tail is held back until the end, and one line in between
says how much is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from datarus_jupyter.agent.excerpt import excerpt
from datarus_jupyter.agent.interfaces import Cleared, Displayed, Updated
from datarus_jupyter.agent.terminal import strip_escapes

Shown = Displayed | Updated | Cleared

_JOINED_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of one execution is kept: characters of streams, and displays; a large one counts for several."""

    head_chars: int = 750_000
    tail_chars: int = 250_000
    head_displays: int = 900
    tail_displays: int = 100
    display_chars: int = 8_000_000
    chars_a_display: int = 100_000
    traceback_chars: int = 100_000


class Outputs:
    """Collects the iopub messages of one execution. ``drain`` what may be shown now, ``close`` at the end.

    What a ``clear_output`` or a later update made invisible before it was drained is never handed on.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.error = ""
        self._bounds = bounds or Bounds()
        self._head, self._tail = _Buffer(self._bounds), _Buffer(self._bounds)
        self._chars_left, self._displays_left = self._bounds.head_chars, self._bounds.head_displays
        self._lost_chars = self._lost_displays = 0

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Take one iopub message in; kinds that show nothing are ignored, and what is not as Jupyter's protocol has it.

        Code in the kernel can send what it likes.
        """
        try:
            msgspec.convert(content, _SHAPES.get(kind, Any))
        except msgspec.ValidationError:
            return
        match kind:
            case "stream":
                self._add_stream(content["name"], content["text"])
            case "clear_output":
                self._add_display(Cleared(bool(content.get("wait"))))
            case "display_data" | "execute_result" | "update_display_data":
                self._add_display(_display(kind, content, self._bounds.display_chars))
            case "error":
                self.error = self.error or error_line(content["ename"], content["evalue"])
                self._add_display(Displayed(_error(content, self._bounds.traceback_chars)))

    def drain(self) -> list[Shown]:
        """What came since the last call and may be shown."""
        self._chars_left -= self._head.chars
        self._displays_left -= self._head.displays
        return self._head.take()

    def close(self) -> list[Shown]:
        """The rest: what was not drained, a line about what is missing, and the tail."""
        return self._head.take() + self._missing() + self._tail.take()

    def _add_stream(self, name: str, text: str) -> None:
        room = 0 if self._tail.items else max(0, self._chars_left - self._head.chars)
        if text[:room]:
            self._head.add(_stream(name, text[:room]))
        if rest := text[room:]:
            kept = rest[-self._bounds.tail_chars :]
            self._lost_chars += len(rest) - len(kept)
            self._hold(_stream(name, kept))

    def _add_display(self, item: Shown) -> None:
        fits = self._head.displays + self._head.cost(item) <= self._displays_left
        if fits and not self._tail.items:
            self._head.add(item)
        else:
            self._hold(item)

    def _hold(self, item: Shown) -> None:
        if self._tail.add(item):
            self._lost_chars = self._lost_displays = 0  # these would be hidden by now
        self._lost_chars += self._tail.trim_chars(self._bounds.tail_chars)
        self._lost_displays += self._tail.trim_displays(self._bounds.tail_displays)

    def _missing(self) -> list[Shown]:
        lost = [(self._lost_chars, "character"), (self._lost_displays, "output")]
        said = " and ".join(f"{count:,} more {what}{'s' * (count > 1)}" for count, what in lost if count)
        return [_stream("stdout", f"\n… {said} not kept …\n")] if said else []


class _Buffer:
    """Outputs in order, with their cost. Short streams of one name are joined, hidden outputs are taken away."""

    def __init__(self, bounds: Bounds) -> None:
        self.items: list[Shown] = []
        self.chars = self.displays = 0
        self._chars_a_display = bounds.chars_a_display

    def cost(self, item: Shown) -> int:
        """How many displays ``item`` counts for; a stream is counted in characters."""
        if _is_stream(item):
            return 0
        return 1 if isinstance(item, Cleared) else 1 + _size(item.output) // self._chars_a_display

    def add(self, item: Shown) -> bool:
        """Append; whether that hid all outputs before it."""
        cleared = self._hide(item)
        last = self.items[-1] if self.items else None
        if last and _joinable(last, item) and len(_text(last)) < _JOINED_CHARS:
            self.items[-1] = _join(last, item)
        else:
            self.items.append(item)
        self.chars += len(_text(item))
        self.displays += self.cost(item)
        return cleared

    def trim_chars(self, limit: int) -> int:
        """Take characters of streams away from the front until ``limit`` is kept; how many went."""
        excess = left = max(0, self.chars - limit)
        while left:
            place = next(place for place, item in enumerate(self.items) if _is_stream(item))
            text = _text(old := self._remove(place))
            if rest := text[left:]:
                self.items.insert(place, _stream(_name(old), rest))
                self.chars += len(rest)
            left -= len(text) - len(rest)
        return excess

    def trim_displays(self, limit: int) -> int:
        """Take displays away from the front until they count for ``limit`` at most; how many went."""
        gone = 0
        while self.displays > limit:
            self._remove(next(place for place, item in enumerate(self.items) if not _is_stream(item)))
            gone += 1
        return gone

    def take(self) -> list[Shown]:
        """All items, streams of one name joined; the buffer is empty afterwards."""
        runs: list[list[Shown]] = []
        for item in self.items:
            if runs and _joinable(runs[-1][-1], item):
                runs[-1].append(item)
            else:
                runs.append([item])
        self.items, self.chars, self.displays = [], 0, 0
        return [run[0] if len(run) == 1 else _join(*run) for run in runs]

    def _hide(self, item: Shown) -> bool:
        if isinstance(item, Updated):
            self._remove_all(lambda old: isinstance(old, Updated) and old.display_id == item.display_id)
            return False
        waiting = self.items[-1:] == [Cleared(wait=True)]
        if item == Cleared(wait=False):
            self._remove_all(lambda old: not isinstance(old, Updated))
        elif waiting and isinstance(item, Displayed):
            self._remove_all(lambda old: not isinstance(old, Updated) and old is not self.items[-1])
        return item == Cleared(wait=False) or (waiting and isinstance(item, Displayed))

    def _remove_all(self, which: Callable[[Shown], bool]) -> None:
        for place in [place for place, item in enumerate(self.items) if which(item)][::-1]:
            self._remove(place)

    def _remove(self, place: int) -> Shown:
        item = self.items.pop(place)
        self.chars -= len(_text(item))
        self.displays -= self.cost(item)
        return item


class _Stream(msgspec.Struct):
    name: str
    text: str


class _Display(msgspec.Struct):
    data: dict[str, Any]
    metadata: dict[str, Any] | None = None
    transient: dict[str, Any] | None = None
    execution_count: int | None = None


class _Error(msgspec.Struct):
    ename: str
    evalue: str
    traceback: list[str]


_SHAPES: dict[str, Any] = {
    "stream": _Stream,
    "clear_output": dict[str, Any],
    **dict.fromkeys(("display_data", "execute_result", "update_display_data"), _Display),
    "error": _Error,
}


def error_line(name: str, value: str) -> str:
    """An error in one line: ``NameError: name 'x' is not defined``."""
    first = next((line for line in strip_escapes(value).splitlines() if line.strip()), "")
    line = f"{name}: {first.strip()}" if first else name
    return line if len(line) <= 300 else line[:299] + "…"


def _stream(name: str, text: str) -> Displayed:
    return Displayed({"output_type": "stream", "name": name, "text": text})


def _is_stream(item: Shown) -> bool:
    return isinstance(item, Displayed) and item.output["output_type"] == "stream"


def _text(item: Shown) -> str:
    return str(item.output["text"]) if isinstance(item, Displayed) and _is_stream(item) else ""


def _name(item: Shown) -> str:
    """A stream's name; '' for anything else."""
    return str(item.output["name"]) if isinstance(item, Displayed) and _is_stream(item) else ""


def _joinable(first: Shown, second: Shown) -> bool:
    return _is_stream(first) and _name(first) == _name(second)


def _join(*streams: Shown) -> Shown:
    return _stream(_name(streams[0]), "".join(map(_text, streams)))


def _display(kind: str, content: dict[str, Any], limit: int) -> Displayed | Updated:
    output = {"data": _fitted(content["data"], limit), "metadata": content.get("metadata") or {}}
    display_id = (content.get("transient") or {}).get("display_id")
    if kind == "update_display_data":
        return Updated(str(display_id), {"output_type": "display_data", **output})
    if kind == "execute_result":
        output["execution_count"] = content.get("execution_count")
    return Displayed({"output_type": kind, **output}, display_id)


def _fitted(data: dict[str, Any], limit: int) -> dict[str, Any]:
    """The representations that fit into ``limit`` characters, smallest first; a note stands for the others."""
    kept: dict[str, Any] = {}
    notes = []
    for mime, value in sorted(data.items(), key=lambda item: _size(item[1])):
        limit -= _size(value)
        if limit >= 0:
            kept[mime] = value
        else:
            notes.append(f"[{mime} of {_size(value) / 1e6:,.1f} MB not kept: too large for a notebook]")
    if notes:
        kept["text/plain"] = "\n".join([str(kept.get("text/plain", "")), *notes]).strip()
    return kept


def _error(content: dict[str, Any], limit: int) -> dict[str, Any]:
    """The nbformat error; of a traceback that is too long its first and its last half."""
    traceback = content["traceback"]
    if sum(map(len, traceback)) > limit:
        traceback = excerpt("\n".join(traceback), limit).split("\n")
    return {
        "output_type": "error",
        "ename": content["ename"],
        "evalue": excerpt(content["evalue"], limit),
        "traceback": traceback,
    }


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(msgspec.json.encode(value))

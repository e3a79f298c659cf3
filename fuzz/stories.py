"""A run and a user at work in one notebook, played from bytes: of each two bytes one says what happens, one to what."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import nbformat

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold, cell_id
from datarus_jupyter.surfaces.merge import cell_ids, edited, mark_of, merge, refuse_loss

RUN = "20261122-120000-abcdef"

Cell = dict[str, Any]


def _display(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


def _stream(number: int) -> dict[str, Any]:
    return {"output_type": "stream", "name": ("stdout", "stderr")[number % 2], "text": f"{number}\n"}


EVENTS: tuple[Callable[[int, int], ev.Event], ...] = (
    lambda step, number: ev.Text(step=step, channel="thought", delta=f"{number} "),
    lambda step, number: ev.Text(step=step, channel="code", delta=f"{number} "),
    lambda step, number: ev.Text(step=step, channel="answer", delta=f"{number} "),
    lambda step, number: ev.StepClosed(step=step, code=f"print({number})", sha256=""),
    lambda step, number: ev.ReplyDiscarded(step=step, reason=""),
    lambda step, number: ev.Reverted(step=step),
    lambda step, number: ev.ApprovalDecided(step=step, verdict="edited", sha256="", code=f"print(-{number})"),
    lambda step, number: ev.ExecutionStarted(step=step),
    lambda step, number: ev.Output(step=step, output=_stream(number)),
    lambda step, number: ev.Output(step=step, output=_display(str(number)), display_id=str(number % 2)),
    lambda step, number: ev.OutputUpdated(display_id=str(number % 2), output=_display(str(number))),
    lambda step, number: ev.OutputsCleared(step=step, wait=bool(number % 2)),
    lambda step, number: ev.ExecutionFinished(step=step, status="ok", count=number),
    lambda step, number: ev.UserEdited(step=step, cell=cell_id(RUN, step, "code"), source=f"{number}", sha256=""),
    lambda step, number: ev.RunResumed(),
    lambda step, number: ev.RunFinished(reason="answered", answer=f"{number}."),
)

FORGED: tuple[Any, ...] = (
    None,
    "datarus",
    [1],
    {},
    {"runs": {RUN: 10**9}},
    {"runs": {RUN: "high", "../x": None}},
    {"run": RUN, "step": 1, "kind": "code", "seq": 10**9, "sha256": "0"},
    {"run": RUN, "step": "1", "kind": "<script>", "seq": None, "sha256": 7},
    {"run": "../../x", "step": 10**30, "kind": "code", "seq": -1, "sha256": ""},
)


def happenings(data: bytes) -> Iterator[tuple[int, int]]:
    """Pairs of what happens and to what."""
    return zip(data[::2], data[1::2], strict=False)


def events_of(data: bytes) -> list[ev.Event]:
    """A journal's events."""
    made = [EVENTS[what % len(EVENTS)](1 + which % 4, which) for what, which in happenings(data)]
    return [_stamped(event, seq) for seq, event in enumerate(made)]


def _stamped(event: ev.Event, seq: int) -> ev.Event:
    event.run, event.seq, event.ts = RUN, seq, 1.0 + seq
    return event


class Story:
    """A notebook with two cells of the user's, the run's fold, what was written and deleted, and the user's sources."""

    def __init__(self) -> None:
        self.notebook: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
        self.fold = CellsFold()
        self._seq = 0
        self._written: set[str] = set()
        self._deleted: set[str] = set()
        self._mine: dict[str, str] = {}
        self._made = 0
        self._insert(0)
        self._insert(1)

    def play(self, data: bytes) -> None:
        """Let it all happen, and save at the end."""
        users = (self._insert, self._copy, self._edit, self._delete, self._move, self._forge, self._reload, self._save)
        for what, which in happenings(data):
            kind = what % (len(EVENTS) + len(users))
            if kind < len(EVENTS):
                self.fold.apply(_stamped(EVENTS[kind](1 + which % 4, which), self._seq))
                self._seq += 1
            else:
                users[kind - len(EVENTS)](which)
        self._save(0)

    @property
    def _cells(self) -> list[Cell]:
        cells: list[Cell] = self.notebook["cells"]
        return cells

    def _insert(self, which: int) -> None:
        cell = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": None, "outputs": []}
        self._add(which, {**cell, "source": f"mine {self._made}"})

    def _copy(self, which: int) -> None:
        if self._cells:
            self._add(which, copy.deepcopy(self._cells[which % len(self._cells)]))

    def _add(self, which: int, cell: Cell) -> None:
        self._made += 1
        cell["id"] = f"user-{self._made}"
        self._mine[cell["id"]] = _source(cell)
        self._cells.insert(which % (len(self._cells) + 1), cell)

    def _edit(self, which: int) -> None:
        if self._cells:
            self._made += 1
            cell = self._cells[which % len(self._cells)]
            cell["source"] = self._mine[cell["id"]] = f"mine {self._made}"

    def _delete(self, which: int) -> None:
        if self._cells:
            name = self._cells.pop(which % len(self._cells))["id"]
            self._deleted.add(name)
            self._mine.pop(name, None)

    def _move(self, which: int) -> None:
        if self._cells:
            self._cells.insert(which % len(self._cells), self._cells.pop())

    def _forge(self, which: int) -> None:
        """A notebook that was made elsewhere, or by a program with an error."""
        places = [self.notebook, *self._cells]
        place = places[which % len(places)]
        place["metadata"]["datarus"] = copy.deepcopy(FORGED[which % len(FORGED)])
        if place is not self.notebook:
            self._mine[place["id"]] = _source(place)

    def _reload(self, which: int) -> None:
        """What was saved comes back with sources as lists of lines."""
        for cell in self._cells:
            cell["source"] = str(_source(cell)).splitlines(keepends=True)
        self.notebook = json.loads(json.dumps(self.notebook))

    def _save(self, which: int) -> None:
        """Merge as the file surface does; nothing of the user's is lost, nothing doubled, and again changes nothing."""
        before, cells = copy.deepcopy(self.notebook), self.fold.cells
        after = merge(self.notebook, cells, RUN, "user-1", self._written, self.fold.reverted)
        assert self.notebook == before
        refuse_loss(before, after, RUN)
        wanted = {cell["id"] for cell in cells}
        deleted = self._deleted & self._written & wanted
        self._written = (self._written | cell_ids(after, RUN)) & wanted
        assert merge(after, cells, RUN, "user-1", self._written, self.fold.reverted) == after
        self._compare(before["cells"], after["cells"], cells, deleted)
        self._deleted -= {cell["id"] for cell in after["cells"]}  # written anew, after the run had taken it back
        nbformat.validate(nbformat.from_dict(after))  # type: ignore[no-untyped-call]
        self.notebook = copy.deepcopy(after)

    def _compare(self, before: list[Cell], after: list[Cell], cells: list[Cell], deleted: set[str]) -> None:
        ids = [cell["id"] for cell in after]
        assert len(set(ids)) == len(ids)
        assert not deleted & set(ids)
        kept = {cell["id"]: cell for cell in after}
        assert {name: _source(kept[name]) for name in self._mine} == self._mine
        order = [cell["id"] for cell in before if cell["id"] in self._mine]
        assert [name for name in ids if name in self._mine] == order
        for cell in cells:
            there = kept.get(cell["id"])
            assert there or cell["id"] in self._deleted
            if there and not edited(there) and _seq(there) <= cell["metadata"]["datarus"]["seq"]:
                assert there["source"] == cell["source"]
                assert there.get("outputs") == cell.get("outputs")


def _source(cell: Cell) -> str:
    return "".join(cell["source"])


def _seq(cell: Cell) -> int:
    mark = mark_of(cell)
    return mark.seq if mark else -1

"""The fold into notebook cells, as docs/protocol.md's table says; ``labextension/src/cells.ts`` is the same fold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.fold import Fold

Kind = Literal["thought", "code", "answer"]


def cell_id(run: str, step: int, kind: Kind) -> str:
    """The id of a run's cell; nbformat allows 64 characters, this takes at most 50."""
    return f"datarus-{run}-{step}-{kind}"


def sha256(source: str) -> str:
    """The hash that tells the run's own source from one that the user edited."""
    return hashlib.sha256(source.encode()).hexdigest()


@dataclass(slots=True)
class Cell:
    """A cell of a run. ``own`` is what the run wrote; ``users`` is the user's source, which wins, if they edited it."""

    run: str
    step: int
    kind: Kind
    seq: int = -1
    pieces: list[str] = field(default_factory=list)
    users: str | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None
    running: bool = False

    @property
    def id(self) -> str:
        """The cell's id in the notebook."""
        return cell_id(self.run, self.step, self.kind)

    @property
    def own(self) -> str:
        """The source as the run wrote it."""
        return "".join(self.pieces)

    def as_nbformat(self) -> dict[str, Any]:
        """The cell in nbformat 4.5."""
        own = self.own
        marks = {"run": self.run, "step": self.step, "kind": self.kind, "seq": self.seq, "sha256": sha256(own)}
        cell: dict[str, Any] = {
            "id": self.id,
            "cell_type": "code" if self.kind == "code" else "markdown",
            "source": own if self.users is None else self.users,
            "metadata": {"datarus": marks},
        }
        if self.kind == "code":
            cell |= {"execution_count": self.count, "outputs": [dict(output) for output in self.outputs]}
        return cell


def _is_void(cell: Cell, step: int) -> bool:
    """Whether going back to before ``step`` takes the cell away. An answer comes after all steps."""
    return cell.step >= step or cell.kind == "answer"


class CellsFold(Fold):
    """A run's cells in their order. ``anchor`` is the cell of the user's that they follow, None for the end."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor: str | None = None
        self.reverted = -1
        """The last event that made cells void: one with an older mark that is not among ``cells`` has left the run."""
        self._cells: dict[str, Cell] = {}
        self._shown: dict[str, list[tuple[Cell, dict[str, Any]]]] = {}
        self._clear_at_next: set[str] = set()

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells in nbformat 4.5."""
        return [cell.as_nbformat() for cell in self._cells.values()]

    def outputs(self, step: int) -> list[dict[str, Any]]:
        """The outputs that stand below the step's code."""
        return next((cell.outputs for cell in self._of_step(step)), [])

    def code(self, step: int) -> str:
        """The step's code as it ran."""
        return next((cell.own for cell in self._of_step(step)), "")

    def thought(self, step: int) -> str:
        """What the step was about."""
        return next((cell.own for cell in self._cells.values() if cell.step == step and cell.kind == "thought"), "")

    def edited(self, step: int) -> list[str]:
        """The ids of the cells from ``step`` on that the user has made theirs."""
        void = (cell for cell in self._cells.values() if _is_void(cell, step))
        return [cell.id for cell in void if cell.users not in (None, cell.own)]

    def _of_step(self, step: int) -> Iterator[Cell]:
        return (cell for cell in self._cells.values() if cell.step == step and cell.kind == "code")

    def _apply(self, event: ev.Event) -> None:
        match event:
            case ev.RunStarted(anchor=anchor):
                self.anchor = anchor
            case ev.Text(step=step, channel=("thought" | "code" | "answer") as kind, delta=delta):
                self._cell(event, step, kind).pieces.append(delta)
            case ev.ReplyDiscarded(step=step):
                self._cells = {name: cell for name, cell in self._cells.items() if cell.step != step}
            case ev.Reverted(step=step):
                self._cells = {name: cell for name, cell in self._cells.items() if not _is_void(cell, step)}
                self.reverted = event.seq
            case ev.StepClosed(step=step, code=code):
                self._cell(event, step, "code").pieces = [code]
            case ev.ApprovalDecided(step=step, code=str(code)):
                cell = self._cell(event, step, "code")
                cell.pieces, cell.users = [code], None  # their last word on it
            case ev.UserEdited(cell=name, source=source) if name in self._cells:
                self._cells[name].users = source
            case ev.RunFinished(answer=answer) if answer:
                self._finish(event, answer)
            case _:
                self._apply_execution(event)

    def _apply_execution(self, event: ev.Event) -> None:
        match event:
            case ev.ExecutionStarted(step=step):
                cell = self._cell(event, step, "code")
                cell.outputs, cell.count, cell.running = [], None, True
            case ev.Output(step=step, output=output, display_id=display_id):
                self._show(self._cell(event, step, "code"), output, display_id)
            case ev.OutputUpdated(display_id=display_id, output=output):
                self._update(event, display_id, output)
            case ev.OutputsCleared(step=step, wait=wait):
                cell = self._cell(event, step, "code")
                if wait:
                    self._clear_at_next.add(cell.id)
                else:
                    cell.outputs = []
            case ev.ExecutionFinished(step=step, count=count):
                cell = self._cell(event, step, "code")
                cell.count, cell.running = count, False

    def _cell(self, event: ev.Event, step: int, kind: Kind) -> Cell:
        name = cell_id(event.run, step, kind)
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = Cell(event.run, step, kind)
        cell.seq = event.seq
        return cell

    def _finish(self, event: ev.Event, answer: str) -> None:
        step = max((cell.step for cell in self._cells.values()), default=1)
        answers = [cell.step for cell in self._cells.values() if cell.kind == "answer"]
        self._cell(event, answers[-1] if answers else step, "answer").pieces = [answer]

    def _show(self, cell: Cell, output: dict[str, Any], display_id: str | None) -> None:
        if cell.id in self._clear_at_next:
            self._clear_at_next.discard(cell.id)
            cell.outputs = []
        last = cell.outputs[-1] if cell.outputs else {}
        if output["output_type"] == last.get("output_type") == "stream" and last["name"] == output["name"]:
            last["text"] += output["text"]
            return
        output = dict(output)
        cell.outputs.append(output)
        if display_id is not None:
            self._shown.setdefault(display_id, []).append((cell, output))

    def _update(self, event: ev.Event, display_id: str, output: dict[str, Any]) -> None:
        for cell, shown in self._shown.get(display_id, ()):
            # One that was cleared since is shown no longer.
            if any(one is shown for one in cell.outputs):
                shown["data"], shown["metadata"] = output["data"], output.get("metadata", {})
                cell.seq = event.seq

"""Folds depend on the events alone: live or read back, replayed from anywhere, they come to the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import runs

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold, sha256
from datarus_jupyter.journal.log import RunLog, read
from datarus_jupyter.journal.messages import MessagesFold
from datarus_jupyter.journal.summary import SummaryFold


def views(events: list[ev.Event]) -> tuple[object, ...]:
    return CellsFold.of(events).cells, MessagesFold.of(events).messages, SummaryFold.of(events).summary


@settings(max_examples=60, deadline=None)
@given(runs())
def test_live_and_read_back_are_the_same(events: list[ev.Event]) -> None:
    live = CellsFold()
    with tempfile.TemporaryDirectory() as folder, RunLog(Path(folder) / "run.jsonl") as log:
        log.subscribe(live.apply)
        for event in events:
            log.append(event)
        assert live.cells == CellsFold.of(read(log.path)).cells
        assert views(log.events) == views(list(read(log.path)))


def stamped(events: list[ev.Event]) -> list[ev.Event]:
    for seq, event in enumerate(events):
        event.run, event.seq = "run", seq
    return events


@settings(max_examples=200)
@given(runs().map(stamped), st.data())
def test_replay_from_any_seq_is_idempotent(events: list[ev.Event], data: st.DataObject) -> None:
    cells, messages = CellsFold.of(events), MessagesFold.of(events)
    once = (cells.cells, list(messages.messages))
    for event in events[data.draw(st.integers(0, len(events))) :]:
        cells.apply(event)
        messages.apply(event)
    assert (cells.cells, messages.messages) == once


@settings(max_examples=100)
@given(runs().map(stamped))
def test_the_cells_are_valid_and_carry_their_marks(events: list[ev.Event]) -> None:
    cells = CellsFold.of(events).cells
    assert len({cell["id"] for cell in cells}) == len(cells)
    notebook = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    nbformat.validate(notebook)
    for cell in cells:
        marks = cell["metadata"]["datarus"]
        assert marks["sha256"] == sha256(cell["source"]) or any(isinstance(e, ev.UserEdited) for e in events)
        assert cell["id"] == f"datarus-run-{marks['step']}-{marks['kind']}"


def fold(*events: ev.Event) -> CellsFold:
    return CellsFold.of(stamped([ev.RunStarted(question="", prompt=[], engine="", model="", profile=""), *events]))


def stream(text: str, name: str = "stdout") -> ev.Output:
    return ev.Output(step=1, output={"output_type": "stream", "name": name, "text": text})


def test_adjacent_streams_of_one_name_are_joined() -> None:
    outputs = fold(ev.ExecutionStarted(step=1), stream("a"), stream("b"), stream("c", "stderr"), stream("d")).outputs(1)
    assert [output["text"] for output in outputs] == ["ab", "c", "d"]


def test_folding_leaves_the_events_as_they_were() -> None:
    first = stream("a")
    fold(ev.ExecutionStarted(step=1), first, stream("b"))
    assert first.output["text"] == "a"


def test_a_waiting_clear_happens_at_the_next_output() -> None:
    before = fold(ev.ExecutionStarted(step=1), stream("a"), ev.OutputsCleared(step=1, wait=True))
    assert [output["text"] for output in before.outputs(1)] == ["a"]
    after = fold(ev.ExecutionStarted(step=1), stream("a"), ev.OutputsCleared(step=1, wait=True), stream("b"))
    assert [output["text"] for output in after.outputs(1)] == ["b"]


def test_an_update_changes_what_is_shown_in_every_step() -> None:
    def display(text: str) -> dict[str, object]:
        return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}

    cells = fold(
        ev.Output(step=1, output=display("0 %"), display_id="bar"),
        ev.Output(step=2, output=display("0 %"), display_id="bar"),
        ev.OutputUpdated(display_id="bar", output=display("100 %")),
    )
    assert [cells.outputs(step)[0]["data"]["text/plain"] for step in (1, 2)] == ["100 %", "100 %"]


def test_the_users_edit_wins_and_keeps_the_runs_own_hash() -> None:
    code = ev.StepClosed(step=1, code="x", sha256="")
    cell = fold(code, ev.UserEdited(step=1, cell="datarus-run-1-code", source="y", sha256="")).cells[0]
    assert cell["source"] == "y"
    assert cell["metadata"]["datarus"]["sha256"] == sha256("x")


def test_the_code_that_the_user_decided_on_comes_after_their_edit() -> None:
    edit = ev.UserEdited(step=1, cell="datarus-run-1-code", source="y", sha256="")
    decided = ev.ApprovalDecided(step=1, verdict="edited", sha256="", code="z")
    cells = fold(ev.StepClosed(step=1, code="x", sha256=""), edit, decided)
    assert cells.cells[0]["source"] == "z"
    assert cells.edited(1) == []
    kept = fold(ev.StepClosed(step=1, code="x", sha256=""), decided, edit)
    assert kept.cells[0]["source"] == "y"
    assert kept.edited(1) == ["datarus-run-1-code"]


def test_an_observation_without_a_reply_before_it_still_gives_messages() -> None:
    messages = MessagesFold.of(
        [ev.Observation(run="r", seq=0, ts=1.0, v=1, step=1, text="shown", then="next")]
    ).messages
    assert [(message.role, message.content) for message in messages] == [("assistant", "shown"), ("user", "next")]

"""The fold into cells exists twice, here and in the browser: both must make the same cells of the same events."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold, cell_id

ROOT = Path(__file__).parents[2]
RUN = "20261122-154240-9f3c1a"

Fold = Callable[[list[ev.Event]], list[dict[str, Any]]]

steps = st.integers(1, 3)
words = st.text("ab\n🐧", min_size=1, max_size=4)
displays = st.none() | st.sampled_from(["d1", "d2"])
names = st.sampled_from(["stdout", "stderr"])
streams = st.builds(lambda name, text: {"output_type": "stream", "name": name, "text": text}, names, words)
figures = st.builds(lambda text: {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}, words)
cells = st.builds(lambda step, kind: cell_id(RUN, step, kind), steps, st.sampled_from(["thought", "code", "answer"]))

happenings = st.one_of(
    st.builds(ev.Text, step=steps, channel=st.sampled_from(["think", "thought", "code", "answer"]), delta=words),
    st.builds(ev.StepClosed, step=steps, code=words, sha256=st.just("x")),
    st.builds(ev.ReplyDiscarded, step=steps, reason=st.just("cut")),
    st.builds(ev.ApprovalDecided, step=steps, verdict=st.just("edited"), sha256=st.just("x"), code=st.none() | words),
    st.builds(ev.ExecutionStarted, step=steps),
    st.builds(ev.Output, step=steps, output=streams),
    st.builds(ev.Output, step=steps, output=figures, display_id=displays),
    st.builds(ev.OutputUpdated, display_id=st.sampled_from(["d1", "d2"]), output=figures),
    st.builds(ev.OutputsCleared, step=steps, wait=st.booleans()),
    st.builds(ev.ExecutionFinished, step=steps, status=st.just("ok"), count=st.none() | st.integers(1, 9)),
    st.builds(ev.UserEdited, step=steps, cell=cells, source=words, sha256=st.just("x")),
    st.builds(ev.Reverted, step=steps),
    st.builds(ev.RunResumed),
    st.builds(ev.RunFinished, reason=st.just("answered"), answer=st.just("") | words),
)


@pytest.fixture(scope="module")
def browsers_fold() -> Iterator[Fold]:
    """The fold of ``labextension/src/cells.ts``, in a Node process that lives as long as this module's tests."""
    subprocess.run([ROOT / "node_modules/.bin/tsc", "-p", ROOT / "labextension/tests"], check=True)
    script = ROOT / "labextension/lib/test/tests/foldcells.js"
    with subprocess.Popen(["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        assert node.stdin
        assert node.stdout
        stdin, stdout = node.stdin, node.stdout

        def fold(events: list[ev.Event]) -> list[dict[str, Any]]:
            stdin.write(msgspec.json.encode(events) + b"\n")
            stdin.flush()
            made: list[dict[str, Any]] = json.loads(stdout.readline())
            return made

        yield fold
        stdin.close()


@settings(max_examples=300)
@given(st.lists(happenings, max_size=25))
def test_both_folds_make_the_same_cells(browsers_fold: Fold, happened: list[ev.Event]) -> None:
    events = [ev.RunStarted(question="q", prompt=[], engine="e", model="m", profile="p"), *happened]
    here = CellsFold()
    for seq, event in enumerate(events):
        event.run, event.seq, event.ts, event.v = RUN, seq, float(seq), ev.VERSION
        here.apply(event)
    assert browsers_fold(events) == here.cells

"""From a token's stamp in the server's journal to the frame in which its cell shows it, in a real JupyterLab.

The engine writes 50 tokens a second: thoughts, code and an answer, below the cells that the notebook has already.
Beside it stands Lab alone (`bare`): a script in the page writes the same tokens into the same kinds of cells.
Server and browser share the machine and its clock; nothing is shown before it is painted (see paint.js).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser

from benchmarks.figure import Figure, figure, percentile
from benchmarks.transcripts import ANSWER, STEPS
from datarus_jupyter.journal.cells import cell_id
from datarus_jupyter.protocol.tags import render_step
from tests.browser.lab import Lab, Tab, make_notebook, running_chromium, running_lab

_SIZES = (10, 500)
_RUNS = 5
_TOKENS_PER_SECOND = 50
_SCRIPT = Path(__file__).with_suffix(".js")
_BARE = Path(__file__).with_name("paint_bare.js")
_REPLIES = [*(render_step(thought, code) for thought, code in STEPS[:2]), ANSWER]


class Frame(NamedTuple):
    """What paint.js notes: when a frame was done, and how many characters a cell showed in it, white space aside."""

    stamp: float
    cell: str
    length: int


class Sent(NamedTuple):
    """A token: its cell, the cell's kind, the characters there with it, white space aside, its milliseconds."""

    cell: str
    kind: str
    length: int
    stamp: float


Delays = dict[str, list[float]]
"""Milliseconds for each token, by the kind of its cell."""


class Runs(NamedTuple):
    """The runs through Datarus, and those of Lab alone, taken by turns."""

    datarus: list[Delays]
    bare: list[Delays]


def measure() -> list[Figure]:
    """The percentiles for each size of notebook; each run gives one over some 270 tokens."""
    with running_chromium() as browser:
        return [one for cells in _SIZES for one in _figures(cells, _runs(browser, cells))]


def _lab(folder: Path) -> AbstractContextManager[Lab]:
    replies = folder / "replies.json"
    replies.write_text(json.dumps({"per_conversation": True, "replies": _REPLIES}))
    script = {"DATARUS_REPLIES": str(replies), "DATARUS_TOKENS_PER_SECOND": str(_TOKENS_PER_SECOND)}
    (folder / "lab" / "root").mkdir(parents=True)
    shutil.copy("examples/penguins.csv", folder / "lab" / "root")
    return running_lab(folder / "lab", **script)


def _figures(cells: int, runs: Runs) -> Iterator[Figure]:
    note = f"{_TOKENS_PER_SECOND} tokens/s, {cells} cells"
    ours, bare = ([[one for delays in run.values() for one in delays] for run in those] for those in runs)
    name = f"paint_{cells}_cells"
    for percent, goal in ((50, 20), (95, 60)):
        yield figure(f"{name}_p{percent}", "ms", [percentile(run, percent) for run in ours], at_most=goal, note=note)
        alone = [percentile(run, percent) for run in bare]
        yield figure(f"{name}_bare_p{percent}", "ms", alone, note=f"{note}, Lab alone")
    for kind in sorted(runs.datarus[0]):
        yield figure(f"{name}_{kind}_p50", "ms", [percentile(run[kind], 50) for run in runs.datarus], note=note)


def _runs(browser: Browser, cells: int) -> Runs:
    with tempfile.TemporaryDirectory() as folder, _lab(Path(folder)) as lab:
        sources = [f"value_{number} = {number}\nprint(value_{number})" for number in range(cells)]
        make_notebook(lab.root / "work.ipynb", *sources)
        tab = Tab(browser, lab)
        tab.page.evaluate(_SCRIPT.read_text())
        _look_at_the_end(tab)
        # What Lab alone writes are cells of the user's, whose variables would be asked about.
        tab.panel.get_by_label("Who decides that code runs").select_option("auto")
        pairs = [(_run(tab, number), _bare(tab)) for number in range(_RUNS + 1)]
        tab.context.close()
    datarus, bare = zip(*pairs[1:], strict=True)  # in the first ones the page loads what it needs for the first time
    return Runs(list(datarus), list(bare))


def _look_at_the_end(tab: Tab) -> None:
    """Scroll down until the last cell shows, which Lab attaches when it has time to: runs write below it."""
    script = """() => {
        const { outerNode, widgets } = window.jupyterapp.shell.currentWidget.content;
        outerNode.scrollTop = outerNode.scrollHeight;
        const { top, height } = widgets.at(-1).node.getBoundingClientRect();
        return height > 0 && top < window.innerHeight;
    }"""
    tab.until(lambda: bool(tab.page.evaluate(script)), "the notebook's last cell in view", seconds=180)


def _run(tab: Tab, number: int) -> Delays:
    tab.ask(f"Question {number}: which species is heaviest?")
    tab.until(lambda: _ended(tab.lab.journals(), number), "the end of the run", seconds=120)
    sent = list(_sent(tab.lab.journals()[-1]))
    delays = _delays(sent, tab)
    tab.wait_for_end(number + 1)
    return delays


def _ended(journals: Sequence[Sequence[dict[str, Any]]], number: int) -> bool:
    """Looked up in the journals: to ask the page for it would keep it from painting."""
    ends = [run[-1]["type"] == "run_finished" for run in journals]
    return len(ends) > number and all(ends)


def _bare(tab: Tab) -> Delays:
    """Have Lab alone show what the last run has shown."""
    cells: dict[str, dict[str, Any]] = {}
    for event in tab.lab.journals()[-1]:
        if event["type"] == "text":
            cell = cell_id(event["run"], event["step"], event["channel"])
            cells.setdefault(cell, {"kind": event["channel"], "tokens": []})["tokens"].append(event["delta"])
    work = {"cells": list(cells.values()), "pause": 1000 / _TOKENS_PER_SECOND}
    return _delays([Sent(*one) for one in tab.page.evaluate(_BARE.read_text(), work)], tab)


def _delays(sent: Sequence[Sent], tab: Tab) -> Delays:
    """For each token the time to the first frame in which its cell showed as many characters as were sent by then."""
    frames: list[Frame] = []
    tab.until(lambda: _all_shown(sent, tab, frames), "the whole text in the page")
    delays: Delays = defaultdict(list)
    for cell, kind, length, stamp in sent:
        shown = next(frame.stamp for frame in frames if frame.cell == cell and frame.length >= length)
        delays[kind].append(shown - stamp)
    return delays


def _all_shown(sent: Sequence[Sent], tab: Tab, frames: list[Frame]) -> bool:
    """Whether each cell showed all its text; ``frames`` takes in those that the page noted since the last call."""
    frames += [Frame(*frame) for frame in tab.page.evaluate("window.datarusFrames()")]
    shown = {frame.cell: frame.length for frame in frames}
    return all(shown.get(one.cell, 0) >= one.length for one in sent)


def _sent(events: Sequence[dict[str, Any]]) -> Iterator[Sent]:
    """Each token that the journal holds."""
    lengths: dict[str, int] = defaultdict(int)
    for event in events:
        new = len("".join(event.get("delta", "").split()))
        if event["type"] == "text" and new:
            cell = cell_id(event["run"], event["step"], event["channel"])
            lengths[cell] += new
            yield Sent(cell, event["channel"], lengths[cell], event["ts"] * 1000)

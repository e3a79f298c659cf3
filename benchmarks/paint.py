"""From a token's stamp in the server's journal to the frame in which its cell shows it, in a real JupyterLab.

The engine writes 50 tokens a second: thoughts, code and an answer, below the cells that the notebook has already.
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
_REPLIES = [*(render_step(thought, code) for thought, code in STEPS[:2]), ANSWER]


class Frame(NamedTuple):
    """What paint.js notes: when a frame was done, and how many characters a cell showed in it, white space aside."""

    stamp: float
    cell: str
    length: int


Delays = dict[str, list[float]]
"""Milliseconds for each token, by the kind of its cell."""


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


def _figures(cells: int, runs: Sequence[Delays]) -> Iterator[Figure]:
    note = f"{_TOKENS_PER_SECOND} tokens/s, {cells} cells"
    together = [[delay for delays in run.values() for delay in delays] for run in runs]
    yield figure(f"paint_{cells}_cells_p50", "ms", [percentile(run, 50) for run in together], at_most=20, note=note)
    yield figure(f"paint_{cells}_cells_p95", "ms", [percentile(run, 95) for run in together], at_most=60, note=note)
    for kind in sorted(runs[0]):
        medians = [percentile(run[kind], 50) for run in runs]
        yield figure(f"paint_{cells}_cells_{kind}_p50", "ms", medians, note=note)


def _runs(browser: Browser, cells: int) -> list[Delays]:
    with tempfile.TemporaryDirectory() as folder, _lab(Path(folder)) as lab:
        sources = [f"value_{number} = {number}\nprint(value_{number})" for number in range(cells)]
        make_notebook(lab.root / "work.ipynb", *sources)
        tab = Tab(browser, lab)
        tab.page.evaluate(_SCRIPT.read_text())
        _look_at_the_end(tab)
        runs = [_run(tab, number) for number in range(_RUNS + 1)]
        tab.context.close()
    return runs[1:]  # in the first one the page loads what it needs for the first time


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
    events = tab.lab.journals()[-1]
    frames: list[Frame] = []
    tab.until(lambda: _all_shown(events, tab, frames), "the whole text in the page")
    tab.wait_for_end(number + 1)
    return _delays(events, frames)


def _ended(journals: Sequence[Sequence[dict[str, Any]]], number: int) -> bool:
    """Looked up in the journals: to ask the page for it would keep it from painting."""
    ends = [run[-1]["type"] == "run_finished" for run in journals]
    return len(ends) > number and all(ends)


def _all_shown(events: Sequence[dict[str, Any]], tab: Tab, frames: list[Frame]) -> bool:
    """Whether each cell showed all its text; ``frames`` takes in those that the page noted since the last call."""
    frames += [Frame(*frame) for frame in tab.page.evaluate("window.datarusFrames()")]
    shown = {frame.cell: frame.length for frame in frames}
    return all(shown.get(cell, 0) >= length for cell, _, length, _ in _sent(events))


def _delays(events: Sequence[dict[str, Any]], frames: Sequence[Frame]) -> Delays:
    """For each token the time to the first frame in which its cell showed as many characters as were sent by then."""
    delays: Delays = defaultdict(list)
    for cell, channel, length, stamp in _sent(events):
        shown = next(frame.stamp for frame in frames if frame.cell == cell and frame.length >= length)
        delays[channel].append(shown - stamp)
    return delays


def _sent(events: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, int, float]]:
    """Each token's cell and channel, the characters in the cell with it, white space aside, and its milliseconds."""
    lengths: dict[str, int] = defaultdict(int)
    for event in events:
        new = len("".join(event.get("delta", "").split()))
        if event["type"] == "text" and new:
            cell = cell_id(event["run"], event["step"], event["channel"])
            lengths[cell] += new
            yield cell, event["channel"], lengths[cell], event["ts"] * 1000

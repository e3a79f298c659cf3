"""From a token's stamp in the server's journal to the frame in which its cell shows it, in a real JupyterLab.

The engine writes 50 tokens a second: thoughts, code and an answer, below the cells that the notebook has already.
Server and browser share the machine and its clock; nothing is shown before it is painted (see paint.js).
"""

from __future__ import annotations

import bisect
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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

Delays = dict[str, list[float]]
"""Milliseconds for each token, by the kind of its cell."""


def measure() -> list[Figure]:
    """The percentiles for each size of notebook; each run gives one over some 250 tokens."""
    with running_chromium() as browser, tempfile.TemporaryDirectory() as folder:
        with _lab(Path(folder)) as lab:
            return [one for cells in _SIZES for one in _figures(cells, _runs(browser, lab, cells))]


def _lab(folder: Path) -> Any:
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


def _runs(browser: Browser, lab: Lab, cells: int) -> list[Delays]:
    name = f"work-{cells}.ipynb"
    make_notebook(lab.root / name, *(f"value_{number} = {number}\nprint(value_{number})" for number in range(cells)))
    tab = Tab(browser, lab, name)
    tab.page.evaluate(_SCRIPT.read_text())
    _look_at_the_end(tab)
    runs = [_run(tab, number) for number in range(_RUNS + 1)]
    tab.context.close()
    return runs[1:]  # in the first one the page loads what it needs for the first time


def _look_at_the_end(tab: Tab) -> None:
    tab.page.evaluate("""async () => {
        const { content } = window.jupyterapp.shell.currentWidget;
        content.activeCellIndex = content.widgets.length - 1;
        await content.scrollToItem(content.activeCellIndex);
    }""")


def _run(tab: Tab, number: int) -> Delays:
    tab.ask(f"Question {number}: which species is heaviest?")
    tab.wait_for_end(number + 1)
    frames = tab.page.evaluate("window.datarusFrames()")
    return _delays(tab.lab.journals()[-1], frames)


def _delays(events: Sequence[dict[str, Any]], frames: Sequence[tuple[float, str, int]]) -> Delays:
    """For each token the first frame in which its cell showed as many characters, white space aside, as were sent."""
    painted: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for stamp, cell, length in frames:
        painted[cell].append((stamp, length))
    sent: dict[str, int] = defaultdict(int)
    delays: Delays = defaultdict(list)
    for event in events:
        new = len("".join(event.get("delta", "").split()))
        if event["type"] == "text" and new:
            cell = cell_id(event["run"], event["step"], event["channel"])
            sent[cell] += new
            delays[event["channel"]].append(_first(painted[cell], sent[cell]) - event["ts"] * 1000)
    return delays


def _first(frames: Sequence[tuple[float, int]], length: int) -> float:
    at = bisect.bisect_left(frames, length, key=lambda frame: frame[1])
    assert at < len(frames), f"the cell never showed {length} characters: {frames[-1:]}"
    return frames[at][0]

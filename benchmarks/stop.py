"""From the click on Stop to the run's end in the journal and to an idle kernel, in a real JupyterLab.

The kernel is at work on the run's code: in Python, asleep, or in one long C function, which no interrupt reaches; there
it is the time until the panel offers to restart the kernel. Browser, server and kernel share the machine and its clock.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from benchmarks.figure import Figure, figure
from datarus_jupyter.protocol.tags import render_step
from tests.browser.lab import Lab, Tab, make_notebook, running_chromium, running_lab

_RUNS = 7
_BUSY = {"python": "while True: pass", "sleep": "time.sleep(600)"}
_DEAF = "sum(range(10**12))"
# Stamps the click, the first time after it that the kernel is idle, and the offer of a restart.
_WATCH = """() => {
    const stamps = (window.datarusStop = { clicked: 0, idle: 0, offered: 0 });
    document.addEventListener('click', event => {
        if (event.target.closest('[aria-label=Stop]')) {
            Object.assign(stamps, { clicked: Date.now(), idle: 0, offered: 0 });
        }
    }, true);
    window.jupyterapp.shell.currentWidget.sessionContext.statusChanged.connect((_, status) => {
        stamps.idle ||= status === 'idle' ? Date.now() : 0;
    });
    new MutationObserver(() => {
        const offered = document.querySelector('.jp-Datarus-stopping button');
        stamps.offered ||= offered ? Date.now() : 0;
    }).observe(document.querySelector('.jp-Datarus'), { childList: true, subtree: true });
}"""


def measure() -> list[Figure]:
    """Milliseconds, one measurement a click."""
    with running_chromium() as browser:
        return [*_interrupted(browser), _restarted(browser)]


def _interrupted(browser: Browser) -> Iterator[Figure]:
    for kind, code in _BUSY.items():
        with _busy_tab(browser, code) as tab:
            times = [_stop(tab, number) for number in range(_RUNS + 1)][1:]  # the first one warms up
        note = f"a cell at work on `{code}`"
        yield figure(f"stop_{kind}_run_ended", "ms", [ended for ended, _ in times], at_most=300, note=note)
        yield figure(f"stop_{kind}_kernel_idle", "ms", [idle for _, idle in times], at_most=300, note=note)


def _restarted(browser: Browser) -> Figure:
    with _busy_tab(browser, _DEAF) as tab:
        times = [_offer(tab, number) for number in range(5)]
    return figure("stop_restart_offered", "ms", times, note=f"a cell at work on `{_DEAF}`, which no interrupt reaches")


@contextmanager
def _busy_tab(browser: Browser, code: str) -> Iterator[Tab]:
    with tempfile.TemporaryDirectory() as folder:
        replies = Path(folder) / "replies.json"
        step = render_step("Work.", f"import time\nprint('begun', flush=True)\ntime.sleep(0.05)\n{code}")
        replies.write_text(json.dumps({"per_conversation": True, "replies": [step]}))
        (Path(folder) / "lab" / "root").mkdir(parents=True)
        make_notebook(Path(folder) / "lab" / "root" / "work.ipynb", "mine = 17")
        with running_lab(Path(folder) / "lab", DATARUS_REPLIES=str(replies)) as lab:
            tab = Tab(browser, lab)
            tab.panel.get_by_label("Who decides that code runs").select_option("auto")
            tab.page.evaluate(_WATCH)
            yield tab
            tab.context.close()


def _stop(tab: Tab, number: int) -> tuple[float, float]:
    """Milliseconds from the click to the end of the run, and to the kernel's being idle."""
    _begin(tab, number)
    tab.until(lambda: _stamp(tab, "idle") > 0, "an idle kernel")
    tab.wait_for_end(number + 1)
    clicked = _stamp(tab, "clicked")
    return _event(tab.lab, number, "run_finished")["ts"] * 1000 - clicked, _stamp(tab, "idle") - clicked


def _offer(tab: Tab, number: int) -> float:
    """Milliseconds from the click to the offer of a restart, which is then taken."""
    _begin(tab, number)
    tab.until(lambda: _stamp(tab, "offered") > 0, "the offer of a restart")
    restart = tab.panel.get_by_role("button", name="Restart the kernel")
    restart.click()
    tab.wait_for_end(number + 1)
    tab.until(lambda: _stamp(tab, "idle") > 0 and restart.count() == 0, "an idle kernel", seconds=90)
    expect(tab.panel.get_by_text("Restarting")).to_have_count(0)
    return _stamp(tab, "offered") - _stamp(tab, "clicked")


def _begin(tab: Tab, number: int) -> None:
    """Ask, and click on Stop once the code is under way."""
    tab.ask(_question(number))
    tab.until(_has(tab, number, "output"), "the code's first words")
    tab.panel.get_by_role("button", name="Stop").click()


def _has(tab: Tab, number: int, kind: str) -> Callable[[], bool]:
    return lambda: _event(tab.lab, number, kind) != {}


def _event(lab: Lab, number: int, kind: str) -> dict[str, Any]:
    """The first event of a kind of the run asked for with the question ``number``; {} if there is none yet."""
    runs = (run for run in lab.journals() if run and run[0].get("question") == _question(number))
    return next((event for run in runs for event in run if event["type"] == kind), {})


def _question(number: int) -> str:
    return f"Question {number}: how long does it take?"


def _stamp(tab: Tab, name: str) -> float:
    return float(tab.page.evaluate(f"window.datarusStop.{name}"))

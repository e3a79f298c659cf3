"""What the product costs a JupyterLab that nobody asks anything: memory, seconds at the start, bytes to load."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

import psutil  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from benchmarks.figure import Figure, figure
from tests.browser.lab import Lab, running_chromium, running_lab

_RUNS = 7
_BUNDLE = Path("datarus_jupyter/labextension/static")
_PATIENCE = 60_000


class Cost(NamedTuple):
    """Of one JupyterLab: MB of resident memory, milliseconds to its first page and from there until it is restored."""

    memory: float
    server: float
    page: float


def measure() -> list[Figure]:
    """With the extensions and without them, in turns; the differences of neighbours."""
    with running_chromium() as browser:
        _cost(browser, enabled=True)  # what the operating system reads from disk the first time
        bundle = _bundle(browser)
        pairs = [(_cost(browser, enabled=True), _cost(browser, enabled=False)) for _ in range(_RUNS)]
    added = [Cost(*(a - b for a, b in zip(*pair, strict=True))) for pair in pairs]
    without = Cost(*(statistics.median(values) for values in zip(*(plain for _, plain in pairs), strict=True)))
    total = [cost.server + cost.page for cost in added]
    return [
        figure("memory_added", "MB", [c.memory for c in added], at_most=30, note=f"to {without.memory:.0f} MB"),
        figure("lab_start_added", "ms", total, at_most=150, note="server and page, from the two figures below"),
        figure("lab_start_added_server", "ms", [c.server for c in added], note=f"to {without.server:.0f} ms"),
        figure("lab_start_added_page", "ms", [c.page for c in added], note=f"to {without.page:.0f} ms, empty cache"),
        figure("bundle", "KB", [bundle], at_most=150, note="JavaScript and styles that Lab loads at its start"),
    ]


def _bundle(browser: Browser) -> float:
    """The sizes on disk of our files that an idle Lab fetches; what is loaded on demand is not among them."""
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        fetched: set[str] = set()
        context = browser.new_context()
        context.on("response", lambda response: fetched.add(response.url.partition("?")[0].rpartition("/")[2]))
        page = context.new_page()
        page.goto(f"{lab.url}/lab?token={lab.token}", timeout=_PATIENCE)
        page.wait_for_function("window.jupyterapp?.restored", timeout=_PATIENCE)
        page.evaluate("window.jupyterapp.restored")
        page.wait_for_load_state("networkidle", timeout=_PATIENCE)
        context.close()
    return sum(file.stat().st_size for file in _BUNDLE.glob("*.js") if file.name in fetched) / 1000


def _cost(browser: Browser, *, enabled: bool) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        if not enabled:
            _disable(Path(folder) / "config")
        began = time.perf_counter()
        with running_lab(Path(folder)) as lab:
            _fetch_lab(lab)
            server = time.perf_counter() - began
            page = _load(browser, lab, enabled)
            memory = psutil.Process(lab.process.pid).memory_info().rss
    return Cost(memory / 1e6, server * 1000, page * 1000)


def _disable(settings: Path) -> None:
    """As an administrator would: the server extension and the one of the front end are off."""
    (settings / "labconfig").mkdir(parents=True)
    extensions = {"ServerApp": {"jpserver_extensions": {"datarus_jupyter": False}}}
    (settings / "jupyter_server_config.json").write_text(json.dumps(extensions))
    (settings / "labconfig" / "page_config.json").write_text('{"disabledExtensions": {"datarus-jupyter": true}}')


def _fetch_lab(lab: Lab) -> None:
    request = Request(f"{lab.url}/lab", headers={"Authorization": f"token {lab.token}"})
    with urlopen(request, timeout=60) as page:
        page.read()


def _load(browser: Browser, lab: Lab, enabled: bool) -> float:
    """Seconds until Lab has restored its workspace, in a browser that has never seen it."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(_PATIENCE)
    began = time.perf_counter()
    page.goto(f"{lab.url}/lab?token={lab.token}", wait_until="commit")
    page.wait_for_function("window.jupyterapp?.restored")
    page.evaluate("window.jupyterapp.restored")
    seconds = time.perf_counter() - began
    assert page.evaluate("window.jupyterapp.commands.hasCommand('datarus:open')") is enabled
    context.close()
    return seconds

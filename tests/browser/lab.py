"""A real JupyterLab in a real Chromium, as a user would drive it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import nbformat
from nbformat.reader import NotJSONError
from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

FLAGS: tuple[str, ...] = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
FLAGS += ("--disable-component-update", "--disable-sync")
SCREENSHOTS = Path(__file__).parent.parent.parent / "screenshots"
STARTING_SECONDS = 120
IDLE = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook-ExecutionIndicator[data-status=idle]"
PATIENCE = 60_000
"""Milliseconds that an expectation waits; the machine may be busy."""
expect.set_options(timeout=PATIENCE)


class FrontEnd(Enum):
    """What the notebook is opened in; the value is the page's address. Every server has all of them."""

    LAB = "lab/tree"
    NOTEBOOK = "notebooks"


@dataclass
class Lab:
    """A running server with its files in ``root`` and its journals and settings in folders of its own."""

    url: str
    token: str
    root: Path
    data: Path
    log: Path
    process: subprocess.Popen[bytes]

    def notebook(self, name: str = "work.ipynb") -> list[dict[str, Any]]:
        """The notebook's cells as they are on disk, once the file is whole: Jupyter saves in place."""
        deadline = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                return nbformat.read(self.root / name, 4).cells  # type: ignore[no-untyped-call, no-any-return]
            except NotJSONError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def journals(self) -> list[list[dict[str, Any]]]:
        """Every run's events, oldest run first."""
        files = sorted((self.data / "datarus" / "runs").glob("*.jsonl"))
        return [[json.loads(line) for line in file.read_text().splitlines()] for file in files]


def make_notebook(path: Path, *sources: str) -> None:
    """A notebook with these code cells and the kernel of this environment."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]
    for number, source in enumerate(sources):
        cell = nbformat.v4.new_code_cell(source, id=f"own-{number}")  # type: ignore[no-untyped-call]
        notebook.cells.append(cell)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "There is no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])


@contextmanager
def running_lab(
    folder: Path, python: Path | str = sys.executable, *, shared: bool = False, **environment: str
) -> Iterator[Lab]:
    """Start JupyterLab on a free port; stop it, its kernels and its engine at the end.

    ``shared``: notebooks are shared documents, as with the extra ``[rtc]``.
    """
    root, data, settings = folder / "root", folder / "data", folder / "settings"
    root.mkdir(parents=True, exist_ok=True)
    _ask_nothing(settings)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [str(python), "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}"]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
    command += ["--allow-root"] if os.getuid() == 0 else []
    variables = os.environ | (_sharing(folder / "sharing") if shared else {})
    variables |= {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(data),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env=variables | environment, stdout=log, stderr=log, cwd=root)
        try:
            url = f"http://127.0.0.1:{port}"
            _await_server(url, token, process, folder / "server.log")
            yield Lab(url, token, root, data, folder / "server.log", process)
        finally:
            _end(process, shared)


def _ask_nothing(settings: Path) -> None:
    """Without this JupyterLab asks in a corner whether to fetch news."""
    file = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"fetchNews": "false", "checkForUpdates": false}')


def _end(process: subprocess.Popen[bytes], shared: bool) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10 if shared else 30)
    except subprocess.TimeoutExpired:
        if not shared:
            raise
        # jupyter-server-ydoc may leave a thread of its store of updates behind, for which Python then waits for ever.
        process.kill()
        process.wait(10)


def _sharing(config: Path) -> dict[str, str]:
    """What switches the extra ``[rtc]`` on for one server: ``make install`` has it off in this environment.

    Its server extension and its front end go together. ``YDocExtension.disable_rtc`` is no switch: with it, the front
    end's own file browser and cell executor stay in the place of Lab's.
    """
    extensions = {"ServerApp": {"jpserver_extensions": {"jupyter_server_ydoc": True}}}
    pages = {"disabledExtensions": {"@jupyter/docprovider-extension": False}}
    (config / "labconfig").mkdir(parents=True)
    (config / "jupyter_server_config.json").write_text(json.dumps(extensions))
    (config / "labconfig" / "page_config.json").write_text(json.dumps(pages))
    return {"JUPYTER_CONFIG_PATH": str(config)}  # goes before the environment's own configuration


def _await_server(url: str, token: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    request = Request(f"{url}/api/status", headers={"Authorization": f"token {token}"})
    while True:
        try:
            with urlopen(request, timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.01)


class Tab:
    """One browser tab with a notebook open and the sidebar showing."""

    def __init__(
        self,
        browser: Browser,
        lab: Lab,
        notebook: str = "work.ipynb",
        width: int = 1280,
        front: FrontEnd = FrontEnd.LAB,
    ) -> None:
        self.lab = lab
        self.front = front
        self.context = browser.new_context(viewport={"width": width, "height": 860})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.errors: list[str] = []
        self.page.on("pageerror", self._on_error)
        self.load(notebook)

    def _on_error(self, error: Error) -> None:
        # Notebook 7.6 throws one of its own while it loads its settings, with and without us.
        own = self.front is FrontEnd.NOTEBOOK and "(reading 'schema')" in str(error)
        if not own:
            self.errors.append(str(error))

    def load(self, notebook: str = "work.ipynb") -> None:
        """Open or reload the page and wait until the kernel is idle."""
        self.page.goto(f"{self.lab.url}/{self.front.value}/{notebook}?token={self.lab.token}")
        self.page.wait_for_function("window.jupyterapp?.shell && document.querySelector('.jp-Notebook')")
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.ready")
        self.wait_for_idle_kernel()
        self.command("datarus:open")
        expect(self.box).to_be_visible()

    def wait_for_idle_kernel(self) -> None:
        """Wait until the kernel of the notebook in front has nothing to do."""
        status = "window.jupyterapp?.shell.currentWidget?.sessionContext.kernelDisplayStatus"
        self.page.wait_for_function(f"{status} === 'idle'")

    def command(self, name: str, **arguments: object) -> None:
        """Begin a command of JupyterLab; not all of them end before somebody answers a dialog."""
        self.page.evaluate("([n, a]) => void window.jupyterapp.commands.execute(n, a)", [name, arguments])

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Question about this notebook")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("region", name="Datarus", exact=True)

    @property
    def answer(self) -> Locator:
        return self.panel.get_by_role("region", name="Answer").last

    @property
    def totals(self) -> Locator:
        """The line under a run that is over."""
        return self.panel.locator(".jp-Datarus-totals")

    def ask(self, question: str) -> None:
        """Type a question and press Enter."""
        self.box.fill(question)
        self.box.press("Enter")

    def wait_for_end(self, runs: int = 1, seconds: float = 60) -> None:
        """Wait until so many runs of the conversation are over."""
        expect(self.totals).to_have_count(runs, timeout=seconds * 1000)

    def cells(self) -> list[dict[str, Any]]:
        """The cells of the notebook's model, saved or not."""
        script = "() => window.jupyterapp.shell.currentWidget.context.model.toJSON().cells"
        return self.page.evaluate(script)  # type: ignore[no-any-return]

    def sources(self) -> list[str]:
        """The sources of the runs' cells in the notebook's model."""
        return ["".join(cell["source"]) for cell in self.cells() if "datarus" in cell["metadata"]]

    def until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE / 1000) -> None:
        """Poll until ``holds``, or fail saying ``what`` did not come."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                self.screenshot("failed")
                raise AssertionError(f"did not happen in {seconds} s: {what}; cells: {self.cells()}")
            self.page.wait_for_timeout(50)

    def screenshot(self, name: str) -> None:
        """Keep a picture for a person to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

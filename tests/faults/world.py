"""What a fault is brought upon: a Jupyter server in a process of its own, its files, and an engine that it asks.

The server can be killed and started again on the same files, as on a user's machine; the engine stays, as a vLLM does.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import nbformat
import psutil
from tornado.websocket import websocket_connect

from datarus_jupyter.engines.scripted_server import ScriptedServer
from tests.faults.script import QUESTION, StepScript
from tests.patience import PATIENCE
from tests.server.sockets import Browser

_TOKEN = "secret"
_TOKENS_PER_SECOND = 400.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Poll ``condition`` and return what it gave, or fail saying ``what`` did not happen."""
    assert await settled(condition, seconds), f"did not happen in {seconds:.0f} s: {what}"
    return condition()


async def settled(condition: Callable[[], Any], seconds: float = 20.0) -> bool:
    """Whether ``condition`` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


class World:
    """An async context manager. ``options`` are further options of the server's command line."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.runs = folder / "data" / "datarus" / "runs"
        self.notebook = "work.ipynb"
        self.script = StepScript()
        self.engine_port = free_port()
        self.removed: set[str] = set()
        """Ids of cells that the test, as the user, has deleted."""
        self._options = options
        self._seen: dict[str, list[bytes]] = {}
        self._parsed: dict[str, tuple[bytes, list[dict[str, Any]]]] = {}
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._engine: ScriptedServer | None = None
        self._left_behind: list[psutil.Process] = []
        self._tabs: list[Browser] = []

    async def __aenter__(self) -> Self:
        self.root.mkdir(parents=True, exist_ok=True)
        self.make_notebook()
        await self.start_engine()
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(tab.close() for tab in self._tabs))
        if self._process and self._process.poll() is None:
            await self.end(signal.SIGTERM)
        await self._http.aclose()
        await self.stop_engine()
        # A server that was killed leaves its kernels behind.
        for process in self._left_behind:
            if process.is_running():
                process.kill()

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process
        return self._process.pid

    @property
    def path(self) -> Path:
        """The notebook's file."""
        return self.root / self.notebook

    @property
    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    def make_notebook(self, *more: nbformat.NotebookNode) -> None:
        """A notebook with one cell of the user's, and ``more``."""
        made = nbformat.v4.new_notebook()
        made.cells = [nbformat.v4.new_code_cell("a = 1", id="own-0"), *more]
        nbformat.write(made, self.path)

    async def start(self) -> None:
        """Start the server on these files."""
        url = f"http://127.0.0.1:{self.engine_port}/v1"
        command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={self._port}"]
        command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={_TOKEN}"]
        command += [f"--ServerApp.root_dir={self.root}", "--ServerApp.jpserver_extensions={'datarus_jupyter': True}"]
        command += [f"--DatarusApp.engine_url={url}", "--DatarusApp.grace_seconds=0.2"]
        command += ["--DatarusApp.default_mode=auto", *self._options]
        # Coverage is measured elsewhere: it would make these servers several times slower.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        variables = inherited | {
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTER_NO_CONFIG": "1",
        }
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, env=variables, cwd=self.root, stdout=log, stderr=log)
        headers = {"Authorization": f"token {_TOKEN}"}
        base = f"http://127.0.0.1:{self._port}"
        self._http = httpx.AsyncClient(base_url=base, headers=headers, timeout=PATIENCE, trust_env=False)
        deadline = time.monotonic() + PATIENCE
        while not await self._answers():
            there = self._process.poll() is None and time.monotonic() < deadline
            assert there, f"no server:\n{self.log[-3000:]}"
            await asyncio.sleep(0.05)

    async def _answers(self) -> bool:
        try:
            return (await self._http.get("/datarus/api/models")).is_success
        except httpx.TransportError:
            return False

    async def end(self, sign: signal.Signals) -> None:
        """End the server; its kernels are ended with the world, if they survive it."""
        assert self._process
        self._left_behind += psutil.Process(self.pid).children(recursive=True)
        self._process.send_signal(sign)
        await asyncio.to_thread(self._process.wait, PATIENCE)
        await self._http.aclose()

    async def start_engine(self) -> None:
        """The engine is there, at the same address each time."""
        self._engine = ScriptedServer(self.script, port=self.engine_port, tokens_per_second=_TOKENS_PER_SECOND)
        await self._engine.__aenter__()

    async def stop_engine(self) -> None:
        """The engine is gone, and its connections are cut."""
        if self._engine:
            await self._engine.__aexit__(None, None, None)
            self._engine = None

    async def call(self, method: str, path: str, /, **body: Any) -> Any:
        """Call a REST interface of the server; its JSON."""
        response = await self._http.request(method, path, json=body if method != "GET" else None)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    async def refused(self, method: str, path: str, /, **body: Any) -> str:
        """Call what must fail; the sentence that it says."""
        response = await self._http.request(method, path, json=body if method != "GET" else None)
        assert response.is_error, f"{method} {path} should have failed"
        return str(response.json()["message"])

    async def ask(self, **more: Any) -> str:
        """Start a run in the notebook; its id."""
        body = {"question": QUESTION, "notebook": self.notebook, **more}
        return str((await self.call("POST", "/datarus/api/runs", **body))["run"])

    async def approve(self, run: str, asked: dict[str, Any]) -> None:
        """Let the code run; nothing happens if that is not waited for any more, or the server is gone."""
        body = {"step": asked["step"], "sha256": asked["sha256"], "verdict": "approved"}
        try:
            response = await self._http.post(f"/datarus/api/runs/{run}/approval", json=body)
        except httpx.TransportError:
            return
        assert response.status_code in (202, 409), response.text

    async def resume(self, run: str) -> None:
        """Let the run go on from its journal."""
        await self.call("POST", f"/datarus/api/runs/{run}/resume")

    async def listed(self, run: str) -> dict[str, Any]:
        """The run in the list of the notebook's runs."""
        runs = await self.call("GET", f"/datarus/api/runs?notebook={self.notebook}")
        return next(one for one in runs if one["run"] == run)

    async def tab(self, **params: str) -> Browser:
        """A tab that shows the notebook."""
        query = "&".join(f"{name}={value}" for name, value in {"token": _TOKEN, **params}.items())
        url = f"ws://127.0.0.1:{self._port}/datarus/ws?{query}"
        self._tabs.append(Browser(await websocket_connect(url, max_message_size=1 << 30)))
        await self._tabs[-1].open(self.notebook)
        return self._tabs[-1]

    def journal(self, run: str) -> Path:
        """The run's file."""
        return self.runs / f"{run}.jsonl"

    def events(self, run: str) -> list[dict[str, Any]]:
        """The run's events as they are on disk; each look is remembered, and must never be contradicted later."""
        try:
            data = self.journal(run).read_bytes()
        except FileNotFoundError:
            return []
        before, parsed = self._parsed.get(run, (b"", []))
        if data == before:
            return parsed
        lines = data[: data.rfind(b"\n") + 1].splitlines()
        if len(lines) >= len(self._seen.get(run, [])):
            self._seen[run] = lines
        known = len(parsed) if data.startswith(before[: before.rfind(b"\n") + 1]) else 0
        parsed = [*parsed[:known], *(json.loads(line) for line in lines[known:])]
        self._parsed[run] = (data, parsed)
        return parsed

    def forget(self, run: str) -> None:
        """The test itself has changed the journal: what was seen before does not count."""
        self._seen.pop(run, None)

    def lost_events(self, run: str) -> int:
        """How many events that were seen on disk are not there now, or elsewhere; and how many seqs have gaps."""
        seen = self._seen.get(run, [])
        now = [json.dumps(event, sort_keys=True) for event in self.events(run)]
        before = [json.dumps(json.loads(line), sort_keys=True) for line in seen]
        lost = sum(index >= len(now) or now[index] != line for index, line in enumerate(before))
        return lost + sum(json.loads(line)["seq"] != index for index, line in enumerate(now))

    def event(self, run: str, kind: str, **fields: Any) -> dict[str, Any] | None:
        """The first event of that type with these fields."""
        return next((e for e in self.events(run) if e["type"] == kind and fields.items() <= e.items()), None)

    async def seen(self, run: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Wait for such an event on disk."""
        return dict(await until(lambda: self.event(run, kind, **fields), f"{kind} {fields} in {self.events(run)[-3:]}"))

    async def finished(self, run: str) -> dict[str, Any]:
        """Wait for the run's end."""
        return await self.seen(run, "run_finished")

    async def interrupted(self, run: str) -> dict[str, Any]:
        """Wait until the run is marked as interrupted."""
        return await self.seen(run, "run_interrupted")

    async def kernel(self) -> str:
        """The id of the notebook's kernel."""
        sessions: Sequence[dict[str, Any]] = await self.call("GET", "/api/sessions")
        return str(next(one["kernel"]["id"] for one in sessions if one["path"] == self.notebook))

    async def shut_down_kernels(self) -> None:
        """End all kernels, as the list of running kernels does."""
        for session in await self.call("GET", "/api/sessions"):
            await self.call("DELETE", f"/api/sessions/{session['id']}")

    def kernel_processes(self) -> list[psutil.Process]:
        """The processes of the server's kernels."""
        children = psutil.Process(self.pid).children(recursive=True)
        return [child for child in children if "ipykernel_launcher" in " ".join(child.cmdline())]

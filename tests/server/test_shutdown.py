"""The end of a server in mid-run: a real process, stopped gently or killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from test_runs import ANSWER, ASK, SLEEPS
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog, read

TOKEN = "secret"


class Server:
    """A Jupyter server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, client: AsyncHTTPClient) -> None:
        self.process = process
        self._url = url
        self._client = client

    async def api(self, *parts: str, body: Any = None, query: str = "") -> Any:
        response = await self._client.fetch(
            f"{self._url}/datarus/api/{'/'.join(parts)}?{query}",
            method="GET" if body is None else "POST",
            body=None if body is None else json.dumps(body),
            headers={"Authorization": f"token {TOKEN}"},
        )
        return json.loads(response.body)

    async def end(self, sign: signal.Signals) -> None:
        self.process.send_signal(sign)
        async with asyncio.timeout(30):
            await self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def server(root: Path, replies: list[str]) -> AsyncIterator[Server]:
    """A server on ``root``; killed at the end if it still runs."""
    script = root / "replies.json"
    script.write_text(json.dumps(replies))
    port = free_port()
    settings = {"replies": str(script)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"),
        *("--ServerApp.jpserver_extensions={'datarus_jupyter': True}", f"--DatarusApp.engine_settings={settings}"),
        env={
            **os.environ,
            "JUPYTER_DATA_DIR": str(root / "data"),
            "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
            "JUPYTER_NO_CONFIG": "1",
        },
        cwd=Path(__file__).parents[2],
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    client = SimpleAsyncHTTPClient(force_instance=True)
    started = Server(process, f"http://127.0.0.1:{port}", client)
    try:
        async with asyncio.timeout(60):
            while not await answers(started):
                await asyncio.sleep(0.1)
        yield started
    finally:
        client.close()
        if process.returncode is None:
            process.kill()
            await process.wait()
        # A server that was killed leaves its kernels behind; they are in its session.
        with_kernels = process.pid
        try:
            os.killpg(with_kernels, signal.SIGKILL)
        except ProcessLookupError:
            pass


async def answers(started: Server) -> bool:
    try:
        await started.api("models")
    except OSError:
        return False
    return True


async def begun(started: Server) -> str:
    """Start a run and wait until its cell is at work; its id."""
    run = (await started.api("runs", body=ASK))["run"]
    async with asyncio.timeout(30):
        while not any(event["type"] == "output" for event in (await started.api("runs", run))["events"]):
            await asyncio.sleep(0.05)
    return str(run)


@pytest.fixture
def jp_root_dir(tmp_path: Path) -> Path:
    return tmp_path


async def test_a_killed_server_leaves_a_whole_journal_that_the_next_one_marks(notebook: Path, tmp_path: Path) -> None:
    async with server(tmp_path, SLEEPS) as first:
        run = await begun(first)
        await first.end(signal.SIGKILL)
    journal = tmp_path / "data" / "datarus" / "runs" / f"{run}.jsonl"
    assert journal.read_bytes().endswith(b"\n")
    with journal.open("ab") as file:
        file.write(b'{"type":"te')  # as a crash in mid-write leaves it
    async with server(tmp_path, [ANSWER]) as second:
        async with asyncio.timeout(20):
            while (await second.api("runs", query="notebook=a.ipynb"))[0]["reason"] != "interrupted":
                await asyncio.sleep(0.05)
        events = (await second.api("runs", run))["events"]
        assert [event["seq"] for event in events] == list(range(len(events)))
        assert events[-1]["type"] == "run_interrupted"
        assert (await second.api("runs", body={**ASK, "question": "Again?"}))["run"] != run
        await second.end(signal.SIGTERM)


async def test_a_server_that_is_stopped_ends_its_runs(notebook: Path, tmp_path: Path) -> None:
    async with server(tmp_path, SLEEPS) as stopped:
        run = await begun(stopped)
        await stopped.end(signal.SIGTERM)
    events = read(tmp_path / "data" / "datarus" / "runs" / f"{run}.jsonl")
    assert isinstance(events[-1], ev.RunFinished)
    assert events[-1].reason == "stopped"


async def test_a_run_of_another_live_process_is_left_alone(notebook: Path, tmp_path: Path) -> None:
    """Two servers, or a server and the command line, share the folder of journals."""
    path = tmp_path / "data" / "datarus" / "runs" / "20261122-120000-abcdef.jsonl"
    with RunLog(path) as ours:
        ours.append(ev.RunStarted(question="?", prompt=[], engine="e", model="m", profile="p", notebook="a.ipynb"))
        async with server(tmp_path, [ANSWER]) as other:
            run = (await other.api("runs", body=ASK))["run"]
            async with asyncio.timeout(20):
                while (await other.api("runs", query="notebook=a.ipynb"))[0]["reason"] is None:
                    await asyncio.sleep(0.05)
            reasons = {entry["run"]: entry["reason"] for entry in await other.api("runs", query="notebook=a.ipynb")}
            assert reasons[run] == "answered"
            assert reasons[path.stem] is None
            await other.end(signal.SIGTERM)
    assert [type(event) for event in read(path)] == [ev.RunStarted]

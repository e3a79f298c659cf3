"""The end of a server in mid-run: a real process, stopped gently or killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from test_runs import ANSWER, ASK, SLEEPS, step
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from datarus_jupyter.engines.scripted import Script, ScriptedReply
from datarus_jupyter.engines.scripted_server import ScriptedServer
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog, read
from datarus_jupyter.protocol.messages import Message
from tests.patience import PATIENCE

TOKEN = "secret"


class Server:
    """A Jupyter server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, client: AsyncHTTPClient) -> None:
        self.process = process
        self.url = url
        self._client = client

    async def api(self, *parts: str, body: Any = None, query: str = "") -> Any:
        response = await self._client.fetch(
            f"{self.url}/datarus/api/{'/'.join(parts)}?{query}",
            method="GET" if body is None else "POST",
            body=None if body is None else json.dumps(body),
            headers={"Authorization": f"token {TOKEN}"},
            request_timeout=PATIENCE,
        )
        return json.loads(response.body)

    async def end(self, sign: signal.Signals) -> None:
        self.process.send_signal(sign)
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def server(root: Path, replies: list[str], engine: str = "") -> AsyncIterator[Server]:
    """A server on ``root``, killed at the end if it still runs. ``engine`` is a URL; else ``replies`` are replayed."""
    script = root / "replies.json"
    script.write_text(json.dumps(replies))
    port = free_port()
    settings = {} if engine else {"replies": str(script)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"),
        *("--ServerApp.jpserver_extensions={'datarus_jupyter': True}", f"--DatarusApp.engine_settings={settings}"),
        *(f"--DatarusApp.engine_url={engine}", "--DatarusApp.default_mode=auto"),
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
        async with asyncio.timeout(PATIENCE):
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
    async with asyncio.timeout(PATIENCE):
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
        async with asyncio.timeout(PATIENCE):
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


class Endless(Script):
    """Each call gets a step that prints a little, after half a second: also the one that only warms the engine."""

    def next(self, messages: Sequence[Message]) -> ScriptedReply:
        return ScriptedReply(text=step(f"print({len(messages)})"), delay=0.5)


async def talk(tab: WebSocketClientConnection) -> None:
    """Follow the notebook, at which the server has the engine read what would be asked in it."""
    try:
        await tab.write_message(json.dumps({"kind": "open", "notebook": "a.ipynb", "since": {}}))
        await tab.write_message(json.dumps({"kind": "close", "notebook": "a.ipynb"}))
    except WebSocketClosedError:
        pass


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.2, 0.5, 1.0, 2.0])
async def test_a_server_ends_whatever_it_is_doing(notebook: Path, tmp_path: Path, moment: float) -> None:
    """While a run is starting or its cells are being written, and while a tab goes on talking."""
    async with ScriptedServer(Endless([])) as engine, server(tmp_path, [], engine.url) as stopped:
        tab = await websocket_connect(f"{stopped.url.replace('http', 'ws')}/datarus/ws?token={TOKEN}")
        asked = asyncio.create_task(stopped.api("runs", body=ASK))
        await asyncio.wait([asked], timeout=moment)
        stopped.process.send_signal(signal.SIGTERM)
        ended = asyncio.create_task(stopped.process.wait())
        async with asyncio.timeout(PATIENCE):
            while not ended.done():
                await talk(tab)
                await asyncio.wait([ended], timeout=0.01)
        tab.close()
        while await tab.read_message() is not None:
            pass
        await asyncio.gather(asked, return_exceptions=True)
    for journal in (tmp_path / "data" / "datarus" / "runs").glob("*.jsonl"):
        assert isinstance(read(journal)[-1], ev.RunFinished)


async def test_a_run_of_another_live_process_is_left_alone(notebook: Path, tmp_path: Path) -> None:
    """Two servers, or a server and the command line, share the folder of journals."""
    path = tmp_path / "data" / "datarus" / "runs" / "20261122-120000-abcdef.jsonl"
    with RunLog(path) as ours:
        ours.append(ev.RunStarted(question="?", prompt=[], engine="e", model="m", profile="p", notebook="a.ipynb"))
        async with server(tmp_path, [ANSWER]) as other:
            run = (await other.api("runs", body=ASK))["run"]
            async with asyncio.timeout(PATIENCE):
                while (await other.api("runs", query="notebook=a.ipynb"))[0]["reason"] is None:
                    await asyncio.sleep(0.05)
            reasons = {entry["run"]: entry["reason"] for entry in await other.api("runs", query="notebook=a.ipynb")}
            assert reasons[run] == "answered"
            assert reasons[path.stem] is None
            await other.end(signal.SIGTERM)
    assert [type(event) for event in read(path)] == [ev.RunStarted]


async def test_a_server_ends_also_where_a_wrong_setting_kept_us_from_loading(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={free_port()}"),
        *("--ServerApp.jpserver_extensions={'datarus_jupyter': True}", "--DatarusApp.limits={'bogus': 1}"),
        env={**os.environ, "JUPYTER_DATA_DIR": str(tmp_path), "JUPYTER_NO_CONFIG": "1"},
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    said = b""
    async with asyncio.timeout(PATIENCE):
        while b"Use Control-C" not in said:
            said += await process.stderr.readline()
        process.terminate()
        _, rest = await process.communicate()
    assert b"DatarusApp.limits has no bogus" in said
    assert b"Traceback" not in rest

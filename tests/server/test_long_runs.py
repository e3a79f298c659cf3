"""A run of very many events: what is asked for comes in pieces, and the server's loop is never held up for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import Api, Connect
from tornado.httpclient import HTTPClientError

from datarus_jupyter.journal import events as ev

RUN = "20261122-120000-abcdef"
EVENTS = 120_000
LONGEST_PAUSE = 0.5
"""Seconds; the machine may be busy, and the test's own client works in the same loop."""


@pytest.fixture
def long_run(notebook: Path, tmp_path: Path) -> str:
    """A journal as a run of very many tokens leaves it."""
    started = ev.RunStarted(question="?", prompt=[], engine="e", model="m", profile="p", notebook="a.ipynb")
    texts = (ev.Text(step=1, channel="code", delta=f"word {seq} ") for seq in range(1, EVENTS - 1))
    events = [started, *texts, ev.RunFinished(reason="stopped")]
    for seq, event in enumerate(events):
        event.run, event.seq, event.ts, event.v = RUN, seq, 1.0 + seq, ev.VERSION
    (tmp_path / "runs").mkdir(mode=0o700)
    (tmp_path / "runs" / f"{RUN}.jsonl").write_bytes(b"".join(ev.encode(event) + b"\n" for event in events))
    return RUN


@asynccontextmanager
async def awake() -> AsyncIterator[None]:
    """Fail if the loop stands still for longer than ``LONGEST_PAUSE``."""
    loop, longest = asyncio.get_running_loop(), 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - before)

    watching = asyncio.create_task(watch())
    yield
    watching.cancel()
    await asyncio.wait([watching])
    assert longest < LONGEST_PAUSE


async def test_a_long_run_is_read_in_pages(long_run: str, jp_fetch: Callable[..., Any], api: Api) -> None:
    seqs: list[int] = []
    more = True
    async with awake():
        while more:
            response = await jp_fetch("datarus", "api", "runs", long_run, params={"since": str(len(seqs))})
            assert len(response.body) < 1_500_000
            page = await api("runs", long_run, since=str(len(seqs)))
            seqs += [event["seq"] for event in page["events"]]
            more = page["more"]
    assert seqs == list(range(EVENTS))


@pytest.mark.parametrize(("since", "first"), [("-1", 0), ("-999999999999", 0), (str(EVENTS - 2), EVENTS - 2)])
async def test_any_since_is_answered(long_run: str, api: Api, since: str, first: int) -> None:
    assert (await api("runs", long_run, since=since))["events"][0]["seq"] == first


@pytest.mark.parametrize("since", [str(EVENTS), str(10**18), "1" + "0" * 300])
async def test_after_the_end_there_is_nothing(long_run: str, api: Api, since: str) -> None:
    assert await api("runs", long_run, since=since) == {"events": [], "more": False}


async def test_a_tab_gets_a_long_run_in_frames(long_run: str, connect: Connect, api: Api) -> None:
    await api("engines")  # they are loaded when they are first wanted
    browser = await connect()
    async with awake():
        await browser.open()
    frames = [frame["events"] for frame in browser.frames if frame["kind"] == "events"]
    assert [event["seq"] for events in frames for event in events] == list(range(EVENTS))
    assert max(map(len, frames)) < EVENTS / 10


async def test_a_damaged_line_is_named(long_run: str, tmp_path: Path, api: Api) -> None:
    path = tmp_path / "runs" / f"{long_run}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"delta":"word 7 "', b'"delta":7'))
    with pytest.raises(HTTPClientError) as refused:
        await api("runs", long_run, since="5")
    assert refused.value.code == 503
    assert "line 8, is not an event" in json.loads(refused.value.response.body)["message"]
    assert (await api("runs", long_run, since="8"))["events"][0]["seq"] == 8

"""Going back and on through the server: real HTTP, real socket, real kernel; only the engine replays."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Api, Connect
from jupyter_server.serverapp import ServerApp
from sockets import Browser
from test_runs import ANSWER, ASK, SLEEPS, refused, step
from test_shutdown import begun, server

from tests.patience import PATIENCE

TWO = [step("x = 1\nprint(x)"), step("x = 22\nprint(x)"), ANSWER]
THREE = [*TWO, step("x = 333\nprint(x)"), ANSWER, ANSWER]


async def finished(browser: Browser, times: int = 1) -> None:
    await browser.until(lambda: sum(event["type"] == "run_finished" for event in browser.events()) == times)


async def on_disk(notebook: Path, holds: Callable[[list[str]], bool]) -> list[str]:
    """The sources of the notebook's cells, once ``holds`` is true of them."""
    async with asyncio.timeout(PATIENCE):
        while not holds(sources := sources_of(notebook)):
            await asyncio.sleep(0.02)
    return sources


def sources_of(notebook: Path) -> list[str]:
    """Those in the file; none while it is being written."""
    try:
        return [cell.source for cell in nbformat.read(notebook, 4).cells]
    except nbformat.reader.NotJSONError:
        return []


def ids(notebook: Path) -> list[str]:
    return [cell.id for cell in nbformat.read(notebook, 4).cells]


@pytest.mark.parametrize("replies", [TWO])
async def test_a_run_is_taken_back_in_the_notebook_that_no_tab_has_open(
    api: Api, notebook: Path, connect: Connect
) -> None:
    run = (await api("runs", body=ASK))["run"]
    await on_disk(notebook, lambda sources: "All is well." in sources)
    made = nbformat.read(notebook, 4)
    next(cell for cell in made.cells if cell.id.endswith("-2-code")).source = "mine"
    nbformat.write(made, notebook)
    edit = {"run": run, "step": 2, "cell": f"datarus-{run}-2-code", "source": "mine"}
    browser = await connect()
    await browser.send("edited", **edit)
    async with asyncio.timeout(PATIENCE):
        while (await api("runs", run))["events"][-1]["type"] != "user_edited":
            await asyncio.sleep(0.02)
    assert await api("runs", run, "revert", body={"step": 1}) == {"kept": [edit["cell"]]}
    assert await on_disk(notebook, lambda sources: len(sources) == 2) == ["a = 1", "mine"]
    assert [entry["reason"] for entry in await api("runs", notebook="a.ipynb")] == ["reverted"]
    assert (await refused(api("runs", run, "revert", body={"step": 1})))[0] == 409


@pytest.mark.parametrize("replies", [THREE])
async def test_a_step_is_tried_again_and_a_follower_sees_it(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await finished(browser)
    assert (await refused(api("runs", run, "resume", body={})))[0] == 409
    await api("runs", run, "resume", body={"step": 2})
    await finished(browser, 2)
    events = browser.events(run)
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert [event["step"] for event in events if event["type"] == "execution_started"] == [1, 2, 4]
    assert events == (await api("runs", run))["events"]
    late = await connect()
    await late.open()
    assert late.events(run) == events


@pytest.mark.parametrize("replies", [THREE])
async def test_the_users_code_goes_in_a_steps_place(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await finished(browser)
    await api("runs", run, "resume", body={"step": 1, "code": "print('mine')", "mode": "ask"})
    await browser.until(lambda: browser.event("output", step=4))
    assert browser.event("output", step=4)["output"]["text"] == "mine\n"
    assert browser.event("mode_changed", mode="ask")
    request = await browser.until(lambda: browser.event("approval_requested", step=5))
    await api("runs", run, "approval", body={"step": 5, "sha256": request["sha256"], "verdict": "approved"})
    await finished(browser, 2)


@pytest.mark.parametrize("replies", [[*SLEEPS, ANSWER]])
async def test_a_run_under_way_must_be_stopped_first_and_then_goes_on(
    api: Api, notebook: Path, connect: Connect
) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await browser.until(lambda: browser.event("output"))
    for action in ("revert", "resume"):
        status, message = await refused(api("runs", run, action, body={"step": 1}))
        assert (status, "stop it first" in message) == (409, True)
    await api("runs", run, "stop", body={})
    await finished(browser)
    await api("runs", run, "resume", body={})
    await finished(browser, 2)
    events = browser.events(run)
    assert [event["type"] for event in events if event["type"] == "execution_started"] == ["execution_started"]
    assert "interrupted" in next(event["text"] for event in events if event["type"] == "observation")
    assert events[-1]["answer"] == "All is well."


@pytest.mark.parametrize("replies", [THREE])
async def test_what_has_no_sense_is_refused(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await finished(browser)
    bodies = [
        ("revert", {}, 400),
        ("revert", {"step": "1"}, 400),
        ("revert", {"step": 9}, 409),
        ("revert", {"step": 0}, 409),
        ("resume", {"step": -1}, 409),
        ("resume", {"code": "print(1)"}, 400),
        ("resume", {"step": 1, "code": " "}, 400),
        ("resume", {"mode": "never"}, 400),
        ("resume", {"unknown": 1}, 400),
    ]
    for action, body, status in bodies:
        assert (await refused(api("runs", run, action, body=body)))[0] == status, (action, body)
    assert len((await api("runs", run))["events"]) == len(browser.events(run))
    for action in ("revert", "resume"):
        assert (await refused(api("runs", "20261122-120000-abcdef", action, body={"step": 1})))[0] == 404


@pytest.mark.parametrize("replies", [THREE])
async def test_in_a_new_kernel_the_model_is_told_so(
    api: Api, notebook: Path, connect: Connect, jp_serverapp: ServerApp
) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await finished(browser)
    (session,) = await jp_serverapp.session_manager.list_sessions()
    await jp_serverapp.session_manager.delete_session(session["id"])
    await api("runs", run, "resume", body={"step": 2})
    await finished(browser, 2)
    reminder = browser.event("reminder", reason="kernel")
    assert "started anew" in reminder["text"]
    assert browser.event("run_resumed")["kernel"] != session["kernel"]["id"]


@pytest.fixture
def jp_root_dir(tmp_path: Path) -> Path:
    return tmp_path


async def test_a_run_that_lost_its_server_goes_on_in_the_next_one(notebook: Path, tmp_path: Path) -> None:
    async with server(tmp_path, SLEEPS) as first:
        run = await begun(first)
        await first.end(signal.SIGKILL)
    async with server(tmp_path, [step("print('again')"), ANSWER]) as second:
        async with asyncio.timeout(PATIENCE):
            while (await second.api("runs", query="notebook=a.ipynb"))[0]["reason"] != "interrupted":
                await asyncio.sleep(0.05)
        await second.api("runs", run, "resume", body={})
        sources = await on_disk(notebook, lambda sources: "All is well." in sources)
        assert len(sources) == len(set(sources))
        assert len(ids(notebook)) == len(set(ids(notebook)))
        events: list[dict[str, Any]] = (await second.api("runs", run))["events"]
        assert [event["seq"] for event in events] == list(range(len(events)))
        assert [event["reason"] for event in events if event["type"] == "reminder"] == ["kernel"]
        assert events[-1]["answer"] == "All is well."
        await second.end(signal.SIGTERM)

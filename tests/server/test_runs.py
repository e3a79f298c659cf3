"""Runs through the server: real HTTP, real socket, real kernel; only the engine replays."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Api, Connect
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError

ASK = {"question": "What is 6 times 7?", "notebook": "a.ipynb"}
ANSWER = "<stop_analysis>\n<thought>Done.</thought>\n<answer>All is well.</answer>\n</stop_analysis>"


def step(code: str) -> str:
    return (
        f"<step>\n<thought>Run {len(code)} characters.</thought>\n<action>python_executor</action>\n"
        f"<action_input>\n{code}\n</action_input>\n</step>"
    )


SLEEPS = [step("import time\nprint('begun', flush=True)\ntime.sleep(60)"), ANSWER]


async def refused(call: Any) -> tuple[int, str]:
    """The status and the message of a call that must fail."""
    with pytest.raises(HTTPClientError) as error:
        await call
    return error.value.code, json.loads(error.value.response.body)["message"]


async def test_a_question_becomes_events_and_an_answer(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    finished = await browser.until(lambda: browser.event("run_finished"))
    assert (finished["reason"], finished["answer"]) == ("answered", "It is 42.")
    assert browser.event("output", output={"output_type": "stream", "name": "stdout", "text": "42\n"})
    assert [event["seq"] for event in browser.events(run)] == list(range(finished["seq"] + 1))
    started = browser.event("run_started")
    assert started["question"] == ASK["question"]
    assert started["notebook"] == "a.ipynb"
    assert "a = 1" in started["context"]

    listed = await api("runs", notebook="a.ipynb")
    assert [(entry["run"], entry["steps"], entry["reason"]) for entry in listed] == [(run, 1, "answered")]
    assert set(listed[0]) == {"run", "question", "notebook", "started", "seconds", "steps", "reason"}
    assert await api("runs", notebook="other.ipynb") == []
    assert (await api("runs", run))["events"] == browser.events(run)
    assert (await api("runs", run, since="3"))["events"] == browser.events(run)[3:]


async def test_it_runs_in_the_notebooks_own_kernel(
    api: Api, notebook: Path, jp_serverapp: ServerApp, connect: Connect
) -> None:
    session = await jp_serverapp.session_manager.create_session(
        path="a.ipynb", name="a.ipynb", type="notebook", kernel_name="python3"
    )
    browser = await connect()
    await browser.open()
    await api("runs", body=ASK)
    await browser.until(lambda: browser.event("run_finished"))
    kernel = session["kernel"]["id"]
    assert browser.event("run_started")["kernel"] == kernel
    assert len(await jp_serverapp.session_manager.list_sessions()) == 1
    await api("runs", body={**ASK, "kernel": kernel})
    await browser.until(lambda: sum(event["type"] == "run_finished" for event in browser.events()) == 2)
    assert {event["kernel"] for event in browser.events() if event["type"] == "run_started"} == {kernel}


async def test_without_a_session_one_is_made_that_lab_sees(
    api: Api, notebook: Path, jp_serverapp: ServerApp, connect: Connect
) -> None:
    made = nbformat.read(notebook, 4)
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, notebook)
    browser = await connect()
    await browser.open()
    await api("runs", body=ASK)
    await browser.until(lambda: browser.event("run_finished"))
    (session,) = await jp_serverapp.session_manager.list_sessions()
    assert (session["path"], session["kernel"]["name"]) == ("a.ipynb", "python3")


async def test_a_second_tab_with_since_gets_exactly_the_rest(api: Api, notebook: Path, connect: Connect) -> None:
    first = await connect()
    await first.open()
    run = (await api("runs", body=ASK))["run"]
    await first.until(lambda: first.event("step_closed"))
    seen = len(first.events(run))
    await first.close()
    second = await connect()
    await second.send("open", notebook="a.ipynb", since={run: seen})
    finished = await second.until(lambda: second.event("run_finished"))
    assert [event["seq"] for event in second.events(run)] == list(range(seen, finished["seq"] + 1))
    third = await connect()
    await third.open()
    assert [event["seq"] for event in third.events(run)] == list(range(finished["seq"] + 1))


@pytest.mark.parametrize("replies", [SLEEPS])
async def test_stop_in_mid_cell_leaves_the_kernel_alive(
    api: Api, notebook: Path, jp_serverapp: ServerApp, connect: Connect
) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await browser.until(lambda: browser.event("output"))
    loop = asyncio.get_running_loop()
    asked = loop.time()
    await api("runs", run, "stop", body={})
    finished = await browser.until(lambda: browser.event("run_finished"))
    assert finished["reason"] == "stopped"
    assert loop.time() - asked < 5
    kernel = browser.event("run_started")["kernel"]
    assert await jp_serverapp.kernel_manager.get_kernel(kernel).is_alive()
    await api("runs", run, "stop", body={})
    assert (await refused(api("runs", run, "mode", body={"mode": "plan"})))[0] == 409


@pytest.mark.parametrize("replies", [SLEEPS])
async def test_a_notebook_has_one_run_at_a_time(api: Api, notebook: Path, jp_root_dir: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await browser.until(lambda: browser.event("output"))
    status, message = await refused(api("runs", body=ASK))
    assert status == 409
    assert "under way" in message
    assert [entry["reason"] for entry in await api("runs", notebook="a.ipynb")] == [None]
    await api("runs", run, "stop", body={})
    await browser.until(lambda: browser.event("run_finished"))


@pytest.mark.parametrize("replies", [[step("print(1)"), step("print(20)"), step("print(300)"), ANSWER]])
async def test_code_waits_for_approval(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body={**ASK, "mode": "ask"}))["run"]

    def decide(step: int, **fields: Any) -> Any:
        request = browser.event("approval_requested", step=step)
        return api("runs", run, "approval", body={"step": step, "sha256": request["sha256"], **fields})

    await browser.until(lambda: browser.event("approval_requested", step=1))
    assert browser.event("execution_started") is None
    status, _ = await refused(api("runs", run, "approval", body={"step": 1, "sha256": "0" * 64, "verdict": "approved"}))
    assert status == 409
    assert (await refused(decide(1, verdict="edited")))[0] == 400
    assert (await refused(decide(1, verdict="approved", code="print(0)")))[0] == 400
    await decide(1, verdict="approved")
    await browser.until(lambda: browser.event("approval_requested", step=2))
    assert (await refused(decide(1, verdict="approved")))[0] == 409

    await decide(2, verdict="edited", code="print('edited')")
    await browser.until(lambda: browser.event("approval_requested", step=3))
    assert browser.event("output", step=2)["output"]["text"] == "edited\n"

    await decide(3, verdict="rejected", comment="not that")
    finished = await browser.until(lambda: browser.event("run_finished"))
    assert finished["reason"] == "answered"
    assert browser.event("execution_started", step=3) is None
    assert "not that" in browser.event("observation", step=3)["text"]
    assert (await refused(decide(3, verdict="approved")))[0] == 409


@pytest.mark.parametrize("replies", [[step("print(1)"), step("print(2)"), ANSWER]])
async def test_another_mode_counts_at_once_and_decides_what_waits(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body={**ASK, "mode": "ask"}))["run"]
    request = await browser.until(lambda: browser.event("approval_requested", step=1))
    await api("runs", run, "mode", body={"mode": "auto"})
    await browser.until(lambda: browser.event("run_finished"))
    assert browser.event("mode_changed", mode="auto")
    assert browser.event("approval_decided", step=1, verdict="approved", who="mode", sha256=request["sha256"])
    assert browser.event("approval_requested", step=2) is None
    assert browser.event("output", step=2)["output"]["text"] == "2\n"


async def test_feedback_and_edits_go_into_the_journal_of_a_past_run(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await browser.until(lambda: browser.event("run_finished"))
    await api("runs", run, "feedback", body={"rating": 1, "step": 1, "comment": "good"})
    await browser.until(lambda: browser.event("feedback", rating=1, step=1, comment="good"))
    cell = f"datarus-{run}-1-code"
    await browser.send("edited", run=run, step=1, cell=cell, source="mine")
    await browser.until(lambda: browser.event("user_edited", cell=cell, source="mine"))
    late = await connect()
    await late.open()
    assert late.events(run) == browser.events(run)
    assert [entry["reason"] for entry in await api("runs", notebook="a.ipynb")] == ["answered"]


async def test_an_earlier_answer_is_part_of_the_next_question(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    await api("runs", body=ASK)
    await browser.until(lambda: browser.event("run_finished"))
    second = (await api("runs", body={**ASK, "question": "And now?"}))["run"]
    started = await browser.until(lambda: next(iter(browser.events(second)), None))
    assert "It is 42." in started["prompt"][-1]["content"]
    await browser.until(lambda: any(event["type"] == "run_finished" for event in browser.events(second)))


@pytest.mark.parametrize("replies", [[{"text": "no", "status": 503}]])
async def test_an_engine_that_fails_ends_the_run_with_a_sentence(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    await api("runs", body=ASK)
    finished = await browser.until(lambda: browser.event("run_finished"))
    assert finished["reason"] == "engine"
    assert finished["message"]


BODIES = [
    ({}, 400),
    ({"question": "?"}, 400),
    ({"question": " ", "notebook": "a.ipynb"}, 400),
    ({**ASK, "mode": "never"}, 400),
    ({**ASK, "engine": "none"}, 400),
    ({**ASK, "unknown": 1}, 400),
    ({**ASK, "question": 1}, 400),
    ({**ASK, "notebook": "a.txt"}, 400),
    ({**ASK, "notebook": "missing.ipynb"}, 404),
    ({**ASK, "notebook": "../../outside.ipynb"}, 404),
    ({**ASK, "question": "x" * 2_000_000}, 413),
]


async def test_a_body_without_sense_is_refused_in_words(api: Api, notebook: Path) -> None:
    for body, status in BODIES:
        code, message = await refused(api("runs", body=body))
        assert code == status, body
        assert message.endswith("."), body
    assert await api("runs", notebook="a.ipynb") == []


async def test_bytes_that_are_no_json_are_refused(jp_fetch: Callable[..., Any]) -> None:
    code, _ = await refused(jp_fetch("datarus", "api", "runs", method="POST", body=b"\xff{"))
    assert code == 400


OUTSIDE = ["..%2F..%2Fetc%2Fpasswd", "20261122-120000-abcdef", "20261122-120000-abcdef%2F..", "x", "%00"]
ACTIONS = {
    "": None,
    "/stop": {},
    "/mode": {"mode": "auto"},
    "/approval": {"step": 1, "sha256": "0", "verdict": "approved"},
    "/feedback": {"rating": 1},
}


async def test_no_other_file_is_a_run(
    jp_serverapp: ServerApp, http_server_client: Any, jp_auth_header: dict[str, str], tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*.jsonl"))
    for run, (action, body) in itertools.product(OUTSIDE, ACTIONS.items()):
        url = f"{jp_serverapp.base_url}datarus/api/runs/{run}{action}"
        content = None if body is None else json.dumps(body)
        method = "GET" if body is None else "POST"
        with pytest.raises(HTTPClientError) as error:
            await http_server_client.fetch(url, method=method, body=content, headers=dict(jp_auth_header))
        assert error.value.code == 404, url
    assert sorted(tmp_path.rglob("*.jsonl")) == before


async def test_since_must_be_a_number(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body=ASK))["run"]
    await browser.until(lambda: browser.event("run_finished"))
    assert (await refused(api("runs", run, since="x")))[0] == 400
    assert (await refused(api("runs", run, "feedback", body={"rating": 2})))[0] == 400

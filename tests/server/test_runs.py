"""Runs through the server: real HTTP, real socket, real kernel; only the engine replays."""

from __future__ import annotations

from pathlib import Path

from conftest import Api
from sockets import Browser


async def test_a_question_becomes_events_and_an_answer(api: Api, notebook: Path, jp_ws_fetch) -> None:
    browser = Browser(await jp_ws_fetch("datarus", "ws"))
    await browser.open()
    run = (await api("runs", body={"question": "What is 6 times 7?", "notebook": "a.ipynb"}))["run"]
    finished = await browser.until(lambda: browser.event("run_finished"))
    assert finished["reason"] == "answered"
    assert finished["answer"] == "It is 42."
    assert browser.event("output", output={"output_type": "stream", "name": "stdout", "text": "42\n"})
    assert [event["seq"] for event in browser.events(run)] == list(range(finished["seq"] + 1))

"""The canary test: secrets of every kind go through a run, and not one comes out anywhere."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Api, Connect
from test_runs import ANSWER, ASK, step

from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.journal.secrets import Secrets
from datarus_jupyter.server.log_filter import SecretFilter
from tests.patience import PATIENCE

CANARIES = {
    "environment": "canary-environment-81b7c4d09e6f",
    "engine key": "canary-engine-key-5d2a90cc41e7",
    "address": "canary-pass-0f3e88ab",
    "shape": "sk-canary0123456789abcdef",
    "header": "canaryheader.0123456789abcdef",
    "split": "canary-split-7711aa22bb33",
    "question": "ghp_canary0123456789abcdefghij",
}
TRUNCATED = CANARIES["environment"][:12]

PRINTS = "\n".join(
    [
        "import os, sys, time",
        "print(dict(os.environ))",
        "print(os.environ['DATABASE_URL'])",
        f"print('Authorization: Bearer {CANARIES['header']}')",
        "for c in os.environ['SPLIT_TOKEN']:",
        "    print(c, end='', flush=True)",
        "    time.sleep(0.02)",
        "print('.', file=sys.stderr)",
        "print('\\x1b[31m' + os.environ['CANARY_KEY'] + '\\x1b[0m', file=sys.stderr)",
        "print('x' * 2_000_000 + os.environ['CANARY_KEY'])",
    ]
)
SHOWS = "\n".join(
    [
        "import os, json, pandas as pd",
        "from IPython.display import HTML, JSON, Markdown, display",
        "key = os.environ['CANARY_KEY']",
        "display(HTML(f'<b>{key}</b>'), JSON({key: [key]}), Markdown(key))",
        "frame = pd.DataFrame({'token': [key, key * 3], key: [1, 2]})",
        "display(frame)",
        "frame",
    ]
)
FAILS = "import os\nraise ValueError('refused: ' + os.environ['DATABASE_URL'] + ' ' + os.environ['CANARY_KEY'])"
SAYS = ANSWER.replace("All is well.", f"The key is {CANARIES['shape']}, or {CANARIES['environment']}.")


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the server starts: its kernels inherit it, but for the engine's key."""
    monkeypatch.setenv("CANARY_KEY", CANARIES["environment"])
    monkeypatch.setenv("DATABASE_URL", f"postgresql://ada:{CANARIES['address']}@db.example/x")
    monkeypatch.setenv("SPLIT_TOKEN", CANARIES["split"])
    monkeypatch.setenv("DATARUS_API_KEY", CANARIES["engine key"])


@pytest.fixture
def jp_server_config(_environment: None, jp_server_config: Any) -> Any:
    """The server is configured once the environment stands."""
    return jp_server_config


def everything(frames: list[dict[str, Any]], folder: Path, said: str) -> dict[str, str]:
    """All that a run leaves behind, by where it is."""
    files = {str(p): p.read_bytes().decode(errors="replace") for p in folder.rglob("*") if p.is_file()}
    kept = {name: text for name, text in files.items() if name.endswith((".jsonl", ".ipynb", ".sqlite"))}
    assert {Path(name).suffix for name in kept} == {".jsonl", ".ipynb", ".sqlite"}
    return {**kept, "frames": json.dumps(frames, ensure_ascii=False), "log": said}


async def pages(api: Api, run: str) -> list[Any]:
    """All of the run's events, page by page."""
    found = [await api("runs", run)]
    while found[-1]["more"]:
        found.append(await api("runs", run, since=str(found[-1]["events"][-1]["seq"] + 1)))
    return found


@pytest.mark.parametrize("replies", [[step(PRINTS), step(SHOWS), step(FAILS), SAYS]])
async def test_no_secret_comes_out_anywhere(
    api: Api,
    notebook: Path,
    tmp_path: Path,
    jp_serverapp: Any,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="datarus_jupyter")
    browser = await connect()
    await browser.open()
    question = f"Use {CANARIES['question']} at postgresql://ada:{CANARIES['address']}@db.example/x."
    run = (await api("runs", body={**ASK, "question": question, "mode": "auto"}))["run"]
    finished = await browser.until(lambda: browser.event("run_finished"))
    assert finished["reason"] == "answered"
    cell = f"datarus-{run}-1-code"
    await browser.send("edited", run=run, step=1, cell=cell, source=f"key = '{CANARIES['environment']}'")
    await browser.until(lambda: browser.event("user_edited"))
    await api("runs", run, "feedback", body={"rating": 1, "comment": CANARIES["engine key"]})
    await browser.until(lambda: browser.event("feedback"))
    await browser.close()
    async with asyncio.timeout(PATIENCE):  # no tab is open any more, so the file is written
        while f"datarus-{run}-3-code" not in notebook.read_text():
            await asyncio.sleep(0.05)
    for reply in [*await pages(api, run), await api("runs", notebook="a.ipynb"), await api("engines")]:
        browser.frames.append({"kind": "rest", "reply": reply})

    token = jp_serverapp.identity_provider.token
    for place, text in everything(browser.frames, tmp_path, caplog.text).items():
        for name, canary in {**CANARIES, "server": token, "truncated": TRUNCATED}.items():
            assert canary not in text, f"the canary {name} is in {place}"
    written = json.dumps(nbformat.read(notebook, 4))
    for shown in (
        "[secret: CANARY_KEY]",
        "postgresql://ada:[secret: DATABASE_URL]@db.example/x",
        "[secret: SPLIT_TOKEN]",
    ):
        assert shown in written
    codes = [event["code"] for event in browser.events(run) if event["type"] == "step_closed"]
    assert codes == [PRINTS.replace(CANARIES["header"], "[secret: token]"), SHOWS, FAILS]


def test_a_journal_of_its_own_knows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATARUS_API_KEY", CANARIES["engine key"])
    with RunLog(tmp_path / "run.jsonl") as log:
        assert log.secrets.redact(CANARIES["engine key"]) == "[secret: DATARUS_API_KEY]"


def test_the_log_keeps_quiet(tmp_path: Path) -> None:
    secrets = Secrets({"CANARY_KEY": CANARIES["environment"]})
    log = logging.getLogger("server of this test")
    log.addHandler(handler := logging.FileHandler(tmp_path / "server.log"))
    said = SecretFilter(secrets, log)
    try:
        log.warning("A route of datarus_jupyter is there: %s", CANARIES["environment"][:5])
        record = log.makeRecord("datarus_jupyter.server", 30, __file__, 1, "%s", (CANARIES["environment"],), None)
        handler.handle(record)
        try:
            raise ValueError(CANARIES["environment"])
        except ValueError:
            log.exception("It failed.")
    finally:
        said.remove()
        log.removeHandler(handler)
        handler.close()
    text = (tmp_path / "server.log").read_text()
    assert CANARIES["environment"] not in text
    assert text.count("[secret: CANARY_KEY]") == 2

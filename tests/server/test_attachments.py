"""What the user chose goes with the question, and what can be chosen is known with its cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Api, Connect
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPResponse

Fetch = Callable[..., Awaitable[HTTPResponse]]

ASK = {"question": "Mend it.", "notebook": "a.ipynb"}
CELL = {"kind": "error", "id": "user-0", "name": "cell [1]", "source": "x = 6\nprint(x * sevn)", "outputs": []}


@pytest.fixture
def files(jp_root_dir: Path, notebook: Path) -> Path:
    """A file to show beside the notebook, and one above it that may not be."""
    (jp_root_dir / "t.csv").write_text("a,b\n1,2\n")
    (jp_root_dir.parent / "secret.csv").write_text("k\n1\n")
    return jp_root_dir


async def refused(call: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as caught:
        await call
    assert caught.value.response is not None
    return caught.value.code, caught.value.response.body.decode()


async def test_what_is_shown_reaches_the_model_and_the_journal(api: Api, files: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    shown = [{"kind": "variable", "name": "gone"}, CELL, {"kind": "file", "path": "t.csv"}]
    await api("runs", body={**ASK, "attached": shown, "target": "user-0", "anchor": "user-0"})
    await browser.until(lambda: browser.event("run_finished"))
    started = browser.event("run_started")
    assert [(one["kind"], one["name"]) for one in started["attached"]] == [
        ("variable", "gone"),
        ("error", "cell [1]"),
        ("file", "t.csv"),
    ]
    assert started["target"] == {"cell": "user-0", "name": "cell [1]", "source": CELL["source"]}
    asked = started["prompt"][-1]["content"]
    at = [asked.index(part) for part in ("Notebook: a.ipynb", "Variable gone", "Cell [1]", "File t.csv", "Question:")]
    assert at == sorted(at)
    assert browser.event("proposed")["code"] == "x = 6\nprint(x * 7)"


async def test_the_users_word_on_a_proposal_is_kept(api: Api, files: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body={**ASK, "attached": [CELL], "target": "user-0"}))["run"]
    await browser.until(lambda: browser.event("run_finished"))
    await api("runs", run, "proposal", body={"accepted": True})
    decided = await browser.until(lambda: browser.event("proposal_decided"))
    assert decided["accepted"] is True


@pytest.mark.parametrize(
    "shown",
    [
        [{"kind": "file", "path": "../secret.csv"}],
        [{"kind": "file", "path": "none.csv"}],
        [{"kind": "folder", "path": "."}],
        [{"kind": "variable", "name": "x"}] * 21,
    ],
)
async def test_what_may_not_be_shown_is_refused_in_a_sentence(api: Api, files: Path, shown: list[Any]) -> None:
    code, body = await refused(api("runs", body={**ASK, "attached": shown}))
    assert code == 400
    assert '"message"' in body


async def test_a_target_must_be_shown(api: Api, files: Path) -> None:
    code, body = await refused(api("runs", body={**ASK, "target": "user-0"}))
    assert (code, "is not shown with the question" in body) == (400, True)


async def test_files_and_variables_are_offered_with_their_cost(
    api: Api, files: Path, jp_serverapp: ServerApp, connect: Connect
) -> None:
    (file,) = await api("attachments", "files", notebook="a.ipynb")
    assert (file["name"], file["detail"]) == ("t.csv", "(1 rows): a, b")
    assert 0 < file["tokens"] < 40
    assert await api("attachments", "variables", notebook="a.ipynb") == []
    assert await jp_serverapp.session_manager.list_sessions() == []

    browser = await connect()
    await browser.open()
    await api("runs", body=ASK)
    await browser.until(lambda: browser.event("run_finished"))
    (variable,) = await api("attachments", "variables", notebook="a.ipynb")
    assert (variable["name"], variable["detail"]) == ("x", "int")


@pytest.mark.parametrize("place", ["files", "variables"])
async def test_nobody_without_a_token_is_told(jp_fetch: Fetch, files: Path, place: str) -> None:
    code, _ = await refused(
        jp_fetch("datarus", "api", "attachments", place, params={"notebook": "a.ipynb"}, headers={"Authorization": ""})
    )
    assert code == 403

"""Engines, models and suggestions over REST, and what of them the socket tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Api, Connect
from test_runs import ASK, refused

from datarus_jupyter.agent.context import data_files
from datarus_jupyter.engines.catalogue import CATALOGUE
from datarus_jupyter.server.engines import Engines, EngineStatus
from datarus_jupyter.server.models import Models, ModelStatus
from datarus_jupyter.server.suggestions import Columns, sniff, suggest
from tests.patience import PATIENCE

PENGUINS = """species,island,body_mass_g,flipper_length_mm,date_egg,rowid
Adelie,Torgersen,3750,181,2007-11-11,1
Gentoo,Biscoe,5000,217,2007-11-12,2
Gentoo,Biscoe,NA,220,2007-11-13,3
Adelie,Dream,3800,190,2007-11-14,4
"""


@pytest.fixture(autouse=True)
def _no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATARUS_MODELS_DIR", str(tmp_path / "models"))


async def test_the_engines_and_how_they_do(api: Api, notebook: Path, connect: Connect) -> None:
    listed = await api("engines")
    assert listed["active"] == "scripted"
    scripted, embedded = listed["engines"]
    assert (scripted["name"], scripted["state"], scripted["tokens_per_second"]) == ("scripted", "ready", None)
    assert (embedded["kind"], embedded["state"]) == ("embedded", "missing")
    assert embedded["model_file"] == CATALOGUE[0].name
    browser = await connect()
    await browser.open()
    await api("runs", body=ASK)
    used = await browser.until(lambda: next((f["engine"] for f in browser.frames if f["kind"] == "engine"), None))
    assert used["name"] == "scripted"
    assert used["first_token_seconds"] > 0
    await browser.until(lambda: browser.event("run_finished"))


@pytest.mark.parametrize("replies", [["One, two, three"] * 3])
async def test_the_readiness_check_is_lines_of_words(api: Api) -> None:
    lines = (await api("engines", "scripted", "check", body={}))["lines"]
    assert [line["name"] for line in lines][:2] == ["reachable", "model"]
    assert all(line["text"].endswith(".") for line in lines)
    assert (await refused(api("engines", "none", "check", body={})))[0] == 400


@pytest.mark.parametrize("settings", [{"engine_url": "http://127.0.0.1:9/v1", "engine_settings": {"kind": "openai"}}])
async def test_an_engine_that_is_not_there_is_told(api: Api, notebook: Path, settings: dict[str, Any]) -> None:
    configured = (await api("engines"))["engines"][0]
    assert (configured["name"], configured["kind"], configured["state"]) == ("openai", "openai", "unreachable")
    assert "127.0.0.1:9" in configured["message"]
    status, message = await refused(api("runs", body=ASK))
    assert status == 503
    assert "127.0.0.1:9" in message


@pytest.mark.parametrize("settings", [{"engine_settings": {"kind": "wrong"}}])
async def test_settings_without_sense_are_told_when_the_engine_is_wanted(
    api: Api, notebook: Path, connect: Connect, settings: dict[str, Any]
) -> None:
    browser = await connect()
    await browser.open()
    for call in (api("engines"), api("runs", body=ASK)):
        status, message = await refused(call)
        assert status == 400
        assert "settings" in message


async def test_the_models_of_the_catalogue(api: Api) -> None:
    listed = await api("models")
    assert [model["name"] for model in listed] == [model.name for model in CATALOGUE]
    assert {"name", "title", "licence", "bytes", "received", "state"} <= set(listed[0])
    assert {model["state"] for model in listed} == {"absent"}
    assert (await refused(api("models", "none", "pull", body={})))[0] == 400
    assert (await refused(api("models", "none", "cancel", body={})))[0] == 400
    await api("models", CATALOGUE[0].name, "cancel", body={})


@pytest.fixture
def hub(jp_asyncio_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """A hub that begins to send a model and then waits; the requests that it got."""
    requests: list[bytes] = []
    size = CATALOGUE[0].bytes

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * 500_000)
        await reader.read()
        writer.close()

    server = jp_asyncio_loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    yield requests
    server.close()
    jp_asyncio_loop.run_until_complete(server.wait_closed())


async def test_a_download_is_started_told_and_stopped(api: Api, hub: list[bytes], connect: Connect) -> None:
    browser = await connect()
    name = CATALOGUE[0].name

    def told(state: str, least: int = 0) -> Any:
        frames = [frame["model"] for frame in browser.frames if frame["kind"] == "model"]
        return next((m for m in frames if m["state"] == state and m["received"] >= least), None)

    await api("models", name, "pull", body={})
    await browser.until(lambda: told("pulling"))
    await api("models", name, "pull", body={})
    async with asyncio.timeout(PATIENCE):
        while (await api("models"))[0]["received"] == 0:
            await asyncio.sleep(0.02)
    await api("models", name, "cancel", body={})
    await browser.until(lambda: told("absent", least=1))
    assert len(hub) == 1
    assert (await api("models"))[0]["state"] == "absent"


async def test_a_download_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[ModelStatus] = []
    (tmp_path / "file").write_text("")
    models = Models(tmp_path / "file" / "below", told.append)
    models.pull(CATALOGUE[0].name)
    async with asyncio.timeout(PATIENCE):
        while not told or told[-1].state != "failed":
            await asyncio.sleep(0.01)
    assert told[-1].message
    models.pull(CATALOGUE[0].name)
    await models.close()
    assert told[-1].state in ("absent", "failed")


async def test_an_embedded_model_that_is_missing_is_not_warmed(tmp_path: Path) -> None:
    told: list[EngineStatus] = []
    engines = Engines({}, None, told.append)
    engines.warm()
    engines.warm()
    await engines.close()
    assert engines.status("embedded").state == "missing"


async def test_suggestions_name_what_is_there(api: Api, notebook: Path, jp_root_dir: Path) -> None:
    assert (await api("suggestions", notebook="a.ipynb"))["questions"] == []
    (jp_root_dir / "penguins.csv").write_text(PENGUINS)
    (jp_root_dir / "notes.json").write_text("{}")
    questions = (await api("suggestions", notebook="a.ipynb"))["questions"]
    assert len(questions) == 3
    assert "species" in questions[0]
    assert "notes.json" in questions[1]
    assert (await refused(api("suggestions", notebook="b.ipynb")))[0] == 404


def test_columns_by_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "penguins.csv"
    path.write_text(PENGUINS)
    (file,) = data_files(tmp_path)
    expected = Columns(("body_mass_g", "flipper_length_mm"), ("species", "island"), ("date_egg",))
    assert sniff(path, file.columns) == expected


def test_odd_files_do_no_harm(tmp_path: Path) -> None:
    assert sniff(tmp_path / "gone.csv", ["a"]) == Columns()
    (tmp_path / "one.csv").write_text("a,b\n")
    (tmp_path / "ragged.csv").write_text("a,b,c\n1\n2,x,3,4\n,,\n")
    (tmp_path / "cut.csv").write_text("a,b\n" + "1.5,red\n2.5,blue\n3.5,red\n" * 10_000)
    (tmp_path / "bytes.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    questions = suggest(tmp_path, data_files(tmp_path))
    assert len(questions) == len(set(questions)) == 3
    assert sniff(tmp_path / "cut.csv", ["a", "b"]) == Columns(("a",), ("b",), ())


def test_many_files_all_get_their_word(tmp_path: Path) -> None:
    for name in ("x", "y", "z", "zz"):
        (tmp_path / f"{name}.csv").write_text(PENGUINS)
    questions = suggest(tmp_path, data_files(tmp_path))
    assert [name for name in ("x.csv", "y.csv", "z.csv") if any(name in question for question in questions)] == [
        "x.csv",
        "y.csv",
        "z.csv",
    ]
    json.dumps(questions)


@pytest.mark.parametrize("settings", [{"engine_url": "http://127.0.0.1:9/v1", "engine_settings": {"kind": "openai"}}])
async def test_a_key_is_written_and_never_read(
    api: Api, jp_fetch: Any, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    async def put(name: str, body: Any) -> Any:
        return await jp_fetch("datarus", "api", "engines", name, "key", method="PUT", body=json.dumps(body))

    async def source() -> str:
        listed = await api("engines")
        assert "sk-put-0123456789abcdef" not in json.dumps(listed)
        return str(listed["engines"][0]["key"])

    assert await source() == ""
    response = await put("openai", {"key": "sk-put-0123456789abcdef"})
    assert json.loads(response.body) == {}
    assert await source() == "file"
    assert (await refused(api("engines", "openai", "key")))[0] == 405
    assert (await refused(put("embedded", {"key": "x"})))[0] == 400
    assert (await refused(put("openai", {"key": "two words"})))[0] == 400
    assert (await refused(put("openai", {"key": "x", "url": "http://elsewhere"})))[0] == 400
    await put("openai", {"key": ""})
    assert await source() == ""

"""Tabs that come and go while runs are under way: one writer, and the file where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Api, Connect
from test_runs import ANSWER, ASK, step
from traitlets import TraitError
from traitlets.config import Config

from datarus_jupyter.server.app import DatarusApp
from tests.patience import PATIENCE

SLOW = [
    step("print('first')"),
    step("import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.02)\nprint('second')"),
    ANSWER,
]


async def until(condition: Callable[[], Any]) -> Any:
    """Poll what no event announces, such as a file."""
    async with asyncio.timeout(PATIENCE):
        while not (result := condition()):
            await asyncio.sleep(0.02)
    return result


def cells(path: Path) -> list[str]:
    """The sources; none while the contents manager, which does not save atomically, is writing."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError:
        return []
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells]


async def test_of_two_tabs_one_writes_and_hands_over(notebook: Path, connect: Connect) -> None:
    first, second = await connect(), await connect()
    await first.open()
    await first.until(lambda: first.writer() is not None)
    await second.open()
    await second.until(lambda: second.writer() is not None)
    assert (first.writer(), second.writer()) == (True, False)
    await first.close()
    await second.until(lambda: second.writer())


async def test_a_tab_that_closes_the_notebook_hands_over_at_once(notebook: Path, connect: Connect) -> None:
    first, second = await connect(), await connect()
    await first.open()
    await second.open()
    await first.send("close", notebook="a.ipynb")
    await second.until(lambda: second.writer())
    await first.open()
    await first.until(lambda: first.writer() is False)


@pytest.mark.parametrize("settings", [{"grace_seconds": 600.0}])
async def test_a_page_that_reconnects_replaces_its_lost_connection(
    notebook: Path, connect: Connect, settings: dict[str, Any]
) -> None:
    lost = await connect(tab="page-1")
    await lost.open()
    other = await connect(tab="page-2")
    await other.open()
    again = await connect(tab="page-1")
    await again.open()
    await again.until(lambda: again.writer())
    assert other.writer() is False
    await lost.ended()


async def test_no_page_can_pass_for_the_file(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect(tab="file")
    await browser.open()
    await browser.until(lambda: browser.writer())
    await api("runs", body=ASK)
    await browser.until(lambda: browser.event("run_finished"))
    assert cells(notebook) == ["a = 1"]


async def test_without_a_tab_the_run_is_written_to_the_file(api: Api, notebook: Path) -> None:
    run = (await api("runs", body={**ASK, "anchor": "user-0"}))["run"]
    await until(lambda: "It is 42." in cells(notebook))
    assert cells(notebook) == ["a = 1", "Look.", "x = 6\nprint(x * 7)", "Done.", "It is 42."]
    written = nbformat.read(notebook, as_version=4).cells[2]
    assert written.id == f"datarus-{run}-1-code"
    assert written.outputs[0].text == "42\n"


@pytest.mark.parametrize("replies", [SLOW])
async def test_when_the_last_tab_goes_the_file_takes_over_and_a_new_tab_takes_it_back(
    api: Api, notebook: Path, jp_root_dir: Path, connect: Connect
) -> None:
    tab = await connect()
    await tab.open()
    run = (await api("runs", body=ASK))["run"]
    await tab.until(lambda: tab.event("execution_started", step=2))
    assert cells(notebook) == ["a = 1"]
    await tab.close()
    await until(lambda: len(cells(notebook)) == 5)
    back = await connect()
    await back.open()
    await back.until(lambda: back.writer())
    (jp_root_dir / "go").touch()
    await back.until(lambda: back.event("run_finished"))
    assert len(cells(notebook)) == 5
    await back.close()
    await until(lambda: "All is well." in cells(notebook))
    ids = [cell.id for cell in nbformat.read(notebook, as_version=4).cells]
    assert len(ids) == len(set(ids)) == 7
    assert all(run in cell for cell in ids[1:])


@pytest.mark.parametrize("replies", [SLOW])
async def test_what_the_tab_saved_and_the_user_deleted_stays_deleted(
    api: Api, notebook: Path, jp_root_dir: Path, connect: Connect
) -> None:
    tab = await connect()
    await tab.open()
    run = (await api("runs", body=ASK))["run"]
    seq = (await tab.until(lambda: tab.event("execution_started", step=2)))["seq"]
    await tab.send("ack", notebook="a.ipynb", run=run, seq=seq, saved=True)
    await tab.send("nonsense")
    await tab.until(lambda: any(frame["kind"] == "error" for frame in tab.frames))
    await tab.close()
    (jp_root_dir / "go").touch()
    await until(lambda: "All is well." in cells(notebook))
    assert cells(notebook) == ["a = 1", "Done.", "All is well."]


async def test_a_run_that_a_tab_saved_whole_is_not_written_again(
    api: Api, notebook: Path, jp_serverapp: Any, connect: Connect
) -> None:
    tab = await connect()
    await tab.open()
    run = (await api("runs", body=ASK))["run"]
    seq = (await tab.until(lambda: tab.event("run_finished")))["seq"]
    await tab.send("ack", notebook="a.ipynb", run=run, seq=seq, saved=True)
    await tab.send("close", notebook="a.ipynb")
    await tab.open("a.ipynb")
    (extension,) = jp_serverapp.extension_manager.extension_apps["datarus_jupyter"]
    await extension.services.close()
    assert cells(notebook) == ["a = 1"]


async def test_a_tab_that_is_not_the_writer_cannot_acknowledge(api: Api, notebook: Path, connect: Connect) -> None:
    writer, other = await connect(), await connect()
    await writer.open()
    await other.open()
    run = (await api("runs", body=ASK))["run"]
    seq = (await other.until(lambda: other.event("run_finished")))["seq"]
    await other.send("ack", notebook="a.ipynb", run=run, seq=seq, saved=True)
    await other.send("close", notebook="a.ipynb")
    await writer.send("close", notebook="a.ipynb")
    await until(lambda: "It is 42." in cells(notebook))


@pytest.mark.parametrize("replies", [SLOW])
async def test_a_notebook_that_was_removed_is_not_made_anew(
    api: Api, notebook: Path, jp_root_dir: Path, connect: Connect
) -> None:
    run = (await api("runs", body=ASK))["run"]
    await until(lambda: len(cells(notebook)) == 5)
    notebook.unlink()
    (jp_root_dir / "go").touch()
    tab = await connect()
    await tab.open()
    await tab.until(lambda: tab.event("run_finished"))
    assert tab.event("run_finished")["run"] == run
    assert not notebook.exists()


MALFORMED = [
    "",
    "{",
    "[]",
    "1",
    '{"kind": "unknown"}',
    '{"kind": "open"}',
    '{"kind": "open", "notebook": 1}',
    '{"kind": "open", "notebook": "a.ipynb", "since": {"r": "x"}}',
    '{"kind": "edited", "run": "../../etc/passwd", "step": 1, "cell": "c", "source": "s"}',
    '{"kind": "edited", "run": "20261122-120000-abcdef", "step": 1, "cell": "c", "source": "s"}',
    b"\xff\xfe",
]


async def test_a_frame_without_sense_is_an_error_and_no_crash(notebook: Path, connect: Connect) -> None:
    browser = await connect()
    for message in MALFORMED:
        browser.frames.clear()
        await browser.connection.write_message(message, binary=isinstance(message, bytes))
        (error,) = await browser.until(lambda: browser.frames)
        assert error["kind"] == "error", message
        assert error["message"]
    await browser.open()
    await browser.until(lambda: browser.writer())


async def test_many_frames_of_a_closed_notebook_leave_no_trace(notebook: Path, connect: Connect) -> None:
    browser = await connect()
    for _ in range(20):
        await browser.send("close", notebook="a.ipynb")
        await browser.send("open", notebook="a.ipynb")
    await browser.send("an error, so that all before it has been done")
    await browser.until(lambda: any(frame["kind"] == "error" for frame in browser.frames))
    assert browser.writer()
    other = await connect()
    await other.open()
    await other.until(lambda: other.writer() is False)


@pytest.mark.parametrize("replies", [{"per_conversation": True, "replies": [step("print('x' * 2_000_000)"), ANSWER]}])
async def test_a_tab_that_reads_nothing_holds_up_nobody(api: Api, notebook: Path, connect: Connect) -> None:
    deaf, tab = await connect(), await connect()
    await deaf.send("open", notebook="a.ipynb")
    await tab.open()
    await api("runs", body=ASK)
    finished = await tab.until(lambda: tab.event("run_finished"))
    assert finished["reason"] == "answered"


def test_the_settings_are_checked(jp_server_config: Config) -> None:
    for limits in ({"step": 1}, {"steps": "many"}):
        with pytest.raises(TraitError, match="limits has no"):
            DatarusApp(limits=limits)
    assert DatarusApp(limits={"steps": 3}).limits == {"steps": 3}

"""Checks of whether a notebook reproduces, over REST and the socket, with real kernels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from sockets import Browser
from tornado.httpclient import HTTPClientError

from tests.patience import PATIENCE

v4: Any = nbformat.v4
SLEEPS = "import time\nwhile True: time.sleep(0.1)"


@pytest.fixture
def notebook(jp_root_dir: Path) -> Path:
    """Three cells as they were left by a run of long ago, the second of them with another result."""
    cells = [
        v4.new_code_cell(source, id=f"c{n}", execution_count=1) for n, source in enumerate(["a = 1", "a + 1", "a / 0"])
    ]
    cells[1].outputs = [v4.new_output("execute_result", {"text/plain": "3"}, execution_count=1)]
    path = jp_root_dir / "a.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def only(path: Path, source: str) -> None:
    """Make this the notebook's only cell."""
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(source, id="c0", execution_count=1)]), path)


def frames(tab: Browser) -> list[dict[str, Any]]:
    return [frame for frame in tab.frames if frame["kind"] == "reproduction"]


def ended(tab: Browser, *states: str) -> Callable[[], bool]:
    return lambda: any(frame["state"] in (states or ("done", "stopped", "failed")) for frame in frames(tab))


async def refused(call: Awaitable[Any]) -> HTTPClientError:
    with pytest.raises(HTTPClientError) as error:
        await call
    return error.value


async def test_results_come_as_frames_in_order(api: Any, connect: Any, notebook: Path) -> None:
    before = notebook.read_bytes()
    tab = await connect()
    started = await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    await tab.until(ended(tab))
    sent = frames(tab)
    assert {frame["check"] for frame in sent} == {started["check"]}
    assert [frame["state"] for frame in sent] == ["running"] * 4 + ["done"]
    assert [len(frame["cells"]) for frame in sent] == [0, 1, 1, 1, 0]
    cells = [cell for frame in sent for cell in frame["cells"]]
    assert [(cell["cell"], cell["verdict"]) for cell in cells] == [("c0", "same"), ("c1", "differs"), ("c2", "fails")]
    assert cells[1]["reason"] == "was “3”, is “2”"
    assert sent[0]["total"] == 3
    assert sent[-1]["seconds"] > 0
    assert notebook.read_bytes() == before


async def test_a_tab_that_comes_later_hears_the_results(api: Any, connect: Any, notebook: Path) -> None:
    tab = await connect()
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    await tab.until(ended(tab))
    late = await connect()
    await late.open()
    await late.until(ended(late))
    assert [cell["verdict"] for cell in frames(late)[0]["cells"]] == ["same", "differs", "fails"]
    await api("notebooks", "reproduce", "clear", body={"notebook": "a.ipynb"})
    await late.until(ended(late, "cleared"))


async def test_one_at_a_time_and_stopped_when_asked(api: Any, connect: Any, notebook: Path) -> None:
    only(notebook, SLEEPS)
    tab = await connect()
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    assert (await refused(api("notebooks", "reproduce", body={"notebook": "a.ipynb"}))).code == 409
    await api("notebooks", "reproduce", "stop", body={"notebook": "a.ipynb"})
    await tab.until(ended(tab, "stopped"))
    only(notebook, "1")
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    await tab.until(ended(tab, "done"))


async def test_what_cannot_be_checked_is_said(api: Any, connect: Any, notebook: Path) -> None:
    assert (await refused(api("notebooks", "reproduce", body={"notebook": "absent.ipynb"}))).code == 404
    assert (await refused(api("notebooks", "reproduce", body={"notebook": "a.ipynb", "run": "no-such"}))).code == 400
    nbformat.write(
        v4.new_notebook(metadata={"kernelspec": {"name": "none", "display_name": "n"}}, cells=[v4.new_code_cell("1")]),
        notebook,
    )
    tab = await connect()
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    await tab.until(ended(tab, "failed"))
    assert "no kernel called none" in frames(tab)[-1]["message"]


async def test_a_folder_too_large_to_copy_is_checked_in_place_if_wanted(api: Any, connect: Any, notebook: Path) -> None:
    only(notebook, "open('new.txt', 'w').close()")
    with (notebook.parent / "large.bin").open("wb") as file:
        file.truncate(300_000_000)
    tab = await connect()
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    await tab.until(ended(tab, "failed"))
    assert frames(tab)[-1]["too_large"]
    assert "holds more than 200 MB" in frames(tab)[-1]["message"]
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb", "in_place": True})
    await tab.until(ended(tab, "done"))
    assert (notebook.parent / "new.txt").exists()


async def test_the_servers_end_ends_the_check(api: Any, connect: Any, notebook: Path, jp_serverapp: Any) -> None:
    only(notebook, SLEEPS)
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    (extension,) = jp_serverapp.extension_manager.extension_apps["datarus_jupyter"]
    async with asyncio.timeout(PATIENCE):
        await extension.services.reproductions.close()
    tab = await connect()
    await tab.open()
    await tab.until(ended(tab, "stopped"))


async def test_a_secret_that_a_cell_prints_is_in_no_frame(api: Any, connect: Any, notebook: Path) -> None:
    only(notebook, "print('ghp_' + 'a1B2' * 9)")
    tab = await connect()
    await api("notebooks", "reproduce", body={"notebook": "a.ipynb"})
    await tab.until(ended(tab))
    reasons = [cell["reason"] for frame in frames(tab) for cell in frame["cells"]]
    assert len(reasons) == 1
    assert "[secret" in reasons[0]
    assert "a1B2a1B2" not in reasons[0]

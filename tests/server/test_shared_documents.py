"""Runs in a notebook that is open as a shared document while no tab of ours is: a real room of jupyter-server-ydoc."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Api
from jupyter_server.serverapp import ServerApp
from jupyter_ydoc import YNotebook
from nbformat.reader import NotJSONError
from traitlets.config import Config

from datarus_jupyter.server.contents import ContentsNotebooks
from datarus_jupyter.server.shared_documents import EXTENSION, SharedNotebooks
from datarus_jupyter.surfaces.notebooks import NotebookChanged

ASK = {"question": "What is 6 times 7?", "notebook": "a.ipynb"}
CELLS = ["Look.", "x = 6\nprint(x * 7)", "Done.", "It is 42."]
SECONDS = 30.0

Open = Callable[[], Awaitable[YNotebook]]

# jupyter-server-ydoc leaves a room's stream to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed <MemoryObjectSendStream:ResourceWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What the test leaves to the garbage collector is collected here, where the warning of it is ignored."""
    yield
    gc.collect()


@pytest.fixture
def jp_server_config(jp_server_config: Config, tmp_path: Path) -> Iterator[Config]:
    jp_server_config.ServerApp.jpserver_extensions |= {"jupyter_server_fileid": True, EXTENSION: True}
    jp_server_config.BaseFileIdManager.db_path = str(tmp_path / "file_ids.db")
    jp_server_config.YDocExtension.document_save_delay = 0.2
    jp_server_config.YDocExtension.file_poll_interval = 0.2
    with contextlib.chdir(tmp_path):  # the store of the documents' updates goes into the current folder
        yield jp_server_config


@pytest.fixture
def notebooks(jp_serverapp: ServerApp) -> SharedNotebooks:
    return SharedNotebooks(ContentsNotebooks(jp_serverapp.contents_manager), jp_serverapp.web_app.settings)


@pytest.fixture
def open_document(jp_serverapp: ServerApp, notebook: Path) -> Open:
    """Open ``a.ipynb`` as a browser would; the live document."""

    async def call() -> YNotebook:
        extension = jp_serverapp.web_app.settings[EXTENSION]
        arguments = {"path": "a.ipynb", "content_type": "notebook", "file_format": "json"}
        return await extension.get_document(**arguments, copy=False, create=True)

    return call


async def close_document(server: ServerApp) -> None:
    """What the extension does a minute after the last browser left."""
    rooms = server.web_app.settings[EXTENSION].ywebsocket_server
    for room in tuple(rooms.rooms.values()):
        await rooms.delete_room(room=room)


async def until(holds: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.02)
    assert holds(), what


def on_disk(path: Path) -> list[str]:
    """The sources; none while the file is being written."""
    try:
        return [cell.source for cell in nbformat.read(path, 4).cells]
    except NotJSONError:
        return []


def sources(document: YNotebook) -> list[str]:
    return [str(cell["source"]) for cell in document.ycells]


async def test_a_run_goes_into_the_document_and_what_users_type_stays(
    api: Api, notebook: Path, open_document: Open
) -> None:
    document = await open_document()
    await api("runs", body=ASK)
    typing = document.ycells[0]["source"]
    typing += "  # typed while it ran"
    await until(lambda: sources(document)[1:] == CELLS, "the run's cells in the document")
    assert sources(document)[0] == "a = 1  # typed while it ran"
    assert "".join(document.get()["cells"][2]["outputs"][0]["text"]) == "42\n"
    await until(lambda: on_disk(notebook) == sources(document), "the document on disk")


async def test_where_no_document_is_open_the_file_is_written(api: Api, notebook: Path) -> None:
    await api("runs", body=ASK)
    await until(lambda: on_disk(notebook) == ["a = 1", *CELLS], "the run's cells on disk")


async def test_what_was_typed_since_it_was_read_is_not_overwritten(
    notebooks: SharedNotebooks, open_document: Open
) -> None:
    document = await open_document()
    there = await notebooks.read("a.ipynb")
    typing = document.ycells[0]["source"]
    typing += "0"
    with pytest.raises(NotebookChanged):
        await notebooks.write("a.ipynb", there.notebook, there.version)
    assert sources(document) == ["a = 10"]


def added(notebook: dict[str, Any]) -> dict[str, Any]:
    cell = nbformat.v4.new_markdown_cell("added", id="added")
    return {**notebook, "cells": [*notebook["cells"], dict(cell)]}


async def test_a_write_is_over_when_it_is_on_disk(
    notebooks: SharedNotebooks, open_document: Open, notebook: Path
) -> None:
    await open_document()
    there = await notebooks.read("a.ipynb")
    await notebooks.write("a.ipynb", added(there.notebook), there.version)
    assert on_disk(notebook) == ["a = 1", "added"]
    assert (await notebooks.read("a.ipynb")).notebook["cells"][1]["id"] == "added"


async def test_a_document_that_is_closed_before_it_is_saved_is_told(
    jp_serverapp: ServerApp, notebooks: SharedNotebooks, open_document: Open, notebook: Path
) -> None:
    document = await open_document()
    there = await notebooks.read("a.ipynb")
    writing = asyncio.create_task(notebooks.write("a.ipynb", added(there.notebook), there.version))
    await until(lambda: "added" in sources(document), "the cell in the document")
    await close_document(jp_serverapp)
    with pytest.raises(NotebookChanged):
        await writing
    again = await notebooks.read("a.ipynb")
    await notebooks.write("a.ipynb", added(again.notebook), again.version)
    assert on_disk(notebook) == ["a = 1", "added"]


async def test_a_document_that_its_file_overwrote_is_told(
    notebooks: SharedNotebooks, open_document: Open, notebook: Path
) -> None:
    document = await open_document()
    there = await notebooks.read("a.ipynb")
    writing = asyncio.create_task(notebooks.write("a.ipynb", added(there.notebook), there.version))
    await until(lambda: "added" in sources(document), "the cell in the document")
    notebook.write_text(notebook.read_text().replace("a = 1", "a = 2"))
    with pytest.raises(NotebookChanged):
        await writing
    assert sources(document) == ["a = 2"]


def test_without_the_extra_nothing_of_it_is_imported() -> None:
    script = "import sys, datarus_jupyter.server.app; print(*(m for m in sys.modules if 'ydoc' in m or 'pycrdt' in m))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == ""

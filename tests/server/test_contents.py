"""Notebooks through a real contents manager."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.filemanager import FileContentsManager
from tornado.web import HTTPError

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.server.contents import ContentsNotebooks
from datarus_jupyter.surfaces.notebooks import NotebookChanged


def added(notebook: dict, source: str) -> dict:
    return {**notebook, "cells": [*notebook["cells"], nbformat.v4.new_markdown_cell(source)]}


@pytest.mark.parametrize("kind", ["the server's own", "synchronous"])
async def test_what_was_saved_meanwhile_is_not_overwritten(
    jp_serverapp: ServerApp, notebook: Path, jp_root_dir: Path, kind: str
) -> None:
    manager = jp_serverapp.contents_manager
    if kind == "synchronous":
        manager = FileContentsManager(root_dir=str(jp_root_dir), parent=jp_serverapp)
    notebooks = ContentsNotebooks(manager)
    there = await notebooks.read("a.ipynb")
    await notebooks.write("a.ipynb", added(there.notebook, "first"), there.version)
    with pytest.raises(NotebookChanged):
        await notebooks.write("a.ipynb", added(there.notebook, "second"), there.version)
    assert [cell["source"] for cell in json.loads(notebook.read_text())["cells"]] == [["a = 1"], ["first"]]


async def test_a_save_that_the_server_refuses_is_told(jp_serverapp: ServerApp, notebook: Path) -> None:
    def refuse(**_: object) -> None:
        raise HTTPError(403, "no saving today")

    notebooks = ContentsNotebooks(jp_serverapp.contents_manager)
    there = await notebooks.read("a.ipynb")
    jp_serverapp.contents_manager.register_pre_save_hook(refuse)
    with pytest.raises(SurfaceError, match="no saving today"):
        await notebooks.write("a.ipynb", added(there.notebook, "x"), there.version)


async def test_a_notebook_that_is_gone_or_broken_is_told(jp_serverapp: ServerApp, notebook: Path) -> None:
    notebooks = ContentsNotebooks(jp_serverapp.contents_manager)
    notebook.write_text("{")
    with pytest.raises(SurfaceError, match=r"a\.ipynb"):
        await notebooks.read("a.ipynb")
    notebook.unlink()
    with pytest.raises(SurfaceError, match=r"a\.ipynb"):
        await notebooks.read("a.ipynb")

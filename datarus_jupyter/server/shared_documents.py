"""Notebooks that are open as shared documents, where the server runs ``jupyter_server_ydoc`` (extra ``[rtc]``).

A file must not be changed behind the back of its document: the document would be overwritten by the file, and what
users typed since would be lost. So while a document is open, cells go into it, and it saves itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.surfaces import shared
from datarus_jupyter.surfaces.merge import Notebook
from datarus_jupyter.surfaces.notebooks import NotebookChanged, Notebooks, Snapshot, dump
from datarus_jupyter.surfaces.shared import SharedDocument

EXTENSION = "jupyter_server_ydoc"
"""The server's setting under which the extension is found, if it runs; jupyter-server-documents uses the same one."""

_SHARED = "shared:"
_PAUSE = 0.05
_LOADING_SECONDS = 20.0
_SAVING_SECONDS = 5.0


class SharedNotebooks:
    """Implements ``Notebooks``: the shared document where one is open, else what ``files`` has.

    ``settings`` are the web application's. The extension may be loaded after ours, so it is looked up at each call.
    """

    def __init__(self, files: Notebooks, settings: Mapping[str, Any]) -> None:
        self._files = files
        self._settings = settings

    async def read(self, path: str) -> Snapshot:
        """The notebook as it is now, also what is not on disk yet."""
        if live := await self._live(path):
            _, notebook = live
            return Snapshot(notebook, _version(notebook))
        return await self._files.read(path)

    async def write(self, path: str, notebook: Notebook, version: str) -> None:
        """Write into the document, and wait until it is on disk or its users' settings keep it from being saved.

        Raises ``NotebookChanged`` too if the document was closed or loaded from its file before it was saved.
        """
        live = await self._live(path)
        if live is None and not version.startswith(_SHARED):
            return await self._files.write(path, notebook, version)
        if live is None or _version(live[1]) != version:
            raise NotebookChanged(path)
        dump(notebook)
        document, _ = live
        shared.write(document, notebook)
        await _saved(document)
        after = await self._live(path)
        if after is None or after[0] is not document or after[1]["cells"] != notebook["cells"]:
            raise NotebookChanged(path)

    async def _live(self, path: str) -> tuple[SharedDocument, Notebook] | None:
        """The open document and what is in it, once it is loaded; None if there is none."""
        extension = self._settings.get(EXTENSION)
        if extension is None:
            return None
        try:
            async with asyncio.timeout(_LOADING_SECONDS):
                while document := await _document(extension, path):
                    if notebook := shared.read(document):
                        return document, notebook
                    await asyncio.sleep(_PAUSE)
        except TimeoutError as error:
            message = f"{path} is still being opened as a shared document: reload it and ask again."
            raise SurfaceError(message) from error
        return None


def _version(notebook: Notebook) -> str:
    return _SHARED + shared.version(notebook)


async def _document(extension: Any, path: str) -> SharedDocument | None:
    """The live document, not a copy of it."""
    document: SharedDocument | None = await extension.get_document(
        path=path, content_type="notebook", file_format="json", copy=False
    )
    return document


async def _saved(document: SharedDocument) -> None:
    try:
        async with asyncio.timeout(_SAVING_SECONDS):
            while document.dirty:
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        return  # its users have autosave off: it is saved when they say so

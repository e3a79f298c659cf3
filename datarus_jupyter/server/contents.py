"""Notebooks through the server's contents manager, so that whatever storage it has is used."""

from __future__ import annotations

import asyncio
from typing import Any

import nbformat
from jupyter_core.utils import ensure_async
from tornado.web import HTTPError

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.surfaces.merge import Notebook
from datarus_jupyter.surfaces.notebooks import NotebookChanged, Snapshot, dump, upgrade

_UNREADABLE = 400
_READS = 5
_READ_PAUSE = 0.1


class ContentsNotebooks:
    """Implements ``Notebooks``. A path is as the contents API has it, relative to the server's root."""

    def __init__(self, contents_manager: Any) -> None:
        self._contents = contents_manager

    async def read(self, path: str) -> Snapshot:
        """The notebook. One that is not there was removed by the user and is not made anew: ``SurfaceError``."""
        model = await self._get(path, content=True)
        return Snapshot(upgrade(model["content"], path), _version(model))

    async def write(self, path: str, notebook: Notebook, version: str) -> None:
        """Save the notebook if ``version`` is still the one there, else raise ``NotebookChanged``."""
        dump(notebook)
        if _version(await self._get(path, content=False)) != version:
            raise NotebookChanged(path)
        content = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
        try:
            await ensure_async(self._contents.save({"type": "notebook", "format": "json", "content": content}, path))
        except HTTPError as error:
            raise SurfaceError(f"{path} cannot be saved ({error.log_message}): free it or save a copy.") from error

    async def _get(self, path: str, *, content: bool, attempts: int = _READS) -> dict[str, Any]:
        try:
            model = await ensure_async(self._contents.get(path, content=content, type="notebook", require_hash=True))
        except HTTPError as error:
            if error.status_code != _UNREADABLE or attempts == 1:
                message = f"{path} cannot be read ({error.log_message}): put it back or ask again."
                raise SurfaceError(message) from error
            # Jupyter writes a file in place: one that cannot be parsed now may be whole a moment later.
            await asyncio.sleep(_READ_PAUSE)
            return await self._get(path, content=content, attempts=attempts - 1)
        return dict(model)


def _version(model: dict[str, Any]) -> str:
    """The hash where the storage has one, else the time of the last change."""
    return str(model.get("hash") or model["last_modified"])

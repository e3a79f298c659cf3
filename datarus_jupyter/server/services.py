"""What the handlers work with, put together once per server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async
from tornado.web import HTTPError

from datarus_jupyter.server.agents import Agents
from datarus_jupyter.server.attachments import Attachments
from datarus_jupyter.server.engines import Engines
from datarus_jupyter.server.file_writers import FileWriters
from datarus_jupyter.server.models import Models
from datarus_jupyter.server.recovery import Recovery
from datarus_jupyter.server.registry import RunRegistry
from datarus_jupyter.server.reproductions import Reproductions
from datarus_jupyter.server.requests import Requests
from datarus_jupyter.server.suggestions import suggest
from datarus_jupyter.server.tabs import Tabs


@dataclass(frozen=True, slots=True)
class Services:
    """One of each, for one server. The managers are the server's."""

    requests: Requests
    runs: RunRegistry
    recovery: Recovery
    tabs: Tabs
    files: FileWriters
    engines: Engines
    models: Models
    agents: Agents
    attachments: Attachments
    reproductions: Reproductions
    contents_manager: Any
    kernel_manager: Any

    async def notebook_exists(self, path: str) -> bool:
        """Whether Jupyter's own contents show that file: it is below the root, and no part of its path is hidden."""
        contents = self.contents_manager
        try:
            there = await ensure_async(contents.file_exists(path))
            return bool(there and (contents.allow_hidden or not await ensure_async(contents.is_hidden(path))))
        except HTTPError:
            return False

    async def suggestions(self, notebook: str) -> list[str]:
        """Up to three questions about the data files next to the notebook."""
        files = await self.agents.files(notebook)
        return await asyncio.to_thread(suggest, Path(self.kernel_manager.cwd_for_path(notebook)), files)

    async def close(self) -> None:
        """End everything that is under way, the engines after the runs that ask them, the writers of notebooks last.

        What is still pending when the loop stops would keep the process from its end: see ``requests``.
        """
        await self.requests.close()
        await self.recovery.close()
        await self.runs.close()
        await self.reproductions.close()
        await self.models.close()
        await self.engines.close()
        await self.tabs.stop()
        await self.files.stop()

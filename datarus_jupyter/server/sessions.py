"""The kernel of a notebook, as the server's sessions have it; one is started where there is none."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_core.utils import ensure_async
from tornado.web import HTTPError

from datarus_jupyter.errors import KernelError, SurfaceError
from datarus_jupyter.kernels.channel import KernelChannel
from datarus_jupyter.kernels.live import live_kernel
from datarus_jupyter.server.contents import ContentsNotebooks

_START_SECONDS = 60.0


class NotebookKernels:
    """Finds and starts kernels through the server's managers, so that Lab sees the same session."""

    def __init__(self, session_manager: Any, kernel_manager: Any, contents_manager: Any) -> None:
        self._sessions = session_manager
        self._kernels = kernel_manager
        self._notebooks = ContentsNotebooks(contents_manager)

    async def of(self, notebook: str, kernel_id: str | None = None) -> KernelChannel:
        """A channel, not yet open, to the kernel ``kernel_id`` or to the notebook's. Raises ``KernelError``."""
        if kernel_id is None or kernel_id not in self._kernels:
            kernel_id = await self._running(notebook) or await self._start(notebook)
        return live_kernel(self._kernels.get_kernel(kernel_id), kernel_id)

    async def running(self, notebook: str) -> KernelChannel | None:
        """A channel, not yet open, to the notebook's kernel; None if it has none."""
        kernel_id = await self._running(notebook)
        if kernel_id is None or kernel_id not in self._kernels:
            return None
        return live_kernel(self._kernels.get_kernel(kernel_id), kernel_id)

    async def _running(self, notebook: str) -> str | None:
        for session in await ensure_async(self._sessions.list_sessions()):
            if session["path"] == notebook and session["kernel"]:
                return str(session["kernel"]["id"])
        return None

    async def _start(self, notebook: str) -> str:
        name = notebook.rpartition("/")[2]
        try:
            async with asyncio.timeout(_START_SECONDS):
                kernel_name = await self._kernel_name(notebook)
                session = await ensure_async(
                    self._sessions.create_session(path=notebook, name=name, type="notebook", kernel_name=kernel_name)
                )
        except (TimeoutError, HTTPError, OSError, RuntimeError, KeyError, SurfaceError) as error:
            raise KernelError(f"No kernel could be started for {notebook}: choose one in the notebook.") from error
        return str(session["kernel"]["id"])

    async def _kernel_name(self, notebook: str) -> str | None:
        """The kernel that the notebook names, if the server has it; else the server's default."""
        there = (await self._notebooks.read(notebook)).notebook
        name = there["metadata"].get("kernelspec", {}).get("name")
        specs = await ensure_async(self._sessions.kernel_manager.kernel_spec_manager.find_kernel_specs())
        return name if name in specs else None

"""A user's notebook: a kernel and the front end that runs cells in it, beside the client under test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

from datarus_jupyter.agent.interfaces import Displayed, Executed, Kernel, KernelOutput
from tests.patience import PATIENCE


@dataclass
class FrontEnd:
    """The user's side of a notebook."""

    manager: AsyncKernelManager
    client: AsyncKernelClient

    def send(self, code: str) -> str:
        """Run a cell as Lab does; its msg_id."""
        return str(self.client.execute(code, store_history=True, allow_stdin=False, stop_on_error=True))

    async def begun(self, msg_id: str) -> None:
        """Wait until the kernel is at work on that cell."""
        while True:
            message = await self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == msg_id and message["msg_type"] == "execute_input":
                return

    async def reply(self, msg_id: str) -> dict[str, Any]:
        """The reply to that cell."""
        while True:
            message = await self.client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == msg_id:
                return dict(message["content"])


@asynccontextmanager
async def notebook(folder: Path) -> AsyncIterator[FrontEnd]:
    manager = AsyncKernelManager()
    await manager.start_kernel(cwd=str(folder), stdout=DEVNULL, stderr=DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE)
        yield FrontEnd(manager, client)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def run(kernel: Kernel, code: str, timeout: float = 30.0) -> tuple[list[KernelOutput], Executed]:
    """Run a cell to its end: what it showed, and how it ended."""
    outputs = [output async for output in kernel.execute(code, timeout=timeout)]
    executed = outputs.pop()
    assert isinstance(executed, Executed)
    return outputs, executed


def printed(outputs: list[KernelOutput], name: str = "stdout") -> str:
    """What the outputs say on a stream."""
    shown = [output.output for output in outputs if isinstance(output, Displayed)]
    return "".join(output["text"] for output in shown if output.get("name") == name)


async def printing(kernel: Kernel, code: str, first: str) -> asyncio.Task[list[KernelOutput]]:
    """Start a cell and wait until it printed ``first``."""
    seen = asyncio.Event()
    outputs: list[KernelOutput] = []

    async def collect() -> list[KernelOutput]:
        async for output in kernel.execute(code, timeout=60):
            outputs.append(output)
            if first in printed(outputs):
                seen.set()
        return outputs

    task = asyncio.create_task(collect())
    async with asyncio.timeout(PATIENCE):
        await seen.wait()
    return task

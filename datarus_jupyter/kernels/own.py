"""A fresh kernel in a working directory, for ``datarus run`` and for rollouts."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import IO

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from datarus_jupyter.errors import KernelError
from datarus_jupyter.kernels.channel import KernelChannel, Waits


@asynccontextmanager
async def own_kernel(
    folder: Path, *, name: str = "python3", start_seconds: float = 60.0, waits: Waits | None = None
) -> AsyncIterator[KernelChannel]:
    """Start the kernel called ``name`` with ``folder`` as its working directory; stop it and its children at the end.

    ipykernel ends itself within a second or two when our process dies (it polls ``JPY_PARENT_PID``, which
    jupyter_client sets). Raises ``KernelError`` if there is no such kernel or it does not start.
    """
    manager = AsyncKernelManager(kernel_name=name)
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        try:
            await _start(manager, folder, log)
            async with KernelChannel(manager, str(uuid.uuid4()), waits) as kernel:
                await _ready(kernel, start_seconds, log)
                yield kernel
        finally:
            await manager.shutdown_kernel(now=True)


async def _start(manager: AsyncKernelManager, folder: Path, log: IO[str]) -> None:
    try:
        # ipykernel repeats what code prints on its own stdout, which is our user's terminal.
        await manager.start_kernel(cwd=str(folder), env=_environment(), stdout=DEVNULL, stderr=log)
    except NoSuchKernel as error:
        name = manager.kernel_name
        raise KernelError(f"There is no kernel called {name}: choose one of `jupyter kernelspec list`.") from error
    except OSError as error:
        raise KernelError(f"The kernel does not start in {folder}: {error}.") from error


def _environment() -> dict[str, str]:
    """Ours without the engine's key, which the model's code has no business with."""
    return {name: value for name, value in os.environ.items() if name != "DATARUS_API_KEY"}


async def _ready(kernel: KernelChannel, seconds: float, log: IO[str]) -> None:
    try:
        await kernel.ready(seconds)
    except KernelError as error:
        log.seek(0)
        last = log.read().strip().rpartition("\n")[2]
        raise KernelError(f"The kernel does not start: {last or error}") from error

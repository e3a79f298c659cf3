"""The own kernel: how long it takes to start, and what one empty cell costs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, figure
from datarus_jupyter.kernels.own import own_kernel

_RUNS = 5
_CELLS = 50


def measure() -> list[Figure]:
    """Seconds from nothing to a kernel that answers; milliseconds from a cell's sending to its end."""
    with tempfile.TemporaryDirectory() as folder:
        times = [asyncio.run(_times(Path(folder))) for _ in range(_RUNS)]
    return [
        figure("kernel_start", "s", [start for start, _ in times]),
        figure("kernel_empty_cell", "ms", [cell * 1000 for _, cell in times], note="mean of 50 in a row"),
    ]


async def _times(folder: Path) -> tuple[float, float]:
    began = time.perf_counter()
    async with own_kernel(folder) as kernel:
        started = time.perf_counter()
        for _ in range(_CELLS):
            async for _ in kernel.execute("pass", timeout=10):
                pass
        return started - began, (time.perf_counter() - started) / _CELLS

"""A check whether a notebook reproduces, copy and comparison included, against nbclient that only runs it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from benchmarks.figure import Figure, figure
from datarus_jupyter.reproduce.rerun import Rerun

_RUNS = 5
_SOURCES = [
    "import numpy as np, pandas as pd, matplotlib.pyplot as plt",
    "df = pd.DataFrame({'x': np.arange(500), 'y': np.sqrt(np.arange(500))})",
    *["df.head(20) * 3", "plt.plot(df.x, df.y);", "print(df.describe())", "df.y.sum()"] * 5,
]


def measure() -> list[Figure]:
    """The ratio of the two times, kernel start included, taken in turn."""
    with tempfile.TemporaryDirectory() as folder:
        pairs = [_times(Path(folder)) for _ in range(_RUNS)]
    ratios = [checked / executed for executed, checked in pairs]
    return [figure("reproduce_ratio", "× nbclient", ratios, at_most=1.3, note=f"{len(_SOURCES)} cells, 5 plots")]


def _times(folder: Path) -> tuple[float, float]:
    cells = [nbformat.v4.new_code_cell(source) for source in _SOURCES]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    began = time.perf_counter()
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    executed = time.perf_counter()
    verdicts = asyncio.run(_check(notebook, folder))
    checked = time.perf_counter()
    assert set(verdicts) == {"same"}, verdicts
    return executed - began, checked - executed


async def _check(notebook: Any, folder: Path) -> list[str]:
    return [result.verdict async for result in Rerun(notebook, folder).results()]

"""``datarus reproduce``: whether a notebook gives the same results again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from datarus_jupyter.commands.interrupt import stop_on_interrupt
from datarus_jupyter.errors import DatarusError
from datarus_jupyter.reproduce.rerun import CellResult, Rerun
from datarus_jupyter.reproduce.text import Tolerance
from datarus_jupyter.surfaces.notebooks import NEW, PlainNotebooks

_MARKS = {
    "same": ("✓ same", "green"),
    "differs": ("≠ differs", "yellow"),
    "fails": ("✗ fails", "red"),
    "skipped": ("– not compared", "dim"),
}


@click.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--run", "run_id", help="Check the cells of this run of Datarus only.")
@click.option("--cell-seconds", default=60.0, show_default=True, help="Interrupt a cell after so many seconds.")
@click.option("--tolerance", default=1e-6, show_default=True, help="By what share of themselves numbers may differ.")
@click.option("--kernel", default="", help="Use this kernel instead of the notebook's own.")
@click.option("--in-place", is_flag=True, help="Run in the notebook's folder, not in a copy: files are written there.")
def reproduce(
    notebook: Path, run_id: str | None, cell_seconds: float, tolerance: float, kernel: str, in_place: bool
) -> None:
    """Run NOTEBOOK again in a fresh kernel and compare each cell's outputs with those in the file.

    The file is not changed. The exit code is 0 if no cell differs or fails, 1 if one does and 130 after Ctrl-C.
    """
    try:
        cells = asyncio.run(_check(notebook, run_id, cell_seconds, Tolerance(tolerance), kernel, in_place))
    except DatarusError as error:
        raise click.ClickException(str(error)) from error
    except asyncio.CancelledError:
        raise SystemExit(130) from None
    raise SystemExit(1 if any(cell.verdict in ("differs", "fails") for cell in cells) else 0)


async def _check(
    path: Path, run: str | None, cell_seconds: float, tolerance: Tolerance, kernel: str, in_place: bool
) -> list[CellResult]:
    stop_on_interrupt()
    snapshot = await PlainNotebooks().read(str(path))
    if snapshot.version == NEW:
        raise click.ClickException(f"{path} is gone: put it back.")
    folder = path.resolve().parent
    rerun = Rerun(dict(snapshot.notebook), folder, run, in_place, kernel, cell_seconds, tolerance=tolerance)
    begun, console = time.monotonic(), Console(highlight=False)
    cells: list[CellResult] = []
    with _progress(console) as progress:
        task = progress.add_task("", total=rerun.total)
        async with aclosing(rerun.results()) as results:
            async for result in results:
                cells.append(result)
                progress.advance(task)
    _show(console, cells, time.monotonic() - begun)
    return cells


def _progress(console: Console) -> Progress:
    return Progress(TextColumn("Running"), BarColumn(), MofNCompleteColumn(), console=console, transient=True)


def _show(console: Console, cells: list[CellResult], seconds: float) -> None:
    table = Table("Cell", "Result", "Seconds", "Why", box=None, header_style="dim")
    for cell in cells:
        text, style = _MARKS[cell.verdict]
        table.add_row(str(cell.index + 1), Text(text, style), f"{cell.seconds:.1f}", Text(cell.reason))
    console.print(table)
    counts = Counter(cell.verdict for cell in cells)
    line = f"{counts['same']} same, {counts['differs']} differ, {counts['fails']} fail"
    line += f", {counts['skipped']} not compared" if counts["skipped"] else ""
    console.print(f"{line} · {seconds:.0f} s")

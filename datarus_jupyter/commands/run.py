"""``datarus run``: one question, worked in a fresh kernel and written into a notebook file."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console

from datarus_jupyter.agent.approval import Belongings
from datarus_jupyter.agent.context import data_files, render
from datarus_jupyter.agent.interfaces import Limits, Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.commands.approve import TerminalApprover
from datarus_jupyter.commands.interrupt import stop_on_interrupt
from datarus_jupyter.commands.options import chosen_engine, engine_options
from datarus_jupyter.commands.terminal import TerminalView
from datarus_jupyter.engines.config import EngineConfig, make_engine
from datarus_jupyter.errors import DatarusError
from datarus_jupyter.journal.events import Mode, RunFinished
from datarus_jupyter.journal.log import RunLog, new_run_id
from datarus_jupyter.journal.paths import runs_folder
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.prompts import fixed_prefix, profile_for
from datarus_jupyter.surfaces.file import FileSurface
from datarus_jupyter.surfaces.notebooks import PlainNotebooks


@dataclass(frozen=True)
class Job:
    """What ``datarus run`` was asked to do."""

    question: str
    data: Sequence[Path]
    notebook: Path | None
    limits: Limits
    engine: EngineConfig
    mode: Mode

    @property
    def folder(self) -> Path:
        """Where the code runs: the notebook's folder, so that its paths hold when it is opened there."""
        return self.notebook.resolve().parent if self.notebook else Path.cwd()


@click.command()
@click.argument("question")
@click.option(
    "--data",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A data file or a folder of them; may be given more than once. Default: the files of the working directory.",
)
@click.option(
    "--notebook",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the cells into this notebook; it is made if it is not there. The code runs in its folder.",
)
@click.option("--max-steps", default=30, show_default=True, type=click.IntRange(1), help="End after so many steps.")
@click.option("--cell-seconds", default=60.0, show_default=True, help="Interrupt a cell after so many seconds.")
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="ask_if_risky",
    show_default=True,
    help="Who decides that code runs: you each time, you where it looks risky, the agent, or nobody. Without a "
    "terminal to ask on, what would be asked about does not run; see docs/approval.md.",
)
@engine_options
def run(
    question: str,
    data: Sequence[Path],
    notebook: Path | None,
    max_steps: int,
    cell_seconds: float,
    mode: Mode,
    url: str,
    model: str,
) -> None:
    """Work QUESTION to its answer in a fresh kernel.

    The steps are shown as they come. The exit code is 0 with an answer, 1 without one and 130 after Ctrl-C.
    """
    if mode == "ask" and not sys.stdin.isatty():
        raise click.UsageError("--mode ask needs a terminal to ask on: choose another mode.")
    try:
        limits = Limits(steps=max_steps, cell_seconds=cell_seconds)
        job = Job(question, data, notebook, limits, chosen_engine(url, model), mode)
        finished = asyncio.run(_run(job, Console(highlight=False)))
    except DatarusError as error:
        raise click.ClickException(str(error)) from error
    except asyncio.CancelledError:
        raise SystemExit(130) from None
    raise SystemExit(0 if finished.answer else 1)


async def _run(job: Job, console: Console) -> RunFinished:
    stop_on_interrupt()
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(aclosing(make_engine(job.engine)))
        with console.status(f"Starting {engine.name} …"):
            await engine.warm(fixed_prefix(profile_for(engine.model)))
            kernel = await stack.enter_async_context(own_kernel(job.folder))
        log = stack.enter_context(RunLog(runs_folder() / f"{new_run_id()}.jsonl"))
        log.subscribe(TerminalView(console).apply)
        files = await asyncio.to_thread(data_files, job.folder, job.data)
        users = Belongings((), [file.path for file in files], str(job.folder))
        approver = TerminalApprover(console, interactive=sys.stdin.isatty())
        agent = Agent(engine, kernel, log, approver=approver, mode=job.mode, users=users, limits=job.limits)
        question = Question(job.question, render(None, files, ()), str(job.notebook) if job.notebook else None)
        return await _written(agent.run(question), job.notebook, log)


async def _written(work: Coroutine[Any, Any, RunFinished], notebook: Path | None, log: RunLog) -> RunFinished:
    """Do the work; write its cells into the notebook at every step."""
    if notebook is None:
        return await work
    surface = FileSurface(PlainNotebooks(), str(notebook), log.run)
    log.subscribe(surface.apply)
    writing = asyncio.create_task(surface.follow())
    try:
        return await work
    finally:
        await writing

"""``datarus-train``: the command line of training and evaluation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from datarus_jupyter import __version__
from datarus_jupyter.agent.interfaces import Limits
from datarus_jupyter.commands.options import chosen_engine, engine_options
from datarus_jupyter.engines.config import EngineConfig, make_engine
from datarus_jupyter.errors import DatarusError
from datarus_jupyter.protocol.prompts import Profile, fixed_prefix, profile_for
from datarus_training.evaluation import report
from datarus_training.evaluation.run import Evaluation, Result
from datarus_training.evaluation.tasks import Task, read_tasks, select


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="datarus-train")
def main() -> None:
    """Train and evaluate models for Datarus."""


def _ids(context: click.Context, option: click.Parameter, value: str) -> list[int]:
    try:
        return [int(part) for part in value.split(",") if part.strip()]
    except ValueError as error:
        raise click.BadParameter("give numbers, with commas between them", context, option) from error


@main.command("eval")
@click.option("--tasks", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Keep everything here.")
@click.option("--level", default="", help="Only questions of this level: easy, medium or hard.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many questions.")
@click.option("--ids", default="", callback=_ids, help="Only these questions, such as 0,5,7.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Questions worked at once.")
@click.option("--max-steps", default=30, show_default=True, type=click.IntRange(1), help="Steps a question.")
@click.option("--without", multiple=True, type=click.Choice(["example", "grammar"]), help="Switch a part off.")
@engine_options
def evaluate(
    folder: Path,
    out: Path,
    level: str,
    limit: int | None,
    ids: Sequence[int],
    workers: int,
    max_steps: int,
    without: Sequence[str],
    url: str,
    model: str,
) -> None:
    """Work graded tasks in DABench's form with the product's own agent.

    Finished tasks are kept in --out and not worked again.
    """
    try:
        tasks = select(read_tasks(folder), level=level, ids=ids, limit=limit)
        engine = chosen_engine(url, model)
        asyncio.run(_evaluate(tasks, engine, Limits(steps=max_steps), out, workers, without))
    except DatarusError as error:
        raise click.ClickException(str(error)) from error


async def _evaluate(
    tasks: Sequence[Task], config: EngineConfig, limits: Limits, out: Path, workers: int, without: Sequence[str]
) -> None:
    console = Console(highlight=False)
    async with aclosing(make_engine(config)) as engine:
        await engine.start()
        profile = _without(profile_for(engine.model), without)
        evaluation = Evaluation(engine, profile, limits, out)
        with console.status(f"Warming {engine.model} …"):
            await engine.warm(fixed_prefix(profile))
        with _progress(console) as progress:
            bar = progress.add_task("", total=len(tasks))

            def show(result: Result) -> None:
                progress.console.print(_line(result), markup=False)
                progress.advance(bar)

            results = await evaluation.run(tasks, workers, show)
            progress.update(bar, completed=len(tasks))
    summary = report.summarise(evaluation.setup, results)
    report.write(out, summary)
    console.print(report.table(summary))


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(TextColumn("Questions"), *columns, console=console)


def _line(result: Result) -> str:
    mark = "✓" if result.right else "✗"
    form = "" if result.in_form else ", not in form"
    return f"{mark} {result.id}: {result.steps} steps, {result.seconds:.0f} s, {result.reason}{form}"


def _without(profile: Profile, parts: Sequence[str]) -> Profile:
    return replace(
        profile,
        example=profile.example and "example" not in parts,
        grammar=profile.grammar and "grammar" not in parts,
    )

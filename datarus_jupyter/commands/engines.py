"""``datarus engines``: which engines there are, and whether one is fit for a run."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from datarus_jupyter.commands.options import chosen_engine, engine_options
from datarus_jupyter.engines.config import EngineConfig, make_engine
from datarus_jupyter.engines.readiness import check as readiness
from datarus_jupyter.errors import DatarusError, EngineError


@click.group()
def engines() -> None:
    """See which engines there are and check one."""


@engines.command("list")
@engine_options
def list_engines(url: str, model: str) -> None:
    """List the engine that is used and the embedded one, and say how they are."""
    table = Table("Engine", "Model", "Where", "State", box=None, header_style="dim")
    try:
        used = chosen_engine(url, model)
        asyncio.run(_fill(table, used))
    except DatarusError as error:
        raise click.ClickException(str(error)) from error
    Console(highlight=False).print(table)


async def _fill(table: Table, used: EngineConfig) -> None:
    await _add(table, used)
    if used.engine_kind != "embedded":
        await _add(table, EngineConfig(kind="embedded"))


async def _add(table: Table, config: EngineConfig) -> None:
    engine = make_engine(config)
    kind = config.engine_kind
    try:
        if kind == "embedded":
            state = "starts when it is asked" if engine.state == "stopped" else engine.message
        else:
            await engine.start()
            state = engine.state
    except EngineError as error:
        state = str(error)
    finally:
        await engine.aclose()
    table.add_row(kind, engine.model, engine.url or "this machine", Text(state))


@engines.command()
@engine_options
def check(url: str, model: str) -> None:
    """Ask the engine a few things and say whether it is fit for a run. The exit code is 1 if it is not."""
    try:
        fit = asyncio.run(_check(chosen_engine(url, model), Console(highlight=False)))
    except DatarusError as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(0 if fit else 1)


async def _check(config: EngineConfig, console: Console) -> bool:
    engine = make_engine(config)
    fit = True
    try:
        async for line in readiness(engine):
            fit = fit and line.ok
            mark, style = ("✓", "green") if line.ok else ("✗", "red")
            console.print(Text(f"{mark} {line.name}: ", style=style) + Text(line.text, style="default"), soft_wrap=True)
    finally:
        await engine.aclose()
    return fit

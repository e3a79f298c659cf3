"""``datarus engines``: which engines there are, and whether one is fit for a run."""

from __future__ import annotations

import asyncio
import sys

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from datarus_jupyter.commands.options import chosen_engine, engine_options
from datarus_jupyter.engines.config import EngineConfig, make_engine
from datarus_jupyter.engines.keys import key_file, store_key
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


@engines.command()
@click.argument("engine", default="openai")
@click.option("--remove", is_flag=True, help="Forget the key.")
def key(engine: str, remove: bool) -> None:
    """Keep the API key of ENGINE (by default openai) in the system's keyring, or in a file that only you can read.

    It is asked for and not shown, or read from standard input. A key in DATARUS_API_KEY comes first.
    """
    typed = sys.stdin.isatty()
    value = "" if remove else click.prompt("API key", hide_input=True) if typed else sys.stdin.readline()
    if not remove and not value.strip():
        raise click.ClickException("There was no key: give one, or --remove to forget it.")
    try:
        source = store_key(engine, value)
    except DatarusError as error:
        raise click.ClickException(str(error)) from error
    where = {"keyring": "kept in the system's keyring", "file": f"kept in {key_file(engine)}"}
    click.echo(f"The key of {engine} is {where.get(source, 'forgotten')}.")


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

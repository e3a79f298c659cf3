"""``datarus models``: the embedded engine's model files."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from datarus_jupyter.engines.catalogue import CATALOGUE, DEFAULT_MODEL, CatalogueModel, find_model, models_dir
from datarus_jupyter.engines.download import pull as fetch
from datarus_jupyter.engines.download import remove as delete
from datarus_jupyter.errors import DatarusError

_argument = click.argument("name", type=click.Choice([model.name for model in CATALOGUE]), default=DEFAULT_MODEL)


@click.group()
def models() -> None:
    """Fetch, list and remove the models of the embedded engine."""


@models.command("list")
def list_models() -> None:
    """List the catalogue and what of it is on the disk."""
    directory = models_dir()
    table = Table("Name", "Model", "Licence", "Size", "State", box=None, header_style="dim")
    for model in CATALOGUE:
        table.add_row(model.name, model.title, model.licence, f"{model.bytes / 1e6:,.0f} MB", _state(model))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"Folder: {directory}", style="dim", soft_wrap=True)


def _state(model: CatalogueModel) -> str:
    directory = models_dir()
    if model.state(directory) == "present":
        return "here"
    received = model.received(directory)
    return f"{received / model.bytes:.0%} here: pull goes on" if received else "not here"


@models.command()
@_argument
def pull(name: str) -> None:
    """Fetch a model (the first of the list if none is named) and check its sha256. A fetch that was stopped goes on."""
    model, console = find_model(name), Console(highlight=False)
    bar = Progress(
        TextColumn(model.name),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    task = bar.add_task(model.name, total=model.bytes)
    try:
        with bar:
            path = asyncio.run(
                fetch(model, models_dir(), progress=lambda received, _: bar.update(task, completed=received))
            )
            bar.update(task, completed=model.bytes)
    except DatarusError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        console.print(f"Stopped. What has come is kept: `datarus models pull {model.name}` goes on from there.")
        raise SystemExit(130) from None
    console.print(str(path), soft_wrap=True)


@models.command()
@_argument
def path(name: str) -> None:
    """Print where a model's file is. The exit code is 1 if it is not there."""
    model = find_model(name)
    click.echo(model.path(models_dir()))
    raise SystemExit(0 if model.state(models_dir()) == "present" else 1)


@models.command()
@_argument
def remove(name: str) -> None:
    """Delete a model's file, and what was fetched of it."""
    there = delete(find_model(name), models_dir())
    click.echo(f"{name} was removed." if there else f"{name} was not here.")

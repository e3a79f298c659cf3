"""``datarus``: the command line."""

from __future__ import annotations

import click

from datarus_jupyter import __version__
from datarus_jupyter.commands.engines import engines
from datarus_jupyter.commands.models import models
from datarus_jupyter.commands.reproduce import reproduce
from datarus_jupyter.commands.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="datarus")
def main() -> None:
    """A data-analysis agent for Jupyter: it thinks, runs code in a kernel, reads the outputs and answers."""


for command in (run, reproduce, engines, models):
    main.add_command(command)

if __name__ == "__main__":
    main()

"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec

from datarus_jupyter.engines.config import EngineConfig


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--url`` and ``--model``; what ``chosen_engine`` makes of them beats the environment."""
    url = click.option("--url", default="", help="An OpenAI-compatible server, such as http://127.0.0.1:8000/v1.")
    model = click.option("--model", default="", help="The model's name there, in the catalogue, or a GGUF file.")
    return url(model(command))


def chosen_engine(url: str, model: str) -> EngineConfig:
    """The engine of the environment, with what was given on the command line. Raises ``ConfigError``."""
    given = {name: value for name, value in (("url", url), ("model", model)) if value}
    if url:
        given["kind"] = "openai"
    return msgspec.structs.replace(EngineConfig.load(), **given)

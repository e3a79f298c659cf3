"""The small real model of these tests, fetched once by our own code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from datarus_jupyter.engines.catalogue import find_model, models_dir
from datarus_jupyter.engines.download import pull


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The file of SmolLM2 135M. Fetched into the user's own models directory if it is not there."""
    return asyncio.run(pull(find_model("smollm2-135m"), models_dir()))

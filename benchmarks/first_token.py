"""From Enter to the first character of the answer's first step, with the embedded model on this machine's CPU.

Each time a fresh server: once the notebook is open, its engine is warmed and its kernel runs, a question is asked;
then a second one, whose context the engine has read already.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from benchmarks.client import Client, connected
from benchmarks.figure import Figure, figure
from datarus_jupyter.engines.catalogue import find_model, models_dir
from tests.browser.lab import Lab, running_lab

_MODEL = "qwen2.5-coder-1.5b"
_QUESTIONS = [
    "Which penguin species is heaviest, and is the difference real? Plot it.",
    "How many penguins live on each island?",
    "Is bill length related to bill depth? Give the correlation by species.",
    "Which columns have missing values, and how many?",
    "What is the mean flipper length of male and of female penguins?",
    "Plot the body mass of each species as a box plot.",
]
_SECONDS = 240.0

Frames = AsyncIterator[dict[str, Any]]


def measure() -> list[Figure]:
    """Seconds from the request that starts the run to the arrival of its first text."""
    times = [_fresh_server(_QUESTIONS[at:] + _QUESTIONS[:at]) for at in range(len(_QUESTIONS))]
    note = f"{_MODEL}, examples/penguins.ipynb"
    return [
        figure("first_token", "s", [first for first, _ in times], at_most=3, note=note),
        figure("first_token_second_question", "s", [second for _, second in times], note=note),
    ]


def _fresh_server(questions: list[str]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "lab" / "root"
        shutil.copytree("examples", root)
        model = find_model(_MODEL).path(models_dir())
        with running_lab(Path(folder) / "lab", DATARUS_MODEL=str(model)) as lab:
            return asyncio.run(_measure(lab, questions))


async def _measure(lab: Lab, questions: list[str]) -> tuple[float, float]:
    async with asyncio.timeout(_SECONDS), connected(lab, "penguins.ipynb") as tab:
        frames = tab.frames()
        await tab.open()
        await _until(frames, lambda frame: frame["kind"] == "engine" and frame["engine"]["state"] == "ready")
        return await _first_text(tab, frames, questions[0]), await _first_text(tab, frames, questions[1])


async def _first_text(tab: Client, frames: Frames, question: str) -> float:
    began = time.perf_counter()
    run = await tab.ask(question)
    await _until(frames, _has("text"))
    seconds = time.perf_counter() - began
    await tab.stop(run)
    await _until(frames, _has("run_finished"))
    return seconds


def _has(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: any(event["type"] == kind for event in frame.get("events", ()))


async def _until(frames: Frames, holds: Callable[[dict[str, Any]], bool]) -> None:
    async for frame in frames:
        if holds(frame):
            return

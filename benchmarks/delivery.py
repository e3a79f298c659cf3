"""50 runs at once on one server: from an event's stamp to its arrival at the tab that shows its notebook.

Each run has its notebook, its kernel, its socket, and an engine that writes 20 tokens a second. A run has two steps,
which execute code, and an answer. The tabs are in this process; they read and decode all that they are sent.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.client import Client, connected
from benchmarks.figure import Figure, figure, percentile
from benchmarks.transcripts import ANSWER, REPLIES
from tests.browser.lab import Lab, make_notebook, running_lab

_TABS = 50
_RUNS = 5
_TOKENS_PER_SECOND = 20
_STARTING_AT_ONCE = 4
_SECONDS = 240.0


def measure() -> list[Figure]:
    """Milliseconds; each run of the benchmark gives a percentile over some 20,000 events."""
    with tempfile.TemporaryDirectory() as folder:
        replies = Path(folder) / "replies.json"
        # The text's steps, with codes that cost the two cores little: it is the delivery that is measured.
        replies.write_text(json.dumps({"per_conversation": True, "replies": [*_cheap(), ANSWER]}))
        script = {"DATARUS_REPLIES": str(replies), "DATARUS_TOKENS_PER_SECOND": str(_TOKENS_PER_SECOND)}
        with running_lab(Path(folder) / "lab", **script) as lab:
            delays = asyncio.run(_measure(lab))
    note = f"{_TABS} runs at {_TOKENS_PER_SECOND} tokens/s, {len(delays[0])} events a measurement"
    return [
        figure("delivery_p50", "ms", [percentile(run, 50) for run in delays], note=note),
        figure("delivery_p95", "ms", [percentile(run, 95) for run in delays], at_most=100, note=note),
    ]


def _cheap() -> list[str]:
    """Two steps whose code defines a text and prints its length."""
    return [
        reply.replace("import ", "text = '''import ", 1).replace(
            "\n</action_input>", "'''\nprint(len(text))\n</action_input>", 1
        )
        for reply in (REPLIES[2], REPLIES[3])
    ]


async def _measure(lab: Lab) -> list[list[float]]:
    names = [f"work-{number}.ipynb" for number in range(_TABS)]
    for name in names:
        make_notebook(lab.root / name, "mine = 17")
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(connected(lab, name)) for name in names]
        gate = asyncio.Semaphore(_STARTING_AT_ONCE)
        await asyncio.gather(*(_open(tab, gate) for tab in tabs))
        return [await _all_at_once(tabs, number) for number in range(_RUNS)]


async def _open(tab: Client, gate: asyncio.Semaphore) -> None:
    async with gate:
        await tab.open()


async def _all_at_once(tabs: list[Client], number: int) -> list[float]:
    async with asyncio.timeout(_SECONDS):
        questions = [f"Question {number} of tab {tab}: which species is heaviest?" for tab in range(len(tabs))]
        heard = [asyncio.create_task(_hear(tab)) for tab in tabs]
        await asyncio.gather(*(tab.ask(question) for tab, question in zip(tabs, questions, strict=True)))
        return [delay for task in heard for delay in await task]


async def _hear(tab: Client) -> list[float]:
    """The delays of a run's streamed text, in milliseconds."""
    delays: list[float] = []
    async for event in tab.events():
        if event["type"] == "text":
            delays.append((time.time() - event["ts"]) * 1000)
        elif event["type"] == "run_finished":
            assert event["reason"] == "answered", event
            break
    return delays

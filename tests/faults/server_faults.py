"""The Jupyter server is killed, at every kind of event, and started again: the run is resumed from its journal."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

import nbformat

from datarus_jupyter.engines.scripted import ScriptedReply
from tests.faults.matrix import MATRIX, cells
from tests.faults.script import ANSWER, COUNTS, replies
from tests.faults.world import World, until
from tests.patience import PATIENCE

# Not ``grounding``: the run's end follows it at once.
KINDS = (
    *("run_started", "step_opened", "text", "step_closed", "reply", "usage", "reply_discarded"),
    *("approval_requested", "approval_decided", "execution_started", "output", "output_updated", "outputs_cleared"),
    *("execution_finished", "observation"),
)


def _kill_at(journal: Path, kind: str, pid: int) -> None:
    """Kill the process as soon as an event of that kind is in its journal. Runs in a thread: half a ms is too slow."""
    needle = f'"type":"{kind}"'.encode()
    deadline = time.monotonic() + PATIENCE
    while not journal.exists() or needle not in journal.read_bytes():
        assert time.monotonic() < deadline, f"no {kind} in {journal}"
        time.sleep(0.0005)
    os.kill(pid, signal.SIGKILL)


async def approve(world: World, run: str) -> None:
    """Be the user who lets all code run, until cancelled."""
    while True:
        told = [event for event in world.events(run) if event["type"] in ("approval_requested", "approval_decided")]
        if told and told[-1]["type"] == "approval_requested":
            await world.approve(run, told[-1])
        await asyncio.sleep(0.02)


async def kill_server_at(world: World, kind: str) -> str:
    """Kill the server at an event of that kind, start it again, and let the run go on to its answer."""
    world.script.faults = {2: [ScriptedReply(fault="cut", after=30)]}
    run = await world.ask(mode="ask" if kind.startswith("approval") else "auto")
    await _killed(world, run, kind)
    await world.start()
    await world.interrupted(run)
    assert (await world.listed(run))["reason"] == "interrupted"
    await world.resume(run)
    approving = asyncio.create_task(approve(world, run))
    try:
        await world.finished(run)
    finally:
        approving.cancel()
        await asyncio.wait([approving])
    return run


async def _killed(world: World, run: str, kind: str) -> None:
    killing = asyncio.create_task(asyncio.to_thread(_kill_at, world.journal(run), kind, world.pid))
    approving = asyncio.create_task(approve(world, run))
    try:
        await killing
    finally:
        approving.cancel()
        await asyncio.wait([approving])
    world.events(run)
    await world.end(signal.SIGKILL)


for _kind in KINDS:
    MATRIX.fault(f"Jupyter server killed at `{_kind}`, run resumed", quick=_kind in ("text", "output"))(
        partial(kill_server_at, kind=_kind)
    )


@MATRIX.fault("Jupyter server killed between a run's end and its last save, no tab open", quick=True)
async def killed_before_the_last_save(world: World) -> str:
    """The next server writes what is missing; what the user did to the file meanwhile stays."""
    text = nbformat.v4.new_output("stream", name="stdout", text="x" * (5 << 20))  # so that reading takes a while
    world.make_notebook(nbformat.v4.new_code_cell("big", id="big", outputs=[text]))
    world.script.steps, world.script.faults = replies(COUNTS), {2: [ScriptedReply(delay=2.0)]}
    run = await world.ask()
    await asyncio.to_thread(_kill_at, world.journal(run), "run_finished", world.pid)
    await world.end(signal.SIGKILL)
    notebook = nbformat.read(world.path, 4)
    assert ANSWER not in [cell.source for cell in notebook.cells]
    notebook.cells[-1].source = "mine = 1"
    nbformat.write(notebook, world.path)
    await world.start()
    await until(lambda: ANSWER in [cell["source"] for cell in cells(world)], "the answer in the file")
    assert "mine = 1" in [cell["source"] for cell in cells(world)]
    return run

"""The Jupyter server is killed, at every kind of event, and started again: the run is resumed from its journal."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

from datarus_jupyter.engines.scripted import ScriptedReply
from tests.faults.matrix import MATRIX
from tests.faults.world import SECONDS, World

# Not ``grounding``: the run's end follows it at once.
KINDS = (
    *("run_started", "step_opened", "text", "step_closed", "reply", "usage", "reply_discarded"),
    *("approval_requested", "approval_decided", "execution_started", "output", "output_updated", "outputs_cleared"),
    *("execution_finished", "observation"),
)


def _kill_at(journal: Path, kind: str, pid: int) -> None:
    """Kill the process as soon as an event of that kind is in its journal. Runs in a thread: half a ms is too slow."""
    needle = f'"type":"{kind}"'.encode()
    deadline = time.monotonic() + SECONDS
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
    MATRIX.fault(f"Jupyter server killed at `{_kind}`, run resumed")(partial(kill_server_at, kind=_kind))

"""Runs that meet one to three faults each, drawn at random, and that are resumed until they are answered."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import nbformat
import psutil

from datarus_jupyter.engines.scripted import ScriptedReply
from tests.faults.matrix import FAILURES, Tally, judge
from tests.faults.script import COUNTS, FAILS, PRINTS, SHOWS, replies
from tests.faults.world import World, settled, until

_EVENTS = 150
"""About as many as an undisturbed run of these has."""
_RESUMED = 8

_AT_ONCE = 3
"""Worlds, each with one run after the other."""

Disturb = Callable[[World, str, random.Random], Awaitable[None]]
Tell = Callable[[str, Tally], None]
"""Called after each run with what happened to it, in words, and what was lost."""


async def _server_killed(world: World, run: str, draw: random.Random) -> None:
    world.events(run)
    await world.end(signal.SIGKILL)
    await world.start()


async def _kernel_killed(world: World, run: str, draw: random.Random) -> None:
    for process in world.kernel_processes():
        process.kill()


async def _engine_cut(world: World, run: str, draw: random.Random) -> None:
    step = draw.randint(1, len(world.script.steps))
    world.script.faults.setdefault(step, []).append(ScriptedReply(fault="cut", after=draw.randint(1, 60)))


async def _engine_gone(world: World, run: str, draw: random.Random) -> None:
    await world.stop_engine()
    await asyncio.sleep(draw.random())
    await world.start_engine()


async def _tab_comes_and_goes(world: World, run: str, draw: random.Random) -> None:
    tab = await world.tab()
    await asyncio.sleep(draw.random() / 2)
    await tab.close()


async def _renamed(world: World, run: str, draw: random.Random) -> None:
    path = f"renamed-{draw.getrandbits(32):08x}.ipynb"
    await world.call("PATCH", f"/api/contents/{world.notebook}", path=path)
    world.notebook = path
    await world.seen(run, "notebook_moved")


async def _saved_by_another(world: World, run: str, draw: random.Random) -> None:
    """Another program adds a cell. The server stands still meanwhile: what one writes over the other's is nobody's."""
    theirs = nbformat.v4.new_code_cell(f"theirs = {draw.random()}")
    server = psutil.Process(world.pid)
    while True:
        server.suspend()
        try:
            notebook = nbformat.read(world.path, 4)
            notebook.cells.insert(0, theirs)
            nbformat.write(notebook, world.path)
            return
        except nbformat.reader.NotJSONError:  # the server is writing it
            pass
        finally:
            server.resume()
        await asyncio.sleep(0.02)


DISTURBANCES: dict[str, Disturb] = {
    "server killed": _server_killed,
    "kernel killed": _kernel_killed,
    "engine cut": _engine_cut,
    "engine gone": _engine_gone,
    "tab": _tab_comes_and_goes,
    "renamed": _renamed,
    "saved by another": _saved_by_another,
}


async def drawn(folder: Path, seed: int, runs: int, tell: Tell) -> None:
    """Bring faults drawn from ``seed`` upon that many runs."""
    numbers = iter(range(runs))
    async with asyncio.TaskGroup() as group:
        for name in range(min(_AT_ONCE, runs)):
            group.create_task(_one_after_the_other(folder / str(name), seed, numbers, tell))


async def _one_after_the_other(folder: Path, seed: int, numbers: Iterator[int], tell: Tell) -> None:
    """In one world, and in a new one after a run that failed."""
    for number in numbers:
        async with World(folder / str(number)) as world:
            while await _one(world, seed, number, tell):
                if (following := next(numbers, None)) is None:
                    return
                number = following


async def _one(world: World, seed: int, number: int, tell: Tell) -> bool:
    """Whether the run came to its end."""
    draw = random.Random(f"{seed}/{number}")
    world.notebook = f"work-{number}.ipynb"
    world.make_notebook()
    world.script.steps, world.script.faults = replies(PRINTS, SHOWS, FAILS, COUNTS), {}
    names = draw.sample(sorted(DISTURBANCES), draw.randint(1, 3))
    plan = list(zip(names, sorted(draw.randrange(_EVENTS) for _ in names), strict=True))
    what = f"run {number}: " + ", ".join(f"{name} at event {moment}" for name, moment in plan)
    try:
        tally = await _disturbed(world, plan, draw)
        await world.shut_down_kernels()
    except FAILURES as error:
        tell(f"{what}: {error}", Tally(tried=1))
        return False
    tell(what, tally)
    return True


async def _disturbed(world: World, plan: list[tuple[str, int]], draw: random.Random) -> Tally:
    run = await world.ask()
    for name, moment in plan:
        await settled(lambda moment=moment: len(world.events(run)) > moment or _over(world, run))
        if not _over(world, run):
            await DISTURBANCES[name](world, run, draw)
    await _to_its_answer(world, run)
    return await judge(world, run, "answered")


def _over(world: World, run: str) -> bool:
    kinds = [event["type"] for event in world.events(run)]
    ends = [kind for kind in kinds if kind in ("run_finished", "run_interrupted", "run_resumed")]
    return bool(ends) and ends[-1] != "run_resumed"


async def _to_its_answer(world: World, run: str) -> None:
    """Resume it as a user would, until it is answered."""
    for times in range(_RESUMED):
        await until(lambda: _over(world, run), f"an end of {run}; {world.log[-2000:]}")
        if world.event(run, "run_finished", reason="answered"):
            return
        await world.resume(run)
        await until(lambda times=times: _resumed(world, run) > times, f"{run} resumed; {world.log[-2000:]}")


def _resumed(world: World, run: str) -> int:
    return sum(event["type"] == "run_resumed" for event in world.events(run))

"""Tabs that go away, fall silent or come twice. What the page itself does is tested in a real browser."""

from __future__ import annotations

from tests.faults.matrix import MATRIX
from tests.faults.world import World, until


def _whole(world: World, run: str, heard: list[dict[str, object]]) -> bool:
    """Whether a tab was sent every event of the run once, in order."""
    return [event["seq"] for event in heard] == list(range(len(world.events(run))))


@MATRIX.fault("tab closed in mid-run", quick=True)
async def closed(world: World) -> str:
    """The run goes on, and its cells are written into the file."""
    tab = await world.tab()
    run = await world.ask()
    await tab.until(lambda: tab.event("execution_started", step=2))
    await tab.close()
    await world.finished(run)
    return run


@MATRIX.fault("tab closed and opened again after the end")
async def reopened(world: World) -> str:
    """It is sent what it missed, from the seq that it has."""
    tab = await world.tab()
    run = await world.ask()
    await tab.until(lambda: tab.event("execution_started", step=2))
    heard = tab.events(run)
    await tab.close()
    await world.finished(run)
    await until(lambda: _answer_on_disk(world), "the answer in the file")
    back = await world.tab()
    await back.send("open", notebook=world.notebook, since={run: len(heard)})
    await back.until(lambda: back.event("run_finished"))
    assert _whole(world, run, back.events(run))
    return run


def _answer_on_disk(world: World) -> bool:
    return "It is 42." in world.path.read_text()


@MATRIX.fault("page reloaded in mid-run, twice")
async def reloaded(world: World) -> str:
    """The page comes back under a new name while the old socket is just gone."""
    run = await world.ask()
    for step in (2, 3):
        tab = await world.tab()
        await tab.until(lambda tab=tab, step=step: tab.event("step_opened", step=step))
        await tab.close()
    last = await world.tab()
    await last.until(lambda: last.event("run_finished"))
    assert _whole(world, run, last.events(run))
    await last.close()
    return run


@MATRIX.fault("two tabs, the writer closes in mid-run")
async def two(world: World) -> str:
    """One of two writes at any time, both hear all."""
    first, second = await world.tab(), await world.tab()
    run = await world.ask()
    await first.until(lambda: first.event("step_opened", step=2))
    assert first.writer(world.notebook)
    await first.close()
    await second.until(lambda: second.writer(world.notebook))
    await second.until(lambda: second.event("run_finished"))
    assert _whole(world, run, second.events(run))
    await second.close()
    return run


@MATRIX.fault("laptop asleep: the socket is dead without a close, the page comes back", quick=True)
async def asleep(world: World) -> str:
    """A client that reads nothing and never closes; the same page then connects anew and takes its place."""
    asleep = await world.tab(tab="page")
    run = await world.ask()
    await world.finished(run)
    assert asleep.event("run_finished") is None
    awake = await world.tab(tab="page")
    await awake.until(lambda: awake.event("run_finished"))
    assert _whole(world, run, awake.events(run))
    await awake.until(lambda: awake.writer(world.notebook))
    await awake.close()
    return run

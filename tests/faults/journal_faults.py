"""The journal cannot be written, was cut off anywhere, is older or newer than we are; the clock jumps."""

from __future__ import annotations

import json
import random
import resource
import signal
from pathlib import Path

import psutil

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog, read
from tests.faults.matrix import MATRIX
from tests.faults.script import COUNTS, replies
from tests.faults.world import World


@MATRIX.fault("disk full while the journal is written, freed, run resumed", quick=True)
async def disk_full(world: World) -> str:
    """The system refuses to let the file grow (EFBIG), as a full disk does; what is written so far stays whole."""
    tab = await world.tab()
    run = await world.ask()
    await tab.until(lambda: tab.event("execution_started", step=2))
    server = psutil.Process(world.pid)
    size = world.journal(run).stat().st_size
    server.rlimit(psutil.RLIMIT_FSIZE, (size + 50, resource.RLIM_INFINITY))
    told = await tab.until(lambda: [frame for frame in tab.frames if frame["kind"] == "error"])
    assert "free some space" in told[0]["message"]
    server.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await tab.until(lambda: tab.event("run_interrupted"))
    await tab.close()
    await world.resume(run)
    await world.finished(run)
    return run


@MATRIX.fault("journal cut off at a random byte, run resumed")
async def truncated(world: World) -> str:
    """As a lost machine leaves it: the last event may be half there."""
    run = await _ended(world)
    whole = world.journal(run).read_bytes()
    first = whole.index(b"\n") + 1
    cut = random.Random(world.path.stat().st_mtime_ns).randrange(first, whole.rindex(b'{"type":"run_finished"'))
    world.journal(run).write_bytes(whole[:cut])
    world.forget(run)
    world.events(run)
    await world.start()
    await world.interrupted(run)
    await world.resume(run)
    await world.finished(run)
    return run


def every_byte(journal: Path, copy: Path) -> int:
    """How many events are lost or changed, of all ways to cut off the journal at a byte, beyond the one cut."""
    whole, events, lost = journal.read_bytes(), read(journal), 0
    for cut in range(0, len(whole), 7):
        copy.write_bytes(whole[:cut])
        there = whole[:cut].count(b"\n")
        with RunLog(copy) as log:
            log.append(ev.RunInterrupted(reason="cut"))
        lost += sum(one != other for one, other in zip(read(copy)[:-1], events[:there], strict=True))
    return lost


@MATRIX.fault("journal cut off at every seventh byte")
async def truncated_everywhere(world: World) -> str:
    """Only the event that was cut is missing, and the journal can be written again."""
    run = await _ended(world)
    copy = world.folder / f"{run}.jsonl"
    assert every_byte(world.journal(run), copy) == 0
    return run


@MATRIX.fault("journal of a newer version, with an event that we do not know")
async def newer(world: World) -> str:
    """It is left as it is and said to be unreadable; the other runs are listed."""
    run = await _ended(world)
    unknown = world.runs / "20300101-000000-abcdef.jsonl"
    content = world.journal(run).read_bytes() + b'{"type":"from_the_future","run":"x","seq":99,"ts":0,"v":2}\n'
    unknown.write_bytes(content)
    await world.start()
    assert (await world.listed(run))["reason"] == "answered"
    assert "is not an event" in await world.refused("GET", f"/datarus/api/runs/{unknown.stem}")
    assert unknown.read_bytes() == content
    return run


@MATRIX.fault("journal of an older version, without the fields of today")
async def older(world: World) -> str:
    """Fields that came later have their defaults."""
    run = await _ended(world)
    lines = world.journal(run).read_text().splitlines()
    started = json.loads(lines[0])
    for field in ("attached", "target", "context", "sampling", "anchor"):
        started.pop(field, None)
    world.journal(run).write_text("\n".join([json.dumps(started), *lines[1:]]) + "\n")
    world.forget(run)
    await world.start()
    assert (await world.listed(run))["reason"] == "answered"
    return run


@MATRIX.fault("the clock jumps an hour back in mid-run")
async def clock(world: World) -> str:
    """The order of events is their seq; a run never took less than no time."""
    run = await _ended(world)
    lines = [json.loads(line) for line in world.journal(run).read_text().splitlines()]
    for line in lines[len(lines) // 3 :]:
        line["ts"] -= 3600.0
    world.journal(run).write_text("".join(json.dumps(line) + "\n" for line in lines))
    world.forget(run)
    await world.start()
    listed = await world.listed(run)
    assert (listed["reason"], listed["seconds"] >= 0) == ("answered", True)
    return run


async def _ended(world: World) -> str:
    """A run that has come to its end, and its cells on disk; the server is stopped."""
    world.script.steps = replies(COUNTS)
    run = await world.ask()
    await world.finished(run)
    await world.end(signal.SIGTERM)
    return run

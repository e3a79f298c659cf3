"""The engine is cut, slow, silent, wrong, gone, and back again."""

from __future__ import annotations

from datarus_jupyter.engines.scripted import ScriptedReply
from tests.faults.matrix import MATRIX
from tests.faults.world import World

CUT = ScriptedReply(fault="cut", after=40)


async def _with(world: World, **faults: ScriptedReply) -> str:
    world.script.faults = {int(step[1:]): [fault] for step, fault in faults.items()}
    run = await world.ask()
    await world.finished(run)
    return run


@MATRIX.fault("engine cut in mid-reply, at three steps", quick=True)
async def cut(world: World) -> str:
    """What was written of the reply is taken back, and the step is asked again."""
    run = await _with(world, _1=CUT, _2=CUT, _4=CUT)
    assert sum(event["type"] == "reply_discarded" for event in world.events(run)) == 3
    return run


@MATRIX.fault("engine slow to its first token")
async def slow(world: World) -> str:
    """Slow is no fault."""
    return await _with(world, _2=ScriptedReply(delay=2.0))


@MATRIX.fault("engine sends all at once, behind a buffering proxy")
async def buffered(world: World) -> str:
    """No streaming, but the same run."""
    return await _with(world, _2=ScriptedReply(fault="buffered"))


@MATRIX.fault("engine busy (503), then back")
async def busy(world: World) -> str:
    """Asked again after a pause, before any text has come."""
    return await _with(world, _2=ScriptedReply(status=503))


@MATRIX.fault("engine fails (500)", ends="engine")
async def failing(world: World) -> str:
    """The run ends with the engine's sentence."""
    return await _with(world, _2=ScriptedReply(status=500))


@MATRIX.fault("engine fails (500), run resumed")
async def failing_and_resumed(world: World) -> str:
    """What was done before is not done again."""
    run = await failing(world)
    await world.resume(run)
    await world.seen(run, "run_finished", reason="answered")
    assert sum(event["type"] == "execution_started" for event in world.events(run)) == 4
    return run


@MATRIX.fault("a web page in place of the reply", ends="engine")
async def html(world: World) -> str:
    """A proxy's log-in page must not be read as an answer."""
    return await _with(world, _2=ScriptedReply(fault="html"))


@MATRIX.fault("a line that is no event in mid-reply")
async def malformed(world: World) -> str:
    """Taken as a cut."""
    return await _with(world, _3=ScriptedReply(fault="malformed", after=40))


@MATRIX.fault("engine killed in mid-reply, back before the retries end")
async def back_again(world: World) -> str:
    """Its connections are cut and it is started again, as by a supervisor."""
    run = await world.ask()
    await world.seen(run, "text", step=2)
    await world.stop_engine()
    await world.start_engine()
    await world.finished(run)
    return run


@MATRIX.fault("engine killed in mid-reply, run resumed when it is back", quick=True)
async def gone_and_resumed(world: World) -> str:
    """The run ends with a sentence that names the engine's address; later it goes on."""
    run = await world.ask()
    await world.seen(run, "text", step=2)
    await world.stop_engine()
    finished = await world.finished(run)
    assert finished["reason"] == "engine"
    assert str(world.engine_port) in finished["message"]
    await world.start_engine()
    await world.resume(run)
    await world.seen(run, "run_finished", reason="answered")
    return run

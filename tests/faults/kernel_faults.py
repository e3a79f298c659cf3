"""The kernel dies, is restarted, interrupted, culled, runs out of memory, or is blocked in C code."""

from __future__ import annotations

from tests.faults.matrix import MATRIX
from tests.faults.script import COUNTS, replies
from tests.faults.world import World

LONG = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
GREEDY = """import resource
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, -1))
print('begun', flush=True)
much = bytearray(8 << 30)"""
DIES = "import os, signal\nprint('begun', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
BLOCKED = """import hashlib
print('begun', flush=True)
hashlib.pbkdf2_hmac('sha256', b'a', b'b', 40_000_000)"""


async def _at_work(world: World, code: str) -> str:
    world.script.steps = replies(code, COUNTS)
    run = await world.ask()
    await world.seen(run, "output")
    return run


@MATRIX.fault("kernel killed in mid-cell", ends="kernel")
async def killed(world: World) -> str:
    """The run ends with a sentence; the next question works in the kernel that the server starts again."""
    run = await _at_work(world, LONG)
    for process in world.kernel_processes():
        process.kill()
    message = (await world.finished(run))["message"]
    assert "kernel" in message.lower()
    return run


@MATRIX.fault("kernel killed in mid-cell, run resumed", quick=True)
async def killed_and_resumed(world: World) -> str:
    """The run goes on in the new kernel, and the model is told that the variables are gone."""
    run = await killed(world)
    world.script.steps = replies(COUNTS, COUNTS)
    await world.resume(run)
    await world.seen(run, "run_finished", reason="answered")
    assert world.event(run, "reminder", reason="kernel")
    return run


@MATRIX.fault("kernel out of memory, process killed", ends="kernel")
async def out_of_memory(world: World) -> str:
    """As the system's OOM killer does it: SIGKILL from outside the cell's control."""
    world.script.steps = replies(DIES, COUNTS)
    run = await world.ask()
    assert "kernel" in (await world.finished(run))["message"].lower()
    return run


@MATRIX.fault("kernel out of memory, MemoryError")
async def memory_error(world: World) -> str:
    """An error as any other: the model sees it and goes on."""
    run = await _at_work(world, GREEDY)
    await world.finished(run)
    assert world.event(run, "execution_finished", step=1, status="error")
    assert "MemoryError" in (world.event(run, "observation", step=1) or {})["text"]
    return run


@MATRIX.fault("kernel restarted by the user in mid-cell", ends="kernel")
async def restarted(world: World) -> str:
    """The cell's end will never come, and that is noticed."""
    run = await _at_work(world, LONG)
    await world.call("POST", f"/api/kernels/{await world.kernel()}/restart")
    assert "kernel" in (await world.finished(run))["message"].lower()
    return run


@MATRIX.fault("kernel interrupted by the user in mid-cell")
async def interrupted(world: World) -> str:
    """The model is told and goes on."""
    run = await _at_work(world, LONG)
    await world.call("POST", f"/api/kernels/{await world.kernel()}/interrupt")
    await world.finished(run)
    assert world.event(run, "execution_finished", step=1, status="interrupted")
    return run


@MATRIX.fault("kernel shut down by the user in mid-cell", ends="kernel")
async def shut_down(world: World) -> str:
    """As by the list of running kernels, or by culling: the kernel does not come back by itself."""
    run = await _at_work(world, LONG)
    await world.call("DELETE", f"/api/kernels/{await world.kernel()}")
    assert "kernel" in (await world.finished(run))["message"].lower()
    return run


_CULL = "--MappingKernelManager."


@MATRIX.fault(
    "kernel culled while busy",
    ends="kernel",
    options=(f"{_CULL}cull_idle_timeout=2", f"{_CULL}cull_interval=1", f"{_CULL}cull_busy=True"),
)
async def culled(world: World) -> str:
    """An administrator's setting ends kernels that have been silent, busy or not."""
    run = await _at_work(world, LONG)
    assert "kernel" in (await world.finished(run))["message"].lower()
    return run


@MATRIX.fault("kernel blocked in C code past the limit", options=("--DatarusApp.limits={'cell_seconds': 1}",))
async def blocked(world: World) -> str:
    """It does not react to interrupts: the cell is given up, and the run goes on when the kernel is free again."""
    run = await _at_work(world, BLOCKED)
    finished = await world.seen(run, "execution_finished", step=1)
    assert finished["status"] == "timeout"
    assert "restart the kernel" in finished["error"]
    await world.finished(run)
    return run

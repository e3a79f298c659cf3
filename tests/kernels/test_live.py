"""The notebook's own kernel while its user works in it."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from notebooks import notebook, printed, printing, run

from datarus_jupyter.agent.interfaces import Executed
from datarus_jupyter.kernels.channel import Waits
from datarus_jupyter.kernels.live import live_kernel
from tests.patience import PATIENCE

HELD = """
import pathlib, time
while not pathlib.Path("go").exists(): time.sleep(0.01)
"""


async def test_the_users_variables_are_there_and_ours_are_theirs(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        await user.reply(user.send("x = 20"))
        outputs, executed = await run(kernel, "y = x + 1\nprint(y)")
        assert (kernel.id, printed(outputs), executed.count) == ("k1", "21\n", 2)
        assert (await user.reply(user.send("assert y == 21")))["status"] == "ok"


async def test_a_users_cell_runs_first_and_its_time_and_output_are_not_ours(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        theirs = user.send("print('theirs', flush=True)" + HELD + "time.sleep(1.5); print('theirs too')")
        await user.begun(theirs)
        ours = asyncio.create_task(run(kernel, "print('ours')", timeout=1.2))
        (tmp_path / "go").touch()
        outputs, executed = await ours
        assert (await user.reply(theirs))["status"] == "ok"
    assert printed(outputs) == "ours\n"
    assert executed.status == "ok"
    assert executed.seconds < 1.2


async def test_stopping_while_a_users_cell_runs_leaves_it_alone_and_never_runs_our_code(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        theirs = user.send(HELD + "print('done')")
        await user.begun(theirs)
        ours = asyncio.create_task(run(kernel, "open('ours', 'w')"))
        done, _ = await asyncio.wait([ours], timeout=0.5)
        assert not done
        ours.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ours
        (tmp_path / "go").touch()
        assert (await user.reply(theirs))["status"] == "ok"
        assert (await run(kernel, "1"))[1].status == "ok"
    assert not (tmp_path / "ours").exists()


async def test_waiting_for_a_users_cell_is_bounded(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1", Waits(turn=0.3)) as kernel:
        theirs = user.send(HELD)
        await user.begun(theirs)
        _, executed = await run(kernel, "1")
        assert executed.status == "timeout"
        assert "busy for 0.3 s with another cell, so this one was not run" in executed.error
        assert await kernel.evaluate("print(1)", timeout=0.2) == ""
        (tmp_path / "go").touch()
        assert (await user.reply(theirs))["status"] == "ok"


async def test_the_users_interrupt_ends_our_cell(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        ours = await printing(kernel, "print('on it', flush=True)\nwhile True: pass", "on it")
        await user.manager.interrupt_kernel()
        executed = (await ours)[-1]
    assert isinstance(executed, Executed)
    assert (executed.status, executed.error) == ("interrupted", "KeyboardInterrupt")


async def test_our_error_does_not_throw_away_the_users_queue(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        ours = await printing(kernel, "print('on it', flush=True)" + HELD + "1 / 0", "on it")
        theirs = user.send("print('queued')")
        (tmp_path / "go").touch()
        assert (await ours)[-1].status == "error"  # type: ignore[union-attr]
        assert (await user.reply(theirs))["status"] == "ok"


async def test_code_that_the_kernel_threw_away_unseen_is_sent_again(tmp_path: Path) -> None:
    abort = """
kernel = get_ipython().kernel
kernel._aborting = True  # as while a failed "run all" is being thrown away
def end(): kernel._aborting = False
kernel.io_loop.call_later(0.3, end)
"""
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        await user.reply(user.send(abort))
        outputs, executed = await run(kernel, "print('ran')")
        assert (printed(outputs), executed.status) == ("ran\n", "ok")
        assert (await user.reply(user.send("assert In[-2] == \"print('ran')\"")))["status"] == "ok"


async def test_a_restart_in_mid_cell_ends_it_and_the_next_cell_runs_in_the_new_kernel(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        ours = await printing(kernel, "x = 1\nprint('on it', flush=True)\nwhile True: pass", "on it")
        await user.manager.restart_kernel(now=True)
        restarted = time.monotonic()
        executed = (await ours)[-1]
        assert time.monotonic() - restarted < 10
        assert isinstance(executed, Executed)
        assert executed.status == "dead"
        _, executed = await run(kernel, "x")
        assert executed.error == "NameError: name 'x' is not defined"


async def test_a_restart_while_we_interrupt_ends_it_and_the_new_kernel_is_not_interrupted(tmp_path: Path) -> None:
    # In one C function, which no interrupt reaches; before it the kernel's own thread must have sent what was printed.
    deaf = "import time\nprint('on it', flush=True)\ntime.sleep(0.3)\nsum(range(10**12))"
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1", Waits(react=30, again=0.01)) as kernel:
        ours = await printing(kernel, deaf, "on it")
        done, _ = await asyncio.wait([ours], timeout=0.6)
        ours.cancel()
        done |= (await asyncio.wait([ours], timeout=0.2))[0]
        assert not done
        await user.manager.restart_kernel(now=True)
        with pytest.raises(asyncio.CancelledError):
            await ours
        assert (await run(kernel, "1"))[1].status == "ok"


async def test_a_cell_waits_for_a_dead_kernel_to_be_started_again(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1", Waits(back=PATIENCE)) as kernel:
        await run(kernel, "x = 1")
        await user.manager.signal_kernel(signal.SIGKILL)
        while await user.manager.is_alive():
            await asyncio.sleep(0.01)
        ours = asyncio.create_task(run(kernel, "x"))
        assert not (await asyncio.wait([ours], timeout=0.5))[0]
        await user.manager.restart_kernel(now=True)
        assert (await ours)[1].error == "NameError: name 'x' is not defined"


class OnAnotherHost:
    """A manager that cannot tell which process its kernel is, as with a kernel behind a gateway."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def client(self) -> AsyncKernelClient:
        client: AsyncKernelClient = self._manager.client()
        return client

    async def is_alive(self) -> bool:
        return True

    async def interrupt_kernel(self) -> None:
        await self._manager.interrupt_kernel()


async def test_a_restart_is_noticed_from_what_the_kernel_says(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user, live_kernel(OnAnotherHost(user.manager), "k1") as kernel:
        ours = await printing(kernel, "print('on it', flush=True)\nwhile True: pass", "on it")
        await user.manager.restart_kernel(now=True)
        assert (await ours)[-1].status == "dead"  # type: ignore[union-attr]


async def test_two_channels_of_one_manager_do_not_disturb_each_other(tmp_path: Path) -> None:
    async with (
        notebook(tmp_path) as user,
        live_kernel(user.manager, "k1") as one,
        live_kernel(user.manager, "k1") as two,
    ):
        cells = [run(one, "print('one')"), run(two, "print('two')"), run(one, "print('three')")]
        ended = await asyncio.gather(*cells)
        assert (await user.reply(user.send("1")))["status"] == "ok"
    assert [printed(outputs) for outputs, _ in ended] == ["one\n", "two\n", "three\n"]
    assert {executed.status for _, executed in ended} == {"ok"}


async def test_closing_the_channel_ends_what_runs_and_keeps_the_kernel(tmp_path: Path) -> None:
    async with notebook(tmp_path) as user:
        async with live_kernel(user.manager, "k1") as kernel:
            ours = await printing(kernel, "x = 1\nprint('on it', flush=True)" + HELD, "on it")
        executed = (await ours)[-1]
        assert isinstance(executed, Executed)
        assert (executed.status, executed.error) == ("dead", "The connection to the kernel was closed.")
        (tmp_path / "go").touch()
        assert (await user.reply(user.send("assert x == 1")))["status"] == "ok"


async def test_a_jupyter_servers_kernel_works_the_same(jp_serverapp: Any) -> None:
    kernels = jp_serverapp.kernel_manager
    kernel_id = await kernels.start_kernel()
    try:
        async with live_kernel(kernels.get_kernel(kernel_id), kernel_id) as kernel:
            outputs, executed = await run(kernel, "print('served')")
            late = (await run(kernel, "while True: pass", timeout=0.3))[1]
    finally:
        await kernels.shutdown_kernel(kernel_id, now=True)
    assert (printed(outputs), executed.status, late.status) == ("served\n", "ok", "timeout")


async def test_no_answer_is_lost_when_many_ask_at_once(tmp_path: Path) -> None:
    """A send at the moment of a reply swallowed the word of it, and nothing more was ever heard of the kernel."""
    async with notebook(tmp_path) as user, live_kernel(user.manager, "k1") as kernel:
        for turn in range(60):
            asked = [kernel.evaluate(f"print({turn}, {number})", timeout=20) for number in range(8)]
            assert await asyncio.gather(*asked) == [f"{turn} {number}\n" for number in range(8)]

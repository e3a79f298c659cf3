"""A fresh kernel: what it shows, how cells end, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
from notebooks import printed, printing, run

from datarus_jupyter.agent.interfaces import Cleared, Displayed, Executed, Updated
from datarus_jupyter.errors import KernelError
from datarus_jupyter.kernels.channel import KernelChannel, Waits
from datarus_jupyter.kernels.own import own_kernel
from tests.patience import PATIENCE

IMPATIENT = Waits(turn=0.5, react=1.0, again=0.4)


async def gone(pid: int, seconds: float = PATIENCE) -> bool:
    """Whether the process ends in time."""
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


async def pid_of(kernel: KernelChannel) -> int:
    return int(await kernel.evaluate("import os; print(os.getpid())", timeout=10))


async def test_outputs_come_in_order_and_end_with_executed(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        outputs, executed = await run(kernel, "import sys\nprint('a')\nprint('e', file=sys.stderr, flush=True)\n6 * 7")
    assert printed(outputs) == "a\n"
    assert printed(outputs, "stderr") == "e\n"
    assert isinstance(outputs[-1], Displayed)
    assert outputs[-1].output == {
        "output_type": "execute_result",
        "data": {"text/plain": "42"},
        "metadata": {},
        "execution_count": 1,
    }
    assert (executed.status, executed.count, executed.error) == ("ok", 1, "")
    assert 0 < executed.seconds < 10


async def test_a_kernel_works_in_its_folder_and_keeps_variables_and_history(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        await run(kernel, "x = 5")
        outputs, executed = await run(kernel, "import os; print(os.getcwd(), x, In[1])")
    assert printed(outputs) == f"{tmp_path} 5 x = 5\n"
    assert executed.count == 2


async def test_streams_arrive_while_the_cell_runs(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        task = await printing(kernel, "import time\nprint('now', flush=True)\nwhile True: time.sleep(0.01)", "now\n")
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_adjacent_pieces_of_a_stream_are_joined(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        outputs, executed = await run(kernel, "for i in range(300): print(i, flush=True)")
    assert printed(outputs) == "".join(f"{i}\n" for i in range(300))
    assert len(outputs) <= 2 + executed.seconds / 0.05


async def test_an_error_after_output_is_an_error_in_one_line(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        outputs, executed = await run(kernel, "print('before')\nraise ValueError('\\x1b[31mred\\x1b[0m\\nsecond line')")
    assert printed(outputs) == "before\n"
    assert isinstance(outputs[-1], Displayed)
    assert outputs[-1].output["output_type"] == "error"
    assert (executed.status, executed.error) == ("error", "ValueError: red")


async def test_input_is_refused_at_once_with_an_error_that_says_so(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        _, executed = await run(kernel, "input('name? ')", timeout=10)
    assert executed.status == "error"
    assert "does not support input requests" in executed.error


async def test_displays_are_cleared_and_updated_by_id(tmp_path: Path) -> None:
    code = """
        from IPython.display import clear_output, display
        shown = display("old", display_id="bar")
        """
    async with own_kernel(tmp_path) as kernel:
        first, _ = await run(kernel, textwrap.dedent(code))
        second, _ = await run(kernel, "print('gone')\nclear_output()\nprint('stays')\nshown.update('new')")
        third, _ = await run(kernel, "print('until next')\nclear_output(wait=True)")
    assert [output.display_id for output in first if isinstance(output, Displayed)] == ["bar"]
    assert second[0] == Cleared(wait=False)
    assert printed(second) == "stays\n"
    assert [o.output["data"] for o in second if isinstance(o, Updated)] == [{"text/plain": "'new'"}]
    assert [type(output) for output in third] == [Displayed, Cleared]
    assert third[-1] == Cleared(wait=True)


async def test_ten_megabytes_of_output_are_bounded_and_hold_nothing_up(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        await run(kernel, "pass")
        before = psutil.Process().memory_info().rss
        outputs, executed = await run(kernel, "for i in range(10_000): print(f'{i:06}', 'x' * 1000)\nprint('the end')")
        grown = psutil.Process().memory_info().rss - before
    text = printed(outputs)
    assert executed.status == "ok"
    assert executed.seconds < 20
    assert len(text) < 1_000_100
    assert text.startswith("000000 xxx")
    assert text.endswith("the end\n")
    assert "more characters not kept …" in text
    assert grown < 60e6


async def test_a_flood_of_small_flushes_ends_with_its_last_words(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        outputs, executed = await run(kernel, "for i in range(3000): print(i, flush=True)", timeout=60)
    assert executed.status == "ok"
    assert printed(outputs).endswith("2999\n")


async def test_a_late_cell_is_interrupted_and_the_kernel_stays_usable(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        outputs, executed = await run(kernel, "x = 1\nprint('on it')\nwhile True: pass", timeout=0.5)
        after, _ = await run(kernel, "x")
    assert printed(outputs) == "on it\n"
    assert executed.status == "timeout"
    assert executed.error == "The cell ran longer than 0.5 s and was interrupted."
    assert 0.5 <= executed.seconds < 5
    assert len(after) == 1


async def test_a_cell_deaf_to_interrupts_is_given_up_and_the_next_waits_for_its_turn(tmp_path: Path) -> None:
    deaf = """
        import pathlib, signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not pathlib.Path("enough").exists(): time.sleep(0.01)
        """
    async with own_kernel(tmp_path, waits=IMPATIENT) as kernel:
        _, executed = await run(kernel, textwrap.dedent(deaf), timeout=0.3)
        assert executed.status == "timeout"
        assert executed.error.endswith("did not react to an interrupt: restart the kernel.")
        _, refused = await run(kernel, "open('ran', 'w')")
        assert refused == Executed("timeout", None, 0.0, refused.error)
        assert "busy for 0.5 s with another cell" in refused.error
        (tmp_path / "enough").touch()
        await kernel.ready(PATIENCE)
        outputs, executed = await run(kernel, "print('again')")
    assert printed(outputs) == "again\n"
    assert executed.status == "ok"
    assert not (tmp_path / "ran").exists()


async def test_a_kernel_killed_in_mid_cell_is_noticed_soon(tmp_path: Path) -> None:
    async with own_kernel(tmp_path, waits=Waits(back=0.2)) as kernel:
        pid = await pid_of(kernel)
        task = await printing(kernel, "print('on it', flush=True)\nwhile True: pass", "on it")
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        executed = (await task)[-1]
        assert time.monotonic() - killed < 10
        assert isinstance(executed, Executed)
        assert executed.status == "dead"
        assert executed.error.startswith("The kernel died")
        _, again = await run(kernel, "1")
        assert again.status == "dead"
        assert await kernel.evaluate("print(1)", timeout=5) == ""


async def test_cancelling_a_cell_interrupts_it_and_leaves_the_kernel_usable(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        task = await printing(kernel, "print('on it', flush=True)\nwhile True: pass", "on it")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        outputs, executed = await run(kernel, "print('free')", timeout=5)
    assert printed(outputs) == "free\n"
    assert executed.status == "ok"


async def test_cancelling_at_any_moment_leaves_nothing_running(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        for milliseconds in range(0, 24, 2):
            task = asyncio.create_task(run(kernel, "while True: pass"))
            await asyncio.wait([task], timeout=milliseconds / 1000)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await kernel.evaluate("print('free')", timeout=20) == "free\n"


async def test_closing_the_iterator_interrupts_the_cell(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        cell = kernel.execute("print('on it', flush=True)\nwhile True: pass", timeout=60)
        assert printed([await anext(cell)]) == "on it\n"
        await cell.aclose()
        _, executed = await run(kernel, "print('free')", timeout=5)
    assert executed.status == "ok"


async def test_evaluate_prints_without_a_trace(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        await run(kernel, "x = 3")
        assert await kernel.evaluate("print(x + 1)", timeout=10) == "4\n"
        _, executed = await run(kernel, "len(In)")
    assert executed.count == 2


@pytest.mark.parametrize(("code", "timeout"), [("print(1); 1/0", 10), ("print(1)\nwhile True: pass", 0.5)])
async def test_evaluate_that_fails_or_is_late_is_empty(tmp_path: Path, code: str, timeout: float) -> None:
    async with own_kernel(tmp_path) as kernel:
        assert await kernel.evaluate(code, timeout=timeout) == ""
        assert await kernel.evaluate("print('free')", timeout=20) == "free\n"


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        await run(kernel, "1")
    files, threads = psutil.Process().num_fds(), threading.active_count()
    for _ in range(3):
        async with own_kernel(tmp_path) as kernel:
            pid = await pid_of(kernel)
            outputs, _ = await run(kernel, "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid)")
        assert await gone(pid)
        assert await gone(int(printed(outputs)))
    assert psutil.Process().num_fds() <= files
    assert threading.active_count() <= threads


async def test_a_kernel_dies_with_its_killed_owner(tmp_path: Path) -> None:
    owner = """
        import asyncio, pathlib
        from datarus_jupyter.kernels.own import own_kernel

        async def main():
            async with own_kernel(pathlib.Path(".")) as kernel:
                print((await kernel.evaluate("import os; print(os.getpid())", timeout=20)).strip(), flush=True)
                async for _ in kernel.execute("while True: pass", timeout=600): pass

        asyncio.run(main())
        """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(owner)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    assert await gone(pid)


async def test_an_unknown_kernel_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="no kernel called nonesuch: choose one of"):
        async with own_kernel(tmp_path, name="nonesuch"):
            pass


async def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="does not start in"):
        async with own_kernel(tmp_path / "absent"):
            pass


async def test_a_kernel_that_fails_at_its_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit('out of order')")
    with pytest.raises(KernelError, match="The kernel does not start: out of order"):
        async with own_kernel(tmp_path):
            pass


async def test_a_channel_that_is_not_open_says_so(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        pass
    with pytest.raises(KernelError, match="no connection"):
        await run(kernel, "1")


async def test_the_engines_key_does_not_reach_the_models_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATARUS_API_KEY", "secret-canary")
    async with own_kernel(tmp_path) as kernel:
        assert await kernel.evaluate("import os; print(sorted(os.environ))", timeout=10) != ""
        assert await kernel.evaluate("import os; print(os.environ.get('DATARUS_API_KEY'))", timeout=10) == "None\n"

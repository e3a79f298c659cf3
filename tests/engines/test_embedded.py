"""The embedded engine with a real model in a real child process. Tests the protocol, never the model's quality."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest
from lora import write_lora
from reading import HELLO, listen, read

from datarus_jupyter.agent.interfaces import Sampling, TextDelta
from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings
from datarus_jupyter.engines.openai_compatible import OpenAICompatible
from datarus_jupyter.errors import ContextTooLong, EngineError, EngineRefused, EngineUnreachable, ModelMissing
from datarus_jupyter.journal.events import Message
from tests.patience import PATIENCE

pytestmark = pytest.mark.engine

ENDLESS = "root ::= [a-z ] root"
LONG = [Message("system", "You count. " * 60), Message("user", "Count from one to one hundred.")]


def settings(model_file: Path, **changes: object) -> EmbeddedSettings:
    defaults: dict[str, object] = {"context": 1024, "wait_policy": "passive"}
    return EmbeddedSettings("smollm2-135m", model_file, **(defaults | changes))  # type: ignore[arg-type]


async def until(condition: object, seconds: float = PATIENCE) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_reply_streams_in_with_its_usage(smollm2: Path) -> None:
    states: list[str] = []
    async with Embedded(settings(smollm2), on_state=lambda: states.append(engine.state)) as engine:
        heard: list[TextDelta] = []
        end = await listen(engine, heard, LONG, max_tokens=24, grammar=ENDLESS)
        assert end is not None
        assert (end.finish, end.completion_tokens) == ("length", 24)
        assert len(heard) > 12
        assert end.prompt_tokens > 100
        assert engine.state == "ready"
    assert states == ["starting", "ready", "stopped"]


async def test_a_stop_string_ends_the_reply(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        text, end = await read(
            engine, max_tokens=64, stop=("</step>",), grammar='root ::= "<step>" [a-z]{3} "</step>" [a-z]{200}'
        )
    assert end.finish == "stop"
    assert text.startswith("<step>")
    assert len(text) == len("<step>abc")


async def test_a_grammar_fixes_the_form(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        text, _ = await read(engine, grammar='root ::= ("yes" | "no") "!"')
    assert text in ("yes!", "no!")


async def test_the_second_time_the_prefix_is_cached(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        _, first = await read(engine, LONG, max_tokens=4, temperature=0.0)
        _, second = await read(engine, LONG, max_tokens=4, temperature=0.0)
    assert first.cached_tokens == 0
    assert second.prompt_tokens == first.prompt_tokens
    assert second.cached_tokens >= first.prompt_tokens - 8


async def test_a_reply_that_the_context_cuts_off_is_an_error_that_says_so(smollm2: Path) -> None:
    async with Embedded(settings(smollm2, context=512)) as engine:
        with pytest.raises(ContextTooLong, match="does not fit the context"):
            await read(engine, LONG, max_tokens=900, grammar=ENDLESS)


async def test_a_question_right_after_a_cut_reply_finds_the_prefix_cached(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.warm(LONG)
        async with aclosing(engine.stream(LONG, Sampling(max_tokens=500, grammar=ENDLESS))) as cut:
            assert isinstance(await anext(cut), TextDelta)
        _, end = await read(engine, LONG, max_tokens=2)
        assert end.cached_tokens > 100


async def test_a_warmed_prefix_is_cached_for_the_first_question(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.warm(LONG[:1])
        _, end = await read(engine, LONG, max_tokens=4)
        assert end.cached_tokens > 100
        # Warming a server that runs reads the new prefix at once.
        await engine.warm([Message("system", "You sort. " * 60)])
        _, end = await read(engine, [Message("system", "You sort. " * 60), *HELLO], max_tokens=4)
        assert end.cached_tokens > 100


async def test_an_adapter_changes_what_the_model_says(smollm2: Path, tmp_path: Path) -> None:
    write_lora(tmp_path / "adapter.gguf", width=576)
    texts = []
    for lora_file in (None, tmp_path / "adapter.gguf"):
        async with Embedded(settings(smollm2, lora_file=lora_file)) as engine:
            texts.append((await read(engine, LONG, max_tokens=16, temperature=0.0, grammar=ENDLESS))[0])
    assert texts[0] != texts[1]


async def test_two_replies_stream_at_once(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.start()
        first: list[TextDelta] = []
        second: list[TextDelta] = []
        running = asyncio.create_task(listen(engine, first, LONG, max_tokens=400, grammar=ENDLESS))
        await until(lambda: len(first) > 2)
        await listen(engine, second, max_tokens=4)
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])
    assert second


async def test_closing_the_stream_stops_the_generation(smollm2: Path) -> None:
    async with Embedded(settings(smollm2, slots=1, context=8192)) as engine:
        async with aclosing(engine.stream(LONG, Sampling(max_tokens=8000, grammar=ENDLESS))) as stream:
            assert isinstance(await anext(stream), TextDelta)
        # The only slot answers the next question long before 8,000 tokens are written: nothing writes in it any more.
        started = time.monotonic()
        _, end = await read(engine, max_tokens=2)
        assert end.completion_tokens == 2
        assert time.monotonic() - started < 40


async def test_the_key_is_required(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.start()
        async with OpenAICompatible(engine.url, "smollm2-135m") as stranger:
            with pytest.raises(EngineRefused, match="401"):
                await read(stranger)


async def test_the_key_is_not_in_the_childs_arguments(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.start()
        child = psutil.Process(engine.pid)
        assert child.cmdline()[1:] == ["-P", "-m", "datarus_jupyter.engines.embedded_server"]
        assert {connection.laddr.ip for connection in child.net_connections()} == {"127.0.0.1"}


async def test_a_conversation_that_is_too_long_is_told_from_other_refusals(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        with pytest.raises(ContextTooLong, match="new conversation"):
            await read(engine, [Message("user", "hello " * 3000)])


async def test_a_killed_server_is_started_again_once(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.start()
        for attempt in ("restarted", "given up"):
            killed = engine.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            if attempt == "restarted":
                await until(lambda killed=killed: engine.state == "ready" and engine.pid not in (None, killed))
        await until(lambda: engine.state == "unreachable")
        assert "died twice" in engine.message
        # Asked for again, it comes back.
        assert (await read(engine, max_tokens=2))[1].completion_tokens == 2


async def test_a_server_that_dies_in_mid_reply_is_an_error_that_says_so(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.start()
        heard: list[TextDelta] = []
        running = asyncio.create_task(listen(engine, heard, LONG, max_tokens=900, grammar=ENDLESS))
        await until(lambda: len(heard) > 2)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        with pytest.raises(EngineError) as caught:
            await running
        assert caught.value.streamed
        assert (await read(engine, max_tokens=2))[1].completion_tokens == 2


async def test_a_server_that_died_unseen_is_started_again_for_the_question(smollm2: Path) -> None:
    async with Embedded(settings(smollm2)) as engine:
        await engine.start()
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        assert (await read(engine, max_tokens=2))[1].completion_tokens == 2


async def test_closing_ends_the_child_and_a_cancelled_start_leaves_none(smollm2: Path) -> None:
    engine = Embedded(settings(smollm2))
    await engine.start()
    assert engine.pid is not None
    child = psutil.Process(engine.pid)
    await engine.aclose()
    assert not child.is_running()
    starting = asyncio.create_task(engine.start())
    me = psutil.Process()
    await until(lambda: me.children())
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not me.children()
    assert engine.state == "stopped"


def test_the_child_dies_with_its_parent_even_by_sigkill(smollm2: Path) -> None:
    script = f"""
        import asyncio
        from pathlib import Path
        from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings
        async def main():
            engine = Embedded(EmbeddedSettings("m", Path({str(smollm2)!r}), context=512))
            await engine.start()
            print(engine.pid, flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        assert child.wait(timeout=PATIENCE) is None or not child.is_running()


async def test_a_missing_model_is_named_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    async with Embedded(settings(tmp_path / "none.gguf")) as engine:
        with pytest.raises(ModelMissing, match="datarus models pull smollm2-135m"):
            await read(engine)
        assert engine.state == "missing"
        assert engine.message


async def test_a_file_that_is_no_model_is_an_error_in_words(tmp_path: Path) -> None:
    file = tmp_path / "bad.gguf"
    file.write_bytes(b"not a model")
    async with Embedded(settings(file)) as engine:
        with pytest.raises(EngineUnreachable, match="could not start"):
            await engine.start()
        assert engine.state == "unreachable"


async def test_a_server_that_is_late_is_given_up(smollm2: Path) -> None:
    async with Embedded(settings(smollm2, start_seconds=0.05)) as engine:
        with pytest.raises(EngineUnreachable, match="not ready"):
            await engine.start()
    assert not psutil.Process().children()


def test_without_the_package_one_sentence_says_what_to_install(smollm2: Path) -> None:
    script = f"""
        import asyncio, sys
        from pathlib import Path
        sys.modules["xllamacpp"] = None  # as if it were not installed
        from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings
        asyncio.run(Embedded(EmbeddedSettings("m", Path({str(smollm2)!r}))).start())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=PATIENCE
    )
    assert 'pip install "datarus-jupyter[embedded]"' in done.stderr

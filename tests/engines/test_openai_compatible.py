"""The HTTP engine against a real server on a real socket, with every fault that the server can be given."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import aclosing

import pytest
from reading import HELLO, joined, listen, read
from tornado.netutil import bind_sockets

from datarus_jupyter.agent.interfaces import Sampling, TextDelta
from datarus_jupyter.engines.openai_compatible import OpenAICompatible, Patience
from datarus_jupyter.engines.scripted import Fault, ScriptedReply
from datarus_jupyter.engines.scripted_server import ScriptedServer
from datarus_jupyter.errors import (
    ContextTooLong,
    EngineBroken,
    EngineError,
    EngineRefused,
    EngineTimeout,
    EngineUnreachable,
)
from tests.patience import PATIENCE

QUICK = Patience(connect=5, first_token=1, idle=1, reply=20, probe=5, pauses=(0.01, 0.01))
TEXT = "Größe: <step>\u2028 the reply </step> and more"


def connect(
    server: ScriptedServer, *, key: str = "", patience: Patience = QUICK, logprobs: bool = False
) -> OpenAICompatible:
    return OpenAICompatible(server.url, "script", key=key, patience=patience, logprobs=logprobs)


async def wait_for_aborts(server: ScriptedServer, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while server.aborted < count:
            await asyncio.sleep(0.01)


async def test_a_reply_streams_in_with_its_usage() -> None:
    async with ScriptedServer([TEXT]) as server, connect(server) as engine:
        heard: list[TextDelta] = []
        end = await listen(engine, heard)
    assert joined(heard) == TEXT
    assert len(heard) > 5
    assert end is not None
    assert (end.finish, end.prompt_tokens, end.completion_tokens) == ("stop", 1, len(heard))
    assert 0 < end.first_token_seconds <= end.seconds


async def test_cached_tokens_are_reported() -> None:
    async with ScriptedServer(["one", "two"]) as server, connect(server) as engine:
        await read(engine)
        _, end = await read(engine)
    assert end.cached_tokens == 1


async def test_fields_that_are_not_set_are_left_out() -> None:
    async with ScriptedServer([TEXT] * 2, vllm=False) as server, connect(server) as engine:
        await read(engine, temperature=None)
        await read(engine, temperature=0.0, top_k=20, seed=7, max_tokens=9, stop=("</step>",), grammar="root ::= [a]")
    plain, full = server.bodies
    assert set(plain) == {"model", "messages", "max_tokens", "stream", "stream_options"}
    assert (full["temperature"], full["top_k"], full["seed"], full["max_tokens"]) == (0.0, 20, 7, 9)
    assert full["stop"] == ["</step>"]
    assert set(full) == set(plain) | {"temperature", "top_k", "seed", "stop"}


async def test_vllm_is_asked_for_what_only_vllm_understands() -> None:
    async with ScriptedServer([TEXT]) as server, connect(server, logprobs=True) as engine:
        heard: list[TextDelta] = []
        await listen(engine, heard, stop=("</step>",), grammar="root ::= [a]")
    (body,) = server.bodies
    assert body["include_stop_str_in_output"] is True
    assert body["return_token_ids"] is True
    assert body["structured_outputs"] == {"grammar": "root ::= [a]"}
    assert joined(heard).endswith("</step>")
    assert bytes(token for delta in heard for token in delta.token_ids).decode() == joined(heard)
    assert all(delta.logprobs == (-0.5,) for delta in heard)


async def test_no_more_tokens_are_asked_for_than_the_context_holds() -> None:
    async with ScriptedServer([TEXT], max_model_len=1000) as server, connect(server) as engine:
        await read(engine, max_tokens=2048)
    assert server.bodies[0]["max_tokens"] == 1000


async def test_without_a_model_the_first_one_served_is_used() -> None:
    async with ScriptedServer([TEXT]) as server, OpenAICompatible(server.url, patience=QUICK) as engine:
        assert (await read(engine))[0] == TEXT
        assert engine.model == "script"


async def test_the_probe_tells_what_the_server_is() -> None:
    async with ScriptedServer([], max_model_len=8192) as server, connect(server) as engine:
        found = await engine.probe()
    assert (found.dialect, found.models, found.context, found.version) == ("vllm", ("script",), 8192, "0.32.0")
    async with ScriptedServer([], vllm=False, max_model_len=None) as server, connect(server) as engine:
        found = await engine.probe()
    assert (found.dialect, found.context, found.version) == ("other", None, "")


async def test_the_key_opens_and_shows_nowhere() -> None:
    async with ScriptedServer([TEXT], key="sk-secret") as server, connect(server, key="sk-secret") as engine:
        assert (await read(engine))[0] == TEXT
        assert "sk-secret" not in repr(engine)
    echo = ScriptedReply(status=400, text="bad key sk-secret given")
    async with ScriptedServer([echo]) as server, connect(server, key="sk-secret") as engine:
        with pytest.raises(EngineRefused, match=r"bad key \*\*\* given"):
            await read(engine)


async def test_without_the_key_the_engine_refuses() -> None:
    async with ScriptedServer([TEXT], key="sk-secret") as server, connect(server) as engine:
        with pytest.raises(EngineRefused, match="DATARUS_API_KEY"):
            await read(engine)
        with pytest.raises(EngineRefused, match="DATARUS_API_KEY"):
            await engine.probe()


async def test_a_model_that_is_not_served_is_named() -> None:
    async with ScriptedServer([TEXT]) as server, OpenAICompatible(server.url, "other", patience=QUICK) as engine:
        with pytest.raises(EngineRefused, match="does not serve the model 'other'"):
            await read(engine)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, ContextTooLong), (401, EngineRefused), (404, EngineRefused), (500, EngineBroken)]
)
async def test_a_refusal_is_not_tried_again(status: int, kind: type[EngineError]) -> None:
    async with ScriptedServer([ScriptedReply(status=status), TEXT]) as server, connect(server) as engine:
        with pytest.raises(kind) as caught:
            await read(engine)
    assert not caught.value.streamed
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_busy_server_is_asked_again(status: int) -> None:
    busy = ScriptedReply(status=status)
    async with ScriptedServer([busy, busy, TEXT]) as server, connect(server) as engine:
        assert (await read(engine))[0] == TEXT
    async with ScriptedServer([busy] * 3) as server, connect(server) as engine:
        with pytest.raises(EngineError):
            await read(engine)
    assert len(server.bodies) == 3


async def test_a_server_that_is_not_there_yet_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    patient = Patience(connect=1, pauses=(0.1,) * 50)
    async with OpenAICompatible(f"http://127.0.0.1:{port}/v1", "script", patience=patient) as engine:
        reading = asyncio.create_task(read(engine))
        done, _ = await asyncio.wait([reading], timeout=0.2)
        assert not done
        async with ScriptedServer([TEXT], port=port):
            assert (await reading)[0] == TEXT


async def test_no_server_is_a_sentence_with_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    async with OpenAICompatible(f"http://127.0.0.1:{port}/v1", "script", patience=QUICK) as engine:
        with pytest.raises(EngineUnreachable, match=f"127.0.0.1:{port}"):
            await read(engine)
    async with OpenAICompatible(f"http://127.0.0.1:{port}/v1", patience=QUICK) as engine:
        with pytest.raises(EngineUnreachable):
            await read(engine)


async def test_a_server_that_never_answers_is_given_up() -> None:
    (listening,) = bind_sockets(0, "127.0.0.1")
    with listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        async with OpenAICompatible(url, "script", patience=Patience(probe=0.1, first_token=0.1)) as engine:
            with pytest.raises(EngineTimeout, match="sent no text"):
                await read(engine)


@pytest.mark.parametrize("fault", ["cut", "malformed"])
@pytest.mark.parametrize("after", [0, 7])
async def test_a_stream_that_breaks_says_whether_text_had_come(fault: Fault, after: int) -> None:
    heard: list[TextDelta] = []
    async with (
        ScriptedServer([ScriptedReply(text=TEXT, fault=fault, after=after)]) as server,
        connect(server) as engine,
    ):
        with pytest.raises(EngineBroken) as caught:
            await listen(engine, heard)
    assert joined(heard) == TEXT[:after]
    assert caught.value.streamed == (after > 0)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(("after", "words"), [(0, "sent no text"), (7, "fell silent")])
async def test_silence_ends_in_a_timeout_and_closes_the_connection(after: int, words: str) -> None:
    reply = ScriptedReply(text=TEXT, fault="stall", after=after)
    async with ScriptedServer([reply]) as server, connect(server) as engine:
        with pytest.raises(EngineTimeout, match=words) as caught:
            await read(engine)
        await wait_for_aborts(server, 1)
    assert caught.value.streamed == (after > 0)


async def test_a_slow_first_token_is_waited_for_and_measured() -> None:
    reply = ScriptedReply(text=TEXT, delay=1.2)
    patience = Patience(first_token=20, idle=1)
    async with ScriptedServer([reply]) as server, connect(server, patience=patience) as engine:
        text, end = await read(engine)
    assert text == TEXT
    assert end.first_token_seconds >= 1.2


async def test_a_buffered_reply_is_read_all_the_same() -> None:
    async with ScriptedServer([ScriptedReply(text=TEXT, fault="buffered")]) as server, connect(server) as engine:
        assert (await read(engine))[0] == TEXT


async def test_a_web_page_is_not_taken_for_a_model() -> None:
    async with ScriptedServer([ScriptedReply(fault="html")]) as server, connect(server) as engine:
        with pytest.raises(EngineBroken, match="web page"):
            await read(engine)
        elsewhere = OpenAICompatible(server.url.removesuffix("/v1") + "/login/v1", patience=QUICK)
        with pytest.raises(EngineBroken, match="web page"):
            await elsewhere.probe()
        await elsewhere.aclose()


async def test_an_endless_reply_is_cut_by_length() -> None:
    async with ScriptedServer([ScriptedReply(fault="endless")]) as server, connect(server) as engine:
        with pytest.raises(EngineBroken, match="does not stop at max_tokens") as caught:
            await read(engine, max_tokens=4)
        await wait_for_aborts(server, 1)
    assert caught.value.streamed


async def test_an_endless_reply_is_cut_by_time() -> None:
    patience = Patience(reply=0.3)
    reply = ScriptedReply(fault="endless")
    async with ScriptedServer([reply], tokens_per_second=50) as server, connect(server, patience=patience) as engine:
        started = time.monotonic()
        with pytest.raises(EngineBroken, match="did not come to an end"):
            await read(engine)
        assert time.monotonic() - started < 20
        await wait_for_aborts(server, 1)


async def test_closing_the_stream_closes_the_connection() -> None:
    async with ScriptedServer([ScriptedReply(fault="endless")]) as server, connect(server) as engine:
        async with aclosing(engine.stream(HELLO, Sampling())) as stream:
            assert isinstance(await anext(stream), TextDelta)
        await wait_for_aborts(server, 1)


async def test_cancelling_the_task_closes_the_connection() -> None:
    reply = ScriptedReply(text=TEXT, fault="stall", after=7)
    patience = Patience(idle=60)
    async with ScriptedServer([reply]) as server, connect(server, patience=patience) as engine:
        heard: list[TextDelta] = []
        reading = asyncio.create_task(listen(engine, heard))
        async with asyncio.timeout(PATIENCE):
            while joined(heard) != TEXT[:7]:
                await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await wait_for_aborts(server, 1)


async def test_two_replies_stream_at_once() -> None:
    async with ScriptedServer([TEXT, TEXT], tokens_per_second=200) as server, connect(server) as engine:
        replies = await asyncio.gather(read(engine), read(engine))
    assert [text for text, _ in replies] == [TEXT, TEXT]

"""The scripted engine: replies in order, small pieces, stop strings, speed, usage, faults."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import HELLO, joined, listen, read

from datarus_jupyter.agent.interfaces import Sampling, StreamEnd, TextDelta
from datarus_jupyter.engines.scripted import Script, ScriptedEngine, ScriptedReply, cut_at_stop, pieces
from datarus_jupyter.errors import ConfigError, ContextTooLong, EngineBroken, EngineError, EngineRefused
from datarus_jupyter.journal.events import Message


@given(st.text())
def test_pieces_lose_nothing(text: str) -> None:
    cut = list(pieces(text))
    assert "".join(cut) == text
    assert all(1 <= len(piece) <= 6 for piece in cut)


@given(st.text(alphabet="ab<>"), st.lists(st.text(alphabet="ab<>", min_size=1, max_size=3)))
def test_text_is_cut_at_the_first_stop_string(text: str, stop: list[str]) -> None:
    cut, kept = cut_at_stop(text, stop), cut_at_stop(text, stop, include=True)
    assert text.startswith(kept)
    assert kept.startswith(cut)
    assert not any(string in cut for string in stop)
    assert (kept == text) or any(kept.endswith(string) for string in stop)


async def test_replies_come_in_order_and_run_out() -> None:
    engine = ScriptedEngine(["one", "two"])
    assert (await read(engine))[0] == "one"
    assert (await read(engine))[0] == "two"
    with pytest.raises(EngineBroken, match="no reply left"):
        await read(engine)


async def test_a_reply_waits_for_the_conversation_it_is_meant_for() -> None:
    engine = ScriptedEngine([ScriptedReply(text="about whales", when="whale"), "about all"])
    assert (await read(engine))[0] == "about all"
    assert (await read(engine, [Message("user", "a whale?")]))[0] == "about whales"


async def test_each_conversation_can_play_the_script_from_its_start() -> None:
    engine = ScriptedEngine(Script(["one", "two"], per_conversation=True))
    longer = [*HELLO, Message("assistant", "one"), Message("user", "go on")]
    other = [Message("user", "something else")]
    assert (await read(engine, HELLO))[0] == "one"
    assert (await read(engine, other))[0] == "one"
    assert (await read(engine, longer))[0] == "two"
    assert (await read(engine, HELLO))[0] == "one"


async def test_a_reply_file_is_replayed(tmp_path: Path) -> None:
    file = tmp_path / "replies.json"
    file.write_text(json.dumps(["one", {"text": "two", "delay": 0.001}]))
    engine = ScriptedEngine.from_file(file, tokens_per_second=5000)
    assert [(await read(engine))[0], (await read(engine))[0]] == ["one", "two"]
    file.write_text(json.dumps({"per_conversation": True, "replies": ["one"]}))
    engine = ScriptedEngine.from_file(file)
    assert [(await read(engine))[0], (await read(engine, [Message("user", "x")]))[0]] == ["one", "one"]


@pytest.mark.parametrize("content", ["[", '[{"txt": "misspelt"}]', '{"replies": 1}', None])
def test_a_reply_file_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "replies.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"replies\.json"):
        ScriptedEngine.from_file(file)


async def test_stop_strings_end_the_reply() -> None:
    assert (await read(ScriptedEngine(["a</step>b"]), stop=("</step>",)))[0] == "a"
    assert (await read(ScriptedEngine(["a</step>b"], include_stop=True), stop=("</step>",)))[0] == "a</step>"


async def test_usage_counts_tokens_and_the_cached_prefix() -> None:
    engine = ScriptedEngine(["a reply of some length", "short"])
    _, first = await read(engine, [Message("user", "x" * 400)], max_tokens=3)
    assert (first.finish, first.completion_tokens, first.prompt_tokens, first.cached_tokens) == ("length", 3, 100, 0)
    _, second = await read(engine, [Message("user", "x" * 400), Message("assistant", "y" * 40)])
    assert (second.finish, second.prompt_tokens, second.cached_tokens) == ("stop", 110, 100)


async def test_the_speed_is_kept_on_the_whole() -> None:
    engine = ScriptedEngine(["x" * 21 * 15], tokens_per_second=500)
    started = time.monotonic()
    _, end = await read(engine)
    assert end.completion_tokens == 90
    assert time.monotonic() - started >= 89 / 500


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (ScriptedReply(status=400), ContextTooLong),
        (ScriptedReply(status=401), EngineRefused),
        (ScriptedReply(status=503), EngineBroken),
        (ScriptedReply(fault="html"), EngineBroken),
    ],
)
async def test_a_refusal_comes_before_any_text(reply: ScriptedReply, error: type[EngineError]) -> None:
    with pytest.raises(error) as caught:
        await read(ScriptedEngine([reply]))
    assert not caught.value.streamed


async def test_a_cut_stream_says_that_text_was_streamed() -> None:
    engine = ScriptedEngine([ScriptedReply(text="a long reply", fault="cut", after=7)])
    heard: list[TextDelta] = []
    with pytest.raises(EngineBroken) as caught:
        await listen(engine, heard)
    assert (joined(heard), caught.value.streamed) == ("a long ", True)


async def test_a_stalled_stream_is_silent_until_it_is_cancelled() -> None:
    engine = ScriptedEngine([ScriptedReply(text="a long reply", fault="stall", after=7)])
    heard: list[TextDelta] = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listen(engine, heard), 0.2)
    assert joined(heard) == "a long "


async def test_a_buffered_reply_comes_in_one_lump() -> None:
    deltas = [
        d async for d in ScriptedEngine([ScriptedReply(text="all at once", fault="buffered")]).stream(HELLO, Sampling())
    ]
    assert [type(delta) for delta in deltas] == [TextDelta, StreamEnd]


async def test_an_endless_reply_goes_on_past_its_limit() -> None:
    engine = ScriptedEngine([ScriptedReply(text="again ", fault="endless")])
    heard = ""
    async for delta in engine.stream(HELLO, Sampling(max_tokens=2)):
        assert isinstance(delta, TextDelta)
        heard += delta.text
        if len(heard) > 1000:
            break
    assert heard.startswith("again again again")

"""The readiness check finds what each fault means for a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings
from datarus_jupyter.engines.openai_compatible import OpenAICompatible, Patience
from datarus_jupyter.engines.readiness import ReadinessLine, check
from datarus_jupyter.engines.scripted import Script, ScriptedReply
from datarus_jupyter.engines.scripted_server import ScriptedServer

COUNT = "one, two, three, four, five, six, seven, eight"
TAGS = "<step><thought>ready</thought></step>"
QUICK = Patience(connect=5, first_token=5, idle=5, probe=5, pauses=())
ALL = ["reachable", "model", "context", "streaming", "first token", "speed", "tags", "prefix cache"]


async def lines_of(replies: list[str | ScriptedReply], model: str = "", **options: object) -> dict[str, ReadinessLine]:
    server = ScriptedServer(Script(replies), tokens_per_second=100, **options)  # type: ignore[arg-type]
    async with server, OpenAICompatible(server.url, model, patience=QUICK) as engine:
        return {line.name: line async for line in check(engine)}


async def test_a_good_engine_is_fit() -> None:
    lines = await lines_of([COUNT, TAGS, COUNT])
    assert list(lines) == ALL
    assert all(line.ok for line in lines.values())
    assert "4,096 tokens" in lines["context"].text
    assert "kept" in lines["tags"].text


async def test_a_buffered_stream_is_found() -> None:
    lines = await lines_of([ScriptedReply(text=COUNT, fault="buffered"), TAGS, COUNT])
    assert not lines["streaming"].ok
    assert "proxy" in lines["streaming"].text
    assert lines["tags"].ok


async def test_tags_that_are_filtered_are_found() -> None:
    lines = await lines_of([COUNT, "ready", COUNT])
    assert not lines["tags"].ok
    assert "'ready'" in lines["tags"].text


async def test_a_short_or_untold_context_is_told() -> None:
    assert not (await lines_of([COUNT, TAGS, COUNT], max_model_len=2048))["context"].ok
    assert (await lines_of([COUNT, TAGS, COUNT], max_model_len=None, vllm=False))["context"].ok


async def test_a_stop_string_that_is_left_out_is_fine() -> None:
    lines = await lines_of([COUNT, TAGS, COUNT], vllm=False)
    assert lines["tags"].ok
    assert "left out" in lines["tags"].text


async def test_a_model_that_is_not_served_is_the_last_word_but_one() -> None:
    lines = await lines_of([COUNT], model="other")
    assert not lines["model"].ok
    assert "script" in lines["model"].text
    assert list(lines)[-1] == "answers"


async def test_an_engine_that_does_not_answer_is_one_line() -> None:
    async with OpenAICompatible("http://127.0.0.1:9/v1", patience=QUICK) as engine:
        (line,) = [line async for line in check(engine)]
    assert not line.ok
    assert "127.0.0.1:9" in line.text


@pytest.mark.engine
async def test_the_embedded_engine_is_fit(smollm2: Path) -> None:
    async with Embedded(EmbeddedSettings("smollm2-135m", smollm2, context=4096, slots=1)) as engine:
        lines = {line.name: line async for line in check(engine)}
    assert list(lines) == ALL
    assert all(line.ok for line in lines.values()), lines
    assert "were cached" in lines["prefix cache"].text

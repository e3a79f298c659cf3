"""What the product needs of vLLM, asked of a real one on the CPU with a small model: form and counts, never quality."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from reading import joined, listen, read
from vllm_server import BLOCK, CONTEXT, MODEL, VllmServer, model_folder, serving

from datarus_jupyter.agent.interfaces import Limits, Question, Sampling, TextDelta
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.engines.config import EngineConfig, open_engine
from datarus_jupyter.engines.openai_compatible import OpenAICompatible
from datarus_jupyter.engines.readiness import check
from datarus_jupyter.errors import ContextTooLong, EngineRefused
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.journal.log import read as read_journal
from datarus_jupyter.journal.messages import MessagesFold
from datarus_jupyter.journal.summary import SummaryFold
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.grammar import turn_grammar
from datarus_jupyter.protocol.tags import STOP
from tests.patience import PATIENCE

# The first test waits for the server too, on a machine that may have other work.
pytestmark = [pytest.mark.vllm, pytest.mark.timeout(600)]

Kind = TypeVar("Kind", bound=ev.Event)

ENDLESS = "root ::= [a-z ] root"
COUNT = [ev.Message("user", "Count from one to one hundred in words.")]
# The product's grammar with bounded texts: a model of 135M parameters does not find an end by itself.
SHORT_STEPS = turn_grammar("").replace(")+", "){1,60}")
SHORT = Sampling(temperature=0.0, max_tokens=160, stop=STOP, grammar=SHORT_STEPS)


@pytest.fixture(scope="session")
def vllm(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """One server for all tests."""
    with serving(model_folder(smollm2), tmp_path_factory.mktemp("vllm") / "vllm.log") as server:
        yield server


def connect(server: VllmServer, model: str = "", *, key: str | None = None, logprobs: bool = False) -> OpenAICompatible:
    key = server.key if key is None else key
    return OpenAICompatible(f"{server.url}/v1", model, key=key, logprobs=logprobs)


async def work(folder: Path, server: VllmServer, question: str, limits: Limits) -> list[ev.AnyEvent]:
    """A whole run; its events as they are read back from the journal. The settings are those that a user gives."""
    folder.mkdir(exist_ok=True)
    config = EngineConfig.load({}, {"DATARUS_ENGINE_URL": server.url, "DATARUS_API_KEY": server.key})
    async with open_engine(config) as engine, own_kernel(folder) as kernel:
        with RunLog(folder / "run.jsonl") as log:
            end = await Agent(engine, kernel, log, limits=limits, sampling=SHORT).run(Question(question))
            assert log.events[-1] is end
    return read_journal(folder / "run.jsonl")


def of(events: list[ev.AnyEvent], kind: type[Kind]) -> list[Kind]:
    return [event for event in events if isinstance(event, kind)]


async def until_idle(server: VllmServer, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while server.metric("vllm:num_requests_running") + server.metric("vllm:num_requests_waiting"):
            await asyncio.sleep(0.1)


async def test_the_probe_says_that_it_is_vllm(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        found = await engine.probe()
        assert engine.model == MODEL
    assert (found.dialect, found.models, found.context) == ("vllm", (MODEL,), CONTEXT)
    assert found.version


async def test_the_readiness_check_finds_it_fit(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        lines = {line.name: line async for line in check(engine)}
    assert [line for line in lines.values() if not line.ok] == []
    assert "the stop string is kept" in lines["tags"].text
    assert "were cached" in lines["prefix cache"].text


async def test_a_reply_streams_in_with_its_usage(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        heard: list[TextDelta] = []
        end = await listen(engine, heard, COUNT, max_tokens=32, grammar=ENDLESS)
    assert end is not None
    assert (end.finish, end.completion_tokens) == ("length", 32)
    assert end.prompt_tokens > 10
    assert len(heard) > 8
    assert 0 < end.first_token_seconds < end.seconds


async def test_a_stop_string_ends_the_reply_and_is_part_of_it(vllm: VllmServer) -> None:
    grammar = 'root ::= "<step>" [a-z]{3} "</step>" [a-z]{200}'
    async with connect(vllm) as engine:
        text, end = await read(engine, max_tokens=64, stop=STOP, grammar=grammar)
    assert end.finish == "stop"
    assert text.startswith("<step>")
    assert text.endswith("</step>")
    assert len(text) == len("<step>abc</step>")


async def test_token_ids_and_logprobs_are_those_of_the_text(vllm: VllmServer) -> None:
    async with connect(vllm, logprobs=True) as engine:
        heard: list[TextDelta] = []
        end = await listen(engine, heard, COUNT, max_tokens=16, grammar=ENDLESS)
        ids = [token for delta in heard for token in delta.token_ids]
        assert end is not None
        assert len(ids) == end.completion_tokens == 16
        assert all(len(delta.logprobs) == len(delta.token_ids) for delta in heard)
        assert all(logprob <= 0 for delta in heard for logprob in delta.logprobs)
    assert vllm.text_of(ids) == joined(heard)


async def test_a_grammar_fixes_the_form(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        text, end = await read(engine, grammar='root ::= ("yes" | "no") "!"')
    assert text in ("yes!", "no!")
    assert end.finish == "stop"


async def test_the_products_grammar_is_one_that_vllm_takes(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        text, _ = await read(engine, COUNT, max_tokens=24, stop=STOP, grammar=turn_grammar(""))
    assert text.startswith(("<step>\n<thought>", "<stop_analysis>\n<thought>"))


async def test_more_tokens_than_the_context_has_left_may_be_asked_for(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        text, _ = await read(engine, max_tokens=2 * CONTEXT, grammar='root ::= "yes"')
    assert text == "yes"


async def test_a_whole_run_ends_in_form_and_its_prompts_come_from_the_cache(tmp_path: Path, vllm: VllmServer) -> None:
    queried, hit = (vllm.metric(f"vllm:prefix_cache_{name}_total") for name in ("queries", "hits"))
    events = await work(tmp_path, vllm, "Print the sum of 2 and 3.", Limits(steps=2))
    end = events[-1]
    assert isinstance(end, ev.RunFinished)
    assert end.reason in ("answered", "steps", "errors", "repetition", "format"), end.message
    replies, usages = of(events, ev.Reply), of(events, ev.Usage)
    assert len(replies) == len(usages) >= 2
    assert all(len(reply.token_ids) == usage.completion_tokens for reply, usage in zip(replies, usages, strict=True))
    assert {done.status for done in of(events, ev.ExecutionFinished)} <= {"ok", "error"}
    # From the second turn on, whole blocks of what the turn before has left are not worked on again.
    for before, after in itertools.pairwise(usages):
        assert after.prompt_tokens > before.prompt_tokens
        assert after.cached_tokens >= before.prompt_tokens - BLOCK
    assert vllm.metric("vllm:prefix_cache_queries_total") - queried == sum(usage.prompt_tokens for usage in usages)
    assert vllm.metric("vllm:prefix_cache_hits_total") - hit == sum(usage.cached_tokens for usage in usages)
    folds_are_whole(events)


def folds_are_whole(events: list[ev.AnyEvent]) -> None:
    """The journal's views hold what happened."""
    summary = SummaryFold.of(events).summary
    steps = of(events, ev.StepClosed)
    assert summary.steps == max((step.step for step in steps), default=0)
    assert summary.completion_tokens == sum(usage.completion_tokens for usage in of(events, ev.Usage))
    messages = MessagesFold.of(events).messages
    assert [message.content for message in messages if message.role == "assistant"][-1] == of(events, ev.Reply)[-1].text
    sources = [cell["source"] for cell in CellsFold.of(events).cells]
    assert all(step.code in sources for step in steps)


async def test_two_runs_at_once(tmp_path: Path, vllm: VllmServer) -> None:
    questions = {"one": "Print the number 1.", "two": "Print the number 2."}
    runs = await asyncio.gather(
        *(work(tmp_path / name, vllm, asked, Limits(steps=1)) for name, asked in questions.items())
    )
    for run in runs:
        assert isinstance(run[-1], ev.RunFinished)
        assert run[-1].reason != "engine", run[-1].message
        folds_are_whole(run)
    one, two = ([text.ts for text in of(run, ev.Text)] for run in runs)
    assert max(one[0], two[0]) < min(one[-1], two[-1]), "they streamed one after the other"


async def test_closing_the_stream_stops_the_generation(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        sampling = Sampling(max_tokens=CONTEXT - 200, grammar=ENDLESS, temperature=1.0)
        async with aclosing(engine.stream(COUNT, sampling)) as stream:
            assert isinstance(await anext(stream), TextDelta)
            assert vllm.metric("vllm:num_requests_running") == 1
        # At 50 tokens a second, twice this CPU's speed, the reply would take over a minute.
        await until_idle(vllm, 10)


async def test_stopping_a_run_stops_the_generation(tmp_path: Path, vllm: VllmServer) -> None:
    streaming = asyncio.Event()
    endless = replace(SHORT, max_tokens=2000, grammar='root ::= "<step><thought>" [a-z ]+')
    async with connect(vllm) as engine, own_kernel(tmp_path) as kernel:
        await engine.start()
        with RunLog(tmp_path / "run.jsonl") as log:
            log.subscribe(lambda event: streaming.set() if isinstance(event, ev.Text) else None)
            run = asyncio.create_task(Agent(engine, kernel, log, sampling=endless).run(Question("Wait.")))
            await asyncio.wait_for(streaming.wait(), PATIENCE)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            await until_idle(vllm, 10)
            assert isinstance(log.events[-1], ev.RunFinished)
            assert log.events[-1].reason == "stopped"


async def test_a_conversation_that_is_too_long_is_told_from_other_refusals(vllm: VllmServer) -> None:
    async with connect(vllm) as engine:
        with pytest.raises(ContextTooLong, match=r"4096 tokens.*start a new conversation, or serve .* longer context"):
            await read(engine, [ev.Message("user", "hello " * 2 * CONTEXT)])
        # It says nothing against the engine.
        assert engine.state == "ready"


async def test_a_run_that_outgrows_the_context_ends_in_that_sentence(tmp_path: Path, vllm: VllmServer) -> None:
    events = await work(tmp_path, vllm, "hello " * 2 * CONTEXT, Limits(steps=1))
    assert isinstance(events[-1], ev.RunFinished)
    assert events[-1].reason == "engine"
    assert "start a new conversation" in events[-1].message


@pytest.mark.parametrize("key", ["", "not-the-key"])
async def test_without_the_right_key_it_refuses(vllm: VllmServer, key: str) -> None:
    async with connect(vllm, MODEL, key=key) as engine:
        with pytest.raises(EngineRefused, match="DATARUS_API_KEY"):
            await read(engine)
        with pytest.raises(EngineRefused, match="DATARUS_API_KEY"):
            await engine.probe()


async def test_a_model_that_is_not_served_is_named(vllm: VllmServer) -> None:
    async with connect(vllm, "another") as engine:
        with pytest.raises(EngineRefused, match="does not serve the model 'another'"):
            await read(engine)
        assert {line.name: line.ok async for line in check(engine)}["model"] is False

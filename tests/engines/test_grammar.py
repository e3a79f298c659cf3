"""The turn's grammar on a real model: even one too small for analysis keeps to the form."""

from __future__ import annotations

import re
from contextlib import aclosing
from pathlib import Path

import pytest

from datarus_jupyter.agent.interfaces import Sampling, TextDelta
from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings
from datarus_jupyter.journal.events import Message
from datarus_jupyter.protocol.grammar import end_grammar, step_grammar, turn_grammar
from datarus_jupyter.protocol.parser import Ended, Parsed, StepClosed, StreamParser
from datarus_jupyter.protocol.tags import STOP

pytestmark = pytest.mark.engine

QUESTION = "What are 2 + 3 and 2 - 3? Answer in the form @sum[value] @difference[value]."


async def reply(model: Path, grammar: str) -> str:
    # A model of 135M parameters does not find an end by itself.
    grammar = grammar.replace(")+", "){1,60}").replace("]*", "]{1,12}")
    settings = EmbeddedSettings("smollm2", model, context=1024, slots=1)
    sampling = Sampling(temperature=0.0, max_tokens=200, stop=STOP, grammar=grammar)
    async with Embedded(settings) as engine, aclosing(engine.stream([Message("user", QUESTION)], sampling)) as stream:
        return "".join([delta.text async for delta in stream if isinstance(delta, TextDelta)])


def parse(text: str) -> list[Parsed]:
    parser = StreamParser()
    return [*parser.feed(text), *parser.finish()]


async def test_a_small_model_answers_in_the_form_that_was_asked_for(smollm2: Path) -> None:
    answers = [v.answer for v in parse(await reply(smollm2, end_grammar(QUESTION))) if isinstance(v, Ended)]
    assert re.findall(r"@(\w+)\[[^\]]+\]", "".join(answers)) == ["sum", "difference"]


async def test_a_small_model_takes_a_step_or_ends(smollm2: Path) -> None:
    assert isinstance(parse(await reply(smollm2, turn_grammar(QUESTION)))[-1], StepClosed | Ended)


async def test_a_small_model_can_be_held_to_a_step(smollm2: Path) -> None:
    assert any(isinstance(value, StepClosed) for value in parse(await reply(smollm2, step_grammar())))

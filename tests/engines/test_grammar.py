"""The turn's grammar on a real model: even one too small for analysis keeps to the form."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

from datarus_jupyter.agent.asked import missing_form
from datarus_jupyter.agent.interfaces import Sampling, TextDelta
from datarus_jupyter.engines.embedded import Embedded, EmbeddedSettings
from datarus_jupyter.journal.events import Message
from datarus_jupyter.protocol.grammar import end_grammar, turn_grammar
from datarus_jupyter.protocol.parser import Ended, StepOpened, StreamParser
from datarus_jupyter.protocol.tags import STOP

QUESTION = "What are 2 + 3 and 2 - 3? Answer in the form @sum[value] @difference[value]."


async def reply(model: Path, grammar: str) -> str:
    settings = EmbeddedSettings("smollm2", model, context=1024, slots=1)
    sampling = Sampling(temperature=0.0, max_tokens=200, stop=STOP, grammar=grammar)
    async with Embedded(settings) as engine, aclosing(engine.stream([Message("user", QUESTION)], sampling)) as stream:
        return "".join([delta.text async for delta in stream if isinstance(delta, TextDelta)])


async def test_a_small_model_answers_in_the_form_that_was_asked_for(smollm2: Path) -> None:
    parser = StreamParser()
    parsed = [*parser.feed(await reply(smollm2, end_grammar(QUESTION))), *parser.finish()]
    answers = [value.answer for value in parsed if isinstance(value, Ended)]
    assert len(answers) == 1
    assert missing_form(QUESTION, answers[0]) == ""


async def test_a_small_model_takes_a_step_or_ends(smollm2: Path) -> None:
    text = await reply(smollm2, turn_grammar(QUESTION))
    assert text.startswith(("<step>\n<thought>", "<stop_analysis>\n<thought>"))
    assert any(isinstance(value, StepOpened | Ended) for value in StreamParser().feed(text))

"""The streaming parser: chunking changes nothing, no character is lost, and what the open agent mends is mended."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datarus_jupyter.protocol.parser import Complaint, Delta, Ended, Parsed, StepClosed, StepOpened, StreamParser
from datarus_jupyter.protocol.tags import TAGS, render_answer, render_step


class Reading(NamedTuple):
    """A reply as parsed, deltas of one channel joined."""

    values: list[Parsed]
    repairs: list[str]

    @property
    def text(self) -> str:
        return "".join(value.text for value in self.values if isinstance(value, Delta))

    def channel(self, name: str) -> list[str]:
        return [value.text for value in self.values if isinstance(value, Delta) and value.channel == name]

    @property
    def codes(self) -> list[str]:
        return [value.code for value in self.values if isinstance(value, StepClosed)]

    @property
    def last(self) -> Parsed:
        return self.values[-1]


def parse(chunks: list[str], truncated: bool = False) -> Reading:
    parser = StreamParser()
    values: list[Parsed] = []
    for value in [v for chunk in chunks for v in parser.feed(chunk)] + parser.finish(truncated=truncated):
        last = values[-1] if values else None
        if isinstance(value, Delta) and isinstance(last, Delta) and last.channel == value.channel:
            values[-1] = Delta(value.channel, last.text + value.text)
        else:
            values.append(value)
    return Reading(values, parser.repairs)


def cut(text: str, sizes: list[int]) -> list[str]:
    chunks, at = [], 0
    for size in sizes:
        chunks.append(text[at : at + size])
        at += size
    return [*chunks, text[at:]]


pieces = st.sampled_from(
    [f"<{tag}>" for tag in TAGS]
    + [f"</{tag}>" for tag in TAGS]
    + ["<Step>", "<ACTION_INPUT>", "<st", "</", "<", ">", "```", "```python\n", "\n```\n", "python_executor"]
    + ["\n", " ", "\n\n    ", "x = 1", "'", '"', '"""', "\\", "# don't", "a < b", "The mean is 3.", "é🙂"]
)
replies = st.one_of(
    st.lists(pieces, max_size=40).map("".join),
    st.text(max_size=80),
    st.builds(render_step, st.text(max_size=40), st.lists(pieces, max_size=12).map("".join)),
)


@settings(max_examples=1500)
@given(replies, st.lists(st.integers(0, 12), max_size=60), st.booleans())
def test_any_chunking_gives_the_same_and_loses_nothing(text: str, sizes: list[int], truncated: bool) -> None:
    whole = parse([text], truncated)
    assert parse(cut(text, sizes), truncated) == whole
    assert whole.text == text


@settings(max_examples=500)
@given(replies)
def test_steps_open_before_they_close_and_an_answer_ends_all(text: str) -> None:
    opened = closed = 0
    ended = False
    for value in parse([text]).values:
        opened += isinstance(value, StepOpened)
        closed += isinstance(value, StepClosed)
        assert closed <= opened
        assert not (ended and isinstance(value, StepOpened | StepClosed | Ended))
        ended = ended or isinstance(value, Ended)


@settings(max_examples=300)
@given(st.lists(st.text(alphabet="abc '\"#\n<>=()", min_size=1, max_size=30), min_size=1, max_size=3))
def test_whole_steps_come_back_as_written(thoughts: list[str]) -> None:
    text = "\n".join(render_step(thought, f"print({len(thought)})") for thought in thoughts)
    reading = parse([text])
    assert reading.codes == [f"print({len(thought)})" for thought in thoughts]
    assert reading.repairs in ([], ["missing <thought>"])
    assert [t.strip() for t in thoughts if t.strip()] == reading.channel("thought")


def test_a_step_streams_character_by_character() -> None:
    parser = StreamParser()
    seen = [
        v for c in "<step><thought>Load it" for v in parser.feed(c) if isinstance(v, Delta) and v.channel == "thought"
    ]
    assert "".join(v.text for v in seen) == "Load it"
    assert len(seen) == 6  # the space waits for the letter after it


STEP = (
    "<step>",
    "<thought>Look.</thought>",
    "<action>python_executor</action>",
    "<action_input>\nx = 1\n</action_input>",
    "</step>",
)


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("".join(STEP).replace("<step>", "<Step>"), "capital tag"),
        ("<step>Look." + "".join(STEP[2:]), "missing <thought>"),
        ("".join(STEP).replace("python_executor", ""), "action is not python_executor"),
        ("".join(STEP[:3]) + "<action_input>\nx = 1\n</step>", "missing </action_input>"),
        ("".join(STEP).replace("\nx = 1\n", "\n```python\nx = 1\n```\n"), "code fence"),
        ("".join(STEP).replace("\nx = 1\n", "\n```\nx = 1\n```\nThis sets x.\n"), "code fence"),
        ("<action_input>x = 1</action_input>", "missing <step>"),
        ("Sure! Here it is:\n" + "".join(STEP), "text around the step"),
        ("".join(STEP[:4]) + "<observation>x is 1</observation></step>", "invented observation"),
    ],
)
def test_mended_replies_keep_their_code(text: str, repair: str) -> None:
    reading = parse([text])
    assert reading.codes == ["x = 1"]
    assert repair in reading.repairs


@pytest.mark.parametrize("end", ["", "</action_input>", "</action_input>\n", "</action_input>\n</step>"])
def test_a_left_out_stop_string_is_no_repair(end: str) -> None:
    reading = parse(["".join(STEP[:3]) + "<action_input>\nx = 1\n" + end])
    assert reading.codes == ["x = 1"]
    assert reading.repairs == []


@pytest.mark.parametrize(
    "code",
    [
        'print("</action_input></step>")',
        "s = '''\n</action_input>\n</step>\n'''",
        "parts = {'</step>': 1, \"<observation>\": 2}",
        "ok = 'it\\'s </action_input>'",
        '# don\'t stop\nprint("<observation>")',
        "if a < b > c: pass",
    ],
)
def test_tag_names_in_the_code_stay_code(code: str) -> None:
    reading = parse([render_step("Look.", code)])
    assert reading.codes == [code]
    assert reading.repairs == []


def test_an_invented_observation_is_set_apart() -> None:
    reading = parse(["".join(STEP[:4]), "<observation>x is 1\n</observation></step>"])
    assert reading.channel("observation") == ["x is 1"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (render_answer("Done.", "Gentoo, 5,076 g."), "Gentoo, 5,076 g."),
        ("<think>2 + 2</think>\n<answer>4</answer>", "4"),
        ("<stop_analysis><thought>Done.</thought><answer>4", "4"),
        ("<stop_analysis><thought>Done.</thought>It is 4.</stop_analysis>", "It is 4."),
        ("<stop_analysis>It is 4.</stop_analysis>", "It is 4."),
    ],
)
def test_answers(text: str, answer: str) -> None:
    reading = parse([text])
    assert [v.answer for v in reading.values if isinstance(v, Ended)] == [answer]


def test_reflection_keeps_its_thinking_apart() -> None:
    reading = parse(["<think>First a, then b.</think><answer>c</answer>"])
    assert (reading.channel("think"), reading.channel("answer")) == (["First a, then b."], ["c"])


@pytest.mark.parametrize(
    ("text", "truncated", "reason"),
    [
        ("I cannot do that.", False, "no_step"),
        ("", False, "no_step"),
        ("<step><thought>Look.</thought></step>", False, "no_code"),
        ("<step><thought>Look.</thought><action_input>\n\n</action_input></step>", False, "no_code"),
        ("<step><thought>Look.</thought><action_input>x = ", True, "cut"),
    ],
)
def test_replies_without_a_step_are_complained_of(text: str, truncated: bool, reason: str) -> None:
    assert parse([text], truncated).last == Complaint(reason)  # type: ignore[arg-type]

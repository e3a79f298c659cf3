"""The asked form of an answer, and the grammar that holds a model to it."""

from __future__ import annotations

import pytest

from datarus_jupyter.agent.asked import missing_form
from datarus_jupyter.protocol.form import asked_names, form_of, unfilled
from datarus_jupyter.protocol.grammar import end_grammar, step_grammar, turn_grammar
from datarus_jupyter.protocol.prompts import DATARUS, FIGURE, GENERAL, observation_turn


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Give @mean[value] and @sd[value].", ("mean", "sd")),
        ("@mean[m], where @mean[m] is a number", ("mean",)),
        ("Write to me@example.org [soon].", ()),
        ("Which species is heaviest?", ()),
    ],
)
def test_the_names_are_found_once_and_in_order(question: str, names: tuple[str, ...]) -> None:
    assert asked_names(question) == names


def test_an_answer_in_the_form_needs_no_reminder() -> None:
    question = "Give @mean[value] and @sd[value]."
    form = form_of(asked_names(question))
    assert form == "@mean[value] @sd[value]"
    assert missing_form(question, "@mean[1] @sd[]") == ""
    assert "does not give @sd[value] as" in missing_form(question, "@mean[1]")


def test_the_questions_own_placeholder_is_no_answer() -> None:
    question = "Give @outliers[list_of_outliers] and @count[number], where @count[number] is an integer."
    assert unfilled(question, "@outliers[list_of_outliers] @count[3]") == ("outliers",)
    assert unfilled(question, "@outliers[1, 2] @count[number]") == ("count",)
    assert unfilled(question, "@outliers[1, 2] @count[2]") == ()


def rules(grammar: str) -> dict[str, str]:
    return dict(line.split(" ::= ", 1) for line in grammar.splitlines())


def test_the_grammar_holds_the_answer_to_the_form() -> None:
    asked = rules(turn_grammar("Give @mean[value] and @sd[value]."))
    assert asked["root"] == "step | end"
    assert asked["answer"].startswith('"@mean[" value "]" ","? [ \\n] "@sd[" value "]"')
    assert rules(end_grammar("Which species is heaviest?"))["answer"] == "text"
    assert rules(end_grammar("Which species is heaviest?"))["root"] == "end"
    assert rules(step_grammar())["root"] == "step"


def test_the_turn_after_an_observation_says_what_is_asked_and_owed() -> None:
    text, then = observation_turn(GENERAL, "5", "The mean? " + "x " * 300 + "@mean[m]", failed=False, owed=FIGURE)
    assert then == ""
    assert len(text) < 420
    assert text.endswith("The answer's form: @mean[value].\nNot done yet: the figure. Take the next <step>.")
    assert "<stop_analysis>" in observation_turn(GENERAL, "5", "The mean?", failed=False)[0]
    assert "was an error" in observation_turn(GENERAL, "5", "The mean?", failed=True, owed=FIGURE)[0]
    assert observation_turn(DATARUS, "5", "The mean?", failed=False, owed=FIGURE)[1] == "Continue with the next step."

"""Grading against InfiAgent's rules, reading tasks, and a whole evaluation on the scripted engine and a real kernel."""

from __future__ import annotations

import json
import math
from contextlib import aclosing
from pathlib import Path

import pytest
from datarus_training.evaluation import report
from datarus_training.evaluation.run import Evaluation, Result, read_results
from datarus_training.evaluation.scoring import equal, grade, pairs, wilson
from datarus_training.evaluation.tasks import read_tasks, select
from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.agent.interfaces import Limits
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.errors import ConfigError
from datarus_jupyter.journal.log import read
from datarus_jupyter.protocol.prompts import GENERAL
from datarus_jupyter.protocol.tags import render_answer, render_step


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("The mean is @mean_fare[34.65].", {"mean_fare": "34.65"}),
        ("@mean[1.50] @sd[ 2 ]", {"mean": "1.50", "sd": " 2 "}),
        ("@mean[1] or rather @mean[2]", {"mean": "2"}),  # dict(zip(…)): the last one counts
        ("@outliers[]", {"outliers": ""}),
        ("@list[[1, 2]]", {"list": "[1, 2"}),  # not greedy: a value ends at the first bracket
        ("@mean [3] mean[3] @mean: 3", {}),
        ("@text[one\ntwo]", {}),  # the dot of the pattern meets no new line
    ],
)
def test_pairs_are_found_as_the_original_pattern_finds_them(answer: str, found: dict[str, str]) -> None:
    assert pairs(answer) == found


@pytest.mark.parametrize(
    ("value", "label", "same"),
    [
        ("34.65", "34.65", True),
        ("34.650", "34.65", True),
        ("34.6500001", "34.65", True),
        ("34.66", "34.65", False),
        ("1e2", "100", True),
        (" 100 ", "100", True),  # float() trims, the string comparison does not
        ("1,000", "1000", False),
        ("34.65%", "34.65", False),
        ("no", "no", True),
        ("No", "no", False),
        ("no ", "no", False),
        ("nan", "nan", True),
        ("nan", "1", False),
        ("", "", True),
        (None, "", False),
    ],
)
def test_values_are_compared_as_strings_then_as_numbers(value: str | None, label: str, same: bool) -> None:
    assert equal(value, label) is same


def test_a_question_is_right_when_every_label_is() -> None:
    labels = {"mean": "6.31", "std": "4.66"}
    assert grade("@mean[6.31] @std[4.66] @more[1]", labels).right
    half = grade("@mean[6.31] @std[4.67]", labels)
    assert (half.right, half.in_form, half.correct) == (False, True, {"mean": True, "std": False})
    bare = grade("The mean is 6.31, std 4.66.", labels)
    assert (bare.right, bare.in_form, bare.correct) == (False, False, {"mean": False, "std": False})


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_equals_itself_however_it_is_written(number: float) -> None:
    assert equal(repr(number), f"{number:.20e}") or abs(number) > 1e10


def test_wilson_agrees_with_published_values() -> None:
    low, high = wilson(81, 263)  # Newcombe 1998, table I: 0.2553 to 0.3662
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson(0, 20)  # 0.0000 to 0.1611
    assert (low, round(high, 4)) == (0.0, 0.1611)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_interval_holds_the_proportion(counts: tuple[int, int]) -> None:
    low, high = wilson(*counts)
    share = counts[0] / counts[1]
    assert 0 <= low <= high <= 1
    assert low <= share + 1e-12
    assert high >= share - 1e-12
    assert math.isfinite(low + high)


def write_tasks(folder: Path) -> Path:
    questions = [
        {"id": 1, "question": "How many rows?", "constraints": "", "format": "@rows[number]", "level": "easy"},
        {"id": 2, "question": "The mean of x?", "constraints": "Two decimals.", "format": "@mean[x]", "level": "hard"},
    ]
    lines = [json.dumps({**question, "file_name": "t.csv", "concepts": ["Counts"]}) for question in questions]
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "t.csv").write_text("x\n1\n2\n4\n")
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n")
    labels = [{"id": 1, "common_answers": [["rows", "3"]]}, {"id": 2, "common_answers": [["mean", "2.33"]]}]
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)))
    return folder


def test_tasks_are_read_and_chosen(tmp_path: Path) -> None:
    tasks = read_tasks(write_tasks(tmp_path / "tasks"))
    assert [task.id for task in tasks] == [1, 2]
    assert tasks[1].text == "The mean of x?\nTwo decimals.\nAnswer form: @mean[x]"
    assert tasks[1].labels == {"mean": "2.33"}
    assert [task.id for task in select(tasks, level="easy")] == [1]
    assert [task.id for task in select(tasks, ids=[2])] == [2]
    assert [task.id for task in select(tasks, limit=1)] == [1]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"labels\.jsonl cannot be read"):
        read_tasks(tmp_path)
    folder = write_tasks(tmp_path / "tasks")
    (folder / "tables" / "t.csv").unlink()
    with pytest.raises(ConfigError, match=r"put it at .*t\.csv"):
        read_tasks(folder)
    (folder / "questions.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(ConfigError, match="not in DABench's form"):
        read_tasks(folder)


REPLIES = [
    render_step("I compute it.", 'import csv\nprint(len(list(csv.DictReader(open("t.csv")))))'),
    render_answer("Done.", "@rows[3]"),
    render_step("I compute it.", "print(2.34)"),
    render_answer("Done.", "@mean[2.34]"),
]


async def test_an_evaluation_is_graded_kept_and_gone_on_with(tmp_path: Path) -> None:
    tasks = read_tasks(write_tasks(tmp_path / "tasks"))
    out = tmp_path / "out"
    seen: list[Result] = []
    async with aclosing(ScriptedEngine(REPLIES)) as engine:
        evaluation = Evaluation(engine, GENERAL, Limits(), out)
        await evaluation.run(tasks[:1], 1, seen.append)
        results = await evaluation.run(tasks, 1, seen.append)
    assert [result.id for result in seen] == [1, 2]
    assert results == seen == read_results(out)
    assert [(result.right, result.in_form, result.reason) for result in results] == [
        (True, True, "answered"),
        (False, True, "answered"),
    ]
    events = read(out / "runs" / f"{results[0].run}.jsonl")
    assert "t.csv (3 rows): x" in events[0].prompt[-1].content  # type: ignore[union-attr]

    summary = report.summarise(evaluation.setup, results)
    report.write(out, summary)
    written = json.loads((out / "summary.json").read_text())
    assert written["right"] == {"count": 1, "total": 2, "low": 0.0945, "high": 0.9055}
    assert written["by_level"]["hard"]["count"] == 0
    assert written["by_concept"]["Counts"]["total"] == 2
    assert report.table(summary).row_count > 6


async def test_results_of_another_prompt_are_not_mixed_in(tmp_path: Path) -> None:
    tasks = read_tasks(write_tasks(tmp_path / "tasks"))
    async with aclosing(ScriptedEngine(REPLIES)) as engine:
        await Evaluation(engine, GENERAL, Limits(), tmp_path / "out").run(tasks[:1], 1, lambda _: None)
        other = Evaluation(engine, GENERAL.__class__("other", False, False, False, 0.5), Limits(), tmp_path / "out")
        with pytest.raises(ConfigError, match="another model or prompt"):
            await other.run(tasks, 1, lambda _: None)

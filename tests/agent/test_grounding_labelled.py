"""How well invented claims are found, on labelled answers.

``grounding_cases.jsonl`` holds one answer a line: ``given`` (question and columns), ``printed`` (step → what real code
printed on real tables; six outputs of model libraries are imitated), ``code`` (what printed it), ``answer``, and
``claims`` with their ``start``, ``text`` and the ``step`` that printed them, null for invented ones: swapped digits,
wrong rounding, wrong scale, and everything worked out in the head, even if right. The ``held_out`` part was written
after the rules and before they were run on it; the rules are not tuned on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from datarus_jupyter.agent.grounding import ground, unfounded
from datarus_jupyter.journal.events import Claim

CASES = Path(__file__).with_name("grounding_cases.jsonl")


class Truth(msgspec.Struct):
    start: int
    text: str
    step: int | None

    def touches(self, claim: Claim) -> bool:
        return claim.start < self.start + len(self.text) and self.start < claim.end


class Case(msgspec.Struct):
    split: str
    given: str
    code: str
    printed: dict[int, str]
    answer: str
    claims: list[Truth]


class Score(NamedTuple):
    recall: float
    false_marks: float
    right_links: float


def read(split: str) -> list[Case]:
    cases = [msgspec.json.decode(line, type=Case, strict=False) for line in CASES.read_bytes().splitlines()]
    return [case for case in cases if case.split == split]


def score(cases: list[Case]) -> Score:
    invented = sourced = found = false = linked = 0
    for case in cases:
        claims = ground(case.answer, case.printed, given=case.given, code=case.code)
        marks = unfounded(claims)
        inventions = [truth for truth in case.claims if truth.step is None]
        founded = [truth for truth in case.claims if truth.step is not None]
        invented, sourced = invented + len(inventions), sourced + len(founded)
        found += sum(any(truth.touches(mark) for mark in marks) for truth in inventions)
        false += sum(not any(truth.touches(mark) for truth in inventions) for mark in marks)
        linked += sum(any(truth.touches(c) and truth.step == c.step for c in claims) for truth in founded)
    return Score(found / invented, false / sourced, linked / sourced)


@pytest.mark.parametrize("split", ["dev", "held_out"])
def test_invented_claims_are_found_and_sourced_ones_are_left_alone(split: str) -> None:
    result = score(read(split))
    assert result.recall >= 0.95
    assert result.false_marks <= 0.05
    assert result.right_links >= 0.95


def test_the_labels_fit_their_answers() -> None:
    cases = read("dev") + read("held_out")
    assert len(cases) >= 120
    assert len(read("held_out")) >= 40
    for case in cases:
        for truth in case.claims:
            assert case.answer[truth.start :].startswith(truth.text)
            assert truth.step is None or truth.step in case.printed

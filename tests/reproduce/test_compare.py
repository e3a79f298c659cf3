"""What counts as the same result: pairs with a label each, and properties that hold of all outputs."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datarus_jupyter.reproduce.compare import compare
from datarus_jupyter.reproduce.text import Tolerance
from datarus_jupyter.reproduce.volatile import Moment

# Outputs of published notebooks (`source`: handson-ml3, Apache-2.0, with the cell), each with an `after` written to be
# the same result or another one; and forms of output that those notebooks lack.
PAIRS = [json.loads(line) for line in (Path(__file__).parent / "pairs.jsonl").read_text().splitlines()]

NOW = 1_795_377_604.5
AT_NOW = Tolerance(moment=Moment(NOW - 1, NOW + 1))


def printed(text: str, name: str = "stdout") -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": name, "text": text}]


def shown(**data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {k.replace("_", "/"): v for k, v in data.items()}}


def test_there_are_pairs_enough_of_both_kinds() -> None:
    labels = [pair["verdict"] for pair in PAIRS]
    assert len(labels) >= 40
    assert min(labels.count("same"), labels.count("differs")) >= 15


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["why"])
def test_the_labelled_pairs(pair: dict[str, Any]) -> None:
    comparison = compare(pair["before"], pair["after"])
    assert comparison.verdict == pair["verdict"], comparison.reason
    assert bool(comparison.reason) == (pair["verdict"] != "same")
    assert "\n" not in comparison.reason


REASONS = [
    (printed("a\nmean 0.84\n"), printed("a\nmean 0.76\n"), "line 2 was “mean 0.84”, is “mean 0.76”"),
    (printed("a\nb"), printed("a"), "missing: “b”"),
    (printed("a"), printed("a\nb"), "more lines: “b”"),
    (printed("a"), [], "it no longer prints “a”"),
    (printed("", "stderr"), printed("careful", "stderr"), "stderr: it now prints “careful”"),
    (
        [shown(image_png="")],
        [shown(text_html="<table><tr><td>1</td></tr></table>")],
        "it showed a picture, now shows a table",
    ),
    ([shown(application_json={"a": [1, 2]})], [shown(application_json={"a": [1, 3]})], "a[1] was “2”, is “3”"),
]


@pytest.mark.parametrize(("before", "after", "reason"), REASONS)
def test_the_reason_is_the_first_difference(before: Any, after: Any, reason: str) -> None:
    assert compare(before, after).reason == reason


STAMPS = [
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
    "datetime.datetime(%Y, 1, 2, 3, 4, 5, 678)",
]


@pytest.mark.parametrize("form", STAMPS[:-1])
def test_the_time_of_the_run_is_no_result_and_any_other_time_is(form: str) -> None:
    earlier, later, now = (datetime.fromtimestamp(at, UTC).strftime(form) for at in (1e9, 1.1e9, NOW))
    assert compare(printed(earlier), printed(now), AT_NOW).verdict == "same"
    assert compare(printed(earlier), printed(later), AT_NOW).verdict == "differs"
    assert compare(printed(earlier), printed(now)).verdict == "differs"


def test_the_repr_and_the_epoch_of_now_are_no_results() -> None:
    now = repr(datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None))
    assert compare(printed("datetime.datetime(2020, 1, 2, 3, 4, 5, 6)"), printed(now), AT_NOW).verdict == "same"
    assert compare(printed("1700000000.25"), printed(str(NOW)), AT_NOW).verdict == "same"
    assert compare(printed("1700000000.25"), printed("1710000000.25"), AT_NOW).verdict == "differs"


def test_a_stamp_that_is_no_date_is_compared_as_it_stands() -> None:
    assert compare(printed("2026-02-31 25:61:00"), printed("2026-02-30 25:61:00"), AT_NOW).verdict == "differs"


streams = st.builds(printed, st.text(max_size=60), st.sampled_from(["stdout", "stderr"])).map(lambda one: one[0])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
displays = st.one_of(
    st.builds(shown, text_plain=st.text(max_size=60)),
    st.builds(shown, text_html=st.text(alphabet="<>tabledr/ 1.,", max_size=60), text_plain=st.just("x")),
    st.builds(shown, application_json=values),
    st.builds(shown, image_png=st.text(alphabet="abcd=", max_size=8)),
)
errors = st.builds(
    lambda value: {"output_type": "error", "ename": "E", "evalue": value, "traceback": []}, st.text(max_size=20)
)
outputs = st.lists(streams | displays | errors, max_size=4)


@given(outputs)
def test_any_outputs_are_the_same_as_themselves(one: list[dict[str, Any]]) -> None:
    assert compare(one, json.loads(json.dumps(one)), AT_NOW).verdict == "same"


@given(outputs, outputs)
def test_same_is_symmetric(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    forth, back = compare(one, other, AT_NOW), compare(other, one, AT_NOW)
    assert (forth.verdict == "same") == (back.verdict == "same")


numbers = st.floats(min_value=1e-3, max_value=1e9)


@given(numbers, st.floats(min_value=-4e-7, max_value=4e-7))
def test_numbers_within_the_tolerance_are_the_same_wherever_they_stand(number: float, share: float) -> None:
    near = number * (1 + share)
    for form in ("{:.12e}", "mean={:.12e},", "<table><tr><td>{:.12e}</td></tr></table>", "[{:.12e} 2.]"):
        before, after = form.format(number), form.format(near)
        assert compare(printed(before), printed(after)).verdict == "same"
        assert compare([shown(text_html=before)], [shown(text_html=after)]).verdict == "same"
    assert compare([shown(application_json=number)], [shown(application_json=near)]).verdict == "same"


@given(numbers, st.floats(min_value=1e-4, max_value=1e3))
def test_numbers_beyond_it_differ(number: float, share: float) -> None:
    far = number * (1 + share)
    assert compare(printed(f"{number:.12e}"), printed(f"{far:.12e}")).verdict == "differs"
    assert compare([shown(application_json=number)], [shown(application_json=far)]).verdict == "differs"


@given(st.integers(), st.integers())
def test_whole_numbers_are_exact(one: int, other: int) -> None:
    assume(one != other and not (1e9 < one < 3e9))
    assert compare(printed(f"n = {one}"), printed(f"n = {other}")).verdict == "differs"


@pytest.mark.parametrize("unit", ["1", "ab/", "1 ", "a", "1234.5 s ", "[1:", " ", "/a", "2026-01-01 ", "-" * 3])
def test_a_megabyte_of_anything_is_compared_in_seconds(unit: str) -> None:
    begun = time.monotonic()
    compare(printed(unit * (1_000_000 // len(unit)) + "x"), printed(unit * (1_000_000 // len(unit)) + "y"))
    assert time.monotonic() - begun < 20

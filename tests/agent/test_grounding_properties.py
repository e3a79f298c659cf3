"""What holds for every answer."""

from __future__ import annotations

import time
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from datarus_jupyter.agent.grounding import ground, reminder, unfounded

NUMBERS = st.decimals(min_value=11, max_value=10**9, places=6)
STYLES = st.sampled_from(["{:f}", "{:,f}", "**{:,f}**", "${:f}$", "({:,f})", "@mean[{:f}]", "about {:,f}", "= {:f},"])
ANSWERS = st.text(
    st.one_of(st.sampled_from("0123456789.,-%e'`\"@[]()|*$ \n_kMg±–"), st.characters(codec="utf-8")), max_size=300
)
PRINTED = st.dictionaries(st.integers(1, 9), ANSWERS, max_size=4)


def rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


@given(NUMBERS, st.integers(0, 6), STYLES, st.booleans())
def test_a_printed_number_is_found_in_any_rounding_and_style(
    number: Decimal, places: int, style: str, falling: bool
) -> None:
    sign = "-" if falling else ""
    answer = "The value is " + style.replace("{", sign + "{").format(rounded(number, places)) + " in all."
    claims = ground(answer, {3: f"result {sign}{number}"})
    assert [claim.step for claim in claims] == [3]


@given(
    st.decimals(min_value="0.001", max_value="0.999999", places=6),
    st.integers(0, 4),
    st.sampled_from(["{}%", "{} %", "{} percent"]),
)
def test_a_printed_fraction_is_found_as_a_percentage(number: Decimal, places: int, style: str) -> None:
    answer = "The share is " + style.format(rounded(number * 100, places)) + "."
    assert unfounded(ground(answer, {1: f"share {number}"})) == []


@given(st.floats(1e-300, 1e300), st.integers(2, 12))
def test_a_printed_number_is_found_in_scientific_notation(number: float, places: int) -> None:
    mantissa, exponent = f"{number:.{places}e}".split("e")
    printed = {1: f"statistic {number!r}"}
    assert [c.step for c in ground(f"It is {mantissa}e{exponent}.", printed)] == [1]
    assert [c.step for c in ground(f"It is {mantissa} × 10^{int(exponent)}.", printed)] == [1]


@given(NUMBERS, st.sampled_from([("k", 3), (" thousand", 3), ("M", 6), (" million", 6), (" bn", 9)]), st.integers(1, 3))
def test_a_printed_number_is_found_in_a_larger_scale(number: Decimal, scale: tuple[str, int], places: int) -> None:
    claimed = rounded(number.scaleb(-scale[1]), places)
    if claimed:
        assert unfounded(ground(f"It is {claimed}{scale[0]}.", {1: f"total {number}"})) == []


@given(NUMBERS, st.integers(0, 3))
def test_a_number_that_differs_in_a_shown_digit_is_not_found(number: Decimal, places: int) -> None:
    unit = Decimal(1).scaleb(-places)
    answer = f"The value is {rounded(number, places) + 2 * unit:,f}."
    assert [claim.step for claim in ground(answer, {1: f"value {number}"})] == [None]


@given(ANSWERS, PRINTED, ANSWERS, ANSWERS)
def test_claims_are_disjoint_stretches_of_the_answer(
    answer: str, printed: dict[int, str], asked: str, code: str
) -> None:
    claims = ground(answer, printed, given=asked, code=code)
    assert all(answer[claim.start : claim.end] == claim.text != "" for claim in claims)
    assert all(one.end <= two.start for one, two in pairwise(claims))
    assert {claim.step for claim in claims} <= {*printed, None}
    assert bool(reminder(claims)) == bool(unfounded(claims))


@given(
    st.lists(
        st.tuples(st.sampled_from(["mean", "Gentoo", "bill_length_mm", "n", "r", "share"]), NUMBERS),
        min_size=1,
        max_size=8,
    )
)
def test_an_answer_that_repeats_what_was_printed_is_sourced(rows: list[tuple[str, Decimal]]) -> None:
    text = "\n".join(f"{name}: {number}" for name, number in rows)
    claims = ground(text, {2: text})
    assert claims
    assert unfounded(claims) == []


@given(ANSWERS)
def test_what_the_user_said_needs_no_source(answer: str) -> None:
    claims = ground(answer, {}, given=answer)
    numbers = [claim.text for claim in claims if claim.text.strip("-–+$").isdecimal()]
    assert numbers == []


def seconds(printed: str, answer: str) -> float:
    start = time.perf_counter()
    ground(answer, {1: printed})
    return time.perf_counter() - start


def test_time_grows_with_the_text_not_with_its_square() -> None:
    line = "2019-03-{:02} Manhattan   {}.{}  -0.{:05}  {}\n"
    text = "".join(line.format(i % 28 + 1, i, i % 97, i, i * 7919 % 100_003) for i in range(24_000))
    answer = "The mean is 12,345.67 (34 %), 'Queens' has 9,999.\n" * 20
    seconds(text[:10_000], answer)
    small = min(seconds(text[: len(text) // 8], answer) for _ in range(3))
    large = min(seconds(text, answer) for _ in range(3))
    assert len(text) > 1_000_000
    assert large < 8 * small * 2.5

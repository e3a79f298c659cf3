"""The rules, one a test."""

# Typographic minus signs are what some of these tests are about.
# ruff: noqa: RUF001

from __future__ import annotations

import pytest

from datarus_jupyter.agent.grounding import ground, reminder, unfounded
from datarus_jupyter.journal.events import Claim

MASSES = """species
Adelie       3700.662252
Chinstrap    3733.088235
Gentoo       5076.016260
Name: body_mass_g, dtype: float64"""


def step_of(claimed: str, printed: str, *, given: str = "", code: str = "") -> int | str | None:
    """The step of the one claim in ``claimed``; 'no claim' if there is none."""
    steps = {claim.step for claim in ground(claimed, {1: printed}, given=given, code=code)}
    assert len(steps) <= 1
    return steps.pop() if steps else "no claim"


def test_the_answer_of_the_interface_sketch() -> None:
    answer = "Gentoo is heaviest: 5,076 g on average, 1,343 g above Chinstrap (p < 0.001)."
    claims = ground(answer, {3: MASSES, 5: "TtestResult(statistic=20.6, pvalue=3.4e-48)"})
    assert [(claim.text, claim.step) for claim in claims] == [
        ("Gentoo", 3),
        ("5,076 g", 3),
        ("1,343 g", None),
        ("Chinstrap", 3),
        ("0.001", 5),
    ]


@pytest.mark.parametrize(
    ("claimed", "printed"),
    [
        ("5,076 g", "5076.016"),
        ("5.08 kg", "body_mass_g 5076.016"),
        ("0.0051 t", "body_mass_g 5076.016"),
        ("5.1k", "5076.016"),
        ("$4.8 billion", "4827770000"),
        ("46.3 %", "0.463"),
        ("46.3\\%", "0.463"),
        ("46.3 percentage points", "0.463"),
        ("46 percent", "46.3%"),
        ("a share of 0.463", "46.3%"),
        ("34.65", "34.6500"),
        ("34.65", "34.6549"),
        ("34.65", "34.645"),
        ("-3.25", "-3.2461"),
        ("−3.25", "-3.2461"),
        ("a decrease of 3.25", "-3.2461"),
        ("1.2e-88", "1.234e-88"),
        ("1.2 × 10⁻⁸⁸", "1.234e-88"),
        ("$1.2 \\times 10^{-88}$", "1.234e-88"),
        ("5{,}076", "5076"),
        ("p < 0.001", "pvalue=1.2e-88"),
        ("p < 0.05", "p = 0.032"),
        ("about 5,100", "5076.016"),
        ("~1,300", "1343.2"),
        ("over 5,000", "5076.016"),
        ("fewer than 350", "rows: 344"),
        ("3.34 million km²", "3.34"),
        ("between 1.2 and 1.5 million", "1234567 1512345"),
        ("2019", "2019-03-23 20:21:09"),
        ("@mean_fare[34.65]", "34.6543"),
        ("23 March 2019", "2019-03-23 20:21:09"),
        ("n = 5", "outliers 5"),
    ],
)
def test_sourced(claimed: str, printed: str) -> None:
    assert step_of(f"We get {claimed} here.", printed) == 1


@pytest.mark.parametrize(
    ("claimed", "printed"),
    [
        ("5,067 g", "5076.016"),
        ("5,077", "5076.016"),
        ("5,100", "5076.016"),
        ("5,076 kg", "body_mass_g 5076.016"),
        ("5.076", "5076.016"),
        ("0.463 %", "0.463"),
        ("463 %", "0.463"),
        ("46.3", "0.463"),
        ("34.65", "34.6449"),
        ("34.7k", "34.65"),
        ("a correlation of 0.86", "-0.86"),
        ("+3.25", "-3.2461"),
        ("p < 0.001", "p = 0.032"),
        ("p = 0.05", "p = 0.032"),
        ("over 5,000", "4076.016 6100"),
        ("2018", "2019-03-23 20:21:09"),
        ("@count[12]", "11"),
        ("1e999", "5076.016"),
        ("'Emperor'", MASSES),
        ("`mass_kg`", MASSES),
        ("@species[Emperor]", MASSES),
    ],
)
def test_invented(claimed: str, printed: str) -> None:
    assert step_of(f"We get {claimed} here.", printed) is None


@pytest.mark.parametrize(
    "text",
    [
        "1. First, the data were read.\n2) Then they were grouped.",
        "As step 2 and Figure 3 show [4], the two groups and the 3 species differ.",
        "The 25th percentile, the 1990s and 5-fold cross-validation.",
        "At the 95 % confidence level and α = 0.05, with 1.5 × IQR fences and an 80/20 split.",
        "```python\nprint(12345)\n```",
        "Call `df.head(25)`; see https://example.org/2031.",
        "The R² and the F1 score of XGBoost and scikit-learn in Python 3.",
        'This is a "good" result; However, Statistics is hard. There is no column `weight`.',
    ],
)
def test_no_claims(text: str) -> None:
    assert ground(text, {}) == []


def test_what_the_user_gave_is_no_claim_unless_code_found_it_too() -> None:
    given = "Is the mean fare 34.65? Show the top 20 rows; columns: fare_usd"
    answer = "The top 20 rows of fare_usd; the mean is 34.65."
    assert ground(answer, {}, given=given) == []
    assert [(c.text, c.step) for c in ground(answer, {4: "34.65"}, given=given)] == [("34.65", 4)]


def test_rounding_does_not_make_a_number_given() -> None:
    assert step_of("The mean is 0.1.", "", given="Use alpha = 0.05.") is None


def test_code_excuses_names_and_settings_but_no_results() -> None:
    code = "m = RandomTrees(n_estimators=250)\nbig_fares = df[df.year > 2011]\nmean = 5076.0"
    answer = "RandomTrees with n_estimators=250 on big_fares after 2011: 5,076.0."
    assert [(c.text, c.step) for c in ground(answer, {}, code=code)] == [("5,076.0", None)]


def test_the_last_step_that_printed_it_is_the_source() -> None:
    assert ground("It is 5,076.", {1: "5076.02", 2: "17", 3: "5076.016", 4: "nothing"})[0].step == 3


def test_a_step_that_names_the_same_thing_goes_before_a_later_one() -> None:
    assert ground("Gentoo weigh 5,076 g.", {1: MASSES, 2: "5076"})[1].step == 1


def test_row_numbers_are_no_source() -> None:
    frame = "       name  mass\n237  Gentoo  6300\n253  Gentoo  6050"
    series = "0     Adelie\n1  Chinstrap\n..       ...\n12    Gentoo"
    info = " #   Column  Dtype\n---  ------  -----\n 11  sex     str"
    assert step_of("We find 237 birds.", frame) is None
    assert step_of("We find 12 birds.", "0  x\n" + "\n".join(f"{i}  x" for i in range(1, 13))) is None
    assert step_of("We find 11 birds.", info) is None
    assert step_of("It weighs 6,300.", frame) == 1
    assert step_of("We find 11 birds.", series) is None


def test_named_index_values_are_a_source() -> None:
    assert step_of("Most cars have model year 1982.", "year\n1981  3\n1982  7") == 1


def test_among_many_numbers_a_match_needs_a_shared_word() -> None:
    table = "\n".join(f"city{chr(97 + i)}   {0.20 + i * 0.013:.4f}" for i in range(26))
    assert step_of("Gentoo are 27 % heavier.", table) is None
    assert step_of("In Cityf it is 26.5 %.", table) == 1


def test_units_come_from_the_heading_of_a_table() -> None:
    answer = "| Kind | Mass (kg) | Share (%) |\n|---|---|---|\n| Gentoo | 5.08 | 36.0 |"
    claims = ground(answer, {1: MASSES, 2: "Gentoo  0.3605"})
    assert [(c.text, c.step) for c in claims] == [("Gentoo", 2), ("5.08", 1), ("36.0", 2)]


def test_small_counts_are_claims_in_a_value_position_only() -> None:
    assert step_of("The 7 groups differ.", MASSES) == "no claim"
    assert step_of("There are 7 groups.", MASSES) is None
    assert step_of("There are 3 groups.", "['Adelie', 'Chinstrap', 'Gentoo']") == 1


def test_labels_are_linked_once_and_plain_words_never_marked() -> None:
    answer = "Gentoo beat Adelie. Gentoo live on Biscoe with Emperor penguins."
    assert [(c.text, c.step) for c in ground(answer, {1: MASSES})] == [("Gentoo", 1), ("Adelie", 1)]


def test_the_reminder_names_each_missing_claim_once_and_not_too_many() -> None:
    claims = [Claim(start=i, end=i + 1, text=str(i // 2), step=None) for i in range(40)]
    text = reminder(claims)
    assert text.count("print") == 2
    assert "0, 1, 2, 3, 4, 5, 6, 7 and 12 more" in text
    assert reminder([Claim(start=0, end=1, text="7", step=2)]) == ""
    assert unfounded(claims) == claims

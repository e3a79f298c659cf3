"""The figures of an evaluation: counts and intervals, as values and as a table. Pure but for ``write``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

import msgspec
from rich.table import Table

from datarus_training.evaluation.run import Result, Setup
from datarus_training.evaluation.scoring import wilson


class Share(msgspec.Struct, frozen=True):
    """``count`` of ``total``, with the 95 % Wilson interval of the proportion."""

    count: int
    total: int
    low: float
    high: float

    @classmethod
    def of(cls, flags: Iterable[bool]) -> Share:
        """The share of those that are true."""
        values = list(flags)
        low, high = wilson(sum(values), len(values))
        return cls(sum(values), len(values), round(low, 4), round(high, 4))

    def __str__(self) -> str:
        share = 100 * self.count / self.total if self.total else 0.0
        return f"{self.count}/{self.total} = {share:.0f} % ({100 * self.low:.0f}–{100 * self.high:.0f})"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation in figures; seconds, steps and tokens of a question. ``recovered``: right after a failed cell."""

    setup: Setup
    right: Share
    in_form: Share
    sub_questions: Share
    recovered: Share
    by_level: dict[str, Share]
    by_concept: dict[str, Share]
    reasons: dict[str, int]
    steps_mean: float
    seconds_median: float
    seconds_mean: float
    read_tokens_mean: float
    completion_tokens_mean: float


def summarise(setup: Setup, results: Sequence[Result]) -> Summary:
    """The figures of ``results``."""
    reasons: dict[str, int] = defaultdict(int)
    for result in results:
        reasons[result.reason] += 1
    return Summary(
        setup=setup,
        right=Share.of(result.right for result in results),
        in_form=Share.of(result.in_form for result in results),
        sub_questions=Share.of(value for result in results for value in result.correct.values()),
        recovered=Share.of(result.right for result in results if result.errors),
        by_level=_by((result.level, result) for result in results),
        by_concept=_by((concept, result) for result in results for concept in result.concepts),
        reasons=dict(reasons),
        steps_mean=_mean(result.steps for result in results),
        seconds_median=round(median(result.seconds for result in results), 1) if results else 0.0,
        seconds_mean=_mean(result.seconds for result in results),
        read_tokens_mean=_mean(result.read_tokens for result in results),
        completion_tokens_mean=_mean(result.completion_tokens for result in results),
    )


def table(summary: Summary) -> Table:
    """The figures for a terminal."""
    shown = Table("", "Right (95 % interval)", box=None, header_style="dim")
    shown.add_row("questions", str(summary.right))
    shown.add_row("sub-questions", str(summary.sub_questions))
    shown.add_row("in form", str(summary.in_form))
    shown.add_row("right after an error", str(summary.recovered))
    for name, share in [*summary.by_level.items(), *summary.by_concept.items()]:
        shown.add_row(name, str(share))
    shown.add_row("ended", ", ".join(f"{reason} {count}" for reason, count in summary.reasons.items()))
    shown.add_row("steps", f"{summary.steps_mean}")
    shown.add_row("seconds", f"median {summary.seconds_median}, mean {summary.seconds_mean}")
    shown.add_row("tokens", f"read {summary.read_tokens_mean:.0f}, written {summary.completion_tokens_mean:.0f}")
    return shown


def write(out: Path, summary: Summary) -> None:
    """Write ``summary.json``."""
    (out / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")


def _by(named: Iterable[tuple[str, Result]]) -> dict[str, Share]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for name, result in named:
        groups[name].append(result.right)
    return {name: Share.of(groups[name]) for name in sorted(groups)}


def _mean(values: Iterable[Any]) -> float:
    known = list(values)
    return round(mean(known), 1) if known else 0.0

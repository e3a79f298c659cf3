"""Faults drawn at random, several to a run; ``make faults`` draws many more."""

from __future__ import annotations

from pathlib import Path

from tests.faults.drawn import drawn
from tests.faults.matrix import Tally


async def test_whatever_comes_together_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    told: list[tuple[str, Tally]] = []
    await drawn(tmp_path, seed=20261122, runs=3, tell=lambda what, tally: told.append((what, tally)))
    assert len(told) == 3
    assert [one for one in told if not one[1].sound] == []

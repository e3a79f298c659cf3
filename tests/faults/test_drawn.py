"""Faults drawn at random, several to a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.drawn import drawn


@pytest.mark.timeout(600)
async def test_whatever_comes_together_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async for what, tally in drawn(tmp_path, seed=20261122, runs=10):
        assert tally.sound, (what, tally)

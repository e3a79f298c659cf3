"""The quick faults, once each; ``make faults`` brings all about, more often, and several at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.matrix import Fault, bring
from tests.faults.rows import rows


@pytest.mark.parametrize("fault", [row for row in rows() if row.quick], ids=lambda fault: fault.name)
async def test_nothing_is_lost_or_doubled(fault: Fault, tmp_path: Path) -> None:
    tally = await bring(fault, tmp_path)
    assert tally.sound, tally

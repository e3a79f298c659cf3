"""How many threads: physical cores, within a container's quota."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datarus_jupyter.engines.cores import usable_cores


def test_it_is_at_least_one_and_at_most_eight() -> None:
    assert 1 <= usable_cores() <= min(8, os.cpu_count() or 8)


def test_two_threads_of_one_core_count_once(tmp_path: Path) -> None:
    for cpu in os.sched_getaffinity(0):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "core_cpus_list").write_text("0-127\n")
    assert usable_cores(tmp_path, tmp_path / "none") == 1


@pytest.mark.parametrize(("quota", "cores"), [("100000 100000\n", 1), ("50000 100000\n", 1), ("max 100000\n", None)])
def test_a_containers_quota_bounds_it(tmp_path: Path, quota: str, cores: int | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    assert usable_cores(tmp_path, file) == (cores or min(8, len(os.sched_getaffinity(0))))

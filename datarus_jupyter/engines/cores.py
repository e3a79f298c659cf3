"""How many threads compute well on this machine."""

from __future__ import annotations

import os
from pathlib import Path

_MOST = 8
_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(topology: Path = _TOPOLOGY, quota: Path = _QUOTA) -> int:
    """Physical cores that this process may use, 8 at the most: more threads than cores make llama.cpp slower.

    Counted on Linux from the affinity, the topology and a container's CPU quota; elsewhere half the logical CPUs.
    """
    if not hasattr(os, "sched_getaffinity"):
        return max(1, min(_MOST, (os.cpu_count() or 2) // 2))
    allowed = os.sched_getaffinity(0)
    siblings = {_read(topology / f"cpu{cpu}" / "topology" / "core_cpus_list") or str(cpu) for cpu in allowed}
    return max(1, min(_MOST, len(siblings), _quota(quota)))


def _quota(path: Path) -> int:
    """Whole CPUs that the control group (v2: ``max 100000`` or ``200000 100000``) grants."""
    granted, _, period = _read(path).partition(" ")
    return int(granted) // int(period) if granted.isdigit() else _MOST


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""

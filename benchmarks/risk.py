"""How much of the risky code the risk scan finds, how often it cries for nothing, and how long it takes.

The snippets are those of ``tests/agent/risk_corpus``, the half that the scan was not tuned on.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.figure import Figure, figure
from datarus_jupyter.agent.risk import scan

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "agent"))

from risk_snippets import share, snippets

_RUNS = 21
_LINES = 100


def measure() -> list[Figure]:
    """Percent of the held-out snippets; milliseconds to scan a cell of 100 lines for the first time."""
    held_out = [snippet for snippet in snippets() if snippet.held_out]
    risky = [snippet for snippet in held_out if snippet.kind != "harmless"]
    harmless = [snippet for snippet in held_out if snippet.kind == "harmless"]
    seconds = [_scan(number) for number in range(_RUNS)]
    return [
        figure(
            "risk_recall", "%", [100 * share(risky, right=True)], at_least=95, note=f"{len(risky)} held-out snippets"
        ),
        figure(
            "risk_false_alarms",
            "%",
            [100 * share(harmless, right=False)],
            at_most=5,
            note=f"{len(harmless)} held-out snippets",
        ),
        figure("risk_scan", "ms", [1e3 * one for one in seconds], at_most=5, note="a cell of 100 lines"),
    ]


def _scan(number: int) -> float:
    """Each time another cell: the scan remembers those it has read."""
    lines = [line for snippet in snippets() if snippet.kind == "harmless" for line in _whole(snippet.code)]
    code = "\n".join([f"run = {number}", *lines[:_LINES]])
    began = time.perf_counter()
    scan(code, variables=["df", "model"], files=["penguins.csv"])
    return time.perf_counter() - began


def _whole(code: str) -> list[str]:
    """The lines of a snippet that a cell can hold anywhere."""
    return [] if "%" in code or code.endswith("?") else code.splitlines()

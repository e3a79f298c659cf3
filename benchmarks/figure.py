"""A measured figure, its goal, and the file in which figures are kept."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]
from rich.table import Table

RESULTS = Path(__file__).with_name("results.json")


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The median of ``runs`` measurements. ``spread`` is their least and greatest, ``load`` the machine's load average
    of one minute when they were done. ``goal`` and ``met`` are None for a figure that is for information only.
    """

    name: str
    value: float
    unit: str
    goal: str | None
    met: bool | None
    runs: int
    spread: tuple[float, float]
    load: float
    date: str
    note: str = ""


def figure(
    name: str,
    unit: str,
    samples: Sequence[float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    note: str = "",
) -> Figure:
    """The figure of these measurements, stamped with the time and the load of now."""
    value = statistics.median(samples)
    goal, met = None, None
    if at_most is not None:
        goal, met = f"≤ {at_most:g}", value <= at_most
    elif at_least is not None:
        goal, met = f"≥ {at_least:g}", value >= at_least
    return Figure(
        name=name,
        value=_short(value),
        unit=unit,
        goal=goal,
        met=met,
        runs=len(samples),
        spread=(_short(min(samples)), _short(max(samples))),
        load=round(os.getloadavg()[0], 2),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        note=note,
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which ``percent`` of the values lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def stored() -> dict[str, Figure]:
    """The figures in ``RESULTS``, by name."""
    if not RESULTS.exists():
        return {}
    figures = msgspec.convert(msgspec.json.decode(RESULTS.read_bytes())["figures"], list[Figure])
    return {figure.name: figure for figure in figures}


def store(figures: Sequence[Figure]) -> None:
    """Put these figures into ``RESULTS``; the others stay."""
    kept = sorted((stored() | {one.name: one for one in figures}).values(), key=lambda one: one.name)
    date = max(one.date for one in kept)
    content = msgspec.json.encode({"machine": machine(), "date": date, "figures": kept})
    RESULTS.write_bytes(msgspec.json.format(content, indent=1) + b"\n")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def table(figures: Sequence[Figure]) -> Table:
    """The figures for a terminal."""
    shown = Table("figure", "value", "unit", "goal", "met", "runs", "spread", "load", box=None)
    for one in figures:
        met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[one.met]
        spread = f"{one.spread[0]:g} – {one.spread[1]:g}"
        shown.add_row(one.name, f"{one.value:g}", one.unit, one.goal or "", met, str(one.runs), spread, f"{one.load:g}")
    return shown

"""``python -m tests.faults [--times N] [--runs N] [--seed N] [--only TEXT]``: the fault matrix, printed and documented.

Run it from the root of the repository. The table goes into ``docs/reliability.md``, unless ``--only`` chose rows.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import tempfile
from pathlib import Path

from rich.console import Console

from tests.faults.drawn import drawn
from tests.faults.matrix import FAILURES, Fault, Tally, bring
from tests.faults.rows import rows

PAGE = Path(__file__).parent.parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: written by make faults -->", "<!-- end -->"
_HEAD = "| fault | tried | lost events | lost cells | doubled cells | recovered |\n|---|---:|---:|---:|---:|---:|"

_AT_ONCE = 3
"""Worlds at a time."""

console = Console(soft_wrap=True)


def line(name: str, tally: Tally) -> str:
    """A row of the table."""
    counts = (tally.tried, tally.lost_events, tally.lost_cells, tally.doubled_cells, tally.recovered)
    return f"| {name} | {' | '.join(map(str, counts))} |"


async def one_by_one(times: int, only: str) -> list[str]:
    """Each fault ``times`` times; the lines of the table."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def tried(fault: Fault) -> str:
        total = Tally()
        for _ in range(times):
            async with free:
                try:
                    total.add(await bring(fault))
                except FAILURES as error:
                    total.tried += 1
                    console.print(f"{fault.name}: {error}", style="red", markup=False)
        console.print(line(fault.name, total), style="" if total.sound else "red")
        return line(fault.name, total)

    return await asyncio.gather(*(tried(fault) for fault in rows() if only in fault.name))


async def at_random(seed: int, runs: int) -> str:
    """``runs`` runs with one to three faults each."""
    total = Tally()

    def tell(what: str, tally: Tally) -> None:
        total.add(tally)
        console.print(f"{total.tried:4} {what}{'' if tally.sound else f': {tally}'}", markup=False)

    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        await drawn(Path(folder), seed, runs, tell)
    return line(f"one to three at random, seed {seed}", total)


def document(lines: list[str]) -> None:
    """Put the table into the page, between its marks."""
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    PAGE.write_text("\n".join([before, "", _HEAD, *lines, "", after]))


async def main() -> None:
    """Bring the faults about, and tell."""
    arguments = argparse.ArgumentParser("python -m tests.faults", description="Bring all faults about.")
    arguments.add_argument("--times", type=int, default=3, help="how often each fault")
    arguments.add_argument("--runs", type=int, default=200, help="how many runs with faults at random")
    arguments.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of what is drawn")
    arguments.add_argument("--only", default="", metavar="TEXT", help="only the faults whose names contain this")
    chosen = arguments.parse_args()
    console.print(f"seed {chosen.seed}")
    lines = await one_by_one(chosen.times, chosen.only)
    if chosen.runs:
        lines.append(await at_random(chosen.seed, chosen.runs))
        console.print(lines[-1])
    if not chosen.only:
        document(lines)


if __name__ == "__main__":
    asyncio.run(main())

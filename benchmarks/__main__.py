"""``python -m benchmarks [NAME …]``: measure all figures, or those of the benchmarks named, into ``results.json``.

Run it from the root of the repository, on a machine that does nothing else: the load average stands beside each figure.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from rich.console import Console

from benchmarks import (
    delivery,
    first_token,
    footprint,
    journal,
    kernel,
    loop_ratio,
    paint,
    parser,
    reproduce,
    risk,
    stop,
    vllm_prefix_cache,
)
from benchmarks.figure import Figure, store, table

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "parser": parser.measure,
    "journal": journal.measure,
    "risk": risk.measure,
    "kernel": kernel.measure,
    "loop_ratio": loop_ratio.measure,
    "delivery": delivery.measure,
    "paint": paint.measure,
    "reproduce": reproduce.measure,
    "stop": stop.measure,
    "footprint": footprint.measure,
    "first_token": first_token.measure,
    "vllm_prefix_cache": vllm_prefix_cache.measure,
}


def main() -> None:
    """Measure, keep and show."""
    arguments = argparse.ArgumentParser("python -m benchmarks", description="Measure the product's figures.")
    arguments.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    names = arguments.parse_args().names or list(BENCHMARKS)
    console = Console()
    figures: list[Figure] = []
    for name in names:
        with console.status(f"Measuring {name} …"):
            measured = BENCHMARKS[name]()
        # Kept at once: a later benchmark that fails takes nothing away.
        store(measured)
        figures += measured
    console.print(table(figures))


if __name__ == "__main__":
    main()

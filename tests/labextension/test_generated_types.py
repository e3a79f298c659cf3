"""The TypeScript types of the events are generated: they must be what the Python events say now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GENERATOR = Path(__file__).parents[2] / "labextension" / "generate_types.py"


def test_the_types_in_the_tree_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, GENERATOR, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

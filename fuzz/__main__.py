"""``python -m fuzz [SECONDS] [TARGET …]``: fuzz each target with atheris, in a process of its own, and print counts."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

_ONE = """
import sys, atheris
with atheris.instrument_imports(include=["datarus_jupyter"]):
    from fuzz.targets import TARGETS
atheris.Setup(sys.argv, TARGETS[{target!r}])
atheris.Fuzz()
"""


def fuzz(target: str, words: list[str], seconds: int, folder: Path) -> bool:
    """Fuzz for so long, print how many inputs were tried, and tell whether all of them passed."""
    corpus, dictionary = folder / target, folder / f"{target}.dict"
    corpus.mkdir()
    for number, word in enumerate(words):
        (corpus / str(number)).write_bytes(b"\x07" + word.encode())
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    dictionary.write_text("".join(f'"{word}"\n' for word in escaped))
    command = [sys.executable, "-c", _ONE.format(target=target), str(corpus), f"-dict={dictionary}", "-max_len=4096"]
    command += [f"-max_total_time={seconds}", "-timeout=10", f"-artifact_prefix={target}-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=False)
    counted = re.findall(r"#(\d+)", done.stderr)
    verdict = "no failure" if done.returncode == 0 else f"FAILED\n{done.stderr[-3000:]}{done.stdout[-2000:]}"
    print(f"{target}: {int(counted[-1]) if counted else 0:,} inputs in {seconds} s, {verdict}", flush=True)
    return done.returncode == 0


def main() -> None:
    """Fuzz all targets, or those that are named."""
    from fuzz.targets import DICTIONARY

    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as folder:
        passed = [fuzz(name, DICTIONARY[name], seconds, Path(folder)) for name in sys.argv[2:] or DICTIONARY]
    raise SystemExit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()

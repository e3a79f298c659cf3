"""Nobody else on the host can look at the runs."""

from __future__ import annotations

import stat
from pathlib import Path

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.index import RunIndex
from datarus_jupyter.journal.log import RunLog


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_journals_and_index_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "datarus" / "runs"
    with RunLog(folder / "run.jsonl") as log:
        log.append(ev.StepOpened(step=1))
    RunIndex(folder).summaries()
    assert mode(folder) == 0o700
    files = sorted(folder.iterdir())
    assert {file.suffix for file in files} == {".jsonl", ".sqlite"}
    assert {mode(file) for file in files} == {0o600}

"""What a server leaves behind for the next one: which runs' cells are not on disk."""

from __future__ import annotations

from pathlib import Path

from datarus_jupyter.server.unsaved import UnsavedRuns


def test_the_runs_of_another_root_are_left_to_its_server(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "unsaved"
    ours, theirs = UnsavedRuns(folder, "/ours"), UnsavedRuns(folder, "/theirs")
    assert list(ours) == []
    for run in ("b", "a"):
        ours.add(run)
    theirs.add("c")
    assert [*ours] == ["a", "b"]
    ours.discard("a")
    ours.discard("never there")
    assert ([*UnsavedRuns(folder, "/ours")], [*theirs]) == (["b"], ["c"])


def test_a_folder_that_cannot_be_written_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    runs = UnsavedRuns(tmp_path / "file", "/ours")
    runs.add("a")
    runs.discard("a")
    assert list(runs) == []

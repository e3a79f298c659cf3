"""The index follows the journals and can be lost at any time."""

from __future__ import annotations

from pathlib import Path

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.index import RunIndex
from datarus_jupyter.journal.log import RunLog


def journal(folder: Path, run: str, notebook: str, *more: ev.Event) -> None:
    with RunLog(folder / f"{run}.jsonl") as log:
        log.append(
            ev.RunStarted(question=f"Q {run}", prompt=[], engine="e", model="m", profile="general", notebook=notebook)
        )
        for event in more:
            log.append(event)


def test_it_lists_newest_first_and_by_notebook(tmp_path: Path) -> None:
    journal(tmp_path, "one", "a.ipynb", ev.RunFinished(reason="answered", answer="42"))
    journal(tmp_path, "two", "b.ipynb")
    index = RunIndex(tmp_path)
    assert [summary.run for summary in index.summaries()] == ["two", "one"]
    assert [(s.question, s.reason, s.answer) for s in index.summaries("a.ipynb")] == [("Q one", "answered", "42")]
    assert index.summaries("b.ipynb")[0].reason is None


def test_it_sees_what_was_appended_added_and_deleted_since(tmp_path: Path) -> None:
    journal(tmp_path, "one", "a.ipynb")
    index = RunIndex(tmp_path)
    index.summaries()
    with RunLog(tmp_path / "one.jsonl") as log:
        log.append(ev.StepClosed(step=1, code="1", sha256=""))
        log.append(ev.ExecutionFinished(step=1, status="error"))
        log.append(ev.Usage(step=1, prompt_tokens=10, cached_tokens=4, completion_tokens=2))
        log.append(ev.RunInterrupted(reason="gone"))
    summary = index.summaries()[0]
    assert (summary.steps, summary.errors, summary.prompt_tokens, summary.reason) == (1, 1, 10, "interrupted")
    (tmp_path / "one.jsonl").unlink()
    assert index.summaries() == []


def test_a_lost_or_broken_index_is_made_again(tmp_path: Path) -> None:
    journal(tmp_path, "one", "a.ipynb")
    index = RunIndex(tmp_path)
    before = index.summaries()
    (tmp_path / "index.sqlite").write_bytes(b"not a database, but long enough to look like one" * 100)
    assert index.summaries() == before


def test_an_unreadable_journal_hides_no_other(tmp_path: Path) -> None:
    journal(tmp_path, "one", "a.ipynb")
    (tmp_path / "broken.jsonl").write_text("{}\n")
    assert [summary.run for summary in RunIndex(tmp_path).summaries()] == ["one"]

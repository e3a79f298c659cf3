"""The journal on disk: nothing appended is lost, and a file cut anywhere loads up to its last whole event."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import runs

from datarus_jupyter.errors import JournalError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog, new_run_id, read


def write(path: Path, events: list[ev.Event]) -> list[ev.Event]:
    with RunLog(path) as log:
        for event in events:
            log.append(event)
        return log.events


@settings(max_examples=80, deadline=None)
@given(runs())
def test_what_is_read_back_is_what_was_appended(events: list[ev.Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        assert write(path, events) == read(path)
        assert [event.seq for event in read(path)] == list(range(len(events)))
        assert {(event.run, event.v) for event in read(path)} == {("run", ev.VERSION)}


@settings(max_examples=40, deadline=None)
@given(runs(), st.floats(0, 1))
def test_a_file_cut_at_any_byte_loads_and_goes_on(events: list[ev.Event], part: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        written = write(path, events)
        whole = path.read_bytes()
        at = round(part * len(whole))
        path.write_bytes(whole[:at])
        kept = whole[:at].count(b"\n")
        assert read(path) == written[:kept]
        with RunLog(path) as log:
            log.append(ev.RunResumed())
        assert read(path)[:kept] == written[:kept]
        assert [event.seq for event in read(path)] == list(range(kept + 1))


def test_subscribers_get_the_past_then_the_present(tmp_path: Path) -> None:
    seen: list[int] = []
    with RunLog(tmp_path / "run.jsonl") as log:
        for step in range(3):
            log.append(ev.StepOpened(step=step))
        leave = log.subscribe(lambda event: seen.append(event.seq), since=1)
        log.append(ev.StepOpened(step=3))
        leave()
        log.append(ev.StepOpened(step=4))
    assert seen == [1, 2, 3]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    write(path, [ev.StepOpened(step=1), ev.StepOpened(step=2)])
    path.write_bytes(path.read_bytes().replace(b'"step":2', b'"step":"two"'))
    with pytest.raises(JournalError, match="line 2"):
        read(path)


def test_a_type_that_is_no_text_is_refused_like_any_other_line(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_bytes(b'{"type":"revertze\xe4","step":0}\n')
    with pytest.raises(JournalError, match="line 1"):
        read(tmp_path / "run.jsonl")


OUTPUTS = [
    "{}",
    '{"output_type":[]}',
    '{"output_type":"stream","name":"stdout","text":["a"]}',
    '{"output_type":"error"}',
]


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_output_that_is_none_of_nbformats_is_refused_like_any_other_line(tmp_path: Path, output: str) -> None:
    (tmp_path / "run.jsonl").write_text(f'{{"type":"output","step":1,"output":{output}}}\n')
    with pytest.raises(JournalError, match="line 1, is not an event"):
        read(tmp_path / "run.jsonl")


def test_an_event_from_a_newer_version_with_more_fields_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    write(path, [ev.StepOpened(step=1)])
    path.write_bytes(path.read_bytes().replace(b'"step":1', b'"step":1,"mood":"calm"'))
    assert read(path)[0] == ev.StepOpened(step=1, run="run", seq=0, ts=read(path)[0].ts, v=1)


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with RunLog(tmp_path / "run.jsonl"), pytest.raises(JournalError, match="cannot be opened"):
        RunLog(tmp_path / "run.jsonl")


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    write(path, [ev.StepOpened(step=1)])
    assert path.stat().st_mode & 0o077 == 0


def test_run_ids_sort_and_fit_a_cell_id() -> None:
    first, second = new_run_id(), new_run_id()
    assert first != second
    assert len(f"datarus-{first}-99999-thought") <= 64


WRITER = """
import sys
from pathlib import Path
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog
log = RunLog(Path(sys.argv[1]))
for step in range(10**9):
    log.append(ev.Text(step=1, channel="thought", delta="x" * 200))
    print(step, flush=True)
"""


def test_a_killed_process_loses_nothing_it_appended(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = next(line for line in process.stdout if int(line) >= 500)
        os.kill(process.pid, signal.SIGKILL)
        last = [last, *process.stdout][-1]
    assert len(read(path)) >= int(last) + 1


def test_a_full_disk_is_said_and_leaves_whole_events(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    limited = WRITER.replace("import sys", "import sys, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)", 1)
    done = subprocess.run(
        [sys.executable, "-c", limited, str(path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert "cannot be written" in done.stderr
    assert "free some space" in done.stderr
    assert len(read(path)) == len(done.stdout.splitlines())

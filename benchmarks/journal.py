"""What one event costs to append, and how long a long run takes to read back into its views."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, figure
from benchmarks.transcripts import STEPS
from datarus_jupyter.engines.scripted import pieces
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold, sha256
from datarus_jupyter.journal.log import RunLog, read
from datarus_jupyter.journal.messages import MessagesFold
from datarus_jupyter.journal.summary import SummaryFold

_RUNS = 7
_APPENDED = 20_000
_REPLAYED = 100_000


def measure() -> list[Figure]:
    """Microseconds an append of streamed text, which is not synced; seconds to replay 100,000 events."""
    with tempfile.TemporaryDirectory() as folder:
        appends = [_append(Path(folder) / f"append-{number}.jsonl") for number in range(_RUNS)]
        journal = Path(folder) / "replay.jsonl"
        _write(journal)
        replays = [_replay(journal) for _ in range(_RUNS)]
    return [
        figure("journal_append", "µs", appends, at_most=50, note="mean of 20,000 text events"),
        figure(
            "journal_replay", "s", replays, at_most=1, note="100,000 events read, folded to cells, messages, summary"
        ),
    ]


def _append(path: Path) -> float:
    events = [ev.Text(step=1 + number // 200, channel="code", delta="df.g") for number in range(_APPENDED)]
    with RunLog(path) as log:
        began = time.perf_counter()
        for event in events:
            log.append(event)
        return (time.perf_counter() - began) / _APPENDED * 1e6


def _write(path: Path) -> None:
    """A journal as a run leaves it, but longer: it is written in one go, without the syncs between its steps."""
    with path.open("wb") as file:
        for seq, event in zip(range(_REPLAYED), _events(), strict=False):
            event.run, event.seq, event.ts, event.v = path.stem, seq, time.time(), ev.VERSION
            file.write(ev.encode(event) + b"\n")


def _events() -> Iterator[ev.Event]:
    yield ev.RunStarted(question="?", prompt=[ev.Message("user", "?")], engine="e", model="m", profile="general")
    step = 0
    while True:
        thought, code = STEPS[step % len(STEPS)]
        step += 1
        yield ev.StepOpened(step=step)
        yield from (ev.Text(step=step, channel="thought", delta=piece) for piece in pieces(thought))
        yield from (ev.Text(step=step, channel="code", delta=piece) for piece in pieces(code))
        yield ev.StepClosed(step=step, code=code, sha256=sha256(code))
        yield ev.Reply(step=step, text=thought + code)
        yield ev.Usage(step=step, prompt_tokens=2000, cached_tokens=1900, completion_tokens=150)
        yield ev.ExecutionStarted(step=step)
        for line in code.splitlines():
            yield ev.Output(step=step, output={"output_type": "stream", "name": "stdout", "text": line + "\n"})
        yield ev.ExecutionFinished(step=step, status="ok", count=step, seconds=0.1)
        yield ev.Observation(step=step, text=code)


def _replay(path: Path) -> float:
    began = time.perf_counter()
    events = read(path)
    folds = CellsFold.of(events), MessagesFold.of(events), SummaryFold.of(events)
    seconds = time.perf_counter() - began
    assert {fold.seq for fold in folds} == {_REPLAYED - 1}
    return seconds

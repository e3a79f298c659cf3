"""Runs as lists of events, for the tests of surfaces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from datarus_jupyter.journal import events as ev

RUN = "20261122-120000-abcdef"


def stamped(events: Sequence[ev.Event]) -> list[ev.Event]:
    """The events as a journal would have them."""
    for seq, event in enumerate(events):
        event.run, event.seq, event.ts = RUN, seq, 1.0 + seq
    return list(events)


def step(number: int, code: str, printed: str) -> Iterator[ev.Event]:
    """One step that thinks, runs ``code`` and prints."""
    digest = hashlib.sha256(code.encode()).hexdigest()
    yield ev.StepOpened(step=number)
    yield ev.Text(step=number, channel="thought", delta=f"Step {number}: ")
    yield ev.Text(step=number, channel="thought", delta="look.")
    yield ev.Text(step=number, channel="code", delta=code)
    yield ev.StepClosed(step=number, code=code, sha256=digest)
    yield ev.ExecutionStarted(step=number)
    yield ev.Output(step=number, output={"output_type": "stream", "name": "stdout", "text": printed})
    yield ev.ExecutionFinished(step=number, status="ok", count=number, seconds=0.1)


def run(*, anchor: str | None = None, steps: int = 2, answer: str = "Forty-two.") -> list[ev.Event]:
    """A whole run of ``steps`` steps."""
    events: list[ev.Event] = [ev.RunStarted(question="?", prompt=[], engine="e", model="m", profile="p", anchor=anchor)]
    for number in range(1, steps + 1):
        events += step(number, f"print({number})", f"{number}\n")
    events += [
        ev.Text(step=steps + 1, channel="answer", delta=answer),
        ev.RunFinished(reason="answered", answer=answer),
    ]
    return stamped(events)

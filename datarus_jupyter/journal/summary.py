"""The fold into one line about a run: what lists of runs show and what the index stores."""

from __future__ import annotations

import msgspec

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.fold import Fold


class Summary(msgspec.Struct, kw_only=True):
    """One run in brief; ``seconds`` are those in which it was under way.

    ``reason`` is None while it runs, ``interrupted`` if it lost its process, ``reverted`` if it was taken back.
    """

    run: str = ""
    question: str = ""
    notebook: str | None = None
    model: str = ""
    started: float = 0.0
    seconds: float = 0.0
    steps: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reason: str | None = None
    answer: str = ""


class SummaryFold(Fold):
    """A run in brief."""

    def __init__(self) -> None:
        super().__init__()
        self.summary = Summary()
        self._failed: dict[int, bool] = {}
        """Of each step that has code, whether that failed."""
        self._begun = self._before = 0.0

    def _apply(self, event: ev.Event) -> None:
        summary = self.summary
        match event:
            case ev.RunStarted():
                summary.run, summary.started, self._begun = event.run, event.ts, event.ts
                summary.question, summary.notebook, summary.model = event.question, event.notebook, event.model
            case ev.NotebookMoved(path=path):
                summary.notebook = path
            case ev.StepClosed(step=step):
                self._failed[step] = False
            case ev.ExecutionFinished(step=step, status=status):
                self._failed[step] = status != "ok"
            case ev.Reverted(step=step):
                self._failed = {number: failed for number, failed in self._failed.items() if number < step}
                summary.reason, summary.answer = "reverted", ""
            case ev.Usage():
                summary.prompt_tokens += event.prompt_tokens
                summary.cached_tokens += event.cached_tokens
                summary.completion_tokens += event.completion_tokens
            case ev.RunInterrupted():
                summary.reason = "interrupted"
            case ev.RunResumed():
                summary.reason, self._begun, self._before = None, event.ts, summary.seconds
            case ev.RunFinished(reason=reason, answer=answer):
                summary.reason, summary.answer = reason, answer
        summary.steps, summary.errors = len(self._failed), sum(self._failed.values())
        if summary.reason is None or isinstance(event, ev.RunFinished):
            # A clock that was put back would make it negative.
            summary.seconds = self._before + max(0.0, event.ts - self._begun)

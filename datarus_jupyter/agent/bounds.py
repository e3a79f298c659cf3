"""The bounds of a run. A bound that is reached ends the run in one plain sentence for the user."""

from __future__ import annotations

from collections import Counter

from datarus_jupyter.agent.interfaces import Limits
from datarus_jupyter.journal.events import FinishReason


class BoundReached(Exception):
    """The run must end. The message is for the user."""

    def __init__(self, reason: FinishReason, message: str) -> None:
        super().__init__(message)
        self.reason: FinishReason = reason


class Bounds:
    """Counts what has been used. Every method raises ``BoundReached``."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._errors = 0
        self._reminders = 0
        self._runs: Counter[tuple[str, str]] = Counter()
        self._thoughts: Counter[str] = Counter()

    def before_step(self, step: int, tokens: int) -> None:
        """Step ``step`` is about to be asked for; ``tokens`` were used so far."""
        if step > self.limits.steps:
            raise BoundReached("steps", f"The run took {self.limits.steps} steps, its limit, without an answer.")
        if tokens > self.limits.tokens:
            limit = f"{self.limits.tokens:,}"
            raise BoundReached("tokens", f"The run used {tokens:,} tokens, more than its limit of {limit}.")

    def after_reminder(self) -> None:
        """The model had to be reminded of the format."""
        self._reminders += 1
        if self._reminders > self.limits.reminders:
            raise BoundReached("format", "The model does not keep to the step format: try again, or another model.")

    def after_thought(self, thought: str) -> None:
        """The model thought this."""
        key = " ".join(thought.lower().split())
        self._thoughts[key] += bool(key)
        if self._thoughts[key] >= self.limits.same_thought:
            raise BoundReached("repetition", f"The model had the same thought {self._thoughts[key]} times.")

    def after_execution(self, code: str, result: str, *, failed: bool) -> bool:
        """The code had this result. Returns whether the same was seen before."""
        self._reminders = 0
        self._errors = self._errors + 1 if failed else 0
        self._runs[code, result] += 1
        seen = self._runs[code, result]
        if self._errors >= self.limits.errors_in_a_row:
            raise BoundReached("errors", f"{self._errors} steps in a row ended in an error.")
        if seen >= self.limits.same_code:
            raise BoundReached("repetition", f"The model ran the same code {seen} times with the same result.")
        return seen > 1

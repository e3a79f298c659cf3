"""The run so far, for the agent itself: the journal, and the folds of it that the loop reads."""

from __future__ import annotations

from datarus_jupyter.agent.interfaces import Journal
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.events import Event, Message, Usage
from datarus_jupyter.journal.messages import MessagesFold


class Record:
    """Appends events to the journal and keeps the folds in step with it, and with what is there already.

    ``tokens`` is what the engine worked on since: prompt tokens not in its cache, and completion tokens.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.cells = CellsFold.of(journal.events)
        self.tokens = 0
        self._messages = MessagesFold.of(journal.events)

    @property
    def messages(self) -> list[Message]:
        """The conversation with the model so far."""
        return list(self._messages.messages)

    def __call__(self, event: Event) -> None:
        """Append ``event``. Raises ``JournalError``."""
        self.journal.append(event)
        self.cells.apply(event)
        self._messages.apply(event)
        if isinstance(event, Usage):
            self.tokens += event.prompt_tokens - event.cached_tokens + event.completion_tokens

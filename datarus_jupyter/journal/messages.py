"""The fold into the messages to the model: append-only, so the engine's prefix cache holds and a run can be resumed."""

from __future__ import annotations

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.fold import Fold


class MessagesFold(Fold):
    """The conversation as the model has seen it. ``messages`` only ever grows at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[ev.Message] = []

    def _apply(self, event: ev.Event) -> None:
        match event:
            case ev.RunStarted(prompt=prompt):
                self.messages.extend(prompt)
            case ev.Reply(text=text):
                self.messages.append(ev.Message("assistant", text))
            case ev.Observation(text=text, then=""):
                self.messages.append(ev.Message("user", text))
            case ev.Observation(text=text, then=then):
                # A Datarus model was trained with the observation inside its own turn.
                turn = self.messages.pop()
                self.messages += [ev.Message("assistant", turn.content + text), ev.Message("user", then)]
            case ev.Reminder(text=text):
                self.messages.append(ev.Message("user", text))

"""The fold into the messages to the model: append-only, so the engine's prefix cache holds and a run can be resumed."""

from __future__ import annotations

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.fold import Fold


class MessagesFold(Fold):
    """The conversation as the model has seen it. ``messages`` grow at their end; only going back shortens them.

    Chat templates want the roles to alternate, so a reminder that follows a message of ours goes on in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[ev.Message] = []
        self._before: dict[int, list[ev.Message]] = {}

    def _apply(self, event: ev.Event) -> None:
        match event:
            case ev.RunStarted(prompt=prompt):
                self.messages.extend(prompt)
            case ev.Reply(step=step, text=text):
                self._begin(step)
                self.messages.append(ev.Message("assistant", text))
            case ev.Observation(text=text, then=""):
                self.messages.append(ev.Message("user", text))
            case ev.Observation(text=text, then=then):
                # A Datarus model was trained with the observation inside its own turn.
                spoken = self.messages.pop().content if self._model_spoke else ""
                self.messages += [ev.Message("assistant", spoken + text), ev.Message("user", then)]
            case ev.Reminder(step=step, reason=reason, text=text):
                if reason != "kernel":  # that the kernel is another one stays true, whatever is taken back
                    self._begin(step)
                self._remind(text)
            case ev.Reverted(step=step):
                self._revert(step)

    @property
    def _model_spoke(self) -> bool:
        return bool(self.messages) and self.messages[-1].role == "assistant"

    def _begin(self, step: int) -> None:
        self._before.setdefault(step, list(self.messages))

    def _remind(self, text: str) -> None:
        if self.messages and self.messages[-1].role == "user":
            text = f"{self.messages.pop().content}\n\n{text}"
        self.messages.append(ev.Message("user", text))

    def _revert(self, step: int) -> None:
        void = [number for number in self._before if number >= step]
        if void:
            self.messages = self._before[min(void)]
        for number in void:
            del self._before[number]

"""What the model says in these tests: the step that is due, however often and by whomever it is asked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from datarus_jupyter.engines.scripted import Script, ScriptedReply
from datarus_jupyter.journal.events import Message
from datarus_jupyter.protocol.prompts import GENERAL, fixed_prefix
from datarus_jupyter.protocol.tags import render_answer, render_step

QUESTION = "What is 6 times 7?"
ANSWER = "It is 42."

_IN_PROMPT = sum(message.role == "assistant" for message in fixed_prefix(GENERAL))

PRINTS = "import time\nfor part in range(4):\n    print('part', part, flush=True)\n    time.sleep(0.05)"
SHOWS = """from IPython.display import clear_output, display
shown = display('half', display_id='progress')
display('whole', display_id='progress', update=True)
clear_output(wait=True)
print('two')"""
FAILS = "print(unknown)"
COUNTS = "x = 6\nprint(x * 7)"


def replies(*codes: str) -> list[ScriptedReply]:
    """One step for each code, then the answer."""
    steps = [render_step(f"Step {number} of this test.", code) for number, code in enumerate(codes, 1)]
    return [ScriptedReply(text=text) for text in (*steps, render_answer("That is all.", ANSWER))]


class StepScript(Script):
    """Gives the reply of the step that the conversation has come to, so that a run can be resumed with it.

    ``faults`` are played first: of each step, what goes wrong with its replies, one after another.
    """

    def __init__(self) -> None:
        super().__init__([])
        self.steps = replies(PRINTS, SHOWS, FAILS, COUNTS)
        self.faults: dict[int, list[ScriptedReply]] = {}

    def next(self, messages: Sequence[Message]) -> ScriptedReply:
        """The reply for this call."""
        self.calls.append(tuple(messages))
        done = sum(message.role == "assistant" for message in messages) - _IN_PROMPT
        reply = self.steps[min(done, len(self.steps) - 1)]
        if faults := self.faults.get(done + 1):
            return msgspec.structs.replace(faults.pop(0), text=reply.text)
        return reply

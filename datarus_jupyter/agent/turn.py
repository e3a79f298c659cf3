"""One turn of the model: its reply streamed through the parser into the journal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from datarus_jupyter.agent.interfaces import Engine, Sampling, StreamEnd, TextDelta
from datarus_jupyter.agent.record import Record
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import sha256
from datarus_jupyter.protocol.markdown import HarmlessStream, harmless
from datarus_jupyter.protocol.messages import Message
from datarus_jupyter.protocol.parser import Complaint, Delta, Ended, Parsed, StepClosed, StepOpened, StreamParser
from datarus_jupyter.protocol.prompts import Profile, step_turn
from datarus_jupyter.protocol.tags import render_answer, render_code

# What a model may write after its step before the stream is closed; a stop string ends it sooner where one is honoured.
_TAIL_CHARS = 200


@dataclass(slots=True)
class Turn:
    """What the model's reply came to: a step with ``code``, an ``answer``, or a ``complaint``."""

    code: str | None = None
    answer: str | None = None
    complaint: Literal["cut", "no_code", "no_step"] | None = None
    thought: str = ""
    prose: str = ""
    repairs: list[str] = field(default_factory=list)


async def take_turn(
    engine: Engine, messages: Sequence[Message], sampling: Sampling, profile: Profile, record: Record, step: int
) -> Turn:
    """Ask the engine; record the reply as step ``step``. Raises ``EngineError``; what streamed before is recorded."""
    reading = _Reading(record, step)
    end = StreamEnd("cut")
    async with aclosing(engine.stream(messages, sampling)) as stream:
        async for delta in stream:
            if isinstance(delta, StreamEnd):
                end = delta
                break
            reading.take(delta)
            if reading.tail > _TAIL_CHARS:
                break
    return reading.finish(end, profile)


def turn_of(reply: ev.Reply) -> Turn:
    """What a reply in the history came to, read again."""
    parser, turn = StreamParser(), Turn()
    for value in [*parser.feed(reply.text), *parser.finish(truncated=reply.finish == "length")]:
        match value:
            case Delta("thought", text):
                turn.thought += text
            case StepClosed(code):
                turn.code = code
                break
            case Ended(answer):
                turn.answer = harmless(answer)
                break
            case Complaint(reason):
                turn.complaint = reason
    return turn


class _Reading:
    """A reply while it streams in. Only its first step, or its answer, counts."""

    def __init__(self, record: Record, step: int) -> None:
        self.turn = Turn()
        self.tail = 0
        self._record = record
        self._step = step
        self._parser = StreamParser()
        self._markdown = HarmlessStream()
        self._channel = ""
        self._opened = False
        self._raw: list[str] = []
        self._token_ids: list[int] = []
        self._logprobs: list[float] = []

    @property
    def _done(self) -> bool:
        return self.turn.code is not None or self.turn.answer is not None

    def take(self, delta: TextDelta) -> None:
        self._token_ids += delta.token_ids
        self._logprobs += delta.logprobs
        if self._done:
            self.tail += len(delta.text)
        else:
            self._take_all(self._parser.feed(delta.text))

    def _take_all(self, values: Sequence[Parsed]) -> None:
        for value in values:
            if not self._done:
                self._take(value)

    def _take(self, value: Parsed) -> None:
        match value:
            case Delta(channel, text):
                self._raw.append(text)
                self._take_text(channel, text)
            case StepOpened() if not self._opened:
                self._opened = True
                self._record(ev.StepOpened(step=self._step))
            case StepClosed(code):
                self._end_text()
                self.turn.code = code
                self._record(ev.StepClosed(step=self._step, code=code, sha256=sha256(code)))
            case Ended(answer):
                self._end_text()
                self.turn.answer = harmless(answer)
            case Complaint(reason):
                self.turn.complaint = reason

    def _take_text(self, channel: str, text: str) -> None:
        if channel != self._channel:
            self._end_text()
            self._channel = channel
        self._show(channel, text if channel == "code" else self._markdown.feed(text))

    def _end_text(self) -> None:
        self._show(self._channel, self._markdown.flush())

    def _show(self, channel: str, text: str) -> None:
        if channel == "thought":
            self.turn.thought += text
        elif channel == "prose":
            self.turn.prose += text
        if text and channel in ("think", "thought", "code", "answer"):
            self._record(ev.Text(step=self._step, channel=channel, delta=text))  # type: ignore[arg-type]

    def finish(self, end: StreamEnd, profile: Profile) -> Turn:
        self._take_all(self._parser.finish(truncated=end.finish == "length"))
        self._end_text()
        self.turn.repairs = self._parser.repairs
        self._record(
            ev.Reply(
                step=self._step,
                text=self._history_text(profile),
                finish=end.finish,
                repairs=self.turn.repairs,
                token_ids=self._token_ids,
                logprobs=self._logprobs,
            )
        )
        self._record(
            ev.Usage(
                step=self._step,
                prompt_tokens=end.prompt_tokens,
                cached_tokens=end.cached_tokens,
                completion_tokens=end.completion_tokens,
                first_token_seconds=end.first_token_seconds,
                seconds=end.seconds,
            )
        )
        return self.turn

    def _history_text(self, profile: Profile) -> str:
        """The model's own text, cut after its step, or the canonical form: it learns the form from its own turns."""
        turn = self.turn
        if turn.complaint is not None:
            return "".join(self._raw)
        if turn.code is None:
            return render_answer(turn.thought, turn.answer or "") if turn.repairs else "".join(self._raw)
        raw = "".join(self._raw).lstrip()
        if turn.repairs or not raw.endswith("</action_input>"):
            raw = render_code(turn.thought, turn.code)
        return step_turn(profile, raw)

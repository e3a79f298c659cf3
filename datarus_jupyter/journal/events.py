"""The events of a run: typed, versioned, one JSON object a line.

An event is built with what happened and nothing else; the journal stamps ``run``, ``seq`` and ``ts`` when it appends
it. From then on it never changes. ``labextension/src/events.ts`` is generated from this file.

Unknown fields are ignored when reading, so a newer minor version may add fields; a changed meaning raises ``VERSION``.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from datarus_jupyter.protocol.messages import Message as Message

VERSION = 1

Channel = Literal["think", "thought", "code", "answer"]
"""Where streamed text belongs. ``think`` is reflection; it is shown, never put into a cell."""

Mode = Literal["ask", "ask_if_risky", "auto", "plan"]
"""Who decides that code runs: the user each time, the user where the risk scan found something, the agent, or nobody
(thoughts and code only)."""

AttachmentKind = Literal["cell", "error", "file", "variable"]
Verdict = Literal["approved", "edited", "rejected"]
ExecutionStatus = Literal["ok", "error", "timeout", "interrupted", "dead", "skipped"]
ReminderReason = Literal["format", "grounding", "unfinished", "form", "bound", "kernel"]
FinishReason = Literal[
    "answered", "stopped", "planned", "steps", "errors", "tokens", "time", "repetition", "format", "engine", "kernel"
]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(msgspec.Struct, tag_field="type", tag=_snake, kw_only=True, omit_defaults=True):
    """What every event carries. ``seq`` counts from 0 without gaps in a run; ``ts`` is seconds since the epoch, UTC."""

    run: str = ""
    seq: int = -1
    ts: float = 0.0
    v: int = 0


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number or label in the answer: ``answer[start:end]``, and the step whose output printed it, if any did."""

    start: int
    end: int
    text: str
    step: int | None = None


class Attached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that the user chose to show with the question: what it is called, and the text that the model gets."""

    kind: AttachmentKind
    name: str
    text: str


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The user's cell that the run writes a new version of: its id, name and source when that was asked."""

    cell: str
    name: str
    source: str


class RunStarted(Event):
    """The question and everything needed to ask it again: ``prompt`` is the exact text of the first messages.

    ``anchor`` is the id of the cell that the run's cells follow; None: the end of the notebook. ``attached`` is what
    the user chose to show; ``target`` is there where a new version of a cell of theirs is wanted.
    """

    question: str
    prompt: list[Message]
    engine: str
    model: str
    profile: str
    mode: Mode = "auto"
    notebook: str | None = None
    anchor: str | None = None
    kernel: str | None = None
    sampling: dict[str, Any] = {}
    context: str = ""
    attached: list[Attached] = []
    target: Target | None = None


class StepOpened(Event):
    """A step begins. Steps count from 1; the answer is written under the number after the last step."""

    step: int


class Text(Event):
    """A piece of the model's reply, as it streamed in."""

    step: int
    channel: Channel
    delta: str


class StepClosed(Event):
    """The step's code is complete. ``sha256`` is of the code's UTF-8 bytes; an approval binds to it."""

    step: int
    code: str
    sha256: str


class Reply(Event):
    """The turn as it stands in the history from now on. ``text`` is the model's own, cut after its first step.

    ``repairs`` names what had to be mended to parse it. Token ids and log-probabilities (of the whole turn, uncut)
    are there when the engine returns them.
    """

    step: int
    text: str
    finish: str = ""
    repairs: list[str] = []
    token_ids: list[int] = []
    logprobs: list[float] = []


class Usage(Event):
    """Tokens and seconds of one turn. ``cached_tokens`` is the part of the prompt served from the prefix cache."""

    step: int
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    first_token_seconds: float = 0.0
    seconds: float = 0.0


class ReplyDiscarded(Event):
    """The stream broke in mid-reply: the text of this step so far is void, and the step is asked again."""

    step: int
    reason: str


class ApprovalRequested(Event):
    """The run waits for the user. ``reasons`` say in plain words why."""

    step: int
    sha256: str
    reasons: list[str] = []


class ApprovalDecided(Event):
    """What the user said of the code whose hash is ``sha256``. ``code`` is the edited code, if they edited it."""

    step: int
    verdict: Verdict
    sha256: str
    who: str = "user"
    code: str | None = None
    comment: str = ""


class ExecutionStarted(Event):
    """The step's code was sent to the kernel."""

    step: int


_OUTPUTS: dict[object, dict[str, type]] = {
    "stream": {"name": str, "text": str},
    "display_data": {"data": dict},
    "execute_result": {"data": dict},
    "error": {"ename": str, "evalue": str, "traceback": list},
}


def _check(output: dict[str, Any]) -> None:
    """Folds rely on this shape, so an event without it is none: ``ValueError``, when decoding ``ValidationError``."""
    kind = output.get("output_type")
    fields = _OUTPUTS.get(kind) if isinstance(kind, str) else None
    if fields is None or not all(isinstance(output.get(name), of) for name, of in fields.items()):
        raise ValueError("the output is none of nbformat's")


class Output(Event):
    """One nbformat output, as the kernel sent it, bounded in size. Adjacent streams of one name are joined by folds."""

    step: int
    output: dict[str, Any]
    display_id: str | None = None

    def __post_init__(self) -> None:
        _check(self.output)


class OutputUpdated(Event):
    """``update_display_data``: every output of this run shown under ``display_id`` now has this data."""

    display_id: str
    output: dict[str, Any]

    def __post_init__(self) -> None:
        _check(self.output)
        if "data" not in self.output:
            raise ValueError("the output shows nothing that can be updated")


class OutputsCleared(Event):
    """``clear_output``. With ``wait``, the outputs stay until the next one arrives."""

    step: int
    wait: bool = False


class ExecutionFinished(Event):
    """The kernel is done with the step's code. ``error`` is one line: ``NameError: name 'x' is not defined``."""

    step: int
    status: ExecutionStatus
    count: int | None = None
    seconds: float = 0.0
    error: str = ""


class Observation(Event):
    """What the model is shown of the step's outputs: the exact text of the next message.

    With ``then``, the text instead goes on the model's own turn, as Datarus models were trained, and ``then`` is the
    message after it.
    """

    step: int
    text: str
    then: str = ""


class Reminder(Event):
    """A message of ours to the model: its reply was out of form, its answer unfounded, the run is at a bound, or the
    kernel is another one than before."""

    step: int
    reason: ReminderReason
    text: str


class Grounding(Event):
    """The claims of the answer and where each was printed. A claim without a step is unverified."""

    step: int
    claims: list[Claim]


class UserEdited(Event):
    """The user changed a cell of this run; the surface keeps their text from now on."""

    step: int
    cell: str
    source: str
    sha256: str


class Feedback(Event):
    """The user's rating of a step, or of the run when ``step`` is None. ``rating`` is 1 or -1."""

    rating: Literal[-1, 1]
    step: int | None = None
    comment: str = ""


class Reward(Event):
    """A reward given to a step, or to the run when ``step`` is None."""

    name: str
    value: float
    step: int | None = None


class ModeChanged(Event):
    """Somebody else decides from here on; see ``Mode``."""

    mode: Mode
    who: str = "user"


class Reverted(Event):
    """The run goes back to before ``step``: what it did from that step on is void, and stays in this journal only.

    The cells of those steps leave the notebook, but for those that the user has edited, which are theirs from now on;
    ``kept`` names the ones that were known then. The messages to the model end before the step. The kernel is as it
    was. Steps after this count on from the highest number so far, so that no number and no cell id comes twice.
    """

    step: int
    kept: list[str] = []


class Proposed(Event):
    """The run offers ``code`` as the new source of its target; it is that of ``step``, which ran without an error."""

    step: int
    code: str


class ProposalDecided(Event):
    """What the user said of the run's proposal. ``accepted``: the target has the new source."""

    accepted: bool


class NotebookMoved(Event):
    """The notebook was renamed or moved: the run belongs to it under ``path`` from now on."""

    path: str


class RunInterrupted(Event):
    """The run lost its process. Written by whoever finds the journal unfinished."""

    reason: str


class RunResumed(Event):
    """The run goes on from its journal, in the kernel ``kernel``; from here on it is under way again."""

    kernel: str | None = None


class RunFinished(Event):
    """The end. ``message`` says in one sentence for the user why, where ``reason`` is not ``answered``."""

    reason: FinishReason
    answer: str = ""
    message: str = ""


AnyEvent = (
    RunStarted
    | StepOpened
    | Text
    | StepClosed
    | Reply
    | Usage
    | ReplyDiscarded
    | ApprovalRequested
    | ApprovalDecided
    | ExecutionStarted
    | Output
    | OutputUpdated
    | OutputsCleared
    | ExecutionFinished
    | Observation
    | Reminder
    | Grounding
    | UserEdited
    | Feedback
    | Reward
    | ModeChanged
    | Reverted
    | Proposed
    | ProposalDecided
    | NotebookMoved
    | RunInterrupted
    | RunResumed
    | RunFinished
)


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """One JSON object, no newline."""
    return _encoder.encode(event)


def decode(line: bytes | str) -> AnyEvent:
    """Read one line back. Raises ``msgspec.DecodeError`` for anything that is not an event of ours."""
    return _decoder.decode(line)

"""What the agent needs of the world, as Protocols. The agent knows no concrete engine, kernel or surface.

Everything that streams yields typed values. Every failure that a caller is expected to meet is in ``errors.py``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from datarus_jupyter.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Attached,
    Event,
    ExecutionStatus,
    Message,
    Target,
)
from datarus_jupyter.journal.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a turn is sampled. A field that is None is left out of the request.

    ``grammar`` is GBNF; an engine that has none ignores it. ``max_tokens`` bounds one turn.
    """

    temperature: float | None = 0.7
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    max_tokens: int = 2048
    stop: tuple[str, ...] = ()
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the reply, with the token ids and log-probabilities behind it where the engine gives them."""

    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The last value of a stream. ``finish`` is the API's finish_reason: ``stop``, ``length``; seconds from sending."""

    finish: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    first_token_seconds: float = 0.0
    seconds: float = 0.0


EngineDelta = TextDelta | StreamEnd


class Engine(Protocol):
    """What serves the model."""

    @property
    def name(self) -> str:
        """Which engine, as the user named it: ``embedded``, ``vllm`` …"""
        ...

    @property
    def model(self) -> str:
        """The model's name as the engine serves it."""
        ...

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[EngineDelta, None]:
        """Yield the reply as it is generated, then one ``StreamEnd``.

        Closing the iterator closes the connection, which stops the generation. Raises ``EngineError``; its
        ``streamed`` tells whether text had already been yielded (retries happen before the first token only).
        """
        ...


@dataclass(frozen=True, slots=True)
class Displayed:
    """The kernel showed an nbformat output. Streams come in pieces; ``display_id`` is set where it may be updated."""

    output: dict[str, Any]
    display_id: str | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """``update_display_data`` for an earlier ``display_id``, in this execution or a former one."""

    display_id: str
    output: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cleared:
    """``clear_output(wait)``."""

    wait: bool


@dataclass(frozen=True, slots=True)
class Executed:
    """The last value of an execution. ``error`` is one line: ``NameError: name 'x' is not defined``; '' if none."""

    status: ExecutionStatus
    count: int | None
    seconds: float
    error: str = ""


KernelOutput = Displayed | Updated | Cleared | Executed


class Kernel(Protocol):
    """A running kernel, seen through a client of our own."""

    @property
    def id(self) -> str: ...

    def execute(self, code: str, *, timeout: float) -> AsyncGenerator[KernelOutput, None]:
        """Run ``code`` as a user's cell; yield its outputs as they come, then one ``Executed``.

        After ``timeout`` seconds the kernel is interrupted and the status is ``timeout``. A dead kernel is the status
        ``dead``, never an exception. Closing the iterator early interrupts the execution, and only this one.
        """
        ...

    async def evaluate(self, code: str, *, timeout: float) -> str:
        """Run ``code`` silently (no history, no count) and return what it printed; '' if it fails or is late."""
        ...


class Journal(Protocol):
    """The log of one run."""

    @property
    def run(self) -> str: ...

    @property
    def events(self) -> Sequence[Event]:
        """All events so far."""
        ...

    @property
    def secrets(self) -> Secrets:
        """What must not get into it."""
        ...

    def append(self, event: Event) -> None:
        """Stamp the event and write it; subscribers have it before this returns."""
        ...


class Approver(Protocol):
    """Who is asked before code runs."""

    async def decide(self, request: ApprovalRequested, code: str) -> ApprovalDecided:
        """Wait for the user's verdict. No answer is no answer: this waits until there is one, or is cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a run; each ends it in a plain sentence. The first six as in the open agent (datarus.md).

    ``tokens`` counts what the engine really worked on: prompt tokens not in its cache, and completion tokens.
    """

    steps: int = 30
    errors_in_a_row: int = 5
    cell_seconds: float = 60.0
    tokens: int = 100_000
    seconds: float = 1800.0
    same_code: int = 3
    same_thought: int = 3
    reminders: int = 2
    cut_streams: int = 2


@dataclass(frozen=True, slots=True)
class Question:
    """One question, with the text of the context it is asked in and the notebook it belongs to."""

    text: str
    context: str = ""
    notebook: str | None = None
    anchor: str | None = None
    """The cell that the run's cells follow; None: the end."""
    earlier: Sequence[tuple[str, str]] = field(default=())
    """Earlier questions in this conversation with their answers."""
    attached: Sequence[Attached] = field(default=())
    """What the user chose to show the model."""
    target: Target | None = None
    """The cell of the user's that a new version is wanted of; it is among ``attached``."""

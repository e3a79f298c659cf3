"""Who decides that a step's code runs: the user, the risk scan, or the mode alone.

No answer is no: what waits for the user waits until there is one, the mode is switched to one that would not ask, or
the run is stopped. A verdict binds to the hash of the code that was shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec

from datarus_jupyter.agent.interfaces import Approver
from datarus_jupyter.agent.never_run import REASON as REPEATED
from datarus_jupyter.agent.never_run import repeats
from datarus_jupyter.agent.record import Record
from datarus_jupyter.agent.risk import scan
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import cell_id, sha256
from datarus_jupyter.protocol.escaping import escape

SEE_ALL = "You asked to see all code before it runs."
PLAN = (
    "This code was not run: only a plan is wanted. Write the next step as though this one had worked, "
    "or end with the plan."
)
NOBODY = "This code was not run: it needs the user's word, and nobody is there to be asked."
_USER = "user"
_SCAN = "risk scan"
_MOST_REASONS = 10


def refusal(decision: ev.ApprovalDecided) -> str:
    """What the model is told of a verdict by which its code did not run; only the user's needs a subject."""
    if decision.who != _USER:
        return decision.comment
    return f"The user did not let this code run. {escape(decision.comment)}".strip()


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is the user's and was there before the run: names in the kernel, data files as code names them.

    ``folder`` is the absolute path of the working directory; ``never_run`` are the sources of cells that are not to be
    run again.
    """

    variables: Collection[str] = ()
    files: Collection[str] = ()
    folder: str | None = None
    never_run: Collection[str] = ()


class Approval:
    """Decides for one run, in the mode of the moment."""

    def __init__(self, record: Record, approver: Approver | None, mode: ev.Mode, users: Belongings) -> None:
        self.mode = mode
        self._record = record
        self._approver = approver
        self._users = users
        self._waiting: _Waiting | None = None

    async def decide(self, step: int, code: str) -> ev.ApprovalDecided:
        """Whether the step's code runs, and which: the user may have changed it.

        What nobody but the mode decides is no event. Raises ``JournalError``.
        """
        reasons = self._reasons(code)
        if decision := self._unasked(step, code, reasons):
            if decision.who == _SCAN:
                self._record(decision)
            return decision
        request = ev.ApprovalRequested(step=step, sha256=sha256(code), reasons=reasons)
        while True:
            self._record(request)
            decision = await self._ask(request, code)
            if decision.sha256 == request.sha256:
                self._record(decision)
                return decision
            # A verdict on other code is none on this.
            request = msgspec.structs.replace(request)

    def switch(self, mode: ev.Mode, who: str = "user") -> None:
        """Another mode from now on, which also decides what waits, if it does not ask. Raises ``JournalError``.

        Code that the user has changed in its cell goes on waiting, unless the mode rejects it.
        """
        if mode == self.mode:
            return
        self._record(ev.ModeChanged(mode=mode, who=who))
        self.mode = mode
        if waiting := self._waiting:
            decision = self._unasked(waiting.step, waiting.code, self._reasons(waiting.code))
            # The code that was asked about is not what the user sees once they have changed it in its cell.
            changed = self._changed(waiting) and decision is not None and decision.verdict == "approved"
            if decision and not changed and not waiting.overruled.done():
                waiting.overruled.set_result(msgspec.structs.replace(decision, who="mode"))

    def _changed(self, waiting: _Waiting) -> bool:
        cell = cell_id(self._record.journal.run, waiting.step, "code")
        edits = (event for event in self._record.journal.events if isinstance(event, ev.UserEdited))
        sources = [edit.source for edit in edits if edit.cell == cell]
        return bool(sources) and sources[-1] != waiting.code

    def _reasons(self, code: str) -> list[str]:
        """Why the user is to be asked in the mode of now, in plain words; none: they are not."""
        users = self._users
        if self.mode == "plan":
            return []
        marked = [REPEATED] if any(repeats(code, cell) for cell in users.never_run) else []
        if self.mode == "auto":
            return marked
        before = executed(self._record.journal.events)
        risks = scan(code, variables=users.variables, files=users.files, folder=users.folder, before=before)
        reasons = list(dict.fromkeys([*marked, *(risk.reason for risk in risks)]))
        more = len(reasons) - _MOST_REASONS
        reasons = [*reasons[:_MOST_REASONS], *([f"and {more} more"] if more > 0 else [])]
        return [SEE_ALL, *reasons] if self.mode == "ask" else reasons

    def _unasked(self, step: int, code: str, reasons: list[str]) -> ev.ApprovalDecided | None:
        """The verdict where the user is not asked; None where they are."""
        digest = sha256(code)
        if self.mode == "plan":
            return ev.ApprovalDecided(step=step, verdict="rejected", sha256=digest, who="plan only", comment=PLAN)
        if self.mode == "auto" and not reasons:
            return ev.ApprovalDecided(step=step, verdict="approved", sha256=digest, who="auto")
        if not reasons:
            return ev.ApprovalDecided(step=step, verdict="approved", sha256=digest, who=_SCAN)
        return None

    async def _ask(self, request: ev.ApprovalRequested, code: str) -> ev.ApprovalDecided:
        """The user's verdict, or that of a mode that it was switched to meanwhile."""
        if self._approver is None:
            return ev.ApprovalDecided(
                step=request.step, verdict="rejected", sha256=request.sha256, who="nobody", comment=NOBODY
            )
        asked = asyncio.ensure_future(self._approver.decide(request, code))
        overruled: asyncio.Future[ev.ApprovalDecided] = asyncio.get_running_loop().create_future()
        self._waiting = _Waiting(request.step, code, overruled)
        try:
            done, _ = await asyncio.wait({asked, overruled}, return_when=asyncio.FIRST_COMPLETED)
            return (asked if asked in done else overruled).result()
        finally:
            self._waiting = None
            asked.cancel()
            overruled.cancel()
            await asyncio.wait({asked})


@dataclass(frozen=True, slots=True)
class _Waiting:
    step: int
    code: str
    overruled: asyncio.Future[ev.ApprovalDecided]


def executed(events: Iterable[ev.Event]) -> list[str]:
    """The code that the run has executed so far, oldest first; what was rejected is not among it."""
    codes: dict[int, str] = {}
    ran = []
    for event in events:
        match event:
            case ev.StepClosed(step=step, code=code) | ev.ApprovalDecided(step=step, code=str(code)):
                codes[step] = code
            case ev.ExecutionStarted(step=step) if step in codes:
                ran.append(codes[step])
    return ran

"""The agent: query, parse, approve, execute, observe, until there is an answer.

Everything that happens is an event in the journal; the agent reads the run's state back from folds of it and keeps
none of its own but counters. A failing cell is an observation. The run always ends with ``RunFinished``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import chain
from typing import Any

from datarus_jupyter.agent.approval import Approval, Belongings, refusal
from datarus_jupyter.agent.asked import lacks_figure, missing_figure, missing_form
from datarus_jupyter.agent.attached import told
from datarus_jupyter.agent.bounds import BoundReached, Bounds
from datarus_jupyter.agent.grounding import ground, reminder, unfounded
from datarus_jupyter.agent.interfaces import (
    Approver,
    Cleared,
    Displayed,
    Engine,
    Executed,
    Journal,
    Kernel,
    Limits,
    Question,
    Sampling,
    Updated,
)
from datarus_jupyter.agent.observation import observe, output_text
from datarus_jupyter.agent.proposal import proposal
from datarus_jupyter.agent.record import Record
from datarus_jupyter.agent.redaction import RedactedEngine, RedactedKernel
from datarus_jupyter.agent.resume import OTHER_KERNEL, Point, lost, mode_of, question_of, rewritten, where
from datarus_jupyter.agent.turn import Turn, take_turn
from datarus_jupyter.errors import EngineError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.standing import next_step, standing
from datarus_jupyter.protocol import prompts
from datarus_jupyter.protocol.escaping import escape
from datarus_jupyter.protocol.grammar import end_grammar, step_grammar, turn_grammar
from datarus_jupyter.protocol.markdown import harmless
from datarus_jupyter.protocol.tags import STOP


class Agent:
    """Works one question to its answer. ``users`` is what the risk scan protects, ``approver`` who is asked."""

    def __init__(
        self,
        engine: Engine,
        kernel: Kernel,
        journal: Journal,
        *,
        approver: Approver | None = None,
        mode: ev.Mode = "auto",
        users: Belongings | None = None,
        limits: Limits | None = None,
        sampling: Sampling | None = None,
        profile: prompts.Profile | None = None,
    ) -> None:
        self.engine: Engine = RedactedEngine(engine, journal.secrets)
        self.kernel: Kernel = RedactedKernel(kernel, journal.secrets)
        self.limits = limits or Limits()
        self.profile = profile or prompts.profile_for(engine.model)
        self.sampling = sampling or _sampling(self.profile)
        self.record = Record(journal)
        self.approval = Approval(self.record, approver, mode, users or Belongings())
        self._first = 1
        self._kernel_lost = False
        self._bounds = Bounds(self.limits)
        self._reminded: set[str] = set()
        self._owes_step = False

    def set_mode(self, mode: ev.Mode) -> None:
        """Somebody else decides that code runs from now on. Raises ``JournalError``."""
        self.approval.switch(mode)

    async def run(self, question: Question) -> ev.RunFinished:
        """Work the question to its end, which is returned. Cancelling ends it too, and is passed on.

        Raises ``JournalError`` if the journal cannot be written; nothing else that is expected to happen.
        """
        self._start(question)
        return await self._to_its_end(question, Point(1))

    async def resume(self, step: int | None = None, code: str | None = None) -> ev.RunFinished:
        """Go on from where the journal ends, with fresh bounds; otherwise as ``run``.

        ``step``: go back to before it first. ``code``, with ``step``: the user's own in the place of that step's, which
        runs without being asked for.
        """
        past = tuple(self.record.journal.events)
        thought = self.record.cells.thought(step or 0)
        if step is not None:
            self.record(ev.Reverted(step=step, kept=self.record.cells.edited(step)))
        events = tuple(self.record.journal.events)
        point = where(events) if code is None else rewritten(next_step(events), thought, code, self.profile)
        self.record(ev.RunResumed(kernel=self.kernel.id))
        if self.approval.mode != mode_of(past):
            self.record(ev.ModeChanged(mode=self.approval.mode))
        for event in point.mend:
            self.record(event)
        self._first = point.step
        self._reminded = {event.reason for event in standing(events) if isinstance(event, ev.Reminder)}
        return await self._to_its_end(question_of(past), point, events)

    async def _to_its_end(self, question: Question, begin: Point, past: Sequence[ev.Event] = ()) -> ev.RunFinished:
        if self.profile.grammar and self.sampling.grammar is None:
            self.sampling = replace(self.sampling, grammar=turn_grammar(question.text))
        try:
            async with asyncio.timeout(self.limits.seconds):
                self._kernel_lost = await lost(self.kernel, past)
                return await self._work(question, begin)
        except asyncio.CancelledError:
            self._finish("stopped", message="Stopped. What was done so far is kept.")
            raise
        except TimeoutError:
            return self._finish("time", message=f"The run took longer than its limit of {self.limits.seconds:.0f} s.")
        except EngineError as error:
            return self._finish("engine", message=str(error))

    def _start(self, question: Question) -> None:
        self.record(
            ev.RunStarted(
                question=question.text,
                prompt=prompts.first_messages(self.profile, question.text, told(question), question.earlier),
                engine=self.engine.name,
                model=self.engine.model,
                profile=self.profile.name,
                mode=self.approval.mode,
                notebook=question.notebook,
                anchor=question.anchor,
                kernel=self.kernel.id,
                sampling={"temperature": self.sampling.temperature, "max_tokens": self.sampling.max_tokens},
                context=question.context,
                attached=[*question.attached],
                target=question.target,
            )
        )

    async def _work(self, question: Question, point: Point) -> ev.RunFinished:
        try:
            while True:
                step = point.step
                self._bounds.before_step(step - self._first + 1, self.record.tokens)
                turn = point.turn or await self._query(step)
                begun, point = point, Point(step)
                if turn.answer is not None and self._accept(step, turn.answer, question):
                    self._propose(question.target)
                    return self._finish("answered", turn.answer)
                if turn.complaint is not None:
                    self._remind(step, "format", prompts.format_reminder(turn.complaint), "The reply was out of form.")
                    self._bounds.after_reminder()
                if turn.code is not None:
                    self._owes_step = False
                    point = Point(step + 1)
                    await self._step(begun, turn.code, question.text)
                    self._bounds.after_thought(turn.thought)
        except BoundReached as bound:
            return await self._last_word(point.step, bound, question.text)

    async def _step(self, point: Point, code: str, question: str) -> None:
        """Approve, execute and observe one step's code, as far as that is not done yet."""
        step = point.step
        decision = point.decision or await self.approval.decide(step, code)
        if decision.verdict == "rejected":
            self._observe(step, refusal(decision), question, failed=False)
            return
        code = decision.code or code
        executed = point.executed or await self._execute(step, code)
        if executed.status == "dead" and not point.executed:
            raise BoundReached("kernel", f"{executed.error} Then let the run continue, or ask again.")
        shown = observe(
            self.record.cells.outputs(step),
            executed,
            total_chars=self.profile.observation_chars,
            output_chars=self.profile.output_chars,
        )
        failed = executed.status != "ok"
        if decision.code is not None:
            shown = f"(the user changed the code to)\n{escape(code)}\n(its output)\n{shown}"
        try:
            if self._bounds.after_execution(code, shown, failed=failed):
                shown += "\n(the same code gave the same result before: do something else, or end)"
        finally:
            self._observe(step, shown, question, failed=failed)

    async def _query(self, step: int) -> Turn:
        """Take a turn; a stream that breaks in the middle is asked for again."""
        if self._kernel_lost:
            self._kernel_lost = False
            self.record(ev.Reminder(step=step, reason="kernel", text=OTHER_KERNEL))
        sampling = self.sampling
        if self._owes_step and sampling.grammar:
            sampling = replace(sampling, grammar=step_grammar())
        cut = 0
        while True:
            try:
                return await self._turn(step, sampling)
            except EngineError as error:
                self.record(ev.ReplyDiscarded(step=step, reason=str(error)))
                cut += 1
                if not error.streamed or cut > self.limits.cut_streams:
                    raise

    async def _turn(self, step: int, sampling: Sampling) -> Turn:
        return await take_turn(self.engine, self.record.messages, sampling, self.profile, self.record, step)

    async def _execute(self, step: int, code: str) -> Executed:
        self.record(ev.ExecutionStarted(step=step))
        executed = Executed("interrupted", None, 0.0, "KeyboardInterrupt: the run was stopped")
        try:
            async with aclosing(self.kernel.execute(code, timeout=self.limits.cell_seconds)) as outputs:
                async for output in outputs:
                    match output:
                        case Displayed(data, display_id):
                            self.record(ev.Output(step=step, output=data, display_id=display_id))
                        case Updated(display_id, data):
                            self.record(ev.OutputUpdated(display_id=display_id, output=data))
                        case Cleared(wait):
                            self.record(ev.OutputsCleared(step=step, wait=wait))
                        case Executed():
                            executed = output
        except asyncio.CancelledError:
            self.record(ev.Output(step=step, output=_STOPPED))
            raise
        finally:
            self.record(
                ev.ExecutionFinished(
                    step=step,
                    status=executed.status,
                    count=executed.count,
                    seconds=executed.seconds,
                    error=executed.error,
                )
            )
        return executed

    def _observe(self, step: int, shown: str, question: str, *, failed: bool) -> None:
        drawn = (output for n in range(1, step + 1) for output in self.record.cells.outputs(n))
        owed = prompts.FIGURE if lacks_figure(question, drawn) else ""
        text, then = prompts.observation_turn(self.profile, shown, question, failed=failed, owed=owed)
        self.record(ev.Observation(step=step, text=text, then=then))

    def _propose(self, target: ev.Target | None) -> None:
        """Offer what has run as the new version of the cell that one was asked of."""
        if target and (found := proposal(target.source, self.record.cells.cells)):
            self.record(ev.Proposed(step=found[0], code=found[1]))

    def _accept(self, step: int, answer: str, question: Question) -> bool:
        """Whether the answer may stand. What is missing is pointed out once, then the answer stands as it is."""
        cells = self.record.cells
        outputs = {n: cells.outputs(n) for n in range(1, step)}
        shown_by_user = "\n".join(one.text for one in question.attached)
        claims = ground(
            answer,
            {n: _printed(shown) for n, shown in outputs.items()},
            given=f"{question.text}\n{shown_by_user}",
            # The context is a source of names only, as the code is: its first rows are no results.
            code="\n".join([question.context, *(cells.code(n) for n in outputs)]),
        )
        missing = unfounded(claims)
        checks: list[tuple[ev.ReminderReason, str, str]] = [
            ("unfinished", missing_figure(question.text, chain(*outputs.values())), "no figure yet"),
            ("form", missing_form(question.text, answer), "not in the form asked for"),
            ("grounding", reminder(missing) if missing else "", "figures that no cell printed"),
        ]
        for reason, text, why in checks:
            if text and reason not in self._reminded and self.approval.mode != "plan":
                self._reminded.add(reason)
                self._owes_step = reason == "unfinished"
                self._remind(step, reason, text, f"The answer was sent back: {why}.")
                return False
        self.record(ev.Grounding(step=step, claims=claims))
        return True

    def _remind(self, step: int, reason: ev.ReminderReason, text: str, why: str) -> None:
        self.record(ev.ReplyDiscarded(step=step, reason=why))
        self.record(ev.Reminder(step=step, reason=reason, text=text))

    async def _last_word(self, step: int, bound: BoundReached, question: str) -> ev.RunFinished:
        """The run must end: ask once for an answer from what is there."""
        answer = ""
        if bound.reason in ("steps", "errors", "repetition", "format") and step > 1:
            self._remind(step, "bound", prompts.LAST_WORD, str(bound))
            grammar = end_grammar(question) if self.sampling.grammar else None
            turn = await self._turn(step, replace(self.sampling, grammar=grammar))
            answer = turn.answer or harmless(turn.prose).strip()
            if answer and turn.answer is None:
                self.record(ev.Text(step=step, channel="answer", delta=answer))
        return self._finish(bound.reason, answer, str(bound))

    def _finish(self, reason: ev.FinishReason, answer: str = "", message: str = "") -> ev.RunFinished:
        finished = ev.RunFinished(reason=reason, answer=answer, message=message)
        self.record(finished)
        return finished


_STOPPED: dict[str, Any] = {
    "output_type": "error",
    "ename": "KeyboardInterrupt",
    "evalue": "the run was stopped",
    "traceback": ["KeyboardInterrupt: the run was stopped"],
}
_PRINTED_CHARS = 1_000_000


def _printed(outputs: list[dict[str, Any]]) -> str:
    """All that a step printed, which is more than the model was shown of it. A traceback only quotes the code."""
    shown = (output for output in outputs if output["output_type"] != "error")
    return "\n".join(output_text(output, _PRINTED_CHARS) for output in shown)


def _sampling(profile: prompts.Profile) -> Sampling:
    return Sampling(temperature=profile.temperature, top_k=profile.top_k, stop=STOP)

"""The runs: those under way, each a task of the server's loop, and those past, which are their journals."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from datarus_jupyter.agent.attached import Chosen
from datarus_jupyter.agent.interfaces import Kernel, Question
from datarus_jupyter.errors import DatarusError, JournalError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.index import RunIndex
from datarus_jupyter.journal.log import RunLog, new_run_id, read
from datarus_jupyter.journal.page import Page, page
from datarus_jupyter.journal.secrets import Secrets
from datarus_jupyter.journal.standing import standing, steps_of
from datarus_jupyter.journal.summary import Summary
from datarus_jupyter.server.approvals import Approvals
from datarus_jupyter.server.file_writers import FileWriters
from datarus_jupyter.server.sessions import NotebookKernels
from datarus_jupyter.server.tabs import Tab, Tabs

_log = logging.getLogger(__name__)

RUN_ID = r"\d{8}-\d{6}-[0-9a-f]{6}"
"""What the id of a run looks like; whatever else a client sends never gets near the file system."""

_CLOSING_SECONDS = 10.0
_AGAIN_SECONDS = 2.0

FAILED = "The run failed for a reason of its own, which is in the server's log: ask again."
LOST = "The server ended while this run was under way: ask again, or go on from its last step."


class RunNotFound(DatarusError):
    """There is no such run, or it is not under way."""


class RunConflict(DatarusError):
    """The run or the notebook is in a state in which this cannot be done."""


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the user asks: the body of ``POST runs``. ``target`` is the id of one of the cells in ``attached``."""

    question: str
    notebook: str
    anchor: str | None = None
    kernel: str | None = None
    mode: ev.Mode | None = None
    engine: str | None = None
    attached: Annotated[list[Chosen], msgspec.Meta(max_length=20)] = []
    target: str | None = None


class GoOn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a run goes on: the body of ``POST runs/{run}/resume``.

    ``step``: it goes back to before that step first. ``code``: the user's own in that step's place, run unasked.
    """

    step: int | None = None
    code: str | None = None
    mode: ev.Mode | None = None


class Worker(Protocol):
    """The agent of one run. It writes its events until ``RunFinished``, also when its task is cancelled."""

    def set_mode(self, mode: ev.Mode) -> None: ...

    async def run(self, question: Question) -> object: ...

    async def resume(self, step: int | None, code: str | None) -> object: ...


Assemble = Callable[[RunLog, Approvals], Worker]
Prepare = Callable[[Ask, Kernel], Awaitable[tuple[Assemble, Question]]]
"""Chooses the engine, gathers the context, and gives what makes the agent. Raises ``DatarusError``."""
PrepareAgain = Callable[[Sequence[ev.Event], ev.Mode | None, Kernel], Awaitable[Assemble]]
"""The same for a run that goes on: its events, the mode if another one is wanted, its kernel."""


@dataclass(slots=True)
class _Live:
    notebook: str
    log: RunLog
    approvals: Approvals
    worker: Worker
    task: asyncio.Task[None]

    def stop(self) -> None:
        """Cancel the agent, once: a second time would break off its tidying up."""
        if not self.log.finished and not self.task.cancelling():
            self.task.cancel()


class RunRegistry:
    """All runs whose journals are in ``folder``. At most one is under way in a notebook."""

    def __init__(
        self,
        folder: Path,
        kernels: NotebookKernels,
        tabs: Tabs,
        files: FileWriters,
        prepare: Prepare,
        prepare_again: PrepareAgain,
        secrets: Secrets,
    ) -> None:
        self._folder = folder
        self._kernels = kernels
        self._tabs = tabs
        self._files = files
        self._prepare = prepare
        self._prepare_again = prepare_again
        self._secrets = secrets
        self._index = RunIndex(folder)
        self._live: dict[str, _Live] = {}
        self._starting: set[str] = set()
        # Held while journals of past runs are read for a tab, so that it misses nothing appended meanwhile.
        self._past = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether a run is under way, or about to be."""
        return bool(self._starting) or any(not live.log.finished for live in self._live.values())

    async def start(self, ask: Ask) -> str:
        """Start a run; its id. Raises ``RunConflict`` where the notebook has one, ``DatarusError`` if it cannot."""
        async with self._claim(ask.notebook), AsyncExitStack() as stack:
            kernel = await stack.enter_async_context(await self._kernels.of(ask.notebook, ask.kernel))
            assemble, question = await self._prepare(ask, kernel)
            log = stack.enter_context(RunLog(self._folder / f"{new_run_id()}.jsonl", self._secrets))
            log.subscribe(partial(self._publish, ask.notebook))
            self._files.add(ask.notebook, log)
            self._begin(ask.notebook, log, assemble, lambda worker: worker.run(question), stack.pop_all())
            return log.run

    async def revert(self, run: str, step: int) -> list[str]:
        """Take the run back to before ``step``; the ids of the cells that stay because the user edited them.

        Raises ``RunConflict`` while a run is under way in the notebook or where there is no such step, ``RunNotFound``.
        """
        notebook = notebook_of(await self.events(run))
        async with self._claim(notebook), AsyncExitStack() as stack:
            _check(await self.events(run), step)
            log = stack.enter_context(await self._reopen(run, notebook))
            kept = CellsFold.of(log.events).edited(step)
            log.append(ev.Reverted(step=step, kept=kept))
            return kept

    async def resume(self, run: str, how: GoOn) -> None:
        """Let a run that is over go on from its journal, in the notebook's kernel. Raises as ``start``, ``revert``."""
        notebook = notebook_of(await self.events(run))
        async with self._claim(notebook), AsyncExitStack() as stack:
            events = await self.events(run)
            _check(events, how.step)
            kernel = await stack.enter_async_context(await self._kernels.of(notebook))
            assemble = await self._prepare_again(events, how.mode, kernel)
            log = stack.enter_context(await self._reopen(run, notebook))
            self._begin(notebook, log, assemble, lambda worker: worker.resume(how.step, how.code), stack.pop_all())

    async def _reopen(self, run: str, notebook: str) -> RunLog:
        async with self._past:
            log = await asyncio.to_thread(RunLog, self._path(run), self._secrets)
        log.subscribe(partial(self._publish, notebook), since=len(log.events))
        await self._files.reopen(notebook, log)
        return log

    def _begin(
        self,
        notebook: str,
        log: RunLog,
        assemble: Assemble,
        work: Callable[[Worker], Awaitable[object]],
        resources: AsyncExitStack,
    ) -> None:
        approvals = Approvals()
        worker = assemble(log, approvals)
        task = asyncio.create_task(self._work(log, work(worker), resources))
        self._live[log.run] = _Live(notebook, log, approvals, worker, task)
        task.add_done_callback(partial(self._ended, log.run))

    def stop(self, run: str) -> None:
        """Ask the run to stop; one that is over already stays as it is. Raises ``RunNotFound``."""
        if live := self._live.get(run):
            live.stop()
        else:
            self._path(run)

    def set_mode(self, run: str, mode: ev.Mode) -> None:
        """Who decides from now on. Raises ``RunConflict`` when the run is over, ``RunNotFound``."""
        self._under_way(run).worker.set_mode(mode)

    def decide(self, run: str, decision: ev.ApprovalDecided) -> None:
        """Hand a verdict to the waiting run. Raises ``RunConflict`` if nothing waits for it, ``RunNotFound``."""
        if not self._under_way(run).approvals.resolve(decision):
            raise RunConflict("Nothing waits for this approval any more: look at the step again.")

    async def append(self, run: str, event: ev.Event) -> None:
        """Add what the user did to the run's journal, whether it is under way or past. Raises ``RunNotFound``."""
        live = self._live.get(run)
        if live and not live.log.finished:
            live.log.append(event)
            return
        if live:
            await asyncio.wait([live.task], timeout=_CLOSING_SECONDS)
        async with self._past:
            notebook = await asyncio.to_thread(_append, self._path(run), event, self._secrets)
            self._tabs.publish(notebook, event)

    async def moved(self, before: str, after: str) -> None:
        """A file or folder is at another path now: the runs of the notebooks there go with them."""
        # The runs under way first and at once, for they go on writing.
        runs = {run: live.notebook for run, live in self._live.items()}
        moved = await self._move(runs, before, after, set())
        past = {one.run: one.notebook or "" for one in await self.summaries() if one.run not in runs}
        await self._move(past, before, after, moved)

    async def _move(self, runs: Mapping[str, str], before: str, after: str, moved: set[str]) -> set[str]:
        """Move these runs, and their notebooks but for those in ``moved``; all that are moved by then."""
        for run, notebook in runs.items():
            if notebook != before and not notebook.startswith(f"{before}/"):
                continue
            path = after + notebook.removeprefix(before)
            if live := self._live.get(run):
                live.notebook = path
            try:
                await self.append(run, ev.NotebookMoved(path=path))
            except JournalError as error:
                _log.warning("%s", error)
            if notebook not in moved:
                await self._files.move(notebook, path)
                await self._tabs.move(notebook, path)
            moved = {*moved, notebook}
        return moved

    def _publish(self, notebook: str, event: ev.Event) -> None:
        """Send an event to the tabs; a run under way knows itself where its notebook is."""
        live = self._live.get(event.run)
        self._tabs.publish(live.notebook if live else notebook, event)

    async def events(self, run: str) -> list[ev.Event]:
        """The run's events so far. Raises ``RunNotFound``, ``JournalError``."""
        if live := self._live.get(run):
            return live.log.events
        return [*await asyncio.to_thread(read, self._path(run))]

    async def page(self, run: str, since: int) -> Page:
        """A piece of the run's events, from seq ``since`` on. Raises ``RunNotFound``, ``JournalError``."""
        return await asyncio.to_thread(page, self._path(run), since)

    async def follow(self, tab: Tab, notebook: str, since: Mapping[str, int]) -> None:
        """Put all runs of the notebook into the tab's outbox, each from its seq in ``since``, oldest run first."""
        tab.outbox.open(notebook)
        await self._tabs.open(tab, notebook)
        async with self._past:
            for summary in reversed(await self.summaries(notebook)):
                events = await self.events(summary.run)
                tab.outbox.follow(notebook, summary.run, events, since.get(summary.run, 0))
        tab.outbox.caught_up(notebook)
        tab.wake()

    async def summaries(self, notebook: str | None = None) -> list[Summary]:
        """The runs, newest first."""
        summaries = await asyncio.to_thread(self._index.summaries, notebook)
        return [summary for summary in summaries if summary.run]

    async def save(self, run: str) -> None:
        """Write what the notebook lacks of a run that is over, if no tab has it open. Raises ``DatarusError``."""
        if run not in self._live:
            async with self._past:
                log = await asyncio.to_thread(_closed, self._path(run), self._secrets)
            await self._files.recover(notebook_of(log.events), log)

    async def recover(self) -> None:
        """Mark the runs that lost their process as interrupted."""
        unfinished = [summary.run for summary in await self.summaries() if summary.reason is None]
        for run in unfinished:
            if run not in self._live:
                await asyncio.to_thread(_interrupt, self._path(run))

    async def close(self) -> None:
        """The server stops: end all runs and close their journals."""
        for live in self._live.values():
            live.stop()
        if tasks := [live.task for live in self._live.values()]:
            await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)

    @asynccontextmanager
    async def _claim(self, notebook: str) -> AsyncIterator[None]:
        """Nobody else starts a run in the notebook meanwhile. Waits for one that has just finished to let go."""
        ending = [live.task for live in self._live.values() if live.notebook == notebook and live.log.finished]
        if ending:
            await asyncio.wait(ending, timeout=_CLOSING_SECONDS)
        if notebook in self._starting or any(live.notebook == notebook for live in self._live.values()):
            raise RunConflict("A run is under way in this notebook: wait for its end or stop it first.")
        self._starting.add(notebook)
        try:
            yield
        finally:
            self._starting.discard(notebook)

    async def _work(self, log: RunLog, work: Awaitable[object], resources: AsyncExitStack) -> None:
        async with resources:
            reason = FAILED
            try:
                await work
            except JournalError as error:
                reason = str(error)
            finally:
                if not log.finished:
                    await self._interrupt(log, reason)

    async def _interrupt(self, log: RunLog, reason: str) -> None:
        """Write that the run was interrupted, on a full disk once there is room; until then the tabs are told."""
        while True:
            try:
                log.append(ev.RunInterrupted(reason=reason))
                return
            except JournalError as error:
                self._tabs.broadcast("error", frame={"kind": "error", "message": str(error)})
                await asyncio.sleep(_AGAIN_SECONDS)

    def _ended(self, run: str, task: asyncio.Task[None]) -> None:
        del self._live[run]
        if not task.cancelled() and (error := task.exception()):
            _log.error("A run ended with an error.", exc_info=error)

    def _under_way(self, run: str) -> _Live:
        live = self._live.get(run)
        if live and not live.log.finished:
            return live
        self._path(run)
        raise RunConflict("This run is over: ask a new question.")

    def _path(self, run: str) -> Path:
        path = self._folder / f"{run}.jsonl"
        if not re.fullmatch(RUN_ID, run) or not path.is_file():
            raise RunNotFound("There is no such run: reload the list of runs.")
        return path


def _closed(path: Path, secrets: Secrets) -> RunLog:
    """A journal with its events, which nobody else writes now."""
    with RunLog(path, secrets) as log:
        return log


def _append(path: Path, event: ev.Event, secrets: Secrets) -> str:
    with RunLog(path, secrets) as log:
        log.append(event)
        return notebook_of(log.events)


def notebook_of(events: Sequence[ev.Event]) -> str:
    """The notebook that the run belongs to; '' for one without."""
    for event in reversed(events):
        match event:
            case ev.NotebookMoved(path=path) | ev.RunStarted(notebook=str(path)):
                return path
    return ""


def _check(events: Sequence[ev.Event], step: int | None) -> None:
    """Raise ``RunConflict`` unless the run can go back to before ``step``, or go on where it is."""
    there = standing(events)
    if step is not None and step not in steps_of(there):
        raise RunConflict(f"There is no step {step} in this run any more: choose one that is shown.")
    answered = any(isinstance(event, ev.RunFinished) and event.reason == "answered" for event in there)
    if step is None and answered:
        raise RunConflict("This run has its answer: ask a new question, or try again from one of its steps.")


def _interrupt(path: Path) -> None:
    """Mark the run of a journal that nobody writes. One that cannot be locked belongs to another live process."""
    try:
        with RunLog(path) as log:
            if not isinstance(log.events[-1], ev.RunInterrupted) and not log.finished:
                log.append(ev.RunInterrupted(reason=LOST))
    except JournalError as error:
        _log.info("%s", error)

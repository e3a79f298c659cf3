"""Makes the agent of a run: its engine, its context, its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from datarus_jupyter.agent import never_run
from datarus_jupyter.agent.approval import Belongings
from datarus_jupyter.agent.attached import within
from datarus_jupyter.agent.context import DataFile, Variable, data_files, render, user_names, variables
from datarus_jupyter.agent.interfaces import Kernel, Limits, Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.agent.never_run import marked
from datarus_jupyter.agent.ownership import left_by_runs, made_by
from datarus_jupyter.agent.resume import engine_of, mode_of, profile_of, question_of
from datarus_jupyter.engines.served import ServedEngine
from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.index import RunIndex
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.protocol.prompts import Profile
from datarus_jupyter.server.approvals import Approvals
from datarus_jupyter.server.attachments import Attachments, target_among
from datarus_jupyter.server.contents import ContentsNotebooks
from datarus_jupyter.server.engines import Engines
from datarus_jupyter.server.modes import Modes
from datarus_jupyter.server.registry import Ask, Assemble, Worker
from datarus_jupyter.surfaces.merge import edited, mark_of, source_of

_EARLIER_QUESTIONS = 3
_LOOK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How runs are made where the request does not say. ``profile`` None leaves the choice to the model's name."""

    modes: Modes
    limits: Limits
    profile: Profile | None


class Agents:
    """Prepares runs; ``prepare`` is the registry's ``Prepare``."""

    def __init__(
        self,
        engines: Engines,
        attachments: Attachments,
        contents_manager: Any,
        kernel_manager: Any,
        folder: Path,
        settings: Settings,
    ) -> None:
        self._engines = engines
        self._attachments = attachments
        self._notebooks = ContentsNotebooks(contents_manager)
        self._kernels = kernel_manager
        self._index = RunIndex(folder)
        self._settings = settings

    async def prepare(self, ask: Ask, kernel: Kernel) -> tuple[Assemble, Question]:
        """Choose the engine and look around. Raises ``ConfigError``, ``EngineError``, ``AttachmentError``."""
        mode = self.modes.checked(ask.mode)
        engine = self._engines.engine(ask.engine)
        if not engine.model:
            await engine.start()
        target = target_among(ask.attached, ask.target)
        attached = await self._attachments.chosen(ask.notebook, kernel, ask.attached)
        known, users = await asyncio.gather(variables(kernel), self.belongings(ask.notebook, kernel, target))
        question = await self._question(ask, known)
        question = replace(question, attached=within(attached, target), target=target)
        return self._assemble(engine, kernel, mode, users, self._settings.profile), question

    async def prepare_again(self, events: Sequence[ev.Event], mode: ev.Mode | None, kernel: Kernel) -> Assemble:
        """The same for a run that goes on: with its engine if that is still there, in its last mode if none is named.

        Raises as ``prepare``.
        """
        last = Modes.of(self.modes.modes, mode_of(events)).mode
        mode = self.modes.checked(mode or last)
        engine = self._engines.engine_or_active(engine_of(events))
        if not engine.model:
            await engine.start()
        question = question_of(events)
        users = await self.belongings(question.notebook or "", kernel, question.target)
        return self._assemble(engine, kernel, mode, users, profile_of(events))

    def _assemble(
        self, engine: ServedEngine, kernel: Kernel, mode: ev.Mode, users: Belongings, profile: Profile | None
    ) -> Assemble:
        def assemble(log: RunLog, approvals: Approvals) -> Worker:
            log.subscribe(partial(self._measure, engine.name), since=len(log.events))
            limits = self._settings.limits
            return Agent(
                engine, kernel, log, approver=approvals, mode=mode, users=users, limits=limits, profile=profile
            )

        return assemble

    @property
    def modes(self) -> Modes:
        """The modes that may be chosen here."""
        return self._settings.modes

    async def belongings(self, notebook: str, kernel: Kernel, target: ev.Target | None = None) -> Belongings:
        """What the risk scan protects: the names in the kernel, the data files, all outside of the folder.

        The names that ``target`` assigns are its own: to assign them is what a new version of it is for. Those that
        only earlier runs in the notebook have made are nobody's.
        """
        names, files = await asyncio.gather(user_names(kernel), self.files(notebook))
        cells = await self._cells(notebook)
        free = made_by(target.source if target else "") | await self._left_by_runs(notebook, cells)
        names = [name for name in names if name not in free]
        folder = str(self._kernels.cwd_for_path(notebook))
        return Belongings(names, [file.path for file in files], folder, marked(cells))

    async def _left_by_runs(self, notebook: str, cells: Sequence[dict[str, Any]]) -> set[str]:
        known = {summary.run for summary in await asyncio.to_thread(self._index.summaries, notebook)}
        runs: list[str] = []
        users: list[str] = []
        for cell in cells:
            if cell["cell_type"] == "code":
                mark = mark_of(cell)
                (runs if mark and mark.run in known and not edited(cell) else users).append(source_of(cell))
        return left_by_runs(runs, users)

    async def beginning(self, notebook: str) -> Question:
        """What a run in the notebook would begin with, as far as that is known before something is asked."""
        return await self._question(Ask("", notebook), ())

    async def _question(self, ask: Ask, known: Sequence[Variable]) -> Question:
        cells = await self._cells(ask.notebook)
        context = render(ask.notebook, await self.files(ask.notebook), known, _above(cells, ask.anchor))
        context = "\n\n".join(part for part in (context, never_run.told(marked(cells))) if part)
        earlier = await asyncio.to_thread(self._earlier, ask.notebook)
        return Question(ask.question, context, ask.notebook, ask.anchor, earlier)

    def _measure(self, engine: str, event: ev.Event) -> None:
        if isinstance(event, ev.Usage):
            self._engines.used(engine, event)

    async def files(self, notebook: str) -> list[DataFile]:
        """The data files next to the notebook; none if looking takes too long."""
        folder = Path(self._kernels.cwd_for_path(notebook))
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await asyncio.to_thread(data_files, folder)
        except TimeoutError:
            return []

    async def _cells(self, notebook: str) -> list[dict[str, Any]]:
        """The notebook's cells, as they are on disk."""
        try:
            return list((await self._notebooks.read(notebook)).notebook["cells"])
        except SurfaceError:
            return []

    def _earlier(self, notebook: str) -> list[tuple[str, str]]:
        """The last questions that were answered in this notebook, oldest first."""
        answered = [run for run in self._index.summaries(notebook) if run.answer]
        return [(run.question, run.answer) for run in reversed(answered[:_EARLIER_QUESTIONS])]


def _above(cells: Sequence[dict[str, Any]], anchor: str | None) -> list[str]:
    """The sources of the cells down to the anchor."""
    ids = [cell.get("id") for cell in cells]
    end = ids.index(anchor) + 1 if anchor in ids else len(cells)
    return [cell["source"] for cell in cells[:end]]

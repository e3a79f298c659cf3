"""The evaluation: each task is worked by the product's own agent in a fresh kernel, and graded.

``results.jsonl`` gets one line a finished task, ``runs/`` the journals, ``setup.json`` what was evaluated. A second
call goes on where the first ended.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from datarus_jupyter.agent.context import data_files, render
from datarus_jupyter.agent.interfaces import Engine, Limits, Question
from datarus_jupyter.agent.loop import Agent
from datarus_jupyter.errors import ConfigError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import sha256
from datarus_jupyter.journal.log import RunLog, new_run_id
from datarus_jupyter.journal.summary import SummaryFold
from datarus_jupyter.kernels.own import own_kernel
from datarus_jupyter.protocol.prompts import Profile, fixed_prefix
from datarus_training.evaluation.scoring import grade
from datarus_training.evaluation.tasks import Task


class Result(msgspec.Struct, kw_only=True):
    """One task worked and graded. ``run`` names its journal; ``seconds`` is wall time; ``errors`` are failed cells.

    ``read_tokens`` are prompt tokens that were not in the engine's cache. ``reminders`` name what the agent sent back.
    """

    id: int
    run: str
    level: str
    concepts: list[str]
    correct: dict[str, bool]
    in_form: bool
    answer: str
    reason: str
    steps: int
    errors: int
    reminders: list[str]
    seconds: float
    read_tokens: int
    completion_tokens: int

    @property
    def right(self) -> bool:
        """All of its labels are right."""
        return all(self.correct.values())


class Setup(msgspec.Struct, kw_only=True):
    """What was evaluated. ``prompt`` is the hash of the fixed prompt prefix, ``profile`` the profile's fields."""

    engine: str
    model: str
    prompt: str
    profile: dict[str, str]


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of ``engine`` under ``profile`` that keeps everything in ``out``."""

    engine: Engine
    profile: Profile
    limits: Limits
    out: Path

    @property
    def setup(self) -> Setup:
        """What is evaluated."""
        prefix = msgspec.json.encode(fixed_prefix(self.profile)).decode()
        profile = {name: str(getattr(self.profile, name)) for name in self.profile.__dataclass_fields__}
        return Setup(engine=self.engine.name, model=self.engine.model, prompt=sha256(prefix)[:16], profile=profile)

    async def run(self, tasks: Sequence[Task], workers: int, on_result: Callable[[Result], None]) -> list[Result]:
        """Work the tasks that have no result yet, ``workers`` at once; the results of all, in the order of ``tasks``.

        Raises ``ConfigError`` if ``out`` holds results of another setup, and ``DatarusError`` if no kernel starts.
        """
        self._check_setup()
        done = {result.id: result for result in read_results(self.out)}
        waiting = [task for task in tasks if task.id not in done]

        async def work() -> None:
            while waiting:
                result = await self._work(waiting.pop(0))
                done[result.id] = result
                self._keep(result)
                on_result(result)

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
        return [done[task.id] for task in tasks]

    def _check_setup(self) -> None:
        path = self.out / "setup.json"
        self.out.mkdir(parents=True, exist_ok=True)
        now = msgspec.json.format(msgspec.json.encode(self.setup))
        if path.exists() and path.read_bytes() != now:
            raise ConfigError(f"{self.out} holds results of another model or prompt: give another folder with --out.")
        path.write_bytes(now)

    def _keep(self, result: Result) -> None:
        with (self.out / "results.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")

    async def _work(self, task: Task) -> Result:
        with tempfile.TemporaryDirectory(prefix="datarus-eval-") as name:
            folder = Path(name)
            shutil.copyfile(task.table, folder / task.table.name)
            question = Question(task.text, render(None, data_files(folder), ()))
            with RunLog(self.out / "runs" / f"{new_run_id()}.jsonl") as log:
                async with own_kernel(folder) as kernel:
                    agent = Agent(self.engine, kernel, log, limits=self.limits, profile=self.profile)
                    await agent.run(question)
                return _result(task, log.events)


def read_results(out: Path) -> list[Result]:
    """The results in ``out``, the last of each task; those that the engine's failure ended are to be run again."""
    path = out / "results.jsonl"
    if not path.exists():
        return []
    data = path.read_bytes()
    lines = msgspec.json.Decoder(Result).decode_lines(data[: data.rfind(b"\n") + 1])
    return [result for result in {line.id: line for line in lines}.values() if result.reason != "engine"]


def _result(task: Task, events: Sequence[ev.Event]) -> Result:
    fold = SummaryFold()
    for event in events:
        fold.apply(event)
    summary = fold.summary
    graded = grade(summary.answer, task.labels)
    return Result(
        id=task.id,
        run=summary.run,
        level=task.level,
        concepts=list(task.concepts),
        correct=graded.correct,
        in_form=graded.in_form,
        answer=summary.answer,
        reason=summary.reason or "",
        steps=summary.steps,
        errors=summary.errors,
        reminders=[event.reason for event in events if isinstance(event, ev.Reminder)],
        seconds=round(summary.seconds, 1),
        read_tokens=summary.prompt_tokens - summary.cached_tokens,
        completion_tokens=summary.completion_tokens,
    )

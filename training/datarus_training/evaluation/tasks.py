"""Tasks with graded answers, in the form of InfiAgent-DABench: questions.jsonl, labels.jsonl and a folder tables/."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from datarus_jupyter.errors import ConfigError


class _QuestionLine(msgspec.Struct):
    id: int
    question: str
    constraints: str
    format: str
    file_name: str
    level: str
    concepts: list[str] = []


class _LabelLine(msgspec.Struct):
    id: int
    common_answers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Task:
    """One question on one table. ``labels`` are the right values by their name in the answer, ``@name[value]``."""

    id: int
    text: str
    table: Path
    level: str
    concepts: tuple[str, ...]
    labels: dict[str, str]


def read_tasks(folder: Path) -> list[Task]:
    """All tasks of ``folder``, in its order. Raises ``ConfigError`` if a file is missing or out of form."""
    labels = {line.id: dict(line.common_answers) for line in _lines(folder / "labels.jsonl", _LabelLine)}
    return [_task(folder, line, labels) for line in _lines(folder / "questions.jsonl", _QuestionLine)]


def select(
    tasks: Sequence[Task], *, level: str = "", ids: Collection[int] = (), limit: int | None = None
) -> list[Task]:
    """The first ``limit`` tasks of that level and with those ids; all where a condition is empty."""
    chosen = [task for task in tasks if level in ("", task.level) and (not ids or task.id in ids)]
    return chosen[:limit]


def _task(folder: Path, line: _QuestionLine, labels: dict[int, dict[str, str]]) -> Task:
    table = folder / "tables" / line.file_name
    if line.id not in labels:
        raise ConfigError(f"{folder / 'labels.jsonl'} has no answers for question {line.id}: add them.")
    if not table.is_file():
        raise ConfigError(f"The table of question {line.id} is not there: put it at {table}.")
    # As a user would paste it: what is asked, under which conditions, in what form.
    text = "\n".join(part for part in (line.question, line.constraints, f"Answer form: {line.format}") if part)
    return Task(line.id, text, table, line.level, tuple(line.concepts), labels[line.id])


_Line = TypeVar("_Line", _QuestionLine, _LabelLine)


def _lines(path: Path, kind: type[_Line]) -> list[_Line]:
    try:
        return msgspec.json.Decoder(kind).decode_lines(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): give a folder in DABench's form.") from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path} is not in DABench's form: {error}.") from error

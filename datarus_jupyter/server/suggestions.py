"""Questions worth asking about the data files that are really there, from their names and the first rows of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from datarus_jupyter.agent.context import DataFile

_HEAD_BYTES = 64 * 1024
_ROWS = 200
_MAX_GROUPS = 20
_MAX_NAME_CHARS = 40
_QUESTIONS = 3
_DATE = re.compile(r"\d{4}-\d\d(-\d\d.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_KEY = re.compile(r"(^|[_ ])(id|key|index|rowid|unnamed.*)$", re.IGNORECASE)
_MISSING = ("", "na", "nan", "null", "none", "?")


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's columns by what they hold: measures are numbers, groups few different values, dates days."""

    measures: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


def suggest(folder: Path, files: Sequence[DataFile]) -> list[str]:
    """Up to three questions about ``files`` in ``folder``. Reads the beginning of the first three tables."""
    tables = [file for file in files if file.columns][:_QUESTIONS]
    asked = [list(_questions(file.path, sniff(folder / file.path, file.columns))) for file in tables]
    others = [[f"What is in {file.path}? Describe it and plot what stands out."] for file in files if not file.columns]
    return _in_turns([*asked, *others])[:_QUESTIONS]


def sniff(path: Path, names: Sequence[str]) -> Columns:
    """What the columns of a delimited text file hold, judged by its first rows. A file that is gone holds nothing."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return Columns()
    # The last line may be cut.
    lines = head.decode("utf-8-sig", "replace").splitlines()[: None if len(head) < _HEAD_BYTES else -1]
    delimiter = max(",\t;|", key=lines[0].count) if lines else ","
    rows = list(islice(csv.reader(lines[1:], delimiter=delimiter), _ROWS))
    values = {
        name: [row[number].strip() for row in rows if number < len(row) and row[number].strip().lower() not in _MISSING]
        for number, name in enumerate(names)
        if name and len(name) <= _MAX_NAME_CHARS and name.isprintable() and not _KEY.search(name)
    }
    return Columns(_those(values, _measure), _those(values, _group), _those(values, _date))


def _those(values: dict[str, list[str]], test: Callable[[list[str]], bool]) -> tuple[str, ...]:
    return tuple(name for name, column in values.items() if column and test(column))


def _measure(column: list[str]) -> bool:
    return all(map(_is_number, column)) and len(set(column)) > 2


def _group(column: list[str]) -> bool:
    return not any(map(_is_number, column)) and not _date(column) and 2 <= len(set(column)) <= _MAX_GROUPS


def _date(column: list[str]) -> bool:
    return all(_DATE.fullmatch(value) for value in column)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _questions(file: str, columns: Columns) -> Iterator[str]:
    measures, groups, dates = columns.measures, columns.groups, columns.dates
    if measures and groups:
        yield f"How does {measures[-1]} differ by {groups[0]} in {file}, and is the difference real? Plot it."
    if measures and dates:
        yield f"How does {measures[0]} change over {dates[0]} in {file}? Plot it."
    if len(measures) > 1:
        yield f"How are {measures[0]} and {measures[1]} related in {file}? Plot it and give the correlation."
    yield f"What is missing, doubled or odd in {file}?"
    if groups:
        yield f"How many rows has each {groups[0]} in {file}?"


def _in_turns(lists: Sequence[list[str]]) -> list[str]:
    """First of each, then second of each, and so on: several files all get their word."""
    longest = max(map(len, lists), default=0)
    return [questions[turn] for turn in range(longest) for questions in lists if turn < len(questions)]

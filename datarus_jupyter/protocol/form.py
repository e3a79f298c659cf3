"""The form in which a question wants its answer, such as ``@mean[value]``, as benchmarks and scripts ask. Pure."""

from __future__ import annotations

import re

_NAME = re.compile(r"@(\w+)\[")
_PAIR = re.compile(r"@(\w+)\[([^\]]*)\]")


def asked_names(question: str) -> tuple[str, ...]:
    """The names in the form ``@name[...]`` that the question asks for, each once and in order."""
    return tuple(dict.fromkeys(_NAME.findall(question)))


def form_of(names: tuple[str, ...]) -> str:
    """The form in words: ``@mean[value] @sd[value]``."""
    return " ".join(f"@{name}[value]" for name in names)


def unfilled(question: str, answer: str) -> tuple[str, ...]:
    """The names asked for that the answer lacks, or to which it gives the question's own placeholder."""
    given, asked = dict(_PAIR.findall(answer)), dict(reversed(_PAIR.findall(question)))
    return tuple(name for name in asked_names(question) if given.get(name) in (None, asked.get(name)))

"""What a question asks for that can be seen to be missing: a figure, or an answer in a given form.

Small models forget the second half of a question (engines.md); each omission is pointed out once. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from datarus_jupyter.protocol.form import asked_names, form_of, unfilled

_FIGURE = re.compile(
    r"\b(plot|chart|histogram|scatter ?plot|box ?plot|bar ?plot|heat ?map|graph|draw|visuali[sz]e)\b", re.IGNORECASE
)
_NO_FIGURE = re.compile(
    r"\b(no|not|without|don't|do not)\s+(?:\w+\s+){0,2}(plot|chart|graph|figure|draw)", re.IGNORECASE
)


def lacks_figure(question: str, outputs: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the question asks for a figure and none of the outputs is one."""
    if not _FIGURE.search(question) or _NO_FIGURE.search(question):
        return False
    kinds = (kind for output in outputs for kind in output.get("data", {}))
    return not any(kind.startswith(("image/", "application/vnd.")) for kind in kinds)


def missing_figure(question: str, outputs: Iterable[Mapping[str, Any]]) -> str:
    """A reminder, if a figure is asked for and not there; else ''."""
    if not lacks_figure(question, outputs):
        return ""
    return "A figure was asked for and none was drawn. Draw and show it in the next <step>, then answer."


def missing_form(question: str, answer: str) -> str:
    """A reminder, if the question gives a form such as ``@mean[...]`` and the answer is not in it; else ''."""
    names = unfilled(question, answer)
    if not names:
        return ""
    return (
        f"The answer does not give {form_of(names)} as it was asked for. If your code has not printed the value, "
        f"compute and print it in the next <step>; else give the answer again, with {form_of(asked_names(question))}."
    )

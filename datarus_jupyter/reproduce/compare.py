"""Whether a cell's outputs are the ones that it had before (issue 3, §1). Pure; outputs are nbformat's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from datarus_jupyter.agent.html_text import html_to_text
from datarus_jupyter.agent.terminal import as_shown
from datarus_jupyter.reproduce.markup import svg_text
from datarus_jupyter.reproduce.pictures import picture_difference
from datarus_jupyter.reproduce.text import Tolerance, number_same, text_difference

Output = dict[str, Any]
Verdict = Literal["same", "differs", "fails", "skipped"]

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_TRIVIAL = ("text/plain",)
_UNCOMPARED = ("application/javascript", "application/pdf", "application/vnd.jupyter.widget-view+json")
"""Scripts and handles that say nothing of what is seen, and a format that carries its date."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``reason`` is one line for the user, '' if ``same``."""

    verdict: Verdict
    reason: str = ""


SAME = Comparison("same")


def compare(before: Sequence[Output], after: Sequence[Output], tolerance: Tolerance | None = None) -> Comparison:
    """The verdict on ``after``, and its first difference from ``before``.

    ``fails``: there is an error that was not there before. Standard output, standard error and what is displayed are
    compared apart, as their order among each other is chance.
    """
    tolerance = tolerance or Tolerance()
    if failure := _error_difference(_error(before), _error(after), tolerance):
        return failure
    differences = (
        _shown_difference(_shown(before), _shown(after), tolerance),
        _stream_difference("", _stream(before, "stdout"), _stream(after, "stdout"), tolerance),
        _stream_difference("stderr: ", _warnings(before), _warnings(after), tolerance),
    )
    reason = next(filter(None, differences), "")
    return Comparison("differs", reason) if reason else SAME


def _error(outputs: Sequence[Output]) -> str:
    """The first error in one line; '' if there is none. Its traceback holds line numbers and paths, no result."""
    errors = (output for output in outputs if output["output_type"] == "error")
    return next((f"{error['ename']}: {error['evalue']}" for error in errors), "")


def _error_difference(before: str, after: str, tolerance: Tolerance) -> Comparison | None:
    if not after:
        return Comparison("differs", f"the error is gone: it was {_clip(before)}") if before else None
    if not before:
        return Comparison("fails", _clip(after))
    if text_difference(before, after, tolerance):
        return Comparison("fails", f"another error: {_clip(after)}; it was {_clip(before)}")
    return None


def _stream(outputs: Sequence[Output], name: str) -> str:
    pieces = (_whole(output["text"]) for output in outputs if output.get("name") == name)
    return as_shown("".join(pieces)).rstrip()


def _warnings(outputs: Sequence[Output]) -> str:
    """Standard error line by line in a fixed order: threads and imports warn when they come to it."""
    return "\n".join(sorted(_stream(outputs, "stderr").split("\n")))


def _stream_difference(name: str, before: str, after: str, tolerance: Tolerance) -> str:
    if bool(before) != bool(after):
        which = f"it no longer prints {_clip(before)}" if before else f"it now prints {_clip(after)}"
        return name + which
    difference = text_difference(before, after, tolerance)
    return name + difference if difference else ""


def _shown(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    bundles = (output.get("data") or {} for output in outputs if output["output_type"] not in ("stream", "error"))
    return [seen for data in bundles if (seen := {mime: data[mime] for mime in data if mime not in _UNCOMPARED})]


def _shown_difference(before: Sequence[Output], after: Sequence[Output], tolerance: Tolerance) -> str:
    for one, other in zip_longest(before, after):
        if one is None:
            return f"it now shows {_what(other)} more"
        if other is None:
            return f"it no longer shows {_what(one)}"
        if difference := _bundle_difference(one, other, tolerance):
            return difference
    return ""


def _bundle_difference(before: Output, after: Output, tolerance: Tolerance) -> str:
    """Compare every form that both have; the plain text only where there is no richer one."""
    common = [mime for mime in before if mime in after]
    rich = [mime for mime in common if mime not in _TRIVIAL]
    if not common:
        return f"it showed {_what(before)}, now shows {_what(after)}"
    for mime in rich or common:
        if difference := _mime_difference(mime, before[mime], after[mime], tolerance):
            return difference
    return ""


def _mime_difference(mime: str, before: Any, after: Any, tolerance: Tolerance) -> str:
    if mime in _PICTURES:
        return picture_difference(_whole(before), _whole(after))
    if mime == "application/json" or mime.endswith("+json"):
        return value_difference(before, after, tolerance)
    if mime == "image/svg+xml":
        drawings = (svg_text(_whole(before)), svg_text(_whole(after)))
        return "the drawing differs" if text_difference(*drawings, tolerance) else ""
    read: Callable[[str], str] = html_to_text if mime == "text/html" else as_shown
    return text_difference(read(_whole(before)), read(_whole(after)), tolerance)


def value_difference(before: Any, after: Any, tolerance: Tolerance, path: str = "") -> str:
    """The first place at which two JSON values differ, ``data[0].y[3] was 1, is 2``; '' if they are the same."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        inner = (value_difference(before[key], after[key], tolerance, f"{path}.{key}".lstrip(".")) for key in before)
        return next(filter(None, inner), "")
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return next(filter(None, (value_difference(a, b, tolerance, f"{path}[{i}]") for i, (a, b) in pairs)), "")
    if isinstance(before, str) and isinstance(after, str):
        difference = text_difference(before, after, tolerance)
        return f"{path} {difference}".strip() if difference else ""
    if _is_number(before) and _is_number(after) and number_same(repr(before), repr(after), tolerance):
        return ""
    same = type(before) is type(after) and before == after
    return "" if same else f"{path} was {_clip(json.dumps(before))}, is {_clip(json.dumps(after))}".strip()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _what(data: Output) -> str:
    if any(mime.startswith("image/") for mime in data):
        return "a picture"
    if "text/html" in data:
        return "a table" if "<table" in _whole(data["text/html"]) else "HTML"
    text = _whole(data.get("text/plain", ""))
    return _clip(text) if text else next(iter(data))


def _clip(text: str, limit: int = 80) -> str:
    line = " ".join(text[: 4 * limit].split())
    return f"“{line if len(line) <= limit else line[: limit - 1] + '…'}”"


def _whole(text: Any) -> str:
    """Multi-line strings may be stored as lists of lines in a notebook."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text)

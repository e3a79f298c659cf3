"""A traceback for the model: the frames of the user's own code and the error; a library's frames in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from datarus_jupyter.agent.excerpt import excerpt
from datarus_jupyter.agent.terminal import strip_escapes

_HEADER = re.compile(r"\s*(?:Cell In|Input In|File |<ipython-input|~?/\S+ in )")
_CODE = re.compile(r"\s|-+> ?\d|\d+ |\(\.\.\.\)|$")
_LIBRARY = re.compile(
    r"site-packages|dist-packages|[/\\]lib[/\\]python3|\.p(?:yx|xi)\b|<(?:frozen |decorator-gen|string>|__)"
)
_RULE = re.compile(r"-{20,}\n")
_TITLE = re.compile(r"(?m)^\S+ +Traceback \(most recent call last\)$")


@dataclass(slots=True)
class _Part:
    """Consecutive lines: a frame, or what stands between frames (``header`` is empty)."""

    header: str
    lines: list[str]

    @property
    def library(self) -> bool:
        return bool(_LIBRARY.search(self.header))


def traceback_to_text(output: dict[str, Any], limit: int) -> str:
    """An nbformat error in at most ``limit`` characters: where it came from, and at the end what it says."""
    name, value = strip_escapes(str(output.get("ename", ""))), strip_escapes(str(output.get("evalue", "")))
    error = f"{name}: {value}".strip(": ") or "an error"
    text = strip_escapes("\n".join(output.get("traceback") or []))
    text = _TITLE.sub("Traceback (most recent call last):", _RULE.sub("", text)).strip()
    said = text.rfind("\n" + name)
    if said >= 0 and error.startswith(text[said + 1 :].rstrip(": ")):  # of a syntax error only the beginning
        text = text[:said].rstrip()
    last = excerpt(error, limit // 2)
    return "\n".join(part for part in (excerpt(_folded(text), limit - len(last) - 1), last) if part)


def _folded(text: str) -> str:
    """The traceback with neighbouring library frames, and repeated frames of a recursion, in one line each."""
    lines: list[str] = []
    for library, group in groupby(_parts(text), key=lambda part: part.library):
        if library:
            lines.append(_fold([part.header for part in group]))
        else:
            for frame, same in groupby("\n".join(part.lines).rstrip() for part in group):
                again = len(list(same)) - 1
                lines += [frame, *([f"… the same frame {again:,} more times …"] if again else [])]
    return "\n".join(line for line in lines if line.strip())


def _fold(headers: list[str]) -> str:
    where = re.sub(r".*(?:site-packages|dist-packages|lib[/\\]python3[.\d]*)[/\\]", "", headers[-1].strip())
    where = re.sub(r"\(.*", "", where.removeprefix("File "))
    return f"… {len(headers)} library frame{'s' * (len(headers) > 1)}, the last: {where} …"


def _parts(text: str) -> list[_Part]:
    parts = [_Part("", [])]
    for line in text.split("\n"):
        if _HEADER.match(line):
            parts.append(_Part(line, [line]))
        elif parts[-1].header and not _CODE.match(line):
            parts.append(_Part("", [line]))
        else:
            parts[-1].lines.append(line)
    return parts

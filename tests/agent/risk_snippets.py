"""The labelled snippets of ``risk_corpus``, and how well the scan does on them; the benchmark reads them too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datarus_jupyter.agent.risk import scan

CORPUS = Path(__file__).parent / "risk_corpus"


@dataclass(frozen=True)
class Snippet:
    """A piece of code and what the scan should say: a kind of risk, or ``harmless``."""

    kind: str
    code: str
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def held_out(self) -> bool:
        """Whether the scan was not tuned on it."""
        return hashlib.sha256(self.code.encode()).digest()[-1] % 2 == 1

    @property
    def right(self) -> bool:
        """Whether the scan names its kind, or nothing if it is harmless."""
        kinds = {risk.kind for risk in scan(self.code, variables=self.variables, files=self.files)}
        return not kinds if self.kind == "harmless" else self.kind in kinds


def snippets() -> list[Snippet]:
    """All of them."""
    texts = [(CORPUS / name).read_text() for name in ("harmless.txt", "risky.txt")]
    return [_snippet(part) for text in texts for part in text.split("#% ")[1:]]


def _snippet(part: str) -> Snippet:
    label, _, code = part.partition("\n")
    kind, *marks = label.split()
    given = {name: value for name, _, value in (mark.partition("=") for mark in marks)}
    users = {name: tuple(given[name].split(",")) for name in ("variables", "files") if name in given}
    return Snippet(kind, code.rstrip("\n"), **users)


def share(chosen: Sequence[Snippet], *, right: bool) -> float:
    """The share of those on which the scan is ``right``, or is not."""
    return sum(snippet.right is right for snippet in chosen) / len(chosen)

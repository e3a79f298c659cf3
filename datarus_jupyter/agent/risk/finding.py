"""A risk, and how each kind of it is put in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "deletes",
    "overwrites",
    "process",
    "network",
    "install",
    "secrets",
    "outside",
    "variables",
    "kernel",
    "database",
    "loop",
    "dynamic",
]

_DOES: dict[Kind, str] = {
    "deletes": "deletes or moves files",
    "overwrites": "overwrites a file",
    "process": "runs another program",
    "network": "opens the network",
    "install": "installs or removes a package",
    "secrets": "reads secrets",
    "outside": "goes outside of the working directory",
    "variables": "overwrites or deletes your variable",
    "kernel": "ends the kernel, and with it your variables",
    "database": "deletes or changes rows of a database",
    "loop": "never ends",
    "dynamic": "runs code that cannot be seen here",
}
_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Risk:
    """Something risky in ``line`` (from 1). ``what`` is the part of the code that shows it."""

    line: int
    kind: Kind
    what: str

    @property
    def reason(self) -> str:
        """In plain words: ``line 3 deletes or moves files: shutil.rmtree``."""
        what = " ".join(self.what.split())
        shown = what if len(what) <= _SHOWN else what[: _SHOWN - 1] + "…"
        return f"line {self.line} {_DOES[self.kind]}: {shown}"

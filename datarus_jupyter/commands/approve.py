"""The user's word on code that waits, asked for on the terminal; where there is none, the word is no."""

from __future__ import annotations

import asyncio
import sys

import click
from rich.console import Console
from rich.text import Text

from datarus_jupyter.journal.events import ApprovalDecided, ApprovalRequested

_NOBODY = "Nobody is at a terminal to approve it ({reasons}). Find a way that does without."
_ASK = "Run it? [y]es, [n]o, [e]dit: "


class TerminalApprover:
    """Implements ``Approver``. ``interactive`` is whether somebody can be asked on the standard input."""

    def __init__(self, console: Console, *, interactive: bool) -> None:
        self._console = console
        self._interactive = interactive

    async def decide(self, request: ApprovalRequested, code: str) -> ApprovalDecided:
        """Show the reasons and wait for an answer; the end of the input is a no."""
        for reason in request.reasons:
            self._console.print(Text(f"! {reason}", style="yellow"), soft_wrap=True)
        if not self._interactive:
            return _decided(request, "n", _NOBODY.format(reasons="; ".join(request.reasons)))
        while True:
            self._console.print(Text(_ASK, style="bold"), end="")
            answer = (await _line()).strip().lower()[:1] or "?"
            if answer in "yn\0":
                return _decided(request, answer)
            if answer == "e" and (edited := click.edit(code, extension=".py")) is not None:
                return ApprovalDecided(
                    step=request.step, verdict="edited", sha256=request.sha256, code=edited.rstrip("\n")
                )


def _decided(request: ApprovalRequested, answer: str, comment: str = "") -> ApprovalDecided:
    return ApprovalDecided(
        step=request.step,
        verdict="approved" if answer == "y" else "rejected",
        sha256=request.sha256,
        who="terminal",
        comment=comment,
    )


async def _line() -> str:
    """The next line of the standard input, without a thread that would outlive Ctrl-C; NUL at its end."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(sys.stdin.fileno(), readable.set)
    except NotImplementedError:  # Windows: the loop waits too, and Ctrl-C ends both
        return sys.stdin.readline() or "\0"
    try:
        await readable.wait()
        return sys.stdin.readline() or "\0"
    finally:
        loop.remove_reader(sys.stdin.fileno())

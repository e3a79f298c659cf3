"""One request to a kernel and what came back for it. Messages of any other request never reach it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from datarus_jupyter.kernels.outputs import Outputs


class Request:
    """From sending to both the reply on shell and ``idle`` on iopub, which come in either order."""

    def __init__(self) -> None:
        self.outputs = Outputs()
        self.process: int | None = None
        """The kernel's process when this was sent."""
        self.count: int | None = None
        self.reply: dict[str, Any] = {}
        self.lost = ""
        """Why there will be no reply; empty as long as there may be one."""
        self.started, self.replied, self.idle = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.done = asyncio.Event()
        """The first word, on whichever channel, that the kernel is no longer at work on it."""
        self._heard = time.monotonic()
        self._began = 0.0

    @property
    def executing(self) -> bool:
        """Whether the kernel is at work on this very request."""
        return self.started.is_set() and not self.done.is_set()

    @property
    def seconds(self) -> float:
        """How long the kernel has been at it."""
        return time.monotonic() - self._began if self._began else 0.0

    def take_iopub(self, kind: str, content: dict[str, Any]) -> None:
        """Take in an iopub message whose parent is this request."""
        self._heard = time.monotonic()
        if kind == "status":
            self._take_status(content["execution_state"])
        elif kind == "execute_input":
            self.count = content["execution_count"]
        else:
            self.outputs.add(kind, content)

    def _take_status(self, state: str) -> None:
        if state == "busy":
            self._began = time.monotonic()
            self.started.set()
        elif state == "idle":
            self.idle.set()
            self.done.set()

    def take_reply(self, content: dict[str, Any]) -> None:
        """Take in the reply on shell."""
        self.reply = content
        self.count = content.get("execution_count", self.count)
        # A slow line may have lost the word that it began.
        self.started.set()
        self.replied.set()
        self.done.set()

    def renew(self) -> None:
        """The kernel refused it unseen; it will be sent again."""
        for event in (self.started, self.replied, self.idle, self.done):
            event.clear()

    def lose(self, reason: str) -> None:
        """Nothing more will come: whoever waits for this request is woken."""
        self.lost = self.lost or reason
        for event in (self.started, self.replied, self.idle, self.done):
            event.set()

    async def settle(self, quiet: float) -> bool:
        """After the reply: wait for ``idle``, as outputs come before it. False if iopub stays quiet without one.

        A kernel drops iopub messages that a slow line does not take; it may drop ``idle`` too.
        """
        while not await within(quiet, self.idle):
            if time.monotonic() - self._heard >= quiet:
                return False
        return True


async def within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for ``event``; False if it was not set in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

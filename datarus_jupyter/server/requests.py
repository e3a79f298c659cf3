"""The requests under way, so that the server's end can wait for them.

A request that the event loop leaves behind hangs the whole process: the contents manager reads files in threads that
anyio ends with the task that was the first to use them.
"""

from __future__ import annotations

import asyncio

from datarus_jupyter.errors import DatarusError

_PATIENCE = 3.0


class ServerStops(DatarusError):
    """The server takes no requests any more."""


class Requests:
    """Lets requests in until ``close``."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self.closed = False

    def enter(self) -> None:
        """The current task works on a request from here to its end. Raises ``ServerStops``."""
        if self.closed:
            raise ServerStops("The server is stopping: ask again when it is back.")
        task = asyncio.current_task()
        assert task, "a request is a task"
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let nothing in any more; what is in has a few seconds to end, then it is cancelled."""
        self.closed = True
        late = await self._ended()
        for task in late:
            task.cancel()
        await self._ended()

    async def _ended(self) -> set[asyncio.Task[object]]:
        return (await asyncio.wait(self._tasks, timeout=_PATIENCE))[1] if self._tasks else set()

"""What Ctrl-C does."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress


def stop_on_interrupt() -> None:
    """Ctrl-C cancels the current task and does not end the program, so that all is finished properly."""
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)

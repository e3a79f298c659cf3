"""The embedded server as a child process: started, waited for, stopped."""

from __future__ import annotations

import asyncio
import collections
import importlib.util
import os
import sys

import httpx
import msgspec

from datarus_jupyter.errors import EngineUnreachable

_LOG_LINES = 40
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.05


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is started with. ``context`` is in tokens, of each of the ``slots`` that answer at once."""

    model_file: str
    model: str
    key: str
    threads: int
    context: int
    slots: int
    lora_file: str = ""


class ServerProcess:
    """A running child. Made by ``start``; ``url`` is the base of its API."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._log: collections.deque[str] = collections.deque(maxlen=_LOG_LINES)
        self._logging = asyncio.create_task(self._read_log())
        self.url = ""

    @classmethod
    async def start(cls, settings: ServerSettings, *, seconds: float, wait_policy: str = "") -> ServerProcess:
        """Start the child and wait until it has loaded its model, ``seconds`` at the most.

        ``wait_policy`` is OpenMP's (``active`` or ``passive``), '' to leave it. Raises ``EngineUnreachable``.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise EngineUnreachable(
                'The embedded engine is not installed: run `pip install "datarus-jupyter[embedded]"`.'
            )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # -P: the folder that Jupyter was started in must not shadow modules.
            *("-P", "-m", "datarus_jupyter.engines.embedded_server"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | ({"OMP_WAIT_POLICY": wait_policy} if wait_policy else {}),
        )
        server = cls(process)
        try:
            async with asyncio.timeout(seconds):
                await server._wait_until_ready(settings)
        except TimeoutError as error:
            raise EngineUnreachable(f"The embedded engine was not ready after {seconds:.0f} s: try again.") from error
        finally:
            if not server.url:
                await server.stop()
        return server

    async def _wait_until_ready(self, settings: ServerSettings) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(settings) + b"\n")
        address = (await self._process.stdout.readline()).decode().strip()
        if not address:
            await self._process.wait()
            raise EngineUnreachable(f"The embedded engine could not start ({await self.last_words()}).")
        async with httpx.AsyncClient(trust_env=False) as client:
            while (await client.get(f"{address}/health")).status_code != 200:
                await asyncio.sleep(_POLL_SECONDS)
        self.url = f"{address}/v1"

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._log.append(line.decode(errors="replace").strip())

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the child lives."""
        return self._process.returncode is None

    async def wait(self) -> None:
        """Until the child has ended."""
        await self._process.wait()

    async def last_words(self) -> str:
        """The last line that a child which has ended wrote to its log: why, as a rule."""
        await self._logging
        return self._log[-1] if self._log else f"status {self._process.returncode}"

    async def stop(self) -> None:
        """End the child: by closing its input, or by force."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._logging

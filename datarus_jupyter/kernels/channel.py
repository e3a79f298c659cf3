"""A running kernel through a client of our own: the ``Kernel`` that the agent works with.

Others use the same kernel at the same time. We hear what belongs to our own requests only, send code when the kernel
is free for it, and interrupt it only while it is at work on our code.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty
from types import TracebackType
from typing import Any, Protocol, Self

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.session import Session
from jupyter_core.utils import ensure_async

from datarus_jupyter.agent.interfaces import Displayed, Executed, KernelOutput
from datarus_jupyter.errors import KernelError
from datarus_jupyter.journal.events import ExecutionStatus
from datarus_jupyter.kernels.outputs import error_line
from datarus_jupyter.kernels.request import Request, within

Message = dict[str, Any]

DEAD = "The kernel died or is being restarted, so its variables are gone: run the cells above again when it is back."
CLOSED = "The connection to the kernel was closed."
RESTARTED = "The kernel was restarted, so its variables are gone: run the cells above again."
BUSY = "The kernel was busy for {:g} s with another cell, so this one was not run: interrupt that cell or wait for it."
LATE = "The cell ran longer than {:g} s and was interrupted."
STUCK = "The cell ran longer than {:g} s and did not react to an interrupt: restart the kernel."


class KernelManager(Protocol):
    """What is needed of a jupyter_client kernel manager, a server's or one of our own."""

    def client(self) -> AsyncKernelClient: ...

    def is_alive(self) -> Any: ...

    def interrupt_kernel(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds. ``turn``: for the kernel to be free for our code; ``back``: for a dead one to be started again;
    ``react``: for it to react to interrupts, one each ``again``; ``quiet``: without a message that should be under way;
    ``alive``, ``drain`` and ``poll``: between two looks.
    """

    turn: float = 600.0
    back: float = 15.0
    react: float = 6.0
    again: float = 2.0
    quiet: float = 2.0
    alive: float = 0.5
    drain: float = 0.05
    poll: float = 0.2


class KernelChannel:
    """Our client of one kernel; an async context manager. Leaving it never stops the kernel.

    After a time-out, a death or a restart it stays usable: the next ``execute`` waits for the kernel to be there.
    """

    def __init__(self, manager: KernelManager, kernel_id: str, waits: Waits | None = None) -> None:
        self._manager = manager
        self._id = kernel_id
        self._waits = waits or Waits()
        self._requests: dict[str, Request] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._client: AsyncKernelClient | None = None
        self._heard = False
        self._last: Request | None = None
        """Our request that the kernel finished last; None once it was busy with anything else since."""

    @property
    def id(self) -> str:
        """The kernel's id, as the server knows it."""
        return self._id

    async def __aenter__(self) -> Self:
        client = self._manager.client()
        # The manager gives all its clients one session, hence one shell identity, and the kernel answers only one.
        client.session = Session(key=client.session.key, signature_scheme=client.session.signature_scheme)
        client.start_channels(stdin=False, hb=False, control=False)
        self._client = client
        self._tasks = [
            asyncio.create_task(self._listen(client.get_iopub_msg, self._on_iopub)),
            asyncio.create_task(self._listen(client.get_shell_msg, self._on_shell)),
            asyncio.create_task(self._watch()),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close our connection; whatever still waits on it ends as ``dead``."""
        self._lose(CLOSED)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._client is not None:
            self._client.stop_channels()
            self._client = None

    async def execute(self, code: str, *, timeout: float) -> AsyncGenerator[KernelOutput, None]:
        """Run ``code`` as ``Kernel.execute`` says. ``timeout`` counts from when the kernel begins with it."""
        request = Request()
        work = asyncio.create_task(self._run(request, code, timeout))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=self._waits.drain)
                for output in request.outputs.drain():
                    yield output
            for output in request.outputs.close():
                yield output
            yield work.result()
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def evaluate(self, code: str, *, timeout: float) -> str:
        """Run ``code`` silently and return what it printed; '' if it fails or is late by ``timeout`` seconds."""
        request = Request()
        try:
            async with asyncio.timeout(timeout):
                executed = await self._run(request, code, timeout, silent=True)
        except TimeoutError:
            return ""
        if executed.status != "ok":
            return ""
        outputs = [shown.output for shown in request.outputs.close() if isinstance(shown, Displayed)]
        return "".join(output["text"] for output in outputs if output.get("name") == "stdout")

    async def ready(self, timeout: float) -> None:
        """Wait until the kernel answers. Raises ``KernelError``."""
        if obstacle := await self._turn(timeout):
            raise KernelError(f"The kernel gave no answer within {timeout:g} s: {obstacle.error}")

    async def _run(self, request: Request, code: str, timeout: float, *, silent: bool = False) -> Executed:
        while True:
            if obstacle := await self._turn(self._waits.turn):
                return obstacle
            executed = await self._run_once(request, code, timeout, silent)
            if request.reply.get("status") != "aborted":
                return executed
            # A cell of the user's that came in between failed, and with it the kernel threw away what was queued.
            request.renew()

    async def _turn(self, seconds: float) -> Executed | None:
        """Wait until the kernel has worked off its queue and its iopub reaches us; what stands in the way, if anything.

        Code that is queued behind a user's cell cannot be taken back, so a harmless request queues in its place.
        """
        if await self._idle():
            return None
        client = self._connected
        try:
            async with asyncio.timeout(seconds):
                while await self._back() and self._client is client:
                    gate = Request()
                    with self._sent(gate, client.kernel_info()):
                        await gate.replied.wait()
                        if not gate.lost and await within(self._waits.quiet, gate.idle):
                            return None
                return Executed("dead", None, 0.0, DEAD if self._client else CLOSED)
        except TimeoutError:
            return Executed("timeout", None, 0.0, BUSY.format(seconds))

    async def _back(self) -> bool:
        """Wait for a kernel that died to be started again, as a server does by itself; False if it is not."""
        deadline = time.monotonic() + self._waits.back
        while not await self._alive():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(self._waits.alive)
        return True

    async def _idle(self) -> bool:
        """Whether the kernel did nothing since our last request, so that there is no need to ask it."""
        return self._last is not None and self._last.process == self._process and await self._alive()

    async def _run_once(self, request: Request, code: str, timeout: float, silent: bool) -> Executed:
        # With stop_on_error a failing cell of ours would throw away the cells that the user has queued.
        sent = self._connected.execute(
            code, silent=silent, store_history=not silent, allow_stdin=False, stop_on_error=False
        )
        with self._sent(request, sent):
            try:
                if not await within(self._waits.turn, request.started):
                    return Executed("timeout", None, 0.0, BUSY.format(self._waits.turn))
                if await within(timeout, request.replied):
                    await request.settle(self._waits.quiet)
                    return _executed(request)
                reacted = await self._interrupt(request) and await request.settle(self._waits.quiet)
            except asyncio.CancelledError:
                await self._interrupt(request)
                raise
        if request.lost:
            return _executed(request)
        return Executed("timeout", request.count, request.seconds, (LATE if reacted else STUCK).format(timeout))

    async def _interrupt(self, request: Request) -> bool:
        """Interrupt the kernel while it is at work on ``request``, more than once as a signal may fall on deaf ears.

        What was just sent has yet to begin: without waiting for that, it would run on with nobody watching. True once
        the kernel is done with it; the last of its messages may still be under way.
        """
        await within(self._waits.react, request.started)
        deadline = time.monotonic() + self._waits.react
        while request.executing and time.monotonic() < deadline:
            if request.process != self._process or not await self._alive():
                # The manager would wait for the next kernel and interrupt that one, which kills it as it starts.
                request.lose(DEAD)
                break
            try:
                await ensure_async(self._manager.interrupt_kernel())
            except (RuntimeError, OSError):
                pass  # There is no process any more, as the watch will find.
            await within(self._waits.again, request.done)
        return request.done.is_set()

    @property
    def _connected(self) -> AsyncKernelClient:
        if self._client is None:
            raise KernelError("There is no connection to the kernel: open it first.")
        return self._client

    @contextmanager
    def _sent(self, request: Request, msg_id: str) -> Iterator[None]:
        request.process = self._process
        self._requests[msg_id] = request
        try:
            yield
        finally:
            del self._requests[msg_id]

    @property
    def _process(self) -> int | None:
        """Which process the kernel is, where the manager started it on this machine."""
        return getattr(getattr(self._manager, "provisioner", None), "pid", None)

    async def _alive(self) -> bool:
        return bool(await ensure_async(self._manager.is_alive()))

    async def _listen(self, receive: Callable[..., Awaitable[Message]], take: Callable[[Message], None]) -> None:
        while True:
            try:
                # A socket tells once that a message is there, and a send at that moment swallows it: we look again.
                message = await receive(timeout=self._waits.poll)
            except Empty:
                continue
            except ValueError:  # not signed with the kernel's key
                continue
            take(message)

    def _on_shell(self, message: Message) -> None:
        if request := self._requests.get(message["parent_header"].get("msg_id", "")):
            request.take_reply(message["content"])

    def _on_iopub(self, message: Message) -> None:
        kind, content = message["header"]["msg_type"], message["content"]
        request = self._requests.get(message["parent_header"].get("msg_id", ""))
        if kind == "status":
            self._last = request if content["execution_state"] == "idle" else None
        if request:
            request.take_iopub(kind, content)
            self._heard = True
        elif content.get("execution_state") == "starting" and self._heard:
            self._lose(RESTARTED)

    async def _watch(self) -> None:
        """A dead kernel says nothing, and a new one knows nothing of what the old one was asked."""
        while True:
            await asyncio.sleep(self._waits.alive)
            if self._requests and not await self._alive():
                self._lose(DEAD)
            for request in self._requests.values():
                if request.process != self._process:
                    request.lose(RESTARTED)
            if self._process is None:
                await self._probe(tuple(self._requests.values()))

    async def _probe(self, waiting: Sequence[Request]) -> None:
        """Where no process tells: a kernel that answers what it was asked later knows nothing of what came before."""
        probe = Request()
        if waiting:
            with self._sent(probe, self._connected.kernel_info()):
                if await within(self._waits.quiet, probe.replied):
                    for request in waiting:
                        if not request.replied.is_set():
                            request.lose(RESTARTED)

    def _lose(self, reason: str) -> None:
        for request in self._requests.values():
            request.lose(reason)


def _executed(request: Request) -> Executed:
    """How a request ended that was not late."""
    if request.lost:
        return Executed("dead", request.count, request.seconds, request.lost)
    name = request.reply.get("ename", "")
    error = error_line(name, request.reply.get("evalue", "")) if name else request.outputs.error
    status: ExecutionStatus = "error" if error else "ok"
    if name == "KeyboardInterrupt":
        status = "interrupted"
    return Executed(status, request.count, request.seconds, error)

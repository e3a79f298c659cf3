"""The user's verdicts on a run's code, from the browser to the waiting agent."""

from __future__ import annotations

import asyncio

from datarus_jupyter.journal.events import ApprovalDecided, ApprovalRequested


class Approvals:
    """Implements ``Approver`` for one run: the agent waits in ``decide``, the user's request calls ``resolve``."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str], asyncio.Future[ApprovalDecided]] = {}

    async def decide(self, request: ApprovalRequested, code: str) -> ApprovalDecided:
        """Wait for the verdict on the code whose hash ``request`` names."""
        key = (request.step, request.sha256)
        verdict: asyncio.Future[ApprovalDecided] = asyncio.get_running_loop().create_future()
        self._waiting[key] = verdict
        try:
            return await verdict
        finally:
            del self._waiting[key]

    def resolve(self, decision: ApprovalDecided) -> bool:
        """Hand the verdict over. False if nothing waits under its step and hash, or it was given already."""
        verdict = self._waiting.get((decision.step, decision.sha256))
        if verdict is None or verdict.done():
            return False
        verdict.set_result(decision)
        return True

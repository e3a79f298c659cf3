"""Which handler answers where, under the server's base URL."""

from __future__ import annotations

from typing import Any

from datarus_jupyter.server import engine_handlers as engines
from datarus_jupyter.server import handlers as runs
from datarus_jupyter.server import reproduction_handlers as reproduction
from datarus_jupyter.server.registry import RUN_ID
from datarus_jupyter.server.services import Services
from datarus_jupyter.server.websocket import TabSocket

_RUN = f"/datarus/api/runs/({RUN_ID})"
_NAME = r"([\w.-]+)"


def routes(services: Services) -> list[tuple[str, type, dict[str, Any]]]:
    """Patterns, handlers and their arguments, as tornado wants them."""
    handlers: dict[str, type] = {
        "/datarus/api/runs": runs.RunsHandler,
        _RUN: runs.RunHandler,
        f"{_RUN}/stop": runs.StopHandler,
        f"{_RUN}/mode": runs.ModeHandler,
        f"{_RUN}/revert": runs.RevertHandler,
        f"{_RUN}/resume": runs.ResumeHandler,
        f"{_RUN}/approval": runs.ApprovalHandler,
        f"{_RUN}/feedback": runs.FeedbackHandler,
        f"{_RUN}/proposal": runs.ProposalHandler,
        "/datarus/api/attachments/files": runs.FilesHandler,
        "/datarus/api/attachments/variables": runs.VariablesHandler,
        "/datarus/api/modes": runs.ModesHandler,
        "/datarus/api/engines": engines.EnginesHandler,
        f"/datarus/api/engines/{_NAME}/check": engines.CheckHandler,
        f"/datarus/api/engines/{_NAME}/key": engines.KeyHandler,
        "/datarus/api/models": engines.ModelsHandler,
        f"/datarus/api/models/{_NAME}/pull": engines.PullHandler,
        f"/datarus/api/models/{_NAME}/cancel": engines.CancelHandler,
        "/datarus/api/notebooks/reproduce": reproduction.ReproduceHandler,
        "/datarus/api/notebooks/reproduce/stop": reproduction.StopReproducingHandler,
        "/datarus/api/notebooks/reproduce/clear": reproduction.ClearReproductionHandler,
        "/datarus/api/suggestions": engines.SuggestionsHandler,
        "/datarus/ws": TabSocket,
    }
    return [(pattern, handler, {"services": services}) for pattern, handler in handlers.items()]

"""The server extension: its settings, its handlers, its beginning and its end."""

from __future__ import annotations

import os
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
from jupyter_core.paths import jupyter_data_dir
from jupyter_events import EventLogger
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.manager import ContentsManager
from traitlets import Bunch, Dict, Enum, Float, List, TraitError, Unicode, default, validate

from datarus_jupyter.agent.interfaces import Limits
from datarus_jupyter.engines.catalogue import models_dir
from datarus_jupyter.journal.secrets import Secrets
from datarus_jupyter.protocol.prompts import PROFILES
from datarus_jupyter.server.agents import Agents, Settings
from datarus_jupyter.server.attachments import Attachments
from datarus_jupyter.server.contents import ContentsNotebooks
from datarus_jupyter.server.engines import Engines, EngineStatus
from datarus_jupyter.server.file_writers import FileWriters
from datarus_jupyter.server.log_filter import SecretFilter
from datarus_jupyter.server.models import Models, ModelStatus
from datarus_jupyter.server.modes import ALL, Modes
from datarus_jupyter.server.recovery import Recovery
from datarus_jupyter.server.registry import RunRegistry
from datarus_jupyter.server.reproductions import Reproductions
from datarus_jupyter.server.requests import Requests
from datarus_jupyter.server.routes import routes
from datarus_jupyter.server.services import Services
from datarus_jupyter.server.sessions import NotebookKernels
from datarus_jupyter.server.shared_documents import SharedNotebooks
from datarus_jupyter.server.tabs import Tabs
from datarus_jupyter.server.unsaved import UnsavedRuns


class DatarusApp(ExtensionApp):
    """Settings are traits: ``c.DatarusApp.engine_url = "http://127.0.0.1:8000/v1"`` in a Jupyter config file."""

    name = "datarus_jupyter"
    extension_url = "/lab"
    load_other_extensions = True

    engine_url = Unicode(
        help="URL of an OpenAI-compatible API such as vLLM's, http://127.0.0.1:8000/v1. Empty: the embedded engine."
    ).tag(config=True)
    model = Unicode(
        help="The model's name as that engine serves it, or the embedded engine's as the catalogue or a file names it. "
        "Empty: the first that is served, or the default one."
    ).tag(config=True)
    profile = Enum(
        ["", *PROFILES], "", help="How the model is addressed. Empty: by what its name says of its family."
    ).tag(config=True)
    api_key_env = Unicode(
        "DATARUS_API_KEY",
        help="The environment variable that holds the engine's API key. It is taken out of the environment, so that "
        "kernels do not inherit it.",
    ).tag(config=True)
    engine_settings = Dict(help="Further settings of the engine, such as {'context': 16384}; see docs/engines.md.").tag(
        config=True
    )
    default_mode = Enum(
        list(ALL),
        "ask_if_risky",
        help="Who decides that code runs, where the user has not chosen; see docs/approval.md.",
    ).tag(config=True)
    allowed_modes = List(
        Enum(list(ALL)),
        list(ALL),
        minlen=1,
        help="The modes that a user may choose; default_mode gives way to the nearest one that asks more.",
    ).tag(config=True)
    limits = Dict(
        help="Bounds of a run, such as {'steps': 10, 'cell_seconds': 300}; see datarus_jupyter.agent.interfaces.Limits."
    ).tag(config=True)
    runs_dir = Unicode(help="Where the runs' journals are kept.").tag(config=True)
    grace_seconds = Float(
        5.0, min=0.0, help="Seconds in which a tab that lost its connection may come back as the notebook's writer."
    ).tag(config=True)

    services: Services

    @default("runs_dir")
    def _default_runs_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "datarus" / "runs")

    @validate("limits")
    def _validate_limits(self, proposal: Bunch) -> dict[str, float]:
        known = {field.name for field in fields(Limits)}
        if unknown := proposal.value.keys() - known:
            raise TraitError(f"DatarusApp.limits has no {', '.join(unknown)}: choose of {', '.join(sorted(known))}.")
        try:
            msgspec.convert(proposal.value, Limits)
        except msgspec.ValidationError as error:
            raise TraitError(f"DatarusApp.limits has no sense: {error}.") from error
        return dict(proposal.value)

    def initialize_settings(self) -> None:
        """Put the services together; no engine is started yet."""
        server = cast(ServerApp, self.serverapp)
        folder = Path(self.runs_dir)
        key = self._take_key()
        secrets = Secrets.of_process()
        secrets.add({self.api_key_env: key, "JUPYTER_TOKEN": server.identity_provider.token})
        self._log_filter = SecretFilter(secrets, server.log)
        notebooks = SharedNotebooks(ContentsNotebooks(server.contents_manager), server.web_app.settings)
        unsaved = UnsavedRuns(folder / "unsaved", str(getattr(server.contents_manager, "root_dir", "")))
        files = FileWriters(notebooks, unsaved)
        tabs = Tabs(self.grace_seconds, files)
        profile = PROFILES.get(self.profile)
        engines = Engines(self._engine_settings(key), profile, partial(_send, tabs, "engine"), secrets)
        models = Models(models_dir(), partial(self._model_changed, tabs, engines))
        modes = Modes.of(self.allowed_modes, self.default_mode)
        settings = Settings(modes, msgspec.convert(self.limits, Limits), profile)
        kernels = NotebookKernels(server.session_manager, server.kernel_manager, server.contents_manager)
        attachments = Attachments(server.kernel_manager, kernels)
        agents = Agents(engines, attachments, server.contents_manager, server.kernel_manager, folder, settings)
        runs = RunRegistry(folder, kernels, tabs, files, agents.prepare, agents.prepare_again, secrets)
        reproductions = Reproductions(server.contents_manager, server.kernel_manager, tabs, secrets)
        self.services = Services(
            Requests(),
            runs,
            Recovery(runs, unsaved, self.grace_seconds),
            tabs,
            files,
            engines,
            models,
            agents,
            attachments,
            reproductions,
            server.contents_manager,
            server.kernel_manager,
        )

    def initialize_handlers(self) -> None:
        """Called by Jupyter."""
        self.handlers.extend(routes(self.services))
        server = cast(ServerApp, self.serverapp)
        if server.event_logger:
            server.event_logger.add_listener(schema_id=ContentsManager.event_schema_id, listener=self._contents_changed)
        server.io_loop.add_callback(self.services.recovery.start)

    async def stop_extension(self) -> None:
        """The server stops. Jupyter calls this also where we could not be loaded, and would then wait for ever."""
        if hasattr(self, "services"):
            await self.services.close()
            self._log_filter.remove()

    async def _contents_changed(self, logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        if data["action"] == "rename":
            await self.services.runs.moved(data["source_path"].strip("/"), data["path"].strip("/"))

    def _take_key(self) -> str:
        # Kernels inherit the server's environment, and what is in it can be printed by any cell.
        return os.environ.pop(self.api_key_env, "")

    def _engine_settings(self, key: str) -> dict[str, Any]:
        return {**self.engine_settings, "url": self.engine_url, "model": self.model, "key": key}

    def _model_changed(self, tabs: Tabs, engines: Engines, status: ModelStatus) -> None:
        _send(tabs, "model", status)
        if status.state == "present":
            engines.warm()


def _send(tabs: Tabs, kind: str, status: EngineStatus | ModelStatus) -> None:
    tabs.broadcast(kind, status.name, frame={"kind": kind, kind: status})

"""The server extension: its settings, its handlers, its beginning and its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bunch, CaselessStrEnum, Dict, Float, TraitError, Unicode, default, validate

from datarus_jupyter.agent.interfaces import Limits
from datarus_jupyter.engines.catalogue import DEFAULT_MODEL, find_model, models_dir
from datarus_jupyter.server.agents import Agents, Settings
from datarus_jupyter.server.contents import ContentsNotebooks
from datarus_jupyter.server.engine_sources import EmbeddedSource, EngineStatus, RemoteSource, ScriptedSource, Source
from datarus_jupyter.server.engines import Engines
from datarus_jupyter.server.file_writers import FileWriters
from datarus_jupyter.server.models import Models, ModelStatus
from datarus_jupyter.server.registry import RunRegistry
from datarus_jupyter.server.routes import routes
from datarus_jupyter.server.services import Services
from datarus_jupyter.server.sessions import NotebookKernels
from datarus_jupyter.server.tabs import Tabs

_SCRIPTED = "scripted:"


class DatarusApp(ExtensionApp):
    """Settings are traits: ``c.DatarusApp.engine_url = "http://127.0.0.1:8000/v1"`` in a Jupyter config file."""

    name = "datarus_jupyter"
    extension_url = "/lab"
    load_other_extensions = True

    engine_url = Unicode(
        help="Base URL of an OpenAI-compatible API such as vLLM's, http://127.0.0.1:8000/v1; "
        "scripted:FILE replays prepared replies. Empty: the embedded engine."
    ).tag(config=True)
    engine_model = Unicode(help="The model's name as that engine serves it. Empty: the first one that it lists.").tag(
        config=True
    )
    profile = Unicode(help="How the model is addressed: datarus or general. Empty: by the model's name.").tag(
        config=True
    )
    api_key_env = Unicode(
        "DATARUS_API_KEY", help="The environment variable of the server that holds the engine's API key."
    ).tag(config=True)
    embedded_model = Unicode(help="The catalogue's name of the embedded model. Empty: the default one.").tag(
        config=True
    )
    default_mode = CaselessStrEnum(
        ["ask", "auto", "plan"], "auto", help="Who decides that code runs, where the user has not chosen."
    ).tag(config=True)
    limits = Dict(
        help="Bounds of a run, such as {'steps': 10, 'cell_seconds': 300}; see datarus_jupyter.agent.interfaces.Limits."
    ).tag(config=True)
    scripted_rate = Float(0.0, help="Tokens a second of prepared replies; 0: at once.").tag(config=True)
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
        try:
            msgspec.convert(proposal.value, Limits, strict=True)
        except msgspec.ValidationError as error:
            raise TraitError(f"DatarusApp.limits has no sense: {error}.") from error
        return dict(proposal.value)

    def initialize_settings(self) -> None:
        """Put the services together; no engine is started yet."""
        server = cast(ServerApp, self.serverapp)
        folder = Path(self.runs_dir)
        files = FileWriters(ContentsNotebooks(server.contents_manager))
        tabs = Tabs(self.grace_seconds, files)
        engines = Engines(self._sources(lambda name: engines.notice(name)), partial(_send, tabs, "engine"))
        models = Models(models_dir(), partial(_send, tabs, "model"))
        settings = Settings(self.default_mode, msgspec.convert(self.limits, Limits), self.profile)
        agents = Agents(engines, server.contents_manager, server.kernel_manager, folder, settings)
        kernels = NotebookKernels(server.session_manager, server.kernel_manager, server.contents_manager)
        runs = RunRegistry(folder, kernels, tabs, files, agents.prepare)
        self.services = Services(
            runs, tabs, files, engines, models, agents, server.contents_manager, server.kernel_manager
        )

    def initialize_handlers(self) -> None:
        """Called by Jupyter."""
        self.handlers.extend(routes(self.services))
        cast(ServerApp, self.serverapp).io_loop.add_callback(self.services.runs.recover)

    async def stop_extension(self) -> None:
        """The server stops."""
        await self.services.close()

    def _sources(self, changed: Callable[[str], None]) -> list[Source]:
        """The engine that is configured, if one is, and the embedded one."""
        model = find_model(self.embedded_model or DEFAULT_MODEL)
        embedded = EmbeddedSource(model, models_dir(), lambda: changed(EmbeddedSource.name))
        if self.engine_url.startswith(_SCRIPTED):
            return [ScriptedSource(self.engine_url.removeprefix(_SCRIPTED), self.scripted_rate), embedded]
        if self.engine_url:
            key = os.environ.get(self.api_key_env, "")
            return [RemoteSource("openai", self.engine_url, self.engine_model, key), embedded]
        return [embedded]


def _send(tabs: Tabs, kind: str, status: EngineStatus | ModelStatus) -> None:
    tabs.broadcast(kind, status.name, frame={"kind": kind, kind: status})

"""Datarus in Jupyter: a data-analysis agent that works in the user's own notebook and kernel."""

from __future__ import annotations

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the front end."""
    return [{"src": "labextension", "dest": "datarus-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """What Jupyter Server loads; imported only then, so that ``import datarus_jupyter`` stays light."""
    from datarus_jupyter.server.app import DatarusApp

    return [{"module": "datarus_jupyter", "app": DatarusApp}]

"""Where the journals lie."""

from __future__ import annotations

from pathlib import Path

from jupyter_core.paths import jupyter_data_dir


def runs_folder() -> Path:
    """The folder of the user's journals, below Jupyter's data directory (``JUPYTER_DATA_DIR`` moves it)."""
    return Path(jupyter_data_dir()) / "datarus" / "runs"

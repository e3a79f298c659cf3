"""Where the journals lie, and who may look."""

from __future__ import annotations

from pathlib import Path

from jupyter_core.paths import jupyter_data_dir


def runs_folder() -> Path:
    """The folder of the user's journals, below Jupyter's data directory (``JUPYTER_DATA_DIR`` moves it)."""
    return Path(jupyter_data_dir()) / "datarus" / "runs"


def private_folder(folder: Path) -> None:
    """Make the folder, if it is not there, so that nobody else on the host can look into it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)

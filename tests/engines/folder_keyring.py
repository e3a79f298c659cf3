"""A keyring backend that keeps passwords in a folder: headless machines have none of the system's."""

from __future__ import annotations

import os
from pathlib import Path

from keyring.backend import KeyringBackend


class FolderKeyring(KeyringBackend):
    """Chosen by ``PYTHON_KEYRING_BACKEND=folder_keyring.FolderKeyring``; its folder is ``KEYRING_FOLDER``."""

    priority = 1.0

    def _file(self, service: str, username: str) -> Path:
        return Path(os.environ["KEYRING_FOLDER"]) / f"{service}-{username}.password"

    def get_password(self, service: str, username: str) -> str | None:
        file = self._file(service, username)
        return file.read_text() if file.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file(service, username).write_text(password)

    def delete_password(self, service: str, username: str) -> None:
        self._file(service, username).unlink()

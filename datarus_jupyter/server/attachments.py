"""What a user can show with a question in a notebook, what it costs, and what of it a question shows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from datarus_jupyter.agent.attached import (
    Chosen,
    ChosenCell,
    ChosenFile,
    ChosenVariable,
    about_tokens,
    cell_text,
    file_text,
    variable_texts,
)
from datarus_jupyter.agent.context import data_files, variables
from datarus_jupyter.agent.interfaces import Kernel
from datarus_jupyter.errors import AttachmentError
from datarus_jupyter.journal.events import Attached, Target
from datarus_jupyter.server.sessions import NotebookKernels


class Attachable(msgspec.Struct, frozen=True):
    """Something that can be shown: its name, what it is in a few words, and about how many tokens it takes."""

    name: str
    detail: str
    tokens: int


class Attachments:
    """Looks around a notebook: at the files beside it, and at the variables of its kernel."""

    def __init__(self, kernel_manager: Any, kernels: NotebookKernels) -> None:
        self._kernel_manager = kernel_manager
        self._kernels = kernels

    async def files(self, notebook: str) -> list[Attachable]:
        """The data files beside the notebook, at most 20."""
        folder = self._folder(notebook)

        def look() -> list[Attachable]:
            return [_attachable(file_text(folder, file.path)) for file in data_files(folder)]

        return await asyncio.to_thread(look)

    async def variables(self, notebook: str) -> list[Attachable]:
        """The variables in the notebook's kernel; none where it has no kernel or a busy one."""
        channel = await self._kernels.running(notebook)
        if channel is None:
            return []
        async with channel as kernel:
            names = [variable.name for variable in await variables(kernel)]
            return [_attachable(one) for one in await variable_texts(kernel, names)]

    async def chosen(self, notebook: str, kernel: Kernel, chosen: Sequence[Chosen]) -> list[Attached]:
        """What a question shows, as the model reads it, in its order. Raises ``AttachmentError``."""
        names = [one.name for one in chosen if isinstance(one, ChosenVariable)]
        shown = iter(await variable_texts(kernel, names))
        folder = self._folder(notebook)
        found: list[Attached] = []
        for one in chosen:
            if isinstance(one, ChosenCell):
                found.append(cell_text(one))
            elif isinstance(one, ChosenFile):
                found.append(await asyncio.to_thread(file_text, folder, one.path))
            else:
                found.append(next(shown))
        return found

    def _folder(self, notebook: str) -> Path:
        return Path(self._kernel_manager.cwd_for_path(notebook))


def target_among(chosen: Sequence[Chosen], cell: str | None) -> Target | None:
    """The cell that is to change, as it was shown. Raises ``AttachmentError`` if it was not."""
    if cell is None:
        return None
    for one in chosen:
        if isinstance(one, ChosenCell) and one.id == cell:
            return Target(cell=one.id, name=one.name, source=one.source)
    raise AttachmentError("The cell to change is not shown with the question: add it, then ask again.")


def _attachable(one: Attached) -> Attachable:
    # The first line of the text says what it is: "Variable df: DataFrame (3 × 2)", "File t.csv (2 rows): a, b".
    detail = one.text.partition("\n")[0].partition(one.name)[2].lstrip(": ")
    return Attachable(one.name, detail, about_tokens(one.text))

"""Chromium, and JupyterLab servers with a scripted engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, Tab, make_notebook, running_chromium, running_lab
from playwright.sync_api import Browser

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """No loop of pytest-jupyter's: Playwright runs one of its own in these tests."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """No server of pytest-jupyter's either."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as chromium:
        yield chromium


Start = Callable[..., Lab]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server in which the scripted engine gives ``replies``, with penguins.csv and work.ipynb in its root."""
    with ExitStack() as stack:

        def begin(
            replies: Sequence[str | dict[str, Any]], speed: float = 0.0, *, shared: bool = False, **environment: str
        ) -> Lab:
            folder = tmp_path / "lab"
            (folder / "root").mkdir(parents=True)
            (folder / "replies.json").write_text(json.dumps(list(replies)))
            shutil.copy(EXAMPLES / "penguins.csv", folder / "root")
            make_notebook(folder / "root" / "work.ipynb", "mine = 17\nmine")
            script = {"DATARUS_REPLIES": str(folder / "replies.json"), "DATARUS_TOKENS_PER_SECOND": str(speed)}
            return stack.enter_context(running_lab(folder, shared=shared, **(environment or script)))

        yield begin


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Open tabs; close them at the end, and fail if their pages threw errors."""
    opened: list[Tab] = []

    def open_tab(lab: Lab, *args: Any, **kwargs: Any) -> Tab:
        opened.append(Tab(browser, lab, *args, **kwargs))
        return opened[-1]

    yield open_tab
    errors = [error for one in opened for error in one.errors]
    for one in opened:
        one.context.close()
    assert errors == []

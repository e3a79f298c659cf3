"""A real server with the extension on it, a scripted engine, and a notebook in its root."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from sockets import Browser
from tornado.httpclient import HTTPResponse
from tornado.websocket import WebSocketClientConnection
from traitlets.config import Config

from tests.patience import PATIENCE

Api = Callable[..., Awaitable[Any]]
Connect = Callable[..., Awaitable[Browser]]


@pytest.fixture
def replies() -> list[Any]:
    """What the engine says; tests override it or change it before the server asks."""
    return [
        "<step>\n<thought>Look.</thought>\n<action>python_executor</action>\n<action_input>\nx = 6\nprint(x * 7)\n"
        "</action_input>\n</step>",
        "<stop_analysis>\n<thought>Done.</thought>\n<answer>It is 42.</answer>\n</stop_analysis>",
    ]


@pytest.fixture
def settings() -> dict[str, Any]:
    """Further settings of the extension; tests override it."""
    return {}


@pytest.fixture
def jp_server_config(tmp_path: Path, replies: list[Any], settings: dict[str, Any]) -> Config:
    script = tmp_path / "replies.json"
    script.write_text(json.dumps(replies))
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": {"datarus_jupyter": True},
                "allow_unauthenticated_access": False,
            },
            "DatarusApp": {
                "engine_settings": {"replies": str(script)},
                "runs_dir": str(tmp_path / "runs"),
                "grace_seconds": 0.05,
                **settings,
            },
        }
    )


@pytest.fixture
def notebook(jp_root_dir: Path) -> Path:
    """``a.ipynb`` with one cell of the user's."""
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell("a = 1", id="user-0")]
    path = jp_root_dir / "a.ipynb"
    nbformat.write(made, path)
    return path


@pytest.fixture
def api(jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> Api:
    """Call ours: ``await api("runs", body={...})`` posts, without a body it gets; the JSON answer."""

    async def call(*parts: str, body: Any = None, **params: Any) -> Any:
        method = "GET" if body is None else "POST"
        response = await jp_fetch(
            "datarus",
            "api",
            *parts,
            method=method,
            params=params,
            body=None if body is None else json.dumps(body),
            request_timeout=PATIENCE,
        )
        return json.loads(response.body)

    return call


@pytest.fixture
def connect(
    jp_ws_fetch: Callable[..., Awaitable[WebSocketClientConnection]], jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Connect]:
    """Open the socket as a tab does; all that were opened are closed at the end."""
    opened: list[Browser] = []

    async def call(**params: str) -> Browser:
        opened.append(Browser(await jp_ws_fetch("datarus", "ws", params=params, max_message_size=1 << 30)))
        return opened[-1]

    async def close() -> None:
        await asyncio.gather(*(browser.close() for browser in opened))

    yield call
    jp_asyncio_loop.run_until_complete(close())

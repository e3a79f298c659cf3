"""Nobody gets in without a token, and no page of somebody else's can act in the user's name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.patience import PATIENCE

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RUN = "20261122-120000-abcdef"


def our_handlers(app: Application) -> list[tuple[str, type[RequestHandler]]]:
    """Every path of ours in the running server, its groups filled in, with its handler."""
    groups = [rule.target for rule in app.default_router.rules]
    rules = [rule for group in groups for rule in getattr(group, "rules", [])]
    found = []
    for rule in rules:
        if isinstance(rule.target, type) and rule.target.__module__.startswith("datarus_jupyter"):
            pattern = rule.matcher.regex.pattern.removesuffix("$")
            found.append((re.sub(r"\(.*?\)", RUN if "runs" in pattern else "name", pattern), rule.target))
    return found


def verbs_of(handler: type[RequestHandler]) -> list[str]:
    return [verb for verb in VERBS if getattr(handler, verb.lower()) is not RequestHandler._unimplemented_method]


def test_the_walk_finds_all_of_them(jp_serverapp: ServerApp) -> None:
    found = our_handlers(jp_serverapp.web_app)
    assert {handler.__name__ for _, handler in found} >= {"RunsHandler", "StopHandler", "TabSocket", "PullHandler"}
    (extension,) = jp_serverapp.extension_manager.extension_apps["datarus_jupyter"]
    assert len(found) == len(extension.handlers)


async def test_no_verb_of_any_handler_is_open(
    jp_serverapp: ServerApp, http_server_client: Any, jp_base_url: str
) -> None:
    for path, handler in our_handlers(jp_serverapp.web_app):
        for verb in verbs_of(handler):
            body = "{}" if verb in ("POST", "PUT", "PATCH") else None
            with pytest.raises(HTTPClientError) as refused:
                await http_server_client.fetch(path, method=verb, body=body, follow_redirects=False)
            assert refused.value.code == 403, (verb, path)


async def cookies(jp_fetch: Callable[..., Any]) -> str:
    """What a browser has after logging in with the token."""
    response = await jp_fetch("api", "me")
    jar: SimpleCookie = SimpleCookie()
    for header in response.headers.get_list("Set-Cookie"):
        jar.load(header)
    assert any(name.startswith("username") for name in jar)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items() if name != "_xsrf")


async def test_a_cookie_reads_but_does_not_write_without_xsrf(
    jp_serverapp: ServerApp, http_server_client: Any, jp_fetch: Callable[..., Any]
) -> None:
    headers = {"Cookie": await cookies(jp_fetch)}
    response = await http_server_client.fetch(f"{jp_serverapp.base_url}datarus/api/models", headers=headers)
    assert response.code == 200
    for path, handler in our_handlers(jp_serverapp.web_app):
        for verb in set(verbs_of(handler)) - {"GET"}:
            with pytest.raises(HTTPClientError) as refused:
                await http_server_client.fetch(path, method=verb, body="{}", headers=headers)
            assert refused.value.code == 403, (verb, path)


async def test_a_foreign_page_gets_no_socket(
    jp_serverapp: ServerApp, jp_fetch: Callable[..., Any], jp_http_port: int
) -> None:
    headers = {"Cookie": await cookies(jp_fetch), "Origin": "https://elsewhere.example"}
    url = f"ws://localhost:{jp_http_port}{jp_serverapp.base_url}datarus/ws"
    with pytest.raises(HTTPClientError) as refused:
        await websocket_connect(HTTPRequest(url, headers=headers))
    assert refused.value.code == 403


async def test_the_socket_needs_the_token(jp_ws_fetch: Callable[..., Any]) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_ws_fetch("datarus", "ws", headers={"Authorization": "token wrong"})
    assert refused.value.code == 403
    connection: WebSocketClientConnection = await jp_ws_fetch("datarus", "ws")
    async with asyncio.timeout(PATIENCE):
        connection.close()
        assert await connection.read_message() is None


async def test_a_wrong_token_opens_nothing(jp_serverapp: ServerApp, http_server_client: Any) -> None:
    for path, handler in our_handlers(jp_serverapp.web_app):
        for verb in verbs_of(handler):
            body = "{}" if verb in ("POST", "PUT", "PATCH") else None
            with pytest.raises(HTTPClientError) as refused:
                await http_server_client.fetch(
                    path, method=verb, body=body, headers={"Authorization": "token wrong"}, follow_redirects=False
                )
            assert refused.value.code == 403, (verb, path)


async def test_bodies_that_are_huge_or_no_json_are_refused_by_all(
    jp_serverapp: ServerApp, http_server_client: Any, jp_auth_header: dict[str, str]
) -> None:
    for path, handler in our_handlers(jp_serverapp.web_app):
        for verb in set(verbs_of(handler)) & {"POST", "PUT", "PATCH"}:
            for body in (b"\xff{", b"[" * 50_000, b'{"key": "' + b"x" * 10_000_000 + b'"}'):
                response = await http_server_client.fetch(
                    path, method=verb, body=body, headers=dict(jp_auth_header), raise_error=False
                )
                assert response.code < 500, (verb, path, body[:5])


async def test_a_million_events_may_be_asked_for(api: Any, jp_serverapp: ServerApp, connect: Any) -> None:
    browser = await connect()
    await browser.send("open", notebook="a.ipynb", since={f"20261122-120000-{n:06x}": n for n in range(100_000)})
    await browser.until(browser.caught_up)
    await browser.connection.write_message(b'\xff{"kind": "open"}', binary=True)
    await browser.until(lambda: any(frame["kind"] == "error" for frame in browser.frames))
    with pytest.raises(HTTPClientError) as refused:
        await api("runs", RUN, since="1" + "0" * 5000)
    assert refused.value.code in (400, 404)

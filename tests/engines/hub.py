"""A hub on a loopback port: serves one file with byte ranges, and can break off or refuse."""

from __future__ import annotations

from types import TracebackType

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

CHUNK = 1 << 16


class Hub:
    """Serves ``content`` under ``path`` while it is entered. ``breaks``: after how many bytes each answer breaks."""

    def __init__(
        self, path: str, content: bytes, *, breaks: tuple[int, ...] = (), ranges: bool = True, status: int = 0
    ) -> None:
        self.content = content
        self.breaks = list(breaks)
        self.ranges = ranges
        self.status = status
        self.starts: list[int] = []
        self._application = Application([(f"/{path}", _File, {"hub": self})], log_function=lambda handler: None)

    async def __aenter__(self) -> Hub:
        sockets = bind_sockets(0, "127.0.0.1")
        self._http = HTTPServer(self._application)
        self._http.add_sockets(sockets)
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.stop()
        await self._http.close_all_connections()


class _File(RequestHandler):
    def initialize(self, hub: Hub) -> None:
        self.hub = hub

    async def get(self) -> None:
        if self.hub.status:
            self.set_status(self.hub.status)
            return
        start = self._start()
        self.hub.starts.append(start)
        content = self.hub.content[start:]
        self.set_header("Content-Length", len(content))
        sent = self.hub.breaks.pop(0) if self.hub.breaks else len(content)
        for at in range(0, sent, CHUNK):
            self.write(content[at : min(at + CHUNK, sent)])
            await self.flush()
        if sent < len(content):
            assert isinstance(self.request.connection, HTTP1Connection)
            self.request.connection.stream.close()

    def _start(self) -> int:
        if not self.hub.ranges:
            return 0
        start = int(self.request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {start}-{len(self.hub.content) - 1}/{len(self.hub.content)}")
        return start

"""The scripted engine behind HTTP: an OpenAI-compatible server on a loopback port, with real faults on its socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from datarus_jupyter.agent.interfaces import EngineDelta, Sampling, TextDelta
from datarus_jupyter.engines.scripted import Script, ScriptedEngine, ScriptedReply
from datarus_jupyter.errors import EngineBroken
from datarus_jupyter.journal.events import Message

_HTML = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>proxy</body></html>"
_REASONS = {
    400: "This model's maximum context length is 4096 tokens. However, your request has 9000 input tokens.",
    401: "Unauthorized",
    404: "The model does not exist.",
}


class ScriptedServer:
    """Serves a script on 127.0.0.1 while it is entered (``async with``). ``url`` is its base, ending in ``/v1``.

    ``vllm``: answer ``/version`` and name vLLM as the owner of the model, and honour what only vLLM understands.
    ``/login/`` is a web page.
    ``bodies`` keeps the JSON of every completion request, ``aborted`` counts replies whose client hung up early.
    """

    def __init__(
        self,
        replies: Script | Iterable[str | ScriptedReply],
        *,
        key: str = "",
        model: str = "script",
        max_model_len: int | None = 4096,
        vllm: bool = True,
        tokens_per_second: float = 0.0,
        port: int = 0,
    ) -> None:
        self.engine = ScriptedEngine(replies, tokens_per_second=tokens_per_second, model=model)
        self.key = key
        self.max_model_len = max_model_len
        self.vllm = vllm
        self._port = port
        self.bodies: list[dict[str, Any]] = []
        self.aborted = 0
        self.url = ""
        options = {"server": self}
        self._application = Application(
            [
                ("/version", _Version, options),
                ("/v1/models", _Models, options),
                ("/v1/chat/completions", _Completions, options),
                ("/login/.*", _LoginPage, options),
            ],
            log_function=lambda handler: None,
        )

    async def __aenter__(self) -> ScriptedServer:
        sockets = bind_sockets(self._port, "127.0.0.1")
        self._http = HTTPServer(self._application)
        self._http.add_sockets(sockets)
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.stop()
        await self._http.close_all_connections()


class _Handler(RequestHandler):
    def initialize(self, server: ScriptedServer) -> None:
        self.server = server

    def prepare(self) -> None:
        if self.server.key and self.request.headers.get("Authorization") != f"Bearer {self.server.key}":
            raise HTTPError(401)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"error": {"message": _REASONS.get(status_code, "Refused"), "code": status_code}})


class _LoginPage(_Handler):
    def get(self) -> None:
        self.finish(_HTML)


class _Version(_Handler):
    def get(self) -> None:
        if not self.server.vllm:
            raise HTTPError(404)
        self.finish({"version": "0.32.0"})


class _Models(_Handler):
    def get(self) -> None:
        model: dict[str, Any] = {"id": self.server.engine.model, "object": "model"}
        model["owned_by"] = "vllm" if self.server.vllm else "script"
        if self.server.max_model_len is not None:
            model["max_model_len"] = self.server.max_model_len
        self.finish({"object": "list", "data": [model]})


class _Completions(_Handler):
    _streaming: asyncio.Task[None] | None = None

    def on_connection_close(self) -> None:
        self.server.aborted += 1
        if self._streaming is not None:
            self._streaming.cancel()

    async def post(self) -> None:
        body = json.loads(self.request.body)
        self.server.bodies.append(body)
        if body["model"] != self.server.engine.model:
            raise HTTPError(404)
        messages = [Message(message["role"], message["content"]) for message in body["messages"]]
        reply = self.server.engine.script.next(messages)
        if reply.status != 200:
            await self._refuse(reply)
        elif reply.fault == "html":
            self.set_header("Content-Type", "text/html")
            await self.finish(_HTML)
        else:
            self._streaming = asyncio.create_task(self._stream(reply, body))
            await asyncio.wait([self._streaming])

    async def _refuse(self, reply: ScriptedReply) -> None:
        self.set_status(reply.status)
        message = reply.text or _REASONS.get(reply.status, "Internal error")
        await self.finish({"error": {"message": message, "code": reply.status}})

    async def _stream(self, reply: ScriptedReply, body: dict[str, Any]) -> None:
        self.set_header("Content-Type", "text/event-stream")
        sampling = Sampling(stop=tuple(body.get("stop", ())), max_tokens=body.get("max_tokens", 2048))
        include = self.server.vllm and body.get("include_stop_str_in_output", False)
        try:
            await self.flush()
            async for delta in self.server.engine.play(reply, sampling, include_stop=include):
                for event in _events(delta, body):
                    self.write(f"data: {json.dumps(event)}\n\n")
                await self.flush()
            self.write("data: [DONE]\n\n")
            await self.finish()
        except EngineBroken:
            await self._break(reply)
        except StreamClosedError:
            pass  # counted in on_connection_close

    async def _break(self, reply: ScriptedReply) -> None:
        if reply.fault == "malformed":
            self.write("data: {not json\n\n")
            await self.flush()
        assert isinstance(self.request.connection, HTTP1Connection)
        self.request.connection.stream.close()


def _events(delta: EngineDelta, body: dict[str, Any]) -> Iterable[dict[str, Any]]:
    if isinstance(delta, TextDelta):
        choice: dict[str, Any] = {"index": 0, "delta": {"content": delta.text}, "finish_reason": None}
        if body.get("return_token_ids"):
            choice["token_ids"] = list(delta.text.encode())
        if body.get("logprobs"):
            choice["logprobs"] = {"content": [{"token": delta.text, "logprob": -0.5}]}
        yield {"choices": [choice]}
        return
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": delta.finish}]}
    if body.get("stream_options", {}).get("include_usage"):
        usage = {"prompt_tokens": delta.prompt_tokens, "completion_tokens": delta.completion_tokens}
        yield {"choices": [], "usage": usage | {"prompt_tokens_details": {"cached_tokens": delta.cached_tokens}}}

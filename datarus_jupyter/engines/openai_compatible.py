"""Any server with OpenAI's chat-completions API (vLLM, llama.cpp, a gateway) as an engine, streamed over httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import httpx
import msgspec

from datarus_jupyter.agent.interfaces import EngineDelta, Sampling, TextDelta
from datarus_jupyter.engines.refusals import context_full, explain, not_an_engine
from datarus_jupyter.engines.reply import Endless, NoEvent, Reply
from datarus_jupyter.engines.served import Capabilities, EngineState, Status
from datarus_jupyter.engines.sse import EventParser
from datarus_jupyter.engines.wire import Dialect, ModelList, request_body
from datarus_jupyter.errors import ContextTooLong, EngineBroken, EngineError, EngineTimeout, EngineUnreachable
from datarus_jupyter.journal.events import Message

_RETRIED = (429, 502, 503)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a connection, the first text, the next text, the whole reply, a probe.

    ``pauses`` are the waits between attempts while the server is busy or not there, before any text has come.
    """

    connect: float = 5.0
    first_token: float = 180.0
    idle: float = 60.0
    reply: float = 1200.0
    probe: float = 10.0
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0)


class OpenAICompatible:
    """Implements ``Engine``. ``url`` is the API's base, usually ending in ``/v1``.

    Without ``model`` the first one that the server names is used. ``logprobs`` asks vLLM for them (for training: they
    cost time). The key goes into the request's header and nowhere else. Close it with ``aclose`` or ``async with``.
    """

    def __init__(
        self,
        url: str,
        model: str = "",
        *,
        key: str = "",
        name: str = "openai",
        logprobs: bool = False,
        patience: Patience | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.name = name
        self.model = model
        self._key = key
        self._logprobs = logprobs
        self._patience = patience or Patience()
        self._status = Status("stopped", on_state)
        self._capabilities: Capabilities | None = None
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # Reading is bounded below (first token, idle). No connection is kept: none to leak, no stale one to meet.
            timeout=httpx.Timeout(None, connect=self._patience.connect),
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=httpx.URL(self.url).host not in _LOOPBACK,
        )

    def use_key(self, key: str) -> None:
        """Send another key from now on; none if it is ''."""
        self._key = key
        self._client.headers.pop("Authorization", None)
        if key:
            self._client.headers["Authorization"] = f"Bearer {key}"

    async def __aenter__(self) -> OpenAICompatible:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def state(self) -> EngineState:
        """See ``ServedEngine``."""
        return self._status.state

    @property
    def message(self) -> str:
        """See ``ServedEngine``."""
        return self._status.message

    @property
    def capabilities(self) -> Capabilities | None:
        """See ``ServedEngine``."""
        return self._capabilities

    async def start(self) -> None:
        """Ask whether the server is there. Raises ``EngineError``."""
        await self.probe()

    async def warm(self, prefix: Sequence[Message]) -> None:
        """Only ask whether it is there: a server that is not ours is not given work before there is a question."""
        await self.start()

    async def probe(self) -> Capabilities:
        """Ask the server what it is (``/models``, ``/version``). Raises ``EngineError`` if it does not answer."""
        async with self._watched():
            self._capabilities = await self._ask()
        return self._capabilities

    @asynccontextmanager
    async def _watched(self) -> AsyncGenerator[None, None]:
        """Let the state tell how what is done with the server turned out."""
        try:
            yield
        except EngineError as error:
            # A conversation that is too long, or a reply that broke off, says little of the engine.
            if not isinstance(error, ContextTooLong) and not error.streamed:
                self._status.set("unreachable", str(error))
            raise
        self._status.set("ready")

    async def _ask(self) -> Capabilities:
        listed = await self._get(f"{self.url}/models")
        if listed.status_code not in (200, 404):
            raise self._explain(listed.status_code, listed.text)
        try:
            models = msgspec.json.decode(listed.content, type=ModelList).data if listed.status_code == 200 else []
        except msgspec.DecodeError as error:
            raise not_an_engine(self.url, "its /models is no list of models") from error
        version = await self._version()
        owners = {model.owned_by for model in models}
        dialect: Dialect = "vllm" if "vllm" in owners or version else "llamacpp" if "llamacpp" in owners else "other"
        self.model = self.model or next((model.id for model in models), "")
        context = next((model.context for model in models if model.id == self.model), None)
        return Capabilities(dialect, tuple(model.id for model in models), context, version)

    async def _version(self) -> str:
        """vLLM's version; '' for a server that does not tell one."""
        response = await self._get(f"{self.url.removesuffix('/v1')}/version")
        try:
            return msgspec.json.decode(response.content, type=dict[str, str])["version"]
        except (msgspec.DecodeError, KeyError):
            return ""

    async def _get(self, url: str) -> httpx.Response:
        try:
            async with asyncio.timeout(self._patience.probe):
                return await self._client.get(url)
        except TimeoutError as error:
            raise EngineTimeout(f"The engine at {self.url} does not answer: is it still loading its model?") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    async def _known(self) -> Capabilities:
        """The last probe's result. Where the model is named, a probe that fails does no harm: the request will tell."""
        if self._capabilities is None:
            try:
                return await self.probe()
            except EngineError:
                if not self.model:
                    raise
        return self._capabilities or Capabilities()

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[EngineDelta, None]:
        """Yield the reply as it comes, then its end; see ``Engine.stream``."""
        capabilities = await self._known()
        if capabilities.context:
            # vLLM refuses more than its whole context; how much of it the prompt leaves, it works out itself.
            sampling = replace(sampling, max_tokens=min(sampling.max_tokens, capabilities.context))
        body = request_body(self.model, messages, sampling, capabilities.dialect, logprobs=self._logprobs)
        reply = Reply(sampling.max_tokens)
        async with self._watched(), aclosing(await self._send(body)) as response:
            async with aclosing(self._events(response, reply)) as events:
                async for data in events:
                    delta = self._take(reply, data)
                    if delta is not None:
                        yield delta
            if not reply.finish:
                raise self._broken("broke off in mid-reply", reply)
        end = reply.end()
        used = end.prompt_tokens + end.completion_tokens
        if end.finish == "length" and capabilities.context and used >= capabilities.context:
            # Not a reply that is too long: the same would happen to each that is asked for now.
            raise context_full(self.model, capabilities.context)
        yield end

    async def _send(self, body: dict[str, Any]) -> httpx.Response:
        """Send the request until the server takes it. Raises ``EngineError``."""
        for pause in self._patience.pauses:
            try:
                response = await self._attempt(body)
            except EngineUnreachable:
                pass
            else:
                if response.status_code not in _RETRIED:
                    return await self._accept(response)
                await response.aclose()
            await asyncio.sleep(pause)
        return await self._accept(await self._attempt(body))

    async def _attempt(self, body: dict[str, Any]) -> httpx.Response:
        request = self._client.build_request("POST", f"{self.url}/chat/completions", json=body)
        try:
            async with asyncio.timeout(self._patience.first_token):
                return await self._client.send(request, stream=True)
        except TimeoutError as error:
            raise self._late(self._patience.first_token) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    async def _accept(self, response: httpx.Response) -> httpx.Response:
        """The response if it is a stream of events; else raises what its refusal means."""
        if response.status_code == 200 and "html" not in response.headers.get("content-type", ""):
            return response
        try:
            async with asyncio.timeout(self._patience.probe):
                text = (await response.aread()).decode(errors="replace")
        except (TimeoutError, httpx.HTTPError):
            text = ""
        finally:
            await response.aclose()
        raise self._explain(response.status_code, text)

    async def _events(self, response: httpx.Response, reply: Reply) -> AsyncGenerator[str, None]:
        """The data of the response's events, up to the last."""
        parser = EventParser()
        async with aclosing(response.aiter_bytes()) as chunks:  # type: ignore[type-var]
            while chunk := await self._next(chunks, reply):
                for data in parser.feed(chunk):
                    if data == "[DONE]":
                        return
                    yield data

    async def _next(self, chunks: AsyncIterator[bytes], reply: Reply) -> bytes:
        """The next bytes, b"" at the end. Raises ``EngineTimeout`` or ``EngineBroken``."""
        patience = self._patience
        silence = patience.idle if reply.streamed else patience.first_token - reply.seconds
        try:
            async with asyncio.timeout(min(silence, patience.reply - reply.seconds)):
                return await anext(chunks, b"")
        except TimeoutError as error:
            if reply.seconds >= patience.reply:
                raise self._broken(f"did not come to an end in {patience.reply:g} s", reply) from error
            raise self._late(silence, streamed=reply.streamed) from error
        except httpx.HTTPError as error:
            raise self._broken("broke off in mid-reply", reply) from error

    def _take(self, reply: Reply, data: str) -> TextDelta | None:
        try:
            return reply.take(data)
        except NoEvent as error:
            raise self._broken(self._scrub(str(error)), reply) from error
        except Endless as error:
            raise self._broken("does not stop at max_tokens", reply) from error

    def _scrub(self, text: str) -> str:
        """Servers quote the key in their errors; nobody else may."""
        return text.replace(self._key, "***") if self._key else text

    def _explain(self, status: int, body: str) -> EngineError:
        return explain(status, self._scrub(body), url=self.url, model=self.model)

    def _unreachable(self, error: Exception) -> EngineUnreachable:
        reason = str(error) or type(error).__name__
        return EngineUnreachable(f"No engine answers at {self.url} ({reason}): start it, or correct the address.")

    def _late(self, seconds: float, *, streamed: bool = False) -> EngineTimeout:
        what = "fell silent" if streamed else "sent no text"
        return EngineTimeout(
            f"The engine at {self.url} {what} for {seconds:.0f} s: it may be overloaded; ask again.", streamed=streamed
        )

    def _broken(self, what: str, reply: Reply) -> EngineBroken:
        return EngineBroken(f"The engine at {self.url} {what}: ask again, or look at its log.", streamed=reply.streamed)

"""The proxy: layers in front of the embedded BigQuery; each adds one thing that the real one does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

from local.bigquery.answers import Answer
from local.bigquery.calls import Call, Scope, read_call

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Forward = Callable[[Call], Awaitable[Answer]]


class Layer(Protocol):
    """One concern of the proxy."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Answer `call`, most often by what the layers below answer."""

    def reset(self) -> None:
        """Forget what was seen so far; called when the data is wiped."""


class Gate:
    """Keep requests out while something needs the server to itself."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._inside = 0
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Be one of many inside; wait at the gate while it is closed."""
        await self._open.wait()
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Close the gate, wait until nobody is inside, and open it again afterwards."""
        async with self._turn:
            self._open.clear()
            try:
                await self._empty.wait()
                yield
            finally:
                self._open.set()


class ConnectionCut(Exception):
    """Raised by a layer to end the connection without an answer."""


class Proxy:
    """An ASGI application that passes each request through `layers`, the first outermost, to `app`."""

    def __init__(self, app: App, layers: Sequence[Layer], cut: Callable[[Scope], None]) -> None:
        self.gate = Gate()
        self._app = app
        self._cut = cut
        self._answer: Forward = self._innermost
        for layer in reversed(layers):
            self._answer = partial(layer.handle, forward=self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = read_call(scope, await _read_body(receive))
        async with self.gate.passing():
            try:
                answer = await self._answer(call)
            except ConnectionCut:
                self._cut(scope)
                return
        await _write(send, answer)

    async def _innermost(self, call: Call) -> Answer:
        headers = {**call.headers, "content-length": str(len(call.body))}
        encoded = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
        request = iter([{"type": "http.request", "body": call.body, "more_body": False}])
        sent: list[Message] = []

        async def receive() -> Message:
            return next(request, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            sent.append(message)

        try:
            await self._app({**call.scope, "headers": encoded}, receive, send)
        except Exception:
            if not sent:  # Starlette raises a handled error once more, after its answer
                raise
        return _collected(sent)


def _collected(sent: list[Message]) -> Answer:
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(status=sent[0]["status"], headers=tuple(sent[0]["headers"]), body=body)


async def _read_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _write(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": answer.body})

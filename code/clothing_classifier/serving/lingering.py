"""An answer that comes before the request has arrived whole still reaches the client, who may be sending yet.

Closing a connection with bytes unread resets it, and the answer is lost with it. So the answer is sent, some of what
still comes is read and thrown away, and then the connection closes (RFC 9112, 9.6). A small body, which will be there
in a moment, is read away before the answer, and the connection stays.
"""

import asyncio
import math

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 64_000_000
_SECONDS = 5.0
_SMALL_BYTES = 65_536
_MOMENT = 0.1


class Lingering:
    """ASGI middleware around an application that may answer early."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and see its body out."""
        if scope["type"] != "http" or not _body_size(scope):
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        await self.app(scope, exchange.receive, exchange.send)


class _Exchange:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send, self._whole = receive, send, False
        # Who asked to be told to go on, and was not, sends nothing.
        self._sending = (b"expect", b"100-continue") not in scope["headers"]
        self._small = _body_size(scope) <= _SMALL_BYTES

    async def receive(self) -> Message:
        self._sending = True
        message = await self._receive()
        self._whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._small and self._sending and message["type"] == "http.response.start":
            await self._drain(_MOMENT)
        if self._whole:
            await self._send(message)
        elif message["type"] == "http.response.start":
            await self._send({**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]})
        elif message.get("more_body", False) or not self._sending:
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._drain(_SECONDS)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self, seconds: float) -> None:
        left = _MOST_BYTES
        try:
            async with asyncio.timeout(seconds):
                while not self._whole and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _body_size(scope: Scope) -> float:
    """Bytes of the request's body, infinity where that is not stated."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return math.inf
    return int(headers.get(b"content-length", b"0"))

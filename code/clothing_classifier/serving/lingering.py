"""An answer that comes before the request has arrived whole still reaches the client, who may be sending yet.

Closing a connection with bytes unread resets it, and the answer is lost with it. So the answer is sent, some of what
still comes is read and thrown away, and then the connection closes (RFC 9112, 9.6).
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 64_000_000
_SECONDS = 5.0


class Lingering:
    """ASGI middleware around an application that may answer early."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and see its body out."""
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        await self.app(scope, exchange.receive, exchange.send)


class _Exchange:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send, self._whole = receive, send, False
        # Who asked to be told to go on, and was not, sends nothing.
        self._sending = (b"expect", b"100-continue") not in scope["headers"]

    async def receive(self) -> Message:
        self._sending = True
        message = await self._receive()
        self._whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._whole:
            await self._send(message)
        elif message["type"] == "http.response.start":
            await self._send({**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]})
        elif message.get("more_body", False) or not self._sending:
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._drain()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        left = _MOST_BYTES
        try:
            async with asyncio.timeout(_SECONDS):
                while not self._whole and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"

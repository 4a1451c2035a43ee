"""Run the service until a signal stops it, then finish what it has taken on."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from clothing_classifier.errors import UsageError
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import DEFAULT, shipped
from clothing_classifier.serving import logs
from clothing_classifier.serving.application import create_app
from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS, ServiceLimits
from clothing_classifier.serving.security import choose_token
from clothing_classifier.serving.service import Service

logger = logging.getLogger(__name__)
_GRACE = 1.0
"""Seconds in which clients with an open connection learn that the service goes away."""


def serve(
    models: Sequence[str | Path] = (),
    host: str = "127.0.0.1",
    port: int = 8000,
    no_auth: bool = False,
    limits: ServiceLimits = DEFAULT_SERVICE_LIMITS,
) -> None:
    """Serve `models`, those that ship by default, until SIGTERM or Ctrl-C; raises `UsageError`.

    Port 0 has the system choose one. The address is printed once the service takes requests.
    """
    token = choose_token(host, no_auth)
    listener = _bind(host, port)
    names = models or sorted(shipped(), key=lambda name: name != DEFAULT)
    app = create_app([Classifier.load(name) for name in names], limits, token)
    logs.configure()
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type]  # as loop.call_later takes it
        timeout_graceful_shutdown=int(limits.body_seconds + limits.deadline) + 1,
    )
    server = _Server(config, app.state.service, listener)
    # uvicorn raises the signal again once it has stopped; handled here, it ends the process with status 0.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, server.handle_exit)
    server.run(sockets=[listener])


class _Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, whose keep-alive timer also runs before a request and between pieces of its headers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete):
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        if self.cycle is not None:  # what the application still answers to a request that broke off is left unsent
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, service: Service, listener: socket.socket) -> None:
        super().__init__(config)
        self._service, self._listener = service, listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self._listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if self._listener.family == socket.AF_INET6 else f"http://{host}:{port}"
        logger.info("listening", extra={"fields": {"url": url}})
        print(f"listening on {url} (Ctrl-C stops)", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            os._exit(128 + sig)  # at once, whatever threads are at
        self._service.is_ready = False
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, let open ones end their requests, then stop.

        uvicorn alone would reset connections that wait to be accepted, and close idle ones under a request on its way.
        """
        logger.info("stopping", extra={"fields": {"photos": self._service.batcher.length}})
        loop, waiting = asyncio.get_running_loop(), list[socket.socket]()
        with suppress(BlockingIOError):
            while True:
                waiting.append(self._listener.accept()[0])
        for server in self.servers:
            server.close()
        for connection in waiting:
            await loop.connect_accepted_socket(
                lambda: _Protocol(self.config, self.server_state, self.lifespan.state), connection
            )
        last = loop.time() + _GRACE
        while self.server_state.connections and loop.time() < last:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)
        logger.info("stopped")


def _bind(host: str, port: int) -> socket.socket:
    try:
        # `socket.create_server` names no protocol, and asyncio then leaves Nagle's algorithm on: 40 ms an answer.
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:  # the last of a name that no host can have
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{host}, port {port}: can't listen there ({reason}); choose another") from error
    return listener

"""Run the service until it is told to stop, and then finish what it has taken on."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import uvicorn

from clothing_classifier.errors import UsageError
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import DEFAULT, shipped
from clothing_classifier.serving import logs
from clothing_classifier.serving.application import create_app
from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS, ServiceLimits
from clothing_classifier.serving.protocol import bounded_protocol
from clothing_classifier.serving.security import choose_token
from clothing_classifier.serving.service import Service

_KEEP_ALIVE = 75
"""Seconds: longer than the 60 for which proxies keep idle connections, so that it is they who end them."""
_LINGER = 1.0
"""Seconds in which clients with an open connection learn that the service goes away."""
_OWN_FILES = 64
_BACKLOG = 2048


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
    app = create_app([Classifier.load(model) for model in models or _shipped()], limits, token)
    service: Service = app.state.service
    listener = _listen(host, port)
    logs.configure()
    protocol = bounded_protocol(service.metrics, _allowed_connections(limits), limits)
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(limits.body_seconds + limits.deadline) + 1,
        h11_max_incomplete_event_size=limits.header_bytes,
    )
    server = _Server(config, service, listener, _url(listener))
    # The server raises the signal again when it has stopped; stopping was all that was asked for.
    ends = [signal.SIGTERM, signal.SIGINT]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup has it ignored
        ends.append(signal.SIGHUP)
    for number in ends:
        signal.signal(number, server.handle_exit)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, service: Service, listener: socket.socket, url: str) -> None:
        super().__init__(config)
        self._service, self._listener, self._url = service, listener, url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        logs.LOGGER.info("listening", extra={"fields": {"url": self._url}})
        print(f"listening on {self._url} (Ctrl-C stops)", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            os._exit(128 + sig)  # at once, whatever threads are at
        self._service.ready = False
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, let those that are open end their requests, then stop."""
        logs.LOGGER.info("stopping", extra={"fields": {"photos": self._service.batcher.length}})
        await self._stop_listening()
        loop = asyncio.get_running_loop()
        enough = loop.time() + _LINGER
        while self.server_state.connections and loop.time() < enough and not self.force_exit:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)
        logs.LOGGER.info("stopped")

    async def _stop_listening(self) -> None:
        """Close the listening socket, but serve the connections that the system has made already."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener.fileno())
        waiting = []
        while True:
            try:
                waiting.append(self._listener.accept()[0])
            except OSError:
                break
        for server in self.servers:
            server.close()
        for connection in waiting:
            await loop.connect_accepted_socket(self._connection, connection)

    def _connection(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _shipped() -> list[str]:
    return sorted(shipped(), key=lambda name: name != DEFAULT)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # The protocol is named, as `socket.create_server` does not: else asyncio leaves Nagle's algorithm on, and
        # answers wait 40 ms for the client's delayed acknowledgement.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:  # the last of a name that no host can have
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{host}, port {port}: can't listen there ({reason}); choose another") from error
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"http://{host}:{port}"


def _allowed_connections(limits: ServiceLimits) -> int:
    if sys.platform == "win32":
        return limits.connections
    import resource

    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(1, min(limits.connections, files - _OWN_FILES))

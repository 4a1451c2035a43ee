"""uvicorn's HTTP/1.1 with the bounds that an application never sees: connections, endless headers, bad syntax."""

import asyncio
import http
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.logs import LOGGER
from clothing_classifier.serving.metrics import Metrics
from clothing_classifier.serving.observing import new_id
from clothing_classifier.serving.problems import MEDIA_TYPE, Problem, busy
from clothing_classifier.serving.security import HEADERS

_HEADERS_TOO_LARGE = Problem("headers-too-large", "send fewer and shorter headers")


def bounded_protocol(metrics: Metrics, connections: int, limits: ServiceLimits) -> type[asyncio.Protocol]:
    """The protocol class that uvicorn makes one object of for each connection, of which `connections` may be open."""
    stall_seconds, header_bytes = limits.stall_seconds, limits.header_bytes

    class BoundedProtocol(H11Protocol):
        _headers_due: asyncio.TimerHandle | None = None
        _reading_due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > connections:
                self._refuse(busy("too many connections are open"))
            else:
                self._expect_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._headers_arrived()
            self._read_on()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            if self.conn.their_state is h11.IDLE and _head_size(self.conn.trailing_data[0] + data) > header_bytes:
                self._refuse(_HEADERS_TOO_LARGE)
                return
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._headers_arrived()
            else:
                self._expect_headers()

        def pause_writing(self) -> None:
            """Called where what was sent piles up, as the client does not read."""
            super().pause_writing()
            if self._reading_due is None:
                self._reading_due = self.loop.call_later(stall_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._read_on()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
                self._expect_headers()

        def send_400_response(self, msg: str) -> None:
            """Called where a request breaks HTTP's syntax; the exception being handled says how."""
            fault = sys.exception()
            if isinstance(fault, h11.RemoteProtocolError) and fault.error_status_hint == 431:
                self._refuse(_HEADERS_TOO_LARGE)
            else:
                self._refuse(Problem("bad-request", f"this is not HTTP/1.1: {fault}"))

        def _refuse(self, problem: Problem) -> None:
            metrics.count_refused_connection(problem.kind)
            request_id, client = new_id(), self.client[0] if self.client else None
            fields = {"request_id": request_id, "client": client, "status": problem.status, "problem": problem.kind}
            LOGGER.info("refused", extra={"fields": fields})
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self.transport.write(_response(problem, request_id))
            self.conn.send_failed()
            if self.cycle is not None and not self.cycle.response_complete:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self.transport.close()

        def _expect_headers(self) -> None:
            if self._headers_due is None and not self.transport.is_closing():
                self._headers_due = self.loop.call_later(stall_seconds, self._headers_missing)

        def _headers_arrived(self) -> None:
            if self._headers_due is not None:
                self._headers_due.cancel()
                self._headers_due = None

        def _read_on(self) -> None:
            if self._reading_due is not None:
                self._reading_due.cancel()
                self._reading_due = None

        def _headers_missing(self) -> None:
            if self.conn.trailing_data[0]:
                detail = f"the headers did not arrive within {stall_seconds:g} s: send them faster"
                self._refuse(Problem("slow-request", detail))
            else:
                self.transport.close()

    return BoundedProtocol


def _head_size(data: bytes) -> int:
    """Bytes before the end of the headers, all where there is none. h11 counts only what comes in pieces."""
    end = data.find(b"\r\n\r\n")
    return len(data) if end < 0 else end


def _response(problem: Problem, request_id: str) -> bytes:
    answer = problem.response()
    headers: dict[str, Any] = {**HEADERS, **dict(answer.headers), "content-type": MEDIA_TYPE, "connection": "close"}
    headers["x-request-id"] = request_id
    lines = [f"HTTP/1.1 {problem.status} {http.HTTPStatus(problem.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + bytes(answer.body)

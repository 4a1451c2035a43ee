"""The outermost layer: request ids, security headers, the log line and the counters; a fault of ours becomes a 500."""

import random
import re
import time
from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clothing_classifier.serving.logs import LOGGER
from clothing_classifier.serving.metrics import Metrics
from clothing_classifier.serving.problems import Problem
from clothing_classifier.serving.security import HEADERS

PROBLEM = "clothing.problem"
"""Key of the scope under which the kind of the problem stands that was answered."""
CLIENT_GONE = 499
"""Status that is logged and counted where nobody was left to answer."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_PATH = 200
_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


def new_id() -> str:
    """An id for a request that brought none."""
    return f"{random.getrandbits(64):016x}"


class Observing:
    """ASGI middleware; `routes` are the addresses that are counted by name, `is_ready` is false while shutting down."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Collection[str], is_ready: Callable[[], bool]) -> None:
        self.app, self._metrics, self._routes, self._is_ready = app, metrics, frozenset(routes), is_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), CLIENT_GONE
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else new_id()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), *_HEADERS, (b"x-request-id", request_id.encode())]
                if not self._is_ready() and (b"connection", b"close") not in headers:
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            scope[PROBLEM] = "client-gone"
        except Exception:
            scope[PROBLEM] = "internal"
            LOGGER.exception("fault", extra={"fields": {"request_id": request_id}})
            if status == CLIENT_GONE:
                detail = f"a fault of the service, which its log holds under the id {request_id}; tell who runs it"
                await Problem("internal", detail).response()(scope, receive, send_with_headers)
        finally:
            self._tell(scope, request_id, status, time.perf_counter() - started)

    def _tell(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        path, problem = scope["path"], scope.get(PROBLEM)
        route = path if path in self._routes else "other"
        self._metrics.count_request(route, status, seconds, problem)
        client = scope.get("client")
        fields = {
            "request_id": request_id,
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": path[:_LONGEST_PATH],
            "status": status,
            "milliseconds": round(1000 * seconds, 1),
        }
        LOGGER.info("request", extra={"fields": fields | ({"problem": problem} if problem else {})})

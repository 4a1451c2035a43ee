"""The outermost layer: request ids, security headers, one log line and one count a request; a fault becomes a 500."""

import logging
import random
import re
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clothing_classifier.serving.metrics import Metrics
from clothing_classifier.serving.problems import Problem
from clothing_classifier.serving.security import HEADERS

logger = logging.getLogger(__name__)
PROBLEM = "clothing.problem"
"""Key of the scope that holds the kind of the problem with which a request was answered."""
CLIENT_GONE = 499
"""Status that is logged and counted where the client left before the answer."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_PATH = 200
_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class ObservabilityMiddleware:
    """ASGI middleware; `is_ready` is false while the service shuts down."""

    def __init__(self, app: ASGIApp, metrics: Metrics, is_ready: Callable[[], bool]) -> None:
        self.app, self._metrics, self._is_ready = app, metrics, is_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, log it and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), CLIENT_GONE
        given = Headers(scope=scope)
        request_id = given.get("x-request-id", "")
        if not _ID.fullmatch(request_id):
            request_id = f"{random.getrandbits(64):016x}"

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), *_HEADERS, (b"x-request-id", request_id.encode())]
                # After a refusal, a client that asked to go on first may or may not send its body (RFC 9110, 10.1.1).
                if not self._is_ready() or ("expect" in given and status >= 400):
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            scope[PROBLEM] = "client-gone"
        except Exception:
            scope[PROBLEM] = "internal"
            logger.exception("fault", extra={"fields": {"request_id": request_id}})
            if status == CLIENT_GONE:
                detail = f"a fault of the service, logged under the id {request_id}; tell its operator"
                await Problem("internal", detail).response()(scope, receive, send_with_headers)
        finally:
            self._record(scope, request_id, status, time.perf_counter() - started)

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        problem, client = scope.get(PROBLEM), scope.get("client")
        self._metrics.count_request(getattr(scope.get("route"), "path", "other"), status, seconds, problem)
        fields = {
            "request_id": request_id,
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": scope["path"][:_MAX_PATH],
            "status": status,
            "milliseconds": round(1000 * seconds, 1),
        }
        logger.info("request", extra={"fields": fields | ({"problem": problem} if problem else {})})

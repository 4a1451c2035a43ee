"""Errors as problem details (RFC 9457): what is wrong, and what to do about it."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from clothing_classifier import errors

MEDIA_TYPE = "application/problem+json"

TITLES = {
    "bad-request": (400, "Bad request"),
    "unauthorized": (401, "Token required"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "slow-request": (408, "Request timeout"),
    "too-large": (413, "Content too large"),
    "not-an-image": (415, "Not an image in an accepted format"),
    "bad-image": (422, "Unusable image"),
    "bad-query": (422, "Invalid query parameter"),
    "internal": (500, "Internal server error"),
    "busy": (503, "Service unavailable"),
}
"""Kinds of problem: status and title. The kind ends the problem's `type`, and labels it in the metrics."""


class Problem(Exception):
    """A refusal of one of the kinds in `TITLES`; `more` are further members of the document."""

    def __init__(
        self, kind: str, detail: str, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.more = kind, detail, dict(headers or {}), dict(more or {})

    def response(self) -> Response:
        """The problem document as a response."""
        status, title = TITLES[self.kind]
        about = {"type": f"urn:clothing-classifier:problem:{self.kind}", "title": title, "status": status}
        return Response(json.dumps(about | {"detail": self.detail} | self.more), status, self.headers, MEDIA_TYPE)


def busy(detail: str, advice: str = "send the request again later") -> Problem:
    """The refusal of a request that may succeed a second later."""
    return Problem("busy", f"{detail}; {advice}", {"Retry-After": "1"})


def image_problem(error: errors.ImageError) -> Problem:
    """The problem that an unusable photo is, with the status that fits."""
    kinds = {errors.ImageTooManyBytesError: "too-large", errors.ImageFormatError: "not-an-image"}
    return Problem(kinds.get(type(error), "bad-image"), str(error))

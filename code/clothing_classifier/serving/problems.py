"""Errors as problem details (RFC 9457): every refusal says what is wrong, and what to do about it."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from clothing_classifier import errors

MEDIA_TYPE = "application/problem+json"
_NAMESPACE = "urn:clothing-classifier:problem:"

TITLES = {
    "bad-request": (400, "The request can't be understood"),
    "unauthorized": (401, "A token is needed"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This method is not for this address"),
    "slow-request": (408, "The request took too long to arrive"),
    "too-large": (413, "The upload is too large"),
    "not-an-image": (415, "This is not an image in an accepted format"),
    "bad-image": (422, "The image can't be used"),
    "bad-query": (422, "A query parameter can't be used"),
    "headers-too-large": (431, "The request's headers are too large"),
    "internal": (500, "The service failed"),
    "busy": (503, "The service is busy"),
}
"""Kinds of problem: status and title. The kind ends the problem's `type`, and labels it in the metrics."""


class Problem(Exception):
    """A refusal of one of the kinds in `TITLES`; `more` are further members of the document."""

    def __init__(
        self, kind: str, detail: str, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail
        self.status, self.title = TITLES[kind]
        self.headers, self.more = dict(headers or {}), dict(more or {})

    def document(self) -> dict[str, Any]:
        """The problem document as plain data."""
        known = {"type": _NAMESPACE + self.kind, "title": self.title, "status": self.status, "detail": self.detail}
        return known | self.more

    def response(self) -> Response:
        """The document as a response."""
        return Response(json.dumps(self.document()), self.status, self.headers, MEDIA_TYPE)


def busy(detail: str, advice: str = "send the request again later") -> Problem:
    """The refusal of a request that may well succeed a second later."""
    return Problem("busy", f"{detail}; {advice}", {"Retry-After": "1"})


def image_problem(error: errors.ImageError) -> Problem:
    """Why a photo can't be answered, with the status that fits."""
    if isinstance(error, errors.ImageTooManyBytesError):
        return Problem("too-large", str(error))
    if isinstance(error, errors.ImageFormatError):
        return Problem("not-an-image", str(error))
    return Problem("bad-image", str(error))

"""The page and the documentation: plain files, kept in memory, with their types and tags."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_ADDRESSES = {"index.html": "/", "docs.html": "/docs", "icon.svg": "/favicon.ico"}


def asset_routes() -> list[Route]:
    """A route for each file of the page; HTML at an address of its own, the rest under /page/."""
    return [
        Route(_ADDRESSES.get(path.name, f"/page/{path.name}"), _endpoint(path), methods=["GET"])
        for path in sorted(FOLDER.iterdir())
        if path.suffix in _TYPES
    ]


def _endpoint(path: Path) -> Callable[[Request], Awaitable[Response]]:
    content, media_type = path.read_bytes(), _TYPES[path.suffix]
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}

    async def answer(request: Request) -> Response:
        known = request.headers.get("if-none-match", "").split(",")
        if tag in {one.strip().removeprefix("W/") for one in known}:  # proxies that compress call a tag weak
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return answer

"""Who may ask, and what a browser may do with the answers: bearer token, security headers, content security policy."""

import hmac
import ipaddress
import os
import socket
from collections.abc import Mapping

from starlette.requests import HTTPConnection

from clothing_classifier.errors import UsageError
from clothing_classifier.serving.problems import Problem

TOKEN_VARIABLE = "CLOTHING_TOKEN"
_SHORTEST_TOKEN = 16

HEADERS = {
    "content-security-policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Sent with every answer."""


def choose_token(host: str, no_auth: bool, environment: Mapping[str, str] = os.environ) -> str | None:
    """The token that clients must send, or None for none; raises `UsageError` where that would expose the service.

    A service that other machines reach needs a token in CLOTHING_TOKEN, or `no_auth` said in so many words.
    """
    token = environment.get(TOKEN_VARIABLE)
    if no_auth:
        return None
    if token is None:
        if not is_loopback(host):
            raise UsageError(
                f"other machines reach {host}: set {TOKEN_VARIABLE} to a secret that clients send as bearer token, "
                "or say --no-auth"
            )
        return None
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        form = f"{_SHORTEST_TOKEN} or more ASCII characters without spaces"
        raise UsageError(f"{TOKEN_VARIABLE}: use {form}, as from 'openssl rand -hex 32'")
    return token


def is_loopback(host: str) -> bool:
    """Whether `host` leads to this machine alone; raises `UsageError` where it is no address at all."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"host '{host}': not an address of this machine") from error
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


class BearerToken:
    """A dependency that lets requests pass which carry `token` in their Authorization header (RFC 6750)."""

    def __init__(self, token: str | None) -> None:
        self._expected = None if token is None else token.encode()

    async def __call__(self, connection: HTTPConnection) -> None:
        """Raise a 401 problem unless the token is right; the comparison takes the same time for any wrong one."""
        if self._expected is None:
            return
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("latin-1"), self._expected)
        if scheme.lower() != "bearer" or not right:
            detail = "send the service's token in the header 'Authorization: Bearer TOKEN'"
            raise Problem("unauthorized", detail, {"WWW-Authenticate": "Bearer"})

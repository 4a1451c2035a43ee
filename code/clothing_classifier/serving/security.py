"""Bearer token, security headers and content security policy."""

import hmac
import ipaddress
import os
import socket
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from clothing_classifier.errors import UsageError
from clothing_classifier.serving.problems import Problem

TOKEN_VARIABLE = "CLOTHING_TOKEN"
_MIN_TOKEN = 16

HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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

    A service that other machines reach needs a token in CLOTHING_TOKEN, or `no_auth`.
    """
    token = environment.get(TOKEN_VARIABLE)
    if no_auth or (token is None and is_loopback(host)):
        return None
    if token is None:
        raise UsageError(
            f"other machines reach {host}: set {TOKEN_VARIABLE} to a secret that clients send as bearer token, "
            "or pass --no-auth"
        )
    if len(token) < _MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        form = f"{_MIN_TOKEN} or more ASCII characters without spaces"
        raise UsageError(f"{TOKEN_VARIABLE}: use {form}, as from 'openssl rand -hex 32'")
    return token


def is_loopback(host: str) -> bool:
    """Whether `host` leads to this machine alone; raises `UsageError` where it is no address at all."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"host '{host}': not an address of this machine") from error
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


def bearer_token(token: str | None) -> list[Any]:
    """The dependencies of routes that only clients with `token` may use (RFC 6750); none where it is None."""
    if token is None:
        return []
    scheme = HTTPBearer(auto_error=False, description="The service's token.")

    async def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]) -> None:
        # Takes the same time for any wrong token.
        if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
            detail = "send the service's token in the header 'Authorization: Bearer TOKEN'"
            raise Problem("unauthorized", detail, {"WWW-Authenticate": "Bearer"})

    return [Depends(check)]

"""How a command and its local AWS show each other that they know the server's secret, without sending it.

In: the secret of `server.json` and words that both sides know. Out: a digest that only somebody with the secret can make.
Never: puts the secret itself on a wire, where whoever took over a dead server's port would read it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any


def proof(secret: str, *words: str) -> str:
    """The HMAC-SHA256 of the words."""
    return hmac.new(secret.encode(), "\n".join(words).encode(), hashlib.sha256).hexdigest()


def same(given: str | bytes, expected: str) -> bool:
    """Compared in constant time; anything but ASCII is simply not the same."""
    found = given if isinstance(given, bytes) else given.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(found, expected.encode())


def web_identity(secret: str, claims: Mapping[str, Any]) -> str:
    """A web identity token (RFC 7519, HS256) that the local AWS takes as an identity provider's.

    The request that carries one is not signed, at AWS neither: the token is its only proof.
    """

    def part(value: Mapping[str, Any]) -> str:
        return _base64(json.dumps(value).encode())

    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    return f"{signed}.{_signature(secret, signed)}"


def is_web_identity(secret: str, token: str) -> bool:
    """Whether `web_identity` made this token with this secret."""
    signed, _, signature = token.rpartition(".")
    return same(signature, _signature(secret, signed))


def _signature(secret: str, signed: str) -> str:
    return _base64(hmac.new(secret.encode(), signed.encode("utf-8", "surrogateescape"), hashlib.sha256).digest())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")

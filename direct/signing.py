"""A reading request to S3, signed by AWS Signature Version 4.

In: method, address, query, headers, credentials and the time. Out: the headers to send. Never: sends anything, or signs a body.

Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)": in S3 the path is
encoded once, and an empty body has its own digest. tests/unit/direct holds it to botocore's signer.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Credentials."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked. `path` and `query` as they are sent."""

    method: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def path_of(*segments: str) -> str:
    """The path of a request as it is sent and signed. A key keeps its slashes."""
    return "/" + quote("/".join(segments), safe="/-._~")


def query_of(values: Mapping[str, str]) -> str:
    """The query as it is sent and signed."""
    return "&".join(f"{quote(name, safe='-._~')}={quote(values[name], safe='-._~')}" for name in sorted(values))


def signed(request: Request, keys: Keys, region: str, now: datetime) -> dict[str, str]:
    """The headers of a request without a body, with those that the signature needs."""
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {name.lower(): value for name, value in request.headers.items()}
    sent |= {"host": request.host, "x-amz-content-sha256": _EMPTY, "x-amz-date": moment}
    if keys.token:
        sent["x-amz-security-token"] = keys.token
    names = ";".join(sorted(sent))
    lines = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    asked = f"{request.method}\n{request.path}\n{request.query}\n{lines}\n{names}\n{_EMPTY}"
    canonical = hashlib.sha256(asked.encode()).hexdigest()
    key = f"AWS4{keys.secret_key}".encode()
    for part in (moment[:8], region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{canonical}".encode(), "sha256").hex()
    sent["authorization"] = f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return sent

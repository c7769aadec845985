"""HTTP requests and responses as the stages of the preview hand them on, and what reads their headers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

Headers = tuple[tuple[str, str], ...]
"""Name and value of every header line, in order."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it travels from stage to stage. `uri` is percent-encoded and without the query string."""

    method: str
    uri: str
    query: str
    headers: Headers
    client_ip: str
    body: bytes = field(default=b"", repr=False)

    def get(self, name: str) -> str | None:
        """The first header of that name."""
        return first(self.headers, name)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response as it travels back."""

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)

    def get(self, name: str) -> str | None:
        """The first header of that name."""
        return first(self.headers, name)


def first(headers: Headers, name: str) -> str | None:
    """The first value of a header; `name` in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


def without(headers: Headers, names: Iterable[str]) -> Headers:
    """All but the headers of those names, given in lower case."""
    gone = frozenset(names)
    return tuple(pair for pair in headers if pair[0].lower() not in gone)


def reason_of(status: int) -> str:
    """The usual reason phrase."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

"""What the interpreter finds in the templates: the values that the imitation of CloudFront runs on.

In: nothing but their own fields. Names follow the CloudFront API. Times are seconds, sizes bytes.
Never: an intrinsic function or a reference; everything here is resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from templates.policies import Statement

EventType = Literal["viewer-request", "origin-request", "origin-response", "viewer-response"]
FunctionKind = Literal["lambda", "cloudfront"]


@dataclass(frozen=True, kw_only=True)
class Function:
    """Code associated with an event of a behaviour."""

    kind: FunctionKind
    name: str
    arn: str
    runtime: str
    handler: str
    """Of a Lambda@Edge function, "index.handler"; "handler" for a CloudFront Function."""
    code: str = field(repr=False)
    """JavaScript; may carry the preview's password hash, so it is never shown."""
    timeout: float
    include_body: bool = False
    broken: str = ""
    """Why the preview cannot run it; empty if it can."""


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """TTLs and what of a request makes the cache key (and reaches the origin)."""

    name: str
    min_ttl: int
    default_ttl: int
    max_ttl: int
    gzip: bool = False
    brotli: bool = False
    headers: tuple[str, ...] = ()
    """Lower-case names in the cache key."""
    query: Literal["none", "all", "whitelist", "allExcept"] = "none"
    query_names: tuple[str, ...] = ()
    cookies: Literal["none", "all", "whitelist", "allExcept"] = "none"
    cookie_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PolicyHeader:
    """One header of a response headers policy. `override`: it replaces the origin's."""

    name: str
    value: str
    override: bool


@dataclass(frozen=True, kw_only=True)
class ResponseHeadersPolicy:
    """Headers set and removed on what comes from cache or origin."""

    name: str
    headers: tuple[PolicyHeader, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """An S3 bucket and its policy. `policy` is None where no template has one, which refuses everything."""

    name: str
    arn: str
    region: str
    account_id: str
    policy: tuple[Statement, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One origin. `bucket` is None for one that the preview cannot serve."""

    id: str
    domain_name: str
    path: str
    bucket: Bucket | None
    signed: bool
    """An Origin Access Control signs the requests, so that S3 sees CloudFront's service principal; otherwise they are anonymous."""
    custom_headers: tuple[tuple[str, str], ...] = ()
    connection_attempts: int = 3
    connection_timeout: int = 10
    read_timeout: int = 30
    """Per attempt. The defaults are CloudFront's (API reference, Origin)."""


@dataclass(frozen=True, kw_only=True)
class OriginGroup:
    """Two origins and the status codes of the first that make CloudFront ask the second."""

    id: str
    members: tuple[str, ...]
    codes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Behavior:
    """A cache behaviour; `pattern` is "*" for the default one."""

    pattern: str
    default: bool
    target: str
    viewer_protocol_policy: str
    allowed_methods: tuple[str, ...]
    cached_methods: tuple[str, ...]
    compress: bool
    cache_policy: CachePolicy
    response_headers_policy: ResponseHeadersPolicy | None
    functions: Mapping[EventType, Function]


@dataclass(frozen=True, kw_only=True)
class ErrorResponse:
    """A custom error response of the distribution."""

    code: int
    response_code: int | None
    page_path: str
    caching_min_ttl: int


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One distribution; `behaviors` are in the order they are tried, the default one last."""

    id: str
    arn: str
    domain_name: str
    aliases: tuple[str, ...]
    enabled: bool
    default_root_object: str
    behaviors: tuple[Behavior, ...]
    origins: Mapping[str, Origin]
    groups: Mapping[str, OriginGroup]
    error_responses: Mapping[int, ErrorResponse]
    minimum_protocol_version: str
    http_version: str
    certificate_names: tuple[str, ...]
    """Names of the certificate that the distribution refers to, as its template asks for them."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything the preview serves, and what it has to tell at start."""

    environment: str
    entry_path: str
    """Where a visitor begins; for the address printed at start only."""
    distributions: tuple[Distribution, ...]
    notes: tuple[str, ...]
    """What was found and is not imitated, or is wrong; one line each."""

    @property
    def functions(self) -> tuple[Function, ...]:
        """Every associated function once."""
        found = {f.arn: f for d in self.distributions for b in d.behaviors for f in b.functions.values()}
        return tuple(found.values())

"""One request's way through a distribution: behaviour, functions, cache, origin and back.

In: a `Site`, the bucket's content, Node for the functions, a viewer's request. Out: an `Outcome`: the response, and one `Step` for
whatever each stage did.
Never: raises for what a request or a function does (that is a response too), asks AWS, or goes to an origin that is no bucket.

Order of the stages: CloudFront Developer Guide, "How CloudFront events trigger functions". Three things are not documented and imitated
so that being wrong about them hides no mistake: the default root object is put in before the viewer-request function; a response headers
policy does not touch what a viewer-request function generates; it is applied before the viewer-response function. A crash or time-out
of a CloudFront Function is a 503, an invalid answer of any function and a crash of a Lambda@Edge function are 502.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import lru_cache
from html import escape

import brotli

from preview import s3
from preview.content import Content, Unreachable
from preview.events import (
    Headers,
    Invalid,
    Request,
    Response,
    function_event,
    function_request_answer,
    function_response_answer,
    lambda_event,
    lambda_request_answer,
    lambda_response_answer,
    reason_of,
    without,
)
from preview.model import Behavior, CachePolicy, Distribution, EventType, Function, Origin, ResponseHeadersPolicy, Site
from preview.node import FunctionFailed, Node
from untrusted.text import printable

CACHE_ENTRIES = 5_000
COMPRESSIBLE = frozenset(
    {
        *("application/dash+xml", "application/eot", "application/font", "application/font-sfnt", "application/javascript"),
        *("application/json", "application/opentype", "application/otf", "application/pdf", "application/pkcs7-mime"),
        *("application/protobuf", "application/rss+xml", "application/truetype", "application/ttf", "application/vnd.apple.mpegurl"),
        *("application/vnd.mapbox-vector-tile", "application/vnd.ms-fontobject", "application/wasm", "application/xhtml+xml"),
        *("application/xml", "application/x-font-opentype", "application/x-font-truetype", "application/x-font-ttf"),
        *("application/x-httpd-cgi", "application/x-javascript", "application/x-mpegurl", "application/x-opentype", "application/x-otf"),
        *("application/x-perl", "application/x-ttf", "font/eot", "font/opentype", "font/otf", "font/ttf", "image/svg+xml", "text/css"),
        *("text/csv", "text/html", "text/javascript", "text/js", "text/plain", "text/richtext", "text/tab-separated-values", "text/xml"),
        *("text/x-component", "text/x-java-source", "text/x-script", "vnd.apple.mpegurl"),
    }
)
"""Source: CloudFront Developer Guide, "Serve compressed files"; size limits and the need for a TTL above zero as well."""
COMPRESS_FROM, COMPRESS_TO = 1_000, 10_000_000

_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection", "expect")
_LOCAL = {"localhost", "127.0.0.1", "[::1]", ""}
_CONDITIONS = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range")


@dataclass(frozen=True)
class Step:
    """What one stage did."""

    stage: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The response to a request, how it came about, and, if a function failed, what the terminal has to say of it."""

    response: Response
    steps: tuple[Step, ...]
    failure: str = ""


@dataclass(frozen=True)
class _Entry:
    response: Response
    stored: float
    ttl: float


class Cache:
    """The edge cache. `now` is seconds on a clock that only goes forward."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: dict[tuple[object, ...], _Entry] = {}

    def get(self, key: tuple[object, ...]) -> tuple[Response, int] | None:
        """The fresh response and its age in seconds."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        age = self._now() - entry.stored
        if age >= entry.ttl:
            del self._entries[key]
            return None
        return entry.response, int(age)

    def put(self, key: tuple[object, ...], response: Response, ttl: float) -> None:
        """Oldest out first."""
        if len(self._entries) >= CACHE_ENTRIES:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Entry(response, self._now(), ttl)

    def clear(self) -> None:
        """As an invalidation of everything."""
        self._entries.clear()


@dataclass
class _Failed(Exception):
    """A function that gave no usable answer."""

    response: Response
    text: str


@dataclass
class _Passage:
    """One request on its way: what every stage needs to know, and the steps so far."""

    distribution: Distribution
    behavior: Behavior
    request_id: str
    steps: list[Step] = field(default_factory=list)

    def step(self, stage: str, text: str) -> None:
        self.steps.append(Step(stage, text))


class CloudFront:
    """The distributions of a site at one edge location. `request_id` makes up the id of each request."""

    def __init__(self, site: Site, content: Content, node: Node, cache: Cache, request_id: Callable[[], str]) -> None:
        self.site = site
        self._content, self._node, self._cache, self._request_id = content, node, cache, request_id

    async def handle(self, request: Request, *, https: bool, https_port: int | None = None) -> Outcome:
        """`https`: the viewer's request came so. `https_port`: where a redirect of a Host with a port leads to."""
        request = replace(request, headers=without(request.headers, _HOP_BY_HOP))
        host = _host(request)
        distribution = _distribution(self.site, host)
        if distribution is None:
            names = ", ".join(name for d in self.site.distributions for name in (*d.aliases, d.domain_name))
            text = f"no distribution answers for {host!r}; there are {names}"
            return Outcome(response=_error(403, text, "", "Error"), steps=(Step("host", text),))
        behavior = next(b for b in distribution.behaviors if b.default or matches(b.pattern, request.uri))
        passage = _Passage(distribution, behavior, self._request_id())
        passage.step("host", f"{host or 'no name'}: distribution {distribution.id} ({', '.join(distribution.aliases)})")
        passage.step("behavior", f"{behavior.pattern}{' (default)' if behavior.default else ''}, origin {behavior.target}")
        failure = ""
        try:
            response = await self._respond(passage, request, https=https, https_port=https_port)
        except _Failed as failed:
            response, failure = failed.response, failed.text
        pop = (("Via", f"1.1 {distribution.domain_name} (CloudFront)"), ("X-Amz-Cf-Pop", "LOCAL-P1"), ("X-Amz-Cf-Id", passage.request_id))
        response = replace(response, headers=(*response.headers, *pop))
        if request.method == "HEAD":
            response = replace(
                response, headers=(*without(response.headers, ("content-length",)), ("Content-Length", str(len(response.body))))
            )
            response = replace(response, body=b"")
        return Outcome(response=response, steps=tuple(passage.steps), failure=failure)

    async def _respond(self, passage: _Passage, request: Request, *, https: bool, https_port: int | None) -> Response:
        behavior = passage.behavior
        refused = _protocol(behavior, request, https=https, https_port=https_port) or _method(behavior, request)
        if refused is not None:
            passage.step("viewer protocol" if not https else "method", f"{refused.status} {refused.get('location') or ''}".rstrip())
            return refused
        root = passage.distribution.default_root_object
        if request.uri == "/" and root:
            request = replace(request, uri=f"/{root}")
            passage.step("default root object", request.uri)
        viewer = await self._on_request(passage, "viewer-request", request)
        if isinstance(viewer, Response):
            return _marked(viewer, _generated_by(behavior.functions["viewer-request"]))
        found = await self._from_cache(passage, viewer)
        origin_status = found.status
        response = _conditional(viewer, found)
        if response is not found:
            passage.step("conditions", f"{response.status}")
        policy = behavior.response_headers_policy
        if policy is not None:
            response = apply_headers_policy(policy, response)
            passage.step("response headers policy", f"{policy.name}: {len(policy.headers)} headers")
        if origin_status < 400:
            response = await self._on_response(passage, "viewer-response", viewer, response)
        elif "viewer-response" in behavior.functions:
            passage.step("viewer-response", f"does not run, since the status is {origin_status}")
        return response

    # --- cache and origin -----------------------------------------------------------------------------------------

    async def _from_cache(self, passage: _Passage, request: Request) -> Response:
        behavior, policy = passage.behavior, passage.behavior.cache_policy
        encodings = accepted_encodings(policy, request.get("accept-encoding"))
        cacheable = request.method in behavior.cached_methods and policy.max_ttl > 0
        key = (passage.distribution.id, behavior.pattern, request.uri, *cache_key(policy, request), encodings)
        hit = self._cache.get(key) if cacheable else None
        if hit is not None:
            response, age = hit
            passage.step("cache", f"hit, {age} s old ({policy.name})")
            return _marked(replace(response, headers=(*response.headers, ("Age", str(age)))), "Hit")
        passage.step("cache", f"miss ({policy.name})" if cacheable else f"not cached ({policy.name})")
        response = await self._from_origin(passage, request)
        compressed = compress(behavior, encodings, response)
        if compressed is not response:
            passage.step("compression", f"{compressed.get('content-encoding')}: {len(response.body):,} to {len(compressed.body):,} bytes")
        ttl = time_to_live(policy, passage.distribution, compressed)
        if (
            cacheable
            and request.method == "GET"
            and ttl > 0
            and compressed.status in (200, 203, 300, 301, 302, 307, 308, 400, 403, 404, 410)
        ):
            self._cache.put(key, compressed, ttl)
            passage.step("cache", f"stored for {ttl:,.0f} s")
        return _marked(compressed, "Error" if compressed.status >= 400 else "Miss")

    async def _from_origin(self, passage: _Passage, request: Request) -> Response:
        distribution, behavior = passage.distribution, passage.behavior
        asked = _forwarded(behavior.cache_policy, request)
        response = await self._ask_target(passage, behavior.target, asked)
        custom = distribution.error_responses.get(response.status)
        if custom is not None and custom.page_path:
            page_behavior = next(b for b in distribution.behaviors if b.default or matches(b.pattern, custom.page_path))
            page = await self._ask_target(passage, page_behavior.target, replace(asked, method="GET", uri=custom.page_path, query=""))
            if page.status < 400:
                status = custom.response_code or response.status
                passage.step("custom error response", f"{response.status} becomes {status} with {custom.page_path}")
                response = replace(page, status=status)
            else:
                passage.step("custom error response", f"{custom.page_path} itself answers {page.status}")
                response = page
        return response

    async def _ask_target(self, passage: _Passage, target: str, request: Request) -> Response:
        group = passage.distribution.groups.get(target)
        if group is None:
            return await self._ask_origin(passage, target, request)
        response = await self._ask_origin(passage, group.members[0], request)
        if response.status in group.codes and request.method in ("GET", "HEAD", "OPTIONS"):
            passage.step("origin group", f"{group.members[0]} answered {response.status}, so {group.members[1]} is asked")
            response = await self._ask_origin(passage, group.members[1], request)
        return response

    async def _ask_origin(self, passage: _Passage, origin_id: str, request: Request) -> Response:
        origin = passage.distribution.origins.get(origin_id)
        if origin is None or origin.bucket is None:
            text = f"origin {origin_id} is no bucket of these templates"
            passage.step("origin", text)
            return _error(502, text, "", "Error")
        asked = replace(request, headers=_origin_headers(origin, request))
        described = _origin_event(origin)
        asked_or_made = await self._on_request(passage, "origin-request", asked, described)
        if isinstance(asked_or_made, Response):
            return asked_or_made
        try:
            response, why = await s3.answer(origin, origin.bucket, self._content, asked_or_made, passage.distribution.arn)
        except Unreachable as error:
            response, why = _error(502, f"The bucket cannot be reached: {error}", "", "Error"), f"cannot be reached: {error}"
        passage.step("origin", f"{origin_id}: {response.status}, {why}")
        return await self._on_response(passage, "origin-response", asked_or_made, response, described)

    # --- functions ------------------------------------------------------------------------------------------------

    async def _on_request(
        self, passage: _Passage, event: EventType, request: Request, origin: Mapping[str, object] | None = None
    ) -> Request | Response:
        function = passage.behavior.functions.get(event)
        if function is None:
            return request
        if function.kind == "lambda":
            made = lambda_event(event, passage.distribution, passage.request_id, request, origin=origin, include_body=function.include_body)
        else:
            made = function_event(event, passage.distribution, passage.request_id, request)
        answer = await self._call(passage, event, function, made)
        try:
            found = lambda_request_answer(event, request, answer) if function.kind == "lambda" else function_request_answer(request, answer)
        except Invalid as invalid:
            raise self._invalid(passage, event, function, invalid) from None
        if isinstance(found, Response):
            passage.step(event, f"{function.name} answered {found.status} itself")
        elif found.uri != request.uri:
            passage.step(event, f"{function.name} rewrote {request.uri} to {found.uri}")
        else:
            passage.step(event, f"{function.name} let it pass")
        return found

    async def _on_response(
        self, passage: _Passage, event: EventType, request: Request, response: Response, origin: Mapping[str, object] | None = None
    ) -> Response:
        function = passage.behavior.functions.get(event)
        if function is None:
            return response
        if function.kind == "lambda":
            made = lambda_event(event, passage.distribution, passage.request_id, request, response, origin=origin)
        else:
            made = function_event(event, passage.distribution, passage.request_id, request, response)
        answer = await self._call(passage, event, function, made)
        try:
            found = (
                lambda_response_answer(event, response, answer) if function.kind == "lambda" else function_response_answer(response, answer)
            )
        except Invalid as invalid:
            raise self._invalid(passage, event, function, invalid) from None
        passage.step(event, f"{function.name} answered")
        return found

    async def _call(self, passage: _Passage, event: EventType, function: Function, made: Mapping[str, object]) -> object:
        if function.broken:
            raise self._failed(passage, event, function, status=503, mark="ExecutionError", text=f"cannot run: {function.broken}")
        try:
            return await self._node.call(function, made)
        except FunctionFailed as failed:
            # Source: CloudFront Developer Guide, "HTTP 503 status code (Lambda limit exceeded)", which names the time-out.
            late = failed.why == "timeout"
            status = 503 if late or function.kind == "cloudfront" else 502
            limit = late and function.kind == "lambda"
            what = "gave" if late else "does not start:" if failed.why == "load" else "crashed:"
            mark = "LimitExceeded" if limit else "ExecutionError"
            text = f"{what} {failed.message}"
            raise self._failed(passage, event, function, status=status, mark=mark, text=text, stack=failed.stack) from None

    def _invalid(self, passage: _Passage, event: EventType, function: Function, invalid: Invalid) -> _Failed:
        text = f"gave an answer that CloudFront refuses: {invalid}"
        return self._failed(passage, event, function, status=502, mark="ValidationError", text=text)

    def _failed(
        self, passage: _Passage, event: EventType, function: Function, *, status: int, mark: str, text: str, stack: str = ""
    ) -> _Failed:
        passage.step(event, f"{function.name} {text}")
        kind = "Lambda" if function.kind == "lambda" else "Function"
        told = printable(f"{event} function {function.name} {text}")
        frames = [line.strip() for line in stack.split("\n")[1:6] if "/runner.cjs" not in line and "node:internal" not in line]
        trace = "".join(f"\n    {printable(frame)}" for frame in frames)
        return _Failed(_error(status, f"The {told}", "", f"{kind}{mark}"), told + trace)


# --- choosing -----------------------------------------------------------------------------------------------------


def _host(request: Request) -> str:
    return re.sub(r":\d+\Z", "", request.get("host") or "").lower()


def _distribution(site: Site, host: str) -> Distribution | None:
    if host in _LOCAL:
        return site.distributions[0]
    for distribution in site.distributions:
        if host == distribution.domain_name or host in distribution.aliases:
            return distribution
    wildcard = f"*.{host.partition('.')[2]}"
    return next((d for d in site.distributions if wildcard in d.aliases), None)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern.removeprefix("/")), re.DOTALL)


def matches(pattern: str, uri: str) -> bool:
    """Whether a path pattern ("*" any characters, "?" any one, case counts, leading slash optional) matches a path."""
    return _compiled(pattern).fullmatch(uri.removeprefix("/")) is not None


def _protocol(behavior: Behavior, request: Request, *, https: bool, https_port: int | None) -> Response | None:
    if https or behavior.viewer_protocol_policy == "allow-all":
        return None
    if behavior.viewer_protocol_policy == "https-only":
        return _error(403, "Viewers must use HTTPS to request this object.", "", "Error")
    given = request.get("host") or ""
    host = re.sub(r":\d+\Z", "", given)
    port = f":{https_port}" if https_port not in (None, 443) and host != given else ""
    location = f"https://{host}{port}{request.uri}" + (f"?{request.query}" if request.query else "")
    status = 301 if request.method in ("GET", "HEAD") else 307
    return _error(status, "The document has moved.", location, "Redirect")


def _method(behavior: Behavior, request: Request) -> Response | None:
    if request.method in behavior.allowed_methods:
        return None
    return _error(
        403, f"The behavior {behavior.pattern} allows {', '.join(behavior.allowed_methods)}, not {request.method[:20]}.", "", "Error"
    )


# --- cache --------------------------------------------------------------------------------------------------------


def accepted_encodings(policy: CachePolicy, header: str | None) -> tuple[str, ...]:
    """Of "br" and "gzip" what policy and viewer both have, best first. Refusal by q=0 counts."""
    offered: dict[str, float] = {}
    for part in (header or "").split(","):
        name, _, parameters = part.strip().lower().partition(";")
        match = re.search(r"q=([\d.]+)", parameters)
        offered[name.strip()] = float(match[1]) if match and match[1].count(".") <= 1 and match[1] != "." else 1.0
    return tuple(
        name for name, enabled in (("br", policy.brotli), ("gzip", policy.gzip)) if enabled and offered.get(name, offered.get("*", 0)) > 0
    )


def _chosen(behavior: str, names: tuple[str, ...], name: str) -> bool:
    return behavior == "all" or (behavior == "whitelist" and name in names) or (behavior == "allExcept" and name not in names)


def cache_key(policy: CachePolicy, request: Request) -> tuple[object, ...]:
    """What of a request, beside its path, tells cached objects apart."""
    headers = tuple((name, request.get(name)) for name in policy.headers)
    return _kept_query(policy, request), headers, _kept_cookies(policy, request)


def _kept_query(policy: CachePolicy, request: Request) -> str:
    parts = request.query.split("&") if request.query else []
    return "&".join(part for part in parts if _chosen(policy.query, policy.query_names, part.partition("=")[0]))


def _kept_cookies(policy: CachePolicy, request: Request) -> str:
    pairs = [part.strip() for part in (request.get("cookie") or "").split(";") if part.strip()]
    return "; ".join(pair for pair in pairs if _chosen(policy.cookies, policy.cookie_names, pair.partition("=")[0]))


def time_to_live(policy: CachePolicy, distribution: Distribution, response: Response) -> float:
    """Seconds that the edge keeps a response. Source: CloudFront Developer Guide, "Manage how long content stays in the cache"."""
    control = (response.get("cache-control") or "").lower()
    directives = dict(part.strip().partition("=")[::2] for part in control.split(","))
    wished: float | None = None
    for name in ("s-maxage", "max-age"):
        if directives.get(name, "").strip('"').isdigit():
            wished = float(directives[name].strip('"'))
            break
    if wished is None and (expires := response.get("expires")):
        try:
            date = response.get("date")
            wished = (parsedate_to_datetime(expires) - parsedate_to_datetime(date or expires)).total_seconds()
        except (TypeError, ValueError):
            wished = 0
    if directives.keys() & {"no-store", "no-cache", "private"}:
        wished = 0.0
    if response.status >= 400:
        custom = distribution.error_responses.get(response.status)
        return max(custom.caching_min_ttl if custom else 10, wished or 0)
    return min(max(policy.default_ttl if wished is None else wished, policy.min_ttl), policy.max_ttl)


def compress(behavior: Behavior, encodings: tuple[str, ...], response: Response) -> Response:
    """Compressed as CloudFront would, or the response itself."""
    policy = behavior.cache_policy
    kind = (response.get("content-type") or "").partition(";")[0].strip().lower()
    if (
        not behavior.compress
        or not encodings
        or policy.max_ttl <= 0
        or response.status not in (200, 403, 404)
        or response.get("content-encoding")
        or not COMPRESS_FROM <= len(response.body) <= COMPRESS_TO
        or kind not in COMPRESSIBLE
        or "no-transform" in (response.get("cache-control") or "").lower()
    ):
        return response
    if encodings[0] == "br":
        body: bytes = brotli.compress(response.body, quality=5)  # type: ignore[no-untyped-call]  # it has no types
    else:
        body = gzip.compress(response.body, mtime=0)
    etag = response.get("etag")
    weak = () if etag is None else (("ETag", etag if etag.startswith("W/") else f"W/{etag}"),)
    headers = (
        *without(response.headers, ("etag", "content-length", "accept-ranges")),
        *weak,
        ("Content-Encoding", encodings[0]),
        ("Vary", "Accept-Encoding"),
    )
    return replace(response, headers=headers, body=body)


def _conditional(request: Request, response: Response) -> Response:
    if s3.not_modified(request, response):
        return replace(response, status=304, reason="", headers=without(response.headers, ("content-type", "content-encoding")), body=b"")
    return s3.ranged(request, response)


def apply_headers_policy(policy: ResponseHeadersPolicy, response: Response) -> Response:
    """The response with the policy's headers."""
    headers: Headers = without(response.headers, policy.remove)
    for header in policy.headers:
        name = header.name.lower()
        if header.override:
            headers = without(headers, (name,))
        elif any(key.lower() == name for key, _ in headers):
            continue
        headers = (*headers, (header.name, header.value))
    return replace(response, headers=headers)


# --- to the origin ------------------------------------------------------------------------------------------------


def _forwarded(policy: CachePolicy, request: Request) -> Request:
    """Without an origin request policy the origin sees what is in the cache key; conditions and ranges are answered at the edge here."""
    kept = tuple((name, value) for name in policy.headers if (value := request.get(name)) is not None)
    cookies = _kept_cookies(policy, request)
    if cookies:
        kept = (*kept, ("Cookie", cookies))
    return replace(request, query=_kept_query(policy, request), headers=without(kept, _CONDITIONS))


def _origin_headers(origin: Origin, request: Request) -> Headers:
    own = {name.lower() for name, _ in origin.custom_headers} | {"host", "user-agent", "via", "x-forwarded-for"}
    return (
        *without(request.headers, own),
        ("Host", origin.domain_name),
        ("User-Agent", "Amazon CloudFront"),
        ("Via", "1.1 preview (CloudFront)"),
        ("X-Forwarded-For", request.client_ip),
        *origin.custom_headers,
    )


def _origin_event(origin: Origin) -> dict[str, object]:
    return {
        "s3": {
            "authMethod": "origin-access-control" if origin.signed else "none",
            "customHeaders": {name.lower(): [{"key": name, "value": value}] for name, value in origin.custom_headers},
            "domainName": origin.domain_name,
            "path": origin.path,
            "region": origin.bucket.region if origin.bucket else "",
        }
    }


# --- CloudFront's own answers -----------------------------------------------------------------------------------------


def _generated_by(function: Function) -> str:
    return "LambdaGeneratedResponse" if function.kind == "lambda" else "FunctionGeneratedResponse"


def _marked(response: Response, mark: str) -> Response:
    headers = without(response.headers, ("x-cache",))
    return replace(response, headers=(*headers, ("X-Cache", f"{mark} from cloudfront")))


def _error(status: int, text: str, location: str, mark: str) -> Response:
    title = f"{status} {reason_of(status)}"
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{title}</title><h1>{title}</h1><p>{escape(text)}</p><hr><p>Generated by the preview, in place of CloudFront</p></html>\n"
    )
    headers: Headers = (("Content-Type", "text/html"), ("Server", "CloudFront"))
    if location:
        headers = (*headers, ("Location", location))
    return _marked(Response(status=status, headers=headers, body=body.encode(errors="replace")), mark)

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

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from preview import s3
from preview.cloudfront.behaviors import behavior_of, distribution_of, host_of, matches, method_answer, protocol_answer
from preview.cloudfront.cache import Cache, Found, Key, cache_key
from preview.cloudfront.compression import accepted_encodings, compress
from preview.cloudfront.exchange import Exchange, Outcome, Step
from preview.cloudfront.freshness import error_ttl, lifetime
from preview.cloudfront.functions import EdgeFunctions, FunctionError
from preview.cloudfront.origins import forwarded, origin_event, origin_headers
from preview.cloudfront.responses import apply_headers_policy, error_response, generated_mark, with_cache_mark
from preview.content import Content, Unreachable
from preview.messages import Request, Response, without
from preview.model import Site
from preview.node import Node
from preview.origin_faults import NO_FAULTS, OriginFaults, failure, spared

_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection", "expect")


_STORED = (200, 203, 300, 301, 302, 307, 308, 400, 403, 404, 410, 500, 501, 502, 503, 504)


class CloudFront:
    """The distributions of a site at one edge location. `request_id` makes up the id of each request.

    `elapsed`: seconds since the preview began, for the faults.
    """

    def __init__(
        self,
        site: Site,
        content: Content,
        node: Node,
        cache: Cache,
        request_id: Callable[[], str],
        *,
        faults: OriginFaults = NO_FAULTS,
        elapsed: Callable[[], float] = lambda: 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.site = site
        self._content, self._cache, self._request_id = content, cache, request_id
        self._weather, self._elapsed, self._sleep = faults, elapsed, sleep
        self._functions = EdgeFunctions(node)
        self._revalidating: dict[Key, asyncio.Task[None]] = {}

    async def revalidated(self) -> None:
        """Until nothing is being asked for behind a visitor's back."""
        await asyncio.gather(*self._revalidating.values(), return_exceptions=True)

    async def stop(self) -> None:
        """End what is still asking the origin."""
        for task in self._revalidating.values():
            task.cancel()
        await asyncio.gather(*self._revalidating.values(), return_exceptions=True)

    def wants_body(self, request: Request) -> bool:
        """Whether a function that this request may reach is handed the body; otherwise nothing of it is of use."""
        distribution = distribution_of(self.site, host_of(request))
        if distribution is None:
            return False
        return any(function.include_body for function in behavior_of(distribution, request).functions.values())

    async def handle(self, request: Request, *, https: bool, https_port: int | None = None) -> Outcome:
        """`https`: the viewer's request came so. `https_port`: where a redirect of a Host with a port leads to."""
        request = replace(request, headers=without(request.headers, _HOP_BY_HOP))
        host = host_of(request)
        distribution = distribution_of(self.site, host)
        if distribution is None:
            names = ", ".join(name for d in self.site.distributions for name in (*d.aliases, d.domain_name))
            text = f"no distribution answers for {host!r}; there are {names}"
            return Outcome(response=error_response(403, text, "", "Error"), steps=(Step("host", text),))
        behavior = behavior_of(distribution, request)
        exchange = Exchange(distribution, behavior, self._request_id())
        exchange.step("host", f"{host or 'no name'}: distribution {distribution.id} ({', '.join(distribution.aliases)})")
        exchange.step("behavior", f"{behavior.pattern}{' (default)' if behavior.default else ''}, origin {behavior.target}")
        failure = ""
        try:
            response = await self._respond(exchange, request, https=https, https_port=https_port)
        except FunctionError as failed:
            response, failure = failed.response, failed.text
        pop = (("Via", f"1.1 {distribution.domain_name} (CloudFront)"), ("X-Amz-Cf-Pop", "LOCAL-P1"), ("X-Amz-Cf-Id", exchange.request_id))
        response = replace(response, headers=(*response.headers, *pop))
        if request.method == "HEAD":
            response = replace(
                response, headers=(*without(response.headers, ("content-length",)), ("Content-Length", str(len(response.body))))
            )
            response = replace(response, body=b"")
        return Outcome(response=response, steps=tuple(exchange.steps), failure=failure)

    async def _respond(self, exchange: Exchange, request: Request, *, https: bool, https_port: int | None) -> Response:
        behavior = exchange.behavior
        refused = protocol_answer(behavior, request, https=https, https_port=https_port) or method_answer(behavior, request)
        if refused is not None:
            exchange.step("viewer protocol" if not https else "method", f"{refused.status} {refused.get('location') or ''}".rstrip())
            return refused
        root = exchange.distribution.default_root_object
        if request.uri == "/" and root:
            request = replace(request, uri=f"/{root}")
            exchange.step("default root object", request.uri)
        viewer = await self._functions.on_request(exchange, "viewer-request", request)
        if isinstance(viewer, Response):
            return with_cache_mark(viewer, generated_mark(behavior.functions["viewer-request"]))
        found = await self._from_cache(exchange, viewer)
        origin_status = found.status
        response = _conditional(viewer, found)
        if response is not found:
            exchange.step("conditions", f"{response.status}")
        policy = behavior.response_headers_policy
        if policy is not None:
            response = apply_headers_policy(policy, response)
            exchange.step("response headers policy", f"{policy.name}: {len(policy.headers)} headers")
        if origin_status < 400:
            response = await self._functions.on_response(exchange, "viewer-response", viewer, response)
        elif "viewer-response" in behavior.functions:
            exchange.step("viewer-response", f"does not run, since the status is {origin_status}")
        return response

    # --- cache and origin -----------------------------------------------------------------------------------------

    async def _from_cache(self, exchange: Exchange, request: Request) -> Response:
        behavior, policy = exchange.behavior, exchange.behavior.cache_policy
        encodings = accepted_encodings(policy, request.get("accept-encoding"))
        cacheable = request.method in behavior.cached_methods and policy.max_ttl > 0
        key: Key = (exchange.distribution.id, behavior.pattern, request.uri, (*cache_key(policy, request), encodings))
        found = self._cache.get(key) if cacheable else None
        if found is not None and found.condition == "fresh":
            exchange.step("cache", f"hit, {found.age} s old ({policy.name})")
            return _aged(found, "Hit")
        if found is not None and found.condition == "revalidate":
            exchange.step("cache", f"stale, {found.age} s old, asked for again meanwhile ({policy.name})")
            self._revalidate(exchange, key, request, encodings)
            return _aged(found, "Stale")
        exchange.step("cache", f"miss ({policy.name})" if cacheable else f"not cached ({policy.name})")
        response = await self._ask_target(exchange, behavior.target, forwarded(policy, request))
        if found is not None and found.on_error and response.status >= 500:
            exchange.step("cache", f"stale, {found.age} s old, in place of {response.status}")
            self._cache.keep_for(key, error_ttl(exchange.distribution, response.status))
            return _aged(found, "Stale")
        response = await self._answered(exchange, request, response)
        compressed = self._stored(exchange, key, response, encodings, cacheable=cacheable and request.method == "GET")
        refreshed = found is not None and found.response.get("etag") == compressed.get("etag") and compressed.status < 400
        return with_cache_mark(compressed, "Error" if compressed.status >= 400 else "RefreshHit" if refreshed else "Miss")

    def _stored(self, exchange: Exchange, key: Key, response: Response, encodings: tuple[str, ...], *, cacheable: bool) -> Response:
        """Compressed, and kept as long as it says."""
        compressed = compress(exchange.behavior, encodings, response)
        if compressed is not response:
            exchange.step("compression", f"{compressed.get('content-encoding')}: {len(response.body):,} to {len(compressed.body):,} bytes")
        life = lifetime(exchange.behavior.cache_policy, exchange.distribution, compressed)
        if cacheable and life.fresh > 0 and compressed.status in _STORED:
            self._cache.put(key, compressed, life)
            exchange.step("cache", f"stored for {life.fresh:,.0f} s")
        return compressed

    def _revalidate(self, exchange: Exchange, key: Key, request: Request, encodings: tuple[str, ...]) -> None:
        """Ask the origin behind the visitor's back, once at a time; an error changes nothing."""
        if key in self._revalidating:
            return

        async def ask() -> None:
            behind = Exchange(exchange.distribution, exchange.behavior, self._request_id())
            try:
                policy = exchange.behavior.cache_policy
                response = await self._ask_target(behind, exchange.behavior.target, forwarded(policy, request))
                if response.status < 500:
                    self._stored(behind, key, await self._answered(behind, request, response), encodings, cacheable=True)
            except FunctionError:
                pass
            finally:
                self._revalidating.pop(key, None)

        self._revalidating[key] = asyncio.create_task(ask())

    async def _answered(self, exchange: Exchange, request: Request, response: Response) -> Response:
        """The origin's response, or the page that the distribution has for its status."""
        distribution = exchange.distribution
        custom = distribution.error_responses.get(response.status)
        if custom is None or not custom.page_path:
            return response
        page = await self._error_page(exchange, request, custom.page_path)
        status = custom.response_code or response.status
        if page.status >= 400:
            exchange.step("custom error response", f"{custom.page_path} itself answers {page.status}")
            return page
        exchange.step("custom error response", f"{response.status} becomes {status} with {custom.page_path}")
        return replace(page, status=status)

    async def _error_page(self, exchange: Exchange, request: Request, path: str) -> Response:
        """From the cache if it is there, however old: nothing else survives an origin that is gone. Uncompressed, the error will be."""
        distribution = exchange.distribution
        behavior = next(b for b in distribution.behaviors if b.default or matches(b.pattern, path))
        asked = forwarded(behavior.cache_policy, replace(request, method="GET", uri=path, query="", headers=()))
        key: Key = (distribution.id, behavior.pattern, path, (*cache_key(behavior.cache_policy, asked), ()))
        found = self._cache.get(key)
        if found is not None and found.condition != "expired":
            return found.response
        page = await self._ask_target(exchange, behavior.target, asked)
        if page.status >= 500 and found is not None:
            return found.response
        life = lifetime(behavior.cache_policy, distribution, page)
        if page.status == 200 and life.fresh > 0:
            self._cache.put(key, page, life)
        return page

    async def _ask_target(self, exchange: Exchange, target: str, request: Request) -> Response:
        group = exchange.distribution.groups.get(target)
        if group is None:
            return await self._ask_origin(exchange, target, request)
        response = await self._ask_origin(exchange, group.members[0], request)
        if response.status in group.codes and request.method in ("GET", "HEAD", "OPTIONS"):
            exchange.step("origin group", f"{group.members[0]} answered {response.status}, so {group.members[1]} is asked")
            response = await self._ask_origin(exchange, group.members[1], request)
        return response

    async def _ask_origin(self, exchange: Exchange, origin_id: str, request: Request) -> Response:
        origin = exchange.distribution.origins.get(origin_id)
        if origin is None or origin.bucket is None:
            text = f"origin {origin_id} is no bucket of these templates"
            exchange.step("origin", text)
            return error_response(502, text, "", "Error")
        asked = replace(request, headers=origin_headers(origin, request))
        described = origin_event(origin)
        asked_or_made = await self._functions.on_request(exchange, "origin-request", asked, described)
        if isinstance(asked_or_made, Response):
            return asked_or_made
        try:
            faults = NO_FAULTS if spared(self._weather, exchange.distribution.groups.values(), origin) else self._weather
            status, trouble = await failure(origin, faults, self._elapsed, self._sleep)
            if trouble:
                exchange.step("origin", f"{origin_id}: {trouble}")
                return error_response(status, f"The bucket is out of order: {trouble}.", "", "Error")
            response, why = await s3.answer(origin, origin.bucket, self._content, asked_or_made, exchange.distribution.arn)
        except Unreachable as error:
            response, why = error_response(502, f"The bucket cannot be reached: {error}", "", "Error"), f"cannot be reached: {error}"
        exchange.step("origin", f"{origin_id}: {response.status}, {why}")
        return await self._functions.on_response(exchange, "origin-response", asked_or_made, response, described)


def _aged(found: Found, mark: str) -> Response:
    response = found.response
    return with_cache_mark(replace(response, headers=(*response.headers, ("Age", str(found.age)))), mark)


def _conditional(request: Request, response: Response) -> Response:
    if s3.not_modified(request, response):
        return replace(response, status=304, reason="", headers=without(response.headers, ("content-type", "content-encoding")), body=b"")
    return s3.ranged(request, response)

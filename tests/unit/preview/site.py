"""Sites for the tests of the preview: an environment of the repository, its templates edited like by hand, requests through it."""

from __future__ import annotations

import asyncio
import atexit
import base64
import json
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from files.types import content_type
from operations import credential
from preview.cloudfront.cache import Cache
from preview.cloudfront.exchange import Outcome
from preview.cloudfront.pipeline import CloudFront
from preview.content import Object
from preview.interpreter.site import interpret
from preview.messages import Headers, Request, Response
from preview.model import Site
from preview.node import Node
from preview.origin_faults import NO_FAULTS, OriginFaults
from preview.source import Built
from stacks.synthesis import synthesise
from templates.policies import Statement
from tests.environments_fixture import changed, environments
from website.content import cache_control

T = TypeVar("T")

USER, PASSWORD = "admin", "correct horse battery staple"
HOSTS = {"dev": "dev.kimmyai.io", "sit": "sit.kimmyai.io", "prod": "kimmyai.io"}
MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Edit = Callable[[dict[str, Any]], None]
"""Changes a template in place."""


@lru_cache(maxsize=8)
def _synthesised(name: str, changes: str) -> Any:
    return synthesise(changed(environments()[name], json.loads(changes)))


@lru_cache(maxsize=1)
def _hash() -> str:
    return credential.hash_password(PASSWORD, b"0123456789abcdef")


def built(name: str, changes: Mapping[str, Any] | None = None, **edits: Edit) -> Built:
    """An environment as built, with edits of templates by stack id ("edge_logs" for edge-logs)."""
    synthesis = _synthesised(name, json.dumps(changes or {}))
    templates = {stack: json.loads(data) for stack, data in synthesis.templates.items()}
    for stack, edit in edits.items():
        edit(templates[stack.replace("_", "-")])
    return Built(synthesis.assembly, templates, ())


def site(name: str, changes: Mapping[str, Any] | None = None, **edits: Edit) -> Site:
    """The site that the preview would serve."""
    found = built(name, changes, **edits)
    secret = found.assembly.basic_auth_secret
    return interpret(found, {(secret.secret, "password_hash"): _hash()} if secret else {})


def distribution(edit: Callable[[dict[str, Any]], None]) -> Edit:
    """An edit of the DistributionConfig."""
    return lambda template: edit(template["Resources"]["Distribution"]["Properties"]["DistributionConfig"])


def lambda_code(code: str, **properties: Any) -> Edit:
    """Other code for the Lambda@Edge function."""

    def edit(template: dict[str, Any]) -> None:
        function = template["Resources"]["Function"]["Properties"]
        function["Code"] = {"ZipFile": code}
        function.update(properties)

    return edit


def function_code(code: str) -> Edit:
    """Other code for the CloudFront Function."""

    def edit(template: dict[str, Any]) -> None:
        template["Resources"]["RoutingFunction"]["Properties"]["FunctionCode"] = code

    return edit


@dataclass
class Files:
    """Content in memory, with the headers that publish would give it."""

    files: dict[str, bytes]
    asked: list[tuple[str, str]] = field(default_factory=list)
    denied: dict[str, tuple[Statement, ...]] = field(default_factory=dict)
    """Statements of live policies by bucket."""

    async def get(self, bucket: str, key: str) -> Object | None:
        self.asked.append((bucket, key))
        body = self.files.get(key)
        if body is None:
            return None
        rules = _synthesised("prod", "{}").assembly.contract.cache_rules
        return Object(
            body=body,
            content_type=content_type(key),
            cache_control=cache_control(key, rules),
            etag=f"{len(body):032x}",
            modified=MODIFIED,
        )

    async def keys(self, bucket: str) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    async def denials(self, bucket: str) -> tuple[Statement, ...]:
        return self.denied.get(bucket, ())


def files() -> Files:
    """A small site."""
    return Files(
        {
            "index.html": b"<!doctype html><title>app</title>" + b" " * 2000,
            "assets/app-1a2b3c4d.js": b"export default 1;\n" * 200,
            "assets/photo.jpg": b"\xff\xd8" + b"x" * 5000,
            "robots.txt": b"User-agent: *\n",
            "404.html": b"<!doctype html><title>not found</title>" + b" " * 1000,
            "error.html": b"<!doctype html><title>error</title>" + b" " * 1000,
        }
    )


def get(path: str, host: str = "", *, method: str = "GET", headers: Headers = (), password: str | None = None) -> Request:
    """A viewer's request; `password` makes it one with credentials."""
    uri, _, query = path.partition("?")
    given: Headers = (("Host", host or "localhost"), *headers)
    if password is not None:
        given = (*given, ("Authorization", "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()))
    return Request(method=method, uri=uri, query=query, headers=given, client_ip="127.0.0.1")


@dataclass
class Asked:
    """Outcomes of requests, and what the functions printed."""

    outcomes: list[Outcome]
    printed: list[str]

    @property
    def responses(self) -> list[Response]:
        return [outcome.response for outcome in self.outcomes]


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Loop:
    """One event loop and one Node for all tests of a process, so that each test does not pay for its start."""

    def __init__(self) -> None:
        self.printed: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.node = Node(lambda name, line: self.printed.append(f"{name}: {line}"))
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(180)

    def close(self) -> None:
        self.run(self.node.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(180)
        self.loop.close()


@lru_cache(maxsize=1)
def loop() -> _Loop:
    """The loop of this process."""
    return _Loop()


def ask(
    what: Site, *requests: Request | float, content: Files | None = None, https: bool = True, faults: OriginFaults = NO_FAULTS
) -> Asked:
    """The outcomes of requests one after the other; a number lets that many seconds pass, and what takes its time as many."""
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    cloudfront = CloudFront(
        what, content or files(), loop().node, Cache(clock), lambda: "request-1", faults=faults, elapsed=clock, sleep=sleep
    )
    loop().printed.clear()
    found = []
    for request in requests:
        if isinstance(request, (int, float)):
            clock.now += request
        else:
            found.append(loop().run(cloudfront.handle(request, https=https)))
            loop().run(cloudfront.revalidated())
    return Asked(found, list(loop().printed))


def at_once(what: Site, *requests: Request) -> list[int]:
    """The statuses of requests that come at the same time."""
    cloudfront = CloudFront(what, files(), loop().node, Cache(Clock()), lambda: "request-1")

    async def run() -> list[Outcome]:
        return await asyncio.gather(*(cloudfront.handle(request, https=True) for request in requests))

    return [outcome.response.status for outcome in loop().run(run())]


def one(what: Site, request: Request, **options: Any) -> Outcome:
    """The outcome of one request."""
    return ask(what, request, **options).outcomes[0]

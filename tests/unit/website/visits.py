"""A live site in memory, as `verify` asks it: every answer can be spoilt."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from assembly.model import CacheRule, SiteContract
from tests.unit.website.test_content import CONTRACT
from verification.model import Target
from verification.probe import Answer, Probe
from verification.registry import registered
from verification.verify import made

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PASSWORD = "correct horse"
HSTS = "max-age=63072000"
IMMUTABLE, REVALIDATED = "public, max-age=31536000, immutable", "no-cache"
SCRIPT = b"export default 'a script that is long enough to be compressed';" * 40
PAGE = (
    b'<!doctype html><script type="module" src="/buy/assets/app-1a2b.js"></script>'
    b'<link rel="stylesheet" href="/buy/assets/app-1a2b.css"><img src="/buy/logo.png">'
)
FILES = {
    "/buy": ("text/html; charset=utf-8", PAGE, REVALIDATED),
    "/buy/assets/app-1a2b.js": ("text/javascript; charset=utf-8", SCRIPT, IMMUTABLE),
    "/buy/assets/app-1a2b.css": ("text/css; charset=utf-8", b"a{}", IMMUTABLE),
    "/buy/logo.png": ("image/png", b"\x89PNG" * 400, REVALIDATED),
    "/buy/config.json": ("application/json", b'{"api":"here"}\n', REVALIDATED),
}
SITE_CONTRACT: SiteContract = msgspec.structs.replace(
    CONTRACT,
    index_document="/buy/index.html",
    basic_auth=True,
    basic_auth_realm="dev",
    response_headers={"strict-transport-security": HSTS, "x-content-type-options": "nosniff"},
    certificate_names=("dev.example.com", "example.com"),
    cache_rules=(
        CacheRule(pattern="*/assets/*", cache_control=IMMUTABLE),
        CacheRule(pattern="*", cache_control=REVALIDATED),
    ),
    config_json={"api": "here"},
)
TARGET = Target(contract=SITE_CONTRACT, username="ann", password=PASSWORD, distribution_domain="d1.cloudfront.net")

Spoil = Callable[[str, Answer], Answer]
"""Path and the answer as it should be, to the one that is given."""


def unspoilt(path: str, answer: Answer) -> Answer:
    return answer


@dataclass
class Visit(Probe):
    """A probe whose questions are answered from memory."""

    target: Target = TARGET
    spoil: Spoil = unspoilt
    records: dict[tuple[str, str], list[tuple[str, ...]]] = field(default_factory=dict)
    """Name and kind to the answers, one after another; the last one stays."""
    names: Iterable[str] = ("dev.example.com", "example.com")
    until: str = "Feb 25 12:00:00 2027 GMT"
    versions: Mapping[str, type[Exception] | None] = field(default_factory=dict)
    """TLS version to what a handshake with it raises."""
    asked: list[tuple[str, tuple[str, str] | None]] = field(default_factory=list)
    https: str = '1 . alpn="h3,h2"'
    shown: int = 0
    """Of the page."""

    def __post_init__(self) -> None:
        super().__init__(self.target, lambda: NOW)
        self.__dict__["certificate"] = {
            "issuer": ((("countryName", "US"),), (("organizationName", "Amazon"),)),
            "subjectAltName": (*(("DNS", name) for name in self.names), ("IP Address", "127.0.0.1")),
            "notAfter": self.until,
        }
        visit = self

        class Resolver:
            def resolve(self, name: str, kind: Any, lifetime: float) -> list[str]:
                return [visit.https]

        self.__dict__["resolver"] = Resolver()

    def _send(self, url: str, headers: Mapping[str, str], credentials: tuple[str, str] | None) -> Answer:
        asked = httpx.URL(url)
        self.asked.append((url, credentials))
        return self.spoil(asked.raw_path.decode().partition("?")[0], self._answer(asked, headers.get("accept-encoding", ""), credentials))

    def _answer(self, url: httpx.URL, encoding: str, credentials: tuple[str, str] | None) -> Answer:
        always = {
            **self.contract.response_headers,
            "via": "1.1 abc.cloudfront.net (CloudFront)",
            "x-amz-cf-id": "x",
            "alt-svc": 'h3=":443"',
        }
        if url.scheme == "http":
            return answer(301, {"location": f"https://{self.contract.domain}{url.raw_path.decode()}"})
        if url.path == self.contract.health_path:
            return answer(200, always)
        if self.contract.basic_auth and credentials != (self.target.username, PASSWORD):
            return answer(401, {**always, "www-authenticate": f'Basic realm="{self.contract.basic_auth_realm}"'})
        if url.path == "/" and self.contract.entry_path != "/":
            return answer(302, {**always, "location": self.contract.entry_path})
        if url.path == "/old/verify":
            return answer(301, {**always, "location": "/buy/verify"})
        if url.path == "/robots.txt":
            return answer(200, {**always, "content-type": "text/plain"}, b"User-agent: *\nDisallow: /\n")
        there = FILES.get(url.path)
        if there is None and "." in url.path.rpartition("/")[2]:
            return answer(404, {**always, "content-type": "application/xml"}, b"<Error/>")
        kind, body, cache = there or FILES["/buy"]
        compressed = {"content-encoding": "br"} if "br" in encoding and len(body) > 1000 else {}
        if url.path == "/buy":
            compressed |= {"x-cache": "Hit from cloudfront" if self.shown else "Miss from cloudfront", "age": str(self.shown)}
            self.shown += 1
        return answer(200, {**always, "content-type": kind, "cache-control": cache, **compressed}, body)

    def get_host(self, host: str, path: str) -> Answer:
        return self.spoil(host, answer(301, {"location": f"https://{self.contract.domain}{path}"}))

    def get_elsewhere(self, url: str) -> Answer:
        return self.spoil(url, answer(403, {"content-type": "application/xml"}))

    def addresses(self, name: str, kind: str) -> tuple[str, ...]:
        same = {"A": ("192.0.2.10", "192.0.2.20"), "AAAA": ("2001:db8::1", "2001:db8::2")}
        told = self.records.get((name, kind), [same[kind]])
        return told.pop(0) if len(told) > 1 else told[0]

    def handshake(self, context: ssl.SSLContext) -> Any:
        low = {"TLSv1": "TLS 1.0", "TLSv1_1": "TLS 1.1", "TLSv1_2": "TLS 1.2", "TLSv1_3": "TLS 1.3"}[context.minimum_version.name]
        assert context.minimum_version == context.maximum_version and not context.check_hostname
        refused = ssl.SSLError("tlsv1 alert protocol version")
        trouble = self.versions.get(low, type(refused) if low in ("TLS 1.0", "TLS 1.1") else None)
        if trouble is not None:
            raise trouble("tlsv1 alert protocol version")
        return httpx.Client()


def answer(status: int, headers: Mapping[str, str], body: bytes = b"", version: str = "HTTP/2") -> Answer:
    return Answer(status, httpx.Headers(dict(headers)), body, version)


def spoilt(path: str, status: int = 0, body: bytes | None = None, version: str = "", **headers: str | None) -> Spoil:
    """The answer of one path ("*": of each) with another status, body, version or headers (`_` for `-`; None: without it)."""

    def spoil(asked: str, found: Answer) -> Answer:
        if path not in ("*", asked):
            return found
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in found.headers.items() if name not in names}
        made = {**kept, **{name: value for name, value in names.items() if value is not None}}
        return Answer(status or found.status, httpx.Headers(made), found.body if body is None else body, version or found.version)

    return spoil


def look(check: str, **how: Any) -> tuple[str, str]:
    """Status and detail of one check; `contract` has changes of the contract, `target` of the target."""
    contract = msgspec.structs.replace(SITE_CONTRACT, **how.pop("contract", {}))
    target = replace(TARGET, contract=contract, **how.pop("target", {}))
    [found] = [each for each in registered() if each.id == check]
    result = made(found, Visit(target=target, **how))
    assert result is not None
    return result.status, result.detail

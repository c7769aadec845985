"""Requests to the site, its certificate and its names, each answer kept for the checks that need it.

In: a `Target`. Out: answers; `Skipped` for what cannot be asked from here, `Failed` for what makes every look at it useless.
Never: goes to AWS, sends the password anywhere but to the site over TLS (or to a preview on loopback).
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

import dns.exception
import dns.rdatatype
import dns.resolver
import httpx

from files.types import content_type
from guards.slow_answers import MOST_OF_HEAD, Pace
from pages.findings import Finding
from pages.judge import judge
from pages.judged import Judged
from pages.model import Page, Served, SiteContext, addresses
from verification.browser import PageErrors, look
from verification.model import NOT_ASKED, Failed, Skipped, Target
from verification.steady import held
from website.content import cache_control, key_prefix

BODY_LIMIT = 32 << 20
ASSETS = 40
"""Assets of the page that are loaded."""

LOOKED_AT = 150
"""Files that are asked for to judge the page: what lies beyond is taken to be there."""

PATH_SAFE = "/!$&'()*+,;=:@~"
"""What stands in a path as it is (RFC 3986, pchar)."""

SILENCES = 3
"""Requests in a row that a host does not answer in time; then it is asked no more, by none of the checks."""

ATTEMPTS = 3
"""For what the edge does at its leisure, such as compression."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes
    version: str
    first_byte: float = 0.0
    """Seconds from the request to the head of the answer."""

    @property
    def is_html(self) -> bool:
        return str(self.headers.get("content-type", "")).startswith("text/html")


class Probe:
    """What checks may ask; every answer is kept."""

    def __init__(self, target: Target, now: Callable[[], datetime]) -> None:
        self.target = target
        self.contract = target.contract
        self.now = now
        self._answers: dict[tuple[object, ...], Answer] = {}
        self._looked: set[str] = set()
        self._pace = Pace(target.timeout)
        self._silences: Counter[str] = Counter()

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        if "_site" in self.__dict__:
            self._site.close()

    # --- HTTP -----------------------------------------------------------------------------------------------------

    def get(self, path: str, *, credentials: bool | tuple[str, str] = True, encoding: str = "gzip", again: int = 0) -> Answer:
        """GET from the site over HTTPS. `credentials`: the right ones, none, or these."""
        key = (path, credentials, encoding, again)
        if key not in self._answers:
            headers = {"accept-encoding": encoding}
            endpoint = self.target.endpoint
            scheme, authority = "https", self.contract.domain
            if endpoint is not None:
                scheme, authority = ("https" if endpoint.tls else "http"), f"{_bracketed(endpoint.host)}:{endpoint.port}"
            self._answers[key] = self._send(f"{scheme}://{authority}{path}", headers, self._credentials(credentials))
        return self._answers[key]

    def get_host(self, host: str, path: str) -> Answer:
        """GET from another name of the site over HTTPS, without credentials."""
        endpoint = self.target.endpoint
        if endpoint is None:
            return self.get_elsewhere(f"https://{host}{path}")
        url = f"{'https' if endpoint.tls else 'http'}://{_bracketed(endpoint.host)}:{endpoint.port}{path}"
        with self._client(trust_env=False) as client:
            return self._read(client, url, {"host": host}, None, {"sni_hostname": host})

    def get_plain(self, path: str) -> Answer:
        """GET from the site over plain HTTP."""
        endpoint = self.target.plain_endpoint
        if self.target.endpoint is None:
            return self._send(f"http://{self.contract.domain}{path}", {}, None)
        if endpoint is not None:
            return self._send(f"http://{_bracketed(endpoint.host)}:{endpoint.port}{path}", {}, None)
        if not self.target.endpoint.tls:
            authority = f"{_bracketed(self.target.endpoint.host)}:{self.target.endpoint.port}"
            return self._send(f"http://{authority}{path}", {"x-forwarded-proto": "http"}, None)
        raise Skipped("--resolve names no plain HTTP port (--resolve-http HOST:PORT)")

    def get_elsewhere(self, url: str) -> Answer:
        """GET from another host, without credentials."""
        with self._client(trust_env=True) as client:
            return self._read(client, url, {}, None, {})

    def unasked(self, what: str) -> Skipped:
        """For what only AWS knows, and AWS was not asked. A preview cannot be asked."""
        return Skipped(f"{what} is not known here", give="" if self.target.preview else NOT_ASKED)

    def _credentials(self, wanted: bool | tuple[str, str]) -> tuple[str, str] | None:
        if isinstance(wanted, tuple):
            return wanted
        if not wanted or not self.contract.basic_auth:
            return None
        if not self.target.password:
            raise Skipped("needs the Basic Auth password", give="the password: --password-file FILE, or BASIC_AUTH_PASSWORD")
        endpoint = self.target.endpoint
        if endpoint is not None and not endpoint.tls and not _loopback(endpoint.host):
            raise Skipped(f"the password is not sent to {endpoint.host} without TLS")
        return (self.target.username, self.target.password)

    def _send(self, url: str, headers: Mapping[str, str], credentials: tuple[str, str] | None) -> Answer:
        extra = {"host": self.contract.domain}
        return self._read(self._site, url, {**headers, **extra}, credentials, {"sni_hostname": self.contract.domain})

    @cached_property
    def _site(self) -> httpx.Client:
        # A proxy would answer for the endpoint that was asked for.
        return self._client(trust_env=self.target.endpoint is None)

    def _client(self, *, trust_env: bool) -> httpx.Client:
        try:
            made = httpx.Client(verify=self._context(), http2=True, timeout=self.target.timeout, trust_env=trust_env)
        except ImportError:
            raise Failed("a SOCKS proxy is not supported: unset ALL_PROXY, or set HTTP_PROXY and HTTPS_PROXY to an HTTP proxy") from None
        return held(made, lambda: self._pace)

    def _read(
        self, client: httpx.Client, url: str, headers: Mapping[str, str], credentials: tuple[str, str] | None, extensions: Mapping[str, str]
    ) -> Answer:
        host = httpx.URL(url).host
        if self._silences[host] >= SILENCES:
            raise Failed(f"{host} has not answered in time, {SILENCES} times in a row, and is asked no more")
        try:
            answer = self._asked(client, url, headers, httpx.BasicAuth(*credentials) if credentials else None, extensions)
        except httpx.TimeoutException:
            self._silences[host] += 1
            raise
        self._silences[host] = 0
        return answer

    def _asked(
        self, client: httpx.Client, url: str, headers: Mapping[str, str], auth: httpx.BasicAuth | None, extensions: Mapping[str, str]
    ) -> Answer:
        body, begun, timeout = bytearray(), self.now(), self.target.timeout
        # The time-out once for the head, and once for the body.
        self._pace = Pace(timeout, more=timeout, most=BODY_LIMIT + MOST_OF_HEAD)
        with client.stream("GET", url, headers=dict(headers), auth=auth, extensions=dict(extensions), follow_redirects=False) as answer:
            first_byte = (self.now() - begun).total_seconds()
            for block in answer.iter_bytes():
                body += block
                if len(body) > BODY_LIMIT:
                    raise Failed(f"{url} answers with more than {BODY_LIMIT:,} bytes")
            return Answer(answer.status_code, answer.headers, bytes(body), answer.http_version, first_byte)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.target.ca_file)

    # --- what several checks look at ------------------------------------------------------------------------------

    @property
    def entry(self) -> Answer:
        return self.get(self.contract.entry_path)

    @cached_property
    def prefix(self) -> str:
        return "/" + key_prefix(self.contract)

    @cached_property
    def asset_paths(self) -> tuple[str, ...]:
        if self.entry.status != 200 or not self.entry.is_html:
            raise Failed(f"{self.contract.entry_path} answers {seen(self.entry)}, so its assets are not known")
        found = (self.around.local(url) for _, url in Judged(self.page, self.around).loaded)
        paths = tuple(dict.fromkeys(quote(path, safe=PATH_SAFE) for path in found if path is not None and not path.endswith("/")))
        if not paths:
            raise Failed(f"{self.contract.entry_path} loads nothing: is this the app?")
        return paths[:ASSETS]

    @cached_property
    def page(self) -> Page:
        """What the entry path answers, as it is seen there and at deep links; named as publish names it, so that allowances fit."""
        entry = self.contract.entry_path
        name = self.contract.index_document.rsplit("/", 1)[-1]
        return Page(name=name, text=self.entry.body.decode("utf-8", "replace"), paths=addresses(entry))

    @cached_property
    def around(self) -> SiteContext:
        """The site around the page, asked file by file."""
        return SiteContext(
            origin=f"https://{self.contract.domain}",
            headers={name.lower(): value for name, value in self.entry.headers.items()},
            basic_auth=self.contract.basic_auth,
            indexed="noindex" not in self.entry.headers.get("x-robots-tag", ""),
            find=self._find,
            configured=self.contract.config_json or {},
            entry_path=self.contract.entry_path,
        )

    def _find(self, path: str) -> Served | None:
        """Another answer than 200 is nothing; nor is the page itself, which any route of the app answers."""
        if path not in self._looked and len(self._looked) >= LOOKED_AT:
            return Served(name=path, content_type=content_type(path), cache_control="", body=lambda: b"")
        self._looked.add(path)
        answer = self.get(quote(path, safe=PATH_SAFE))
        if answer.status != 200 or (answer.is_html and answer.body == self.entry.body):
            return None
        headers = answer.headers
        kind, cache = headers.get("content-type", ""), headers.get("cache-control", "")
        return Served(name=path.removeprefix(self.prefix), content_type=kind, cache_control=cache, body=lambda: answer.body)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is to be said about the page."""
        if self.entry.status != 200 or not self.entry.is_html:
            raise Failed(f"{self.contract.entry_path} answers {seen(self.entry)}, so its page is not known")
        return judge(self.page, self.around)

    @cached_property
    def visits(self) -> tuple[PageErrors, ...]:
        """What Chromium saw at every address of the page. Raises `Skipped` without TLS, or, as the page does, without its password."""
        self.address()
        return look(self.target, self.page.paths)

    @cached_property
    def immutable_paths(self) -> tuple[str, ...]:
        rules = self.contract.cache_rules
        return tuple(path for path in self.asset_paths if "immutable" in cache_control(path.lstrip("/"), rules))

    # --- TLS ------------------------------------------------------------------------------------------------------

    def address(self) -> tuple[str, int]:
        endpoint = self.target.endpoint
        if endpoint is None:
            return self.contract.domain, 443
        if not endpoint.tls:
            raise Skipped("the preview speaks plain HTTP (preview --https speaks TLS)")
        return endpoint.host, endpoint.port

    def handshake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        with socket.create_connection(self.address(), self.target.timeout) as plain:
            return context.wrap_socket(plain, server_hostname=self.contract.domain)

    @cached_property
    def certificate(self) -> Mapping[str, object]:
        with self.handshake(self._context()) as connection:
            found: Mapping[str, object] = dict(connection.getpeercert() or {})
            return found

    # --- DNS ------------------------------------------------------------------------------------------------------

    @cached_property
    def resolver(self) -> dns.resolver.Resolver:
        if not self.target.nameservers:
            return dns.resolver.Resolver()
        made = dns.resolver.Resolver(configure=False)
        made.nameservers = [host for host, _ in self.target.nameservers]
        made.nameserver_ports = dict(self.target.nameservers)
        return made

    def addresses(self, name: str, kind: str) -> tuple[str, ...]:
        answer = self.resolver.resolve(name, kind, lifetime=self.target.timeout)
        return tuple(sorted(str(record) for record in answer))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def seen(answer: Answer) -> str:
    """An answer in words."""
    kind = answer.headers.get("content-type", "no content type")
    return f"{answer.status} ({kind})"

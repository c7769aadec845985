"""Does the live site do what the environment's contract says? Asked from outside, the way a visitor's browser asks.

In: a `Target` (the contract, where to connect, a password if there is one).
Out: one `Result` a promise: kept, broken, or not looked at, and what was seen.
Never: changes anything at the site, goes to AWS, sends the password anywhere but to the site over TLS (or to a preview on loopback),
raises for what a site or a network does wrong: that is a result.

A check that cannot be made (no password, a preview without DNS) is skipped and says why; it never passes.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal
from urllib.parse import urljoin, urlsplit

import dns.exception
import dns.rdatatype
import dns.resolver
import httpx

from assembly.files import canonical_json, sha256
from assembly.model import Frozen, SiteContract
from guards import documents
from website.content import CONFIG_FILE, cache_control, content_type, key_prefix, references

CERTIFICATE_DAYS = 30
"""Fewer days left than this mean that renewal is stuck: ACM renews 45 to 60 days before the end (ACM User Guide, managed renewal)."""

COMPRESSED_FROM = 1000
"""Bytes from which CloudFront compresses (CloudFront Developer Guide, serving compressed files)."""

COMPRESSED_TYPES = ("text/", "application/json", "application/manifest+json", "image/svg+xml", "application/wasm")
BODY_LIMIT = 32 << 20
ASSETS = 40
"""Assets of the page that are loaded."""

ATTEMPTS = 3
"""For what the edge does at its leisure, such as compression."""

Status = Literal["passed", "failed", "skipped"]


class Result(Frozen, frozen=True, kw_only=True):
    """One promise of the contract and what became of it."""

    id: str
    title: str
    status: Status
    detail: str
    """What was seen; for a failure also what was wanted."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where to connect instead of asking DNS."""

    host: str
    port: int
    tls: bool = True
    """False: a preview that speaks plain HTTP in place of HTTPS."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What to look at, and how."""

    contract: SiteContract
    username: str = ""
    password: str = field(default="", repr=False)
    """Empty: checks that need it are skipped."""
    distribution_domain: str = ""
    """CloudFront's own name of the distribution; empty: not known here."""
    bucket_url: str = ""
    """URL of the bucket itself, which must not answer; empty: not known here."""
    index_sha256: str = ""
    """Of the released index document; empty: not known here."""
    endpoint: Endpoint | None = None
    plain_endpoint: Endpoint | None = None
    """For the redirect from http, together with `endpoint`."""
    preview: bool = False
    """`endpoint` is a preview, which speaks no HTTP/3."""
    ca_file: str = ""
    nameservers: tuple[tuple[str, int], ...] = ()
    """Empty: those of this machine."""
    timeout: float = 15.0
    """Seconds for each request."""


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes
    version: str

    @property
    def is_html(self) -> bool:
        return str(self.headers.get("content-type", "")).startswith("text/html")


class _Fail(Exception):
    """The promise is broken."""


class _Skip(Exception):
    """It cannot be looked at from here."""


Check = Callable[["_Probe"], str]
_CHECKS: list[tuple[str, str, Check]] = []


def _check(identity: str, title: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        _CHECKS.append((identity, title, check))
        return check

    return register


def verify(target: Target, *, now: Callable[[], datetime], report: Callable[[Result], None] = lambda _: None) -> tuple[Result, ...]:
    """Make every check, in the order of the table."""
    results = []
    with _Probe(target, now) as probe:
        for identity, title, check in _CHECKS:
            result = _made(identity, title, check, probe)
            results.append(result)
            report(result)
    return tuple(results)


def checks() -> tuple[tuple[str, str], ...]:
    """Id and title of every check."""
    return tuple((identity, title) for identity, title, _ in _CHECKS)


def _made(identity: str, title: str, check: Check, probe: _Probe) -> Result:
    try:
        return Result(id=identity, title=title, status="passed", detail=check(probe))
    except _Skip as reason:
        return Result(id=identity, title=title, status="skipped", detail=str(reason))
    except _Fail as reason:
        return Result(id=identity, title=title, status="failed", detail=str(reason))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, dns.exception.DNSException, UnicodeError) as error:
        return Result(id=identity, title=title, status="failed", detail=_words(error))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class _Probe:
    """Requests to the site, each answer kept."""

    def __init__(self, target: Target, now: Callable[[], datetime]) -> None:
        self.target = target
        self.contract = target.contract
        self.now = now
        self._answers: dict[tuple[object, ...], _Answer] = {}
        self._clients: dict[bool, httpx.Client] = {}

    def __enter__(self) -> _Probe:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    # --- HTTP -----------------------------------------------------------------------------------------------------

    def get(self, path: str, *, credentials: bool | tuple[str, str] = True, encoding: str = "gzip", again: int = 0) -> _Answer:
        """GET from the site over HTTPS. `credentials`: the right ones, none, or these."""
        key = (path, credentials, encoding, again)
        if key not in self._answers:
            headers = {"accept-encoding": encoding}
            endpoint = self.target.endpoint
            scheme, authority = "https", self.contract.domain
            if endpoint is not None:
                scheme, authority = ("https" if endpoint.tls else "http"), f"{_bracketed(endpoint.host)}:{endpoint.port}"
            self._answers[key] = self._send(f"{scheme}://{authority}{path}", headers, self._credentials(credentials), http2=True)
        return self._answers[key]

    def get_plain(self, path: str) -> _Answer:
        """GET from the site over plain HTTP."""
        endpoint = self.target.plain_endpoint
        if self.target.endpoint is None:
            return self._send(f"http://{self.contract.domain}{path}", {}, None, http2=False)
        if endpoint is not None:
            return self._send(f"http://{_bracketed(endpoint.host)}:{endpoint.port}{path}", {}, None, http2=False)
        if not self.target.endpoint.tls:
            authority = f"{_bracketed(self.target.endpoint.host)}:{self.target.endpoint.port}"
            return self._send(f"http://{authority}{path}", {"x-forwarded-proto": "http"}, None, http2=False)
        raise _Skip("--resolve names no plain HTTP port (--resolve-http HOST:PORT)")

    def get_elsewhere(self, url: str) -> _Answer:
        """GET from another host, without credentials."""
        with httpx.Client(verify=self._context(), timeout=self.target.timeout, trust_env=True) as client:
            return self._read(client, url, {}, None, {})

    def _credentials(self, wanted: bool | tuple[str, str]) -> tuple[str, str] | None:
        if isinstance(wanted, tuple):
            return wanted
        if not wanted or not self.contract.basic_auth:
            return None
        if not self.target.password:
            raise _Skip("needs the Basic Auth password (--password-file, or BASIC_AUTH_PASSWORD)")
        endpoint = self.target.endpoint
        if endpoint is not None and not endpoint.tls and not _loopback(endpoint.host):
            raise _Skip(f"the password is not sent to {endpoint.host} without TLS")
        return (self.target.username, self.target.password)

    def _send(self, url: str, headers: Mapping[str, str], credentials: tuple[str, str] | None, *, http2: bool) -> _Answer:
        if http2 not in self._clients:
            # A proxy would answer for the endpoint that was asked for.
            self._clients[http2] = httpx.Client(
                verify=self._context(), http2=http2, timeout=self.target.timeout, trust_env=self.target.endpoint is None
            )
        extra = {"host": self.contract.domain}
        return self._read(self._clients[http2], url, {**headers, **extra}, credentials, {"sni_hostname": self.contract.domain})

    @staticmethod
    def _read(
        client: httpx.Client, url: str, headers: Mapping[str, str], credentials: tuple[str, str] | None, extensions: Mapping[str, str]
    ) -> _Answer:
        auth = httpx.BasicAuth(*credentials) if credentials else None
        body = bytearray()
        with client.stream("GET", url, headers=dict(headers), auth=auth, extensions=dict(extensions), follow_redirects=False) as answer:
            for block in answer.iter_bytes():
                body += block
                if len(body) > BODY_LIMIT:
                    raise _Fail(f"{url} answers with more than {BODY_LIMIT:,} bytes")
            return _Answer(answer.status_code, answer.headers, bytes(body), answer.http_version)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.target.ca_file or None)

    # --- what several checks look at ------------------------------------------------------------------------------

    @property
    def entry(self) -> _Answer:
        return self.get(self.contract.entry_path)

    @cached_property
    def prefix(self) -> str:
        return "/" + key_prefix(self.contract)

    @cached_property
    def asset_paths(self) -> tuple[str, ...]:
        if self.entry.status != 200 or not self.entry.is_html:
            raise _Fail(f"{self.contract.entry_path} answers {_seen(self.entry)}, so its assets are not known")
        found = references(self.entry.body.decode("utf-8", "replace"), self.contract.entry_path.lstrip("/"))
        paths = tuple(dict.fromkeys("/" + key for key, _ in found))
        if not paths:
            raise _Fail(f"{self.contract.entry_path} loads nothing: is this the app?")
        return paths[:ASSETS]

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
            raise _Skip("the preview speaks plain HTTP (preview --https speaks TLS)")
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


def _seen(answer: _Answer) -> str:
    kind = answer.headers.get("content-type", "no content type")
    return f"{answer.status} ({kind})"


def _want(holds: bool, seen: str) -> str:
    if not holds:
        raise _Fail(seen)
    return seen


# --- DNS ----------------------------------------------------------------------------------------------------------


def _dns_wanted(probe: _Probe) -> None:
    if probe.target.endpoint is not None and not probe.target.nameservers:
        raise _Skip("--resolve goes around DNS")


def _points_to_distribution(probe: _Probe, kind: str, bits: int) -> str:
    """CloudFront answers with other addresses every time, of the same network for the same edge location."""
    _dns_wanted(probe)
    distribution = probe.target.distribution_domain
    if not distribution:
        raise _Skip("the distribution's name is not known here (needs credentials, or --distribution-domain)")
    domain = probe.contract.domain
    here: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    for _ in range(ATTEMPTS):
        here, there = probe.addresses(domain, kind), probe.addresses(distribution, kind)
        networks = {ipaddress.ip_network(f"{address}/{bits}", strict=False) for address in there}
        if all(any(ipaddress.ip_address(address) in network for network in networks) for address in here):
            return f"{domain} {kind} {', '.join(here)}, as {distribution}"
    raise _Fail(f"{domain} {kind} is {', '.join(here)}, but {distribution} is {', '.join(there)}")


@_check("dns.a", "A record points to the distribution")
def _dns_a(probe: _Probe) -> str:
    return _points_to_distribution(probe, "A", 24)


@_check("dns.aaaa", "AAAA record points to the distribution")
def _dns_aaaa(probe: _Probe) -> str:
    return _points_to_distribution(probe, "AAAA", 48)


@_check("dns.https", "HTTPS record offers HTTP/2 and HTTP/3")
def _dns_https(probe: _Probe) -> str:
    _dns_wanted(probe)
    if not probe.contract.https_record:
        raise _Skip("an environment with failover has no HTTPS record")
    answer = probe.resolver.resolve(probe.contract.domain, dns.rdatatype.HTTPS, lifetime=probe.target.timeout)
    text = "; ".join(str(record) for record in answer)
    offered = set(re.findall(r"[a-z0-9.]+", " ".join(re.findall(r'alpn="([^"]*)"', text))))
    wanted = {f"h{version}" for version in probe.contract.http_versions if version in ("2", "3")}
    missing = ", ".join(sorted(wanted - offered))
    return _want(not missing, f"{text} (no alpn {missing})" if missing else text)


# --- TLS ----------------------------------------------------------------------------------------------------------


@_check("tls.chain", "Certificate chain is trusted and fits the host name")
def _tls_chain(probe: _Probe) -> str:
    issuer = probe.certificate.get("issuer", ())
    names = [value for part in issuer if isinstance(part, tuple) for name, value in part if name == "organizationName"]  # type: ignore[attr-defined]
    return f"issued by {', '.join(names) or 'an authority without a name'}"


@_check("tls.names", "Certificate carries every configured name")
def _tls_names(probe: _Probe) -> str:
    names = _certificate_names(probe)
    missing = ", ".join(name for name in probe.contract.certificate_names if name not in names)
    carried = f"names {', '.join(names)}"
    return _want(not missing, f"{carried} (not {missing})" if missing else carried)


def _certificate_names(probe: _Probe) -> tuple[str, ...]:
    listed = probe.certificate.get("subjectAltName", ())
    return tuple(str(value) for kind, value in listed if kind == "DNS")  # type: ignore[attr-defined]


@_check("tls.days", f"Certificate lasts at least {CERTIFICATE_DAYS} more days")
def _tls_days(probe: _Probe) -> str:
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(probe.certificate["notAfter"])), UTC)
    days = (end - probe.now()).days
    return _want(days >= CERTIFICATE_DAYS, f"{days} days left, until {end:%Y-%m-%d}")


_VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}


def _speaks(probe: _Probe, version: str) -> bool:
    """Whether a handshake with exactly that version succeeds; the certificate is another check's business."""
    import warnings

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = _VERSIONS[version]
            if version in ("TLS 1.0", "TLS 1.1"):
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
    except (ssl.SSLError, ValueError):
        raise _Skip(f"the OpenSSL here cannot speak {version}") from None
    probe.address()
    try:
        with probe.handshake(context):
            return True
    except ssl.SSLError as error:
        if "NO_PROTOCOLS_AVAILABLE" in str(error) or "NO_CIPHERS_AVAILABLE" in str(error):
            raise _Skip(f"the OpenSSL here cannot speak {version}") from None
        return False
    except (ConnectionResetError, BrokenPipeError):
        return False


def _accepted(probe: _Probe, version: str) -> str:
    minimum = probe.contract.minimum_protocol_version
    if version == "TLS 1.2" and minimum.startswith("TLSv1.3"):
        return _want(not _speaks(probe, version), f"refused, as {minimum} wants")
    return _want(_speaks(probe, version), f"{version} {'accepted' if _speaks(probe, version) else 'refused'}")


@_check("tls.1.2", "TLS 1.2 is spoken as configured")
def _tls_12(probe: _Probe) -> str:
    return _accepted(probe, "TLS 1.2")


@_check("tls.1.3", "TLS 1.3 is accepted")
def _tls_13(probe: _Probe) -> str:
    return _accepted(probe, "TLS 1.3")


@_check("tls.old", "TLS 1.0 and 1.1 are refused")
def _tls_old(probe: _Probe) -> str:
    spoken = [version for version in ("TLS 1.0", "TLS 1.1") if _speaks(probe, version)]
    return _want(not spoken, f"accepts {', '.join(spoken)}" if spoken else "refused")


# --- HTTP ---------------------------------------------------------------------------------------------------------


@_check("http.redirect", "Plain HTTP redirects to HTTPS")
def _redirect(probe: _Probe) -> str:
    path = probe.contract.entry_path + "?from=http"
    answer = probe.get_plain(path)
    location = answer.headers.get("location", "")
    wanted = f"https://{probe.contract.domain}{path}"
    return _want(
        answer.status in (301, 302, 307, 308) and location == wanted, f"{answer.status} to {location or 'nowhere'} (wanted: {wanted})"
    )


@_check("http.2", "HTTP/2 is spoken")
def _http2(probe: _Probe) -> str:
    if "2" not in probe.contract.http_versions:
        raise _Skip("not configured")
    probe.address()
    answer = probe.get(probe.contract.entry_path, credentials=False)
    return _want(answer.version == "HTTP/2", answer.version)


@_check("http.3", "HTTP/3 is offered")
def _http3(probe: _Probe) -> str:
    if "3" not in probe.contract.http_versions:
        raise _Skip("not configured")
    if probe.target.preview:
        raise _Skip("a preview speaks no HTTP/3")
    offer = probe.get(probe.contract.entry_path, credentials=False).headers.get("alt-svc", "")
    return _want(bool(re.search(r"\bh3\b", offer)), f"alt-svc: {offer or 'none'}")


# --- who may see it -----------------------------------------------------------------------------------------------


@_check("auth.challenge", "Without credentials: the challenge of Basic Auth, or none at all")
def _challenge(probe: _Probe) -> str:
    answer = probe.get(probe.contract.entry_path, credentials=False)
    challenge = answer.headers.get("www-authenticate", "")
    if not probe.contract.basic_auth:
        return _want(
            answer.status == 200 and not challenge, f"{answer.status}, {f'challenge {challenge!r}' if challenge else 'no challenge'}"
        )
    realm = f'realm="{probe.contract.basic_auth_realm}"'
    good = answer.status == 401 and challenge.lower().startswith("basic ") and realm in challenge
    return _want(good, f"{answer.status}, www-authenticate: {challenge or 'none'} (wanted: 401, Basic {realm})")


@_check("auth.wrong", "Wrong credentials are refused")
def _wrong(probe: _Probe) -> str:
    if not probe.contract.basic_auth:
        raise _Skip("no Basic Auth here")
    user = probe.target.username or "admin"
    answer = probe.get(probe.contract.entry_path, credentials=(user, "not the password of anybody"))
    return _want(answer.status == 401, f"{answer.status} (wanted: 401)")


@_check("auth.accepted", "The right credentials are let in")
def _accepted_credentials(probe: _Probe) -> str:
    if not probe.contract.basic_auth:
        raise _Skip("no Basic Auth here")
    return _want(probe.entry.status == 200, f"{probe.entry.status} (wanted: 200)")


@_check("auth.everything", "Assets need credentials as well")
def _everything(probe: _Probe) -> str:
    if not probe.contract.basic_auth:
        raise _Skip("no Basic Auth here")
    paths = probe.asset_paths[:3]
    open_ones = [path for path in paths if probe.get(path, credentials=False).status != 401]
    return _want(not open_ones, f"open to everybody: {', '.join(open_ones)}" if open_ones else f"{len(paths)} asked for, all 401")


@_check("auth.health", "The health path answers without credentials")
def _health(probe: _Probe) -> str:
    if not probe.contract.basic_auth:
        raise _Skip("without Basic Auth the health check asks for the entry path")
    answer = probe.get(probe.contract.health_path, credentials=False)
    return _want(answer.status == 200, f"{probe.contract.health_path}: {answer.status} (wanted: 200)")


# --- the app ------------------------------------------------------------------------------------------------------


@_check("app.root", "The root leads to the app")
def _root(probe: _Probe) -> str:
    entry = probe.contract.entry_path
    if entry == "/":
        raise _Skip("the app is the root")
    answer = probe.get("/")
    if answer.status == 200 and answer.body == probe.entry.body:
        return "200, the page itself"
    location = urlsplit(urljoin(f"https://{probe.contract.domain}/", answer.headers.get("location", ""))).path
    good = answer.status in (301, 302, 307, 308) and location == entry
    return _want(good, f"{answer.status} to {location}{'' if good else f' (wanted: {entry}, or the page itself)'}")


@_check("app.entry", "The entry path answers the app")
def _entry(probe: _Probe) -> str:
    answer = probe.entry
    good = answer.status == 200 and answer.is_html and b"<script" in answer.body
    return _want(good, f"{probe.contract.entry_path}: {_seen(answer)}, {len(answer.body):,} bytes")


@_check("app.deep_link", "A deep link answers the same page")
def _deep_link(probe: _Probe) -> str:
    path = probe.contract.entry_path.rstrip("/") + "/verify/deep-link"
    answer = probe.get(path)
    good = answer.status == 200 and answer.is_html and answer.body == probe.entry.body
    return _want(good, f"{path}: {_seen(answer)}{'' if good else ', not the page of the entry path'}")


@_check("app.missing", "A missing asset is a 404 and not HTML")
def _missing(probe: _Probe) -> str:
    path = f"{probe.prefix}assets/verify-no-such-file.js"
    answer = probe.get(path)
    return _want(answer.status == 404 and not answer.is_html, f"{path}: {_seen(answer)} (wanted: 404, no HTML)")


@_check("app.release", "The page is the released one")
def _released(probe: _Probe) -> str:
    wanted = probe.target.index_sha256
    if not wanted:
        raise _Skip("the release is not known here (needs credentials, or --index-sha256)")
    found = sha256(probe.entry.body)
    return _want(found == wanted, f"sha256 {found[:12]}{'' if found == wanted else f' (released: {wanted[:12]})'}")


@_check("app.config", "config.json is the one of the environment")
def _config(probe: _Probe) -> str:
    wanted = probe.contract.config_json
    if wanted is None:
        raise _Skip("not configured")
    answer = probe.get(probe.prefix + CONFIG_FILE)
    try:
        found = documents.loads(answer.body)
    except ValueError:
        found = None
    return _want(
        answer.status == 200 and found == wanted, f"{_seen(answer)}{'' if found == wanted else ', other values: ' + _brief(found)}"
    )


def _brief(value: object) -> str:
    try:
        return canonical_json(value).decode().replace("\n", "")[:120]
    except UnicodeEncodeError:
        return repr(value)[:120]


@_check("assets.load", "Every asset of the page loads")
def _assets(probe: _Probe) -> str:
    wrong = []
    for path in probe.asset_paths:
        answer = probe.get(path)
        kind = answer.headers.get("content-type", "")
        if answer.status != 200 or kind.split(";")[0] != content_type(path).split(";")[0]:
            wrong.append(f"{path}: {_seen(answer)}, wanted {content_type(path)}")
    return _want(not wrong, "; ".join(wrong) or f"{len(probe.asset_paths)} assets")


@_check("assets.compressed", "Text assets are compressed")
def _compressed(probe: _Probe) -> str:
    wrong, right = [], 0
    for path in probe.immutable_paths:
        plain = probe.get(path)
        if len(plain.body) < COMPRESSED_FROM or not content_type(path).startswith(COMPRESSED_TYPES):
            continue
        encodings = (probe.get(path, encoding="br, gzip", again=n).headers.get("content-encoding", "") for n in range(ATTEMPTS))
        if any(encoding in ("br", "gzip", "zstd") for encoding in encodings):
            right += 1
        else:
            wrong.append(path)
    if not right and not wrong:
        raise _Skip(f"the page loads no immutable text of {COMPRESSED_FROM:,} bytes or more")
    return _want(not wrong, f"sent as they are: {', '.join(wrong)}" if wrong else f"{right} assets")


@_check("assets.cloudfront", "Assets come from CloudFront")
def _cloudfront(probe: _Probe) -> str:
    strangers = []
    for path in probe.asset_paths[:5]:
        headers = probe.get(path).headers
        if "cloudfront" not in headers.get("via", "").lower() or "x-amz-cf-id" not in headers:
            strangers.append(f"{path}: via {headers.get('via', 'nobody')}")
    return _want(not strangers, "; ".join(strangers) or "via CloudFront")


# --- headers ------------------------------------------------------------------------------------------------------


@_check("cache.page", "The page is served with its cache rule")
def _cache_page(probe: _Probe) -> str:
    key = probe.contract.index_document.lstrip("/")
    return _cache(probe, {probe.contract.entry_path: cache_control(key, probe.contract.cache_rules)})


@_check("cache.assets", "Assets are served with their cache rules")
def _cache_assets(probe: _Probe) -> str:
    return _cache(probe, {path: cache_control(path.lstrip("/"), probe.contract.cache_rules) for path in probe.asset_paths})


def _cache(probe: _Probe, wanted: Mapping[str, str]) -> str:
    wrong = []
    for path, value in wanted.items():
        found = probe.get(path).headers.get("cache-control", "")
        if found != value:
            wrong.append(f"{path}: {found or 'none'} (wanted: {value or 'none'})")
    return _want(not wrong, "; ".join(wrong) or "; ".join(sorted(set(wanted.values()))))


@_check("headers.page", "The page carries every security header")
def _headers_page(probe: _Probe) -> str:
    return _headers(probe, probe.contract.entry_path)


@_check("headers.assets", "Assets carry every security header")
def _headers_assets(probe: _Probe) -> str:
    return _headers(probe, probe.asset_paths[0])


def _headers(probe: _Probe, path: str) -> str:
    headers = probe.get(path).headers
    wrong = [
        f"{name}: {headers.get(name, 'none')} (wanted: {value})"
        for name, value in probe.contract.response_headers.items()
        if headers.get(name) != value
    ]
    return _want(not wrong, "; ".join(wrong) or f"{len(probe.contract.response_headers)} headers")


@_check("headers.hsts", "Strict-Transport-Security is on every answer, refusals too")
def _hsts(probe: _Probe) -> str:
    wanted = probe.contract.response_headers.get("strict-transport-security", "")
    entry = probe.contract.entry_path
    missing = []
    for name, answer in _all_kinds(probe, entry):
        found = answer.headers.get("strict-transport-security", "none")
        if found != wanted:
            missing.append(f"{name} ({answer.status}): {found}")
    return _want(not missing, f"{'; '.join(missing)} (wanted: {wanted})" if missing else wanted)


def _all_kinds(probe: _Probe, entry: str) -> Iterator[tuple[str, _Answer]]:
    if probe.contract.basic_auth:
        yield "the refusal", probe.get(entry, credentials=False)
        yield "the health path", probe.get(probe.contract.health_path, credentials=False)
        if not probe.target.password:
            return
    yield "the page", probe.entry
    yield "a missing asset", probe.get(f"{probe.prefix}assets/verify-no-such-file.js")
    if entry != "/":
        yield "the root", probe.get("/")


# --- behind it ----------------------------------------------------------------------------------------------------


@_check("bucket.private", "The bucket refuses direct access")
def _bucket(probe: _Probe) -> str:
    if not probe.target.bucket_url:
        raise _Skip("the bucket's own address is not known here")
    url = probe.target.bucket_url.rstrip("/") + probe.contract.index_document
    answer = probe.get_elsewhere(url)
    return _want(answer.status in (401, 403), f"{url}: {answer.status} (wanted: 403)")

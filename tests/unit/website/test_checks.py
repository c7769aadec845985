"""Every check of `verify`: what keeps its promise, what breaks it, and when it cannot be looked at."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import msgspec
import pytest

from assembly.model import CacheRule, Redirect, Routing
from tests.golden_files import assert_golden
from tests.unit.website.visits import FILES, HSTS, IMMUTABLE, PAGE, PASSWORD, SCRIPT, SITE_CONTRACT, Spoil, Visit, answer, look, spoilt
from verification.model import NOT_ASKED, Endpoint, Target
from verification.probe import Answer
from verification.registry import registered
from verification.verify import checks, made, verify

SCRIPT_PATH = "/buy/assets/app-1a2b.js"
PREVIEW = {"endpoint": Endpoint(host="127.0.0.1", port=8080, tls=False), "preview": True}
RELEASED = hashlib.sha256(PAGE).hexdigest()

AT_THE_EDGE = {"cache_rules": (CacheRule(pattern="*", cache_control="max-age=0, s-maxage=60"),)}
TILDE = {"spelled": {"/buy/runtime~main.js": hashlib.sha256(SCRIPT).hexdigest()}}
MOVED = {"routing": Routing(redirects=(Redirect(path="/old/*", to="/buy/*", status=301),), redirect_hosts=("www.example.com",))}
QUIET = {"indexing": False, "index_document": "/index.html"}
WITH_PAGE = {"not_found_page": "/buy/404.html"}
LONG = PAGE + b" " * 1000


def missing(status: int, body: bytes, page: bytes = b"not found") -> Spoil:
    """The page for what is missing, and what a missing file is answered with."""

    def spoil(path: str, found: Answer) -> Answer:
        html = httpx.Headers({"content-type": "text/html"})
        if path == "/buy/404.html":
            return Answer(200, html, page, "HTTP/2")
        return Answer(status, html, body, "HTTP/2") if path.endswith("verify-no-such-file.js") else found

    return spoil


def tilde(*spellings: str) -> Spoil:
    """A file with `~` in its name, which the edge has forgotten by these spellings only."""

    def spoil(path: str, found: Answer) -> Answer:
        asked = [each for each in ("~", "%7E") if path == f"/buy/runtime{each}main.js"]
        body = SCRIPT if asked and asked[0] in spellings else b"earlier"
        return Answer(200, httpx.Headers({}), body, "HTTP/2") if asked else found

    return spoil


def dotted(status: int) -> Spoil:
    """What a route of the app with dots in it is answered with."""

    def spoil(path: str, found: Answer) -> Answer:
        html = httpx.Headers({"content-type": "text/html; charset=utf-8"})
        return Answer(status, html, PAGE, "HTTP/2") if path.endswith("first.last@example.com") else found

    return spoil


def kept_open() -> Spoil:
    """Passwords are asked for behind the cache: whatever somebody was let in to, everybody gets."""
    kept: dict[str, Answer] = {}

    def spoil(path: str, found: Answer) -> Answer:
        if found.status == 200:
            kept[path] = found
        return kept.get(path, found)

    return spoil


SCRIPTED = b'<script src="/buy/assets/app-1a2b.js"></script>'
RELATIVE = b'<script src="assets/app-1a2b.js"></script>'
META = b'<META HTTP-EQUIV="Content-Security-Policy" content="script-src https://x">'
MANIFEST = b'<link rel="manifest" href="/buy/config.json">'
CREDENTIALS = b'<link rel="manifest" crossorigin="use-credentials" href="/buy/config.json">'


def page(body: bytes, *, other: tuple[str, bytes] = ("", b""), **headers: Any) -> Spoil:
    """The page of the entry path, and of the routes of the app, with another body and headers."""

    def spoil(asked: str, found: Answer) -> Answer:
        if asked == other[0]:
            return spoilt(asked, body=other[1])(asked, found)
        return spoilt(asked, body=body, **headers)(asked, found) if found.status == 200 and found.body == PAGE else found

    return spoil


MANY = b"".join(b'<img src="/buy/%d.png">' % number for number in range(6))
IMAGE_FIRST = b'<img src="/buy/assets/photo.png">' + SCRIPTED


def after(first: Spoil, then: Spoil) -> Spoil:
    return lambda path, found: then(path, first(path, found))


MANY_MOVED = {
    "routing": Routing(
        redirects=tuple(Redirect(path=f"/old{n}", to="/new", status=301) for n in range(11)), redirect_hosts=("www.example.com",)
    )
}


def moved(count: int) -> Spoil:
    """So many of the redirects of `MANY_MOVED` lead where they should."""
    right = {f"/old{n}" for n in range(count)}
    return lambda path, found: answer(301, {"location": "/new"}) if path in right else found


KEPT: list[tuple[str, dict[str, Any], str]] = [
    ("dns.a", {}, "dev.example.com A 192.0.2.10, 192.0.2.20, as d1.cloudfront.net"),
    ("dns.a", {"records": {("dev.example.com", "A"): [("198.51.100.1",), ("192.0.2.77",)]}}, "dev.example.com A 192.0.2.77"),
    ("dns.a", {"records": {("dev.example.com", "A"): [("192.0.2.200",)]}}, "dev.example.com A 192.0.2.200"),
    ("dns.a", {"target": {**PREVIEW, "nameservers": (("127.0.0.1", 53),)}}, "dev.example.com A 192.0.2.10, 192.0.2.20"),
    ("dns.aaaa", {"records": {("dev.example.com", "AAAA"): [("2001:db8:0:ffff::1",)]}}, "dev.example.com AAAA 2001:db8:0:ffff::1"),
    ("dns.https", {}, 'alpn="h3,h2"'),
    ("dns.https", {"https": '1 . alpn="h2"', "contract": {"http_versions": ("1.1", "2")}}, 'alpn="h2"'),
    ("tls.chain", {}, "issued by Amazon"),
    ("tls.names", {}, "names dev.example.com, example.com"),
    ("tls.days", {"until": "Dec 27 12:00:00 2026 GMT"}, "30 days left, until 2026-12-27"),
    ("tls.1.2", {}, "TLS 1.2 accepted"),
    ("tls.1.2", {"versions": {"TLS 1.2": ConnectionResetError}, "contract": {"minimum_protocol_version": "TLSv1.3_2025"}}, "refused, as"),
    ("tls.1.3", {}, "TLS 1.3 accepted"),
    ("tls.old", {}, "refused"),
    ("http.redirect", {}, "301 to https://dev.example.com/buy?from=http"),
    ("http.redirect", {"spoil": spoilt("*", 308)}, "308 to"),
    ("http.2", {}, "HTTP/2"),
    ("http.3", {}, 'alt-svc: h3=":443"'),
    ("auth.challenge", {}, '401, www-authenticate: Basic realm="dev"'),
    ("auth.challenge", {"contract": {"basic_auth": False}}, "200, no challenge"),
    ("auth.wrong", {}, "401"),
    ("auth.accepted", {}, "200"),
    ("auth.everything", {}, "4 asked for, all 401"),
    ("auth.health", {}, "/healthz: 200"),
    ("app.root", {}, "302 to /buy"),
    ("app.root", {"spoil": spoilt("/", 200, PAGE)}, "200, the page itself"),
    ("app.root", {"spoil": spoilt("/", 308, location="https://dev.example.com/buy?x=1")}, "308 to /buy"),
    ("app.root", {"spoil": spoilt("/", 301)}, "301 to /buy"),
    ("app.root", {"spoil": spoilt("/", 307)}, "307 to /buy"),
    ("http.redirect", {"spoil": spoilt("*", 302)}, "302 to"),
    ("http.redirect", {"spoil": spoilt("*", 307)}, "307 to"),
    ("app.entry", {}, f"/buy: 200 (text/html; charset=utf-8), {len(PAGE)} bytes"),
    ("app.deep_link", {}, "/buy/verify/deep-link: 200"),
    ("app.deep_link", {"contract": MOVED, "spoil": dotted(200)}, "/buy/verify/deep-link, /buy/verify/first.last@example.com: 200"),
    ("app.missing", {}, "/buy/assets/verify-no-such-file.js: 404 (application/xml)"),
    ("app.missing", {"contract": WITH_PAGE, "spoil": missing(404, b"not found")}, "404 (text/html)"),
    ("app.release", {"target": {"index_sha256": RELEASED}}, f"sha256 {RELEASED[:12]}"),
    ("app.config", {}, "200 (application/json)"),
    ("assets.load", {}, "3 assets"),
    ("assets.compressed", {}, "1 assets"),
    ("assets.compressed", {"spoil": spoilt(SCRIPT_PATH, body=SCRIPT[:1000])}, "1 assets"),
    ("assets.compressed", {"spoil": page(IMAGE_FIRST, other=("/buy/assets/photo.png", b"x" * 2000))}, "1 assets"),
    ("assets.cloudfront", {}, "via CloudFront"),
    ("assets.cloudfront", {"spoil": after(page(MANY), spoilt("/buy/5.png", via=None))}, "via CloudFront"),
    ("auth.everything", {"spoil": page(MANY)}, "4 asked for, all 401"),
    ("pages.loads", {}, "nothing is in its way"),
    ("pages.loads", {"spoil": page(RELATIVE), "contract": {"publishing_allow": ("relative-base",)}}, "allowed: loads assets/app-1a2b.js"),
    ("pages.policy", {"spoil": page(SCRIPTED, content_security_policy="script-src 'self'")}, "nothing is in its way"),
    ("pages.manifest", {"spoil": page(CREDENTIALS)}, "/buy/config.json: 200"),
    ("pages.manifest", {"spoil": page(MANIFEST), "contract": {"basic_auth": False}}, "/buy/config.json: 200"),
    ("cache.page", {}, "no-cache"),
    ("cache.assets", {}, f"no-cache; {IMMUTABLE}"),
    ("edge.page", {"contract": AT_THE_EDGE}, "Miss, then Hit; Age 1 to 3 s"),
    ("edge.compressed", {"contract": AT_THE_EDGE, "spoil": spoilt("/buy", body=LONG, content_encoding="br")}, "br"),
    ("edge.compressed", {"contract": AT_THE_EDGE, "spoil": spoilt("/buy", body=LONG[:1000], content_encoding="br")}, "br"),
    ("edge.first_byte", {"contract": AT_THE_EDGE}, "0 ms from the edge, 0 ms by way of the bucket"),
    ("edge.not_found", {"contract": WITH_PAGE, "spoil": missing(404, b"not found")}, "404 (text/html), 9 bytes"),
    ("edge.robots", {"contract": QUIET}, "Disallow"),
    ("edge.robots", {"contract": QUIET, "spoil": spoilt("/robots.txt", body=b"User-agent: *\nDisallow: /\n" + b"#" * 99)}, "Disallow"),
    ("edge.not_found", {"contract": WITH_PAGE, "spoil": missing(404, b"x" * 16_384, b"x" * 16_384)}, "16,384 bytes"),
    ("edge.redirects", {"contract": MANY_MOVED, "spoil": moved(10)}, "10 of 11 asked for"),
    ("edge.redirect_hosts", {"contract": MOVED, "spoil": spoilt("www.example.com", 308)}, "www.example.com to"),
    ("pages.loads", {"spoil": page(MANIFEST)}, "nothing is in its way"),
    ("pages.loads", {"spoil": page(SCRIPTED, content_security_policy="script-src https://x")}, "nothing is in its way"),
    ("pages.manifest", {"spoil": page(CREDENTIALS + MANIFEST)}, "/buy/config.json: 200"),
    ("pages.manifest", {"spoil": page(MANIFEST), "contract": {"basic_auth": False, "publishing_allow": ("manifest-credentials",)}}, "200"),
    ("edge.redirects", {"contract": MOVED}, "1 of 1 asked for"),
    ("edge.redirect_hosts", {"contract": MOVED}, "www.example.com to https://dev.example.com/buy"),
    ("edge.spellings", {"target": TILDE, "spoil": tilde("~", "%7E")}, "2 asked for"),
    ("headers.page", {}, "2 headers"),
    ("headers.assets", {}, "2 headers"),
    ("headers.hsts", {}, HSTS),
    (
        "bucket.private",
        {"target": {"bucket_url": "https://b/"}, "spoil": spoilt("https://b/buy/index.html", 401)},
        "https://b/buy/index.html: 401",
    ),
    ("bucket.private", {"target": {"bucket_url": "https://b.s3.amazonaws.com/"}}, "https://b.s3.amazonaws.com/buy/index.html: 403"),
]

BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("dns.a", {"records": {("dev.example.com", "A"): [("192.0.3.1",)]}}, "A is 192.0.3.1, but d1.cloudfront.net is 192.0.2.10, 192.0.2.20"),
    ("dns.a", {"records": {("dev.example.com", "A"): [("192.0.2.1", "192.0.3.1")]}}, "dev.example.com A is 192.0.2.1, 192.0.3.1"),
    ("dns.aaaa", {"records": {("dev.example.com", "AAAA"): [("2001:db9::1",)]}}, "AAAA is 2001:db9::1"),
    ("dns.aaaa", {"records": {("dev.example.com", "AAAA"): [("2001:db8:1::1",)]}}, "AAAA is 2001:db8:1::1"),
    ("dns.https", {"https": '1 . alpn="h2"'}, "(no alpn h3)"),
    ("tls.names", {"names": ("example.com",)}, "names example.com (not dev.example.com)"),
    ("tls.days", {"until": "Dec 27 11:59:59 2026 GMT"}, "29 days left"),
    ("tls.1.2", {"versions": {"TLS 1.2": BrokenPipeError}}, "TLS 1.2 refused"),
    ("tls.1.3", {"versions": {"TLS 1.3": ConnectionResetError}}, "TLS 1.3 refused"),
    ("tls.old", {"versions": {"TLS 1.1": None}}, "accepts TLS 1.1"),
    ("http.redirect", {"spoil": spoilt("*", 200)}, "200 to https://dev.example.com/buy?from=http (wanted"),
    ("http.redirect", {"spoil": spoilt("*", location="https://dev.example.com/")}, "301 to https://dev.example.com/ (wanted"),
    ("http.redirect", {"spoil": spoilt("*", location=None)}, "301 to nowhere"),
    ("http.2", {"spoil": spoilt("*", version="HTTP/1.1")}, "HTTP/1.1"),
    ("http.3", {"spoil": spoilt("*", alt_svc='h2=":443"')}, "alt-svc: h2"),
    ("http.3", {"spoil": spoilt("*", alt_svc=None)}, "alt-svc: none"),
    ("auth.challenge", {"spoil": spoilt("/buy", 200)}, "200, www-authenticate: Basic"),
    ("auth.challenge", {"spoil": spoilt("/buy", www_authenticate='Bearer realm="dev"')}, "401, www-authenticate: Bearer"),
    ("auth.challenge", {"spoil": spoilt("/buy", www_authenticate='Basic realm="x"')}, '(wanted: 401, Basic realm="dev")'),
    ("auth.challenge", {"spoil": spoilt("/buy", www_authenticate=None)}, "www-authenticate: none"),
    ("auth.challenge", {"contract": {"basic_auth": False}, "spoil": spoilt("/buy", 401)}, "401, no challenge"),
    ("auth.challenge", {"contract": {"basic_auth": False}, "spoil": spoilt("/buy", www_authenticate="Basic")}, "200, challenge 'Basic'"),
    ("auth.wrong", {"spoil": spoilt("/buy", 200)}, "200 (wanted: 401)"),
    ("auth.accepted", {"spoil": spoilt("/buy", 503)}, "503 (wanted: 200)"),
    (
        "auth.everything",
        {"spoil": kept_open()},
        "open to everybody: /buy, /buy/assets/app-1a2b.js, /buy/assets/app-1a2b.css, /buy/logo.png",
    ),
    ("auth.everything", {"spoil": spoilt("/buy/logo.png", 200)}, "open to everybody: /buy/logo.png"),
    ("auth.health", {"spoil": spoilt("/healthz", 401)}, "/healthz: 401"),
    ("app.root", {"spoil": spoilt("/", location="/elsewhere")}, "302 to /elsewhere (wanted: /buy, or the page itself)"),
    ("app.root", {"spoil": spoilt("/", 200)}, "200 to /buy"),
    ("app.root", {"spoil": spoilt("/", 404, PAGE, location=None)}, "404 to /"),
    ("app.entry", {"spoil": spoilt("/buy", 404)}, "/buy: 404"),
    ("app.entry", {"spoil": spoilt("/buy", content_type="text/plain")}, "200 (text/plain)"),
    ("app.entry", {"spoil": spoilt("/buy", body=b"<p>hello")}, "8 bytes (wanted: 200, HTML with a script)"),
    ("app.deep_link", {"contract": MOVED, "spoil": dotted(404)}, "first.last@example.com: 404"),
    ("app.deep_link", {"spoil": spoilt("/buy/verify/deep-link", 404)}, "404 (text/html; charset=utf-8), not the page"),
    ("app.deep_link", {"spoil": spoilt("/buy/verify/deep-link", body=b"<p>")}, "not the page of the entry path"),
    ("app.deep_link", {"spoil": spoilt("/buy/verify/deep-link", content_type=None)}, "200 (no content type)"),
    ("app.missing", {"spoil": spoilt("/buy/assets/verify-no-such-file.js", 200)}, "200 (application/xml) (wanted: 404, no HTML)"),
    ("app.missing", {"spoil": spoilt("/buy/assets/verify-no-such-file.js", content_type="text/html")}, "404 (text/html)"),
    ("app.release", {"target": {"index_sha256": "0" * 64}}, f"sha256 {RELEASED[:12]} (wanted: the released 000000000000)"),
    ("app.config", {"spoil": spoilt("/buy/config.json", body=b'{"api":"there"}')}, 'other values: { "api": "there"}'),
    ("app.config", {"spoil": spoilt("/buy/config.json", body=b"<p>")}, "other values: null"),
    ("app.config", {"spoil": spoilt("/buy/config.json", body=b'"%s"' % (b"x" * 200))}, f'other values: "{"x" * 119}'),
    ("app.config", {"spoil": spoilt("/buy/config.json", body=b'"\\ud800%s"' % (b"x" * 200))}, "other values: '\\ud800" + "x" * 113),
    ("app.config", {"spoil": spoilt("/buy/config.json", 404)}, "404"),
    ("app.config", {"spoil": spoilt("/buy/config.json", body=b'{"api":"\\ud800"}')}, "other values: {'api': '\\ud800'}"),
    ("assets.load", {"spoil": spoilt(SCRIPT_PATH, 404)}, f"{SCRIPT_PATH}: 404"),
    ("assets.load", {"spoil": spoilt(SCRIPT_PATH, content_type="text/html")}, "200 (text/html), wanted text/javascript"),
    ("assets.load", {"spoil": spoilt("/buy", body=b"<p>")}, "/buy loads nothing: is this the app?"),
    ("assets.load", {"spoil": spoilt("/buy", 500)}, "/buy answers 500 (text/html; charset=utf-8), so its assets are not known"),
    ("assets.load", {"spoil": spoilt("/buy", content_type="text/plain")}, "/buy answers 200 (text/plain), so its assets are not known"),
    ("assets.compressed", {"spoil": spoilt(SCRIPT_PATH, content_encoding=None)}, f"sent as they are: {SCRIPT_PATH}"),
    ("assets.cloudfront", {"spoil": after(page(MANY), spoilt("/buy/4.png", via=None))}, "/buy/4.png: via nobody"),
    ("assets.cloudfront", {"spoil": spoilt(SCRIPT_PATH, via="nginx")}, f"{SCRIPT_PATH}: via nginx"),
    ("assets.cloudfront", {"spoil": spoilt(SCRIPT_PATH, via=None)}, "via nobody"),
    ("assets.cloudfront", {"spoil": spoilt(SCRIPT_PATH, x_amz_cf_id=None)}, "via 1.1 abc.cloudfront.net"),
    (
        "pages.loads",
        {"spoil": page(RELATIVE)},
        "index.html:1: loads assets/app-1a2b.js, which at /buy/orders is /buy/assets/app-1a2b.js, but at /buy",
    ),
    ("pages.loads", {"spoil": spoilt(SCRIPT_PATH, 404)}, "loads /buy/assets/app-1a2b.js, which is not there (missing-file)"),
    ("pages.loads", {"spoil": spoilt("/buy", 500)}, "so its page is not known"),
    ("pages.policy", {"spoil": page(SCRIPTED, content_security_policy="script-src https://x")}, "is forbidden by script-src https://x"),
    (
        "pages.policy",
        {"spoil": page(b"<script>x()</script>", content_security_policy="script-src 'self'")},
        "(csp-inline; the environment's file",
    ),
    ("pages.manifest", {"spoil": page(MANIFEST)}, '401, since browsers ask for it without the password; add crossorigin="use-credentials"'),
    ("pages.manifest", {"spoil": page(CREDENTIALS, other=("/buy/config.json", b"<p>"))}, "(wanted: 200, a JSON object)"),
    ("pages.manifest", {"spoil": after(page(CREDENTIALS), spoilt("/buy/config.json", 404))}, "404 (application/json) (wanted: 200"),
    ("pages.policy", {"spoil": page(META + SCRIPTED)}, "is forbidden by script-src https://x"),
    ("edge.robots", {"contract": QUIET, "spoil": spoilt("/robots.txt", 404)}, "404 (text/plain)"),
    ("edge.redirect_hosts", {"contract": MOVED, "spoil": spoilt("www.example.com", 302)}, "302 to https://dev.example.com/buy"),
    ("cache.page", {"spoil": spoilt("/buy", cache_control=IMMUTABLE)}, f"/buy: {IMMUTABLE} (wanted: no-cache)"),
    ("cache.assets", {"spoil": spoilt(SCRIPT_PATH, cache_control=None)}, f"{SCRIPT_PATH}: none (wanted: {IMMUTABLE})"),
    ("cache.assets", {"contract": {"cache_rules": ()}}, "(wanted: none)"),
    ("app.missing", {"contract": WITH_PAGE, "spoil": missing(404, PAGE)}, "404 (text/html) (wanted: 404, with the page for that)"),
    ("edge.page", {"contract": AT_THE_EDGE, "spoil": spoilt("/buy", x_cache="Miss from cloudfront")}, "x-cache: Miss, Miss, Miss, Miss"),
    ("edge.page", {"contract": AT_THE_EDGE, "spoil": spoilt("/buy", age=None)}, "Age -1 to -1 s"),
    ("edge.compressed", {"contract": AT_THE_EDGE, "spoil": spoilt("/buy", body=LONG)}, "content-encoding: none"),
    ("edge.first_byte", {"contract": AT_THE_EDGE, "spoil": spoilt("/buy", x_cache=None)}, "no request of the page was a Hit"),
    ("edge.not_found", {"contract": WITH_PAGE}, "/buy/404.html: 404"),
    ("edge.not_found", {"contract": WITH_PAGE, "spoil": missing(200, b"not found")}, "200 (text/html), 9 bytes (wanted: 404"),
    ("edge.not_found", {"contract": WITH_PAGE, "spoil": missing(404, b"<Error>")}, "404 (text/html), 7 bytes (wanted: 404"),
    ("edge.not_found", {"contract": WITH_PAGE, "spoil": missing(404, b"x" * 16_385, b"x" * 16_385)}, "at most 16,384 bytes"),
    ("edge.redirects", {"contract": MANY_MOVED, "spoil": moved(9)}, "/old9: "),
    ("edge.robots", {"contract": QUIET, "spoil": spoilt("/robots.txt", body=b"User-agent: *\nAllow: /\n")}, "Allow: /"),
    (
        "edge.redirects",
        {"contract": MOVED, "spoil": spoilt("/old/verify", 302)},
        "/old/verify: 302 to /buy/verify (wanted: 301 to /buy/verify)",
    ),
    ("edge.redirect_hosts", {"contract": MOVED, "spoil": spoilt("www.example.com", location="https://evil.example/")}, "evil.example"),
    ("edge.spellings", {"target": TILDE, "spoil": tilde("~")}, "/buy/runtime%7Emain.js: not as released"),
    ("edge.spellings", {"target": TILDE, "spoil": tilde("%7E")}, "/buy/runtime~main.js: not as released"),
    ("headers.page", {"spoil": spoilt("/buy", x_content_type_options=None)}, "x-content-type-options: none (wanted: nosniff)"),
    ("headers.assets", {"spoil": spoilt(SCRIPT_PATH, x_content_type_options="off")}, "x-content-type-options: off"),
    ("headers.hsts", {"spoil": spoilt("/", strict_transport_security=None)}, f"the root (302): none (wanted: {HSTS})"),
    ("headers.hsts", {"spoil": spoilt("/healthz", strict_transport_security="x")}, "the health path (200): x"),
    ("headers.hsts", {"spoil": spoilt("/buy/assets/verify-no-such-file.js", strict_transport_security=None)}, "a missing asset (404)"),
    (
        "bucket.private",
        {"target": {"bucket_url": "https://b"}, "spoil": spoilt("https://b/buy/index.html", 200)},
        "https://b/buy/index.html: 200 (wanted: 403)",
    ),
]

SKIPPED: list[tuple[str, dict[str, Any], str]] = [
    ("pages.manifest", {"spoil": page(MANIFEST), "contract": {"publishing_allow": ("manifest-credentials",)}}, "publishing.allow has"),
    ("bucket.private", {}, "the bucket's own address is not known here"),
    ("dns.a", {"target": {"distribution_domain": ""}}, "the distribution's name is not known here"),
    ("dns.a", {"target": PREVIEW}, "--resolve goes around DNS"),
    ("dns.https", {"contract": {"https_record": False}}, "failover has no HTTPS record"),
    ("dns.https", {"target": PREVIEW}, "--resolve goes around DNS"),
    ("tls.1.2", {"target": PREVIEW}, "the preview speaks plain HTTP"),
    ("http.2", {"contract": {"http_versions": ("1.1", "3")}}, "not configured"),
    ("http.2", {"target": PREVIEW}, "the preview speaks plain HTTP"),
    ("http.3", {"contract": {"http_versions": ("1.1", "2")}}, "not configured"),
    ("http.3", {"target": PREVIEW}, "a preview speaks no HTTP/3"),
    ("auth.wrong", {"contract": {"basic_auth": False}}, "no Basic Auth here"),
    ("auth.accepted", {"contract": {"basic_auth": False}}, "no Basic Auth here"),
    ("auth.everything", {"contract": {"basic_auth": False}}, "no Basic Auth here"),
    ("auth.health", {"contract": {"basic_auth": False}}, "asks for the entry path"),
    ("auth.accepted", {"target": {"password": ""}}, "needs the Basic Auth password"),
    ("app.root", {"contract": {"entry_path": "/"}}, "the app is the root"),
    ("app.release", {}, "the release is not known here"),
    ("app.config", {"contract": {"config_json": None}}, "not configured"),
    ("edge.compressed", {"contract": AT_THE_EDGE}, "CloudFront compresses from 1,000 on"),
    ("assets.compressed", {"spoil": spoilt(SCRIPT_PATH, body=SCRIPT[:999])}, "the page loads no immutable text of 1,000 bytes or more"),
]


@pytest.mark.parametrize(("check", "how", "words"), KEPT)
def test_a_promise_that_is_kept_passes_and_says_what_was_seen(check: str, how: dict[str, Any], words: str) -> None:
    status, detail = look(check, **how)
    assert (status, words in detail) == ("passed", True), (status, detail)


@pytest.mark.parametrize(("check", "how", "words"), BROKEN)
def test_a_promise_that_is_broken_fails_and_says_what_was_wanted(check: str, how: dict[str, Any], words: str) -> None:
    status, detail = look(check, **how)
    assert (status, words in detail) == ("failed", True), (status, detail)


@pytest.mark.parametrize(("check", "how", "words"), SKIPPED)
def test_what_cannot_be_looked_at_is_skipped_and_says_why(check: str, how: dict[str, Any], words: str) -> None:
    status, detail = look(check, **how)
    assert (status, words in detail) == ("skipped", True), (status, detail)


def test_the_words_of_every_case_are_those_that_were_reviewed() -> None:
    told = (f"{check} {': '.join(look(check, **how))}" for check, how, _ in (*KEPT, *BROKEN, *SKIPPED))
    assert_golden("verify/words.txt", "\n".join(told) + "\n")


@pytest.mark.parametrize(
    "check",
    [
        *("pages.policy", "pages.manifest", "edge.page", "edge.compressed", "edge.first_byte", "edge.not_found", "edge.robots"),
        *("edge.redirects", "edge.redirect_hosts", "replica.current", "replica.readers", "browser.requests", "browser.policy"),
    ],
)
def test_a_promise_that_the_environment_does_not_make_has_no_result(check: str) -> None:
    [found] = [each for each in registered() if each.id == check]
    assert made(found, Visit()) is None


@pytest.mark.parametrize(("preview", "give"), [(True, ""), (False, NOT_ASKED)])
def test_a_replica_that_is_not_looked_at_is_skipped_and_asked_for_unless_it_is_a_preview(preview: bool, give: str) -> None:
    [found] = [each for each in registered() if each.id == "replica.current"]
    result = made(found, Visit(target=Target(contract=SITE_CONTRACT, replica="nobody asked", preview=preview)))
    assert result is not None and (result.status, result.detail, result.give) == ("skipped", "nobody asked", give)


@pytest.mark.parametrize(
    ("encodings", "result"),
    [
        (("", "br", "", ""), ("passed", "content-encoding: br")),
        (("", "", "", "gzip"), ("failed", "content-encoding: gzip")),
        (("gzip", "gzip", "gzip", ""), ("failed", "content-encoding: none")),
    ],
)
def test_the_page_may_be_compressed_a_request_later(encodings: tuple[str, ...], result: tuple[str, str]) -> None:
    told = iter(encodings)
    visit = Visit(target=Target(contract=msgspec.structs.replace(SITE_CONTRACT, basic_auth=False, **AT_THE_EDGE)))

    def get(path: str, **how: Any) -> Answer:
        return answer(200, {"content-encoding": next(told) or "none"} if "encoding" in how else {}, LONG)

    anything: Any = visit
    anything.get = get
    [check] = [each for each in registered() if each.id == "edge.compressed"]
    found = made(check, visit)
    assert found is not None and (found.status, found.detail) == result


def test_an_environment_whose_other_names_alone_lead_elsewhere_has_no_redirects() -> None:
    [check] = [each for each in registered() if each.id == "edge.redirects"]
    contract = msgspec.structs.replace(SITE_CONTRACT, routing=Routing(redirect_hosts=("www.example.com",)))
    assert made(check, Visit(target=Target(contract=contract, username="ann", password=PASSWORD))) is None


def test_every_check_has_a_case_that_keeps_it_and_most_one_that_breaks_it() -> None:
    every = {each.id for each in registered() if each.id.partition(".")[0] not in ("replica", "browser")}
    assert {check for check, _, _ in KEPT} == every
    assert every - {check for check, _, _ in BROKEN} == {"tls.chain"}


def test_nobody_sends_the_password_where_it_is_not_wanted() -> None:
    visit = Visit()
    for each in registered():
        made(each, visit)
    assert {credentials for url, credentials in visit.asked if url.startswith("http:")} == {None}
    assert {credentials for url, credentials in visit.asked if "/healthz" in url} == {None}
    assert ("https://dev.example.com/buy", ("ann", PASSWORD)) in visit.asked
    assert ("https://dev.example.com/buy", ("ann", "not the password of anybody")) in visit.asked


def test_a_password_that_is_asked_for_behind_the_cache_is_found_out_by_a_whole_run() -> None:
    """The first look without the password comes before anybody was let in, and says 401: it must not be the last one."""
    visit = Visit(spoil=kept_open())
    found = {each.id: made(each, visit) for each in registered()}
    challenge, everything = found["auth.challenge"], found["auth.everything"]
    assert challenge is not None and challenge.status == "passed"
    assert everything is not None and everything.status == "failed"
    assert "/buy, " in everything.detail


def test_without_the_password_the_answers_that_need_none_are_still_looked_at() -> None:
    status, detail = look("headers.hsts", target={"password": ""}, spoil=spoilt("/healthz", strict_transport_security=None))
    assert (status, "the health path (200): none" in detail) == ("failed", True)
    assert look("headers.hsts", target={"password": ""}) == ("passed", HSTS)


def test_where_the_app_is_the_root_the_root_is_asked_once() -> None:
    visit = Visit(target=Target(contract=SITE_CONTRACT, username="ann", password=PASSWORD))
    [check] = [each for each in registered() if each.id == "headers.hsts"]
    made(check, visit)
    assert [url for url, _ in visit.asked].count("https://dev.example.com/") == 1


def test_an_answer_is_asked_for_once_and_compression_up_to_three_times() -> None:
    seen = 0

    def late(path: str, found: Any) -> Any:
        nonlocal seen
        if path == SCRIPT_PATH and found.headers.get("content-encoding"):
            seen += 1
            if seen < 3:
                return answer(200, {"content-type": "text/javascript"}, SCRIPT)
        return found

    assert look("assets.compressed", spoil=late) == ("passed", "1 assets")
    assert seen == 3
    visit = Visit()
    for each in registered():
        if each.id.startswith("app."):
            made(each, visit)
    asked = [entry for entry in visit.asked if entry[0] == "https://dev.example.com/buy"]
    assert len(asked) == 1


def test_what_the_network_does_is_a_failure_in_its_words() -> None:
    def broken(path: str, found: Any) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    def silent(path: str, found: Any) -> Any:
        raise TimeoutError

    assert look("app.entry", spoil=broken) == ("failed", "ConnectionRefusedError: [Errno 111] Connection refused")
    assert look("app.entry", spoil=silent) == ("failed", "TimeoutError")


def test_results_come_in_the_order_of_the_table_and_are_told_one_by_one() -> None:
    told: list[str] = []
    unreachable = Target(contract=SITE_CONTRACT, endpoint=Endpoint(host="127.0.0.1", port=1, tls=False), preview=True, timeout=5.0)
    results = verify(unreachable, now=Visit().now, report=lambda each: told.append(each.id))
    assert (
        [each.id for each in results]
        == told
        == [identity for identity, _ in checks() if not identity.startswith(("replica.", "edge.", "browser."))]
    )
    assert {each.status for each in results} == {"failed", "skipped"}


def test_the_files_of_the_site_in_memory_are_those_that_its_page_loads() -> None:
    assert Visit().asset_paths == (SCRIPT_PATH, "/buy/assets/app-1a2b.css", "/buy/logo.png")
    assert Visit().immutable_paths == (SCRIPT_PATH, "/buy/assets/app-1a2b.css")
    assert set(FILES) > set(Visit().asset_paths)


@pytest.mark.attack
def test_the_password_is_in_no_representation_of_what_is_verified() -> None:
    assert PASSWORD not in repr(Visit().target) and "ann" in repr(Visit().target)

"""The edges of how `verify` looks: limits, what a machine cannot speak, a browser that does not start, checks that are added."""

from __future__ import annotations

import os
import ssl
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import dns.resolver
import httpx
import msgspec
import pytest

from assembly.model import CacheRule, Redirect, Routing
from pages.findings import Finding
from tests.unit.website.visits import NOW, PAGE, SITE_CONTRACT, TARGET, Spoil, Visit, answer, look, spoilt
from verification import registry
from verification.browser import look as visit_all
from verification.browser import opened
from verification.checks import tls
from verification.checks.pages import _place
from verification.model import NOT_ASKED, Failed, Skipped, Target
from verification.probe import Answer, Probe
from verification.registry import THEMES, Registered, check, registered
from verification.verify import made

MIB = 1 << 20


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_thirty_two_mebibytes_of_an_answer_are_read_and_no_byte_more(more: int, taken: bool) -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=iter([b"x" * (16 * MIB), b"x" * (16 * MIB), b"x" * more]))

    with Probe(Target(contract=SITE_CONTRACT), lambda: NOW) as probe, httpx.Client(transport=httpx.MockTransport(endless)) as client:
        if taken:
            assert len(probe._read(client, "https://site.example/", {}, None, {}).body) == 32 * MIB
        else:
            with pytest.raises(Failed, match=r"^https://site\.example/ answers with more than 33,554,432 bytes$"):
                probe._read(client, "https://site.example/", {}, None, {})


def test_a_hundred_and_fifty_files_are_asked_for_to_judge_the_page() -> None:
    visit = Visit()
    found = [visit._find(f"/buy/{number}.png") for number in range(151)]
    assert found[:150] == [None] * 150, "the site has none of them"
    assert found[150] is not None and found[150].content_type == "image/png", "taken to be there"


def test_the_name_servers_of_this_machine_are_asked_where_none_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns.resolver, "Resolver", lambda configure=True: SimpleNamespace(of_this_machine=configure))
    for given, of_this_machine in (((), True), ((("192.0.2.53", 53),), False)):
        anything: Any = Probe(Target(contract=SITE_CONTRACT, nameservers=given), lambda: NOW).resolver
        assert anything.of_this_machine is of_this_machine


def test_the_head_of_an_answer_is_timed() -> None:
    times = iter((NOW, NOW.replace(second=2)))
    with (
        Probe(Target(contract=SITE_CONTRACT), lambda: next(times)) as probe,
        httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client,
    ):
        assert probe._read(client, "https://site.example/", {}, None, {}).first_byte == 2.0


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE"])
def test_a_version_that_this_machine_was_built_without_is_no_refusal(reason: str) -> None:
    class Unable(Visit):
        def handshake(self, context: ssl.SSLContext) -> Any:
            raise ssl.SSLError(f"[SSL: {reason}] none")

    [found] = [each for each in registered() if each.id == "tls.old"]
    result = made(found, Unable())
    assert result is not None and (result.status, result.detail) == ("skipped", "the OpenSSL here cannot speak TLS 1.0")


def test_a_version_that_the_ssl_module_does_not_know_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tls._VERSIONS, "TLS 1.1", 0x3039)
    assert look("tls.old") == ("skipped", "the OpenSSL here cannot speak TLS 1.1")


def test_each_version_is_offered_alone_and_the_old_ones_with_ciphers_that_openssl_does_not_offer_by_itself() -> None:
    usual = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).security_level
    offered: dict[str, int] = {}

    class Offering(Visit):
        def handshake(self, context: ssl.SSLContext) -> Any:
            offered[context.minimum_version.name] = context.security_level
            return super().handshake(context)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for each in registered():
            if each.id in ("tls.old", "tls.1.2", "tls.1.3"):
                made(each, Offering())
    assert offered == {"TLSv1": 0, "TLSv1_1": 0, "TLSv1_2": usual, "TLSv1_3": usual}


def test_an_authority_may_have_no_name() -> None:
    visit = Visit()
    visit.__dict__["certificate"] = {"issuer": ((("countryName", "US"),),)}
    [found] = [each for each in registered() if each.id == "tls.chain"]
    result = made(found, visit)
    assert result is not None and result.detail == "issued by an authority without a name"


def test_the_newest_version_is_spoken_by_a_site_that_speaks_no_other() -> None:
    assert look("tls.1.3", contract={"minimum_protocol_version": "TLSv1.3_2025"}) == ("passed", "TLS 1.3 accepted")


def test_a_certificate_that_a_preview_was_not_given_is_skipped() -> None:
    status, detail = look("tls.names", names=("localhost",), target={"preview": True})
    assert (status, detail) == ("skipped", "a preview knows no certificate that its templates do not make (names localhost)")
    assert look("tls.names", target={"preview": True})[0] == "passed"


# --- the edge ---------------------------------------------------------------------------------------------------------

AT_THE_EDGE = {"cache_rules": (CacheRule(pattern="*", cache_control="max-age=0, s-maxage=60"),)}
QUIET = {"indexing": False, "index_document": "/index.html"}


def in_turn(marks: str) -> Spoil:
    """The page answers so, request by request: `Hit:AGE`, `Miss`, or `-` for no word of CloudFront's."""
    told = iter(marks.split())

    def spoil(path: str, found: Answer) -> Answer:
        if path != "/buy":
            return found
        mark, _, age = next(told).partition(":")
        return spoilt(path, x_cache=None if mark == "-" else f"{mark} from cloudfront", age=age or None)(path, found)

    return spoil


@pytest.mark.parametrize(
    ("marks", "status", "detail"),
    [
        ("Miss Hit:0 Hit:0 Hit:1", "passed", "Miss, then Hit; Age 0 to 1 s"),
        ("Miss Miss Miss Hit:7", "passed", "Miss, then Hit; Age 7 to 7 s"),
        ("- Hit:1 Hit:2 Hit:3", "passed", "none, then Hit; Age 1 to 3 s"),
        ("RefreshHit:0 Hit:1 Miss Hit:3", "passed", "RefreshHit, then Hit; Age 1 to 3 s"),
        ("Hit:3 Miss Miss Miss", "failed", "x-cache: Hit, Miss, Miss, Miss (wanted: Hit from the second request on)"),
        ("- - - -", "failed", "x-cache: none, none, none, none (wanted: Hit from the second request on)"),
        ("Miss Hit Hit:2 Hit:3", "failed", "Miss, then Hit; Age -1 to 3 s"),
        ("Miss Hit:soon Hit:2 Hit:3", "failed", "Miss, then Hit; Age -1 to 3 s"),
        ("Miss Hit:3 Hit:2 Hit:3", "failed", "Miss, then Hit; Age 3 to 3 s"),
    ],
)
def test_the_page_is_kept_if_it_is_a_hit_that_grows_older(marks: str, status: str, detail: str) -> None:
    assert look("edge.page", contract=AT_THE_EDGE, spoil=in_turn(marks)) == (status, detail)


@pytest.mark.parametrize(
    ("marks", "status", "detail"),
    [
        ("Miss Miss Miss Hit:1", "passed", "0 ms from the edge, 0 ms by way of the bucket"),
        ("Miss Miss Miss Miss Hit:1", "failed", "no request of the page was a Hit"),
    ],
)
def test_the_page_is_asked_for_four_times(marks: str, status: str, detail: str) -> None:
    assert look("edge.first_byte", contract=AT_THE_EDGE, spoil=in_turn(marks)) == (status, detail)


@pytest.mark.parametrize("contract", [{**QUIET, "indexing": True}, {"indexing": False}], ids=["indexed", "below a path"])
def test_where_search_engines_may_come_or_the_root_is_not_ours_nothing_is_said_of_robots(contract: dict[str, Any]) -> None:
    [found] = [each for each in registered() if each.id == "edge.robots"]
    assert made(found, Visit(target=replace(TARGET, contract=msgspec.structs.replace(SITE_CONTRACT, **contract)))) is None


def test_milliseconds_are_those_of_the_quickest_hit_and_of_what_only_the_bucket_answers() -> None:
    times = iter((9.0, 0.5, 0.25, 3.0))

    def spoil(path: str, found: Answer) -> Answer:
        return replace(found, first_byte=next(times) if path == "/buy" else 1.5)

    told = ("passed", "250 ms from the edge, 1,500 ms by way of the bucket")
    assert look("edge.first_byte", contract=AT_THE_EDGE, spoil=spoil) == told


@pytest.mark.parametrize("identity", ["edge.redirect_hosts", "edge.redirects"])
def test_a_table_of_the_edge_that_has_the_other_kind_alone_promises_nothing(identity: str) -> None:
    moved = Redirect(path="/old", to="/buy", status=301)
    routing = Routing(redirects=(moved,)) if identity == "edge.redirect_hosts" else Routing(redirect_hosts=("www.example.com",))
    [found] = [each for each in registered() if each.id == identity]
    assert made(found, Visit(target=replace(TARGET, contract=msgspec.structs.replace(SITE_CONTRACT, routing=routing)))) is None


# --- with and without a password --------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["http.2", "http.3", "auth.challenge", "auth.health"])
def test_what_everybody_may_ask_is_looked_at_without_the_password(identity: str) -> None:
    assert look(identity, target={"password": ""})[0] == "passed"


def test_a_site_that_is_open_has_no_refusal_nor_a_health_path_to_look_at() -> None:
    how: dict[str, Any] = {"contract": {"basic_auth": False}, "spoil": spoilt("/healthz", strict_transport_security=None)}
    assert look("headers.hsts", **how)[0] == "passed"
    told = look("headers.hsts", contract={"basic_auth": False}, target={"password": ""}, spoil=spoilt("/", strict_transport_security=None))
    assert (told[0], told[1].startswith("the root (302): none")) == ("failed", True)


def test_where_the_app_is_the_root_its_headers_are_told_once() -> None:
    status, detail = look("headers.hsts", contract={"entry_path": "/"}, spoil=spoilt("/", strict_transport_security=None))
    assert (status, detail) == ("failed", "the refusal (401): none; the page (200): none (wanted: max-age=63072000)")


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("images", "more"), [(5, ""), (6, "; and 1 more"), (7, "; and 2 more")])
def test_five_findings_of_a_page_are_told(images: int, more: str) -> None:
    body = b"".join(b'<img src="/buy/%d.png">' % number for number in range(images))
    status, detail = look(
        "pages.loads", spoil=lambda path, found: spoilt(path, body=body)(path, found) if path == "/buy" else answer(404, {})
    )
    assert status == "failed" and detail.count("which is not there") == 5
    assert detail.endswith(f"(missing-file){more}")


def test_a_finding_that_has_no_line_is_told_with_its_file() -> None:
    assert _place(Finding(code="x", file="config.json", text="t")) == "config.json"
    assert _place(Finding(code="x", file="index.html", text="t", line=3)) == "index.html:3"


def test_what_the_page_loads_of_other_hosts_and_folders_is_no_asset() -> None:
    body = b'<script src="https://cdn.example.org/x.js"></script><script src="/buy/folder/"></script><script src="/buy/a b.js"></script>'
    assert Visit(spoil=spoilt("/buy", body=body)).asset_paths == ("/buy/a%20b.js",)


def test_the_page_is_judged_as_it_is_served() -> None:
    quiet = Visit(spoil=spoilt("*", x_robots_tag="noindex, nofollow"))
    assert (quiet.page.name, quiet.around.indexed, quiet.around.configured) == ("index.html", False, {"api": "here"})
    assert quiet.around.basic_auth and quiet.around.headers["x-robots-tag"] == "noindex, nofollow"
    bare = Visit(target=replace(TARGET, contract=msgspec.structs.replace(SITE_CONTRACT, config_json=None)))
    assert bare.around.indexed and bare.around.configured == {}


def test_a_page_that_is_none_is_not_judged() -> None:
    status, detail = look("pages.loads", spoil=spoilt("/buy", content_type="text/plain"))
    assert (status, detail) == ("failed", "/buy answers 200 (text/plain), so its page is not known")


def test_the_page_in_place_of_a_file_is_nothing_and_a_file_with_its_bytes_is_one() -> None:
    assert Visit(spoil=spoilt("/buy/a.js", body=PAGE, content_type="text/html"))._find("/buy/a.js") is None
    same = Visit(spoil=spoilt("/buy/assets/app-1a2b.js", body=PAGE))._find("/buy/assets/app-1a2b.js")
    assert same is not None and (same.name, same.body()) == ("assets/app-1a2b.js", PAGE)
    other = Visit(spoil=spoilt("/buy/other.html", 200, b"<p>", content_type="text/html"))._find("/buy/other.html")
    assert other is not None and (other.content_type, other.cache_control) == ("text/html", "")


# --- Chromium ---------------------------------------------------------------------------------------------------------


class Broken(Exception):
    """As Playwright's."""

    message = "\n cannot start: no such file\nCall log:\n  - launching\n"


def playwright(monkeypatch: pytest.MonkeyPatch, launch: Any) -> None:
    @contextmanager
    def running() -> Iterator[Any]:
        yield SimpleNamespace(chromium=SimpleNamespace(launch=launch))

    monkeypatch.setitem(sys.modules, "playwright.sync_api", SimpleNamespace(Error=Broken, sync_playwright=running))


def test_a_browser_that_does_not_start_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def launch(**_: Any) -> None:
        raise Broken

    playwright(monkeypatch, launch)
    with pytest.raises(Failed, match=r"^Chromium: cannot start: no such file$"):
        visit_all(TARGET, ("/buy",))


def test_every_address_is_visited_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[tuple[str, Any]] = []

    def page() -> Any:
        return SimpleNamespace(
            on=lambda *_: None,
            goto=lambda url, wait_until: gone.append((url, wait_until)),
            wait_for_timeout=lambda quiet: gone.append(("waits", quiet)),
            close=lambda: None,
        )

    context = SimpleNamespace(new_page=page)
    playwright(monkeypatch, lambda **_: SimpleNamespace(new_context=lambda **_: context, close=lambda: None))
    assert [each.path for each in visit_all(TARGET, ("/buy", "/buy/a"))] == ["/buy", "/buy/a"]
    assert gone == [
        *(("https://dev.example.com/buy", "load"), ("waits", 1000.0)),
        *(("https://dev.example.com/buy/a", "load"), ("waits", 1000.0)),
    ]


@pytest.mark.parametrize(("user", "kept"), [(0, False), (1000, True)])
def test_chromium_keeps_its_sandbox_unless_it_is_started_by_root(user: int, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}

    def launch(**how: Any) -> Any:
        started.update(how)
        return SimpleNamespace(new_context=lambda **_: None, close=lambda: None)

    monkeypatch.setattr(os, "geteuid", lambda: user)
    running: Any = SimpleNamespace(chromium=SimpleNamespace(launch=launch))
    with opened(running, TARGET):
        assert ("--no-sandbox" not in started["args"]) is kept


@pytest.mark.parametrize("kind", ["requests", "policy", "console"])
def test_what_chromium_saw_is_told_by_the_check_of_its_kind(kind: str) -> None:
    from verification.browser import PageErrors

    visit = Visit(target=Target(contract=SITE_CONTRACT, browser="/chrome"))
    complaints: dict[str, Any] = {kind: ("oh",)}
    visit.__dict__["visits"] = (PageErrors(path="/buy", **complaints),)
    visit.__dict__["page"] = SimpleNamespace(paths=("/buy",))
    found = {each.id: made(each, visit) for each in registered() if each.id.startswith("browser.")}
    told = {identity: (result.status, result.detail) for identity, result in found.items() if result is not None}
    every = dict.fromkeys(("browser.requests", "browser.policy", "browser.console"), ("passed", "nothing at /buy"))
    assert told == {**every, f"browser.{kind}": ("failed", "/buy: oh")}


# --- the table --------------------------------------------------------------------------------------------------------


def test_a_check_that_is_added_stays_a_function_and_comes_where_its_theme_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    made_so_far: list[Registered] = []
    monkeypatch.setattr(registry, "_CHECKS", made_so_far)

    def seen(_: Probe) -> str:
        return "seen"

    ids = ["unheard.of", "bucket.b", "bucket.a", f"{THEMES[-1]}.a", f"{THEMES[0]}.a"]
    assert all(check(identity, f"The {identity}")(seen) is seen for identity in ids)
    found = registered()
    assert [each.id for each in found] == [f"{THEMES[0]}.a", "bucket.b", "bucket.a", f"{THEMES[-1]}.a", "unheard.of"]
    assert {(each.title, each.check) for each in found} == {(f"The {identity}", seen) for identity in ids}


def test_the_reason_of_what_is_skipped_says_not_what_to_give() -> None:
    skipped = Skipped("not known", NOT_ASKED)
    assert (str(skipped), skipped.give) == ("not known", NOT_ASKED)


def test_an_answer_says_when_its_type_is_missing() -> None:
    assert look("assets.load", spoil=lambda path, found: found if path == "/buy" else answer(404, {})) == (
        "failed",
        "; ".join(
            f"{path}: 404 (no content type), wanted {kind}"
            for path, kind in (
                ("/buy/assets/app-1a2b.js", "text/javascript; charset=utf-8"),
                ("/buy/assets/app-1a2b.css", "text/css; charset=utf-8"),
                ("/buy/logo.png", "image/png"),
            )
        ),
    )

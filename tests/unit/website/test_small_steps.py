"""Parts of a publish by themselves: what CloudFront is asked to forget, in which order files go, what a real browser complains of."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from adoption.as_found import release_as_found
from assembly.model import CacheRule
from aws.errors import AccessDenied, AwsError, NotFound, Throttled
from aws.s3 import Head
from tests.unit.recovery.world import Clock, a_run
from tests.unit.website.live_site import AT_ROOT, SITE, Edge, Live, Object
from tests.unit.website.test_content import CONTRACT
from tests.unit.website.visits import PASSWORD, TARGET, Visit
from verification.browser import ARGUMENTS, PageErrors, opened, visit
from verification.checks.browser import _nothing
from verification.checks.replica import _replicated, _some
from verification.model import Endpoint, Failed, Skipped
from website.activation import forget, settle
from website.content import (
    FileEntry,
    base64_digest,
    cache_control,
    content_digest,
    generated_entry,
    generated_files,
    key_prefix,
    rank,
    read,
)
from website.errors import SourceError, WebsiteError
from website.releases import Pending, State
from website.run import Begun, Warned, count, size, step_line
from website.snapshot import read_snapshot, with_every_manifest


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(folder=tmp_path)


# --- what CloudFront forgets ----------------------------------------------------------------------------------------

PENDING = State(environment="dev", pending=Pending(paths=("/", "/a"), reference="release-1"))


def asked(live: Live, edge: Edge, state: State = PENDING, seconds: float = 600.0) -> tuple[str, bool]:
    live.edge = edge
    run = live.run()
    return forget(live.site, state, type(run)(**{**vars(run), "invalidation_seconds": seconds}))


def test_what_need_not_be_forgotten_is_not_asked_for(live: Live) -> None:
    assert asked(live, Edge(), State(environment="dev")) == ("", True)
    assert live.edge.asked == [] and live.told == []


def test_it_is_looked_at_at_once_and_then_less_and_less_often(live: Live) -> None:
    assert asked(live, Edge(looks=[False, False, Throttled("slow down"), False, True])) == ("I1", True)
    assert live.slept == [1.0, 1.5, 2.25, 3.375]
    assert live.edge.asked == [("E1", ("/", "/a"), "release-1")]
    assert live.steps() == ["waiting until every edge has forgotten 2 paths (invalidation I1)"] and live.warnings() == []
    done = Live(folder=live.folder)
    assert asked(done, Edge()) == ("I1", True) and done.slept == []


def test_it_is_waited_for_as_long_as_the_run_says_and_ten_seconds_at_the_most_between_looks(live: Live) -> None:
    assert asked(live, Edge(looks=[False]), seconds=60.0) == ("I1", False)
    briefly = Live(folder=live.folder)
    assert asked(briefly, Edge(looks=[False]), seconds=1.0) == ("I1", False) and briefly.slept == [1.0]
    assert max(live.slept) == 10.0 and 60.0 <= sum(live.slept) < 70.0
    (told,) = live.warnings()
    assert told.startswith("invalidation I1 is still under way after 6") and "the next publish or rollback-release asks again" in told
    assert told.endswith("look: aws cloudfront get-invalidation --distribution-id E1 --id I1")


def test_a_no_is_a_warning_with_what_to_type(live: Live) -> None:
    assert asked(live, Edge(refuses=AccessDenied("not you"))) == ("", False)
    (told,) = live.warnings()
    assert "CloudFront was not told to forget 2 paths" in told and "not you" in told and "--paths / /a" in told
    assert asked(live, Edge(looks=[False, NotFound("none")])) == ("I1", False)
    assert "how far invalidation I1 is cannot be read: none" in live.warnings()[-1]


def test_only_what_was_seen_forgotten_is_noted(live: Live) -> None:
    live.deploy(1)
    for edge, kept in ((Edge(refuses=AccessDenied("no")), True), (Edge(), False)):
        live.site.store.change(lambda state: msgspec.structs.replace(state, pending=PENDING.pending))
        live.edge = edge
        settle(live.site, live.state, live.run())
        assert (live.state.pending is not None) is kept
    other = Pending(paths=("/b",), reference="release-2")
    live.site.store.change(lambda state: msgspec.structs.replace(state, pending=other))
    settle(live.site, PENDING, live.run())
    assert live.state.pending == other, "a later release has added to it"


def test_a_note_that_cannot_be_written_is_a_warning(live: Live) -> None:
    live.deploy(1)
    live.site.store.change(lambda state: msgspec.structs.replace(state, pending=PENDING.pending))

    def refuse(method: str, bucket: str, key: str) -> None:
        raise AccessDenied("not you")

    live.buckets.before = refuse
    assert settle(live.site, live.state, live.run()) == ("I1", True)
    assert live.warnings()[-1].startswith("every edge has the release, but that could not be noted: not you")


# --- the first release ----------------------------------------------------------------------------------------------


def test_folders_and_the_ledger_are_no_files_of_the_first_release(live: Live) -> None:
    for key, body in {"index.html": b"<!doctype html>", "assets/": b"", ".releases/x": b"", "a.txt": b"a"}.items():
        live.buckets.objects[SITE, key] = Object(body)
    outcome = release_as_found(live.site, live.run())
    assert outcome.release.files == 2 and outcome.changed and outcome.invalidation == ""
    reading = next(e for e in live.told if isinstance(e, Begun) and e.step == "reading what is there")
    assert (reading.files, reading.size) == (2, 16)
    manifest = live.site.store.manifest(outcome.release.manifest)
    assert {f.key: f.content_type for f in manifest.files} == {
        "a.txt": "application/octet-stream",
        "index.html": "application/octet-stream",
    }
    keeping = next(e for e in live.told if isinstance(e, Begun) and e.step == "keeping copies for a rollback")
    assert (keeping.files, keeping.size) == (2, 16)
    with pytest.raises(WebsiteError, match="has releases already"):
        release_as_found(live.site, live.run())


# --- content --------------------------------------------------------------------------------------------------------


def entry(key: str, kind: str = "text/plain", cache: str = "", **more: Any) -> FileEntry:
    usual: dict[str, Any] = {"sha256": hashlib.sha256(key.encode()).hexdigest(), "md5": "", "size": 1}
    return FileEntry(key=key, content_type=kind, cache_control=cache, **(usual | more))


@pytest.mark.parametrize(
    ("key", "kind", "cache", "place"),
    [
        ("assets/a.js", "text/javascript", "max-age=1, immutable", 0),
        ("a.js", "text/javascript", "no-cache", 1),
        ("about.html", "text/html; charset=utf-8", "no-cache", 2),
        ("about.html", "text/html", "immutable", 2),
        ("buy/index.html", "text/html", "", 3),
        ("sw.js", "text/javascript", "", 4),
        ("x/service-worker.js", "text/javascript", "immutable", 4),
        ("sw.mjs", "text/javascript", "", 4),
        ("my-sw.js", "text/javascript", "", 4),
        ("ngsw-worker.js", "text/javascript", "", 4),
        ("ngsw.json", "application/json", "", 4),
        ("flutter_service_worker.js", "text/javascript", "", 4),
        ("_app/version.json", "application/json", "", 4),
        ("answer.js", "text/javascript", "", 1),
        ("data/conversion.json", "application/json", "", 1),
    ],
)
def test_what_others_refer_to_goes_first(key: str, kind: str, cache: str, place: int) -> None:
    assert rank(entry(key, kind, cache), "buy/index.html") == place


def test_the_first_rule_counts_and_a_precompressed_file_follows_what_it_stands_for() -> None:
    rules = (CacheRule(pattern="assets/*", cache_control="long"), CacheRule(pattern="*.js", cache_control="short"))
    assert [cache_control(key, rules) for key in ("assets/a.js", "a.js", "a.js.gz", "a.js.br", "a.css", "A.JS")] == [
        "long",
        "short",
        "short",
        "short",
        "",
        "",
    ]


def test_the_digest_is_of_built_files_under_their_own_paths() -> None:
    both = [entry("buy/b"), entry("buy/a"), entry("buy/config.json", generated=True)]
    lines = "".join(f"{hashlib.sha256(key.encode()).hexdigest()}  {key[4:]}\n" for key in ("buy/a", "buy/b"))
    assert content_digest("buy/", both) == hashlib.sha256(lines.encode()).hexdigest()
    assert content_digest("buy/", both[:1]) != content_digest("", both[:1])
    assert base64_digest("00ff") == "AP8="


def test_the_prefix_is_the_folder_of_the_index_document() -> None:
    for document, prefix in (("/index.html", ""), ("/buy/index.html", "buy/"), ("/a/b/index.html", "a/b/"), ("index.html", "")):
        assert key_prefix(msgspec.structs.replace(CONTRACT, index_document=document)) == prefix


def test_what_the_environment_makes_itself() -> None:
    def made(prefix: str = "", shipped: tuple[str, ...] = (), **more: Any) -> list[str]:
        usual: dict[str, Any] = {"config_json": None, "indexing": True, "not_found_page": "", "error_page": ""}
        return sorted(generated_files(prefix, msgspec.structs.replace(AT_ROOT, **(usual | more)), shipped))

    assert made() == [] == made("buy/", indexing=False)
    assert made(indexing=False) == ["robots.txt"] and made("buy/", config_json={"a": 1}) == ["buy/config.json"]
    pages: dict[str, Any] = {"not_found_page": "/404.html", "error_page": "/500.html"}
    assert made(**pages) == ["404.html", "500.html"] and made(shipped=("404.html",), **pages) == ["500.html"]
    assert made("buy/", shipped=("404.html",), **pages) == ["404.html", "500.html"], "that is another file"
    body = generated_files("", msgspec.structs.replace(AT_ROOT, indexing=False), ())["robots.txt"]
    assert body == b"User-agent: *\nDisallow: /\n"
    found = generated_entry("robots.txt", body, ())
    assert (found.generated, found.size, found.md5) == (True, len(body), hashlib.md5(body, usedforsecurity=False).hexdigest())


def test_a_folder_that_is_none_and_one_without_a_page(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such directory; build the front end first"):
        read(tmp_path / "none", AT_ROOT)
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(SourceError, match=r"no index.html; is this the directory"):
        read(tmp_path, AT_ROOT)
    (tmp_path / "index.html").write_text("<!doctype html><title>a</title>")
    found = read(tmp_path, AT_ROOT, exclude=("*.map",))
    assert any("--exclude *.map: there is no such file" in note for note in found.notes)
    assert any("no file matches an immutable cache rule" in note for note in found.notes)


def test_two_objects_are_the_same_with_the_same_bytes_and_headers() -> None:
    one = entry("a", "text/plain", "x")
    assert one.same_object(entry("a", "text/plain", "x", md5="other", size=9)) and one.same_object(
        entry("b", "text/plain", "x", sha256=one.sha256)
    )
    for other in (entry("a", "text/html", "x"), entry("a", "text/plain", "y"), entry("b", "text/plain", "x")):
        assert not one.same_object(other)
    assert entry("a", cache="max-age=1, immutable").immutable and not one.immutable


# --- a run, and what it reads ---------------------------------------------------------------------------------------


def test_unless_it_is_told_otherwise_a_run_takes_over_nothing_and_waits_for_minutes() -> None:
    run, _ = a_run(Clock())
    assert (run.take_over, run.invalidation_seconds, run.replica_seconds) == (False, 600.0, 300.0)


def test_a_manifest_that_the_ledger_does_not_have_is_not_read_whatever_the_list_of_releases_says(live: Live) -> None:
    first, second = (live.deploy(number).release.manifest for number in (1, 2))
    assert set(with_every_manifest(live.site, read_snapshot(live.site)).manifests) == {first, second}
    (entry,) = [key for key in live.ledger() if first in key]
    del live.buckets.objects[SITE, entry]
    assert set(with_every_manifest(live.site, read_snapshot(live.site)).manifests) == {second}


# --- in words -------------------------------------------------------------------------------------------------------


def test_numbers_and_sizes_in_words() -> None:
    assert [count(n, "file") for n in (0, 1, 2, 1_000)] == ["0 files", "1 file", "2 files", "1,000 files"]
    told = [size(n) for n in (0, 999, 1_000, 9_949, 10_000, 999_499, 999_500, 999_500_000, 2_000_000_000_000)]
    assert told == ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.0 GB", "2000.0 GB"]
    assert step_line(Begun(step="s")) == "s" and step_line(Begun(step="s", files=1)) == "s: 1 file"
    assert step_line(Begun(step="s", files=2, size=1_000)) == "s: 2 files, 1.0 kB" and step_line(Begun(step="s", size=5)) == "s, 5 B"
    assert isinstance(Warned(text="a"), Warned)


# --- a real browser -------------------------------------------------------------------------------------------------


class Page:
    """A page of Playwright: what happens on a visit is given."""

    def __init__(self, *events: tuple[str, Any]) -> None:
        self.events, self.handlers, self.done = events, {}, []  # type: ignore[var-annotated]

    def new_page(self) -> Page:
        return self

    def on(self, name: str, handler: Any) -> None:
        self.handlers[name] = handler

    def goto(self, url: str, wait_until: str) -> None:
        self.done.append(f"{url} {wait_until}")
        for name, event in self.events:
            if isinstance(event, Exception) and name == "raise":
                raise event
            self.handlers[name](event)

    def wait_for_timeout(self, quiet: float) -> None:
        self.done.append(f"quiet {quiet:.0f}")

    def close(self) -> None:
        self.done.append("closed")


def message(text: str, kind: str = "error") -> tuple[str, Any]:
    return "console", SimpleNamespace(type=kind, text=text)


def test_what_a_visit_sees() -> None:
    page = Page(
        message("it broke  in\n two lines"),
        message("it broke in two lines"),
        message("only a warning", "warning"),
        message("Failed to load resource: 404"),
        message("Refused by Content Security Policy: script"),
        message("x" * 400),
        ("pageerror", ValueError("uncaught")),
        ("requestfailed", SimpleNamespace(url="u1", failure="net::ERR_FAILED")),
        ("requestfailed", SimpleNamespace(url="u2", failure="net::ERR_ABORTED")),
        ("requestfailed", SimpleNamespace(url="u3", failure="csp")),
        *[("response", SimpleNamespace(url="u4", status=status)) for status in (200, 399, 400, 500, 500)],
    )
    context: Any = page
    seen = visit(context, "https://example.org", "/a")
    assert seen == PageErrors(
        path="/a",
        policy=("Refused by Content Security Policy: script",),
        console=("it broke in two lines", "x" * 300, "uncaught"),
        requests=("u1: net::ERR_FAILED", "u4: 400", "u4: 500"),
    )
    assert page.done == ["https://example.org/a load", "quiet 1000", "closed"]
    broken: Any = Page(("raise", OSError("no")))
    with pytest.raises(OSError):
        visit(broken, "https://example.org", "/")
    assert broken.done[-1] == "closed"


@pytest.mark.parametrize(
    ("endpoint", "words"), [(Endpoint(host="127.0.0.1", port=1, tls=False), "plain HTTP"), (Endpoint(host="127.0.0.1", port=1), "password")]
)
def test_what_cannot_be_visited_is_skipped(endpoint: Endpoint, words: str) -> None:
    with pytest.raises(Skipped, match=words):
        _ = Visit(target=dataclasses.replace(TARGET, password="", browser="chromium", endpoint=endpoint)).visits
    with pytest.raises(Skipped, match="password"):
        _ = Visit(target=dataclasses.replace(TARGET, password="", browser="chromium")).visits


def launched(endpoint: Endpoint | None, **contract: Any) -> tuple[dict[str, Any], Any]:
    """What Chromium is started with, and what the visits share."""
    started: dict[str, Any] = {}
    ended: list[str] = []

    def launch(**how: Any) -> Any:
        started.update(how)
        return SimpleNamespace(new_context=lambda **more: more, close=lambda: ended.append("closed"))

    target = dataclasses.replace(
        TARGET, contract=msgspec.structs.replace(TARGET.contract, **contract), endpoint=endpoint, browser="/chrome"
    )
    running: Any = SimpleNamespace(chromium=SimpleNamespace(launch=launch))
    with opened(running, target) as context:
        assert ended == []
    assert ended == ["closed"]
    return started, context


def test_chromium_is_led_to_the_preview_whose_certificate_nobody_knows() -> None:
    started, context = launched(Endpoint(host="127.0.0.1", port=8443))
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses to start with one
    assert started["args"] == [*ARGUMENTS, "--host-resolver-rules=MAP dev.example.com:443 127.0.0.1:8443", *as_root]
    assert (started["headless"], started["executable_path"], context["ignore_https_errors"]) == (True, "/chrome", True)
    plain, public = launched(None, basic_auth=False)
    assert plain["args"] == [*ARGUMENTS, *as_root]
    assert public == {"ignore_https_errors": False}


def test_chromium_has_the_password_for_the_site_alone() -> None:
    _, context = launched(None)
    origin = "https://dev.example.com"
    assert context["http_credentials"] == {"username": "ann", "password": PASSWORD, "origin": origin, "send": "unauthorized"}


def test_at_most_five_complaints_are_shown() -> None:
    probe: Any = SimpleNamespace(page=SimpleNamespace(paths=("/", "/a")))
    assert _nothing(probe, [(PageErrors(path="/"), ())]) == "nothing at /, /a"
    seen = PageErrors(path="/")
    with pytest.raises(Failed, match=r"^/: 0; /: 1; /: 2; /: 3; /: 4; and 1 more$"):
        _nothing(probe, [(seen, tuple(map(str, range(6))))])
    with pytest.raises(Failed, match=r"^/: 0; /: 1; /: 2; /: 3; /: 4$"):
        _nothing(probe, [(seen, tuple(map(str, range(5))))])


# --- the replica ----------------------------------------------------------------------------------------------------


def replicated(live: Live, error: AwsError | None = None, **heads: Head | None) -> str:
    def unlike() -> list[str]:
        if error is not None:
            raise error
        return list(heads)

    replica = SimpleNamespace(unlike=unlike, head=lambda key: heads[key], keys=tuple("abcdef"))
    probe: Any = SimpleNamespace(target=SimpleNamespace(replica=replica, preview=False), now=lambda: live.now)
    return _replicated(probe)


def head(live: Live, status: str, hours: float | None = 1.0) -> Head:
    modified = None if hours is None else live.now - timedelta(hours=hours)
    return Head(key="k", size=1, etag="e", replication=status, modified=modified)


def test_what_the_replica_lacks_is_judged_by_what_s3_says_of_the_source(live: Live) -> None:
    assert replicated(live) == "6 of 6 files, byte for byte"
    assert replicated(live, a=head(live, "PENDING"), b=head(live, "PENDING", 24)) == "4 of 6 files, byte for byte, 2 pending"
    assert replicated(live, a=head(live, "PENDING", None)).endswith("1 pending")
    with pytest.raises(Failed, match=r"^pending for more than 24 hours: a$"):
        replicated(live, a=head(live, "PENDING", 24.1), b=head(live, "FAILED"))
    with pytest.raises(Failed, match=r"^S3 could not replicate b;"):
        replicated(live, a=head(live, "PENDING"), b=head(live, "FAILED"))
    for other in (None, head(live, "COMPLETED"), head(live, "")):
        with pytest.raises(Failed, match=r"^not there, or with other bytes: b; `dr backfill`"):
            replicated(live, a=head(live, "PENDING"), b=other)
    with pytest.raises(Failed, match=r"^cannot be read: not you$"):
        replicated(live, AccessDenied("not you"))


def test_three_keys_are_named() -> None:
    assert (_some("cba"), _some("dcba"), _some("a")) == ("a, b, c", "a, b, c and 1 more", "a")


def test_a_finding_in_one_line_with_its_place() -> None:
    from pages.findings import Finding
    from website.judging import note, refusal

    found = Finding(code="secret", file="a'b.js", line=3, text="a key", remedy="take it out")
    assert refusal(found, "dist") == ("dist/a'b.js:3: a key; take it out; to publish it all the same: --allow 'secret:a'\"'\"'b.js'")
    bare = Finding(code="secret", file="a.js", text="a key")
    assert refusal(bare, "") == "a.js: a key; to publish it all the same: --allow 'secret:a.js'"
    assert note(found) == "a'b.js:3: a key; take it out (secret)" and note(bare) == "a.js: a key (secret)"
    known = Finding(code="secret", file="a.js", text="allowed: a key", remedy="take it out")
    assert note(known) == "a.js: allowed: a key (secret)"


def test_a_preview_is_not_told_to_ask_aws() -> None:
    from verification.model import NOT_ASKED
    from verification.probe import Probe

    for preview, give in ((True, ""), (False, NOT_ASKED)):
        anything: Any = SimpleNamespace(target=SimpleNamespace(preview=preview))
        skipped = Probe.unasked(anything, "the bucket")
        assert (str(skipped), skipped.give) == ("the bucket is not known here", give)

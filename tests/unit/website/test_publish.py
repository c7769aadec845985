"""Publishing to a site in memory: the order of the writes, what is approved, what is cut off, what CloudFront forgets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from assembly.files import sha256
from aws.errors import AccessDenied, Conflict, Throttled
from tests.unit.website.live_site import ARTIFACTS, SITE, Live, Object
from website.claims import claim
from website.content import Content
from website.errors import Busy, Moved, NotDeployed, SourceError, WebsiteError
from website.ledger import entry_key
from website.planner import manifest_of, refuse_moved
from website.publish import live_already
from website.run import Begun, Outcome, Sent
from website.snapshot import read_snapshot

OTHERS = {"robots.txt": "none", "about.html": "<p>about", "sw.js": "self"}


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(folder=tmp_path)


# --- a release ----------------------------------------------------------------------------------------------------


def test_what_others_refer_to_is_written_first_and_the_ledger_before_everything(live: Live) -> None:
    outcome = live.publish(live.content({**live.app(1), **OTHERS}), commit="abc")
    written = [key for _, key in live.writes()]
    assert written[0] == entry_key("", 1, outcome.plan.manifest)
    assert written[1:] == ["assets/app-1.js", "robots.txt", "about.html", "index.html", "sw.js"]
    assert live.steps() == ["keeping copies for a rollback", "immutable files", "other files", "pages", "index document", "service workers"]
    release = live.state.live
    assert release is not None and outcome.release == release and outcome.changed
    assert (release.number, release.action, release.origin, release.commit, release.files) == (1, "publish", "build", "abc", 5)
    assert (release.by, release.at) == ("arn:aws:iam::1:user/ann", "2026-11-23T12:00:10Z")
    assert release.size == sum(len(text) for text in live.served().values())
    assert (live.state.bucket, live.state.claim, live.state.unfinished) == (SITE, None, {})
    headers = {key: o.headers for (b, key), o in live.buckets.objects.items() if b == SITE}
    assert headers["index.html"].content_type == "text/html; charset=utf-8"
    assert "immutable" in headers["assets/app-1.js"].cache_control and "immutable" not in headers["index.html"].cache_control
    assert {e.key for e in live.told if isinstance(e, Sent)} >= {"index.html", "robots.txt"}


def test_every_step_says_how_many_files_and_bytes_it_is_about(live: Live) -> None:
    live.deploy(1)
    steps = {e.step: (e.files, e.size) for e in live.told if isinstance(e, Begun)}
    page, script = len(live.served()["index.html"]), len(live.served()["assets/app-1.js"])
    assert steps["immutable files"] == (1, script)
    assert steps["index document"] == steps["keeping copies for a rollback"] == (1, page)


def test_files_that_a_later_release_overwrites_are_kept_by_their_digest_once(live: Live) -> None:
    live.deploy(1, **{"robots.txt": "none"})
    kept = live.site.store.content_key(sha256(b"none"))
    assert live.buckets.objects[ARTIFACTS, kept].body == b"none"
    assert not any(key.endswith(sha256(b"export default 1;")) for _, key in live.buckets.objects), "immutable files stay where they are"
    live.writes()
    live.deploy(2, **{"robots.txt": "none"})
    assert ("upload", kept) not in live.writes(ARTIFACTS)


def test_the_same_content_again_writes_nothing(live: Live) -> None:
    live.deploy(1)
    live.writes()
    again = live.deploy(1)
    assert (again.changed, again.release) == (False, live.state.live)
    assert live.writes() == [] and len(live.state.releases) == 1
    assert again.plan.kept == 2 and again.plan.changes == ()


def test_only_what_differs_is_written_and_what_is_gone_stays_for_visitors_of_the_old_page(live: Live) -> None:
    live.deploy(1, **{"robots.txt": "none"})
    live.writes()
    outcome = live.deploy(2, **{"robots.txt": "none"})
    assert [key for _, key in live.writes()][1:] == ["assets/app-2.js", "index.html"]
    assert outcome.plan.superseded == ("assets/app-1.js",)
    assert "assets/app-1.js" in live.served()
    changes = {change.key: (change.change, change.before_size) for change in outcome.plan.changes}
    assert changes == {"assets/app-2.js": ("add", None), "index.html": ("modify", len(live.served()["index.html"]))}
    assert [r.superseded_at for r in live.state.releases] == [outcome.release.at, ""]


def test_a_page_that_is_unchanged_but_served_with_other_headers_is_written_and_its_old_ones_told(live: Live) -> None:
    live.deploy(1)
    rules = tuple(msgspec.structs.replace(rule, cache_control="no-store") for rule in live.contract.cache_rules)
    live.contract = msgspec.structs.replace(live.contract, cache_rules=rules)
    outcome = live.deploy(1)
    changed = {change.key: change for change in outcome.plan.changes}
    assert {change.change for change in changed.values()} == {"headers"}
    assert changed["assets/app-1.js"].before == "text/javascript; charset=utf-8; cache-control: public, max-age=31536000, immutable"
    assert live.buckets.objects[SITE, "index.html"].headers.cache_control == "no-store"
    assert len(live.state.releases) == 2


def test_an_object_that_no_release_wrote_is_written_again_for_its_headers_are_not_known(live: Live) -> None:
    content = live.content(live.app(1))
    live.buckets.objects[SITE, "assets/app-1.js"] = Object(b"export default 1;")
    live.buckets.objects[SITE, "other.txt"] = Object(b"of somebody else")
    outcome = live.publish(content)
    changed = {change.key: change for change in outcome.plan.changes}
    assert (changed["assets/app-1.js"].change, changed["assets/app-1.js"].before) == ("headers", "not written by a release")
    assert live.served()["other.txt"] == "of somebody else"


def test_new_content_under_an_immutable_name_is_warned_of(live: Live) -> None:
    live.deploy(1)
    files = {**live.app(1), "assets/app-1.js": "export default 'other';"}
    live.publish(live.content(files))
    assert any("assets/app-1.js is served as immutable but has new content" in text for text in live.warnings())
    live.told.clear()
    live.deploy(2)
    assert not any("new content" in text for text in live.warnings())


def test_before_there_is_a_bucket_nothing_is_published(live: Live) -> None:
    live.buckets.missing.add(SITE)
    with pytest.raises(NotDeployed, match="there is no bucket site"):
        live.deploy(1)
    assert live.writes() == []


def test_a_number_is_never_used_twice_even_after_a_publish_that_was_cut_off(live: Live) -> None:
    first = live.deploy(1).release

    def cut(method: str, bucket: str, key: str) -> None:
        if key == "index.html":
            raise KeyboardInterrupt

    live.buckets.before = cut
    content = live.content(live.app(2))
    with pytest.raises(KeyboardInterrupt):
        live.publish(content)
    live.buckets.before = lambda *_: None
    assert live.state.live == msgspec.structs.replace(first) and live.state.claim is None
    assert len(live.state.unfinished) == 1
    other = live.deploy(3).release
    assert other.number == 3, "2 was begun"
    assert live.publish(content).release.number == 4


def test_the_same_content_after_a_cut_goes_on_under_its_own_number(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))

    def cut(method: str, bucket: str, key: str) -> None:
        if key == "index.html":
            raise KeyboardInterrupt

    live.buckets.before = cut
    with pytest.raises(KeyboardInterrupt):
        live.publish(content)
    live.buckets.before = lambda *_: None
    outcome = live.publish(content)
    assert outcome.release.number == 2 and live.state.unfinished == {}
    assert len(live.ledger()) == 2


def test_a_claim_that_is_left_over_the_live_release_is_let_go_of(live: Live) -> None:
    content = live.content(live.app(1))
    live.publish(content)
    now, etag = live.site.store.state()
    dead = live.run("bob")
    claim(live.site.store, now, etag, action="publish", manifest="", caller=dead.caller, token="x", now=dead.now)
    outcome = live.publish(content, run=live.run(take_over=True))
    assert (outcome.changed, live.state.claim, len(live.state.releases)) == (False, None, 1)


# --- others -------------------------------------------------------------------------------------------------------


def test_a_page_that_somebody_else_wrote_meanwhile_is_left_as_it_is(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))

    def meddle(method: str, bucket: str, key: str) -> None:
        if (method, bucket, key) == ("put", SITE, "index.html"):
            live.buckets.objects[SITE, "index.html"] = Object(b"theirs")

    live.buckets.before = meddle
    with pytest.raises(Busy, match=r"s3://site/index.html was written by somebody else"):
        live.publish(content)
    assert live.served()["index.html"] == "theirs"
    assert live.state.live is not None and live.state.live.number == 1


def test_a_page_whose_first_write_was_answered_by_nobody_is_ours(live: Live) -> None:
    content = live.content(live.app(1))

    def lost(method: str, bucket: str, key: str) -> None:
        if (method, bucket, key) == ("put", SITE, "index.html"):
            live.buckets.objects[SITE, "index.html"] = Object(live.app(1)["index.html"].encode())

    live.buckets.before = lost
    assert live.publish(content).changed


def test_a_page_that_is_removed_meanwhile_is_somebody_elses_doing(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))

    def meddle(method: str, bucket: str, key: str) -> None:
        if (method, bucket, key) == ("put", SITE, "index.html"):
            live.buckets.objects.pop((SITE, "index.html"), None)

    live.buckets.before = meddle
    with pytest.raises(Busy):
        live.publish(content)


def test_a_file_that_changes_after_it_was_checked_does_not_go_live(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))
    path = content.files["index.html"].path

    def grow(method: str, bucket: str, key: str) -> None:
        if key == "assets/app-2.js":
            path.write_text("<p>another")

    live.buckets.before = grow
    with pytest.raises(SourceError, match="the file was changed while it was published"):
        live.publish(content)
    assert "app-1" in live.served()["index.html"]


def test_who_was_taken_over_writes_no_page(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))

    def steal(method: str, bucket: str, key: str) -> None:
        if key == "assets/app-2.js":
            live.buckets.before = lambda *_: None
            now, etag = live.site.store.state()
            bob = live.run("bob")
            claim(
                live.site.store, now, etag, action="publish", manifest="b" * 64, caller=bob.caller, token="b", now=bob.now, take_over=True
            )

    live.buckets.before = steal
    with pytest.raises(Busy, match="user/bob on bob began a publish"):
        live.publish(content)
    assert "app-1" in live.served()["index.html"]


# --- an approved plan ---------------------------------------------------------------------------------------------


def test_exactly_what_was_approved_is_published(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))
    plan = live.plan(content)
    outcome = live.publish(content, approved=plan)
    assert outcome.changed and outcome.plan.changes == plan.changes
    assert (outcome.plan.live_number, outcome.plan.manifest) == (1, plan.manifest)
    again = live.publish(content, approved=plan)
    assert (again.changed, len(live.state.releases)) == (False, 2)


def test_an_approved_plan_whose_run_was_cut_off_before_cloudfront_forgot_asks_it_again(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))
    plan = live.plan(content)
    assert plan.invalidations == ("/", "/*", "/index.html")
    live.edge.refuses = AccessDenied("no")
    assert live.publish(content, approved=plan).invalidation_done is False
    live.edge.refuses = None
    again = live.publish(content, approved=plan)
    assert (again.changed, again.invalidation, again.invalidation_done) == (False, "I1", True)
    [(distribution, paths, reference)] = live.edge.asked
    assert (distribution, paths) == ("E1", plan.invalidations)
    assert reference.startswith(f"release-2-{plan.manifest[:16]}-")
    assert live.state.pending is None
    assert live.publish(content, approved=plan).invalidation == "", "what was forgotten is not asked for again"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("content", r"the content in build is not the one that was reviewed \([0-9a-f]{12}, not [0-9a-f]{12}\)"),
        ("headers", r"not the one that was reviewed \(other headers\)"),
        ("release", "release 2 went live after the plan was made"),
        ("bucket", "the bucket has changed since the plan was made: assets/app-2.js"),
        ("removed", "the releases were removed after the plan was made"),
    ],
)
def test_what_moved_since_the_review_is_refused_before_anything_is_written(live: Live, what: str, words: str) -> None:
    live.deploy(1)
    content = live.content(live.app(2))
    plan = live.plan(content)
    match what:
        case "content":
            content = live.content({**live.app(2), "more.txt": "x"})
        case "headers":
            rules = tuple(msgspec.structs.replace(rule, cache_control="no-store") for rule in live.contract.cache_rules)
            live.contract = msgspec.structs.replace(live.contract, cache_rules=rules)
            content = live.content(live.app(2))
        case "release":
            live.deploy(3)
        case "bucket":
            live.buckets.objects[SITE, "assets/app-2.js"] = Object(b"theirs")
        case "removed":
            del live.buckets.objects[ARTIFACTS, live.site.store.key("releases.json")]
    live.writes()
    with pytest.raises(Moved, match=words) as moved:
        live.publish(content, approved=plan)
    assert moved.value.command == "python deploy.py plan --env dev --content DIR"
    assert live.writes() == []


def test_a_plan_of_another_bucket_is_refused_and_one_of_a_bucket_to_be_is_not(live: Live) -> None:
    plan = live.plan(live.content(live.app(1)))
    with pytest.raises(Moved, match="the site bucket is site, and was elsewhere when the content was reviewed"):
        refuse_moved(msgspec.structs.replace(plan, bucket="elsewhere"), plan)
    refuse_moved(msgspec.structs.replace(plan, bucket=""), plan)
    refuse_moved(plan, plan)


def test_many_changes_are_named_by_three_of_them(live: Live) -> None:
    plan = live.plan(live.content({**live.app(1), **OTHERS}))
    with pytest.raises(Moved, match=r"about.html, assets/app-1.js, index.html and 2 more"):
        refuse_moved(msgspec.structs.replace(plan, changes=()), plan)
    for known, named in ((3, r"index.html$"), (4, r"index.html and 1 more$")):
        with pytest.raises(Moved, match=r"made: about.html, assets/app-1.js, " + named):
            refuse_moved(msgspec.structs.replace(plan, changes=plan.changes[known:]), plan)


# --- CloudFront ---------------------------------------------------------------------------------------------------


def test_what_was_overwritten_is_forgotten_and_waited_for(live: Live) -> None:
    assert live.deploy(1).invalidation == "", "nothing was there"
    live.edge.looks = [False, Throttled("slow down"), False, True]
    outcome = live.deploy(2)
    assert (outcome.invalidation, outcome.invalidation_done) == ("I1", True)
    [(_, paths, reference)] = live.edge.asked
    assert paths == ("/", "/*", "/index.html")
    assert reference == f"release-2-{outcome.plan.manifest[:16]}-{'0' * 16}"
    assert live.slept == [1.0, 1.5, 2.25]
    assert "waiting until every edge has forgotten 3 paths (invalidation I1)" in live.steps()


def test_a_rewritten_page_of_a_publish_that_was_cut_off_is_forgotten_by_the_next(live: Live) -> None:
    live.deploy(1)
    content = live.content(live.app(2))

    def cut(method: str, bucket: str, key: str) -> None:
        if key.endswith("releases.json") and "app-2" in live.served().get("index.html", ""):
            raise KeyboardInterrupt

    live.buckets.before = cut
    with pytest.raises(KeyboardInterrupt):
        live.publish(content)
    live.buckets.before = lambda *_: None
    assert live.edge.asked == []
    assert live.publish(content, run=live.run(take_over=True)).invalidation == "I1"


def test_where_nothing_is_cached_nothing_is_forgotten(live: Live) -> None:
    live.cached = False
    live.deploy(1)
    assert live.deploy(2).invalidation_done and live.edge.asked == []


def test_trouble_with_cloudfront_is_a_warning_for_the_release_is_live(live: Live) -> None:
    live.deploy(1)
    live.edge.refuses = AccessDenied("not authorized")
    refused = live.deploy(2)
    assert (refused.changed, refused.invalidation, refused.invalidation_done) == (True, "", False)
    assert "was not told to forget 3 paths, so visitors may get the earlier pages: not authorized" in live.warnings()[-1]
    assert live.state.pending is not None
    assert live.warnings()[-1].endswith(
        "asks again; or: aws cloudfront create-invalidation --distribution-id E1 --paths / '/*' /index.html"
    )
    live.distribution = AccessDenied("no outputs")
    live.deploy(4)
    assert live.warnings()[-1].endswith("no outputs; the next publish or rollback-release asks again")
    live.distribution = "E1"
    live.edge.refuses = None
    live.edge.looks = [AccessDenied("not yours")]
    unseen = live.deploy(3)
    assert len(live.edge.asked[-1][1]) == 3
    assert (unseen.invalidation, unseen.invalidation_done) == ("I1", False)
    assert "not yours" in live.warnings()[-1] and "get-invalidation --distribution-id E1 --id I1" in live.warnings()[-1]


def seen_live(live: Live, content: Content) -> Outcome | None:
    """What a publish that only looks says first."""
    return live_already(live.site, content, read_snapshot(live.site, manifest_of(live.site, content)), live.now, origin="build")


def test_what_a_killed_publish_did_not_see_forgotten_the_next_one_does_under_the_same_reference(live: Live) -> None:
    """Killed between the write that makes the release live and the end of the invalidation, at each place."""
    live.deploy(1)
    content = live.content(live.app(2))
    live.edge.looks = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        live.publish(content)
    assert live.state.live is not None and live.state.live.number == 2
    assert live.state.pending is not None
    assert seen_live(live, content) is None, "there is something to do: an edge may have the page of release 1"
    live.edge.looks = [True]
    again = live.publish(content)
    assert (again.changed, again.invalidation_done) == (False, True)
    found = seen_live(live, content)
    assert found is not None and not found.changed
    assert live.site.store.state()[0].pending is None
    first, second = live.edge.asked
    assert first == second, "CloudFront makes one invalidation of it"


@pytest.mark.parametrize("how", ["rollback", "another release"])
def test_what_was_not_seen_forgotten_goes_along_with_the_next_change(live: Live, how: str) -> None:
    live.deploy(1)
    live.publish(live.content({**live.app(1), "robots.txt": "one"}))
    live.edge.refuses = AccessDenied("no")
    live.publish(live.content({**live.app(1), "robots.txt": "two"}))
    assert live.state.pending is not None and live.state.pending.paths == ("/robots.txt",)
    live.edge.refuses = None
    if how == "rollback":
        live.rollback("1")
    else:
        live.deploy(4)
    page = {"/", "/*", "/index.html"} if how == "another release" else set()
    assert set(live.edge.asked[-1][1]) == {"/robots.txt", *page}
    assert live.state.pending is None


def test_prune_removes_nothing_while_an_edge_may_have_an_earlier_page(live: Live) -> None:
    for number in (1, 2, 3):
        live.deploy(number)
    live.edge.refuses = AccessDenied("no")
    live.deploy(4)
    live.later(days=40)
    with pytest.raises(WebsiteError, match="some edge may still have the page of an earlier release"):
        live.prune()
    assert "assets/app-1.js" in live.served()
    live.edge.refuses = None
    assert live.prune().pending is None
    assert "assets/app-1.js" not in live.served()


def test_an_invalidation_that_takes_too_long_is_left_to_cloudfront(live: Live) -> None:
    live.deploy(1)
    live.edge.looks = [False]
    outcome = live.publish(live.content(live.app(2)), run=replace(live.run(), invalidation_seconds=60.0))
    assert (outcome.changed, outcome.invalidation_done) == (True, False)
    assert 60 <= sum(live.slept) < 75 and max(live.slept) == 10.0
    assert f"still under way after {sum(live.slept):.0f} s" in live.warnings()[-1]


def test_a_conflict_in_the_list_of_releases_is_told_by_who_was_first(live: Live) -> None:
    content = live.content(live.app(1))

    def race(method: str, bucket: str, key: str) -> None:
        if key.endswith("releases.json"):
            raise Conflict("changed", code="PreconditionFailed")

    live.buckets.before = race
    with pytest.raises(Busy, match="were changed at the same moment"):
        live.publish(content)
    assert live.served() == {}


def test_a_publish_that_takes_long_says_once_a_minute_that_it_is_still_at_it(live: Live) -> None:
    live.deploy(1)
    content = live.content({**live.app(2), **{f"assets/{number}-abcdef12.js": f"export default {number}" for number in range(6)}})
    until: list[str] = []

    def slow(method: str, bucket: str, key: str) -> None:
        if method == "upload":
            live.later(seconds=40)
        if (method, bucket) == ("put", ARTIFACTS) and key.endswith("releases.json"):
            until.append(live.now.isoformat())

    live.buckets.before = slow
    began = live.now
    live.publish(content)
    spent = (live.now - began).total_seconds()
    assert spent > 200 and 4 <= len(until) < spent / 40, "the claim, a renewal every second upload, before the page, the end"

"""The page at the edge: kept, given without a word of the origin, and never without the password."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from preview.bucket import Invalidated, regions
from preview.cloudfront.cache import Cache
from preview.cloudfront.freshness import Lifetime
from preview.messages import Response
from preview.origin_faults import OriginFaults
from preview.session import Preview, Settings
from tests.environments_fixture import RECOVERY
from tests.unit.preview.site import PASSWORD, Clock, ask, files, get, one, site

DAY = 86_400.0
BR = (("Accept-Encoding", "br"),)


def marks(asked: Any) -> list[str]:
    return [(response.get("x-cache") or "").split()[0] for response in asked.responses]


def test_all_routes_share_one_cached_page_whatever_their_query() -> None:
    content = files()
    asked = ask(
        site("prod"), *(get(path, headers=BR) for path in ("/buy", "/buy/", "/buy/a.b?x=1", "/buy/user@example.com")), content=content
    )
    assert marks(asked) == ["Miss", "Hit", "Hit", "Hit"]
    assert [key for _, key in content.asked] == ["index.html"]
    assert {response.get("content-encoding") for response in asked.responses} == {"br"}


def test_the_page_is_asked_for_again_behind_the_visitors_back_after_a_day() -> None:
    content = files()
    asked = ask(site("prod"), get("/buy"), DAY + 1, get("/buy"), get("/buy"), content=content)
    assert marks(asked) == ["Miss", "Stale", "Hit"]
    assert [response.get("age") for response in asked.responses] == [None, str(int(DAY) + 1), "0"]
    assert len(content.asked) == 2


def test_a_page_that_is_too_old_to_be_given_is_asked_for_first() -> None:
    assert marks(ask(site("prod"), get("/buy"), 3 * DAY, get("/buy"))) == ["Miss", "RefreshHit"]


def test_the_page_outlives_the_bucket() -> None:
    """For a day as if nothing were wrong, for a second at once, for a week after the time-outs; then what CloudFront itself has to say."""
    down = OriginFaults(down_after=60)
    fresh = ask(site("prod"), get("/buy"), DAY - 60, get("/buy/deep/link"), faults=down)
    assert marks(fresh) == ["Miss", "Hit"]
    late = ask(site("prod"), get("/buy"), 3 * DAY, get("/buy"), 3, get("/buy"), faults=down)
    assert marks(late) == ["Miss", "Stale", "Hit"], "for ten seconds it is not asked again"
    assert "in place of 504" in next(s.text for s in late.outcomes[1].steps if "in place of" in s.text)
    gone = ask(site("prod"), get("/buy"), 9 * DAY, get("/buy"), faults=down)
    assert [response.status for response in gone.responses] == [200, 504]


def test_a_dead_bucket_is_given_up_after_the_time_outs_of_the_template() -> None:
    def edit(template: dict[str, Any]) -> None:
        for origin in template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["Origins"]:
            origin |= {"ConnectionAttempts": 1, "ConnectionTimeout": 2}
            origin["S3OriginConfig"]["OriginReadTimeout"] = 4

    def waited(found: Any, faults: OriginFaults) -> str:
        outcome = one(found, get("/buy"), faults=faults)
        assert outcome.response.status == 504
        return next(step.text for step in outcome.steps if step.stage == "origin")

    assert waited(site("prod"), OriginFaults(down_after=0)) == "site: no connection in 2 attempts of 3 s"
    assert waited(site("prod"), OriginFaults(slow=6)) == "site: no answer in 2 attempts of 5 s"
    assert waited(site("prod", site=edit), OriginFaults(down_after=0)) == "site: no connection in 1 attempts of 2 s"
    assert waited(site("prod", site=edit), OriginFaults(slow=5)) == "site: no answer in 1 attempts of 4 s"
    assert one(site("prod"), get("/buy"), faults=OriginFaults(slow=4)).response.status == 200


def test_a_cached_page_is_given_to_nobody_without_the_password() -> None:
    asked = ask(site("dev"), get("/buy", password=PASSWORD), get("/buy"), get("/buy", password="wrong"), get("/buy", password=PASSWORD))
    assert [response.status for response in asked.responses] == [200, 401, 401, 200]
    assert marks(asked)[3] == "Hit"
    assert b"<title>app" not in asked.responses[1].body + asked.responses[2].body


# --- errors ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sell", "/assets/gone.js", "/buy/gone.png"])
def test_what_is_missing_keeps_its_status_and_gets_the_page_with_every_header(path: str) -> None:
    response = one(site("prod"), get(path)).response
    assert response.status == 404
    assert b"not found" in response.body and b"<Error>" not in response.body
    assert len(response.body) < 4096
    assert response.get("x-content-type-options") == "nosniff", "no browser runs it as a script"
    assert response.get("content-security-policy") and response.get("strict-transport-security")
    assert "s-maxage=10" in (response.get("cache-control") or ""), "however CloudFront reads it, the error is not kept for long"


def test_a_refusal_and_a_bad_range_get_the_other_page() -> None:
    assert b"<title>error" in one(site("prod"), get("/robots.txt", method="OPTIONS")).response.body


def test_the_error_page_is_there_when_the_bucket_is_not_if_the_edge_has_it() -> None:
    content = files()
    content.files.pop("robots.txt")
    down = OriginFaults(down_after=60)
    asked = ask(site("prod"), get("/error.html"), 120, get("/robots.txt"), faults=down, content=content)
    assert [response.status for response in asked.responses] == [200, 504]
    assert b"<title>error" in asked.responses[1].body
    cold = ask(site("prod"), 120, get("/robots.txt"), faults=down, content=content)
    assert (cold.responses[0].status, b"<title>error" in cold.responses[0].body) == (504, False), "CloudFront has nothing to give then"


# --- two origins ---------------------------------------------------------------------------------------------------------

SCRIPT = "/assets/app-1a2b3c4d.js"


@pytest.mark.parametrize("status", [None, 403, 500, 502, 503, 504])
def test_the_replica_takes_over_where_the_first_origin_fails(status: int | None) -> None:
    """Page, deep links and assets, cold and warm; a time-out costs a visitor its seconds, an answer none."""
    gone = OriginFaults(down_after=60, status=status, first_only=True)
    found = site("prod", RECOVERY)
    asked = ask(found, get("/buy"), 3 * DAY, get("/buy"), get("/buy/deep/link"), get(SCRIPT), get("/buy/user@example.com"), faults=gone)
    assert [response.status for response in asked.responses] == [200] * 5
    assert marks(asked) == ["Miss", "RefreshHit", "Hit", "Miss", "Hit"]
    told = f"site answered {status or 504}, so replica is asked"
    assert told in [step.text for step in asked.outcomes[1].steps]
    assert told in [step.text for step in asked.outcomes[3].steps]


@pytest.mark.parametrize("status", [404])
def test_what_is_no_criterion_of_the_group_is_not_asked_twice(status: int) -> None:
    """404 is an answer at AWS; a template that names it has the replica asked."""
    refusing = OriginFaults(down_after=0, status=status, first_only=True)
    plain = one(site("prod", RECOVERY), get(SCRIPT), faults=refusing)
    assert plain.response.status == 404 or plain.response.status == status
    assert not any("so replica is asked" in step.text for step in plain.steps)

    def edit(template: dict[str, Any]) -> None:
        groups = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["OriginGroups"]["Items"]
        codes = groups[0]["FailoverCriteria"]["StatusCodes"]
        codes |= {"Items": [*codes["Items"], 404], "Quantity": codes["Quantity"] + 1}

    assert one(site("prod", RECOVERY, site=edit), get(SCRIPT), faults=refusing).response.status == 200


def test_with_both_gone_the_edge_gives_what_it_has_and_then_the_error_page_if_it_has_that() -> None:
    """The error page comes from the same two buckets; where it is not to be had, visitors get the status that its own origin gave.

    Source: CloudFront Developer Guide, "Generate custom error responses".
    """
    found, down = site("prod", RECOVERY), OriginFaults(down_after=60, status=503)
    warm = ask(found, get("/buy"), get("/error.html"), 2 * DAY, get("/buy"), get("/robots.txt"), faults=down)
    assert [response.status for response in warm.responses] == [200, 200, 200, 503]
    assert marks(warm)[2:] == ["Stale", "Error"]
    assert b"<title>error" in warm.responses[3].body
    cold = ask(found, 120, get("/buy"), faults=down)
    assert (cold.responses[0].status, b"<title>error" in cold.responses[0].body) == (503, False)
    old = ask(found, get("/buy"), get("/error.html"), 9 * DAY, get("/buy"), faults=down)
    assert (old.responses[2].status, b"<title>error" in old.responses[2].body) == (503, False), "a week is what stale-if-error says"


def test_each_bucket_is_asked_in_its_own_region() -> None:
    templates: dict[str, dict[str, Any]] = {
        "site": {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a"}}}},
        "replica": {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}, "Topic": {"Type": "X"}}},
    }
    assert regions(templates, {"site": "af-south-1", "replica": "eu-west-1"}) == {"a": "af-south-1", "b": "eu-west-1"}


# --- the cache ------------------------------------------------------------------------------------------------------------


def cached(clock: Clock, *paths: str) -> Cache:
    cache = Cache(clock)
    for path in paths:
        cache.put(("E1", "*", path, ()), Response(status=200, body=path.encode()), Lifetime(fresh=10, while_revalidating=20, on_error=30))
    return cache


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        (["/index.html"], {"/buy/a b", "/buy/caf%C3%A9"}),
        (["/buy/*"], {"/index.html"}),
        (["/buy/a%20b"], {"/index.html", "/buy/caf%C3%A9"}),
        (["/buy/caf%C3%A9"], {"/index.html", "/buy/a b"}),
        (["/*"], set()),
        (["/Index.html"], {"/index.html", "/buy/a b", "/buy/caf%C3%A9"}),
    ],
)
def test_an_invalidation_takes_exactly_its_paths(paths: list[str], left: set[str]) -> None:
    every = ("/index.html", "/buy/a b", "/buy/caf%C3%A9")
    cache = cached(Clock(), *every)
    assert cache.forget(paths) == 3 - len(left)
    assert {path for path in every if cache.get(("E1", "*", path, ()))} == left


@pytest.mark.parametrize(
    ("age", "condition", "on_error"),
    [(9, "fresh", True), (10, "revalidate", True), (29, "revalidate", True), (30, "expired", True), (39, "expired", True)],
)
def test_the_ages_of_an_object(age: float, condition: str, on_error: bool) -> None:
    clock = Clock()
    cache = cached(clock, "/x")
    clock.now = age
    found = cache.get(("E1", "*", "/x", ()))
    assert found is not None and (found.condition, found.on_error, found.age) == (condition, on_error, age)
    clock.now = 40
    assert cache.get(("E1", "*", "/x", ())) is None


def test_a_running_preview_forgets_what_later_invalidations_name(tmp_path: Path) -> None:
    listed = [Invalidated(id="I1", paths=("/x",))]
    said: list[str] = []
    clock = Clock()
    preview = Preview(
        Settings(
            directory=tmp_path,
            secrets=lambda _: {},
            port=0,
            folder=None,
            invalidations=lambda: tuple(listed),
            say=said.append,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            monotonic=clock,
        )
    )
    preview.cache.put(("E1", "*", "/x", ()), Response(status=200), Lifetime(fresh=10))

    async def look() -> None:
        await preview.follow_invalidations()

    asyncio.run(look())
    assert preview.cache.get(("E1", "*", "/x", ())) is not None, "one from before the start found an empty cache"
    listed.append(Invalidated(id="I2", paths=("/*",)))
    asyncio.run(look())
    asyncio.run(look())
    assert preview.cache.get(("E1", "*", "/x", ())) is None
    assert said == ["invalidation I2: 1 objects forgotten"]

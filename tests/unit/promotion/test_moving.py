"""Promote and failback against two regions in memory: nothing is lost, nobody publishes twice, and a kill at any moment is run again."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import signal
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aws.errors import AwsError, Conflict
from guards.termination import terminable
from promotion import carrying, fence
from promotion.records import mirror
from promotion.steps import Refused, failback, promote
from promotion.target import NotNext, Target, next_phase, publisher
from tests.unit.promotion import two_regions as two
from website.claims import begin
from website.errors import WebsiteError
from website.releases import Claim, timestamp
from website.run import Begun

PLAN, BACK = "a" * 64, "b" * 64


def standing() -> two.Aws:
    """A site with two releases, its replica and its records in both regions; the second release's page still waits to be replicated."""
    aws = two.Aws()
    two.publish(aws, two.HOME_REGION, 1, {"assets/one.js": b"1", "index.html": b"one", "config.json": b"{}"})
    aws.replicate()
    two.publish(aws, two.HOME_REGION, 2, {"assets/two.js": b"2"})
    aws.replicate()
    aws.write_at_home("index.html", b"two")
    w = two.gateways(aws)
    mirror(w.home, w.standby, "prod", allowed=lambda: True, now=aws.now())
    return aws


def promoted() -> two.Aws:
    aws = standing()
    aws.lost = True
    promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=False)
    return aws


def published_meanwhile() -> two.Aws:
    aws = promoted()
    two.publish(aws, two.STANDBY_REGION, 3, {"assets/three.js": b"3", "index.html": b"three", ".releases/3-x": b""})
    aws.lost = False
    aws.replicate()
    return aws


def phase(aws: two.Aws) -> str:
    return two.register(aws).read().target.phase


def assert_home_again(aws: two.Aws) -> None:
    aws.replicate()
    assert phase(aws) == "home"
    assert two.bodies(aws, two.SITE) == two.bodies(aws, two.REPLICA)
    assert aws.buckets[two.SITE]["index.html"].body == b"three"
    state, _ = two.place(aws, two.HOME_REGION).store("prod").state()
    assert [release.number for release in state.releases] == [1, 2, 3] and state.bucket == two.SITE
    assert {f"site/prod/manifests/{n:064x}.json" for n in (1, 2, 3)} <= aws.buckets[two.ARTIFACTS].keys()
    assert not fence.is_fenced(aws.policy) and aws.first == "site"
    assert [each["Sid"] for each in aws.policy["Statement"]] == ["TlsOnly"]


def test_promoted_without_the_home_region_releases_go_to_the_replica_and_it_is_asked_first() -> None:
    aws = promoted()
    target = two.register(aws).read().target
    assert (target.phase, target.epoch, target.distribution, target.plan) == ("standby", 2, two.DISTRIBUTION, PLAN)
    assert aws.first == "replica" and fence.is_fenced(aws.policy)


def test_what_waited_to_be_replicated_never_comes_over_a_newer_page() -> None:
    aws = promoted()
    two.publish(aws, two.STANDBY_REGION, 3, {"index.html": b"three"})
    aws.lost = False
    aws.replicate()
    assert aws.buckets[two.REPLICA]["index.html"].body == b"three"


def test_the_way_back_carries_home_what_was_published_and_every_object_is_the_same() -> None:
    aws = published_meanwhile()
    failback(two.gateways(aws), plan=BACK)
    assert_home_again(aws)


def test_what_never_reached_the_replica_is_not_lost() -> None:
    aws = promoted()
    aws.lost = False
    aws.replicate()
    failback(two.gateways(aws), plan=BACK)
    assert aws.buckets[two.SITE]["index.html"].body == b"two", "the replica's older page must not come home"
    assert two.bodies(aws, two.SITE) == two.bodies(aws, two.REPLICA)


def test_a_late_publisher_at_home_is_overwritten_where_the_standby_has_published_and_kept_elsewhere() -> None:
    aws = published_meanwhile()
    aws.write_at_home("assets/late.js", b"late")
    two.publish(aws, two.HOME_REGION, 9, {"config.json": b"late"})
    failback(two.gateways(aws), plan=BACK)
    aws.replicate()
    here = two.bodies(aws, two.SITE)
    assert here["assets/late.js"] == b"late" and here["index.html"] == b"three" and here["config.json"] == b"late"
    assert here == two.bodies(aws, two.REPLICA)
    state, _ = two.place(aws, two.HOME_REGION).store("prod").state()
    assert {release.number for release in state.releases} == {1, 2, 3, 9}
    assert state.live is not None and state.live.number == 3


def test_a_planned_promotion_waits_for_nobody_who_is_publishing() -> None:
    aws = standing()
    store = two.place(aws, two.HOME_REGION).store("prod")
    state, etag = store.state()
    claim = Claim(
        id="x", action="publish", manifest="", by="her", host="h", pid=1, started_at=timestamp(aws.now()), expires_at="2026-11-27T13:00:00Z"
    )

    store.write(msgspec.structs.replace(state, claim=claim), etag)
    with pytest.raises(Refused, match="her on h began a publish"):
        promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=True)
    assert phase(aws) == "promoting"
    store.change(lambda s: msgspec.structs.replace(s, claim=None))
    with pytest.raises(Refused, match="the replica lacks 1 object after"):
        promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=True)
    aws.replicate()
    promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=True)
    assert phase(aws) == "standby" and aws.buckets[two.REPLICA]["index.html"].body == b"two"


def test_a_promotion_that_was_cut_off_can_be_taken_back() -> None:
    aws = standing()
    aws.lost, aws.calls_left = True, 2
    with pytest.raises(two.Killed):
        promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=False)
    aws.lost, aws.calls_left = False, None
    assert phase(aws) == "promoting"
    failback(two.gateways(aws), plan=BACK)
    aws.replicate()
    assert phase(aws) == "home" and aws.buckets[two.SITE]["index.html"].body == b"two"
    assert two.bodies(aws, two.SITE) == two.bodies(aws, two.REPLICA)


def test_home_lost_again_in_the_middle_of_a_failback_leaves_nobody_the_target_and_visitors_the_replica() -> None:
    aws = published_meanwhile()
    aws.calls_left = 3
    with pytest.raises(two.Killed):
        failback(two.gateways(aws), plan=BACK)
    aws.calls_left, aws.lost = None, True
    with pytest.raises(AwsError):
        failback(two.gateways(aws), plan=BACK)
    assert phase(aws) == "failing-back" and aws.first == "replica"


def test_another_plan_does_not_go_on_with_what_somebody_else_began() -> None:
    aws = standing()
    aws.lost, aws.calls_left = True, 1
    with pytest.raises(two.Killed):
        promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=False)
    aws.calls_left = None
    with pytest.raises(NotNext):
        promote(two.gateways(aws), plan="c" * 64, distribution=two.DISTRIBUTION, planned=False)


def test_a_mirror_that_comes_late_never_writes_over_a_list_that_the_standby_has_published_with() -> None:
    aws = published_meanwhile()
    w = two.gateways(aws)
    before = w.standby.store("prod").state()[0]
    mirror(w.home, w.standby, "prod", allowed=lambda: two.register(aws).read().target.phase == "home", now=aws.now())
    assert w.standby.store("prod").state()[0] == before


def changes_of(begin: Any, do: Any) -> int:
    aws = begin()
    aws.changes = 0
    do(two.gateways(aws))
    return int(aws.changes)


def _promote(gateways: Any) -> None:
    promote(gateways, plan=PLAN, distribution=two.DISTRIBUTION, planned=False)


def _lost() -> two.Aws:
    aws = standing()
    aws.lost = True
    return aws


def _failback(gateways: Any) -> None:
    failback(gateways, plan=BACK)


@pytest.mark.parametrize("after", [False, True], ids=["before AWS has it", "after AWS has it"])
@pytest.mark.parametrize(
    ("begin", "do", "end"), [(_lost, _promote, "standby"), (published_meanwhile, _failback, "home")], ids=["promote", "failback"]
)
def test_a_kill_at_any_change_leaves_at_most_one_target_and_the_same_command_goes_on(begin: Any, do: Any, end: str, after: bool) -> None:
    moments = changes_of(begin, do)
    assert moments >= (4 if end == "standby" else 8)
    for moment in range(moments):
        aws = begin()
        aws.calls_left, aws.after = moment, after
        with pytest.raises(two.Killed):
            do(two.gateways(aws))
        aws.calls_left = None
        assert two.bodies(aws, two.REPLICA)["index.html"] in (b"one", b"three"), "visitors have a page"
        aws.replicate()
        if phase(aws) != end:
            do(two.gateways(aws))
        assert phase(aws) == end
        if end == "home":
            assert_home_again(aws)
        else:
            assert aws.first == "replica" and fence.is_fenced(aws.policy)
        assert_one_target(aws)


def terminated(aws: two.Aws) -> None:
    aws.calls_left = None
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("after", [False, True], ids=["before AWS has it", "after AWS has it"])
def test_a_request_to_terminate_at_any_change_of_a_failback_is_run_again(after: bool) -> None:
    """Unlike a kill it runs clean-ups, which may not make anybody a target; and what other threads are at comes to its end."""
    for moment in range(changes_of(published_meanwhile, _failback)):
        aws = published_meanwhile()
        aws.calls_left, aws.after, aws.stop = moment, after, functools.partial(terminated, aws)
        with pytest.raises(KeyboardInterrupt), terminable():
            _failback(two.gateways(aws))
        _goes_on(aws)


def test_a_request_to_terminate_as_any_step_of_a_failback_begins_is_run_again() -> None:
    def steps(aws: two.Aws, last: int | None = None) -> int:
        """How many began; a request to terminate comes with the `last` one."""
        begun: list[str] = []

        def report(event: object) -> None:
            if isinstance(event, Begun):
                begun.append(event.step)
                if len(begun) == last:
                    terminated(aws)

        found = two.gateways(aws)
        _failback(dataclasses.replace(found, run=dataclasses.replace(found.run, report=report)))
        return len(begun)

    number = steps(published_meanwhile())
    assert number >= 9
    for last in range(1, number + 1):
        aws = published_meanwhile()
        with pytest.raises(KeyboardInterrupt), terminable():
            steps(aws, last)
        _goes_on(aws)


def _goes_on(aws: two.Aws) -> None:
    assert two.bodies(aws, two.REPLICA)["index.html"] == b"three", "visitors have a page"
    aws.replicate()
    if phase(aws) != "home":
        _failback(two.gateways(aws))
    assert_home_again(aws)
    assert_one_target(aws)


def assert_one_target(aws: two.Aws) -> None:
    """Everything that the register ever said, in order."""
    said = [Target(environment="prod"), *(Target(**json.loads(body)) for body in aws.history)]
    for before, after in itertools.pairwise(said):
        assert next_phase(before.phase, after.phase) and after.epoch == before.epoch + 1
        assert {publisher(before.phase), publisher(after.phase)} != {"home", "standby"}, "there is a time between in which nobody publishes"


def test_of_two_operators_one_is_told_that_the_other_was_first() -> None:
    aws = standing()
    aws.lost = True
    found = two.register(aws).read()
    two.register(aws).change(found, "promoting", plan="c" * 64)
    with pytest.raises(Conflict):
        two.register(aws).change(found, "promoting", plan=PLAN)
    assert_one_target(aws)


def test_what_replication_brought_and_what_was_filled_in_before_is_not_taken_for_published() -> None:
    aws = promoted()
    aws.lost = False
    aws.replicate()
    # Denials take effect after some seconds: replication may still have come through, with an older page than home has.
    aws.tick()
    aws.buckets[two.REPLICA]["index.html"] = two.Object(b"old", aws.clock, "REPLICA")
    # Copied by a backfill, before the promotion.
    aws.buckets[two.REPLICA]["config.json"] = two.Object(b"older", aws.clock - timedelta(hours=1))
    failback(two.gateways(aws), plan=BACK)
    aws.replicate()
    assert aws.buckets[two.SITE]["index.html"].body == b"two" and aws.buckets[two.SITE]["config.json"].body == b"{}"
    assert aws.buckets[two.REPLICA]["index.html"].body == b"two"


def test_a_publisher_looks_at_the_register_after_its_claim_and_gives_the_claim_up() -> None:
    aws = standing()
    store = two.place(aws, two.HOME_REGION).store("prod")
    seen: list[bool] = []

    def moved() -> None:
        state, _ = store.state()
        seen.append(state.claim is not None)
        raise WebsiteError("releases do not go to this bucket any more")

    state, etag = store.state()
    site, snapshot = SimpleNamespace(store=store, still_target=moved), SimpleNamespace(state=state, etag=etag)
    with pytest.raises(WebsiteError):
        begin(site, snapshot, two.run(aws), action="publish", manifest="c" * 64)  # type: ignore[arg-type]
    assert seen == [True], "it looked while it had the claim"
    assert store.state()[0].claim is None


def test_what_others_uploaded_in_parts_holds_up_neither_a_promotion_nor_the_way_back() -> None:
    aws = standing()
    aws.replicate()
    # Before the replica was there, so that S3 never brings it.
    aws.buckets[two.SITE]["old.pdf"] = two.Object(b"old", aws.clock - timedelta(days=9), parts=2)
    promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=True)
    assert phase(aws) == "standby" and aws.buckets[two.REPLICA]["old.pdf"].body == b"old"
    aws.tick()
    aws.buckets[two.REPLICA]["new.pdf"] = two.Object(b"new", aws.clock, parts=3)
    failback(two.gateways(aws), plan=BACK)
    aws.replicate()
    assert phase(aws) == "home" and two.bodies(aws, two.SITE) == two.bodies(aws, two.REPLICA)
    assert aws.buckets[two.SITE]["new.pdf"].body == b"new"


def test_whoever_lost_the_lock_copies_nothing_more_in_either_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "AT_ONCE", 1)
    aws = published_meanwhile()
    held = 4  # before each of the first two steps, the third, and one batch

    def check() -> None:
        nonlocal held
        held -= 1
        if held < 0:
            raise AwsError("the lock was lost")

    with pytest.raises(AwsError, match="the lock was lost"):
        failback(dataclasses.replace(two.gateways(aws), check=check), plan=BACK)
    assert phase(aws) == "failing-back" and "assets/three.js" in aws.buckets[two.SITE]
    assert aws.buckets[two.SITE]["index.html"].body != b"three", "the page stays with what it was"
    aws, held = standing(), 2
    aws.buckets[two.SITE]["old.pdf"] = two.Object(b"old", aws.clock - timedelta(days=9))
    with pytest.raises(AwsError, match="the lock was lost"):
        promote(dataclasses.replace(two.gateways(aws), check=check), plan=PLAN, distribution=two.DISTRIBUTION, planned=True)
    assert "old.pdf" not in aws.buckets[two.REPLICA]

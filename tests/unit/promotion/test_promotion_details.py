"""Promote and failback in their details: the lock before each step, what is waited for, what is refused, told, copied and never written."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from aws.dynamodb import Condition
from aws.errors import AwsError, Conflict, NotFound
from aws.s3 import Head
from gateways.origins import COPY_LIMIT
from promotion import fence, steps
from promotion.carrying import Load, carry, load, unequal
from promotion.lock_items import ATTEMPTS, ObjectItems, holds
from promotion.records import carry_list, copy_records, mirror
from promotion.steps import WAIT_SECONDS, PromotionGateways, Refused, failback, promote, since_of
from promotion.target import Entry, NotNext, Phase, Target, Unreadable
from recovery.comparing import BEACONS, StoredObject
from rollout.lock import LockLost
from tests.unit.promotion import two_regions as two
from tests.unit.promotion.test_moving import BACK, PLAN, phase, promoted, published_meanwhile, standing
from website.releases import Claim, timestamp
from website.run import Begun, Sent, Warned


def told(aws: two.Aws, **more: Any) -> tuple[PromotionGateways, list[Any]]:
    """A gateways whose events are kept."""
    events: list[Any] = []
    made = two.gateways(aws)
    return dataclasses.replace(made, run=dataclasses.replace(made.run, report=events.append), **more), events


def steps_told(events: list[Any]) -> list[str]:
    return [event.step for event in events if isinstance(event, Begun)]


# --- the lock and the order -------------------------------------------------------------------------------------------


def test_every_step_is_told_and_asks_for_the_lock_first() -> None:
    aws = standing()
    aws.replicate()
    asked: list[int] = []
    gateways, events = told(aws)
    gateways = dataclasses.replace(gateways, check=lambda: asked.append(len(steps_told(events))))
    promote(gateways, plan=PLAN, distribution=two.DISTRIBUTION, planned=True)
    names = [name for name in steps_told(events) if not name.startswith("copying")]
    assert names == [
        "home -> promoting: nobody publishes",
        "waiting for what is being published",
        "waiting until the replica has everything",
        "the replica refuses replication",
        "the last records go to the standby region",
        "the distribution asks the replica first",
        "promoting -> standby",
    ]
    assert len(asked) == 6 and asked == sorted(asked), "before each step after the register was written, and before its end"


@pytest.mark.parametrize("begin", ["promote", "failback"])
def test_without_the_lock_no_further_step_is_taken(begin: str) -> None:
    for lost_at in range(3):
        aws = published_meanwhile() if begin == "failback" else standing()
        left = [lost_at]

        def check(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise LockLost("gone")

        gateways, events = told(aws, check=check)
        with pytest.raises(LockLost):
            if begin == "failback":
                failback(gateways, plan=BACK)
            else:
                promote(gateways, plan=PLAN, distribution=two.DISTRIBUTION, planned=False)
                pytest.fail("a promotion without the home region has three checks")
        own = [name for name in steps_told(events) if not name.startswith(("copying", "carrying"))]
        assert len(own) == lost_at + 1
        assert phase(aws) == ("failing-back" if begin == "failback" else "promoting")


def test_a_promotion_without_the_home_region_leaves_out_what_needs_it() -> None:
    aws = standing()
    aws.lost = True
    gateways, events = told(aws)
    promote(gateways, plan=PLAN, distribution=two.DISTRIBUTION, planned=False)
    assert len(steps_told(events)) == 4 and not any("waiting" in name or "records" in name for name in steps_told(events))


# --- the register -----------------------------------------------------------------------------------------------------

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "since", "modified", "found"),
    [
        ("standby", "noted", AT, "noted"),
        ("promoting", "", AT, timestamp(AT)),
        ("failing-back", "", AT, timestamp(AT)),
        ("home", "", AT, ""),
        ("promoting", "", None, ""),
    ],
)
def test_since_when_the_replica_takes_releases(now: Phase, since: str, modified: datetime | None, found: str) -> None:
    target = Target(environment="prod", phase=now, since=since)
    assert since_of(Entry(target=target, etag="e", modified=modified)) == found


def test_the_register_keeps_since_when_it_was_begun_and_forgets_everything_at_home() -> None:
    aws = promoted()
    standby = two.register(aws).read().target
    assert standby.since and standby.by.endswith(":role/deploy")
    aws.lost = False
    aws.replicate()
    failback(two.gateways(aws), plan=BACK)
    home = two.register(aws).read().target
    assert (home.since, home.plan, home.distribution, home.epoch) == ("", "", "", 4)


def test_a_run_that_was_cut_off_goes_on_with_its_own_plan_and_changes_the_register_once() -> None:
    aws = standing()
    aws.lost, aws.calls_left = True, 1
    with pytest.raises(two.Killed):
        promote(two.gateways(aws), plan=PLAN, distribution=two.DISTRIBUTION, planned=False)
    aws.calls_left = None
    with pytest.raises(NotNext, match=r"begun with the plan aaaaaaaaaaaa$"):
        promote(two.gateways(aws), plan="c" * 64, distribution=two.DISTRIBUTION, planned=False)
    gateways, events = told(aws)
    promote(gateways, plan=PLAN, distribution="another", planned=False)
    assert two.register(aws).read().target.epoch == 2 and two.register(aws).read().target.distribution == two.DISTRIBUTION
    assert steps_told(events)[0] == "the replica refuses replication"


def test_the_next_state_only_follows_its_own() -> None:
    aws = two.Aws()
    register = two.register(aws)
    with pytest.raises(NotNext):
        register.change(register.read(), "standby")
    assert aws.history == [] and register.read().target.phase == "home"


def test_a_write_whose_answer_was_lost_finds_itself_and_another_ones_is_a_conflict() -> None:
    aws = two.Aws()
    register = two.register(aws)
    before = register.read()
    made = register.change(before, "promoting", plan=PLAN)
    again = register.change(before, "promoting", plan=PLAN)
    assert (again.target, again.etag) == (made.target, made.etag) == (register.read().target, register.read().etag)
    with pytest.raises(Conflict):
        register.change(before, "promoting", plan=BACK)


def test_a_bucket_that_is_not_there_is_no_register_at_home() -> None:
    class Gone:
        code = "NoSuchBucket"

        def get(self, *_: Any, **__: Any) -> Any:
            raise NotFound("none", code=self.code)

        put = get

    gone: Any = Gone()
    register = dataclasses.replace(two.register(two.Aws()), s3=gone)
    items = ObjectItems(gone, "k")
    for read in (register.read, lambda: items.get("b", {})):
        with pytest.raises(NotFound):
            read()
    gone.code = "NoSuchKey"
    assert register.read().etag is None and items.get("b", {}) is None


@pytest.mark.parametrize("change", [{"format": 2}, {"environment": "dev"}])
def test_a_register_of_another_format_or_environment_is_not_believed(change: dict[str, Any]) -> None:
    aws = two.Aws()
    register = two.register(aws)
    body = msgspec.json.encode(msgspec.structs.replace(Target(environment="prod"), **change))
    aws.buckets[two.STANDBY][register.key] = two.Object(body, aws.clock)
    with pytest.raises(Unreadable):
        register.read()


# --- waiting ----------------------------------------------------------------------------------------------------------


def claimed(aws: two.Aws, region: str, expires: datetime) -> None:
    store = two.place(aws, region).store("prod")
    claim = Claim(
        id="x", action="publish", manifest="", by="her", host="h", pid=1, started_at=timestamp(aws.now()), expires_at=timestamp(expires)
    )
    store.change(lambda state: msgspec.structs.replace(state, claim=claim))


def test_a_claim_counts_until_it_lapses_and_its_holder_is_named() -> None:
    aws = standing()
    lapses = aws.clock.replace(hour=14)
    claimed(aws, two.HOME_REGION, lapses)
    aws.clock = lapses
    gateways, _ = told(aws)
    steps._nobody_publishes(gateways, gateways.home)
    claimed(aws, two.HOME_REGION, aws.clock.replace(hour=23))
    with pytest.raises(Refused, match="her on h began a publish") as refused:
        steps._nobody_publishes(gateways, gateways.home)
    assert "same command again" in refused.value.command
    steps._nobody_publishes(gateways, gateways.standby)


def test_nobody_fails_back_while_somebody_publishes_there() -> None:
    aws = published_meanwhile()
    claimed(aws, two.STANDBY_REGION, aws.clock.replace(hour=23))
    with pytest.raises(Refused, match="her on h"):
        failback(two.gateways(aws), plan=BACK)
    assert aws.first == "replica" and phase(aws) == "failing-back"


def test_replication_is_waited_for_with_growing_pauses_and_not_for_ever() -> None:
    aws = standing()
    aws.write_at_home("zoo.html", b"zoo")
    gateways, _ = told(aws)
    slept: list[float] = []
    gateways = dataclasses.replace(gateways, run=dataclasses.replace(gateways.run, sleep=slept.append))
    with pytest.raises(Refused, match=r"the replica lacks 2 objects after 30\d s, for example index.html") as refused:
        steps._caught_up(gateways)
    assert "dr failback --env prod" in refused.value.command
    assert f" after {sum(slept):.0f} s, " in str(refused.value)
    assert slept[:3] == [1.0, 1.5, 2.25] and slept[-1] == 10.0 and sum(slept[:-1]) < WAIT_SECONDS <= sum(slept)
    at_once: list[float] = []
    aws.replicate()
    gateways = dataclasses.replace(gateways, run=dataclasses.replace(gateways.run, sleep=at_once.append))
    steps._caught_up(gateways)
    assert at_once == []


def test_the_fence_and_its_end_are_written_once() -> None:
    aws = standing()
    gateways, _ = told(aws)
    for _ in range(2):
        steps._fence(gateways)
    assert fence.is_fenced(aws.policy)
    assert aws.policy["Statement"][-1]["Resource"] == f"arn:aws:s3:::{two.REPLICA}/*"
    changes = aws.changes
    steps._fence(gateways)
    assert aws.changes == changes
    for _ in range(2):
        steps._lift(gateways)
    assert aws.changes == changes + 1 and not fence.is_fenced(aws.policy)
    aws.policy = fence.fenced(None, "arn:aws:s3:::replica")
    steps._lift(gateways)
    assert aws.changes == changes + 1 and fence.is_fenced(aws.policy), "S3 takes no policy without a statement; status tells of it"


# --- what goes home ---------------------------------------------------------------------------------------------------


class Films(two.S3):
    """Films are large."""

    def head(self, bucket: str, key: str, *, checksum: bool = False) -> Head | None:
        found = super().head(bucket, key, checksum=checksum)
        return msgspec.structs.replace(found, size=COPY_LIMIT + 1) if found is not None and key.endswith(".mp4") else found


def test_what_is_too_large_for_one_copy_stops_it_before_anything_is_copied_and_names_the_command() -> None:
    aws = published_meanwhile()
    for number in range(4):
        aws.write_in_standby(f"{number}.mp4", b"film")
    gateways, events = told(aws)
    films: Any = Films(aws, two.STANDBY_REGION)
    gateways = dataclasses.replace(gateways, standby=dataclasses.replace(gateways.standby, s3=films))
    changes = aws.changes
    with pytest.raises(Refused, match=r"0\.mp4, 1\.mp4, 2\.mp4 of site-replica is larger") as refused:
        steps._carry(gateways, AT)
    assert aws.changes == changes and events == []
    assert "--source-region eu-west-1 --region af-south-1" in refused.value.command


def test_nothing_to_carry_home_is_not_told() -> None:
    aws = promoted()
    aws.lost = False
    gateways, events = told(aws)
    steps._carry(gateways, aws.clock.replace(hour=23))
    assert events == []


def test_what_is_not_the_same_at_home_stops_the_failback() -> None:
    aws = published_meanwhile()
    gateways, _ = told(aws)
    with pytest.raises(Refused, match=r"3 objects are not the same at home yet, for example \.releases/3-x"):
        steps._compare(gateways, AT)
    steps._compare(gateways, aws.clock.replace(hour=23))


def test_what_is_carried_home_is_counted_and_told_page_after_asset() -> None:
    aws = published_meanwhile()
    gateways, events = told(aws)
    since = datetime.fromisoformat(two.register(aws).read().target.since)
    found = load(gateways.home, gateways.standby, since, "index.html")
    assert [key for key, _ in found.objects] == [".releases/3-x", "assets/three.js", "index.html"]
    carry(found, gateways.home, gateways.standby, "index.html", events.append)
    assert isinstance(events[0], Begun) and (events[0].files, events[0].size) == (3, 6)
    sent = [(event.key, event.size) for event in events[1:] if isinstance(event, Sent)]
    assert sent == [(".releases/3-x", 0), ("assets/three.js", 1), ("index.html", 5)]
    assert aws.buckets[two.SITE]["index.html"].body == b"three"
    assert unequal(gateways.home, gateways.standby, since) == () == load(gateways.home, gateways.standby, since, "index.html").objects


def test_what_changes_in_the_replica_while_it_is_carried_is_an_error_that_names_it() -> None:
    aws = published_meanwhile()
    gateways, _ = told(aws)
    stale = Load(objects=(("index.html", StoredObject(etag="other", size=5, modified=AT)),), overwritten=(), late=())
    with pytest.raises(Conflict, match=r"index\.html of the replica changed while it was carried home"):
        carry(stale, gateways.home, gateways.standby, "index.html", lambda _: None)


def test_what_replication_brought_is_not_compared_unless_it_is_asked_for() -> None:
    aws = published_meanwhile()
    gateways, _ = told(aws)
    aws.buckets[two.REPLICA]["brought.js"] = two.Object(b"x", aws.clock, "REPLICA")
    aws.buckets[two.REPLICA][f"{BEACONS}x"] = aws.buckets[two.REPLICA][f"buy/{BEACONS}x"] = two.Object(b"x", aws.clock)
    assert not {"brought.js", f"{BEACONS}x", f"buy/{BEACONS}x"} & {*unequal(gateways.home, gateways.standby, AT)}, (
        "a beacon is each bucket's own"
    )
    assert "brought.js" in unequal(gateways.home, gateways.standby, AT, lambda _: True)
    assert unequal(gateways.home, gateways.standby, AT, lambda key: key == "index.html") == ("index.html",)


def test_records_that_do_not_reach_the_standby_after_a_failback_are_told_and_it_is_home_all_the_same() -> None:
    aws = published_meanwhile()
    gateways, events = told(aws)
    register = gateways.register
    reads = [0]

    class Failing:
        """The standby region is silent right after the register says `home`."""

        def __getattr__(self, name: str) -> Any:
            return getattr(register, name)

        def change(self, *given: Any, **named: Any) -> Entry:
            made = register.change(*given, **named)
            aws.lost = made.target.phase == "home"
            reads[0] += 1
            return made

    failing: Any = Failing()
    assert failback(dataclasses.replace(gateways, register=failing), plan=BACK).target.phase == "home"
    (warning,) = [event.text for event in events if isinstance(event, Warned)]
    assert "not up to date" in warning and "the next publish brings them" in warning


def test_what_the_replica_still_lacks_after_a_failback_is_told() -> None:
    aws = published_meanwhile()
    gateways, events = told(aws)

    class Refusing(two.Buckets):
        def copy(self, source: str, key: str, bucket: str, *, if_match: str) -> None:
            raise Conflict("no", code="PreconditionFailed")

    refusing: Any = Refusing(aws, two.STANDBY_REGION)
    gateways = dataclasses.replace(gateways, standby=dataclasses.replace(gateways.standby, buckets=refusing))
    aws.buckets[two.SITE]["lost.js"] = two.Object(b"x", aws.clock.replace(year=2020), "FAILED")
    steps._fill(gateways)
    warnings = [event.text for event in events if isinstance(event, Warned)]
    assert len(warnings) == 1 and "the replica still lacks" in warnings[0]


# --- records ----------------------------------------------------------------------------------------------------------


def test_records_are_copied_where_they_are_missing_or_others_and_never_the_list() -> None:
    aws = two.Aws()
    here, there = aws.buckets[two.ARTIFACTS], aws.buckets[two.STANDBY]
    for key in ("site/prod/manifests/a.json", "history/prod/1.json", "assemblies/x/manifest.json", "site/prod/releases.json"):
        here[key] = two.Object(b"1", aws.clock)
    here["site/dev/manifests/a.json"] = here["approvals/prod/1.json"] = two.Object(b"1", aws.clock)
    there["history/prod/1.json"] = two.Object(b"1", aws.clock)
    there["assemblies/x/manifest.json"] = two.Object(b"older", aws.clock)
    gateways = two.gateways(aws)
    assert copy_records(gateways.home, gateways.standby, "prod") == 2
    assert sorted(there) == ["assemblies/x/manifest.json", "history/prod/1.json", "site/prod/manifests/a.json"]
    assert there["assemblies/x/manifest.json"].body == b"1"
    assert copy_records(gateways.home, gateways.standby, "prod") == 0


def test_a_record_that_is_written_anew_at_this_moment_is_left_to_the_next_time() -> None:
    aws = two.Aws()
    aws.buckets[two.ARTIFACTS]["history/prod/1.json"] = two.Object(b"1", aws.clock)

    class Stale(two.S3):
        def list(self, bucket: str, prefix: str = "") -> Any:
            return iter([msgspec.structs.replace(head, etag="old") for head in super().list(bucket, prefix)])

    gateways = two.gateways(aws)
    stale: Any = Stale(aws, two.HOME_REGION)
    assert copy_records(dataclasses.replace(gateways.home, s3=stale), gateways.standby, "prod") == 0
    assert aws.buckets[two.STANDBY] == {}


def test_the_list_is_mirrored_without_the_claim_if_it_differs_and_releases_still_go_home() -> None:
    aws = standing()
    claimed(aws, two.HOME_REGION, aws.clock.replace(hour=23))
    gateways = two.gateways(aws)
    asked: list[int] = []

    def allowed() -> bool:
        asked.append(1)
        return True

    assert mirror(gateways.home, gateways.standby, "prod", allowed=allowed, now=aws.now()) == 0, "a claim alone is no difference"
    assert asked == []
    two.publish(aws, two.HOME_REGION, 3, {})
    claimed(aws, two.HOME_REGION, aws.clock.replace(hour=23))
    before = gateways.standby.store("prod").state()[0]
    assert mirror(gateways.home, gateways.standby, "prod", allowed=lambda: False, now=aws.now()) == 1, "its manifest"
    assert gateways.standby.store("prod").state()[0] == before
    assert mirror(gateways.home, gateways.standby, "prod", allowed=allowed, now=aws.now()) == 1
    there = gateways.standby.store("prod").state()[0]
    assert [release.number for release in there.releases] == [1, 2, 3] and there.claim is None and asked == [1]


def test_the_list_goes_home_with_the_home_bucket_as_its_own() -> None:
    aws = published_meanwhile()
    gateways = two.gateways(aws)
    first = carry_list(gateways.standby, gateways.home, "prod", aws.now())
    assert (first.bucket, [release.number for release in first.releases]) == (two.SITE, [1, 2, 3])
    assert carry_list(gateways.standby, gateways.home, "prod", aws.now()) == first == gateways.home.store("prod").state()[0]


# --- the standby's lock -----------------------------------------------------------------------------------------------


class Racing:
    """One object; somebody else writes it before so many of our writes."""

    def __init__(self, races: int, body: bytes | None = None) -> None:
        self.races, self.body, self.written = races, body, 0
        self.conditions: list[tuple[bool, str | None]] = []

    def get(self, bucket: str, key: str) -> Any:
        if self.body is None:
            raise NotFound("none", code="NoSuchKey")
        from aws.s3 import Stored

        return Stored(head=Head(key=key, size=1, etag=f"e{len(self.conditions)}"), body=self.body)

    def put(self, bucket: str, key: str, body: bytes, *, headers: Any = None, if_absent: bool = False, if_match: Any = None) -> Head:
        self.conditions.append((if_absent, if_match))
        if self.races:
            self.races -= 1
            raise Conflict("no", code="PreconditionFailed")
        self.body = body
        self.written += 1
        return Head(key=key, size=len(body), etag="new")


def items(racing: Racing) -> ObjectItems:
    anything: Any = racing
    return ObjectItems(anything, "lock.json")


def test_a_write_is_over_exactly_what_was_read() -> None:
    new, there = Racing(0), Racing(0, b'{"Id": "a"}')
    free = Condition(absent="LockID")
    assert items(new).put("b", {"LockID": "x", "Id": "a"}, free) is None and new.conditions == [(True, None)]
    assert items(there).put("b", {"LockID": "x", "Id": "b"}, free) is None and there.conditions == [(False, "e0")]


def test_races_are_run_again_and_five_lost_ones_are_an_answer() -> None:
    won, lost = Racing(ATTEMPTS - 1), Racing(ATTEMPTS)
    free = Condition(absent="LockID")
    assert items(won).put("b", {"LockID": "x"}, free) is None and won.written == 1
    assert items(lost).put("b", {"LockID": "x"}, free) == {} and len(lost.conditions) == ATTEMPTS
    held = Racing(ATTEMPTS, b'{"Id": "a"}')
    assert items(held).put("b", {"LockID": "x"}, free) == {"Id": "a"}


def test_an_update_keeps_the_rest_a_put_does_not_and_a_delete_leaves_nothing() -> None:
    mine = Condition(equal={"Id": "a"})
    racing = Racing(0, b'{"Id": "a", "Owner": "me", "Expires": 1}')
    assert items(racing).update("b", {}, {"Expires": 2}, mine) is None
    assert items(racing).get("b", {}) == {"Id": "a", "Owner": "me", "Expires": 2}
    assert items(racing).update("b", {}, {"Expires": 3}, Condition(equal={"Id": "b"})) == {"Id": "a", "Owner": "me", "Expires": 2}
    assert items(racing).put("b", {"Id": "a"}, mine) is None and items(racing).get("b", {}) == {"Id": "a"}
    assert items(racing).delete("b", {}, Condition(equal={"Id": "b"})) == {"Id": "a"}
    assert items(racing).delete("b", {}, mine) is None and racing.body == b"{}" and items(racing).get("b", {}) is None
    assert items(racing).delete("b", {}, mine) == {}


@pytest.mark.parametrize(
    ("condition", "item", "free"),
    [
        (Condition(absent="LockID"), {}, True),
        (Condition(equal={"Id": "a"}), {"Id": "b"}, False),
        (Condition(equal={"Id": "a", "Owner": "me"}), {"Id": "a", "Owner": "you"}, False),
        (Condition(below=("Expires", 5)), {"Expires": 5}, False),
        (Condition(below=("Expires", 5)), {"Expires": 4}, True),
        (Condition(below=("Expires", 5)), None, False),
        (Condition(), {"Id": "a"}, False),
    ],
)
def test_when_a_write_may_be_made(condition: Condition, item: Any, free: bool) -> None:
    assert holds(condition, item) is free


def test_silence_of_the_standby_region_is_an_error_and_never_a_free_lock() -> None:
    class CircuitOpen(Racing):
        def get(self, bucket: str, key: str) -> Any:
            raise AwsError("timed out", code="ReadTimeout")

    with pytest.raises(AwsError):
        items(CircuitOpen(0)).put("b", {"LockID": "x"}, Condition(absent="LockID"))

"""A rehearsal ends with the site bucket open, whatever ends it and whenever; what it reports is what was seen."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aws.errors import Unavailable
from recovery import closing, rehearsal
from recovery.rehearsal import OUTAGE_SECONDS, TURN_SECONDS, Rehearsal, RehearsalGateways, RehearsalPlan, end, plan_lines, sealed
from recovery.report import Report
from tests.unit.recovery.world import DISTRIBUTION, ORIGINS, POLICY, START, Clock, Memory, Policies
from verification.model import Result

PLAN = sealed(
    RehearsalPlan(
        environment="prod",
        primary_bucket="site",
        primary_region="af-south-1",
        replica_bucket="replica",
        replica_region="eu-west-1",
        distribution_id="E1",
        release=7,
        manifest="ab" * 32,
        minutes=15,
        after="",
    )
)
BEGUN = Report(
    id="0badcafe",
    environment="prod",
    plan_digest=PLAN.digest,
    by="arn:aws:iam::1:user/ann",
    host="here",
    started_at="2026-11-27T12:00:00Z",
    release=7,
    result="begun",
)


class Killed(BaseException):
    """kill -9: nothing of the process does anything any more."""


@dataclass
class Stage:
    """CloudFront with its two buckets; `settles`: seconds until S3 has put a changed policy into effect everywhere."""

    settles: float = 5.0
    fails_over: bool = True
    healthy: bool = True
    verified: tuple[str, ...] = ("passed", "passed", "skipped")
    verify_seconds: float = 60.0
    forgets_after: float = 30.0
    dies_at: int = 0
    """The call at which the process is killed; 0: never."""
    calls: int = 0
    clock: Clock = field(default_factory=Clock)
    saved: list[Report] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    replica_reads: int = 0

    def __post_init__(self) -> None:
        self.primary, self.replica = Memory(self.clock), Memory(self.clock)
        self.policies = Policies(self.primary, self.replica)
        self._effective, self._since = self.policies.document, self.clock.moment
        put = self.policies.put_policy

        def changed(bucket: str, document: dict[str, Any]) -> None:
            put(bucket, document)
            self._since = self.clock.moment

        anything: Any = self.policies
        anything.put_policy = changed

    def closed(self) -> bool:
        """As S3 decides by now: the statement's own end counts."""
        if (self.clock.moment - self._since).total_seconds() >= self.settles:
            self._effective = self.policies.document
        return any(each.holds(self.clock.moment) for each in closing.found(self._effective))

    def visit(self, path: str) -> tuple[int, bytes]:
        if not self.healthy:
            return 503, b""
        if self.closed() and not self.fails_over:
            return 403, b""
        beacon = self.replica.objects.get(path.lstrip("/"))
        if "/.dr/" in path:
            return (200, beacon.body) if self.closed() and beacon is not None else (404, b"not found")
        self.replica_reads += self.closed()
        return 200, b"page"

    def verify(self) -> tuple[Result, ...]:
        self.clock.moment += timedelta(seconds=self.verify_seconds)
        states: Any = self.verified
        return tuple(Result(id=f"check.{number}", title="", status=state, detail="") for number, state in enumerate(states))

    def forget(self) -> Callable[[], bool]:
        begun = self.clock.moment
        return lambda: (self.clock.moment - begun).total_seconds() >= self.forgets_after

    def _alive(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Counts, and dies at its turn: then every later call dies too, so that no `finally` can do anything."""

        def counted(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.dies_at and self.calls >= self.dies_at:
                raise Killed
            return call(*arguments, **named)

        return counted

    def gateways(self) -> RehearsalGateways:
        class Guarded:
            """Every method of an object counts as a call."""

            def __init__(self, of: Any, alive: Callable[..., Any]) -> None:
                self._of, self._alive = of, alive

            def __getattr__(self, name: str) -> Any:
                return self._alive(getattr(self._of, name))

        primary: Any = Guarded(self.policies, self._alive)
        replica: Any = Guarded(self.replica, self._alive)
        return RehearsalGateways(
            origins=ORIGINS,
            distribution_arn=DISTRIBUTION,
            prefix="",
            primary=primary,
            replica=replica,
            visit=self._alive(self.visit),
            entry_path="/",
            verify=self._alive(self.verify),
            forget=self._alive(self.forget),
            save=self._alive(self.saved.append),
            say=self.said.append,
            still_ours=self._alive(lambda: None),
            now=self.clock.now,
            sleep=self._alive(self.clock.sleep),
        )

    def rehearse(self, **plan: Any) -> Report:
        return Rehearsal(plan=msgspec.structs.replace(PLAN, **plan), gateways=self.gateways(), report=BEGUN).run()


def test_a_rehearsal_that_passes_says_what_it_saw_and_leaves_nothing() -> None:
    stage = Stage()
    report = stage.rehearse()
    assert report.result == "passed"
    assert report.detected_seconds is not None and stage.settles <= report.detected_seconds <= stage.settles + 10
    assert report.recovered_seconds is not None and report.recovered_seconds >= report.detected_seconds + 60
    assert report.reopened_seconds is not None
    assert (report.failed_visits, report.rpo_objects, report.rpo_seconds) == (0, 0, 0.0)
    assert [each.result for each in stage.saved] == ["begun", "passed"]
    assert stage.policies.document == POLICY and stage.replica.objects == {}


def test_what_is_broken_on_the_replica_fails_the_rehearsal_and_the_bucket_is_open_again() -> None:
    stage = Stage(verified=("passed", "failed"))
    report = stage.rehearse()
    assert (report.result, report.recovered_seconds) == ("failed", None)
    assert "check.1" in report.message
    assert stage.policies.document == POLICY


def test_where_cloudfront_does_not_turn_visitors_go_without_a_page_for_half_a_minute_at_most() -> None:
    stage = Stage(fails_over=False, settles=0)
    report = stage.rehearse()
    assert (report.result, report.detected_seconds) == ("aborted", None)
    assert report.message == "visitors have had no page for 30 s (status 403)"
    opened_after = (stage.clock.moment - START).total_seconds()
    assert opened_after < OUTAGE_SECONDS + 20
    assert stage.policies.document == POLICY


def test_where_the_closing_does_not_take_effect_the_rehearsal_is_given_up() -> None:
    stage = Stage(settles=10_000)
    report = stage.rehearse()
    assert (report.result, report.visits > 0) == ("aborted", True)
    assert f"not turned to the replica within {TURN_SECONDS:.0f} s" in report.message
    assert stage.policies.document == POLICY


def test_a_site_that_is_served_by_the_replica_already_is_not_rehearsed() -> None:
    stage = Stage(settles=0)
    stage.policies.document = closing.closed(
        POLICY, ORIGINS.primary.arn, DISTRIBUTION, identity="11111111", until=START + timedelta(minutes=5)
    )
    report = stage.rehearse()
    assert (report.result, report.visits) == ("aborted", 0)
    assert "already" in report.message
    assert closing.found(stage.policies.document), "it is another's"


def test_a_site_that_gives_no_page_before_is_not_closed() -> None:
    stage = Stage(healthy=False)
    report = stage.rehearse()
    assert (report.result, "before anything was closed (status 503)" in report.message) == ("aborted", True)
    assert stage.policies.document == POLICY and stage._since == START


def test_it_is_never_closed_for_longer_than_planned() -> None:
    slow = Stage(forgets_after=10_000)
    report = slow.rehearse(minutes=5)
    assert (report.result, "more than 5 min" in report.message) == ("aborted", True)
    assert (slow.clock.moment - START) < timedelta(minutes=5)
    late = Stage(verify_seconds=3_000)
    report = late.rehearse(minutes=5)
    assert (report.result, report.recovered_seconds) == ("aborted", None), "checks that were made on the site bucket prove nothing"
    assert late.policies.document == POLICY


def test_the_bucket_is_opened_although_s3_refuses_for_a_while() -> None:
    stage = Stage()
    verify = stage.verify

    def then_trouble() -> tuple[Result, ...]:
        stage.policies.failures = 3
        return verify()

    gateways = replace(stage.gateways(), verify=then_trouble)
    report = Rehearsal(plan=PLAN, gateways=gateways, report=BEGUN).run()
    assert (report.result, stage.policies.document) == ("passed", POLICY)


def test_what_could_not_be_opened_is_told_with_the_moment_at_which_it_ends_by_itself() -> None:
    stage = Stage()
    verify = stage.verify

    def then_trouble() -> tuple[Result, ...]:
        stage.policies.failures = 10_000
        return verify()

    Rehearsal(plan=PLAN, gateways=replace(stage.gateways(), verify=then_trouble), report=BEGUN).run()
    assert any("ends by itself at 12:15:00Z" in line for line in stage.said)
    stage.clock.moment = START + timedelta(minutes=16)
    assert not stage.closed()


def test_ctrl_c_opens_it_at_once() -> None:
    stage = Stage()

    def interrupted() -> tuple[Result, ...]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Rehearsal(plan=PLAN, gateways=replace(stage.gateways(), verify=interrupted), report=BEGUN).run()
    assert stage.policies.document == POLICY
    assert (stage.saved[-1].result, stage.saved[-1].message) == ("aborted", "interrupted")


def test_a_report_that_cannot_be_kept_stops_it_before_anything_is_closed() -> None:
    stage = Stage()

    def refused(_: Report) -> None:
        raise Unavailable("503")

    with pytest.raises(Unavailable):
        Rehearsal(plan=PLAN, gateways=replace(stage.gateways(), save=refused), report=BEGUN).run()
    assert (stage.policies.document, stage.visit("/")) == (POLICY, (200, b"page"))


def calls_of_a_whole_rehearsal() -> int:
    stage = Stage()
    stage.rehearse()
    return stage.calls


@pytest.mark.parametrize("moment", range(1, calls_of_a_whole_rehearsal() + 1))
def test_killed_at_any_moment_the_bucket_opens_by_itself_and_the_next_run_clears_up(moment: int) -> None:
    stage = Stage(dies_at=moment)
    with pytest.raises(Killed):
        stage.rehearse()
    left = closing.found(stage.policies.document)
    assert all(each.until <= START + timedelta(minutes=15) for each in left)
    stage.clock.moment = START + timedelta(minutes=15, seconds=stage.settles)
    assert not stage.closed(), "nothing of the process is left, and it is open"
    buckets: Any = stage.policies
    assert end(buckets, ORIGINS, sleep=stage.clock.sleep) == left
    assert stage.policies.document == POLICY
    stage.dies_at = 0
    assert stage.rehearse().result == "passed"
    assert stage.replica.objects == {}


def test_the_plan_tells_what_is_closed_for_how_long_and_how_it_is_undone() -> None:
    text = "\n".join(plan_lines(PLAN))
    for word in (PLAN.digest, "site (af-south-1)", "15 min at the most", "by itself", "drift", "visitors", "--end"):
        assert word in text


def test_an_approval_is_good_for_one_rehearsal_of_one_release() -> None:
    others: list[dict[str, Any]] = [
        {"after": "0badcafe"},
        {"release": 8},
        {"manifest": "cd" * 32},
        {"minutes": 20},
        {"distribution_id": "E2"},
    ]
    digests = [sealed(msgspec.structs.replace(PLAN, **each)).digest for each in [dict[str, Any](), *others]]
    assert digests[0] == PLAN.digest
    assert all(one != other for one, other in itertools.combinations(digests, 2))
    assert sealed(PLAN) == PLAN
    assert timedelta(minutes=PLAN.minutes) > rehearsal.MARGIN

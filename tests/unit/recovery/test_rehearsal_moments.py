"""What a rehearsal does at its single moments: before the closing, while visitors flap, and when it is opened again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from aws.errors import Unavailable
from aws.s3 import Headers
from recovery import closing
from recovery.rehearsal import PAUSE_SECONDS, SETTLED, Rehearsal, end
from recovery.report import Report
from tests.unit.recovery.test_rehearsal import BEGUN, PLAN, Stage
from tests.unit.recovery.world import ORIGINS, POLICY, START
from verification.model import Result


def rehearsed(stage: Stage, **gateways: Any) -> Report:
    return Rehearsal(plan=PLAN, gateways=replace(stage.gateways(), **gateways), report=BEGUN).run()


class Lost(Exception):
    """Somebody else has the lock."""


def test_without_the_lock_nothing_is_closed() -> None:
    stage = Stage()

    def lost() -> None:
        raise Lost

    with pytest.raises(Lost):
        rehearsed(stage, still_ours=lost)
    assert (stage.policies.document, stage._since) == (POLICY, START)
    assert (stage.saved[-1].result, stage.saved[-1].message) == ("aborted", "Lost")


def test_pages_that_fail_now_and_then_are_counted_and_end_nothing() -> None:
    stage = Stage(forgets_after=120.0)
    visit, turns = stage.visit, iter(range(1_000_000))

    def flapping(path: str) -> tuple[int, bytes]:
        return (503, b"") if path == "/" and stage.closed() and next(turns) % 2 else visit(path)

    report = rehearsed(stage, visit=flapping)
    assert (report.result, 20 <= report.failed_visits < report.visits) == ("passed", True), report


@dataclass
class Turning(Stage):
    """CloudFront's hosts turn one after the other: what the beacons tell while it is closed, then the replica."""

    told: list[bool] = field(default_factory=list)
    asked: int = 0

    def visit(self, path: str) -> tuple[int, bytes]:
        if "/.dr/" in path and self.closed():
            self.asked += 1
            if self.told and not self.told.pop(0):
                return 404, b""
        return super().visit(path)


def test_it_has_turned_when_the_beacons_say_so_several_times_in_a_row() -> None:
    stage = Turning(settles=0.0, told=[True, False, True, True, False])
    report = stage.rehearse()
    assert report.result == "passed" and report.detected_seconds is not None
    assert report.detected_seconds >= (5 + SETTLED - 1) * PAUSE_SECONDS
    assert stage.asked == 5 + 3 + 1, "three in a row again, and one after the checks"


def test_a_bucket_that_somebody_opened_while_it_was_verified_has_proved_nothing() -> None:
    stage = Stage()

    def verify() -> tuple[Any, ...]:
        stage.policies.put_policy(ORIGINS.primary.bucket, closing.opened(stage.policies.document))
        return Stage.verify(stage)

    report = rehearsed(stage, verify=verify)
    assert (report.result, report.message) == ("aborted", "the site bucket was open again before every check was made")
    assert report.recovered_seconds is None and not stage.closed()


def test_no_more_beacons_are_looked_at_than_have_to_tell_the_same() -> None:
    stage = Turning(settles=0.0)
    assert stage.rehearse().result == "passed"
    assert stage.asked == SETTLED + 1, "three in a row, and one after the checks"


def test_beacons_are_cached_by_nobody_and_only_those_below_the_sites_prefix_are_cleared_away() -> None:
    stage = Stage()
    stage.replica.add(".dr/of-another.txt", "x")
    seen: list[Headers | None] = []
    put = stage.replica.put

    def kept(bucket: str, key: str, body: bytes, *, headers: Headers | None = None) -> None:
        seen.append(headers)
        assert key.startswith("app/.dr/")
        put(bucket, key, body, headers=headers)

    anything: Any = stage.replica
    anything.put = kept
    assert rehearsed(stage, prefix="app/").result == "passed"
    assert set(stage.replica.objects) == {".dr/of-another.txt"}
    assert seen and all(each is not None and each.cache_control == "no-store" for each in seen)


def test_a_policy_without_a_rehearsal_is_not_written_and_a_refusal_is_waited_out() -> None:
    stage, sleeps, written = Stage(), list[float](), list[str]()
    anything: Any = stage.policies
    anything.put_policy = lambda bucket, _: written.append(bucket)
    stage.policies.failures = 2
    assert end(anything, ORIGINS, sleep=sleeps.append) == ()
    assert (sleeps, written) == ([PAUSE_SECONDS, PAUSE_SECONDS], [])


@pytest.mark.parametrize(("raised", "message"), [(KeyboardInterrupt(), "interrupted"), (SystemExit(), "SystemExit")])
def test_whoever_is_ended_opens_and_goes_and_looks_no_more(raised: BaseException, message: str) -> None:
    stage = Stage()

    def ended() -> tuple[Result, ...]:
        raise raised

    with pytest.raises(type(raised)):
        rehearsed(stage, verify=ended)
    assert stage.policies.document == POLICY
    assert (stage.saved[-1].message, stage.saved[-1].reopened_seconds) == (message, None)


def test_a_second_ctrl_c_while_it_is_opened_is_told_with_the_end_and_the_command_that_opens_it() -> None:
    stage = Stage()

    def again(_: str) -> dict[str, Any]:
        raise KeyboardInterrupt

    def interrupted() -> tuple[Result, ...]:
        anything: Any = stage.policies
        anything.policy = again
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearsed(stage, verify=interrupted)
    assert "ends by itself at 12:15:00Z; to open it before: python deploy.py dr rehearse --env prod --end" in stage.said[-1]


def test_every_step_is_told_as_it_is_made() -> None:
    stage = Stage()
    stage.rehearse()
    assert stage.said == [
        "closed site to CloudFront until 12:15:00Z",
        "CloudFront asks the replica, 10 s after the closing",
        "CloudFront has forgotten what it had cached; verifying the site on the replica",
        "opened site again",
    ]


def test_trouble_with_aws_gives_the_rehearsal_up_and_opens_the_bucket() -> None:
    stage = Stage()

    def refused() -> Any:
        raise Unavailable("503 Slow Down")

    report = rehearsed(stage, forget=refused)
    assert (report.result, report.message, report.recovered_seconds) == ("aborted", "503 Slow Down", None)
    assert stage.policies.document == POLICY and report.reopened_seconds is not None


def test_no_answer_at_all_is_told_as_none() -> None:
    assert rehearsed(Stage(), visit=lambda _: (0, b"")).message == "visitors get no page before anything was closed (status none)"


def test_no_answer_after_the_closing_is_told_as_none() -> None:
    stage = Stage(settles=0.0)
    report = rehearsed(stage, visit=lambda path: (0, b"") if stage.closed() else stage.visit(path))
    assert (report.result, report.message) == ("aborted", "visitors have had no page for 30 s (status none)")


def test_a_bucket_without_a_policy_is_not_closed_since_it_could_not_be_opened_again() -> None:
    stage, written = Stage(), list[str]()
    anything: Any = stage.policies
    anything.document, anything.put_policy = None, lambda bucket, _: written.append(bucket)
    report = stage.rehearse()
    assert (report.result, written) == ("aborted", [])
    assert report.message == "site has no policy, so nothing lets CloudFront in: look at drift first"


def test_the_report_has_what_was_seen_and_how_often_the_page_was_asked_for() -> None:
    report = Stage(verified=("passed", "skipped")).rehearse()
    assert [(each.id, each.status) for each in report.checks] == [("check.0", "passed"), ("check.1", "skipped")]
    turning, forgetting, turning_back = 5, 15, 5
    assert report.visits == turning + forgetting + turning_back, "once a pause, and none after the last beacon"


@pytest.mark.parametrize(("left", "result"), [(0.0, "aborted"), (1.0, "passed")])
def test_checks_that_end_with_the_closing_prove_nothing_even_where_s3_is_late_to_open(left: float, result: str) -> None:
    stage = Stage()

    def verify() -> tuple[Result, ...]:
        stage.clock.moment = START + timedelta(minutes=15) - timedelta(seconds=left)
        return (Result(id="a", title="", status="passed", detail=""),)

    closed = stage.closed
    anything: Any = stage
    anything.closed = lambda: closed() or bool(closing.found(stage.policies.document))
    report = rehearsed(stage, verify=verify)
    assert (report.result, report.reopened_seconds is not None) == (result, True), "the end is near, but not of seeing it open"


def test_where_cloudfront_does_not_turn_back_that_is_told_with_what_opens_it() -> None:
    stage, opened = Stage(), list[float]()
    put = stage.policies.put_policy

    def late(bucket: str, document: dict[str, Any]) -> None:
        put(bucket, document)
        if not closing.found(document):
            opened.append(stage.settles)
            stage.settles = 10_000.0

    anything: Any = stage.policies
    anything.put_policy = late
    assert (stage.rehearse().reopened_seconds, len(opened)) == (None, 1)
    assert stage.said[-1].startswith("warning: CloudFront has not turned back within 180 s; the closing ends by itself at 12:15:00Z; ")


def test_ctrl_c_while_it_is_opened_is_told_and_ends_the_rehearsal() -> None:
    stage = Stage()

    def pressed(_: str) -> dict[str, Any]:
        raise KeyboardInterrupt

    def verify() -> tuple[Result, ...]:
        anything: Any = stage.policies
        anything.policy = pressed
        return Stage.verify(stage)

    with pytest.raises(KeyboardInterrupt):
        rehearsed(stage, verify=verify)
    assert "interrupted while it was opened again" in stage.said[-1] and len(stage.saved) == 1


def test_a_report_that_cannot_be_kept_at_the_end_is_a_warning() -> None:
    stage = Stage()

    def save(report: Report) -> None:
        if report.result != "begun":
            raise Unavailable("503 Slow Down")

    assert rehearsed(stage, save=save).result == "passed"
    assert stage.said[-1] == "warning: the report is not kept: 503 Slow Down"


def test_opening_is_tried_five_times() -> None:
    for failures, opened in ((4, True), (5, False)):
        stage, sleeps = Stage(), list[float]()
        stage.policies.failures = failures
        anything: Any = stage.policies
        if opened:
            assert end(anything, ORIGINS, sleep=sleeps.append) == ()
        else:
            with pytest.raises(Unavailable):
                end(anything, ORIGINS, sleep=sleeps.append)
        assert sleeps == [2.0] * 4

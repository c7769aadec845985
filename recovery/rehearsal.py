"""A rehearsal: the site bucket is closed to CloudFront, the site verified on the replica, the bucket opened again.

In: a plan that was approved, a `RehearsalGateways` to act in. Out: a `Report`.
Never: leaves the bucket closed: it is opened whatever ends the rehearsal, and where nothing of this process is left to do so the statement
ends by itself (`recovery.closing`); closes it for longer than the plan says; goes on where visitors get no page.

Which of the two served an answer is told by beacons: objects that the replica alone has, each of another name, so that no cache knows it.
While the site bucket is asked, a beacon is a 404; an answer with its words is the replica's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from assembly import commands
from assembly.files import canonical_json, sha256
from assembly.model import Frozen
from aws.errors import AwsError
from aws.s3 import S3, Headers
from gateways.origins import Buckets
from guards.termination import undisturbed
from recovery import closing
from recovery.comparing import BEACONS
from recovery.origins import Origins
from recovery.report import Check, Report
from verification.model import Result

SETTLED = 3
"""Beacons in a row that have to tell the same: S3 lets a change of a policy take effect host by host."""

TURN_SECONDS = 180.0
"""That CloudFront may take to turn to the replica, or back."""

OUTAGE_SECONDS = 30.0
"""That visitors may go without a page before the rehearsal is given up."""

MARGIN = timedelta(seconds=60)
"""Before its end by itself the bucket is opened by us."""

PAUSE_SECONDS = 2.0
OPENING_ATTEMPTS = 5
_BEACON = Headers(content_type="text/plain", cache_control="no-store")


class RehearsalPlan(Frozen, frozen=True, kw_only=True):
    """What a rehearsal does. Planned again while nothing has changed, it has the same digest."""

    environment: str
    primary_bucket: str
    primary_region: str
    replica_bucket: str
    replica_region: str
    distribution_id: str
    release: int
    manifest: str
    minutes: int
    """That the site bucket is closed at the most."""
    after: str
    """Id of the last rehearsal: an approval is good for one."""
    digest: str = ""


def sealed(plan: RehearsalPlan) -> RehearsalPlan:
    """With its digest."""
    plain = msgspec.structs.replace(plan, digest="")
    return msgspec.structs.replace(plain, digest=sha256(canonical_json(msgspec.to_builtins(plain))))


def plan_lines(plan: RehearsalPlan) -> tuple[str, ...]:
    """What is asked about."""
    return (
        f"rehearsal of {plan.environment}, plan {plan.digest}",
        f"  closed:   {plan.primary_bucket} ({plan.primary_region}) to distribution {plan.distribution_id}, by a Deny in its policy",
        f"  for:      {plan.minutes} min at the most; as long as it takes to verify release {plan.release} on the replica, mostly 5",
        f"  instead:  {plan.replica_bucket} ({plan.replica_region}) answers; CloudFront forgets what it has cached, so that it is asked",
        "  visitors: the same pages, slower by the way to the replica and by one refused request for each that is not cached;",
        "            where the replica fails them for half a minute, the rehearsal is given up",
        f"  undone:   by itself. The statement ends after {plan.minutes} min, which S3 sees to, whatever becomes of this process; when the",
        "            checks are made, or after Ctrl-C, it is removed at once. What a killed run left is removed by the next one, or",
        "            by --end; status and doctor name it",
        "  drift:    until it is removed, CloudFormation's drift detection shows the bucket policy of the site stack as modified",
        "  held:     the environment's lock, so that no apply comes between; publishing goes on, and its files reach both",
    )


@dataclass(frozen=True, kw_only=True)
class RehearsalGateways:
    """What a rehearsal acts on."""

    origins: Origins
    distribution_arn: str
    prefix: str
    """Of the site's keys."""
    primary: Buckets
    replica: S3
    visit: Callable[[str], tuple[int, bytes]]
    """GET a path as a visitor, with the password: status and body; 0 where there is no answer."""
    entry_path: str
    verify: Callable[[], tuple[Result, ...]]
    forget: Callable[[], Callable[[], bool]]
    """Have CloudFront forget everything; what it returns tells whether it has."""
    save: Callable[[Report], None]
    say: Callable[[str], None]
    still_ours: Callable[[], None]
    """Raises where the lock was lost."""
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    pause_seconds: float = PAUSE_SECONDS


class Abandoned(Exception):
    """The rehearsal is given up; `str()` says why."""


@dataclass(kw_only=True)
class Rehearsal:
    """One, under way."""

    plan: RehearsalPlan
    gateways: RehearsalGateways
    report: Report
    _until: datetime = field(init=False)
    _closed_at: datetime | None = field(init=False, default=None)
    _beacons: int = field(init=False, default=0)
    _failing_since: datetime | None = field(init=False, default=None)

    def run(self) -> Report:
        """Rehearse. Raises `AwsError` if the report cannot be kept, before anything is closed; afterwards it stands in the report."""
        gateways, plan = self.gateways, self.plan
        gateways.save(self.report)
        self._until = gateways.now() + timedelta(minutes=plan.minutes)
        try:
            self._on_the_replica()
        except Abandoned as reason:
            self._note(result="aborted", message=str(reason))
        except AwsError as error:
            self._note(result="aborted", message=str(error))
        except BaseException as error:
            self._note(result="aborted", message="interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__)
            with undisturbed():
                self._back(look=False)
            raise
        self._back()
        return self.report

    def _on_the_replica(self) -> None:
        gateways, origins = self.gateways, self.gateways.origins
        status, _ = gateways.visit(gateways.entry_path)
        if status != 200:
            raise Abandoned(f"visitors get no page before anything was closed (status {status or 'none'})")
        if self._served_by_replica():
            raise Abandoned("CloudFront asks the replica already, before anything was closed: is the site bucket in trouble?")
        policy = gateways.primary.policy(origins.primary.bucket)
        if policy is None:
            # Opened again it would have to be without a statement, which S3 refuses (MalformedPolicy, "Statement is empty").
            raise Abandoned(f"{origins.primary.bucket} has no policy, so nothing lets CloudFront in: look at drift first")
        shut = closing.closed(policy, origins.primary.arn, gateways.distribution_arn, identity=self.report.id, until=self._until)
        gateways.still_ours()
        self._closed_at = gateways.now()
        gateways.primary.put_policy(origins.primary.bucket, shut)
        gateways.say(f"closed {origins.primary.bucket} to CloudFront until {self._until.astimezone(UTC):%H:%M:%S}Z")
        self._turn(to_replica=True)
        self._note(detected_seconds=self._seconds())
        gateways.say(f"CloudFront asks the replica, {self.report.detected_seconds:.0f} s after the closing")
        forgotten = gateways.forget()
        while not forgotten():
            self._pause()
        gateways.say("CloudFront has forgotten what it had cached; verifying the site on the replica")
        results = gateways.verify()
        self._note(checks=tuple(Check(id=each.id, status=each.status, detail=each.detail) for each in results))
        broken = [each.id for each in results if each.status == "failed"]
        if broken:
            self._note(result="failed", message=f"broken on the replica: {', '.join(broken)}")
            return
        if gateways.now() >= self._until or not self._served_by_replica():
            raise Abandoned("the site bucket was open again before every check was made")
        self._note(result="passed", recovered_seconds=self._seconds())

    def _back(self, *, look: bool = True) -> None:
        """Open, see that it is open (`look`), clear up, and keep the report."""
        gateways = self.gateways
        if self._closed_at is not None:
            try:
                end(gateways.primary, gateways.origins, sleep=gateways.sleep)
                begun = gateways.now()
                gateways.say(f"opened {gateways.origins.primary.bucket} again")
                if look:
                    self._turn(to_replica=False)
                    self._note(reopened_seconds=(gateways.now() - begun).total_seconds())
            except (Abandoned, AwsError) as error:
                gateways.say(f"warning: {error}; {self._ends_by_itself()}")
            except KeyboardInterrupt:
                gateways.say(f"warning: interrupted while it was opened again; {self._ends_by_itself()}")
                raise
        try:
            self._clear()
            gateways.save(self.report)
        except AwsError as error:
            gateways.say(f"warning: the report is not kept: {error}")

    def _ends_by_itself(self) -> str:
        command = commands.deploy("dr rehearse", self.plan.environment, "--end")
        return f"the closing ends by itself at {self._until.astimezone(UTC):%H:%M:%S}Z; to open it before: {command}"

    def _turn(self, *, to_replica: bool) -> None:
        """Wait until the beacons tell so. Raises `Abandoned` after `TURN_SECONDS`."""
        begun, row = self.gateways.now(), 0
        while row < SETTLED:
            row = row + 1 if self._served_by_replica() is to_replica else 0
            if (self.gateways.now() - begun).total_seconds() > TURN_SECONDS:
                raise Abandoned(f"CloudFront has not turned {'to the replica' if to_replica else 'back'} within {TURN_SECONDS:.0f} s")
            if row < SETTLED:
                self._pause()

    def _pause(self) -> None:
        """Look at the page as a visitor, and wait. Raises `Abandoned` where there is none for too long, or the end is near."""
        gateways = self.gateways
        status, _ = gateways.visit(gateways.entry_path)
        got = status == 200
        self._note(visits=self.report.visits + 1, failed_visits=self.report.failed_visits + (not got))
        now = gateways.now()
        self._failing_since = None if got else self._failing_since or now
        if self._failing_since is not None and (now - self._failing_since).total_seconds() >= OUTAGE_SECONDS:
            raise Abandoned(f"visitors have had no page for {OUTAGE_SECONDS:.0f} s (status {status or 'none'})")
        if now >= self._until - MARGIN and self.report.result == "begun":
            raise Abandoned(f"it took more than {self.plan.minutes} min")
        gateways.sleep(gateways.pause_seconds)

    def _served_by_replica(self) -> bool:
        gateways = self.gateways
        self._beacons += 1
        name = f"{BEACONS}{self.report.id}-{self._beacons}.txt"
        words = f"replica {self.report.id} {self._beacons}".encode()
        gateways.replica.put(gateways.origins.replica.bucket, gateways.prefix + name, words, headers=_BEACON)
        status, body = gateways.visit(f"/{gateways.prefix}{name}")
        return status == 200 and body == words

    def _clear(self) -> None:
        gateways = self.gateways
        for head in list(gateways.replica.list(gateways.origins.replica.bucket, gateways.prefix + BEACONS)):
            gateways.replica.delete(gateways.origins.replica.bucket, head.key)

    def _seconds(self) -> float:
        assert self._closed_at is not None, "asked after the closing"
        return (self.gateways.now() - self._closed_at).total_seconds()

    def _note(self, **changes: object) -> None:
        self.report = msgspec.structs.replace(self.report, **changes)


def end(buckets: Buckets, origins: Origins, *, sleep: Callable[[float], None]) -> tuple[closing.Closed, ...]:
    """Remove every rehearsal's statement from the site bucket's policy; those that there were. Tried again; raises `AwsError`."""
    for attempt in range(OPENING_ATTEMPTS):
        try:
            policy = buckets.policy(origins.primary.bucket)
            there = closing.found(policy)
            if there and policy is not None:
                buckets.put_policy(origins.primary.bucket, closing.opened(policy))
        except AwsError:
            if attempt == OPENING_ATTEMPTS - 1:
                raise
            sleep(PAUSE_SECONDS)
            continue
        return there
    raise AssertionError("the last attempt returns or raises")

"""How well prepared a site is for the loss of its home region.

In: both buckets, the distribution, alarms, the reports of rehearsals. Out: a `RecoveryStatus`, and its text.
Never: changes anything; fails as a whole because one of them cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from assembly import commands
from assembly.model import Assembly, Frozen
from gateways.origins import Document, Failover, Rule
from guards import documents
from operations.status import age
from recovery import closing
from recovery.comparing import Comparison, Difference
from recovery.origins import Origins
from recovery.report import Report
from website.run import count, size

SETTLED = ("home", "standby")
"""Phases of the register in which somebody takes releases."""
DENIED = 403
"""What a bucket that lets CloudFront read no more answers; CloudFront turns to the replica then only if the group names it."""


class OriginFailover(Frozen, frozen=True, kw_only=True):
    """What CloudFront does where the site bucket fails."""

    distribution_id: str
    status: str = ""
    """Deployed, or InProgress."""
    codes: tuple[int, ...] = ()
    """Answers of the site bucket that make it ask the replica; no answer at all does so, too."""
    problems: tuple[str, ...] = ()


class RecoveryStatus(Frozen, frozen=True, kw_only=True):
    """dr status."""

    environment: str
    primary_bucket: str
    primary_region: str
    replica_bucket: str
    replica_region: str
    phase: str = "home"
    """What the register says of who takes releases: home, promoting, standby or failing-back; "" if it could not be read."""
    release: int
    """Number of the live one; 0 before the first."""
    comparison: Comparison | None
    """null: one of the two could not be read."""
    replication: tuple[str, ...]
    """Of the site bucket: a rule each."""
    failover: OriginFailover | None
    health: dict[str, str]
    """State of the alarms of health checks and replication, by name."""
    closed_until: str = ""
    """A rehearsal has closed the site bucket to CloudFront until then (ISO 8601, UTC); in the past: open, the statement is left."""
    rehearsals: tuple[Report, ...] = ()
    """The newest first."""
    problems: tuple[str, ...] = ()
    read_at: str

    @property
    def ready(self) -> bool:
        """The replica would serve the same site, and CloudFront would turn to it."""
        return not self.problems


def failover_of(found: Failover, distribution_id: str, origins: Origins, *, phase: str = "home") -> OriginFailover:
    """Whether every behaviour leads to a group of the two buckets, that which takes releases first; in between either."""
    problems = []
    if found.status != "Deployed":
        problems.append("not every edge location has the distribution's configuration yet")
    groups = {group.id: group for group in found.groups}
    codes: set[int] = set()
    for target in sorted(found.targets):
        group = groups.get(target)
        if group is None:
            problems.append(f"a behaviour leads to {target} alone, which has no replica")
            continue
        domains = [found.domain(member.id) for member in group.members]
        wanted = (origins.primary.bucket, origins.replica.bucket)
        if phase == "standby":
            wanted = wanted[::-1]
        there = tuple(domain.partition(".s3.")[0] for domain in domains)
        if there != wanted and (phase in SETTLED or there != wanted[::-1]):
            problems.append(f"origin group {target} is {' and '.join(domains)}, not {' and '.join(wanted)}")
        codes = codes & set(group.codes) if codes else set(group.codes)
        if DENIED not in group.codes:
            problems.append(f"origin group {target} does not turn to the replica where the bucket answers {DENIED}")
    return OriginFailover(distribution_id=distribution_id, status=found.status, codes=tuple(sorted(codes)), problems=tuple(problems))


def rule_words(rules: Iterable[Rule]) -> tuple[str, ...]:
    """A line for each replication rule."""
    return tuple(
        f"{rule.id or 'rule'}: {rule.status.lower()}, to {rule.destination.rpartition(':')[2]}, delete markers "
        f"{(rule.delete_markers or 'Disabled').lower()}"
        for rule in rules
    )


def replication_problems(rules: Iterable[Rule], versioning: str | None, origins: Origins) -> tuple[str, ...]:
    """Why new objects would not reach the replica. `versioning`: of the replica, None where there is no such bucket.

    Source: Amazon S3 User Guide, replication failure reasons (DstBucketNotFound, DstBucketUnversioned).
    """
    environment, site, replica = origins.environment, origins.primary.bucket, origins.replica.bucket
    if versioning is None:
        return (
            f"the replica {replica} is gone: CloudFront has nothing to turn to, and its stack does not make it again by itself;"
            f" what to do: {commands.deploy('runbook', environment, 'replica-behind')}",
        )
    as_built = commands.deploy("plan", environment, "--revert-drift")
    found = []
    if not any(rule.status == "Enabled" and rule.destination == origins.replica.arn for rule in rules):
        found.append(f"no enabled rule of {site} replicates to {replica}; to have it as it was built: {as_built}")
    if versioning != "Enabled":
        state = versioning.lower() or "off"
        found.append(f"versioning of {replica} is {state}, so S3 replicates nothing into it; to have it as it was built: {as_built}")
    return tuple(found)


def away_problems(phase: str, environment: str, *, since: str = "", by: str = "") -> tuple[str, ...]:
    """That releases do not go home, and what is typed next."""
    if phase == "home":
        return ()
    if phase == "standby":
        return (
            f"releases go to the replica since {since} (promoted by {by}); the way back: {commands.deploy('dr failback', environment)}",
        )
    verb = "promote" if phase == "promoting" else "failback"
    return (f"{phase} (by {by}): nobody takes releases until that has ended; to go on: {commands.deploy(f'dr {verb}', environment)}",)


def content_problems(found: Comparison, environment: str, *, phase: str = "home") -> tuple[str, ...]:
    """Why the replica would not serve the same site. While releases do not go home, what differs there is older, and never copied."""
    if phase == "home" and found.live_at_home < found.live:
        # A copy would bring nothing, and a replica that has more is what is left of the release.
        return (
            f"the site bucket has {found.live_at_home} of the live release's {count(found.live, 'file')}, the replica {found.live_same}: "
            "what is missing was removed by hand, and such a removal is replicated; to write it again:"
            f" {commands.deploy('publish', environment, '--content', 'DIR')}",
        )
    problems = []
    if not found.serves_live:
        problems.append(f"the replica has {found.live_same} of the live release's {count(found.live, 'file')}")
    if phase != "home":
        return tuple(problems)
    behind = found.missing.objects + found.other.objects
    if behind:
        problems.append(f"the replica lacks {count(behind, 'object')}, the oldest for {_duration(found.lag_seconds)}")
    if problems:
        problems[-1] += f"; to copy them: {commands.deploy('dr backfill', environment)}"
    return tuple(problems)


def policy_problems(primary: Document | None, replica: Document | None, origins: Origins, *, phase: str = "home") -> tuple[str, ...]:
    """Why CloudFront might not read the replica as it reads the site bucket, or nothing new would come in."""
    refused = phase == "home" and closing.refuses_replication(replica)
    return (*_read_alike(primary, replica, origins), *([f"the policy of {origins.replica.bucket} denies replication"] if refused else ()))


def _read_alike(primary: Document | None, replica: Document | None, origins: Origins) -> tuple[str, ...]:
    found = closing.unlike(primary, replica, origins.primary.arn, origins.replica.arn)
    return (f"the bucket policies differ in: {', '.join(found)}",) if found else ()


def closure(policy: Document | None, environment: str, now: datetime) -> tuple[str, tuple[str, ...]]:
    """Until when a rehearsal has closed the bucket, "" if none has; and what is to be said of it."""
    found = max(closing.found(policy), key=lambda each: each.until, default=None)
    if found is None:
        return "", ()
    until = found.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    command = commands.deploy("dr rehearse", environment, "--end")
    if found.holds(now):
        return until, (f"rehearsal {found.id} has closed the site bucket to CloudFront until {until}; to open it now: {command}",)
    return until, (f"rehearsal {found.id} was cut off; it ended by itself at {until}, to remove its statement: {command}",)


def alarm_names(assembly: Assembly, templates: Mapping[str, bytes]) -> dict[str, tuple[str, ...]]:
    """Alarms of health checks and of replication, by region."""
    found: dict[str, tuple[str, ...]] = {}
    for stack in assembly.stacks:
        resources: dict[str, Any] = documents.loads(templates[stack.id]).get("Resources", {})
        properties = [each.get("Properties", {}) for each in resources.values() if each.get("Type") == "AWS::CloudWatch::Alarm"]
        names = tuple(p["AlarmName"] for p in properties if p.get("Namespace") in ("AWS/Route53", "AWS/S3") and "AlarmName" in p)
        if names:
            found[stack.region] = (*found.get(stack.region, ()), *names)
    return found


# --- text ---------------------------------------------------------------------------------------------------------


def status_lines(status: RecoveryStatus) -> tuple[str, ...]:
    """For a terminal or a file."""
    now = datetime.fromisoformat(status.read_at.replace("Z", "+00:00"))
    lines = [
        f"site bucket  {status.primary_bucket} in {status.primary_region}",
        f"replica      {status.replica_bucket} in {status.replica_region}",
    ]
    found = status.comparison
    if found is not None:
        lines += [
            f"objects      {found.objects:,} ({size(found.size)}); replica {found.replica_objects:,} ({size(found.replica_size)})",
            f"live release {status.release or 'none'}: {found.live_same} of {count(found.live, 'file')} byte for byte in the replica",
            f"lag          {_duration(found.lag_seconds) if found.missing.objects + found.other.objects else 'none'}",
            *_differences("missing", found.missing),
            *_differences("other bytes", found.other),
            *_differences("only in the replica", found.orphans),
        ]
    lines += [f"replication  {rule}" for rule in status.replication]
    if status.failover is not None:
        codes = ", ".join(map(str, status.failover.codes)) or "nothing"
        lines.append(f"failover     distribution {status.failover.distribution_id}: to the replica on {codes}, or no answer")
    lines += [f"alarm        {name}: {state}" for name, state in sorted(status.health.items())]
    lines.append(f"rehearsed    {_rehearsed(status.rehearsals, now)}")
    if not status.problems:
        return (*lines, f"{status.environment}: the replica would serve the same site, and CloudFront would turn to it")
    return (*lines, "", *(f"problem: {problem}" for problem in status.problems))


def _differences(name: str, found: Difference) -> Iterable[str]:
    if found.objects:
        more = f" and {found.objects - 3:,} more" if found.objects > 3 else ""
        yield f"  {name}: {count(found.objects, 'object')} ({size(found.size)}): {', '.join(found.keys[:3])}{more}"


def _rehearsed(reports: tuple[Report, ...], now: datetime) -> str:
    if not reports:
        return "never"
    last = reports[0]
    return f"{age(last.started_at, now)} ago by {last.by}: {last.summary}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"

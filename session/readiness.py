"""How well an opened environment is prepared for the loss of its home region.

In: an opened environment with disaster recovery. Out: a `RecoveryStatus`. Never: changes anything; fails because one part cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from aws.errors import AwsError, CredentialsError, NotFound
from session.context import Context
from session.opened import Opened
from session.origins import origins_of, pair_of
from session.shared import artifacts
from session.site import deployed_outputs, site_of
from session.target import SITE_STACK
from website.errors import WebsiteError

if TYPE_CHECKING:
    from recovery.origins import Origins
    from recovery.status import OriginFailover, RecoveryStatus
    from website.releases import State
    from website.site import Site

    Registered = tuple[str, tuple[str, ...], Site]

T = TypeVar("T")
REPORTS = 5


def read(opened: Opened, origins: Origins, context: Context) -> RecoveryStatus:
    """Ask everything; what AWS refuses is a problem of the status. Raises `CredentialsError` and its kin."""
    from recovery import comparing, report, status

    assembly, environment, now = opened.assembly, opened.assembly.environment, context.now()
    pair, problems = pair_of(opened, origins), list[str]()

    def asked(what: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except CredentialsError:
            raise
        except AwsError as error:
            problems.append(f"{what} cannot be read: {error}")
            return None

    phase, away, site = _register(opened)
    problems += away
    state = asked("the list of releases", site.store.state)
    live = state[0].live if state is not None else None

    def wanted() -> dict[str, str]:
        manifest = site.store.manifest(live.manifest) if live is not None else None
        return {entry.key: entry.md5 for entry in manifest.files} if manifest is not None else {}

    buckets = asked("the two buckets", pair.read)
    files = asked("the live release's manifest", wanted) or {}
    comparison = comparing.compare(*buckets, files, prefix=site.prefix, now=now) if buckets is not None else None
    problems += status.content_problems(comparison, environment, phase=phase) if comparison is not None else ()
    replication = asked("the replication", pair.replication)
    problems += status.replication_problems(*replication, origins) if replication is not None else ()
    policies = asked("the bucket policies", pair.policies)
    problems += status.policy_problems(*policies, origins, phase=phase) if policies is not None else ()
    closed_until, closure = status.closure(policies[0], environment, now) if policies is not None else ("", ())
    problems += closure
    failover = asked("the distribution", lambda: _failover(opened, origins, phase))
    problems += failover.problems if failover is not None else ()
    health = _health(opened)
    problems += [f"alarm {name} is on" for name, state in sorted(health.items()) if state == "ALARM"]
    reports = asked("reports", lambda: report.read(artifacts(opened), assembly.artifact_bucket, environment, limit=REPORTS)) or ()
    return status.RecoveryStatus(
        environment=environment,
        primary_bucket=origins.primary.bucket,
        primary_region=origins.primary.region,
        replica_bucket=origins.replica.bucket,
        replica_region=origins.replica.region,
        phase=phase,
        release=live.number if live is not None else 0,
        comparison=comparison,
        replication=status.rule_words(replication[0] if replication is not None else ()),
        failover=failover,
        health=health,
        closed_until=closed_until,
        rehearsals=reports,
        problems=tuple(problems),
        read_at=context.timestamp(),
    )


def _register(opened: Opened) -> Registered:
    """Who takes releases, what is to be said of it, and the site with the list of releases that counts; its bucket may not be known."""
    import argparse

    from recovery.status import away_problems
    from session.context import CommandError
    from session.target import at_standby, entry_of

    environment = opened.assembly.environment
    try:
        entry = entry_of(opened, argparse.Namespace(env=environment))
    except CommandError as error:
        return "", (str(error),), site_of(opened, live={})
    if entry is None:
        return "home", (), site_of(opened, live={})
    target = entry.target
    away = away_problems(target.phase, environment, since=target.since, by=target.by)
    there = target.phase in ("standby", "failing-back")
    return target.phase, away, site_of(at_standby(opened, target) if there else opened, live={})


def for_status(opened: Opened, context: Context) -> tuple[tuple[str, ...], str]:
    """The warnings of the two origins, in a line each, and what has begun to change the content and has not ended."""
    register = cache(lambda: _register(opened))
    state = cache(lambda: register()[2].store.state()[0])
    return _warnings(opened, context, register, state), _half_done(opened, state)


def _warnings(opened: Opened, context: Context, register: Callable[[], Registered], state: Callable[[], State]) -> tuple[str, ...]:
    """None before both buckets stand, or without disaster recovery."""
    from recovery import comparing, status

    origins = origins_of(opened)
    if origins is None:
        return ()
    environment, now, pair = opened.assembly.environment, context.now(), pair_of(opened, origins)
    phase, away, site = register()
    if phase != "home":
        return away
    try:
        live = state().live
        files = site.store.manifest(live.manifest).files if live is not None else ()
        found = comparing.compare(*pair.read(), {each.key: each.md5 for each in files}, prefix=site.prefix, now=now)
        policy = pair.primary_buckets.policy(origins.primary.bucket)
    except CredentialsError:
        raise
    except NotFound:
        return ()
    except AwsError as error:
        return (f"the two origins cannot be compared: {error}",)
    return (*status.content_problems(found, environment), *status.closure(policy, environment, now)[1])


def _half_done(opened: Opened, state: Callable[[], State]) -> str:
    """Of the list of releases that counts now, if it can be read."""
    if opened.assembly.contract is None or SITE_STACK not in opened.templates:
        return ""
    try:
        return state().half_done
    except CredentialsError:
        raise
    except (AwsError, WebsiteError):
        return ""


def _failover(opened: Opened, origins: Origins, phase: str) -> OriginFailover:
    from gateways.origins import failover
    from recovery.status import OriginFailover, failover_of

    identity = deployed_outputs(opened).get("DistributionId", "")
    if not identity:
        return OriginFailover(distribution_id="", problems=("the site stack is not deployed",))
    return failover_of(
        failover(opened.aws, account_id=opened.assembly.account_id, distribution_id=identity), identity, origins, phase=phase
    )


def _health(opened: Opened) -> dict[str, str]:
    """An alarm that cannot be read says nothing against the replica, so it is no problem."""
    from gateways.alarms import Alarms
    from recovery.status import alarm_names

    found: dict[str, str] = {}
    for region, names in alarm_names(opened.assembly, opened.templates).items():
        try:
            found |= Alarms.connect(opened.aws, account_id=opened.assembly.account_id, region=region).states(names)
        except CredentialsError:
            raise
        except AwsError as error:
            found |= dict.fromkeys(names, f"not known: {error}")
    return found


def rehearsed(opened: Opened, *, limit: int) -> tuple[str, ...]:
    """A line for each rehearsal, the newest first. Raises `AwsError`."""
    from recovery import report

    if origins_of(opened) is None:
        return ()
    found = report.read(artifacts(opened), opened.assembly.artifact_bucket, opened.assembly.environment, limit=limit)
    return tuple(f"rehearsed {each.started_at}  release {each.release}: {each.summary}; by {each.by}" for each in found)

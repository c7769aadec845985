"""A rehearsal of an opened environment: its plan, and the gateways that it acts in.

In: parsed arguments, an opened environment, its `RecoveryStatus`. Out: a `RehearsalPlan`; a `Report`. Never: begins without both.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assembly import commands
from aws.errors import AwsError
from session.context import USAGE, CommandError, Context
from session.opened import Opened
from session.origins import pair_of
from session.readiness import read
from session.shared import artifacts, locked, poll_seconds
from session.site import outputs, site_of
from session.verifying import PASSWORD_VARIABLE, target_of, with_replica

if TYPE_CHECKING:
    from recovery.closing import Closed
    from recovery.origins import Origins
    from recovery.rehearsal import RehearsalGateways, RehearsalPlan
    from recovery.report import Report
    from recovery.status import RecoveryStatus
    from verification.model import Target
    from website.site import Site


def plan_of(args: argparse.Namespace, opened: Opened, status: RecoveryStatus) -> RehearsalPlan:
    """What would be done. Raises `CommandError` where it must not be: a rehearsal takes a replica that is known to be whole."""
    from recovery.rehearsal import RehearsalPlan, sealed

    problems = list(status.problems)
    if not status.release:
        problems.append("nothing was published yet")
    failover = status.failover
    if problems or failover is None:
        raise CommandError(
            f"{args.env} is not rehearsed: visitors might get no page", *problems, command=commands.deploy("dr status", args.env)
        )
    live = site_of(opened).store.state()[0].live
    assert live is not None, "there is a release"
    return sealed(
        RehearsalPlan(
            environment=args.env,
            primary_bucket=status.primary_bucket,
            primary_region=status.primary_region,
            replica_bucket=status.replica_bucket,
            replica_region=status.replica_region,
            distribution_id=failover.distribution_id,
            release=live.number,
            manifest=live.manifest,
            minutes=args.minutes,
            after=status.rehearsals[0].id if status.rehearsals else "",
        )
    )


def end(opened: Opened, origins: Origins, context: Context) -> tuple[Closed, ...]:
    """Open what a rehearsal has closed, under the lock: the one that is under way is waited for by nobody, and refuses."""
    from recovery import rehearsal

    with locked(opened, context, "dr") as check:
        check()
        return rehearsal.end(pair_of(opened, origins).primary_buckets, origins, sleep=context.sleep)


@contextmanager
def reachable(args: argparse.Namespace, context: Context) -> Iterator[None]:
    """The site where visitors find it; of the local AWS a preview, for as long as this takes."""
    if not args.local:
        yield
        return
    from session.local_preview import serving

    with serving(args, context) as preview:
        args.resolve, args.resolve_http, args.ca_file = preview.endpoint, preview.plain, preview.authority
        yield


def carry_out(args: argparse.Namespace, context: Context, opened: Opened, origins: Origins, plan: RehearsalPlan) -> Report:
    """Rehearse what was approved. Raises `CommandError` if the lock is somebody's, `AwsError` before anything is closed."""
    from guards.caller import this_process
    from recovery.rehearsal import Rehearsal
    from recovery.report import Report

    me = this_process(opened.caller)
    begun = Report(
        id=context.token_hex(4),
        environment=args.env,
        plan_digest=plan.digest,
        by=me.arn,
        host=me.host,
        started_at=context.timestamp(),
        release=plan.release,
        result="begun",
    )
    with reachable(args, context), locked(opened, context, "dr") as check:
        target, live = target_of(args, context, opened.assembly, opened)
        if target.contract.basic_auth and not target.password:
            raise CommandError(
                "a rehearsal looks at the site as a visitor does, which takes the Basic Auth password",
                command=f"give it: --password-file FILE, or {PASSWORD_VARIABLE}",
                status=USAGE,
            )
        if plan_of(args, opened, read(opened, origins, context)).digest != plan.digest:
            raise CommandError(
                "what was agreed to is not so any more: another release, rehearsal or distribution",
                command=commands.deploy("dr rehearse", args.env),
            )
        gateways = _gateways(context, opened, origins, with_replica(target, opened, opened.assembly, live), check)
        return Rehearsal(plan=plan, gateways=gateways, report=begun).run()


def _gateways(context: Context, opened: Opened, origins: Origins, target: Target, check: Callable[[], None]) -> RehearsalGateways:
    from recovery import report
    from recovery.rehearsal import PAUSE_SECONDS, RehearsalGateways
    from verification.verify import verify

    pair, site = pair_of(opened, origins), site_of(opened)
    store, bucket = artifacts(opened), opened.assembly.artifact_bucket
    return RehearsalGateways(
        origins=origins,
        distribution_arn=outputs(opened)["DistributionArn"],
        prefix=site.prefix,
        primary=pair.primary_buckets,
        replica=pair.replica,
        visit=lambda path: _visit(target, path, context),
        entry_path=target.contract.entry_path,
        verify=lambda: verify(target, now=context.now),
        forget=lambda: _forget(site, context),
        save=lambda each: report.save(store, bucket, each),
        say=context.say,
        still_ours=check,
        now=context.now,
        sleep=context.sleep,
        pause_seconds=poll_seconds(opened, PAUSE_SECONDS),
    )


def _visit(target: Target, path: str, context: Context) -> tuple[int, bytes]:
    import httpx

    from verification.model import Failed, Skipped
    from verification.probe import Probe

    try:
        with Probe(target, context.now) as probe:
            answer = probe.get(path)
    except (httpx.HTTPError, OSError, Failed, Skipped):
        return 0, b""
    return answer.status, answer.body


def _forget(site: Site, context: Context) -> Callable[[], bool]:
    """Where the answer cannot be had, the wait goes on: its end is the rehearsal's."""
    distribution = site.distribution_id()
    begun = site.cloudfront().invalidate(distribution, ("/*",), reference=f"rehearsal-{context.token_hex(8)}")

    def done() -> bool:
        try:
            return site.cloudfront().invalidation(distribution, begun.id).done
        except AwsError:
            return False

    return done

"""Promote and failback of an opened environment: what they work on, their plans, the standby's lock.

In: an opened environment with disaster recovery. Out: plans, a `PromotionGateways`; `CommandError` where a plan makes no sense.
Never: asks the home region for more than whether it answers, before a promotion.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assembly import commands
from session.context import USAGE, CommandError, Context
from session.origins import origins_of
from session.shared import held_or_told
from session.target import entry_of, places, register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from promotion.lock_items import ObjectItems
    from promotion.places import Place
    from promotion.plan import FailbackPlan, Keys, PromotePlan, Side
    from promotion.steps import PromotionGateways
    from promotion.target import Entry
    from recovery.comparing import StoredObject
    from rollout.lock import Table
    from session.opened import Opened
    from website.run import Report

ACCESS_STACK = "replica-access"


def lock_table(opened: Opened) -> tuple[ObjectItems, str]:
    """The standby's lock as a table, and the name that it is asked with."""
    from promotion.lock_items import ObjectItems

    _, standby = places(opened)
    return ObjectItems(standby.s3, f"recovery/{opened.assembly.environment}/lock.json"), standby.artifacts


def lock_meant(opened: Opened, args: argparse.Namespace) -> tuple[Table, str]:
    """The lock that is meant: the standby's while the environment is promoted, or where it is that one's id; else the lock table."""
    from aws.dynamodb import Items
    from rollout import lock

    assembly = opened.assembly
    at_home = (Items.connect(opened.aws, account_id=assembly.account_id, region=assembly.home_region), assembly.lock_table)
    if origins_of(opened) is None:
        return at_home
    entry = entry_of(opened, args)
    if entry is None:
        return at_home
    table, bucket = lock_table(opened)
    if entry.target.phase != "home":
        return table, bucket
    holder = lock.read(table, bucket, lock.lock_name(assembly.project, assembly.environment))
    return (table, bucket) if holder is not None and holder.id == args.lock_id else at_home


@contextlib.contextmanager
def standby_locked(opened: Opened, context: Context, verb: str) -> Iterator[Callable[[], None]]:
    """Hold the standby's lock while the block runs; what is yielded raises once it is lost."""
    from guards.caller import this_process
    from rollout.lock import LockHeld, acquire, lock_name

    table, bucket = lock_table(opened)
    environment = opened.assembly.environment
    try:
        lock = acquire(
            table,
            bucket,
            lock_name(opened.assembly.project, environment),
            environment=environment,
            verb=verb,
            lock_id=context.token_hex(16),
            me=this_process(opened.caller),
            now=lambda: context.now().timestamp(),
        )
    except LockHeld as error:
        raise CommandError(str(error), command=error.hint) from error
    with held_or_told(lock, commands.deploy("dr status", environment)):
        yield lock.check


def promote_plan(opened: Opened, args: argparse.Namespace, entry: Entry) -> PromotePlan:
    """What promote would do. Raises `CommandError` where it would be wrong."""
    from promotion.plan import PromotePlan

    environment, phase = opened.assembly.environment, entry.target.phase
    if phase in ("standby", "failing-back"):
        raise CommandError(
            f"{environment} is {'promoted already' if phase == 'standby' else 'on its way back'} (by {entry.target.by})",
            command=commands.deploy("dr failback", environment),
        )
    home, standby = places(opened)
    answers = not silence(opened, home)
    if answers and not args.planned:
        raise CommandError(
            f"the home region {home.region} answers: with a promotion releases would stay away from a region that works",
            command=f"{commands.deploy('dr status', environment)}\nif it is meant all the same: "
            + commands.deploy("dr promote", environment, "--planned"),
            status=USAGE,
        )
    if args.planned and not answers:
        raise CommandError(
            f"--planned hands over in order, and the home region {home.region} does not answer",
            command=commands.deploy("dr promote", environment),
            status=USAGE,
        )
    ledger = _ledger_end(opened, standby)
    there = _side(standby, environment)
    return PromotePlan(
        environment=environment,
        phase=phase,
        epoch=entry.target.epoch,
        home=_side(home, None),
        standby=there,
        distribution=entry.target.distribution or _distribution(opened),
        begun=ledger,
        planned=args.planned,
    )


def failback_plan(opened: Opened, entry: Entry) -> FailbackPlan:
    """What failback would do. Raises `CommandError` where there is nothing to come back from, or nowhere to."""
    from promotion.carrying import load
    from promotion.plan import FailbackPlan
    from promotion.steps import since_of
    from website.releases import moment

    environment, target = opened.assembly.environment, entry.target
    if target.phase == "home":
        raise CommandError(
            f"{environment} is not promoted: releases go home", command=commands.deploy("dr status", environment), status=USAGE
        )
    home, standby = places(opened)
    reason = silence(opened, home)
    if reason:
        raise CommandError(
            f"the home region {home.region} does not answer, so there is no way back yet: {reason}",
            command=commands.deploy("dr status", environment),
        )
    since = since_of(entry)
    found = load(home, standby, moment(since), opened.assembly.site.index_document.lstrip("/"))
    return FailbackPlan(
        environment=environment,
        phase=target.phase,
        epoch=target.epoch,
        home=_side(home, environment),
        standby=_side(standby, environment),
        distribution=target.distribution,
        since=since,
        carried=_keys(found.objects),
        overwritten=_keys((key, None) for key in found.overwritten),
        late=_keys((key, None) for key in found.late),
    )


def silence(opened: Opened, home: Place) -> str:
    """Why the home region cannot be worked with; "" if it has both buckets at hand. It is asked for some seconds only.

    Raises `CommandError` where they are in another region: the environment's file names one that was never promoted from.
    """
    from aws.errors import AwsError
    from aws.s3 import S3

    s3 = S3.connect(opened.aws.impatient(), account_id=opened.assembly.account_id, region=home.region)
    try:
        regions = {name: s3.region_of(name) for name in (home.bucket, home.artifacts)}
    except AwsError as error:
        return str(error)
    moved = [f"{name} is in {region}" for name, region in regions.items() if region not in (None, "", home.region)]
    if moved:
        raise CommandError(
            f"{', '.join(moved)}, and the home region that is built is {home.region}: take back the edit of home_region, and build",
            command=commands.build(opened.assembly.environment),
        )
    missing = [name for name, region in regions.items() if region is None]
    return f"there is no bucket {', '.join(missing)}; if its name was edited, take that back, and build" if missing else ""


def gateways_of(opened: Opened, context: Context, *, report: Report, check: Callable[[], None], distribution: str) -> PromotionGateways:
    """What the steps work on."""
    from gateways.origin_order import put_first
    from guards.caller import this_process
    from promotion.steps import PromotionGateways
    from website.run import Run

    origins = origins_of(opened)
    assert origins is not None, "asked by the caller"
    home, standby = places(opened)
    return PromotionGateways(
        origins=origins,
        register=register(opened),
        home=home,
        standby=standby,
        put_first=lambda origin: put_first(opened.aws, account_id=opened.assembly.account_id, distribution_id=distribution, origin=origin),
        index_key=opened.assembly.site.index_document.lstrip("/"),
        run=Run(caller=this_process(opened.caller), token=context.token_hex(8), now=context.now, sleep=context.sleep, report=report),
        check=check,
    )


def _side(place: Place, environment: str | None) -> Side:
    """`environment`: whose list of releases is read; None for a region that may be lost."""
    from promotion.plan import Side

    live = place.store(environment).state()[0].live if environment else None
    return Side(region=place.region, bucket=place.bucket, artifacts=place.artifacts, release=live.number if live else 0)


def _ledger_end(opened: Opened, standby: Place) -> int:
    from website.content import key_prefix
    from website.ledger import FOLDER, Ledger

    prefix = key_prefix(opened.assembly.site)
    found = Ledger.of(prefix, (head.key for head in standby.s3.list(standby.bucket, prefix + FOLDER)))
    return max((number for number, _ in found.entries), default=0)


def _distribution(opened: Opened) -> str:
    """From the stack that stands in the standby region."""
    from session.site import outputs

    found = outputs(opened, ACCESS_STACK).get("DistributionId", "")
    if not found:
        raise CommandError(
            f"the stack {ACCESS_STACK} does not tell the distribution's id: an earlier version applied it, and it has to be"
            " applied anew before the home region is lost",
            command=commands.deploy("apply", opened.assembly.environment),
        )
    return found


def _keys(objects: Iterable[tuple[str, StoredObject | None]]) -> Keys:
    from assembly.files import canonical_json, sha256
    from promotion.plan import NAMED, Keys

    found = tuple(objects)
    named = [[key, held.etag if held else ""] for key, held in found]
    return Keys(
        objects=len(found),
        size=sum(held.size for _, held in found if held),
        keys=tuple(key for key, _ in found[:NAMED]),
        digest=sha256(canonical_json(named)),
    )

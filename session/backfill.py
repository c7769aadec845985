"""Giving the replica what it lacks: what a plan says of it, and doing it.

In: an opened environment. Out: a finding for a plan; what was copied. Never: begins a copy that takes long while an apply waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from assembly import commands
from aws.errors import AwsError, CredentialsError, NotFound
from session.context import Context
from session.origins import origins_of, pair_of
from session.site import progress

if TYPE_CHECKING:
    from planning.model import Finding
    from recovery.backfill import Filled
    from recovery.comparing import Difference
    from recovery.origins import Origins
    from session.opened import Opened

BATCH = 'S3 Batch Replication does that inside of S3 (Amazon S3 User Guide, "Replicating existing objects with Batch Replication")'


def findings(opened: Opened) -> tuple[Finding, ...]:
    """How much the replica lacks, for a plan. What AWS refuses to tell is a note: it stops no plan."""
    from planning.model import Finding

    origins = origins_of(opened)
    if origins is None:
        return ()
    try:
        away = _away(opened)
        if any(each.severity != "note" for each in away):
            return away
        return (*away, *(_broken(opened, origins) or _lacking(opened, origins)))
    except CredentialsError:
        raise
    except AwsError as error:
        text = f"how much the replica lacks cannot be told: {error}"
        return (Finding(severity="note", code="replica_unread", message=text, command=commands.deploy("dr status", origins.environment)),)


def _lacking(opened: Opened, origins: Origins) -> tuple[Finding, ...]:
    from planning.model import Finding
    from recovery.backfill import is_large, minutes
    from website.run import count, size

    need = _need(opened, origins)
    if not need.objects:
        return ()
    what = f"the replica {origins.replica.bucket} lacks {count(need.objects, 'object')} ({size(need.size)}) of {origins.primary.bucket}"
    if is_large(need):
        text = f"{what}: too many for apply to copy (about {minutes(need)} min); {BATCH}, or this, in a terminal of its own"
        command = commands.deploy("dr backfill", origins.environment)
        return (Finding(severity="warning", code="replica_backfill", message=text, command=command),)
    text = f"{what}; they are copied when the stacks stand, in about {minutes(need)} min, also where no stack changes"
    return (Finding(severity="note", code="replica_backfill", message=text),)


def _away(opened: Opened) -> tuple[Finding, ...]:
    """While releases do not go home, nothing is copied and nothing is applied."""
    from planning.model import Finding
    from recovery.status import away_problems
    from session.target import Untold, register, told

    environment = opened.assembly.environment
    try:
        entry = told(register(opened, soon=True))
    except Untold as error:
        if error.silent:
            return (Finding(severity="note", code="register_unread", message=str(error), command=error.command),)
        return (Finding(severity="warning", code="promoted", message=f"apply is refused: {error}", command=error.command),)
    if entry is None:
        return ()
    target = entry.target
    problems = away_problems(target.phase, environment, since=target.since, by=target.by)
    command = commands.deploy("dr promote" if target.phase == "promoting" else "dr failback", environment)
    return tuple(Finding(severity="warning", code="promoted", message=f"apply is refused: {each}", command=command) for each in problems)


def _broken(opened: Opened, origins: Origins) -> tuple[Finding, ...]:
    """What was changed by hand so that nothing reaches the replica."""
    from planning.model import Finding

    return tuple(Finding(severity="warning", code="replica_broken", message=each) for each in _problems(opened, origins))


def _problems(opened: Opened, origins: Origins) -> tuple[str, ...]:
    from recovery.settings import problems

    pair = pair_of(opened, origins)
    return problems(origins, pair.primary_buckets, pair.replica_buckets)


def refuse_broken(opened: Opened, origins: Origins) -> None:
    """Raise `CommandError` where what is copied would not stay the same: S3 replicates nothing into that bucket. Raises `AwsError`."""
    from session.context import CommandError

    problems = _problems(opened, origins)
    if problems:
        raise CommandError(*problems, "nothing was copied", command=commands.deploy("dr status", origins.environment))


def _need(opened: Opened, origins: Origins) -> Difference:
    from recovery.backfill import needed
    from recovery.comparing import read

    pair = pair_of(opened, origins)
    try:
        here = read(pair.primary, origins.primary.bucket)
    except NotFound:
        return needed({}, {})
    try:
        return needed(here, read(pair.replica, origins.replica.bucket))
    except NotFound:
        return needed(here, {})


def after_apply(context: Context, opened: Opened) -> None:
    """Copy what the replica lacks, if there is one; trouble is told and fails no apply, since every stack stands."""
    from recovery.backfill import is_large

    origins = origins_of(opened)
    if origins is None:
        return
    command = commands.deploy("dr backfill", origins.environment)
    try:
        need = _need(opened, origins)
        if not need.objects:
            return
        if is_large(need):
            context.say(f"warning: the replica lacks {need.objects:,} objects; {BATCH}")
            context.say_next(command)
            return
        filled = fill(context, opened, origins)
    except AwsError as error:
        context.say(f"warning: the replica was not given what it lacks: {error}")
        context.say_next(command)
        return
    if filled.left:
        context.say(f"warning: the replica still lacks {len(filled.left):,} objects")
        context.say_next(command)


def fill(context: Context, opened: Opened, origins: Origins, *, check: Callable[[], None] = lambda: None) -> Filled:
    """Copy everything that it lacks. `check` raises once the lock is lost. Raises `AwsError`."""
    from guards.caller import this_process
    from recovery import backfill
    from website.run import Run

    pair = pair_of(opened, origins)
    with progress(context) as report:
        run = Run(caller=this_process(opened.caller), token=context.token_hex(8), now=context.now, sleep=context.sleep, report=report)
        return backfill.fill(origins, pair.primary, pair.replica, pair.replica_buckets, run, check=check)

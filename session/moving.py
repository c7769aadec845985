"""What promote and failback have in common: show, ask, lock, do, tell.

In: a plan with its digest, what carries it out. Out: an exit status.
Never: goes on without the standby's lock, and that of a home region that answers.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from guards.text import as_lines
from session.context import OK, PENDING, CommandError, Context
from session.promoting import failback_plan, gateways_of, promote_plan, standby_locked
from session.target import Untold, in_standby, register, told

if TYPE_CHECKING:
    from promotion.plan import FailbackPlan, PromotePlan
    from promotion.steps import PromotionGateways
    from promotion.target import Entry
    from session.opened import Opened


def _moved(
    args: argparse.Namespace,
    context: Context,
    opened: Opened,
    approved: tuple[PromotePlan | FailbackPlan, str],
    do: Callable[[PromotionGateways], Entry],
) -> int:
    """Show the plan; with an approval carry it out. `approved`: the plan, and the digest that it is approved by."""
    from promotion.plan import action_of, lines
    from session.approval import refuse_unapproved
    from session.site import confirm, progress

    plan, digest = approved
    action = action_of(plan)
    told = (*lines(plan), f"{action} {digest[:DIGEST_DIGITS]}")
    if args.dry_run:
        context.answers({"plan": plan, "digest": digest, "target": None}, as_lines(told), machine=args.json)
        return PENDING
    for line in told:
        context.say(line)
    question = f"{action.capitalize()} {args.env}?"
    confirm(question, digest, args, context, protected=opened.assembly.protected)
    refuse_unapproved(in_standby(opened), digest, f"{action} {digest[:DIGEST_DIGITS]}", context)
    with (
        standby_locked(opened, context, f"dr {action}") as ours,
        _home_locked(opened, context, plan) as at_home,
        progress(context) as report,
    ):

        def check() -> None:
            ours()
            at_home()

        gateways = gateways_of(opened, context, report=report, check=check, distribution=plan.distribution)
        try:
            entry = _done(args, action, opened, lambda: do(gateways))
        except KeyboardInterrupt:
            _tell_interrupted(args, context, opened, action)
            raise
    side = plan.standby if entry.target.phase == "standby" else plan.home
    where = f"{side.bucket} in {side.region}"
    context.answers({"plan": plan, "digest": digest, "target": entry.target}, f"{args.env}: releases go to {where}", machine=args.json)
    return OK


@contextlib.contextmanager
def _home_locked(opened: Opened, context: Context, plan: PromotePlan | FailbackPlan) -> Iterator[Callable[[], None]]:
    """Where the home region answers, no apply, rehearsal or back-fill is under way: each writes to the replica, or to the distribution."""
    from promotion.plan import PromotePlan
    from session.shared import locked

    if isinstance(plan, PromotePlan) and not plan.planned:
        yield lambda: None
        return
    with locked(opened, context, "dr", moving=True) as check:
        yield check


def _done(args: argparse.Namespace, action: str, opened: Opened, do: Callable[[], Entry]) -> Entry:
    from aws.errors import AwsError, Conflict
    from gateways.origin_order import NoGroup
    from promotion.steps import Refused
    from promotion.target import NotNext, Unreadable
    from review.next_command import again
    from website.errors import WebsiteError

    try:
        return do()
    except Refused as error:
        raise CommandError(f"{action} stops: {error}", command=error.command) from None
    except (NotNext, Conflict) as error:
        raise CommandError(f"somebody else was first: {error}", command=again(args)) from error
    except (AwsError, NoGroup, Unreadable, WebsiteError) as error:
        raise CommandError(f"{action} stops: {error}", _standing(opened)[1], command=again(args)) from error


def _standing(opened: Opened) -> tuple[str, str]:
    """The phase that the register says, "" where it does not, and how far it got in words."""
    from aws.errors import CredentialsError

    try:
        entry = told(register(opened, soon=True))
    except (CredentialsError, Untold) as error:
        return "", f"how far it got cannot be read now ({error}), and no two buckets take releases"
    phase = entry.target.phase if entry else "home"
    if phase in ("home", "standby"):
        return phase, f"releases go to the {'site bucket' if phase == 'home' else 'replica'}"
    return phase, f"{phase}, so nobody takes releases until it has ended; visitors have the site. To go on:"


def _tell_interrupted(args: argparse.Namespace, context: Context, opened: Opened, action: str) -> None:
    """How far it got, and what is typed next."""
    from review.next_command import again

    phase, words = _standing(opened)
    context.say(f"{action} interrupted: {words}")
    if phase not in ("promoting", "failing-back"):
        context.say_next(commands.deploy("dr status", args.env))
        return
    context.say_next(again(args))
    if phase == "promoting":
        context.say("to take it back, once the home region answers:")
        context.say_next(commands.deploy("dr failback", args.env))


def _entry(opened: Opened) -> Entry:
    """What the register says. Raises `CommandError`."""
    entry = told(register(opened))
    if entry is None:
        environment = opened.assembly.environment
        raise CommandError(
            f"{environment} has no standby region yet: the stack replica was never applied", command=commands.deploy("plan", environment)
        )
    return entry


def promoted(args: argparse.Namespace, context: Context, opened: Opened) -> int:
    """dr promote."""
    from promotion.plan import digest_of
    from promotion.steps import promote

    entry = _entry(opened)
    plan = promote_plan(opened, args, entry)
    digest = entry.target.plan if entry.target.phase == "promoting" else digest_of(plan)

    def do(gateways: PromotionGateways) -> Entry:
        return promote(gateways, plan=digest, distribution=plan.distribution, planned=args.planned)

    return _moved(args, context, opened, (plan, digest), do)


def failed_back(args: argparse.Namespace, context: Context, opened: Opened) -> int:
    """dr failback."""
    from promotion.plan import digest_of
    from promotion.steps import failback

    entry = _entry(opened)
    plan = failback_plan(opened, entry)
    digest = entry.target.plan if entry.target.phase == "failing-back" else digest_of(plan)
    return _moved(args, context, opened, (plan, digest), lambda gateways: failback(gateways, plan=digest))

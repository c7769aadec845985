"""Execute the plan that was reviewed, and nothing else.

In: the plan in dist/ENV/plan.json (without one, a plan is made, shown and asked about). Out: what was applied, on stdout; progress
on stderr.
Never: applies a plan that nobody has approved, that was changed, or that was made for another assembly, account or state of a stack.

Exit status: 0 applied or nothing to do, 1 failed, 2 usage or refused, 3 nothing applied since AWS has moved after the plan was made (plan
again), 130 interrupted.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from guards.text import as_lines
from session.approval import refuse_unapproved
from session.carrying_out import carrying_out
from session.content_publisher import publisher
from session.context import FAILED, INTERRUPTED, OK, PENDING, USAGE, CommandError, Context
from session.freshness import add_build_argument
from session.opened import Opened, add_common_arguments, open_environment
from session.saved_plan import not_the_one, refuse_moved_content, refuse_without_authority
from session.target import add_target_argument, mirrored, refuse_edited_away, refuse_unless_home

if TYPE_CHECKING:
    from guards.caller import Caller
    from planning.model import Plan
    from rollout.apply import Applied
    from rollout.execution import Run
    from session.planned_content import PlannedContent

EXAMPLES = """\
  python deploy.py apply --env dev                              the saved plan, or a new one; asks before it begins
  python deploy.py apply --env dev --local --yes                against a local AWS, without any account and without asking
  python deploy.py apply --env prod --approve 3f2a91c07b55      a protected environment without a terminal: the digest that was reviewed
  python deploy.py apply --env sit --plan-digest 3f2a91c07b55 --yes    in CI: that plan and no other
  python deploy.py apply --env dev --content ../web/dist        the stacks, then the app, as one plan
  python deploy.py apply --env prod --release sit:3f9c01d2ab44  the stacks, then what was verified in sit, as one plan
"""
DATA = ("rollout.apply:Applied", "docs.verb_answers:Nothing")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    add_build_argument(parser)
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument("--yes", action="store_true", help="do not ask (unprotected environments only)")
    parser.add_argument("--plan-digest", metavar="DIGEST", help="refuse any other saved plan; at least 12 digits")
    parser.add_argument("--approve", metavar="DIGEST", help="approval of exactly this plan, instead of being asked; at least 12 digits")
    parser.add_argument(
        "--only", action="append", default=[], metavar="STACK", help="without a saved plan: only this stack and its dependencies"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--content",
        type=Path,
        metavar="DIR",
        help="without a saved plan: a built front end to publish after the stacks; with one: where the reviewed content lies by now",
    )
    group.add_argument(
        "--release", metavar="ENV:RELEASE", help="without a saved plan: a release that another environment verified, as in plan"
    )
    parser.add_argument("--remove", action="store_true", help="without a saved plan: as in plan")
    add_target_argument(parser)
    parser.add_argument("--allow", action="append", default=[], metavar="CODE[:PATTERN]", help="without a saved plan: as in plan")
    parser.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help="without a saved plan: as in plan")


def run(args: argparse.Namespace, context: Context) -> int:
    """Load or make the plan, have it approved, apply it."""
    for digest in (args.plan_digest, args.approve):
        if digest is not None and not _is_digest(digest):
            raise CommandError(f"{digest!r} is not a plan's digest (at least {DIGEST_DIGITS} hexadecimal digits)", status=USAGE)
    opened = open_environment(args, context)
    refuse_unless_home(opened, args, "no stack is changed")
    refuse_edited_away(opened)
    plan, fresh = _plan(args, context, opened)
    if plan is None:
        return FAILED  # its findings were shown
    if not plan.has_changes:
        _nothing_to_do(args, context, opened, plan)
        return OK
    if not fresh:
        context.say(f"plan {plan.digest[:DIGEST_DIGITS]} of {plan.created_at} by {plan.created_by}")
    refuse_without_authority(opened, plan)
    from session.planned_content import PlannedContent

    with PlannedContent(args, context, opened) as content:
        # A release is fetched here also where the plan is new: what is fetched is what is published.
        if plan.content is not None and (not fresh or plan.content.release):
            refuse_moved_content(plan, content)
        approve(args, context, plan)
        refuse_unapproved(opened, plan.digest, f"plan {plan.digest[:DIGEST_DIGITS]}", context)
        with mirrored(opened, context):
            applied = execute(args, context, opened, plan, content=content, remove=removal_approved(args, context, plan))
    from review.outcome_view import ended

    context.answers(applied, ended(opened.assembly, applied, local=args.local), machine=args.json)
    report_failures(context, applied)
    if applied.result == "succeeded":
        from planning.saved import forget, path_of
        from session.backfill import after_apply

        after_apply(context, opened)

        forget(path_of(args.dist, plan.environment))
        return OK
    return INTERRUPTED if applied.result == "interrupted" else FAILED


def report_failures(context: Context, applied: Applied) -> None:
    """For machines: what went wrong, stack by stack."""
    for outcome in applied.stacks:
        if not outcome.ok and outcome.result != "not_started":
            context.problem(f"stack_{outcome.result}", f"{outcome.stack}: {outcome.message or outcome.status}", outcome.command)
    content = applied.content
    if content is not None and content.result not in ("succeeded", "unchanged", "not_started"):
        context.problem(f"content_{content.result}", content.message, content.command)
    if applied.problem:
        context.problem(applied.result, applied.problem, applied.command)


# --- the plan ---------------------------------------------------------------------------------------------------------


def _is_digest(text: str) -> bool:
    return DIGEST_DIGITS <= len(text) <= 64 and set(text) <= set("0123456789abcdef")


def _plan(args: argparse.Namespace, context: Context, opened: Opened) -> tuple[Plan | None, bool]:
    """The saved plan, or a new one that was shown (True); None for a new one that cannot be applied."""
    from planning.model import Options
    from planning.saved import load, path_of
    from verbs.plan import content_of, plan_and_save, rendered, report_errors

    path = path_of(args.dist, args.env)
    asked = (("--content", args.content), ("--release", args.release))
    content = tuple(word for option, value in asked if value is not None for word in (option, str(value)))
    again = commands.deploy("plan", args.env, *content)
    saved = load(path, args.env) if path.exists() else None
    if saved is not None and (saved.has_changes or args.plan_digest or args.approve):
        plan = saved
        problems, again = not_the_one(args, opened, plan, path, content)
        if problems:
            raise CommandError(*problems, command=again, status=USAGE)
        return plan, False
    if args.plan_digest or args.approve:
        raise CommandError(f"{path}: there is no saved plan to be that one", command=again, status=USAGE)
    # --yes approves no protected environment, so that planning would only end in a refusal.
    if not context.stdin.isatty() and (opened.assembly.protected or not args.yes):
        raise CommandError("there is no terminal to ask on, and no plan was reviewed yet", command=again, status=USAGE)
    options = Options(only=tuple(args.only), local=args.local, remove=args.remove)
    plan = plan_and_save(opened, options, args.dist, context, content=content_of(args, context, opened))
    if args.json:
        context.say(rendered(plan, "text", width=context.width(), colour=context.colour(context.stderr)))
    else:
        context.result(rendered(plan, "text", width=context.width(), colour=context.colour(context.stdout)))
    if plan.blocked:
        report_errors(context, plan)
    return (None if plan.blocked else plan), True


def _nothing_to_do(args: argparse.Namespace, context: Context, opened: Opened, plan: Plan) -> None:
    from planning.saved import forget, path_of
    from session.backfill import after_apply

    forget(path_of(args.dist, plan.environment))
    after_apply(context, opened)
    if not plan.options.only:
        _remember_unchanged(args, context, opened, plan)
    nothing = {"environment": plan.environment, "plan_digest": plan.digest, "result": "no_changes"}
    told = [f"{plan.environment}: no changes, nothing to apply"]
    if plan.removals:
        from review.removal_view import headline, lines

        told += (headline(plan), *lines(plan))
    context.answers(nothing, as_lines(told), machine=args.json)


def _remember_unchanged(args: argparse.Namespace, context: Context, opened: Opened, plan: Plan) -> None:
    """An assembly that changes nothing of what is deployed is applied by being looked at: the history names it, and status agrees."""
    from aws.errors import AwsError
    from guards.caller import this_process
    from rollout.apply import Applied
    from session.shared import past_of

    try:
        last = past_of(opened, limit=1).records[:1]
    except AwsError:
        return
    if not last or last[0].assembly_digest == opened.assembly.digest:
        return
    now = context.now().timestamp()
    nothing = Applied(
        environment=plan.environment,
        plan_digest=plan.digest,
        assembly_digest=plan.assembly_digest,
        result="succeeded",
        started=now,
        seconds=0.0,
        stacks=(),
    )
    run_ = carrying_out(opened, plan, lambda _: None, threading.Event(), lambda: now)
    remember(context, opened, run_, nothing, this_process(opened.caller), dist=args.dist, unchanged=True)


# --- approval ---------------------------------------------------------------------------------------------------------


def approve(args: argparse.Namespace, context: Context, plan: Plan, *, verb: str = "apply") -> None:
    """Return if the plan is approved. Raises `CommandError` if not, or if there is nobody to ask."""
    if args.approve is not None:
        if plan.digest.startswith(args.approve):
            return
        raise CommandError(
            f"approved was {args.approve}, but the plan is {plan.digest}",
            command=commands.deploy("plan", plan.environment),
            status=USAGE,
        )
    if args.yes and not plan.protected:
        return
    again = commands.deploy(verb, plan.environment)
    if not context.stdin.isatty():
        if plan.protected:
            more = ", which --yes is not enough for" if args.yes else ""
            why = f"{plan.environment} is protected{more}: without a terminal the plan's digest approves it"
            raise CommandError(why, command=commands.deploy(verb, plan.environment, "--approve", plan.digest[:DIGEST_DIGITS]), status=USAGE)
        raise CommandError("there is no terminal to ask on", command=commands.deploy(verb, plan.environment, "--yes"), status=USAGE)
    from session.shared import asked

    if plan.protected:
        question = f"{plan.environment} is protected. Type its name to apply plan {plan.digest[:DIGEST_DIGITS]}: "
        wanted = {plan.environment}
    else:
        question, wanted = f"Apply plan {plan.digest[:DIGEST_DIGITS]} to {plan.environment}? [y/N] ", {"y", "yes"}
    answer = asked(context, question)
    if (answer if plan.protected else answer.lower()) not in wanted:
        raise CommandError("not approved; nothing has been changed, and the plan stays saved", command=again)


def removal_approved(args: argparse.Namespace, context: Context, plan: Plan) -> bool:
    """Whether the stacks that are no more wanted go although the plan was not asked for that; only a person at a terminal can say so."""
    if not plan.removals or plan.options.remove or args.yes or args.approve is not None or not context.stdin.isatty():
        return False
    if any(each.protected for each in plan.removals):
        return False
    from session.shared import asked

    names = ", ".join(each.stack_name for each in plan.removals)
    answer = asked(
        context, f"Also delete {names}, as the review of plan {plan.digest[:DIGEST_DIGITS]} says? Type delete, or nothing to keep: "
    )
    return answer == "delete"


# --- applying ---------------------------------------------------------------------------------------------------------


def execute(
    args: argparse.Namespace, context: Context, opened: Opened, plan: Plan, *, content: PlannedContent | None = None, remove: bool = False
) -> Applied:
    """Apply the approved plan under the lock, and put it into the history. `remove`: stacks no more wanted go, too."""
    from guards.caller import this_process
    from review.progress_view import shown
    from rollout import apply as engine
    from rollout.lock import LockHeld
    from session.shared import take_lock

    stop = threading.Event()
    me = this_process(opened.caller)

    def now() -> float:
        return context.now().timestamp()

    stream = io.StringIO() if context.quiet else context.stderr
    live = stream.isatty() and context.environ.get("TERM") != "dumb"
    stacks = tuple(p.stack for p in plan.stacks if p.operation != "none")
    if plan.content is not None:
        from planning.content import CONTENT

        stacks += (CONTENT,)
    with shown(stacks, stream, live=live, colour=context.colour(context.stderr), now=now) as report:
        the_run = dataclasses.replace(carrying_out(opened, plan, report, stop, now), remove=remove)
        try:
            publish = None if content is None else publisher(context, opened, content)
            applied = engine.apply(the_run, lambda: take_lock(opened, context, "apply", args), publish=publish)
        except engine.StalePlan as error:
            raise CommandError(*error.problems, command=error.command, status=PENDING) from None
        except engine.LockTableMissing as error:
            raise CommandError(str(error), command=error.command) from None
        except LockHeld as error:
            raise CommandError(str(error), command=error.hint) from None
    remember(context, opened, the_run, applied, me, dist=args.dist)
    return applied


# --- the record -------------------------------------------------------------------------------------------------------


def remember(context: Context, opened: Opened, the_run: Run, applied: Applied, me: Caller, *, dist: Path, unchanged: bool = False) -> None:
    """Keep the assembly and a record of the apply in the artifact bucket; a failure to is only told, since what was applied is applied."""
    from assembly import sources
    from aws.errors import AwsError
    from aws.s3 import S3
    from guards.checkout import commit_of
    from rollout import history
    from rollout.apply import record_of

    assembly = opened.assembly
    content = applied.content is not None and applied.content.started
    begun = any(o.started for o in applied.stacks) or content or any(each.begun for each in applied.removals)
    if not unchanged and not begun:
        return
    try:
        bucket = S3.connect(opened.aws, account_id=assembly.account_id, region=assembly.home_region)
        history.keep(bucket, assembly.artifact_bucket, assembly, opened.templates)
        built = sources.read(dist / assembly.environment)
        record = record_of(
            the_run, applied, by=me.arn, host=me.host, git_commit=built.commit or commit_of(context.root), rollback=built.restored
        )
        history.save(bucket, assembly.artifact_bucket, record)
    except AwsError as error:
        context.say(f"warning: this apply is not in the history: {error}")

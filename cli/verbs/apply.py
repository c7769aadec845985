"""Execute the plan that was reviewed, and nothing else.

In: the plan in dist/ENV/plan.json (without one, a plan is made, shown and asked about). Out: what was applied, on stdout; progress
on stderr.
Never: applies a plan that nobody has approved, that was changed, or that was made for another assembly, account or state of a stack.

Exit status: 0 applied or nothing to do, 1 failed, 2 usage or refused, 3 nothing applied since AWS has moved after the plan was made (plan
again), 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from guards.text import as_lines
from session.approval import refuse_unapproved
from session.context import FAILED, INTERRUPTED, OK, PENDING, USAGE, CommandError, Context
from session.freshness import add_build_argument
from session.opened import Opened, add_common_arguments, open_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assembly.model import HostedZone, Stack
    from guards.caller import Caller
    from planning.model import Plan
    from rollout.apply import Applied, Publish
    from rollout.certificate_validation import CertificateValidation
    from rollout.execution import Run
    from rollout.lock import Lock
    from rollout.outcome import ContentOutcome
    from rollout.progress import Report
    from website.run import Outcome as Published
    from website.run import Report as ContentReport

EXAMPLES = """\
  python deploy.py apply --env dev                              the saved plan, or a new one; asks before it begins
  python deploy.py apply --env dev --local --yes                against a local AWS, without any account and without asking
  python deploy.py apply --env prod --approve 3f2a91c07b55      a protected environment without a terminal: the digest that was reviewed
  python deploy.py apply --env sit --plan-digest 3f2a91c07b55 --yes    in CI: that plan and no other
  python deploy.py apply --env dev --content ../web/dist        the stacks, then the app, as one plan
"""

POLL_SECONDS = 3.0
DIGEST_DIGITS = 12
"""Hexadecimal digits of a digest that must be given at the least."""


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
    parser.add_argument(
        "--content",
        type=Path,
        metavar="DIR",
        help="without a saved plan: a built front end to publish after the stacks; with one: where the reviewed content lies by now",
    )
    parser.add_argument("--allow", action="append", default=[], metavar="CODE[:PATTERN]", help="without a saved plan: as in plan")
    parser.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help="without a saved plan: as in plan")


def run(args: argparse.Namespace, context: Context) -> int:
    """Load or make the plan, have it approved, apply it."""
    for digest in (args.plan_digest, args.approve):
        if digest is not None and not _is_digest(digest):
            raise CommandError(f"{digest!r} is not a plan's digest (at least {DIGEST_DIGITS} hexadecimal digits)", status=USAGE)
    opened = open_environment(args, context)
    plan, fresh = _plan(args, context, opened)
    if plan is None:
        return FAILED
    if not plan.has_changes:
        _nothing_to_do(args, context, plan)
        return OK
    if not fresh:
        context.say(f"plan {plan.digest[:DIGEST_DIGITS]} of {plan.created_at} by {plan.created_by}")
    _refuse_without_authority(opened, plan)
    if not fresh:
        _refuse_moved_content(args, context, opened, plan)
    approve(args, context, plan)
    refuse_unapproved(opened, plan.digest, f"plan {plan.digest[:DIGEST_DIGITS]}", context)
    applied = execute(args, context, opened, plan)
    from review.outcome_view import standing
    from review.progress_view import summary

    if args.json:
        context.data(applied)
    else:
        context.result(summary(applied))
        if applied.result == "succeeded":
            context.result(as_lines(standing(opened.assembly, applied, local=args.local)))
    if applied.result == "succeeded":
        from planning.saved import forget, path_of

        forget(path_of(args.dist, plan.environment))
        return OK
    return INTERRUPTED if applied.result == "interrupted" else FAILED


# --- the plan ---------------------------------------------------------------------------------------------------------


def _is_digest(text: str) -> bool:
    return DIGEST_DIGITS <= len(text) <= 64 and set(text) <= set("0123456789abcdef")


def _plan(args: argparse.Namespace, context: Context, opened: Opened) -> tuple[Plan | None, bool]:
    """The saved plan, or a new one that was shown (True); None for a new one that cannot be applied."""
    from cli.verbs.plan import content_of, plan_and_save, rendered, show
    from planning.model import Options
    from planning.saved import load, path_of
    from rollout.apply import refusals

    path = path_of(args.dist, args.env)
    content = ("--content", str(args.content)) if args.content is not None else ()
    again = commands.deploy("plan", args.env, *content)
    saved = load(path, args.env) if path.exists() else None
    if saved is not None and (saved.has_changes or args.plan_digest or args.approve):
        plan = saved
        problems = refusals(plan, opened.assembly, local=args.local)
        if args.only and set(args.only) - set(plan.options.only):
            problems += (f"the saved plan {path} is not the one for --only {' '.join(args.only)}",)
            again = commands.deploy("plan", args.env, *content, *(word for stack in args.only for word in ("--only", stack)))
        if args.content is not None and plan.content is None:
            problems += (f"the saved plan {path} is about the stacks alone, not about {args.content}",)
        if args.plan_digest and not plan.digest.startswith(args.plan_digest):
            problems += (f"the saved plan is {plan.digest}, not {args.plan_digest}",)
        if problems:
            raise CommandError(*problems, command=again, status=USAGE)
        return plan, False
    if args.plan_digest or args.approve:
        raise CommandError(f"{path}: there is no saved plan to be that one", command=again, status=USAGE)
    if not args.yes and not context.stdin.isatty():
        raise CommandError("there is no terminal to ask on, and no plan was reviewed yet", command=again, status=USAGE)
    options = Options(only=tuple(args.only), local=args.local)
    plan = plan_and_save(opened, options, args.dist, context, content=content_of(args, context, opened))
    if args.json:
        context.say(rendered(plan, "text", width=context.width(), colour=context.colour(context.stderr)))
    else:
        show(plan, "text", None, context)
    return (None if plan.blocked else plan), True


def _nothing_to_do(args: argparse.Namespace, context: Context, plan: Plan) -> None:
    from planning.saved import forget, path_of

    forget(path_of(args.dist, plan.environment))
    if args.json:
        context.result(json.dumps({"environment": plan.environment, "plan_digest": plan.digest, "result": "no_changes"}, indent=2))
    else:
        context.result(f"{plan.environment}: no changes, nothing to apply")


def _refuse_without_authority(opened: Opened, plan: Plan) -> None:
    """Raise `CommandError` for a plan of which these credentials could only do a part."""
    from planning.authority import beyond

    problems = beyond(plan, opened.assembly, opened.caller)
    if problems:
        raise CommandError(*(f.message for f in problems), command=problems[0].command, status=USAGE)


def _content_directory(args: argparse.Namespace, plan: Plan) -> Path:
    assert plan.content is not None, "asked by the caller"
    given: Path | None = getattr(args, "content", None)
    return given or Path(plan.content.directory)


def _refuse_moved_content(args: argparse.Namespace, context: Context, opened: Opened, plan: Plan) -> None:
    """Raise `CommandError` if the content cannot be published as it was reviewed: better before the stacks than after them."""
    if plan.content is None:
        return
    from session.content import refuse_moved
    from website.errors import SourceError, WebsiteError

    try:
        refuse_moved(opened, _content_directory(args, plan), plan.content, now=context.now())
    except WebsiteError as error:
        raise CommandError(str(error), command=error.command, status=USAGE) from None
    except SourceError as error:
        raise CommandError(*error.problems, command=commands.deploy("apply", plan.environment, "--content", "DIR"), status=USAGE) from None


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
    if plan.protected:
        asked, wanted = f"{plan.environment} is protected. Type its name to apply plan {plan.digest[:DIGEST_DIGITS]}: ", {plan.environment}
    else:
        asked, wanted = f"Apply plan {plan.digest[:DIGEST_DIGITS]} to {plan.environment}? [y/N] ", {"y", "yes"}
    context.stderr.write(asked)
    context.stderr.flush()
    answer = context.stdin.readline().strip()
    if (answer if plan.protected else answer.lower()) not in wanted:
        raise CommandError("not approved; nothing has been changed, and the plan stays saved", command=again)


# --- applying ---------------------------------------------------------------------------------------------------------


def execute(args: argparse.Namespace, context: Context, opened: Opened, plan: Plan) -> Applied:
    """Apply the approved plan under the lock, and put it into the history."""
    from aws.dynamodb import Items
    from guards.caller import this_process
    from review.progress_view import shown
    from rollout import apply as engine
    from rollout.lock import LockHeld, acquire, lock_name

    assembly, stop = opened.assembly, threading.Event()
    me = this_process(opened.caller)

    def now() -> float:
        return context.now().timestamp()

    def take() -> Lock:
        table = Items.connect(opened.aws, account_id=assembly.account_id, region=assembly.home_region)
        name = lock_name(assembly.project, assembly.environment)
        return acquire(
            table,
            assembly.lock_table,
            name,
            environment=assembly.environment,
            verb="apply",
            lock_id=context.token_hex(16),
            me=me,
            now=now,
        )

    live = context.stderr.isatty() and context.environ.get("TERM") != "dumb"
    stacks = tuple(p.stack for p in plan.stacks if p.operation != "none")
    if plan.content is not None:
        from planning.content import CONTENT

        stacks += (CONTENT,)
    with shown(stacks, context.stderr, live=live, colour=context.colour(context.stderr), now=now) as report:
        the_run = _run(opened, plan, report, stop, now)
        try:
            applied = engine.apply(the_run, take, publish=_publisher(args, context, opened))
        except engine.StalePlan as error:
            raise CommandError(*error.problems, command=error.command, status=PENDING) from None
        except engine.LockTableMissing as error:
            raise CommandError(str(error), command=error.command) from None
        except LockHeld as error:
            raise CommandError(f"{error}; wait, or if that process is dead, unlock", command=error.hint) from None
    remember(context, opened, the_run, applied, me, dist=args.dist)
    return applied


def _publisher(args: argparse.Namespace, context: Context, opened: Opened) -> Publish:
    """What publishes the plan's content after the stacks."""

    def publish(run: Run) -> ContentOutcome:
        from guards.caller import this_process
        from rollout.content_step import publish_step
        from session.content import publish_planned
        from session.site import commit_of
        from website.run import Run as Publishing

        approved = run.plan.content
        assert approved is not None, "only called for a plan with content"
        directory = _content_directory(args, run.plan)

        def do(report: ContentReport) -> Published:
            publishing = Publishing(
                caller=this_process(opened.caller), token=context.token_hex(8), now=context.now, sleep=context.sleep, report=report
            )
            return publish_planned(opened, directory, approved, publishing, commit=commit_of(directory, context))

        return publish_step(approved, do, report=run.report, now=run.now)

    return publish


def _run(opened: Opened, plan: Plan, report: Report, stop: threading.Event, now: Callable[[], float]) -> Run:
    from aws.s3 import S3
    from rollout.execution import Run
    from rollout.history import expected_or_none
    from rollout.progress import Note
    from session.shared import poll_seconds
    from templates.schemas import bundled

    assembly, gateways, aws = opened.assembly, opened.gateways, opened.aws
    aws.propagation.sleep, aws.propagation.stopped = lambda seconds: _wait(stop, seconds), stop.is_set
    aws.propagation.tell = lambda text: report(Note(at=now(), text=text))
    zone = assembly.hosted_zone
    validation: Callable[[Stack, str], Iterable[str]] = _no_certificate if zone is None else _certificate_validation(opened, zone, now)
    return Run(
        plan=plan,
        assembly=assembly,
        templates=opened.templates,
        gateways=gateways,
        schemas=bundled(),
        report=report,
        now=now,
        sleep=lambda seconds: _wait(stop, seconds),
        stop=stop,
        poll_seconds=poll_seconds(opened, POLL_SECONDS),
        validate_certificates=validation,
        is_new=aws.propagation.is_new,
        learn=aws.propagation.learn,
        expected=expected_or_none(
            S3.connect(aws, account_id=assembly.account_id, region=assembly.home_region), assembly.artifact_bucket, assembly.environment
        ),
    )


def _no_certificate(_stack: Stack, _arn: str) -> Iterable[str]:
    return ()


def _certificate_validation(opened: Opened, zone: HostedZone, now: Callable[[], float]) -> CertificateValidation:
    gateways, aws = opened.gateways, opened.aws
    from aws.acm import Acm
    from aws.route53 import Route53
    from rollout.certificate_validation import CertificateValidation

    return CertificateValidation(
        zone=zone,
        zone_id=lambda: zone.id or gateways.hosted_zone_id(zone.name, account_id=zone.account_id, role_arn=zone.role_arn),
        resources=lambda stack, arn: gateways.cloudformation(stack.account_id, stack.region, stack.role_arn).list_resources(arn),
        certificates=lambda stack: Acm.connect(aws, account_id=stack.account_id, region=stack.region, role_arn=stack.role_arn),
        zones=lambda: Route53.connect(aws, account_id=zone.account_id, role_arn=zone.role_arn),
        now=now,
    )


def _wait(stop: threading.Event, seconds: float) -> None:
    """A sleep that an interrupt ends."""
    stop.wait(seconds)


# --- the record -------------------------------------------------------------------------------------------------------


def remember(context: Context, opened: Opened, the_run: Run, applied: Applied, me: Caller, *, dist: Path) -> None:
    """Keep the assembly and a record of the apply in the artifact bucket; a failure to is only told, since what was applied is applied."""
    from assembly import sources
    from aws.errors import AwsError
    from aws.s3 import S3
    from guards.checkout import commit_of
    from rollout import history
    from rollout.apply import record_of

    assembly = opened.assembly
    if not any(o.started for o in applied.stacks) and not (applied.content is not None and applied.content.started):
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

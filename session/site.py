"""What the website's verbs share: the site of an environment, questions, progress.

In: parsed arguments and the `Context`. Out: a `Site`. Never: decides anything about content.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from guards import checkout
from guards.stream import below
from guards.text import as_lines
from review.next_command import again
from session import known_releases
from session.context import USAGE, CommandError, Context
from session.opened import resources_of
from session.origins import following
from session.shared import asked
from session.target import SITE_STACK, add_target_argument, site_at

if TYPE_CHECKING:
    from assembly.model import Assembly, SiteContract
    from session.opened import Opened
    from website.run import Begun, Outcome, Report, Run, Sent, Warned
    from website.site import Site

REPLICA_WAIT = 300.0
"""Seconds; `website.run.REPLICA_SECONDS`, which is not imported for a parser."""


def site_of(opened: Opened, *, live: Mapping[str, str] | None = None) -> Site:
    """The site of an opened environment. Nothing is asked of AWS here.

    `live`: outputs of the site stack, where they were read already; with none in it a bucket that the template does not name is "".
    """
    from aws.cloudfront import CloudFront
    from aws.s3 import S3
    from aws.transfer import Transfer
    from website.invalidation import Behaviours
    from website.releases import Store
    from website.site import Site

    assembly = opened.assembly
    s3 = S3.connect(opened.aws, account_id=assembly.account_id, region=assembly.home_region)
    site = Site(
        environment=assembly.environment,
        contract=assembly.site,
        behaviours=Behaviours.of_template(opened.templates[SITE_STACK]),
        bucket=bucket_name(opened, live),
        store=Store(s3, assembly.artifact_bucket, assembly.environment),
        s3=s3,
        uploads=cache(lambda: Transfer(s3)),
        cloudfront=cache(lambda: CloudFront.connect(opened.aws, account_id=assembly.account_id)),
        distribution_id=lambda: outputs(opened)["DistributionId"],
        follower=following(opened),
    )
    return site_at(opened, site)


def contract_of(assembly: Assembly) -> SiteContract:
    """What the site must keep. `CommandError` for an assembly without a site."""
    if assembly.contract is None:
        raise CommandError(f"{assembly.environment} has no site", status=USAGE)
    return assembly.contract


def refuse_unless_promoted(environment: str, contract: SiteContract) -> None:
    """Raise `CommandError` for an environment that takes only what was verified elsewhere: a directory was not."""
    if contract.promote_from:
        raise CommandError(
            f"{environment} takes only releases that were verified in {contract.promote_from}",
            command=f"{commands.deploy('releases', contract.promote_from)}\n"
            + commands.deploy("publish", environment, "--release", f"{contract.promote_from}:DIGEST"),
            status=USAGE,
        )


def bucket_name(opened: Opened, live: Mapping[str, str] | None = None) -> str:
    """Name of the site bucket: as the template says, which needs no call; else the stack's output, "" if it is not in `live`."""
    name = bucket_in_template(opened.templates)
    if name:
        return name
    return outputs(opened)["BucketName"] if live is None else live.get("BucketName", "")


def bucket_in_template(templates: Mapping[str, bytes]) -> str:
    """Name of the site bucket where the template says it; else "", as where there is no site."""
    if SITE_STACK not in templates:
        return ""
    name = resources_of(templates, SITE_STACK).get("Bucket", {}).get("Properties", {}).get("BucketName")
    return name if isinstance(name, str) else ""


def deployed_outputs(opened: Opened, stack_id: str = SITE_STACK) -> dict[str, str]:
    """Outputs of a stack; none if it is not deployed."""
    stack = next((s for s in opened.assembly.stacks if s.id == stack_id), None)
    if stack is None:
        return {}
    found = opened.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn).describe_stack(stack.stack_name)
    return {} if found is None else dict(found.outputs)


def all_outputs(opened: Opened) -> dict[str, dict[str, str]]:
    """By stack; the instances of a StackSet have outputs of their own, which are not read."""
    stacks = [stack.id for stack in opened.assembly.stacks if stack.kind == "stack"]
    with ThreadPoolExecutor(len(stacks) or 1) as pool:
        return dict(zip(stacks, pool.map(lambda stack: deployed_outputs(opened, stack), stacks), strict=True))


def outputs(opened: Opened, stack_id: str = SITE_STACK) -> dict[str, str]:
    """The same; `CommandError` if it is not deployed."""
    found = deployed_outputs(opened, stack_id)
    if not found:
        raise CommandError(f"the {stack_id} stack of {opened.assembly.environment} is not deployed", command=apply_command(opened.assembly))
    return found


def commit_of(directory: Path, context: Context) -> str:
    """The commit that a built front end lies in; GITHUB_SHA where it lies in none."""
    return checkout.commit_of(directory) or context.environ.get("GITHUB_SHA", "")


def apply_command(assembly: Assembly) -> str:
    """What deploys the stacks."""
    return commands.deploy("apply", assembly.environment)


def run_of(args: argparse.Namespace, context: Context, opened: Opened, report: Report) -> Run:
    """Who acts, in which world."""
    from guards.caller import this_process
    from website.run import Run

    return Run(
        caller=this_process(opened.caller),
        token=context.token_hex(8),
        now=context.now,
        sleep=context.sleep,
        report=report,
        take_over=args.take_over,
        replica_seconds=args.replica_wait,
    )


def add_choice_arguments(parser: argparse.ArgumentParser) -> None:
    """--allow, --exclude."""
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="CODE[:PATTERN]",
        help="publish the content although of that: every refusal names its code; with a pattern for these paths only; may be repeated",
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="leave out files of that path below DIR; may be repeated"
    )


# --- questions ----------------------------------------------------------------------------------------------------


def add_change_arguments(parser: argparse.ArgumentParser, *, digest: bool = True) -> None:
    """--yes, --approve, --take-over, --json. `digest`: what is asked about has one."""
    parser.add_argument("--yes", action="store_true", help="do not ask (unprotected environments only)")
    parser.add_argument(
        "--approve",
        metavar="DIGEST|ENV" if digest else "ENV",
        help=f"approval without being asked: {'at least 12 digits of the content digest, or ' if digest else ''}the environment's name",
    )
    add_target_argument(parser)
    parser.add_argument("--take-over", action="store_true", help="go on although another unfinished run is recorded; it must be dead")
    parser.add_argument(
        "--replica-wait",
        type=float,
        default=REPLICA_WAIT,
        metavar="SECONDS",
        help="with disaster recovery: wait for the replica for so long (default: 300), then go on with a warning",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def confirm(question: str, digest: str, args: argparse.Namespace, context: Context, *, protected: bool) -> None:
    """Return if it is approved: asked on the terminal (a protected environment's name is typed), by --yes, or by --approve.

    Raises `CommandError` if not, or if there is nobody to ask.
    """
    if args.approve is not None:
        if args.approve == args.env or (digest and len(args.approve) >= DIGEST_DIGITS and digest.startswith(args.approve)):
            return
        raise CommandError(f"approved was {args.approve}, but this is {digest[:DIGEST_DIGITS] or args.env}", status=USAGE)
    if args.yes and not protected:
        return
    approval = digest[:DIGEST_DIGITS] or args.env
    if not context.stdin.isatty():
        more = f"{args.env} is protected: without a terminal it takes an approval" if protected else "there is no terminal to ask on"
        raise CommandError(more, command=again(args, *(("--approve", approval) if protected else ("--yes",))), status=USAGE)
    answer = asked(context, f"{question} {f'{args.env} is protected, type its name:' if protected else '[y/N]'} ")
    if (answer != args.env) if protected else (answer.lower() not in ("y", "yes")):
        raise CommandError("not approved; nothing was changed")


# --- progress -----------------------------------------------------------------------------------------------------


@contextmanager
def progress(context: Context) -> Iterator[Report]:
    """A bar on a terminal, one line a step elsewhere. Warnings stay visible."""
    from website.run import Begun, Warned, step_line

    if context.quiet or not context.stderr.isatty():

        def plain(event: Begun | Sent | Warned) -> None:
            if isinstance(event, Begun):
                if not context.quiet:
                    context.say(step_line(event))
            elif isinstance(event, Warned):
                context.say(f"warning: {event.text}")

        yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

    console = Console(file=below(context.stderr), no_color=not context.colour(context.stderr), width=context.width())
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as bar:
        task: list[Any] = []

        def drawn(event: Begun | Sent | Warned) -> None:
            if isinstance(event, Begun):
                task[:] = [bar.add_task(event.step, total=event.files or None)]
            elif isinstance(event, Warned):
                bar.console.print(as_lines((f"warning: {event.text}",)), markup=False, highlight=False)
            elif task:
                bar.advance(task[0])

        yield drawn


# --- outcomes -----------------------------------------------------------------------------------------------------


def show_outcome(outcome: Outcome, args: argparse.Namespace, context: Context) -> None:
    """What is live now, for people or machines."""
    from review.outcome_view import outcome_data, outcome_text

    known_releases.note(context, args, [outcome.release.content])
    context.answers({"plan": None, "outcome": outcome_data(outcome)}, outcome_text(outcome, args.env), machine=args.json)

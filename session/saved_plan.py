"""Why a saved plan is not carried out: it is not what was asked for, not what these credentials may do, or its content has moved.

In: a plan, what was asked for. Out: reasons and a command, or `CommandError`. Never: changes anything.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from session.context import USAGE, CommandError

if TYPE_CHECKING:
    from planning.model import Plan
    from session.opened import Opened
    from session.planned_content import PlannedContent


def not_the_one(args: argparse.Namespace, opened: Opened, plan: Plan, path: Path, content: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Why the saved plan is not what was asked for, and the command that plans that."""
    from planning.importing import verb_of
    from planning.removal_checks import remove_command
    from rollout.apply import refusals

    verb = verb_of(plan.stacks)
    again = commands.deploy(verb, args.env, *(content if verb == "plan" else ()))
    problems = refusals(plan, opened.assembly, local=args.local)
    if args.only and set(args.only) - set(plan.options.only):
        problems += (f"the saved plan {path} is not the one for --only {' '.join(args.only)}",)
        again = commands.deploy("plan", args.env, *content, *(word for stack in args.only for word in ("--only", stack)))
    if args.remove and not plan.options.remove:
        problems += (f"the saved plan {path} deletes no stack",)
        again = remove_command(args.env, *content)
    if content and plan.content is None:
        problems += (f"the saved plan {path} is about the stacks alone, not about {content[1]}",)
    elif args.release is not None and plan.content is not None and not _same_release(args.release, plan.content.release):
        problems += (f"the saved plan {path} is not about the release {args.release}, but about {plan.content.option}",)
    elif args.content is not None and plan.content is not None and plan.content.release:
        problems += (f"the saved plan {path} is about the release {plan.content.release}, not about {args.content}",)
    if args.plan_digest and not plan.digest.startswith(args.plan_digest):
        problems += (f"the saved plan is {plan.digest}, not {args.plan_digest}",)
    return problems, again


def _same_release(asked: str, planned: str) -> bool:
    """By digest: a number says only in the other environment what it means, and the plan has the digest."""
    environment, _, wanted = asked.partition(":")
    return len(wanted) >= DIGEST_DIGITS and planned.startswith(f"{environment}:{wanted}")


def refuse_without_authority(opened: Opened, plan: Plan) -> None:
    """Raise `CommandError` for a plan of which these credentials could only do a part."""
    from planning.authority import beyond

    problems = beyond(plan, opened.assembly, opened.caller)
    if problems:
        raise CommandError(*(f.message for f in problems), command=problems[0].command, status=USAGE)


def refuse_moved_content(plan: Plan, content: PlannedContent) -> None:
    """Raise `CommandError` if the content cannot be published as it was reviewed: better before the stacks than after them."""
    from website.errors import SourceError, WebsiteError

    assert plan.content is not None, "asked by the caller"
    try:
        content.refuse_moved(plan.content)
    except WebsiteError as error:
        raise CommandError(str(error), command=error.command, status=USAGE) from None
    except SourceError as error:
        raise CommandError(*error.problems, command=commands.deploy("apply", plan.environment, "--content", "DIR"), status=USAGE) from None

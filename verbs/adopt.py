"""Find what exists already, made by Terraform or by hand, and match it with the environment's stacks.

In: the assembly of an environment, a Terraform state, identifiers given by hand, AWS. Out: what is taken over, differs, cannot be, stays;
with --plan the plan that takes it over, for apply: first everything as it is, then what differs.
Never: changes AWS or a Terraform state, runs Terraform, shows a value of a state beyond identifiers.

A state holds secrets in plain text: `terraform state pull | python deploy.py adopt --env prod --terraform-state -` writes it to no file.

What is superseded has names that the deploy role may not read: --check takes an administrator's credentials, as the first deployment does.

Exit status: 0 nothing is left to take over, 3 something is (with --check: something of the old stays unmanaged, or the Terraform state
still has what a stack has), 1 something stands in the way or could not be looked at, 2 usage.
"""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from guards.text import as_lines
from session.context import FAILED, OK, PENDING, USAGE, CommandError, Context
from session.opened import Opened, add_common_arguments, open_environment
from verbs.plan import add_review_arguments

if TYPE_CHECKING:
    from adoption.matching import Candidate
    from adoption.report import AdoptionReport
    from adoption.terraform import State
    from templates.schemas import Schemas

EXAMPLES = """\
  python deploy.py adopt --env prod                                   what has the environment's names and aliases already
  python deploy.py adopt --env prod --terraform-state prod.tfstate    what a Terraform state manages, as well
  python deploy.py adopt --env prod --resource Bucket=www.example.org  a bucket that nothing else names
  python deploy.py adopt --env prod --terraform-state prod.tfstate --plan    the plan that takes it over
  python deploy.py adopt --env prod --terraform-state prod.tfstate --check    does anything of the old stay unmanaged?
  python deploy.py adopt --env prod --write-environment prod.yaml     an environment file that is nearer to what is there
"""
DATA = ("adoption.report:AdoptionReport", "review.as_json:Review")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument(
        "--terraform-state",
        action="append",
        default=[],
        metavar="FILE",
        help="a Terraform state (format 4), or what terraform show -json says; - reads it from stdin; may be repeated",
    )
    parser.add_argument(
        "--resource",
        action="append",
        default=[],
        metavar="ID=IDENTIFIER",
        help="what exists for a logical id (STACK.ID where several stacks have it); may be repeated, and wins over what was found",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--plan", action="store_true", help="make and show the plan that takes over what can be")
    group.add_argument("--check", action="store_true", help="only say whether anything of the old stays unmanaged")
    parser.add_argument(
        "--replace-records", action="store_true", help="with --plan: delete records that stand where this environment makes its own"
    )
    parser.add_argument(
        "--write-environment",
        type=Path,
        metavar="FILE",
        help="write an environment file whose build differs as little as possible from what is there, and list what no key can say",
    )
    parser.add_argument(
        "--environments",
        type=Path,
        metavar="DIR",
        help="where the environment file is that --write-environment begins with (default: environments)",
    )
    add_review_arguments(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Look and show."""
    from adoption.text import checked, lines

    state = _state(args, context)
    _refuse_file_that_is_there(args.write_environment)
    opened = open_environment(args, context)
    report = surveyed(opened, args, context, state)
    for row in report.refused:
        context.problem("not_adopted", f"{row.stack}.{row.logical_id} {row.message}", row.command)
    if args.write_environment is not None:
        _write_environment(report, opened, args, context)
    if args.plan and not report.refused:
        return _planned(opened, report, args, context)
    for note in report.notes:
        context.problem("not_looked_at", f"not known: {note}", _look(args))
    text = checked(report) if args.check else lines(report, context.width())
    context.answers(report, as_lines(text), machine=args.json)
    if args.check:
        return FAILED if report.notes or report.left_out else PENDING if report.unmanaged or report.state_rm else OK
    if report.refused:
        return FAILED
    if report.to_take_over:
        context.say_next(_with_plan(args, report))
    return FAILED if report.notes else PENDING if report.to_take_over else OK


def _planned(opened: Opened, report: AdoptionReport, args: argparse.Namespace, context: Context) -> int:
    """The plan of the takings, saved and shown as `plan` does."""
    from adoption.text import state_rm, where
    from planning.model import Options
    from verbs.plan import plan_and_save, show, status_of

    options = Options(local=args.local, replace_records=args.replace_records)
    plan = plan_and_save(opened, options, args.dist, context, taken=tuple(row.taken() for row in report.to_take_over))
    show(plan, args, context)
    for note in report.notes:
        context.say(f"warning: not known: {note}")
    if report.state_rm and not plan.blocked:
        context.say("before apply, so that Terraform neither changes nor destroys what is taken over:")
        for each in report.states:
            if len(report.states) > 1 and each.state_rm:
                context.say(where(each))
            for address in each.state_rm:
                context.say_next(state_rm(address))
    return status_of(plan)


def _refuse_file_that_is_there(file: Path | None) -> None:
    """It is somebody's; told before anything is looked at."""
    if file is None:
        return
    if file.exists() or file.is_symlink():
        raise CommandError(f"{file}: is there already; name a new file", status=USAGE)
    if not file.parent.is_dir():
        raise CommandError(f"{file.parent}: there is no such directory", status=USAGE)


def _write_environment(report: AdoptionReport, opened: Opened, args: argparse.Namespace, context: Context) -> None:
    """A new file: the environment's own, with what is there."""
    from adoption.environment import read, text, written
    from guards.private import write_private

    assembly = opened.assembly
    before = (args.environments or context.root / "environments") / f"{assembly.environment}.yaml"
    try:
        current = read(before.read_bytes())
    except FileNotFoundError:
        current = {"account_id": assembly.account_id, "home_region": assembly.home_region, "domain": assembly.site.domain}
    except (OSError, ValueError) as error:
        raise CommandError(f"{before}: {error}", command=commands.build(assembly.environment), status=USAGE) from None
    found, file = written(report), args.write_environment
    # Looking takes minutes, in which somebody may have made one.
    _refuse_file_that_is_there(file)
    write_private(file, text(report, current, found).encode())
    keys = "1 key" if len(found.said) == 1 else f"{len(found.said)} keys"
    context.say(f"wrote {file}: {keys} as it is there; differences that no key can say are listed in it: {len(found.unsaid)}")


def _look(args: argparse.Namespace, *more: str) -> str:
    """The same again."""
    state = [word for each in args.terraform_state for word in ("--terraform-state", each)]
    by_hand = [word for each in args.resource for word in ("--resource", each)]
    return commands.deploy("adopt", args.env, *state, *by_hand, *more)


def _with_plan(args: argparse.Namespace, report: AdoptionReport) -> str:
    """The same, with the plan."""
    return _look(args, "--plan", *(["--replace-records"] if report.replaces_records else []))


def surveyed(opened: Opened, args: argparse.Namespace, context: Context, state: State | None) -> AdoptionReport:
    """The report of an opened environment. Raises `CommandError`."""
    from adoption.survey import SurveyRequest
    from adoption.survey import surveyed as survey
    from session.shared import progress
    from templates.schemas import bundled

    schemas = bundled()
    asked = SurveyRequest(
        assembly=opened.assembly,
        templates=opened.templates,
        state=state,
        by_hand=_by_hand(opened, args, schemas),
        check=args.check,
    )
    return survey(asked, opened.gateways, schemas, progress(context))


def _by_hand(opened: Opened, args: argparse.Namespace, schemas: Schemas) -> tuple[Candidate, ...]:
    from adoption.by_hand import NotUnderstood, by_hand
    from adoption.places import places
    from guards.slips import did_you_mean

    try:
        return by_hand(args.resource, places(opened.assembly, opened.templates, None, {}), schemas)
    except NotUnderstood as error:
        meant = did_you_mean(error.word, error.choices) if error.word else ""
        raise CommandError(f"{error}{meant}", status=USAGE) from None


def _state(args: argparse.Namespace, context: Context) -> State | None:
    """All that were named, each read once. Raises `CommandError` that names the file and what is wrong, and nothing that stands in it."""
    from adoption.terraform import together

    if not args.terraform_state:
        return None
    state = together({name: _read(name, context) for name in dict.fromkeys(args.terraform_state)})
    empty = [name for name in state.files if not any(each.file in ("", name) for each in state.resources)]
    for name in () if args.check else empty:
        context.say(f"warning: {name} manages nothing; is it of this environment's workspace (terraform workspace list)?")
    return state


def _read(name: str, context: Context) -> State:
    from adoption.terraform import LARGEST, StateError, read

    if "://" in name:
        raise CommandError(f"{name}: is an address, not a file", command="terraform state pull > FILE", status=USAGE)
    try:
        return read(_from_stdin(context, LARGEST) if name == "-" else _from_file(Path(name), LARGEST))
    except StateError as error:
        raise CommandError(f"{'stdin' if name == '-' else name}: {error}", command=error.command, status=USAGE) from None
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}", command="terraform state pull > FILE", status=USAGE) from None


def _from_stdin(context: Context, largest: int) -> bytes:
    """No more than it may have, and one byte; bytes that are no text are told as such, not raised."""
    raw = getattr(context.stdin, "buffer", None)
    if raw is None:
        return context.stdin.read(largest + 1).encode("utf-8", "surrogatepass")
    data: bytes = raw.read(largest + 1)
    return data


def _from_file(path: Path, largest: int) -> bytes:
    """A file only: a device or a pipe by that name might never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a file")
        return file.read(largest + 1)

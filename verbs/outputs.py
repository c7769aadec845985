"""Show the outputs of the deployed stacks, or one of them.

In: an environment, optionally a name. Out: `stack.Name = value` a line on stdout; with --raw the value alone; with --json all by stack.
Never: changes anything.

Exit status: 0 shown, 1 nothing is deployed or a stack could not be read, 2 there is no such output.
"""

from __future__ import annotations

import argparse

from assembly import commands
from guards.slips import did_you_mean
from guards.text import as_lines
from session.context import OK, USAGE, CommandError, Context
from session.opened import add_common_arguments, open_environment

EXAMPLES = """\
  python deploy.py outputs --env dev                                  everything, stack by stack
  python deploy.py outputs --env dev site.DistributionId --raw         for a script
  python deploy.py outputs --env dev --json                           for machines
"""
DATA = ("docs.verb_answers:Outputs",)
ONLY_PREVIEWED = "local AWS: it has no host names, so Url opens nothing, or the site of AWS; the preview shows this one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("name", nargs="?", metavar="[STACK.]NAME", help="this output only")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, by stack")
    form.add_argument("--raw", action="store_true", help="with NAME: the value and nothing else")


def run(args: argparse.Namespace, context: Context) -> int:
    """Read and show."""
    if args.raw and not args.name:
        raise CommandError("--raw shows one value: say which", command=commands.deploy("outputs", args.env), status=USAGE)
    from session.site import all_outputs

    found = all_outputs(open_environment(args, context, looks=True))
    if not any(found.values()):
        raise CommandError(f"nothing of {args.env} is deployed", command=commands.deploy("apply", args.env))
    if args.name:
        found = _only(found, args.name, args.env)
    if args.local and any("Url" in values for values in found.values()):
        context.say(ONLY_PREVIEWED)
        context.say_next(commands.deploy("preview", args.env))
    if args.raw:
        context.result(next(iter(next(iter(found.values())).values())))
        return OK
    told = as_lines(f"{stack}.{name} = {value}" for stack, values in found.items() for name, value in sorted(values.items()))
    context.answers(found, told, machine=args.json)
    return OK


def _only(found: dict[str, dict[str, str]], wanted: str, environment: str) -> dict[str, dict[str, str]]:
    """The one output of that name. Raises `CommandError` where there is none, or several stacks have one."""
    by_name = {f"{stack}.{name}": (stack, name) for stack, values in found.items() for name in values}
    fitting = [full for full in by_name if wanted in (full, full.partition(".")[2])]
    if len(fitting) != 1:
        many = f"{wanted} is an output of several stacks: {', '.join(fitting)}" if fitting else ""
        what = many or f"there is no output {wanted}{did_you_mean(wanted, by_name)}"
        raise CommandError(what, command=commands.deploy("outputs", environment), status=USAGE)
    stack, name = by_name[fitting[0]]
    return {stack: {name: found[stack][name]}}

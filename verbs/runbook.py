"""Show what to do on an incident or task, with this environment's names, ids and links.

In: an environment, optionally the name of a runbook (docs/runbooks). Out: without a name the list, those first whose alarms are on; with
one its text, and what the live state says right now.
Never: changes anything; keeps a runbook back because AWS cannot be asked.

Exit status: 0 shown, 2 there is no such runbook.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from assembly import commands
from guards.slips import closest, did_you_mean
from guards.text import as_lines
from session.context import OK, ROOT, USAGE, CommandError, Context
from session.opened import add_common_arguments, open_environment, read_assembly

if TYPE_CHECKING:
    from runbooks.facts import Facts
    from runbooks.text import Runbook

EXAMPLES = """\
  python deploy.py runbook --env prod                   which there are; those of the alarms that are on first
  python deploy.py runbook site-down --env prod         what to type now
  python deploy.py runbook site-down --env prod --no-aws    the same without asking AWS
"""
DATA = ("docs.verb_answers:Runbooks", "docs.verb_answers:RunbookText")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="runbook to show (default: list them)")
    parser.add_argument("--no-aws", action="store_true", help="ask AWS nothing: names only, no ids and no states")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Find, fill in, show."""
    from runbooks.choice import lines, listed
    from runbooks.text import filled, without_aws

    found = _runbooks()
    if args.name is not None and args.name not in found:
        meant = closest(args.name, found)
        raise CommandError(
            f"there is no runbook {args.name!r}{did_you_mean(args.name, found)}",
            command=commands.deploy("runbook", args.env, *([meant] if meant else [])),
            status=USAGE,
        )
    facts = _facts(args, context)
    if args.name is None:
        chosen = listed(found.values(), facts)
        context.data(chosen) if args.json else context.result(as_lines(lines(chosen)))
        return OK
    written = without_aws(found[args.name].text) if args.local else found[args.name].text
    text = filled(written, facts)
    if args.json:
        context.data({"name": args.name, "text": text, "alarms": {a: facts.state(a) for a in found[args.name].alarms}})
    else:
        context.result(as_lines(text.split("\n")))
    return OK


def _runbooks() -> dict[str, Runbook]:
    from runbooks.text import Runbook

    files = sorted((ROOT / "docs" / "runbooks").glob("[a-z]*.md"))
    return {file.stem: Runbook(name=file.stem, text=file.read_text(encoding="utf-8")) for file in files}


def _facts(args: argparse.Namespace, context: Context) -> Facts:
    """With what AWS says, where it can be asked: a runbook is most wanted when something does not work."""
    from aws.errors import AwsError
    from gateways.alarms import Alarms
    from runbooks.facts import Facts, Live, alarm_names, alarms_by_region
    from session.site import all_outputs

    assembly, templates = read_assembly(args)
    names = alarm_names(templates)
    live = Live()
    if not args.no_aws:
        try:
            opened = open_environment(args, context, looks=True)
            states: dict[str, str] = {}
            for region, alarms in alarms_by_region(assembly, templates).items():
                states |= Alarms.connect(opened.aws, account_id=assembly.account_id, region=region).states(alarms)
            live = Live(outputs=all_outputs(opened), alarms=states)
        except (AwsError, CommandError) as error:
            context.say(f"warning: AWS could not be asked, so ids and states are missing: {error}")
    return Facts(assembly=assembly, alarm_names=names, live=live, local=args.local)

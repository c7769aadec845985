"""Prove from outside that the live site keeps its contract.

In: the contract in dist/ENV, the site itself. Out: a table, JSON or JUnit XML, one line a promise.
Never: changes the site. AWS is asked only for what the outside cannot know (the distribution's name, the released page, whether it was
replicated), and not with --resolve; --record notes a pass with the live release, which is what promotion asks for.

Exit status: 0 every promise is kept, 1 one is broken, 4 none is broken, but some were not looked at for want of something that the caller
can give (0 with --allow-skips), 2 usage.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from session.context import FAILED, INCOMPLETE, OK, USAGE, CommandError, Context
from session.freshness import refresh
from session.opened import Opened, add_common_arguments, open_environment, read_assembly
from session.site import site_of
from session.target import mirrored, seen
from session.verifying import add_target_arguments, target_of, with_replica

if TYPE_CHECKING:
    from assembly.model import Assembly
    from verification.model import Result
    from website.releases import Release

EXAMPLES = """\
  python deploy.py verify --env prod
  python deploy.py verify --env sit --record --password-file pw     and let this release be promoted
  python deploy.py verify --env dev --junit verify.xml              for CI; the password in BASIC_AUTH_PASSWORD
  python deploy.py verify --env dev --local                         what publish --local published, on a preview of its own
  python deploy.py verify --env dev --browser                       and in a real Chromium: console, policy, requests
  python deploy.py verify --env dev --resolve http://127.0.0.1:8080  a preview that runs
"""
DATA = ("docs.verb_answers:Verified",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--resolve", metavar="[http://]HOST:PORT", help="connect there instead of asking DNS; http:// for a plain preview")
    parser.add_argument("--resolve-http", metavar="HOST:PORT", help="with --resolve: where plain HTTP is answered with a redirect")
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="authorities to trust instead of the system's, for a preview with --https"
    )
    add_target_arguments(parser)
    parser.add_argument("--no-aws", action="store_true", help="ask AWS nothing; checks that need it are skipped")
    parser.add_argument(
        "--allow-skips", action="store_true", help="status 0 although checks were left out for want of the password or of AWS"
    )
    parser.add_argument(
        "--browser",
        nargs="?",
        const="",
        metavar="PROGRAM",
        help="look with a real Chromium as well (default: the one of this machine): console, policy, requests",
    )
    parser.add_argument("--record", action="store_true", help="note a pass with the live release, so that it can be promoted")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML there as well")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Look, show, record. The local AWS has no host names: a preview of it stands in for them, for as long as this takes."""
    if args.local and not args.resolve:
        from session.local_preview import serving

        with serving(args, context) as preview:
            args.resolve, args.resolve_http, args.ca_file = preview.endpoint, preview.plain, preview.authority
            return _verify(args, context)
    return _verify(args, context)


def _verify(args: argparse.Namespace, context: Context) -> int:
    from guards.private import write_private
    from review import verify_view
    from verification.verify import verify

    if args.record and args.resolve and not args.local:
        raise CommandError("--record is for the site that visitors get, not for what --resolve names", status=USAGE)
    if args.ca_file is not None and not args.ca_file.is_file():
        raise CommandError(f"{args.ca_file}: no such file; the preview with --https says where it wrote its authority", status=USAGE)
    ask_aws = args.record or args.local or not (args.no_aws or args.resolve)
    opened = seen(open_environment(args, context, looks=not args.record), args, context) if ask_aws else None
    assembly = opened.assembly if opened else _described(args, context)
    target, live = target_of(args, context, assembly, opened)
    target = with_replica(target, opened, assembly, live)
    colour, width = context.colour(context.stdout), context.width()

    def report(result: Result) -> None:
        if not args.json:
            context.result(verify_view.line(result, width=width, colour=colour))

    results = verify(target, now=context.now, report=report)
    if args.junit is not None:
        write_private(args.junit, verify_view.as_junit(results, environment=args.env).encode())
    told = verify_view.summary(results, args.env)
    context.answers(verify_view.data(results, environment=args.env, domain=target.contract.domain), told, machine=args.json)
    for result in results:
        if result.status == "failed":
            context.problem(result.id, f"{result.title}: {result.detail}")
    wanting = verify_view.wanting(results)
    for line in wanting:
        context.say(line)
        if not args.allow_skips:
            context.problem("incomplete", line.removeprefix("incomplete: "))
    if opened is not None and live is None:
        context.say(f"hint: nothing was published to {args.env} yet")
        context.say_next(commands.deploy("publish", args.env, "--content", "DIR"))
    if any(result.status == "failed" for result in results):
        return FAILED
    if args.record:
        assert opened is not None
        with mirrored(opened, context):
            _record(args, context, opened, results, live)
    return INCOMPLETE if wanting and not args.allow_skips else OK


def _described(args: argparse.Namespace, context: Context) -> Assembly:
    refresh(args, context)
    return read_assembly(args)[0]


def _record(args: argparse.Namespace, context: Context, opened: Opened, results: tuple[Result, ...], live: Release | None) -> None:
    """Only what was seen counts: the released page itself, and every check but those that a preview cannot make."""
    from website.promotion import record_verified

    needed = {"app.entry", "app.release", "app.deep_link", "assets.load"}
    missing = [r.title for r in results if r.id in needed and r.status != "passed"]
    if missing:
        raise CommandError(f"not recorded: skipped were {', '.join(missing)}", command="give the password and run it without --no-aws")
    if live is None:
        raise CommandError(
            f"not recorded: nothing was published to {args.env}", command=commands.deploy("publish", args.env, "--content", "DIR")
        )
    record_verified(site_of(opened), live, by=opened.caller, at=context.timestamp())
    context.say(f"recorded: the live release of {args.env} is verified")

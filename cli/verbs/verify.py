"""Prove from outside that the live site keeps its contract.

In: the contract in dist/ENV, the site itself. Out: a table, JSON or JUnit XML, one line a promise.
Never: changes the site. AWS is asked only for what the outside cannot know (the distribution's name, the released page, whether it was
replicated), and not with --resolve; --record notes a pass with the live release, which is what promotion asks for.

Exit status: 0 every promise is kept, 1 one is broken, 4 none is broken, but some were not looked at for want of something that the caller
can give (0 with --allow-skips), 2 usage.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assembly import commands
from guards import masks
from session.context import FAILED, INCOMPLETE, OK, USAGE, CommandError, Context
from session.freshness import refresh
from session.opened import Opened, add_common_arguments, open_environment, read_assembly
from session.site import contract_of, outputs, site_of

if TYPE_CHECKING:
    from assembly.model import Assembly
    from website.releases import Release
    from website.verification.model import Endpoint, Replica, Result, Target

EXAMPLES = """\
  python deploy.py verify --env prod
  python deploy.py verify --env sit --record --password-file pw     and let this release be promoted
  python deploy.py verify --env dev --junit verify.xml              for CI; the password in BASIC_AUTH_PASSWORD
  python deploy.py verify --env dev --local                         what publish --local published, on a preview of its own
  python deploy.py verify --env dev --browser                       and in a real Chromium: console, policy, requests
  python deploy.py verify --env dev --resolve http://127.0.0.1:8080  a preview that runs
"""
DATA = ("cli.answers:Verified",)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REPLICA_STACK = "replica"
PASSWORD_VARIABLE = "BASIC_AUTH_PASSWORD"  # noqa: S105  (the name of it)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--resolve", metavar="[http://]HOST:PORT", help="connect there instead of asking DNS; http:// for a plain preview")
    parser.add_argument("--resolve-http", metavar="HOST:PORT", help="with --resolve: where plain HTTP is answered with a redirect")
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="authorities to trust instead of the system's, for a preview with --https"
    )
    parser.add_argument("--password-file", type=Path, metavar="FILE", help=f"Basic Auth password (default: {PASSWORD_VARIABLE})")
    parser.add_argument("--nameserver", action="append", default=[], metavar="IP[:PORT]", help="ask this one; may be repeated")
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
    from website.verification.verify import verify

    if args.record and args.resolve and not args.local:
        raise CommandError("--record is for the site that visitors get, not for what --resolve names", status=USAGE)
    if args.ca_file is not None and not args.ca_file.is_file():
        raise CommandError(f"{args.ca_file}: no such file; the preview with --https says where it wrote its authority", status=USAGE)
    ask_aws = args.record or args.local or not (args.no_aws or args.resolve)
    opened = open_environment(args, context) if ask_aws else None
    assembly = opened.assembly if opened else _described(args, context)
    target, live = _target(args, context, assembly, opened)
    if any(stack.id == REPLICA_STACK for stack in assembly.stacks):
        target = dataclasses.replace(target, replica=_replica(args, opened, live.manifest if live else ""))
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
        _record(args, context, opened, results, live)
    return INCOMPLETE if wanting and not args.allow_skips else OK


def _described(args: argparse.Namespace, context: Context) -> Assembly:
    refresh(args, context)
    return read_assembly(args)[0]


def _target(args: argparse.Namespace, context: Context, assembly: Assembly, opened: Opened | None) -> tuple[Target, Release | None]:
    """What to verify, and the release that is live."""
    from website.verification.model import Target

    secret = assembly.basic_auth_secret
    target = Target(
        contract=contract_of(assembly),
        username=secret.username if secret else "",
        password=_password(args, context, opened),
        endpoint=_endpoint(args.resolve, "--resolve") if args.resolve else None,
        plain_endpoint=_endpoint(args.resolve_http, "--resolve-http") if args.resolve_http else None,
        preview=bool(args.resolve),
        browser=_browser(args),
        ca_file=str(args.ca_file or ""),
        nameservers=tuple(_nameserver(each) for each in args.nameserver),
    )
    if opened is None:
        return target, None
    site = site_of(opened)
    state, _ = site.store.state()
    live = state.live
    index = site.store.manifest(live.manifest).by_key[site.index_key].sha256 if live else ""
    target = dataclasses.replace(target, index_sha256=index)
    if not args.local and not args.resolve:
        # The local AWS and a preview have neither host names nor a bucket that refuses.
        domain = outputs(opened)["DistributionDomainName"]
        bucket = f"https://{site.bucket}.s3.{assembly.home_region}.amazonaws.com"
        target = dataclasses.replace(target, distribution_domain=domain, bucket_url=bucket)
    return target, live


def _replica(args: argparse.Namespace, opened: Opened | None, manifest: str) -> Replica | str:
    """With disaster recovery: what the replica must have, or why it is not looked at."""
    from website.verification.model import Replica

    if args.local:
        return "the local AWS does not replicate"
    if opened is None or not manifest:
        return "AWS was not asked" if opened is None else "nothing was published yet"
    site = site_of(opened)
    return Replica(keys=frozenset(site.store.manifest(manifest).by_key), head=lambda key: site.s3.head(site.bucket, key))


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


def _password(args: argparse.Namespace, context: Context, opened: Opened | None) -> str:
    if args.password_file is not None:
        password = str(args.password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        masks.hide(password)
        return password
    given = context.environ.get(PASSWORD_VARIABLE, "")
    if given or not args.local or opened is None or opened.assembly.basic_auth_secret is None:
        return given
    from session.local_password import known

    return known(context, opened.aws, opened.assembly)[0]


def _browser(args: argparse.Namespace) -> str:
    """The Chromium to look with; "" without --browser. Raises `CommandError` where there is none, or nothing that drives it."""
    if args.browser is None:
        return ""
    found = shutil.which(args.browser) if args.browser else next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        what = f"{args.browser}: no such program" if args.browser else f"no Chromium here: {', '.join(BROWSERS)}"
        raise CommandError(what, command="apt-get install chromium, or --browser PROGRAM", status=USAGE)
    if importlib.util.find_spec("playwright") is None:
        raise CommandError("--browser needs Playwright, which drives it", command="pip install playwright", status=USAGE)
    return found


def _endpoint(text: str, option: str) -> Endpoint:
    from website.verification.model import Endpoint

    scheme = urlsplit(text).scheme if "://" in text else "https"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or scheme not in ("http", "https"):
        raise CommandError(f"{option} {text!r}: write HOST:PORT", command=f"{commands.DEPLOY} verify --help", status=USAGE)
    return Endpoint(host=host, port=port, tls=scheme == "https")


def _nameserver(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"\[?([0-9a-fA-F:.]+?)\]?(?::(\d{1,5}))?", text)
    if not match:
        raise CommandError(f"--nameserver {text!r}: write IP or IP:PORT", command=f"{commands.DEPLOY} verify --help", status=USAGE)
    return match[1], int(match[2] or 53)

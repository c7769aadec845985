"""Publish the built front end, or a release of another environment, as a release.

In: a directory that a bundler wrote, `--release ENV:DIGEST` or `--as-found`. Out: the live site; the release on stdout.
Never: leaves the site with a page whose files are missing, sends what is there already, deletes what an older page may still load.

Exit status: 0 live (or was live already), 3 with --dry-run if something would change, 1 failed or somebody else was first,
2 bad content or usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assembly.commands import DIGEST_DIGITS
from guards.text import as_lines
from session.approval import refuse_unapproved
from session.context import OK, PENDING, USAGE, CommandError, Context
from session.freshness import add_build_argument, refresh
from session.glance import answered, readable_site, warn_of_endpoint
from session.opened import Opened, add_common_arguments, open_environment, read_assembly, refuse_denied
from session.site import (
    add_change_arguments,
    add_choice_arguments,
    apply_command,
    commit_of,
    confirm,
    contract_of,
    progress,
    refuse_unless_promoted,
    run_of,
    show_outcome,
    site_of,
)
from session.target import aimed, mirrored

if TYPE_CHECKING:
    from assembly.model import Assembly
    from session.content import Source
    from website.run import Outcome
    from website.site import Site
    from website.snapshot import Snapshot

EXAMPLES = """\
  python deploy.py publish --env dev --content ../web/dist       publish a build
  python deploy.py publish --env dev --content ../web/dist --dry-run    what would change, and nothing else
  python deploy.py publish --env prod --release sit:3f9c01d2ab44  publish exactly what was verified in sit
  python deploy.py publish --env prod --as-found                 what the bucket held before it was taken over becomes release 1
  python deploy.py publish --env dev --content dist --local      to the local AWS
"""
DATA = ("docs.verb_answers:Publication",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    add_build_argument(parser)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--content", type=Path, metavar="DIR", help="what the bundler wrote: index.html and its files")
    group.add_argument(
        "--release", metavar="ENV:RELEASE", help="a verified release of another environment, by number or digest; `releases` lists them"
    )
    group.add_argument(
        "--as-found", action="store_true", help="the bucket's own content becomes the first release; no file of the site is written"
    )
    add_choice_arguments(parser)
    parser.add_argument("--commit", default="", metavar="SHA", help="git commit of the front end (default: that of DIR, or GITHUB_SHA)")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    add_change_arguments(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Check, compare, ask, publish."""
    if args.as_found:
        return _as_found(args, context)
    if args.content is None:
        return _of_another_environment(args, context)
    # Loading boto3 makes a hundred thousand objects that live on: collecting among them takes a quarter of the start.
    gc.disable()
    try:
        return _of_directory(args, context)
    finally:
        gc.enable()


def _of_directory(args: argparse.Namespace, context: Context) -> int:
    refresh(args, context)
    assembly, templates = read_assembly(args)
    opened: Opened | None = None
    with ThreadPoolExecutor(1) as pool:
        # Digesting takes a core of its own while clients are loaded and AWS is asked who we are.
        reading = pool.submit(_read, args, assembly)
        try:
            site = readable_site(args, context, assembly, templates)
            if site is None:
                opened = _opened(args, context)
        finally:
            source = reading.result()
    from website.run import Outcome

    found = answered(lambda: _look(site, source, context)) if site is not None else None
    if isinstance(found, Outcome):
        warn_of_endpoint(context)
        return _nothing_to_do(args, context, assembly, source, found)
    opened = opened or _opened(args, context)
    gc.freeze()
    gc.enable()
    return _publish(args, context, opened, source, found or _look(site_of(opened), source, context))


def _of_another_environment(args: argparse.Namespace, context: Context) -> int:
    opened = aimed(open_environment(args, context), args, context)
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        from session.promotion import promoted

        return _publish(args, context, opened, promoted(args, context, opened, args.release, Path(folder), allow=tuple(args.allow)))


def _opened(args: argparse.Namespace, context: Context) -> Opened:
    """Aimed at the bucket that takes releases. What the caller may do is asked when it is known that there is something to do."""
    return aimed(open_environment(args, context, soon=("s3",), refuse=False), args, context)


def _as_found(args: argparse.Namespace, context: Context) -> int:
    """Nothing changes for anybody, so nobody is asked."""
    from adoption.as_found import release_as_found
    from website.errors import NotDeployed

    if args.dry_run:
        raise CommandError("--as-found changes nothing that visitors get, so there is nothing to show; leave out --dry-run", status=USAGE)
    opened = open_environment(args, context)
    try:
        with progress(context) as report:
            outcome = release_as_found(site_of(opened), run_of(args, context, opened, report))
    except NotDeployed as error:
        raise CommandError(str(error), command=apply_command(opened.assembly)) from None
    show_outcome(outcome, args, context)
    return OK


def _look(site: Site, source: Source, context: Context) -> Outcome | Snapshot:
    """What there is, in one round trip. The outcome if the content is live already: then its pages are not judged, nor IAM asked."""
    from website.planner import manifest_of
    from website.publish import live_already
    from website.snapshot import read_snapshot

    snapshot = read_snapshot(site, manifest_of(site, source.content))
    return live_already(site, source.content, snapshot, context.now(), origin=source.origin) or snapshot


def _nothing_to_do(args: argparse.Namespace, context: Context, assembly: Assembly, source: Source, found: Outcome) -> int:
    if args.yes or args.approve:
        confirm(f"Publish this to {args.env}?", source.content.digest, args, context, protected=assembly.protected)
    show_outcome(found, args, context)
    return OK


def _publish(args: argparse.Namespace, context: Context, opened: Opened, source: Source, found: Outcome | Snapshot | None = None) -> int:
    from website.content import with_pages_judged
    from website.run import Outcome

    if isinstance(found, Outcome) and not args.dry_run:
        return _nothing_to_do(args, context, opened.assembly, source, found)
    if found is not None:
        content = with_pages_judged(source.content, contract_of(opened.assembly), allow=tuple(args.allow), where=str(args.content))
        source = replace(source, content=content)
        refuse_denied(args, opened)
    return _change(args, context, opened, source)


def _change(args: argparse.Namespace, context: Context, opened: Opened, source: Source) -> int:
    from review.content_view import counts, lines
    from website.errors import NotDeployed
    from website.planner import content_plan
    from website.publish import publish

    site = site_of(opened)
    protected = opened.assembly.protected
    approved = None
    if args.dry_run or not (args.yes or args.approve):
        approved = content_plan(site, source.content, origin=source.origin, now=context.now())
        if args.dry_run:
            told = as_lines([*lines(approved), f"content: {counts(approved)}"])
            context.answers({"plan": approved, "outcome": None}, told, machine=args.json)
            return PENDING if approved.has_changes else OK
        if approved.has_changes:
            for line in (*lines(approved), f"content: {counts(approved)}"):
                context.say(line)
    if approved is None or approved.has_changes:
        confirm(f"Publish this to {args.env}?", source.content.digest, args, context, protected=protected)
        refuse_unapproved(opened, source.content.digest, f"content {source.content.digest[:DIGEST_DIGITS]}", context)
    try:
        with mirrored(opened, context), progress(context) as report:
            run_ = run_of(args, context, opened, report)
            # git is asked only when there is something to publish: it takes a tenth of a publish that finds nothing to do.
            commit = args.commit or source.commit or (commit_of(args.content, context) if args.content else "")
            outcome = publish(site, source.content, run_, origin=source.origin, commit=commit, approved=approved)
    except NotDeployed as error:
        raise CommandError(str(error), command=apply_command(opened.assembly)) from None
    show_outcome(outcome, args, context)
    return OK


def _read(args: argparse.Namespace, assembly: Assembly) -> Source:
    """A directory's content."""
    from session.content import Source
    from website.content import read

    contract = contract_of(assembly)
    refuse_unless_promoted(args.env, contract)
    content = read(args.content, contract, allow=tuple(args.allow), exclude=tuple(args.exclude), judge=False)
    return Source(content=content, origin=str(args.content))

"""List the releases of an environment: what is live, what can come back, what was verified.

In: the environment. Out: its releases on stdout, the newest first. Never: changes anything but what the shell completes.
"""

from __future__ import annotations

import argparse

from guards.text import as_lines
from session import known_releases
from session.context import OK, Context
from session.opened import add_common_arguments, open_environment
from session.site import site_of
from session.target import seen

EXAMPLES = """\
  python deploy.py releases --env sit
  python deploy.py releases --env sit --json | jq -r '.data.releases[-1].content'    digest for: publish --env prod --release sit:DIGEST
"""
DATA = ("website.releases:State",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The common ones and --json."""
    add_common_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Read and show."""
    from review.releases_view import release_lines

    opened = seen(open_environment(args, context, looks=True), args, context)
    state, _ = site_of(opened).store.state()
    contents = [release.content for release in reversed(state.releases) if not release.pruned_at]
    known_releases.note(context, args, contents, replace=True)
    contract = opened.assembly.site
    lines = release_lines(state, keep=contract.release_keep, grace_days=contract.release_grace_days, now=context.now())
    context.answers(state, as_lines(lines), machine=args.json)
    return OK

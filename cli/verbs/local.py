"""Show, stop or forget the local AWS of --local.

In: what to do. Out: whether it runs, where, and how much it keeps.
Never: touches anything but the local AWS and its directory (.local-aws/), shows its secret, starts it.

Exit status: 0 shown or done (also if it did not run), 1 it does not end, 2 usage.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from assembly import commands
from guards.text import as_lines
from session.context import OK, USAGE, CommandError, Context

EXAMPLES = """\
  python deploy.py local status        does it run, where, and how much does it keep
  python deploy.py local stop          end it; what was deployed there stays on disk
  python deploy.py local reset --yes   end it and forget all that was deployed there
"""
DATA = ("cli.answers:LocalStatus", "cli.answers:LocalEnded")

ACTIONS = ("status", "stop", "reset")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; there is no environment: all share one local AWS."""
    parser.add_argument("action", choices=ACTIONS, metavar="|".join(ACTIONS), help="show it, end it, or end it and forget its state")
    parser.add_argument("--yes", action="store_true", help="with reset: do not ask")
    parser.add_argument("--json", action="store_true", help="the result as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Do it, and tell."""
    from local_aws.server import LocalAws

    state = context.root / ".local-aws"
    if args.action == "status":
        running = LocalAws.find(state)
        kept = _size(state)
        found = {
            "runs": running is not None,
            "endpoint": running.endpoint_url if running else None,
            "process": running.pid if running else None,
            "enforces_iam": running.auth if running else None,
            "state": str(state),
            "bytes": kept,
        }
        where = f"runs at {running.endpoint_url} (process {running.pid})" if running else "does not run"
        text: tuple[str, ...] = (f"the local AWS {where}", f"state: {f'{kept:,} bytes in {state}' if kept else 'none'}")
    else:
        forget = args.action == "reset"
        if forget and not args.yes and _size(state):
            _ask(context, state)
        ended = LocalAws.end(state, forget=forget)
        found = {"ended": ended, "forgotten": forget, "state": str(state)}
        text = (f"the local AWS {'has ended' if ended else 'did not run'}{'; its state is gone' if forget else ''}",)
    if args.json:
        context.data(found)
    else:
        context.result(as_lines(text))
    return OK


def _ask(context: Context, state: Path) -> None:
    from session.shared import asked

    if not context.stdin.isatty():
        raise CommandError("there is no terminal to ask on", command=f"{commands.DEPLOY} local reset --yes", status=USAGE)
    if asked(context, f"Forget all that was deployed to the local AWS ({state})? [y/N] ").lower() not in ("y", "yes"):
        raise CommandError("nothing was forgotten", command=f"{commands.DEPLOY} local status")


def _size(state: Path) -> int:
    """Bytes of what a server would find again."""
    files = (path for part in ("services", "s3") for path in (state / part).rglob("*"))
    return sum(path.lstat().st_size for path in files if path.is_file() and not path.is_symlink())

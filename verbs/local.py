"""Show, stop or forget the local AWS of --local; put something of it out of order, and in order again.

In: what to do. Out: whether it runs, where, how much it keeps, and what is out of order.
Never: touches anything but the local AWS and its directory (.local-aws/), shows its secret, starts it.

Exit status: 0 shown or done (also if it did not run), 1 it does not end, 2 usage.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from guards.text import as_lines
from session.context import OK, USAGE, CommandError, Context

if TYPE_CHECKING:
    from outages.model import Outage

EXAMPLES = """\
  python deploy.py local status        does it run, where, and how much does it keep
  python deploy.py local stop          end it; what was deployed there stays on disk
  python deploy.py local reset --yes   end it and forget all that was deployed there
  python deploy.py local fail --region eu-west-1               what does a verb do, and what is typed next, when that region is lost?
  python deploy.py local fail --region eu-west-1 --how hang    and when it does not answer at all?
  python deploy.py local fail --replication prod-site --how lag --seconds 60
  python deploy.py local fail --control-planes                 us-east-1's are frozen: what visitors get stays, nothing can be changed
  python deploy.py local mend          everything is in order again
"""
DATA = ("docs.verb_answers:LocalStatus", "docs.verb_answers:LocalEnded", "docs.verb_answers:LocalOutages")

ACTIONS = ("status", "stop", "reset", "fail", "mend")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; there is no environment: all share one local AWS."""
    parser.add_argument(
        "action", choices=ACTIONS, metavar="|".join(ACTIONS), help="show it, end it, end it and forget its state, fail, mend"
    )
    parser.add_argument("--yes", action="store_true", help="with reset: do not ask")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    outage = parser.add_argument_group("with fail")
    outage.add_argument("--region", default="", metavar="REGION", help="every call there fails, buckets included")
    outage.add_argument("--bucket", default="", metavar="BUCKET", help="every call to that bucket fails")
    outage.add_argument("--replication", default="", metavar="BUCKET", help="what S3 replicates out of that bucket lags or fails")
    outage.add_argument("--control-planes", action="store_true", help="changes of CloudFront, IAM, Route 53, and of ACM in us-east-1, fail")
    outage.add_argument("--how", metavar="HOW", help="unavailable, drop, hang; slow-down (a bucket); lag, fail (replication)")
    outage.add_argument("--seconds", type=float, metavar="SECONDS", help="how long each object lags")
    outage.add_argument("--reads", action="store_true", help="control planes do not answer reads either")


def run(args: argparse.Namespace, context: Context) -> int:
    """Do it, and tell."""
    from local_aws.server import LocalAws

    state = context.root / ".local-aws"
    if args.action in ("fail", "mend"):
        return _switch(args, context, state)
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
            "outages": [str(outage) for outage in _present(state)],
        }
        where = f"runs at {running.endpoint_url} (process {running.pid})" if running else "does not run"
        text: tuple[str, ...] = (
            f"the local AWS {where}",
            f"state: {f'{kept:,} bytes in {state}' if kept else 'none'}",
            *(f"out of order: {outage}" for outage in _present(state)),
        )
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


def _switch(args: argparse.Namespace, context: Context, state: Path) -> int:
    from outages import store

    state.mkdir(mode=0o700, exist_ok=True)
    try:
        if args.action == "fail":
            store.begin(state, _outage(args))
        else:
            store.end(state)
        present = store.read(state)
    except (store.Unreadable, OSError) as error:
        raise CommandError(str(error), command=f"{commands.DEPLOY} local mend") from None
    if args.json:
        context.data({"outages": [str(outage) for outage in present]})
    else:
        context.result(as_lines([*(f"out of order: {outage}" for outage in present)] or ["everything is in order"]))
    return OK


def _outage(args: argparse.Namespace) -> Outage:
    from outages.model import HOWS, How, Kind, Outage

    chosen = {
        Kind.REGION: args.region,
        Kind.BUCKET: args.bucket,
        Kind.REPLICATION: args.replication,
        Kind.CONTROL_PLANES: args.control_planes,
    }
    kinds = [kind for kind, given in chosen.items() if given]
    help_command = f"{commands.DEPLOY} local --help"
    if len(kinds) != 1:
        raise CommandError("fail takes one of --region, --bucket, --replication, --control-planes", command=help_command, status=USAGE)
    try:
        return Outage(
            kind=kinds[0],
            how=How(args.how) if args.how else HOWS[kinds[0]][0],
            region=args.region,
            bucket=args.bucket or args.replication,
            seconds=args.seconds,
            reads=args.reads,
        )
    except ValueError as error:
        raise CommandError(str(error), command=help_command, status=USAGE) from None


def _present(state: Path) -> tuple[Outage, ...]:
    from outages import store

    try:
        return store.read(state)
    except store.Unreadable as error:
        raise CommandError(str(error), command=f"{commands.DEPLOY} local mend") from None


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

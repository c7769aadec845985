"""Show the edge function's logs of all regions and the access logs, merged by time.

In: a span of time and a filter. Out: lines on stdout, the oldest first; with --follow until Ctrl-C.
Never: changes anything. Access logs are written minutes after the requests (CloudFront delivers them when it can).
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from assembly import commands
from guards.text import painted
from session.context import OK, USAGE, CommandError, Context
from session.opened import Opened, add_common_arguments, open_environment
from session.site import outputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operations.logs import AccessLogs, Line, LogFilter, RegionLogs

EXAMPLES = """\
  python deploy.py logs --env dev                           the last hour, edge function and requests
  python deploy.py logs --env dev --follow --source edge    refusals of Basic Auth as they happen
  python deploy.py logs --env prod --since 1d --status 5xx  requests that failed
  python deploy.py logs --env prod --since 2h --grep /buy --json | jq .text
"""
DATA = ("operations.logs:Line",)

EDGE_LOGS_STACK, MONITORING_STACK = "edge-logs", "monitoring"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument(
        "--since", default="1h", metavar="WHEN", help="90s, 15m, 2h, 3d ago, or a moment such as 2026-11-23T10:00 (default: 1h)"
    )
    parser.add_argument("--until", metavar="WHEN", help="the same, for the end")
    parser.add_argument("--source", choices=("all", "edge", "access"), default="all", help="which logs (default: all)")
    parser.add_argument("--grep", metavar="REGEX", help="only lines in which it is found")
    parser.add_argument("--status", action="append", default=[], metavar="NNN", help="only requests with that status, such as 401 or 5xx")
    parser.add_argument("--region", action="append", default=[], metavar="REGION", help="only these edge regions; may be repeated")
    parser.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    parser.add_argument(
        "--json", action="store_true", help="JSON lines: one object a line of the logs; what goes wrong is the last one, an envelope"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Read, merge, show."""
    from operations import logs

    wanted = _wanted(args, context)
    opened = open_environment(args, context)
    regions, group = _edge(args, opened)
    access = _access(opened) if args.source != "edge" else None
    told: set[str] = set()

    def trouble(text: str) -> None:
        if text not in told:
            told.add(text)
            context.say(f"warning: {text}")

    def poll(these: LogFilter) -> Iterator[Line]:
        return logs.read(regions, group, access, these, now=context.now, trouble=trouble)

    lines = poll(wanted)
    if args.follow:
        lines = logs.follow(poll, wanted, now=context.now, sleep=context.sleep, seconds=1.0 if args.local else 5.0)
    colour = context.colour(context.stdout)
    shown = 0
    for shown, line in enumerate(lines, 1):  # noqa: B007
        context.result(_json(line) if args.json else text(line, colour=colour))
    if not shown and not args.json:
        context.say(f"no line since {wanted.since:%Y-%m-%d %H:%M} UTC; CloudFront delivers access logs minutes late")
    context.answer.done = True  # lines of its own, and none is an answer too
    return OK


def _wanted(args: argparse.Namespace, context: Context) -> LogFilter:
    from operations.logs import LogFilter, parse_since

    problems = [f"--status {s!r}: three digits, the last two may be x" for s in args.status if not re.fullmatch(r"[1-5]([0-9x]{2})", s)]
    if args.follow and args.until:
        problems.append("--follow has no --until")
    moments = {}
    for option in ("since", "until"):
        given = getattr(args, option)
        try:
            moments[option] = parse_since(given, context.now()) if given else None
        except (ValueError, OverflowError):
            problems.append(f"--{option} {given!r}: write 15m, 2h, 3d or a moment such as 2026-11-23T10:00")
    grep = None
    try:
        grep = re.compile(args.grep) if args.grep else None
    except re.error as error:
        problems.append(f"--grep {args.grep!r}: {error}")
    if problems:
        raise CommandError(*problems, command=f"{commands.DEPLOY} logs --help", status=USAGE)
    since = moments["since"]
    assert since is not None
    return LogFilter(since=since, until=moments["until"], grep=grep, statuses=tuple(args.status))


def _edge(args: argparse.Namespace, opened: Opened) -> tuple[tuple[RegionLogs, ...], str]:
    """The gateways of the regions and the name of the log group; none where no edge function writes one."""
    from aws.logs import Logs

    stack = next((s for s in opened.assembly.stacks if s.id == EDGE_LOGS_STACK), None)
    if stack is None or stack.stackset is None or args.source == "access":
        return (), ""
    group = next(r["Properties"]["LogGroupName"] for r in opened.resources(EDGE_LOGS_STACK).values() if r["Type"] == "AWS::Logs::LogGroup")
    all_regions = stack.stackset.targets.regions
    unknown = sorted(set(args.region) - set(all_regions))
    if unknown:
        raise CommandError(f"no edge logs in {', '.join(unknown)}; there are: {', '.join(all_regions)}", status=USAGE)
    chosen = [region for region in all_regions if not args.region or region in args.region]
    account = opened.assembly.account_id
    return tuple(Logs.connect(opened.aws, account_id=account, region=region) for region in chosen), group


def _access(opened: Opened) -> AccessLogs | None:
    from aws.s3 import S3
    from operations.logs import AccessLogs

    assembly = opened.assembly
    stack = next((s for s in assembly.stacks if s.id == MONITORING_STACK), None)
    if stack is None:
        return None
    monitoring = outputs(opened, MONITORING_STACK)
    return AccessLogs(
        s3=S3.connect(opened.aws, account_id=assembly.account_id, region=stack.region),
        bucket=monitoring["AccessLogBucketName"],
        # A stack of an earlier version has no such output, and AWS chose the prefix itself.
        begin=monitoring.get("AccessLogPrefix", f"AWSLogs/{assembly.account_id}/CloudFront"),
        distribution_id=outputs(opened)["DistributionId"],
    )


def text(line: Line, *, colour: bool) -> str:
    """For people."""
    mark = "31" if line.status >= 500 else "33" if line.status >= 400 else "36" if line.source == "edge" else ""
    head = f"{line.at}  {line.source:<6} {line.where:<14}"
    return f"{painted(head, mark)}  {line.text}" if colour and mark else f"{head}  {line.text}"


def _json(line: Line) -> str:
    import msgspec

    return msgspec.json.encode(line).decode()

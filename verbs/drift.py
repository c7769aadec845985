"""Look for drift in every stack and StackSet.

In: the assembly of an environment, AWS. Out: what is no longer as it was deployed, property by property, on stdout.
Never: changes anything, shows a secret.

Foundation has no service role: CloudFormation reads its resources with the caller's own permissions, so its drift takes an administrator's.

Exit status: 0 in sync (or nothing deployed), 3 drifted, 1 a stack could not be looked at, 2 usage.
"""

from __future__ import annotations

import argparse

from guards.text import as_lines
from session.context import Context
from session.opened import add_common_arguments, open_environment

EXAMPLES = """\
  python deploy.py drift --env prod            deployed and actual values side by side; exit status 3 if anything drifted
  python deploy.py drift --env prod --json     the same for machines
                                               foundation's own drift takes an administrator's credentials, which read its roles and table
"""
DATA = ("operations.drift:DriftReport",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Look and show."""
    from operations.drift import POLL_SECONDS, detect_drift, drift_lines
    from session.shared import no_more_wanted, poll_seconds, progress

    opened = open_environment(args, context, looks=True)
    report = detect_drift(
        opened.assembly,
        opened.gateways,
        operation_id=f"drift-{context.token_hex(8)}",
        dropped=no_more_wanted(opened),
        now=context.now(),
        sleep=context.sleep,
        poll_seconds=poll_seconds(opened, POLL_SECONDS),
        progress=progress(context),
    )
    context.answers(report, as_lines(drift_lines(report)), machine=args.json)
    for stack in report.stacks:
        if stack.result == "failed":
            context.problem("drift_unknown", f"{stack.stack}: {stack.error}", stack.command)
    return report.exit_status

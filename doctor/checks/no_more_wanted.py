"""Does the environment have stacks that its assembly no longer has?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.s3 import S3
from doctor.check import CheckContext, check
from doctor.values import CheckResult
from rollout.orphaned_stacks import no_more_wanted


@check("no_more_wanted", "stacks that are no more wanted", order=900)
def stacks_no_more_wanted(context: CheckContext) -> Iterator[CheckResult]:
    """By the assemblies that were applied, and by name."""
    assembly = context.assembly

    def artifacts() -> S3:
        return S3.connect(context.aws, account_id=assembly.account_id, region=assembly.home_region)

    found = no_more_wanted(artifacts, assembly, context.templates, context.gateways)
    for stack in found.stacks:
        kind = "StackSet " if stack.kind == "stackset" else ""
        yield CheckResult(
            code="no_more_wanted",
            level="warning",
            message=f"{kind}{stack.stack_name} in {stack.region}, account {stack.account_id}, is no more wanted and still there",
            command=context.command("plan", "--remove"),
        )
    for finding in found.findings:
        yield CheckResult(code="no_more_wanted", level="unknown", message=finding.message, command=finding.command)

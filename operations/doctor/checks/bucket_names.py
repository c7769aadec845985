"""Are the bucket names free that stacks yet to be made want?"""

from __future__ import annotations

from collections.abc import Iterator

from assembly.model import Stack
from aws.errors import AccessDenied
from aws.s3 import S3
from operations.doctor.check import CheckContext, check
from operations.doctor.deployed import resources_of
from operations.doctor.values import CheckResult
from operations.gateways import cloudformation_of


@check("bucket_names", "bucket names", order=130)
def bucket_names(context: CheckContext) -> Iterator[CheckResult]:
    """A bucket of a stack that is not there must not be there either: its creation would fail."""
    for stack in context.assembly.stacks:
        wanted = [
            body["Properties"]["BucketName"]
            for body in resources_of(context, stack)
            if body.get("Type") == "AWS::S3::Bucket" and isinstance(body.get("Properties", {}).get("BucketName"), str)
        ]
        if stack.kind != "stack" or not wanted:
            continue
        live = cloudformation_of(stack, context.gateways).describe_stack(stack.stack_name)
        if live is not None and not live.under_review:
            continue
        store = S3.connect(context.aws, account_id=stack.account_id, region=stack.region, role_arn=stack.role_arn)
        for name in wanted:
            yield from _bucket_name(context, stack, store, name)


def _bucket_name(context: CheckContext, stack: Stack, store: S3, name: str) -> Iterator[CheckResult]:
    try:
        there = store.bucket_exists(name)
    except AccessDenied:
        message = f"the bucket name {name} is taken by another account, or may not be seen"
        yield CheckResult(code="bucket_names", level="problem", message=message, command="choose another in environments/", stack=stack.id)
        return
    if there:
        message = f"the bucket {name} is there although {stack.stack_name} is not (a former deployment kept it, perhaps)"
        command = context.command("plan", "--import-existing")
        yield CheckResult(code="bucket_names", level="warning", message=message, command=command, stack=stack.id)

"""Do the artifact bucket and the lock table answer, which the first stack makes?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.dynamodb import Items
from aws.errors import AccessDenied, NotFound
from aws.s3 import S3
from doctor.check import CheckContext, check
from doctor.values import CheckResult
from operations.gateways import cloudformation_of
from rollout import lock
from templates.makers import makers_of_table


@check("artifact_bucket", "artifact bucket", order=110)
def artifact_bucket(context: CheckContext) -> Iterator[CheckResult]:
    """Where templates and history are kept."""
    assembly, name = context.assembly, context.assembly.artifact_bucket
    store = S3.connect(context.aws, account_id=assembly.account_id, region=assembly.home_region)
    try:
        there = store.bucket_exists(name)
    except AccessDenied as error:
        command = f"aws s3api head-bucket --bucket {name}"
        yield CheckResult(code="artifact_bucket", level="problem", message=error.message, command=command)
        return
    yield from _made_by_first("artifact_bucket", f"the artifact bucket {name}", there, context)


@check("lock_table", "lock table", order=120)
def lock_table(context: CheckContext) -> Iterator[CheckResult]:
    """And whether somebody holds the lock."""
    assembly, table = context.assembly, context.assembly.lock_table
    items = Items.connect(context.aws, account_id=assembly.account_id, region=assembly.home_region)
    try:
        holder = lock.read(items, table, lock.lock_name(assembly.project, assembly.environment))
    except NotFound:
        yield from _made_by_first("lock_table", f"the lock table {table}", False, context)
        return
    if holder is None:
        yield CheckResult(code="lock_table", level="ok", message=f"the lock table {table} answers; nobody holds the lock")
        return
    yield CheckResult(
        code="lock_table",
        level="warning",
        message=f"the lock is held by {holder.describe()}",
        command=context.command("unlock"),
    )


def _made_by_first(code: str, what: str, there: bool, context: CheckContext) -> Iterator[CheckResult]:
    if there:
        yield CheckResult(code=code, level="ok", message=f"{what} answers")
    elif not makers_of_table(context.assembly.lock_table, context.templates):
        key = code.removeprefix("artifact_")
        message = f"{what} is not there, and no stack of this environment makes it: the organization's foundation does"
        edit = f"edit environments/{context.environment}.yaml: artifacts.{key}, or apply the foundation first"
        yield CheckResult(code=code, level="problem", message=message, command=edit)
    elif _first_deployment(context):
        yield CheckResult(code=code, level="ok", message=f"{what} is not there yet; the first apply makes it")
    else:
        yield CheckResult(
            code=code, level="problem", message=f"{what} is gone, although its stack is there", command=context.command("drift")
        )


def _first_deployment(context: CheckContext) -> bool:
    """The first stack of the catalogue, which makes bucket and lock table, is not there."""
    first = context.assembly.stacks[0]
    live = cloudformation_of(first, context.gateways).describe_stack(first.stack_name)
    if live is None or live.under_review:
        return True
    return live.status != "CREATE_COMPLETE" and live.status.startswith(("CREATE_", "ROLLBACK_", "DELETE_"))

"""What a plan would do to what was applied last: stacks that an edit moves elsewhere or leaves behind, and a rollback that it would undo.

In: the assembly that was applied last, as history keeps it, and the one that is planned; the gateways. Out: findings of the plan.
Never: moves or deletes a stack. CloudFormation cannot move one, and a second stack with the names of the first fails half-way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from assembly.commands import deploy
from assembly.model import Assembly, Stack
from aws.errors import AwsError
from guards import documents
from planning.inputs import Gateways
from planning.model import Finding
from rollout import history

_NAMES = {
    "AWS::CloudFront::Distribution": ("DistributionConfig", "Aliases"),
    "AWS::CloudFront::Function": ("Name",),
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControlConfig", "Name"),
    "AWS::CloudFront::CachePolicy": ("CachePolicyConfig", "Name"),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicyConfig", "Name"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::S3::Bucket": ("BucketName",),
}
"""Types whose names are taken in every region, and where the name stands."""


def findings(
    connect: Callable[[], history.Bucket],
    assembly: Assembly,
    templates: Mapping[str, bytes],
    gateways: Gateways,
    *,
    rolling_back: bool = False,
) -> tuple[Finding, ...]:
    """Of each stack of the last applied assembly that is elsewhere, or nowhere, in this one; and of a rollback that this would undo, unless
    it is one itself. What history does not tell is no finding.
    """
    try:
        bucket = connect()
        last = next((r for r in history.records(bucket, assembly.artifact_bucket, assembly.environment, limit=1)), None)
    except AwsError:  # the plan itself will tell whatever is wrong
        return ()
    if last is None or last.assembly_digest == assembly.digest:
        return ()
    undone = () if rolling_back or not last.rollback else (_undone(assembly, last),)
    return (*_left_behind(bucket, last.assembly_digest, assembly, templates, gateways), *undone)


def _left_behind(
    bucket: history.Bucket, digest: str, assembly: Assembly, templates: Mapping[str, bytes], gateways: Gateways
) -> tuple[Finding, ...]:
    try:
        kept = history.fetch(bucket, assembly.artifact_bucket, digest)
        earlier = history.verified(kept, digest, assembly.environment)
    except (AwsError, documents.Unreadable, history.NotAsApplied):
        return ()
    now = {stack.id: stack for stack in assembly.stacks}
    gone = [stack for stack in earlier.stacks if stack.id not in now or _place(stack) != _place(now[stack.id])]
    with ThreadPoolExecutor(max_workers=max(1, len(gone))) as pool:
        standing = [stack for stack, there in zip(gone, pool.map(lambda stack: _stands(stack, gateways), gone), strict=True) if there]
    bodies = {stack.id: kept[stack.template.file] for stack in earlier.stacks}
    return tuple(_finding(assembly, stack, now.get(stack.id), bodies, templates) for stack in standing)


def _undone(assembly: Assembly, last: history.Record) -> Finding:
    what = f"this undoes the rollback of {last.started_at} by {last.by} to assembly {last.assembly_digest[:12]}"
    return Finding(severity="warning", code="undoes_rollback", message=what, command=deploy("history", assembly.environment))


def _place(stack: Stack) -> tuple[str, ...]:
    return stack.account_id, stack.region, stack.stack_name


def _stands(stack: Stack, gateways: Gateways) -> bool:
    try:
        gateway = gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
        if stack.kind == "stackset":
            return gateway.describe_stack_set(stack.stack_name) is not None
        live = gateway.describe_stack(stack.stack_name)
    except AwsError:
        return False
    return live is not None and live.deployed


def _finding(assembly: Assembly, earlier: Stack, now: Stack | None, bodies: Mapping[str, bytes], templates: Mapping[str, bytes]) -> Finding:
    where = f"{earlier.stack_name} in {earlier.region}, account {earlier.account_id}"
    if now is None:
        message = f"{where}, is not in the assembly any more; it stays as it is, and an edit that brings {earlier.id} back goes on with it"
        return Finding(severity="note", code="stack_left", message=message, stack="")
    wanted = f"{now.stack_name} in {now.region}, account {now.account_id}"
    both = sorted(names_taken(bodies[earlier.id]) & names_taken(templates[now.id]))
    if not both:
        message = f"{now.id} is made anew as {wanted}; {where}, stays, and nothing here uses it any more"
        return Finding(severity="warning", code="stack_moves", message=message, stack=now.id)
    message = (
        f"{now.id} stands as {where}, and would be made a second time as {wanted}, where it cannot have {', '.join(both)} as well."
        " A stack cannot be moved: take the edit back; or build the earlier files, destroy that environment and apply this one;"
        " or give it names of its own in an environment file of its own"
    )
    return Finding(severity="error", code="stack_moved", message=message, command=deploy("status", assembly.environment), stack=now.id)


def names_taken(body: bytes) -> frozenset[str]:
    """The names in a template that are taken in every region."""
    return frozenset(_names(body))


def _names(body: bytes) -> Iterator[str]:
    for resource in documents.loads(body).get("Resources", {}).values():
        found: Any = resource.get("Properties", {})
        for part in _NAMES.get(resource.get("Type", ""), ("",)):
            found = found.get(part) if isinstance(found, Mapping) else None
        yield from (name for name in (found if isinstance(found, list) else [found]) if isinstance(name, str))

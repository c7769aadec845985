"""A change of what an environment is known by: its region, project, account, address, or the bucket of its history.

In: the assembly that is planned and those that were applied. Out: findings: a move is refused with the way to do it; a new address is told
with its order and what visitors notice.
Never: asks AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assembly.commands import deploy
from assembly.model import Assembly, RoleName, Stack
from planning.model import STACK_MOVED, Finding

_IDENTITY = ("project", "account_id", "home_region")
_WAYS = (
    "A stack cannot be moved: take the edit back; or build the earlier files, destroy that environment and apply this one (visitors have no"
    " site in between, and the content is published anew); or give it names of its own in an environment file of its own, and let visitors"
    " go over by DNS"
)


def roles_of(assembly: Assembly) -> frozenset[str]:
    """Names of the roles and of the bucket that the environment is deployed with and does not make itself."""
    found = {assembly.artifact_bucket, assembly.deploy_role_name}
    for stack in assembly.stacks:
        found |= {stack.service_role.name} if isinstance(stack.service_role, RoleName) else set()
        if stack.stackset is not None:
            found |= {name for name in (stack.stackset.administration_role_name, stack.stackset.execution_role_name) if name}
    return frozenset(found)


def moved_finding(assembly: Assembly, earlier: Sequence[Assembly], moved: Sequence[tuple[Stack, Sequence[str]]]) -> Finding:
    """Stacks that would be made a second time elsewhere, under names that can be taken once: all of them as one refusal."""
    edits = _edits(assembly, earlier)
    stand = "; ".join(
        f"{stack.id} stands as {_place(stack)}, and would be made a second time as {_place(_now(assembly, stack))}, where it cannot have"
        f" {', '.join(names)} as well"
        for stack, names in moved
    )
    message = f"{f'{edits} would move the environment. ' if edits else ''}{_WAYS}. What stands in the way: {stand}"
    return Finding(severity="error", code=STACK_MOVED, message=message, command=deploy("status", assembly.environment))


def elsewhere_finding(assembly: Assembly, buckets: Sequence[str]) -> Finding:
    """Several bucket names of an environment of which nothing stands are another account's: hardly anybody else has just these."""
    message = (
        f"no stack of {assembly.environment} stands in account {assembly.account_id}, and its buckets {', '.join(buckets)} are another"
        " account's, or may not be seen from this one: if the environment stands in that account, account_id would move it, and its history"
        f" and content are there. {_WAYS}. If it stands nowhere yet, these names are somebody else's"
    )
    edit = f"edit environments/{assembly.environment}.yaml: the account_id it had, or other names for the buckets, then build again"
    return Finding(severity="error", code=STACK_MOVED, message=message, command=edit)


def changed_identity(assembly: Assembly, earlier: Sequence[Assembly], bucket: str) -> Iterator[Finding]:
    """A new address, and a new home of the history. `bucket` is where the history was found."""
    before = earlier[0] if earlier else None
    if before is not None and before.contract is not None and assembly.contract is not None:
        old, new = before.contract.domain, assembly.contract.domain
        if old != new:
            message = (
                f"the site moves from {old} to {new}: the distribution answers to {new} and no more to {old} as soon as it is changed,"
                f" then the records of {new} are made and those of {old} deleted. Nothing redirects: whoever still types {old} gets an"
                " error, and resolvers keep what they know of either name for its TTL. The content stays where it is"
            )
            yield Finding(severity="warning", code="address_changes", message=message)
    if bucket and bucket != assembly.artifact_bucket:
        message = (
            f"the artifact bucket changes from {bucket} to {assembly.artifact_bucket}: history and kept assemblies stay in {bucket},"
            " which is kept, and rollback and history begin anew unless they are copied"
        )
        copy = f"aws s3 sync s3://{bucket} s3://{assembly.artifact_bucket}"
        yield Finding(severity="warning", code="history_moves", message=f"{message} (once the new bucket stands: {copy})")


def _edits(assembly: Assembly, earlier: Sequence[Assembly]) -> str:
    """ "home_region eu-west-1 -> eu-central-1", of what the last applied assembly says otherwise."""
    if not earlier:
        return ""
    pairs = ((name, getattr(earlier[0], name), getattr(assembly, name)) for name in _IDENTITY)
    return ", ".join(f"{name} {old} -> {new}" for name, old, new in pairs if old != new)


def _now(assembly: Assembly, stack: Stack) -> Stack:
    return next(each for each in assembly.stacks if each.id == stack.id)


def _place(stack: Stack) -> str:
    return f"{stack.stack_name} in {stack.region}, account {stack.account_id}"

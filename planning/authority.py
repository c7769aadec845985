"""Who may change what: the stack that makes the deployer's own roles is not the deployer's to change.

In: an assembly, the ARN of whoever acts. Out: the stacks of a plan that take an administrator, and the words for it.
Never: asks AWS; the deploy role's policy refuses the same, this only says it before anything has begun.

CloudFormation would change such a stack with the caller's own permissions, fail at the first resource, and roll back with the same
permissions, which may fail too.
"""

from __future__ import annotations

from assembly.commands import deploy
from assembly.model import Assembly, OutputRef
from planning.model import AnyStackPlan, Finding, Plan


def acts_as_deploy_role(assembly: Assembly, caller: str) -> bool:
    """The caller is a session of a workflow's role, or of another account, from where the deployer takes on the deploy role."""
    account = "".join(caller.split(":")[4:5])
    if not account or not assembly.deploy_role_name:
        return False
    return account != assembly.account_id or any(_session_of(name, caller) for name in assembly.workflow_roles)


def is_unreviewed(assembly: Assembly, caller: str) -> bool:
    """The caller is the code of a pull request, which may make no change set of a stack that takes a secret (`policies.planning`)."""
    return bool(assembly.pull_request_role_name) and _session_of(assembly.pull_request_role_name, caller)


def _session_of(role: str, caller: str) -> bool:
    return f":assumed-role/{role}/" in caller


def makers_of_roles(assembly: Assembly) -> frozenset[str]:
    """Ids of the stacks that make the service roles which other stacks are deployed with."""
    return frozenset(s.service_role.stack for s in assembly.stacks if isinstance(s.service_role, OutputRef))


def administrators_work(plan: AnyStackPlan, assembly: Assembly, caller: str) -> Finding | None:
    """Why the caller cannot apply this stack's plan; None if nothing is known against it."""
    if plan.operation in ("none", "blocked") or plan.stack not in makers_of_roles(assembly) or not acts_as_deploy_role(assembly, caller):
        return None
    return Finding(
        severity="warning",
        code="needs_administrator",
        message=f"{plan.stack} makes the roles that the other stacks are deployed with, so the deploy role {assembly.deploy_role_name}"
        f" may not change it; an administrator of account {assembly.account_id} has to, and the rest follows after that",
        command=deploy("apply", assembly.environment, "--only", plan.stack),
        stack=plan.stack,
    )


def beyond(plan: Plan, assembly: Assembly, caller: str) -> tuple[Finding, ...]:
    """What in the plan the caller cannot apply."""
    return tuple(f for f in (administrators_work(p, assembly, caller) for p in plan.stacks) if f is not None)

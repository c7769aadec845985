# mypy: allow-untyped-calls
"""The two roles of SELF_MANAGED stack sets. Source: CloudFormation User Guide, "Grant self-managed permissions"."""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import account as account_service
from ministack.services import iam

from emulator.stacksets.state import Instance, StackSet


def roles_problem(stack_set: StackSet, instance: Instance) -> str:
    """SELF_MANAGED needs both roles, each trusting the one before it. Source: user guide, "Grant self-managed permissions"."""
    administration = stack_set.administration_role or f"arn:aws:iam::{stack_set.account}:role/AWSCloudFormationStackSetAdministrationRole"
    execution = stack_set.execution_role or "AWSCloudFormationStackSetExecutionRole"
    admin_name = administration.rsplit("/", 1)[-1]
    principals = ["cloudformation.amazonaws.com"]
    if instance.region in account_service._OPT_IN_REQUIRED:
        principals.append(f"cloudformation.{instance.region}.amazonaws.com")
    with request_scope(stack_set.account, stack_set.region):
        role = iam._roles.get(admin_name)
        trust = _trust(role)
    if role is None or principals[0] not in trust:
        return f"Administration role {administration} does not exist or cannot be assumed by CloudFormation"
    if principals[-1] not in trust:
        return f"Administration role {administration} does not trust {principals[-1]}, which region {instance.region} needs"
    with request_scope(instance.account, instance.region):
        trust = _trust(iam._roles.get(execution))
    wanted = (administration, f"arn:aws:iam::{stack_set.account}:root", stack_set.account)
    if not any(principal in wanted for principal in trust):
        return f"Account {instance.account} should have '{execution}' role with trust relationship to Role '{admin_name}'."
    return ""


def _trust(role: dict[str, Any] | None) -> list[str]:
    """Every principal that a role's trust policy allows."""
    if role is None:
        return []
    document = role.get("AssumeRolePolicyDocument") or "{}"
    parsed = json.loads(document) if isinstance(document, str) else document
    found: list[str] = []
    statements = parsed.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", {})
        groups = principal.values() if isinstance(principal, dict) else [principal]
        for group in groups:
            found.extend(group if isinstance(group, list) else [group])
    return found

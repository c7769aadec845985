"""The plan of one StackSet: which CloudFormation itself does not preview.

In: a stack of kind `stackset`, its template and inputs, the live set and its instances. Out: `StackSetPlan`.
Never: talks to AWS, touches an instance; all that it says is a prediction from the two templates and the list of instances.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assembly.files import sha256
from assembly.model import Stack, StackSet
from aws.cloudformation import StackInstance, StackSetDescription
from rollout.changes import Context, all_from_templates
from rollout.inputs import Inputs
from rollout.intrinsics import Scope, resolved_resources
from rollout.model import Finding, InstancePlan, StackSetOperation, StackSetPlan
from rollout.policy import widenings
from rollout.schemas import Schemas


def administration_role_arn(stack: Stack) -> str | None:
    """ARN of the role that CloudFormation takes on in the set's own account; None for SERVICE_MANAGED."""
    name = stack.stackset.administration_role_name if stack.stackset else None
    partition = "aws-cn" if stack.region.startswith("cn-") else "aws-us-gov" if stack.region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:iam::{stack.account_id}:role/{name}" if name else None


def plan_stack_set(
    stack: Stack,
    template: Mapping[str, Any],
    inputs: Inputs,
    *,
    live: StackSetDescription | None,
    instances: Iterable[StackInstance],
    schemas: Schemas,
) -> StackSetPlan:
    """What creating or updating the set would do, in every account and region."""
    target = stack.stackset
    assert target is not None, "the caller asks for StackSets only"
    old_template = _json(live.template_body) if live else {}
    context = Context(
        before=_resources(old_template, inputs.before, stack),
        after=_resources(template, inputs.after, stack),
        schemas=schemas,
        region=stack.region,
    )
    findings = list(inputs.findings)
    if live and live.permission_model != target.permission_model:
        findings.append(
            Finding(
                severity="error",
                code="permission_model_fixed",
                message=f"{live.name} is {live.permission_model}, which cannot be changed to {target.permission_model}; it has to be"
                " deleted (its stacks can be kept) and made again",
                stack=stack.id,
            )
        )
    changed = tuple(_settings(stack, target, live)) if live else ()
    resources = all_from_templates(context)
    updates = bool(live) and (
        bool(resources) or bool(changed) or any(p.changed for p in inputs.show) or not _same_template(old_template, template)
    )
    planned = tuple(_instances(target, tuple(instances), updates=updates))
    operation: StackSetOperation = "none"
    if any(f.severity == "error" for f in findings):
        operation = "blocked"
    elif live is None:
        operation = "create"
    elif updates:
        operation = "update"
    elif any(i.action != "none" for i in planned):
        operation = "instances"
    return StackSetPlan(
        stack=stack.id,
        stack_name=stack.stack_name,
        account_id=stack.account_id,
        region=stack.region,
        role_arn=stack.role_arn,
        operation=operation,
        depends_on=stack.depends_on,
        exists=live is not None,
        stack_set_id=live.id if live else None,
        template_sha256=stack.template.sha256,
        deployed_template_sha256=sha256(live.template_body.encode()) if live else None,
        preferences=target.preferences,
        waits_for=inputs.waits_for,
        parameters=inputs.show,
        resources=resources if operation in ("create", "update") else (),
        settings_changed=changed,
        instances=planned,
        widenings=widenings(stack.id, context.before, context.after) if operation in ("create", "update") else (),
        findings=tuple(findings),
    )


def _json(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _same_template(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)


def _resources(template: Mapping[str, Any], parameters: Mapping[str, str], stack: Stack) -> dict[str, dict[str, Any]]:
    """Account and region are left as they differ between instances."""
    scope = Scope(
        template=template, parameters=parameters, account_id="{account}", region="{region}", stack_name=f"StackSet-{stack.stack_name}"
    )
    return resolved_resources(scope)


def _settings(stack: Stack, target: StackSet, live: StackSetDescription) -> Iterator[str]:
    pairs: dict[str, tuple[object, object]] = {
        "description": (live.description, stack.description),
        "tags": (live.tags, stack.tags),
        "capabilities": (frozenset(live.capabilities), frozenset(stack.capabilities)),
        "administration role": (live.administration_role_arn, administration_role_arn(stack)),
        "execution role": (live.execution_role_name, target.execution_role_name),
    }
    if target.permission_model == "SERVICE_MANAGED":
        for name in ("administration role", "execution role"):
            del pairs[name]
        pairs["automatic deployment"] = (live.auto_deployment, target.auto_deployment)
        if target.auto_deployment:
            pairs["retain stacks"] = (live.retain_stacks_on_account_removal, target.retain_stacks_on_account_removal)
    return (name for name, (old, new) in pairs.items() if old != new)


def _instances(target: StackSet, live: tuple[StackInstance, ...], *, updates: bool) -> Iterator[InstancePlan]:
    """Accounts times regions, or organizational units times regions, in the assembly's order; what is not wanted any more comes last."""
    wheres = target.targets.organizational_units or target.targets.accounts
    by_unit = bool(target.targets.organizational_units)
    wanted = [(where, region) for where in wheres for region in target.targets.regions]
    there: dict[tuple[str, str], list[StackInstance]] = {}
    for instance in live:
        there.setdefault((instance.organizational_unit if by_unit else instance.account_id, instance.region), []).append(instance)
    for where, region in wanted:
        found = there.pop((where, region), [])
        if not found:
            unit = where if by_unit else ""
            yield InstancePlan(account_id="" if by_unit else where, region=region, organizational_unit=unit, action="create")
        for instance in found:
            stale = instance.status != "CURRENT"
            reason = instance.reason or (f"it is {instance.status}" if stale else "the set changes" if updates else "")
            yield _existing(instance, "update" if updates or stale else "none", reason)
    for rest in there.values():
        for instance in rest:
            yield _existing(instance, "remove", "not among the targets any more")


def _existing(instance: StackInstance, action: Any, reason: str) -> InstancePlan:
    return InstancePlan(
        account_id=instance.account_id,
        region=instance.region,
        organizational_unit=instance.organizational_unit,
        action=action,
        status=instance.status,
        reason=reason,
    )

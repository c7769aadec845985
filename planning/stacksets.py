"""The plan of one StackSet: which CloudFormation itself does not preview.

In: a stack of kind `stackset`, its template and inputs, the live set and its instances, what a survey of the targets found.
Out: `StackSetPlan`.
Never: talks to AWS, touches an instance; all that it says is a prediction from the two templates and the list of instances.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assembly.commands import deploy
from assembly.files import sha256
from assembly.model import Stack, StackSet
from aws.cloudformation.requests import REDACTED
from aws.cloudformation.stack_sets import StackInstance, StackSetDescription
from changes.by_template import all_from_templates
from changes.context import Context
from changes.widenings import widenings
from guards import documents
from planning.inputs import Inputs
from planning.model import Finding, InstanceAction, InstancePlan, Options, StackSetOperation, StackSetPlan, planned_place
from planning.stackset_survey import NOTHING, Survey, named
from templates.intrinsics import Scope, resolved_resources
from templates.resources import DATA_HOLDING_TYPES, LOG_TYPES
from templates.schemas import Schemas
from templates.values import Known

ADOPTABLE = frozenset({"Retain", "RetainExceptOnCreate"})
"""DeletionPolicy that a resource must have to be taken over. Source: CreateChangeSet, ImportExistingResources."""


def administration_role_arn(stack: Stack) -> str | None:
    """ARN of the role that CloudFormation takes on in the set's own account; None for SERVICE_MANAGED."""
    name = stack.stackset.administration_role_name if stack.stackset else None
    partition = "aws-cn" if stack.region.startswith("cn-") else "aws-us-gov" if stack.region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:iam::{stack.account_id}:role/{name}" if name else None


def managed_execution(target: StackSet) -> bool:
    """Whether CloudFormation may run operations of the set side by side and queue the others.

    Only with automatic deployment, where AWS itself begins operations at any moment, and ours or AWS's would be refused. Everywhere else
    one operation at a time is what keeps somebody else's change from slipping in between what was approved and what runs.
    """
    return target.auto_deployment


# Long: one value is put together from everything that was looked up, field by field.
def plan_stack_set(
    stack: Stack,
    template: Mapping[str, Any],
    inputs: Inputs,
    *,
    live: StackSetDescription | None,
    instances: Iterable[StackInstance],
    schemas: Schemas,
    surveyed: Survey = NOTHING,
    options: Options | None = None,
) -> StackSetPlan:
    """What creating or updating the set would do, in every account and region."""
    target = stack.stackset
    assert target is not None, "the caller asks for StackSets only"
    options = options or Options()
    there = tuple(instances)
    old_template = template_of(live.template_body) if live else {}
    context = context_of(stack, template, inputs, live=live, schemas=schemas)
    changed = tuple(_settings(stack, target, live)) if live else ()
    resources = all_from_templates(context)
    updates = bool(live) and (
        bool(resources) or bool(changed) or any(p.changed for p in inputs.show) or not same_template(old_template, template)
    )
    keep = options.removed_instances == "keep" or (options.removed_instances == "default" and holds_data(old_template or template))
    planned = tuple(_instances(target, there, surveyed, updates=updates, keep=keep))
    findings = (
        *inputs.findings,
        *surveyed.findings,
        *_obstacles(stack, target, live),
        *_clashes(stack, template, surveyed),
        *_conditions(stack, surveyed.environment, there, planned),
        *_losses(stack, surveyed.environment, old_template, planned),
    )
    operation = _operation(findings, planned, exists=live is not None, updates=updates)
    return StackSetPlan(
        **planned_place(stack),
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
        findings=findings,
    )


def context_of(stack: Stack, template: Mapping[str, Any], inputs: Inputs, *, live: StackSetDescription | None, schemas: Schemas) -> Context:
    """With the resolved resources of each instance, as deployed and as they are to be."""
    old_template = template_of(live.template_body) if live else {}
    before, after = _resources(old_template, inputs.before, stack), _resources(template, inputs.after, stack)
    return Context(before=before, after=after, schemas=schemas, region=stack.region)


def _operation(findings: Iterable[Finding], planned: Iterable[InstancePlan], *, exists: bool, updates: bool) -> StackSetOperation:
    if any(f.severity == "error" for f in findings):
        return "blocked"
    if not exists:
        return "create"
    if updates:
        return "update"
    return "instances" if any(i.action != "none" for i in planned) else "none"


# --- has it moved? ------------------------------------------------------------------------------------------------


def moved_since(plan: StackSetPlan, live: StackSetDescription | None, instances: Iterable[StackInstance] | None) -> tuple[str, ...]:
    """In what a set is not as its plan found it, one line each; empty if it is. `instances` None: those are not looked at.

    UpdateStackSet cannot be bound to a preview, so this is what stands between a review and a set that somebody changed after it.
    """
    if live is None:
        return ("the StackSet has been deleted since it was planned",) if plan.exists else ()
    if not plan.exists:
        return ()
    if live.id != plan.stack_set_id:
        return ("the StackSet has been deleted and made again since it was planned",)
    found = []
    if sha256(live.template_body.encode()) != plan.deployed_template_sha256:
        found.append("the StackSet has got another template since it was planned")
    found += _moved_parameters(plan, live)
    if instances is not None:
        found += _moved_instances(plan, instances)
    return tuple(found)


def _moved_parameters(plan: StackSetPlan, live: StackSetDescription) -> Iterator[str]:
    for parameter in plan.parameters:
        now = live.parameters.get(parameter.name)
        before = parameter.before
        if before is None and now is not None:
            yield f"the parameter {parameter.name} has come since it was planned"
        elif before is not None and now is None:
            yield f"the parameter {parameter.name} is gone since it was planned"
        elif isinstance(before, Known) and now not in (before.text, REDACTED):
            yield f"the parameter {parameter.name} was {before.text!r} when it was planned, and is {now!r} now"


def _moved_instances(plan: StackSetPlan, instances: Iterable[StackInstance]) -> list[str]:
    then = {(i.account_id, i.region): i.status for i in plan.instances if i.status}
    now = {(i.account_id, i.region): i.status for i in instances}
    groups: dict[str, list[str]] = {}
    for where in sorted({*then, *now}):
        was, is_now = then.get(where), now.get(where)
        if was != is_now:
            what = f"{'there was none' if was is None else f'was {was}'} when it was planned, {f'is {is_now}' if is_now else 'is gone'} now"
            groups.setdefault(what, []).append(" ".join(where))
    return [f"instances {named(places)}: {what}" for what, places in groups.items()]


# --- the set itself -----------------------------------------------------------------------------------------------


def template_of(body: str) -> dict[str, Any]:
    """A template's text as a value; empty if it is not JSON."""
    try:
        found = documents.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def same_template(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Equal but for the order of keys."""
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)


def holds_data(template: Mapping[str, Any]) -> bool:
    """Whether any resource of the template holds data of its own."""
    return any(resource.get("Type") in DATA_HOLDING_TYPES for resource in template.get("Resources", {}).values())


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
        "managed execution": (live.managed_execution, managed_execution(target)),
    }
    if target.permission_model == "SERVICE_MANAGED":
        for name in ("administration role", "execution role"):
            del pairs[name]
        pairs["automatic deployment"] = (live.auto_deployment, target.auto_deployment)
        if target.auto_deployment:
            pairs["retain stacks"] = (live.retain_stacks_on_account_removal, target.retain_stacks_on_account_removal)
    return (name for name, (old, new) in pairs.items() if old != new)


# --- instances ----------------------------------------------------------------------------------------------------


def _instances(target: StackSet, live: tuple[StackInstance, ...], surveyed: Survey, *, updates: bool, keep: bool) -> Iterator[InstancePlan]:
    """Accounts times regions in the assembly's order; what is not wanted any more comes last.

    Accounts of organizational units where these could be read; else units times regions, of which only those without any instance count.
    """
    by_unit = bool(target.targets.organizational_units) and surveyed.units is None
    units = surveyed.units or {}
    wheres = target.targets.organizational_units if by_unit else tuple(units) or target.targets.accounts
    there: dict[tuple[str, str], list[StackInstance]] = {}
    for instance in live:
        there.setdefault((instance.organizational_unit if by_unit else instance.account_id, instance.region), []).append(instance)
    for where, region in ((where, region) for where in wheres for region in target.targets.regions):
        found = there.pop((where, region), [])
        if not found:
            yield _missing(where, region, units.get(where, where if by_unit else ""), surveyed, by_unit=by_unit)
        for instance in found:
            yield _wanted(instance, surveyed, updates=updates)
    for rest in there.values():
        for instance in rest:
            reason = "not among the targets; its stack stays" if keep else "not among the targets"
            yield _existing(instance, "retain" if keep else "remove", reason, surveyed)


def _missing(where: str, region: str, unit: str, surveyed: Survey, *, by_unit: bool) -> InstancePlan:
    account = "" if by_unit else where
    action: InstanceAction = "create"
    reason, adopts = "", {}
    if where in surveyed.inactive:
        action, reason = "none", "the account is suspended or being closed"
    elif existing := surveyed.existing.get((where, region)):
        action, adopts = "adopt", dict(existing)
        reason = f"takes over {', '.join(adopts.values())}"
    return InstancePlan(account_id=account, region=region, organizational_unit=unit, action=action, reason=reason, adopts=adopts)


def _wanted(instance: StackInstance, surveyed: Survey, *, updates: bool) -> InstancePlan:
    if instance.status == "INOPERABLE":
        reason = f"INOPERABLE, which CloudFormation leaves out of updates{': ' + instance.reason if instance.reason else ''}"
        return _existing(instance, "none", reason, surveyed)
    if instance.account_id in surveyed.inactive:
        return _existing(instance, "none", "the account is suspended or being closed", surveyed)
    stale = instance.status != "CURRENT"
    reason = instance.reason or (f"it is {instance.status}" if stale else "the set changes" if updates else "")
    return _existing(instance, "update" if updates or stale else "none", reason, surveyed)


def _existing(instance: StackInstance, action: InstanceAction, reason: str, surveyed: Survey) -> InstancePlan:
    return InstancePlan(
        account_id=instance.account_id,
        region=instance.region,
        organizational_unit=instance.organizational_unit,
        action=action,
        status=instance.status,
        reason=reason,
        drift=instance.drift,
        overrides=dict(surveyed.overrides.get((instance.account_id, instance.region), {})),
    )


# --- findings -----------------------------------------------------------------------------------------------------


def _obstacles(stack: Stack, target: StackSet, live: StackSetDescription | None) -> Iterator[Finding]:
    if live is None:
        return
    if live.permission_model != target.permission_model:
        yield Finding(
            severity="error",
            code="permission_model_fixed",
            message=f"{live.name} is {live.permission_model}, which cannot be changed to {target.permission_model}; it has to be"
            " deleted (its stacks can be kept) and made again",
            stack=stack.id,
        )
    if not template_of(live.template_body):
        message = "the deployed template is not JSON: every resource of the new one shows as added"
        yield Finding(severity="note", code="template_unreadable", message=message, stack=stack.id)


def _clashes(stack: Stack, template: Mapping[str, Any], surveyed: Survey) -> Iterator[Finding]:
    """Log groups that are where an instance is to make them: their names say whose they are."""
    groups: dict[tuple[str, str], list[str]] = {}
    for (account, region), existing in surveyed.existing.items():
        for logical_id, name in existing.items():
            groups.setdefault((logical_id, name), []).append(f"{account} {region}")
    for (logical_id, name), places in groups.items():
        there = f"{name} exists already in {named(places)}, where {logical_id} would make it"
        if template.get("Resources", {}).get(logical_id, {}).get("DeletionPolicy") not in ADOPTABLE:
            message = f"{there}; without DeletionPolicy Retain in the template it cannot be taken over"
            yield Finding(severity="error", code="instance_clash", message=message, stack=stack.id)
        else:
            message = f"{name} in {named(places)} is taken over as it is: first by a stack, which then joins the set"
            yield Finding(severity="note", code="instance_adopted", message=message, stack=stack.id)


def _losses(stack: Stack, environment: str, template: Mapping[str, Any], planned: tuple[InstancePlan, ...]) -> Iterator[Finding]:
    """Data that goes, or is left behind, with the stacks of instances that are removed."""
    places = [f"{i.account_id} {i.region}" for i in planned if i.action == "remove"]
    if not places:
        return
    for logical_id, resource in template.get("Resources", {}).items():
        kind = str(resource.get("Type"))
        held, policy = {**DATA_HOLDING_TYPES, **LOG_TYPES}.get(kind), resource.get("DeletionPolicy")
        if held is None:
            continue
        kept = policy in ADOPTABLE
        snapshot = " but for a snapshot" if policy == "Snapshot" else ""
        yield Finding(
            severity="note" if kept and kind in LOG_TYPES else "warning",
            code="instance_data_left" if kept else "instance_data_lost",
            message=f"{logical_id} ({kind}) stays in {named(places)}, but no stack knows it any more"
            if kept
            else f"{logical_id} ({kind}) is REMOVED in {named(places)}: {held} WILL BE LOST{snapshot}",
            command="" if kept else deploy("plan", environment, "--removed-instances", "keep"),
            stack=stack.id,
        )


def _conditions(stack: Stack, environment: str, live: tuple[StackInstance, ...], planned: tuple[InstancePlan, ...]) -> Iterator[Finding]:
    """Instances that are not as they should be, by name."""
    wanted = {(i.account_id, i.region) for i in planned if i.action not in ("remove", "retain")}

    def those(*, status: str = "", drift: str = "") -> list[str]:
        return [
            f"{i.account_id} {i.region}"
            for i in live
            if (i.account_id, i.region) in wanted and status in ("", i.status) and drift in ("", i.drift)
        ]

    inoperable = [i for i in live if i.status == "INOPERABLE" and (i.account_id, i.region) in wanted]
    if inoperable:
        first = inoperable[0]
        yield Finding(
            severity="warning",
            code="instances_inoperable",
            message=f"INOPERABLE, so left out of every update: {named(those(status='INOPERABLE'))}; taken out of the set with its stack"
            " kept, an instance can be made again once that stack is repaired or deleted",
            command=f"aws cloudformation delete-stack-instances --stack-set-name {stack.stack_name} --region {stack.region}"
            f" --accounts {first.account_id} --regions {first.region} --retain-stacks",
            stack=stack.id,
        )
    outdated = those(status="OUTDATED")
    if outdated:
        message = f"OUTDATED, since an earlier operation failed there or was stopped: {named(outdated)}"
        yield Finding(severity="note", code="instances_outdated", message=message, stack=stack.id)
    drifted = those(drift="DRIFTED")
    if drifted:
        yield Finding(
            severity="warning",
            code="instances_drifted",
            message=f"drifted when last looked at: {named(drifted)}; an update puts back only the properties that it changes",
            command=deploy("drift", environment),
            stack=stack.id,
        )
    overridden: dict[str, list[str]] = {}
    for instance in planned:
        for name in instance.overrides:
            overridden.setdefault(name, []).append(f"{instance.account_id} {instance.region}")
    for name, places in overridden.items():
        message = f"the parameter {name} has values of its own in {named(places)}, which stay whatever the set's value becomes"
        yield Finding(severity="warning", code="parameter_overridden", message=message, stack=stack.id)

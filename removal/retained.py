"""What the deleted stacks leave behind: how it is known, whether it is there, and what becomes of it.

What a deleted stack kept on purpose is known from its own DELETE_SKIPPED events, which CloudFormation keeps for 90 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from assembly.model import Assembly, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AccessDenied, CredentialsError
from gateways.retained import BUCKET, FUNCTION, LOG_GROUP, REMOVABLE, TABLE, VERSION
from guards import documents
from inventory.judgement import mine
from inventory.survey import holds_ours
from planning.model import Finding
from planning.removals import Removal, RetainedResource
from planning.superseded import left
from removal.gateways import RemovalGateways
from templates.intrinsics import Scope, resolved_resources
from templates.resources import DATA_HOLDING_TYPES, LET_GO, LOG_TYPES, RETAINING

_NAME_PROPERTY = {BUCKET: "BucketName", TABLE: "TableName", LOG_GROUP: "LogGroupName", FUNCTION: "FunctionName"}


def where(stack: Stack) -> dict[str, Any]:
    return {"stack": stack.id, "account_id": stack.account_id, "region": stack.region, "role_arn": stack.role_arn}


def in_place(stack: Stack) -> dict[str, Any]:
    """Place and role of a stack, for what it has replaced."""
    return {**where(stack), "stack_name": stack.stack_name}


def left_by(
    stack: Stack,
    template: Mapping[str, Any],
    gateway: CloudFormation,
    removal: Removal | None,
    ours: Callable[[str], bool] = lambda _: True,
) -> list[RetainedResource]:
    """Of a live stack: what its deployed template retains and what it has replaced. Of deleted ones of that name: what their events say was
    skipped. And by name. `ours`: whether a deleted stack, by its ARN, was the environment's, where the name is no proof of it."""
    found: list[RetainedResource] = []
    let_go: dict[tuple[str, str], bool] = {}
    """By type and physical id, as the last stack that had it says."""
    arns = [arn for arn in gateway.deleted_stacks(stack.stack_name) if ours(arn)]
    if removal is not None:
        arns.insert(0, removal.arn)
        template_now = gateway.get_template(stack.stack_name)
        retained = {logical_id for logical_id, body in resources_of(template_now).items() if retains(body)}
        held = [
            _retained(stack, r.resource_type, r.physical_id)
            for r in gateway.list_resources(removal.arn)
            if r.logical_id in retained and r.physical_id
        ]
        found += held
        let_go |= dict.fromkeys(((each.resource_type, each.physical_id) for each in held), lets_go(template_now))
        found += [_retained(stack, each.resource_type, each.physical_id) for each in left(in_place(stack), removal.arn, gateway)]
        arns.remove(removal.arn)
    for arn in arns:
        skipped = [
            _retained(stack, e.resource_type, e.physical_id) for e in gateway.events(arn) if e.status == "DELETE_SKIPPED" and e.physical_id
        ]
        found += skipped
        # A deleted stack's template is told for 90 days, as its events are (API reference, GetTemplate).
        if skipped:
            said = lets_go(gateway.get_template(arn))
            let_go = dict.fromkeys(((each.resource_type, each.physical_id) for each in skipped), said) | let_go
    found += [_retained(stack, kind, name, proven=False) for kind, name in _named(stack, template, stack.account_id, stack.region)]
    return [
        msgspec.structs.replace(each, because=_LET_GO) if let_go.get((each.resource_type, each.physical_id)) else each for each in found
    ]


_LET_GO = "its stack was deployed with adopt.let_go: whoever takes it over has it now"


def left_by_set(stack: Stack, template: Mapping[str, Any], gateway: CloudFormation) -> list[RetainedResource]:
    """By name, in every place where instances are, or should have been."""
    target = stack.stackset
    assert target is not None, "only called for StackSets"
    instances = gateway.list_stack_instances(stack.stack_name, call_as=target.call_as)
    places = {(i.account_id, i.region) for i in instances} | {(a, r) for a in target.targets.accounts for r in target.targets.regions}
    return [
        RetainedResource(
            resource_type=kind,
            physical_id=name,
            stack=stack.id,
            account_id=account_id,
            region=region,
            role_arn=None,
            fate="keep",
            proven=False,
        )
        for account_id, region in sorted(places)
        for kind, name in _named(stack, template, account_id, region)
    ]


def _retained(stack: Stack, resource_type: str, physical_id: str, *, proven: bool = True) -> RetainedResource:
    return RetainedResource(**where(stack), resource_type=resource_type, physical_id=physical_id, fate="keep", proven=proven)


def _named(stack: Stack, template: Mapping[str, Any], account_id: str, region: str) -> Iterable[tuple[str, str]]:
    """Type and name of the resources that the template retains, where it says the name outright."""
    scope = Scope(template=template, parameters={}, account_id=account_id, region=region, stack_name=stack.stack_name)
    for body in resolved_resources(scope).values():
        name = body.get("Properties", {}).get(_NAME_PROPERTY.get(str(body.get("Type")), ""))
        if retains(body) and isinstance(name, str):
            yield str(body["Type"]), name


def resources_of(template: str | None) -> dict[str, Any]:
    return _section(template, "Resources")


def lets_go(template: str | None) -> bool:
    """Whether the stack leaves what it has to somebody else."""
    return _section(template, "Metadata").get(LET_GO) is True


def _section(template: str | None, name: str) -> dict[str, Any]:
    try:
        found = documents.loads(template or "{}").get(name)
    except (ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def retains(body: Any) -> bool:
    return isinstance(body, Mapping) and body.get("DeletionPolicy") in RETAINING


def unique(found: Iterable[RetainedResource]) -> list[RetainedResource]:
    """One for each resource, proven rather than not; versions of a function go with it."""
    best: dict[tuple[str, str, str, str], RetainedResource] = {}
    for each in found:
        if each.resource_type == VERSION:
            continue
        key = (each.resource_type, each.physical_id, each.account_id, each.region)
        if key not in best or (each.proven and not best[key].proven):
            best[key] = each
    return list(best.values())


def still_there(assembly: Assembly, gateways: RemovalGateways, each: RetainedResource, findings: list[Finding]) -> RetainedResource | None:
    """None if it is gone. Its tags, and what a bucket holds, prove whose it is where no event of a stack does.

    Of a type that cannot be looked up, the events are believed. Where there is no way to look, only they count, and it is noted.
    """
    if each.resource_type not in _NAME_PROPERTY and each.resource_type not in REMOVABLE:
        return each
    try:
        if each.resource_type in REMOVABLE:
            there = gateways.retained(each.account_id, each.region, each.role_arn).exists(each.resource_type, each.physical_id)
            return each if there else None
        found = gateways.existing(each.account_id, each.region, each.role_arn).find(each.resource_type, each.physical_id)
        if found is None:
            return None
        if each.proven:
            return each
        ours = mine(assembly, found.tags)
        if ours is None and each.resource_type == BUCKET:
            ours = holds_ours(assembly, gateways.s3(each.account_id, each.region, each.role_arn), each.physical_id)
        return msgspec.structs.replace(each, proven=bool(ours))
    except (AccessDenied, CredentialsError) as error:
        message = f"whether {each.physical_id} is in account {each.account_id} {each.region} could not be looked up: {error.message}"
        findings.append(Finding(severity="note", code="not_looked_up", message=message, stack=each.stack))
        return each if each.proven else None


def decided(each: RetainedResource, delete_data: bool) -> RetainedResource:
    fate: Literal["keep", "delete", "clean_up"] = "keep"
    if each.because:
        fate = "keep"
    elif each.resource_type in (FUNCTION, *REMOVABLE):
        fate = "clean_up" if each.proven else "keep"
    elif delete_data and each.resource_type in _NAME_PROPERTY:
        fate = "delete" if each.proven or each.resource_type == LOG_GROUP else "keep"
    holds = {**DATA_HOLDING_TYPES, **LOG_TYPES}.get(each.resource_type, "")
    return msgspec.structs.replace(each, holds=holds, fate=fate)

"""What stands in the way of a stack that is not there, as far as its names are known before any other stack is.

In: the assembly, a stack and its template, the gateways. Out: verdicts. For doctor, and for stacks that a plan cannot plan yet.
Never: needs what another stack will only produce.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from assembly.model import Assembly, HostedZoneRef, LiteralValue, Stack
from aws.errors import Conflict, NotFound
from inventory.model import Verdict
from inventory.survey import InventoryGateways, survey
from inventory.wanted import wanted
from templates.intrinsics import Scope, resolved_resources


def survey_absent(
    assembly: Assembly, stack: Stack, template: Mapping[str, Any], gateways: InventoryGateways, **options: bool
) -> tuple[Verdict, ...]:
    """`options` as for `survey`. Raises `aws.errors.AwsError` where the zone cannot be asked for."""
    scope = Scope(
        template=template,
        parameters=known_values(assembly, stack, gateways),
        account_id=stack.account_id,
        region=stack.region,
        stack_name=stack.stack_name,
    )
    return survey(assembly, stack, wanted(stack.id, template, resolved_resources(scope), {}), gateways, **options)


def known_values(assembly: Assembly, stack: Stack, gateways: InventoryGateways) -> dict[str, str]:
    """The parameters that need no other stack: literals, and the id of a hosted zone that is there."""
    found = {}
    for parameter in stack.parameters:
        if isinstance(parameter.source, LiteralValue):
            found[parameter.name] = parameter.source.value
        elif isinstance(parameter.source, HostedZoneRef):
            zone = assembly.zone
            with contextlib.suppress(NotFound, Conflict):
                found[parameter.name] = zone.id or gateways.route53(zone.account_id, zone.role_arn).find_public_zone(zone.name).id
    return found

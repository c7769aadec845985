# mypy: allow-untyped-calls
"""Automatic deployment: what happens to instances when an account moves between organizational units."""

from __future__ import annotations

from typing import Any

from emulator.stacksets.api import Answer, caller
from emulator.stacksets.operations import begin_operation
from emulator.stacksets.state import Instance, StackSet, store


def account_moved(payload: dict[str, Any], answer: Answer) -> Answer:
    """Automatic deployment: an account that comes into a unit gets the unit's instances, one that leaves loses them."""
    if answer[0] >= 300:
        return answer
    account = payload["AccountId"]
    master, _ = caller()
    for stack_set in store.sets:
        if (stack_set.account, stack_set.status, stack_set.auto_deployment) != (master, "ACTIVE", True):
            continue
        source, unit = payload["SourceParentId"], payload["DestinationParentId"]
        leaving = [each.target for each in stack_set.instances if (each.account, each.unit) == (account, source)]
        coming = [
            Instance(account=account, region=region, unit=unit)
            for region in _regions_of(stack_set, unit)
            if stack_set.instance((account, region)) is None
        ]
        managed, stack_set.managed_execution = stack_set.managed_execution, True
        if leaving:
            begin_operation({}, stack_set, "DELETE", targets=leaving, retain=stack_set.retain_on_removal)
        if coming:
            stack_set.instances += coming
            begin_operation({}, stack_set, "CREATE", targets=[each.target for each in coming], units={account: unit}, overrides={})
        stack_set.managed_execution = managed
    return answer


def _regions_of(stack_set: StackSet, unit: str) -> list[str]:
    return [*dict.fromkeys(instance.region for instance in stack_set.instances if instance.unit == unit)]

"""The operations that the plan of a StackSet takes, in order, each with an id that follows from the plan.

In: a `StackSetPlan`, the digest of its plan. Out: `Step` values and the preferences each is begun with.
Never: talks to AWS, or makes another id for the same step of the same plan: the id is the idempotency token of the operation.

A step works on accounts times regions, as the API does, and on nothing that is not in the plan. The canary region is a step of its own
before the others: the next one begins when no instance of it failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from assembly.model import OperationPreferences
from aws.cloudformation.requests import client_token
from aws.cloudformation.stack_sets import InstanceTargets
from planning.model import InstanceAction, InstancePlan, StackSetPlan

StepKind = Literal["update", "create", "update_instances", "adopt", "remove", "retain"]

IMPORTED_AT_ONCE = 10
"""Stacks of one ImportStacksToStackSet. Source: API reference, StackIds."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One StackSet operation."""

    id: str
    """OperationId."""
    kind: StepKind
    targets: InstanceTargets
    instances: int
    """How many it works on."""


def steps_of(plan: StackSetPlan, plan_digest: str) -> tuple[Step, ...]:
    """The operations of the plan, in order; the order is part of their ids."""
    found = [*_updates(plan), *_creations(plan)]
    found += [("adopt", targets, count) for targets, count in _adoptions(plan.instances)]
    # An import leaves every property as it is: the update after it brings those that the template gives the resource.
    found += [("update_instances", targets, count) for targets, count in _counted(plan.instances, "adopt")]
    for kind in ("remove", "retain"):
        found += [(kind, targets, count) for targets, count in _counted(plan.instances, kind)]
    return tuple(
        Step(id=client_token(plan_digest, plan.stack, kind, str(number)), kind=kind, targets=targets, instances=count)
        for number, (kind, targets, count) in enumerate(found)
    )


def canary_region(plan: StackSetPlan, action: InstanceAction) -> str:
    """The region that is worked on alone first; empty where all the work is in one region."""
    regions = dict.fromkeys(i.region for i in plan.instances if i.action == action)
    if len(regions) < 2:
        return ""
    return next((r for r in plan.preferences.region_order if r in regions), next(iter(regions)))


def rectangles(instances: Iterable[InstancePlan], action: InstanceAction) -> Iterator[InstanceTargets]:
    """Accounts times regions that hold exactly the instances with that action: regions with the same accounts go together."""
    return (targets for targets, _ in _counted(instances, action))


def preferences_of(wanted: OperationPreferences, regions: Iterable[str]) -> dict[str, Any]:
    """StackSetOperationPreferences for an operation in these regions; an order is sent only where regions go one after the other."""
    there = tuple(regions)
    order = [r for r in wanted.region_order if r in there] + [r for r in there if r not in wanted.region_order]
    sequential = wanted.region_concurrency_type == "SEQUENTIAL" and wanted.region_order
    return {
        "RegionConcurrencyType": wanted.region_concurrency_type,
        **({"RegionOrder": order} if sequential and order else {}),
        "FailureTolerancePercentage": wanted.failure_tolerance_percentage,
        "MaxConcurrentPercentage": wanted.max_concurrent_percentage,
        "ConcurrencyMode": wanted.concurrency_mode,
    }


_Work = tuple[StepKind, InstanceTargets, int]


def _updates(plan: StackSetPlan) -> list[_Work]:
    if plan.operation not in ("update", "instances"):
        return []
    kind: StepKind = "update" if plan.operation == "update" else "update_instances"
    found: list[_Work] = [(kind, targets, count) for targets, count in _canary_first(plan, "update")]
    if plan.operation == "update" and not found:
        return [("update", InstanceTargets(), 0)]
    return found


def _creations(plan: StackSetPlan) -> list[_Work]:
    return [("create", targets, count) for targets, count in _canary_first(plan, "create")]


def _canary_first(plan: StackSetPlan, action: InstanceAction) -> Iterator[tuple[InstanceTargets, int]]:
    canary = canary_region(plan, action)
    if canary:
        yield from _counted((i for i in plan.instances if i.region == canary), action)
    yield from _counted((i for i in plan.instances if i.region != canary), action)


def _counted(instances: Iterable[InstancePlan], action: InstanceAction) -> Iterator[tuple[InstanceTargets, int]]:
    by_region: dict[str, list[tuple[str, str]]] = {}
    for instance in instances:
        if instance.action == action:
            by_region.setdefault(instance.region, []).append((instance.organizational_unit, instance.account_id))
    by_where: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for region, wheres in by_region.items():
        by_where.setdefault(tuple(wheres), []).append(region)
    for places, regions in by_where.items():
        targets = InstanceTargets(
            accounts=tuple(dict.fromkeys(account for _, account in places if account)),
            organizational_units=tuple(dict.fromkeys(unit for unit, _ in places if unit)),
            regions=tuple(regions),
        )
        yield targets, len(places) * len(regions)


def _adoptions(instances: Iterable[InstancePlan]) -> Iterator[tuple[InstanceTargets, int]]:
    """One account at a time, ten regions at a time."""
    by_account: dict[str, list[str]] = {}
    for instance in instances:
        if instance.action == "adopt":
            by_account.setdefault(instance.account_id, []).append(instance.region)
    for account, regions in by_account.items():
        for start in range(0, len(regions), IMPORTED_AT_ONCE):
            some = regions[start : start + IMPORTED_AT_ONCE]
            yield InstanceTargets(accounts=(account,), regions=tuple(some)), len(some)

# mypy: allow-untyped-calls
"""How an operation runs: regions in order, concurrency, failure tolerance, queueing, stopping.

In: a stack set and an operation on some of its instances. Out: the stacks of the instances (`instance_stacks`), and the state of instances
and operation as it goes. Never: parses requests or writes answers.

Sources: CloudFormation API reference (StackSetOperationPreferences, StackInstance, ManagedExecution); user guide, "StackSets concepts".
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from ministack.core.responses import now_iso, request_scope

from emulator import pace
from emulator.stacksets import drift, instance_stacks
from emulator.stacksets.regions import region_status
from emulator.stacksets.roles import roles_problem
from emulator.stacksets.state import UNDER_WAY, UNFINISHED_RESULTS, Instance, Operation, Result, StackSet, Target

CHECK_ROLES = os.environ.get("LOCAL_AWS_STACKSET_ROLES", "check") != "ignore"

_tasks: set[asyncio.Task[None]] = set()
"""Running operations; asyncio itself keeps no reference to them."""


def start(stack_set: StackSet, operation: Operation) -> None:
    """Begin an operation that was admitted."""
    operation.created = now_iso()
    operation.results = [
        Result(account=account, region=region, unit=operation.units.get(account, "")) for account, region in operation.targets
    ]
    for target in operation.targets:
        instance = stack_set.instance(target)
        if instance is not None:
            instance.last_operation = operation.id
            if operation.action != "DETECT_DRIFT":
                instance.status = "OUTDATED" if instance.status != "INOPERABLE" else "INOPERABLE"
                instance.detailed = "PENDING"
    stack_set.operations.append(operation)
    task = asyncio.get_running_loop().create_task(_run(stack_set, operation))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _run(stack_set: StackSet, operation: Operation) -> None:
    while operation.status == "QUEUED" and any(_conflict(operation, other) for other in _earlier(stack_set, operation)):
        await asyncio.sleep(pace.LOOK_SECONDS)
    if operation.status == "QUEUED":
        operation.status = "RUNNING"
    run = OperationRun(stack_set, operation)
    try:
        await run.all_regions()
    except Exception as error:
        operation.reason = f"{type(error).__name__}: {error}"
        operation.status = "FAILED"
    run.finish()


def _earlier(stack_set: StackSet, operation: Operation) -> Iterator[Operation]:
    for other in stack_set.operations:
        if other is operation:
            return
        if other.status in UNDER_WAY:
            yield other


def _conflict(one: Operation, other: Operation) -> bool:
    return bool({*one.targets} & {*other.targets})


class OperationRun:
    """One operation at work."""

    def __init__(self, stack_set: StackSet, operation: Operation) -> None:
        self._set = stack_set
        self._operation = operation
        self._stopped_region = False

    async def all_regions(self) -> None:
        """Regions one after the other in the wanted order, or all at once."""
        targets = self._operation.targets
        order = [*dict.fromkeys([*self._operation.preferences.region_order, *(region for _, region in targets)])]
        groups = [[target for target in targets if target[1] == region] for region in order]
        if self._operation.preferences.region_concurrency_type == "PARALLEL":
            await asyncio.gather(*(self._one_region(group) for group in groups))
            return
        for group in groups:
            if self._stopped_region:
                self._cancel(group, "Cancelled since failure tolerance has exceeded")
            else:
                await self._one_region(group)

    async def _one_region(self, group: list[Target]) -> None:
        preferences = self._operation.preferences
        tolerance = preferences.tolerance(len(group))
        waiting = list(group)
        running: set[asyncio.Task[bool]] = set()
        failed = 0
        while waiting or running:
            slots = preferences.concurrency(len(group))
            if preferences.concurrency_mode == "STRICT_FAILURE_TOLERANCE":
                slots = max(1, min(slots, tolerance + 1 - failed))
            while waiting and len(running) < slots and failed <= tolerance and self._operation.status == "RUNNING":
                running.add(asyncio.get_running_loop().create_task(self._one(waiting.pop(0))))
            if failed > tolerance:
                self._stopped_region = True
                self._cancel(waiting, "Cancelled since failure tolerance has exceeded")
                waiting = []
            if self._operation.status == "STOPPING":
                self._cancel(waiting, "Cancelled since the operation was stopped")
                waiting = []
            if not running:
                continue
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            failed += sum(not task.result() for task in done)
        if failed > tolerance:
            self._stopped_region = True

    def _cancel(self, group: list[Target], reason: str) -> None:
        for target in group:
            result = self._operation.result(target)
            result.status, result.reason = "CANCELLED", reason
            instance = self._set.instance(target)
            if instance is not None and self._operation.action != "DETECT_DRIFT":
                instance.detailed, instance.reason = "CANCELLED", reason

    async def _one(self, target: Target) -> bool:
        """Work on one instance; whether it succeeded."""
        result = self._operation.result(target)
        instance = self._set.instance(target)
        result.status = "RUNNING"
        if instance is None:
            result.status, result.reason = "SUCCEEDED", "the instance is gone"
            return True
        drifting = self._operation.action == "DETECT_DRIFT"
        if not drifting:
            instance.detailed = "RUNNING"
        await pace.turn()
        problem = await self._work(instance)
        result.status = "FAILED" if problem else "SUCCEEDED"
        result.reason = problem
        if drifting:
            return not problem
        instance.detailed, instance.reason = result.status, problem
        if self._operation.action == "DELETE":
            if problem:
                instance.status = "INOPERABLE"
            else:
                self._set.instances.remove(instance)
        elif instance.status != "INOPERABLE":
            instance.status = "OUTDATED" if problem else "CURRENT"
        return not problem

    async def _work(self, instance: Instance) -> str:
        """The problem, or ""."""
        if self._operation.action == "DELETE" and self._operation.retain:
            return ""
        problem = self._not_ready(instance)
        if problem:
            return problem
        with request_scope(instance.account, instance.region):
            if self._operation.action == "DETECT_DRIFT":
                return drift.detect(instance)
            if self._operation.action == "DELETE":
                return await instance_stacks.delete(instance)
            return await instance_stacks.deploy(self._set, self._operation, instance)

    def _not_ready(self, instance: Instance) -> str:
        """Why this account and region cannot be worked on, in AWS's words."""
        if region_status(instance.account, instance.region) == "DISABLED":
            return f"Region {instance.region} is not enabled in account {instance.account}"
        if self._set.permission_model == "SERVICE_MANAGED" or not CHECK_ROLES:
            return ""
        return roles_problem(self._set, instance)

    def finish(self) -> None:
        """Set the final status of the operation and of results that were never reached."""
        operation = self._operation
        operation.ended = now_iso()
        if operation.status == "STOPPING":
            operation.status = "STOPPED"
        elif operation.status == "RUNNING":
            operation.status = "FAILED" if self._stopped_region else "SUCCEEDED"
        for result in operation.results:
            if result.status in UNFINISHED_RESULTS:
                result.status, result.reason = "CANCELLED", operation.reason
        if operation.action == "DETECT_DRIFT":
            self._set.drift = drift.drift_details(self._set, operation)

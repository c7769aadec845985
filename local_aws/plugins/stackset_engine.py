# mypy: allow-untyped-calls
"""What StackSets do behind their API: instances, operations that take time, tolerance, concurrency, queues.

In: a `StackSet` and an `Operation` over some of its instances. Out: real stacks in MiniStack, made in the instance's account and region
through CloudFormation's own actions, and the state of instances and operations as it goes.
Never: parses requests or writes answers (that is `stacksets`), or lets an operation do what AWS documents otherwise; where AWS's documents
are silent, README.md says what was chosen.

Source of the rules: CloudFormation API reference (StackSetOperationPreferences, StackInstance, ManagedExecution) and user guide
(StackSets concepts).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region, now_iso, request_scope
from ministack.services import account as account_service
from ministack.services import cloudformation, iam
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS

Where = tuple[str, str]
"""Account and region."""

POLL_SECONDS = 0.02
WAITING = ("PENDING", "RUNNING")
UNDER_WAY = ("RUNNING", "QUEUED", "STOPPING")


@dataclass(kw_only=True)
class Instance:
    """One account and region of a set, and the stack there."""

    account: str
    region: str
    unit: str = ""
    """Organizational unit through which a SERVICE_MANAGED instance came."""
    stack_name: str = ""
    stack_id: str = ""
    overrides: dict[str, str] = field(default_factory=dict)
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = ""
    drift: str = "NOT_CHECKED"
    drift_checked: str = ""
    last_operation: str = ""

    @property
    def where(self) -> Where:
        return (self.account, self.region)


@dataclass(kw_only=True)
class Preferences:
    """StackSetOperationPreferences with AWS's defaults."""

    region_concurrency_type: str = "SEQUENTIAL"
    region_order: list[str] = field(default_factory=list)
    failure_tolerance_count: int | None = None
    failure_tolerance_percentage: int | None = None
    max_concurrent_count: int | None = None
    max_concurrent_percentage: int | None = None
    concurrency_mode: str = "STRICT_FAILURE_TOLERANCE"

    def tolerance(self, accounts: int) -> int:
        """Accounts of one region that may fail; a percentage is rounded down."""
        if self.failure_tolerance_percentage is not None:
            return accounts * self.failure_tolerance_percentage // 100
        return self.failure_tolerance_count or 0

    def concurrency(self, accounts: int) -> int:
        """Accounts worked on at once in one region; a percentage is rounded down but is at least one."""
        if self.max_concurrent_percentage is not None:
            wanted = max(1, accounts * self.max_concurrent_percentage // 100)
        else:
            wanted = self.max_concurrent_count or 1
        if self.concurrency_mode == "STRICT_FAILURE_TOLERANCE":
            return min(wanted, self.tolerance(accounts) + 1)
        return wanted


@dataclass(kw_only=True)
class Result:
    """What an operation did to one instance."""

    account: str
    region: str
    unit: str = ""
    status: str = "PENDING"
    reason: str = ""


@dataclass(kw_only=True)
class Operation:
    """One operation over a set."""

    id: str
    action: str
    request: str
    """Fingerprint of the request, to know a retry by."""
    targets: list[Where]
    preferences: Preferences
    status: str = "RUNNING"
    reason: str = ""
    created: str = ""
    ended: str = ""
    retain: bool = False
    overrides: dict[str, str] | None = None
    """New parameter overrides of the targets; None leaves them."""
    units: dict[str, str] = field(default_factory=dict)
    """Organizational unit of each account."""
    deployment_targets: dict[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(result.status == "FAILED" for result in self.results)

    def result(self, where: Where) -> Result:
        return next(result for result in self.results if (result.account, result.region) == where)


@dataclass(kw_only=True)
class StackSet:
    """A set with everything that belongs to it."""

    name: str
    id: str
    account: str
    region: str
    template: str
    description: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    administration_role: str = ""
    execution_role: str = ""
    permission_model: str = "SELF_MANAGED"
    auto_deployment: bool = False
    retain_on_removal: bool = False
    managed_execution: bool = False
    status: str = "ACTIVE"
    instances: list[Instance] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    drift: dict[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stackset/{self.id}"

    def instance(self, where: Where) -> Instance | None:
        return next((instance for instance in self.instances if instance.where == where), None)

    def under_way(self) -> list[Operation]:
        return [operation for operation in self.operations if operation.status in UNDER_WAY]


class Store:
    """Every set of every account, and the tasks that work on them."""

    def __init__(self) -> None:
        self.sets: list[StackSet] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.seconds = float(os.environ.get("LOCAL_AWS_STACKSET_SECONDS", "0"))
        """How long an instance takes beyond its stack."""
        self.check_roles = os.environ.get("LOCAL_AWS_STACKSET_ROLES", "check") != "ignore"

    def active(self, account: str, region: str) -> list[StackSet]:
        return [each for each in self.sets if (each.account, each.region, each.status) == (account, region, "ACTIVE")]

    def start(self, stack_set: StackSet, operation: Operation) -> None:
        """Begin an operation that `stacksets` has let in."""
        operation.created = now_iso()
        operation.results = [
            Result(account=account, region=region, unit=operation.units.get(account, "")) for account, region in operation.targets
        ]
        for where in operation.targets:
            instance = stack_set.instance(where)
            if instance is not None:
                instance.last_operation = operation.id
                if operation.action != "DETECT_DRIFT":
                    instance.status = "OUTDATED" if instance.status != "INOPERABLE" else "INOPERABLE"
                    instance.detailed = "PENDING"
        stack_set.operations.append(operation)
        task = asyncio.get_running_loop().create_task(self._run(stack_set, operation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, stack_set: StackSet, operation: Operation) -> None:
        while operation.status == "QUEUED" and any(_conflict(operation, other) for other in _earlier(stack_set, operation)):
            await asyncio.sleep(POLL_SECONDS)
        if operation.status == "QUEUED":
            operation.status = "RUNNING"
        run = OperationRun(self, stack_set, operation)
        try:
            await run.all_regions()
        except Exception as error:
            operation.reason = f"{type(error).__name__}: {error}"
            operation.status = "FAILED"
        run.finish()

    def dump(self) -> list[dict[str, Any]]:
        """For MiniStack's persistence."""
        return [asdict(each) for each in self.sets]

    def load(self, saved: list[dict[str, Any]]) -> None:
        """From there; what was under way when the server ended has failed."""
        self.sets = [_restored(each) for each in saved]


def _restored(saved: dict[str, Any]) -> StackSet:
    operations = []
    for each in saved["operations"]:
        operation = Operation(
            **{
                **each,
                "targets": [(account, region) for account, region in each["targets"]],
                "preferences": Preferences(**each["preferences"]),
                "results": [Result(**result) for result in each["results"]],
            }
        )
        if operation.status in UNDER_WAY:
            operation.status, operation.reason, operation.ended = "FAILED", "the local AWS ended while it ran", now_iso()
        operations.append(operation)
    return StackSet(**{**saved, "operations": operations, "instances": [Instance(**each) for each in saved["instances"]]})


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

    def __init__(self, store: Store, stack_set: StackSet, operation: Operation) -> None:
        self._store = store
        self._set = stack_set
        self._operation = operation
        self._stopped_region = False

    async def all_regions(self) -> None:
        """Regions one after the other in the wanted order, or all at once."""
        targets = self._operation.targets
        order = [*dict.fromkeys([*self._operation.preferences.region_order, *(region for _, region in targets)])]
        groups = [[where for where in targets if where[1] == region] for region in order]
        if self._operation.preferences.region_concurrency_type == "PARALLEL":
            await asyncio.gather(*(self._one_region(group) for group in groups))
            return
        for group in groups:
            if self._stopped_region:
                self._cancel(group, "Cancelled since failure tolerance has exceeded")
            else:
                await self._one_region(group)

    async def _one_region(self, group: list[Where]) -> None:
        preferences = self._operation.preferences
        tolerance = preferences.tolerance(len(group))
        waiting = list(group)
        running: set[asyncio.Task[bool]] = set()
        failed = 0
        while waiting or running:
            room = preferences.concurrency(len(group))
            if preferences.concurrency_mode == "STRICT_FAILURE_TOLERANCE":
                room = max(1, min(room, tolerance + 1 - failed))
            while waiting and len(running) < room and failed <= tolerance and self._operation.status == "RUNNING":
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

    def _cancel(self, group: list[Where], reason: str) -> None:
        for where in group:
            result = self._operation.result(where)
            result.status, result.reason = "CANCELLED", reason
            instance = self._set.instance(where)
            if instance is not None and self._operation.action != "DETECT_DRIFT":
                instance.detailed, instance.reason = "CANCELLED", reason

    async def _one(self, where: Where) -> bool:
        """Work on one instance; whether it went well."""
        result = self._operation.result(where)
        instance = self._set.instance(where)
        result.status = "RUNNING"
        if instance is None:
            result.status, result.reason = "SUCCEEDED", "the instance is gone"
            return True
        drifting = self._operation.action == "DETECT_DRIFT"
        if not drifting:
            instance.detailed = "RUNNING"
        if self._store.seconds:
            await asyncio.sleep(self._store.seconds)
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
                return _detect_drift(instance)
            if self._operation.action == "DELETE":
                return await _delete(instance)
            return await self._deploy(instance)

    def _not_ready(self, instance: Instance) -> str:
        """Why this account and region cannot be worked on, in AWS's words."""
        if region_status(instance.account, instance.region) == "DISABLED":
            return f"Region {instance.region} is not enabled in account {instance.account}"
        if self._set.permission_model == "SERVICE_MANAGED" or not self._store.check_roles:
            return ""
        return _roles_problem(self._set, instance)

    async def _deploy(self, instance: Instance) -> str:
        if instance.status == "INOPERABLE":
            return "The stack instance is INOPERABLE and is excluded from updates"
        if self._operation.overrides is not None:
            instance.overrides = dict(self._operation.overrides)
        stack = _stack(instance)
        if stack is not None and stack["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
            problem = await _delete(instance)
            if problem:
                return problem
            stack = None
        if stack is None:
            instance.stack_name = f"StackSet-{self._set.name}-{uuid4()}"
        known = set(_parameter_names(self._set.template))
        values = {key: value for key, value in {**self._set.parameters, **instance.overrides}.items() if key in known}
        request = {
            "StackName": [instance.stack_name],
            "TemplateBody": [self._set.template],
            **_numbered("Parameters", values, "ParameterKey", "ParameterValue"),
            **_numbered("Tags", self._set.tags, "Key", "Value"),
            **{f"Capabilities.member.{number}": [name] for number, name in enumerate(self._set.capabilities, 1)},
        }
        refusal = _act("CreateStack" if stack is None else "UpdateStack", request)
        if "No updates are to be performed" in refusal:
            return ""
        if refusal:
            return refusal
        stack = await _settled(instance)
        instance.stack_id = stack["StackId"] if stack else ""
        if stack is not None and stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return ""
        return _root_cause(stack) if stack else "the stack vanished"

    def finish(self) -> None:
        """Close the books."""
        operation = self._operation
        operation.ended = now_iso()
        if operation.status == "STOPPING":
            operation.status = "STOPPED"
        elif operation.status == "RUNNING":
            operation.status = "FAILED" if self._stopped_region else "SUCCEEDED"
        for result in operation.results:
            if result.status in WAITING:
                result.status, result.reason = "CANCELLED", operation.reason
        if operation.action == "DETECT_DRIFT":
            self._set.drift = drift_details(self._set, operation)


# --- stacks -------------------------------------------------------------------------------------------------------


def _stack(instance: Instance) -> dict[str, Any] | None:
    """The stack of an instance, seen from its own account and region; None if there is none."""
    stack: dict[str, Any] | None = cloudformation._stacks.get(instance.stack_name) if instance.stack_name else None
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


async def _settled(instance: Instance) -> dict[str, Any] | None:
    """The stack at rest. Waits before the first look: MiniStack sets DELETE_IN_PROGRESS in a task of its own."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        stack = _stack(instance)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack


async def _delete(instance: Instance) -> str:
    if _stack(instance) is None:
        return ""
    refusal = _act("DeleteStack", {"StackName": [instance.stack_name]})
    if refusal:
        return refusal
    stack = await _settled(instance)
    return _root_cause(stack) if stack else ""


def _detect_drift(instance: Instance) -> str:
    stack = _stack(instance)
    if stack is None:
        return "the stack does not exist"
    refusal = _act("DetectStackDrift", {"StackName": [instance.stack_name]})
    if not refusal:
        instance.drift = stack["DriftInformation"]["StackDriftStatus"]
        instance.drift_checked = stack["DriftInformation"]["LastCheckTimestamp"]
    return refusal


def _act(action: str, request: dict[str, list[str]]) -> str:
    """Run one of CloudFormation's own actions; its refusal, or ""."""
    status, _, body = _ACTION_HANDLERS[action]({"Action": [action], **request})
    if status < 300:
        return ""
    text = body.decode() if isinstance(body, bytes) else str(body)
    match = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    return match[1] if match else text


def _numbered(prefix: str, values: dict[str, str], key: str, value: str) -> dict[str, list[str]]:
    request: dict[str, list[str]] = {}
    for number, (name, given) in enumerate(values.items(), 1):
        request[f"{prefix}.member.{number}.{key}"] = [name]
        request[f"{prefix}.member.{number}.{value}"] = [given]
    return request


def _parameter_names(template: str) -> list[str]:
    """Parameters that a JSON template declares; of a YAML one, the keys one level below `Parameters:`."""
    try:
        return [*json.loads(template).get("Parameters", {})]
    except ValueError:
        section = re.search(r"^Parameters:\s*\n((?:[ \t]+.*\n|\s*\n)*)", template + "\n", re.MULTILINE)
        return re.findall(r"^ {2}([A-Za-z0-9]+):", section[1], re.MULTILINE) if section else []


def _root_cause(stack: dict[str, Any]) -> str:
    """The first failed resource of the last operation, in the form of a stack instance's StatusReason; else the stack's own reason."""
    events = cloudformation._stack_events.get(stack["StackId"], [])
    begun = max((number for number, event in enumerate(events) if event["ResourceStatusReason"] == "User Initiated"), default=0)
    failed = [event for event in events[begun:] if event["ResourceStatus"].endswith("_FAILED")]
    for event in failed:
        if event["ResourceType"] != "AWS::CloudFormation::Stack":
            return (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{event['ResourceType']}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    return str(failed[0]["ResourceStatusReason"] if failed else stack["StackStatus"])


def drift_details(stack_set: StackSet, operation: Operation) -> dict[str, Any]:
    """StackSetDriftDetectionDetails of a finished or running detection."""
    looked_at = [stack_set.instance(where) for where in operation.targets]
    states = [instance.drift for instance in looked_at if instance is not None]
    drifted = states.count("DRIFTED")
    running = sum(result.status in WAITING for result in operation.results)
    done = {"SUCCEEDED": "PARTIAL_SUCCESS" if operation.failed else "COMPLETED", "FAILED": "FAILED", "STOPPED": "STOPPED"}
    return {
        "DriftStatus": "DRIFTED" if drifted else "IN_SYNC",
        "DriftDetectionStatus": done.get(operation.status, "IN_PROGRESS"),
        "LastDriftCheckTimestamp": operation.ended or operation.created,
        "TotalStackInstancesCount": len(operation.targets),
        "DriftedStackInstancesCount": drifted,
        "InSyncStackInstancesCount": states.count("IN_SYNC"),
        "InProgressStackInstancesCount": running,
        "FailedStackInstancesCount": operation.failed,
    }


# --- readiness of a target ----------------------------------------------------------------------------------------

_opted: dict[Where, str] = {}
"""Opt-in regions that were switched through the account API: (account, region) -> ENABLED or DISABLED."""


def region_status(account: str, region: str) -> str:
    """RegionOptStatus of the account API."""
    if region not in account_service._OPT_IN_REQUIRED:
        return "ENABLED_BY_DEFAULT"
    return _opted.get((account, region), "ENABLED")


def switch_region(account: str, region: str, status: str) -> None:
    """What EnableRegion and DisableRegion do, at once."""
    _opted[(account, region)] = status


def _roles_problem(stack_set: StackSet, instance: Instance) -> str:
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


def here() -> Where:
    """Account and region of the request."""
    return get_account_id(), get_region()


Answer = tuple[int, dict[str, str], bytes]
Action = Callable[[dict[str, Any]], Answer]

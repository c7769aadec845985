"""Drift: what of a stack is no longer as CloudFormation deployed it.

In: an assembly, the gateways, sleep and clock. Out: a frozen `DriftReport`, and its text.
Never: changes anything (detection only reads), shows a NoEcho or secret value, calls a resource in sync that could not be checked.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal

from assembly import commands
from assembly.errors import Remedied
from assembly.model import Assembly, Frozen, Stack
from aws.cloudformation.drift import PropertyDifference, ResourceDrift
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import REDACTED, client_token
from aws.cloudformation.stacks import StackDescription
from aws.errors import AccessDenied, AwsError
from guards import documents
from operations.gateways import CloudFormationGateways, cloudformation_of, utc
from removal.belongings import NOTHING_DROPPED, Dropped
from removal.execution import EVERYWHERE_AT_ONCE
from templates.intrinsics import Scope, marked, resolved_resources, secret_mark
from templates.values import Known, Redacted, Value

POLL_SECONDS = 2.0
"""Drift of a stack is known sooner than a stack is changed."""

ATTEMPTS = 900
"""Polls of one detection before it is given up; half an hour."""

WORKERS = 8
VALUE_LENGTH = 200
"""Characters of a value in the text; --json has them whole."""

_PASSWORD_HASH = re.compile(r"\$(scrypt|hmac-sha256)\$[^\s\"']+")

Progress = Callable[[str, str], None]
"""Called with a stack id and what happens to it; from any thread."""


class DriftedProperty(Frozen, frozen=True, kw_only=True):
    """One property; `expected` is what was deployed, `actual` what is there. None: absent."""

    path: str
    kind: Literal["added", "removed", "changed"]
    expected: Value | None
    actual: Value | None


class DriftedResource(Frozen, frozen=True, kw_only=True):
    """One resource that is not as deployed."""

    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    """MODIFIED or DELETED."""
    properties: tuple[DriftedProperty, ...] = ()
    where: str = ""
    """StackSet: "ACCOUNT REGION" of the instance."""


class Unchecked(Frozen, frozen=True, kw_only=True):
    """A resource whose drift CloudFormation cannot tell."""

    logical_id: str
    resource_type: str
    reason: str = ""


class StackDrift(Frozen, frozen=True, kw_only=True):
    """One stack or StackSet."""

    stack: str
    stack_name: str
    account_id: str
    region: str
    result: Literal["in_sync", "drifted", "unchecked", "not_deployed", "failed"]
    """`unchecked`: CloudFormation cannot tell for any of its resources."""
    checked: int = 0
    """Resources whose drift was told; for a StackSet, instances."""
    resources: tuple[DriftedResource, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    error: str = ""
    command: str = ""


class DriftReport(Frozen, frozen=True, kw_only=True):
    """Every stack of an environment."""

    environment: str
    checked_at: str
    stacks: tuple[StackDrift, ...]
    dropped: tuple[StackDrift, ...] = ()
    """Stacks of the environment that the assembly does not have; their drift ends nothing with another status."""
    notes: tuple[str, ...] = ()
    """What could not be looked up."""

    @property
    def exit_status(self) -> int:
        """1 if any could not be looked at, 3 if any drifted, else 0."""
        results = {s.result for s in self.stacks}
        return 1 if "failed" in results else 3 if "drifted" in results else 0


def detect_drift(
    assembly: Assembly,
    gateways: CloudFormationGateways,
    *,
    operation_id: str,
    dropped: Dropped = NOTHING_DROPPED,
    now: datetime,
    sleep: Callable[[float], None],
    poll_seconds: float = POLL_SECONDS,
    progress: Progress = lambda *_: None,
    stop: threading.Event | None = None,
    workers: int = WORKERS,
) -> DriftReport:
    """Look at every stack, several at once, those that are no more wanted too. `operation_id` is fresh and names the StackSets' operations.

    What AWS refuses for one stack stands in its `error`. `stop` ends the waiting; a detection that runs at AWS harms nothing.
    """
    stopped = stop or threading.Event()
    detection = _Detection(gateways, operation_id, lambda: sleep(poll_seconds), progress, stopped)
    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        stacks = tuple(pool.map(detection.of, (*assembly.stacks, *dropped.stacks)))
    except BaseException:
        stopped.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return DriftReport(
        environment=assembly.environment,
        checked_at=utc(now),
        stacks=stacks[: len(assembly.stacks)],
        dropped=stacks[len(assembly.stacks) :],
        notes=tuple(finding.message for finding in dropped.findings),
    )


class _Failed(Remedied):
    """A detection without a result."""


def _with_the_callers_permissions(stack: Stack) -> str:
    """What to add to a failure of a stack without a service role, such as foundation, whose resources the deploy role cannot read."""
    if stack.kind != "stack" or stack.service_role is not None:
        return ""
    return "; it has no service role, so its resources are read with the caller's own permissions, which takes an administrator's"


class _Detection:
    def __init__(
        self, gateways: CloudFormationGateways, operation_id: str, pause: Callable[[], None], progress: Progress, stopped: threading.Event
    ) -> None:
        self._gateways, self._operation_id, self._sleep, self._progress, self._stopped = gateways, operation_id, pause, progress, stopped

    def of(self, stack: Stack) -> StackDrift:
        found: dict[str, Any] = {
            "stack": stack.id,
            "stack_name": stack.stack_name,
            "account_id": stack.account_id,
            "region": stack.region,
        }
        try:
            gateway = cloudformation_of(stack, self._gateways)
            found |= self._stack_set(stack, gateway) if stack.kind == "stackset" else self._stack(stack, gateway)
        except _Failed as error:
            found |= {"result": "failed", "error": str(error), "command": error.command}
        except AwsError as error:
            whose = _with_the_callers_permissions(stack) if isinstance(error, AccessDenied) else ""
            found |= {"result": "failed", "error": f"{error}{whose}", "command": error.hint}
        self._progress(stack.id, found["result"].replace("_", " "))
        return StackDrift(**found)

    def _stack(self, stack: Stack, gateway: CloudFormation) -> dict[str, Any]:
        live = gateway.describe_stack(stack.stack_name)
        if live is None or not live.deployed:
            return {"result": "not_deployed"}
        if live.busy:
            raise _Failed(f"{stack.stack_name} is {live.status}; wait until that is done, then look again")
        detection = gateway.detect_drift(stack.stack_name)
        self._progress(stack.id, "looking")
        state = gateway.drift_detection(detection)
        for _ in range(ATTEMPTS):
            if state.status != "DETECTION_IN_PROGRESS":
                break
            self._pause()
            state = gateway.drift_detection(detection)
        else:
            raise _Failed(f"the drift detection {detection} of {stack.stack_name} has not come to an end after {ATTEMPTS} polls")
        # DETECTION_FAILED still has results for the resources that could be checked.
        drifts = gateway.resource_drifts(stack.stack_name)
        if state.status != "DETECTION_COMPLETE" and not drifts:
            whose = _with_the_callers_permissions(stack)
            raise _Failed(f"CloudFormation could not detect the drift of {stack.stack_name}: {state.reason or state.status}{whose}")
        hidden = Hidden.of(gateway.get_template(stack.stack_name), live, stack.account_id, stack.region)
        told = {d.logical_id: d for d in drifts if d.status not in ("NOT_CHECKED", "UNKNOWN", "UNSUPPORTED")}
        reasons = {d.logical_id: d.reason for d in drifts}
        unchecked = tuple(
            Unchecked(logical_id=r.logical_id, resource_type=r.resource_type, reason=reasons.get(r.logical_id, ""))
            for r in gateway.list_resources(stack.stack_name)
            if r.logical_id not in told and not r.status.startswith("DELETE_")
        )
        resources = tuple(drifted(d, hidden) for d in told.values() if d.status != "IN_SYNC")
        failed = state.status != "DETECTION_COMPLETE"
        return {
            "result": "failed" if failed else "drifted" if resources or state.drift == "DRIFTED" else "in_sync" if told else "unchecked",
            "checked": len(told),
            "resources": resources,
            "unchecked": unchecked,
            "error": f"CloudFormation could not check every resource: {state.reason or state.status}{_with_the_callers_permissions(stack)}"
            if failed
            else "",
        }

    def _stack_set(self, stack: Stack, gateway: CloudFormation) -> dict[str, Any]:
        live = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
        instances = gateway.list_stack_instances(stack.stack_name, call_as=stack.call_as) if live else ()
        if live is None or not instances:
            return {"result": "not_deployed"}
        running = gateway.running_operations(stack.stack_name, call_as=stack.call_as)
        if running:
            what = ", ".join(f"{o.action} ({o.status}, since {o.created_at})" for o in running)
            raise _Failed(f"an operation on {stack.stack_name} is under way: {what}; wait until that is done, then look again")
        operation = gateway.detect_stack_set_drift(
            stack.stack_name,
            operation_id=client_token(self._operation_id, stack.id),
            preferences=EVERYWHERE_AT_ONCE,
            call_as=stack.call_as,
        )
        self._progress(stack.id, f"looking at {len(instances)} instances")
        state = gateway.stack_set_operation(stack.stack_name, operation, call_as=stack.call_as)
        for _ in range(ATTEMPTS):
            if state.finished:
                break
            self._pause()
            state = gateway.stack_set_operation(stack.stack_name, operation, call_as=stack.call_as)
        else:
            raise _Failed(f"the drift detection {operation} of {stack.stack_name} has not come to an end after {ATTEMPTS} polls")
        hidden = Hidden.of(live.template_body, None, stack.account_id, stack.region)
        resources: list[DriftedResource] = []
        unchecked: list[Unchecked] = []
        checked = 0
        for instance in gateway.list_stack_instances(stack.stack_name, call_as=stack.call_as):
            where = f"{instance.account_id} {instance.region}"
            if instance.drift not in ("DRIFTED", "IN_SYNC"):
                unchecked.append(Unchecked(logical_id=where, resource_type="instance", reason=instance.reason or instance.drift))
                continue
            checked += 1
            if instance.drift == "DRIFTED":
                found = gateway.instance_drifts(
                    stack.stack_name, account_id=instance.account_id, region=instance.region, operation_id=operation, call_as=stack.call_as
                )
                resources += [drifted(d, hidden, where=where) for d in found if d.status in ("MODIFIED", "DELETED")]
        failed = state.status != "SUCCEEDED" or state.failed_instances > 0
        error = ""
        if failed:
            results = gateway.stack_set_operation_results(stack.stack_name, operation, call_as=stack.call_as)
            reasons = "; ".join(f"{r.account_id} {r.region}: {r.reason}" for r in results if r.status != "SUCCEEDED")
            error = f"CloudFormation could not check every instance: {reasons or state.reason or state.status}"
        return {
            "result": "failed" if failed else "drifted" if resources else "in_sync" if checked else "unchecked",
            "checked": checked,
            "resources": tuple(resources),
            "unchecked": tuple(unchecked),
            "error": error,
        }

    def _pause(self) -> None:
        if self._stopped.is_set():
            raise _Failed("interrupted")
        self._sleep()


# --- what may be shown --------------------------------------------------------------------------------------------


class Hidden:
    """Which properties of a deployed template are made of NoEcho parameters."""

    def __init__(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        self._resources = resources

    @classmethod
    def of(cls, template: str | None, live: StackDescription | None, account_id: str, region: str) -> Hidden:
        """From the deployed template's text; one that is not JSON is taken to be all secret."""
        try:
            body = documents.loads(template or "{}")
        except ValueError:
            return _ALL_HIDDEN
        if not isinstance(body, dict):
            return _ALL_HIDDEN
        parameters = dict(live.parameters) if live else {}
        for name, declared in body.get("Parameters", {}).items():
            if str(declared.get("NoEcho", "")).lower() == "true" or parameters.get(name) == REDACTED:
                parameters[name] = secret_mark(name, "current")
        name = live.name if live else ""
        return cls(resolved_resources(Scope(template=body, parameters=parameters, account_id=account_id, region=region, stack_name=name)))

    def covers(self, logical_id: str, pointer: str) -> bool:
        """Whether the property at that JSON pointer is, holds, or lies inside a value made of a secret."""
        properties = self._resources.get(logical_id, {}).get("Properties", {})
        value: Any = properties
        for step in pointer.strip("/").split("/"):
            if isinstance(value, Mapping) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                break
        # A property that the template does not have is made of nothing.
        return value is not properties and marked(value)


class _All(Hidden):
    def covers(self, logical_id: str, pointer: str) -> bool:  # noqa: ARG002
        return True


_ALL_HIDDEN = _All({})


def drifted(found: ResourceDrift, hidden: Hidden, *, where: str = "") -> DriftedResource:
    """The resource as it may be shown."""
    return DriftedResource(
        logical_id=found.logical_id,
        physical_id=found.physical_id,
        resource_type=found.resource_type,
        status=found.status,
        properties=tuple(_property(d, hidden.covers(found.logical_id, d.path)) for d in found.differences),
        where=where,
    )


def _property(found: PropertyDifference, secret: bool) -> DriftedProperty:
    kinds: dict[str, Literal["added", "removed", "changed"]] = {"ADD": "added", "REMOVE": "removed"}
    kind = kinds.get(found.kind, "changed")
    return DriftedProperty(
        path=found.path.strip("/").replace("/", "."),
        kind=kind,
        expected=None if kind == "added" else _shown(found.expected, secret),
        actual=None if kind == "removed" else _shown(found.actual, secret),
    )


def _shown(text: str, secret: bool) -> Value:
    # A hash that stands in a value through no parameter (somebody pasted it) is no less secret.
    return Redacted() if secret or REDACTED in text or _PASSWORD_HASH.search(text) else Known(text=text)


# --- text ---------------------------------------------------------------------------------------------------------


def still_drifted(stacks: tuple[Stack, ...], gateways: CloudFormationGateways) -> tuple[str, ...]:
    """Those of the stacks, which a drift-aware plan leaves as they are, whose last look found drift; a StackSet has no such plan."""
    found = []
    for stack in stacks:
        live = cloudformation_of(stack, gateways).describe_stack(stack.stack_name) if stack.kind == "stack" else None
        if live is not None and live.drift == "DRIFTED":
            when = f" ({live.drift_checked_at})" if live.drift_checked_at else ""
            found.append(
                f"{stack.id} was drifted when last looked at{when}, and CloudFormation has nothing to put back: look again;"
                " what still differs is put back by hand"
            )
    return tuple(found)


def drift_lines(report: DriftReport) -> tuple[str, ...]:
    """The report for a terminal or a file: drifted stacks with values side by side, then what could not be checked, then the count."""
    lines: list[str] = []
    for stack in report.stacks:
        lines += _stack_lines(stack)
    for stack in report.dropped:
        first, *rest = _stack_lines(stack)
        lines += [f"{stack.stack_name}, which is no more wanted: {first.partition(': ')[2]}", *rest]
    if report.dropped:
        lines += commands.told(commands.deploy("plan", report.environment, "--remove"))
    lines += [f"not known: {note}" for note in report.notes]
    counts = {
        "in sync": sum(s.result == "in_sync" for s in report.stacks),
        "drifted": sum(s.result == "drifted" for s in report.stacks),
        "failed": sum(s.result == "failed" for s in report.stacks),
        "without a resource that can be checked": sum(s.result == "unchecked" for s in report.stacks),
        "not deployed": sum(s.result == "not_deployed" for s in report.stacks),
    }
    unchecked = sorted({u.resource_type for s in report.stacks for u in s.unchecked if u.resource_type != "instance"})
    if unchecked:
        lines += ["", "CloudFormation does not tell the drift of these types here:", *(f"  {name}" for name in unchecked)]
    lines += ["", f"{report.environment}: " + ", ".join(f"{number} {what}" for what, number in counts.items() if number)]
    if counts["drifted"]:
        lines += ["to put it back as it was deployed:", *commands.told(commands.deploy("plan", report.environment, "--revert-drift"))]
    return tuple(lines)


def _stack_lines(stack: StackDrift) -> list[str]:
    what = {
        "in_sync": f"in sync, {stack.checked} checked",
        "drifted": f"DRIFTED, {len(stack.resources)} of {stack.checked} checked",
        "unchecked": "not known",
        "not_deployed": "not deployed",
        "failed": f"failed: {stack.error}",
    }[stack.result]
    unchecked = f", {len(stack.unchecked)} cannot be checked" if stack.unchecked else ""
    lines = [f"{stack.stack}: {what}{unchecked}"]
    if stack.command:
        lines += [f"  {line}" for line in commands.told(stack.command)]
    for resource in stack.resources:
        where = f" in {resource.where}" if resource.where else ""
        lines.append(f"  {resource.logical_id} ({resource.resource_type}, {resource.physical_id}){where}: {resource.status.lower()}")
        if resource.properties:
            width = max(len(p.path) for p in resource.properties)
            indent = " " * (width + 4)
            for each in resource.properties:
                lines.append(f"    {each.path.ljust(width)}  deployed  {_text(each.expected)}")
                lines.append(f"{indent}  actual    {_text(each.actual)}")
    lines += [f"  {u.logical_id}: cannot be checked: {u.reason or 'no result'}" for u in stack.unchecked if u.resource_type == "instance"]
    return lines


def _text(value: Value | None) -> str:
    match value:
        case None:
            return "(absent)"
        case Redacted():
            return "(hidden)"
    return value.text if len(value.text) <= VALUE_LENGTH else f"{value.text[:VALUE_LENGTH]}... ({len(value.text)} characters)"

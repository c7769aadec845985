"""What is deployed: every stack's state, what was applied last, what waits to be applied.

In: an assembly with its templates, the gateways, the last applied record. Out: a frozen `Status`, and its text.
Never: changes anything, looks for drift (it says what the last look found and how old that is), fails as a whole because one stack cannot
be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import msgspec

from assembly import commands
from assembly.model import Assembly, Frozen, Stack, Targets
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AwsError
from guards import documents
from guards.checkout import short
from guards.text import columns
from operations.gateways import CloudFormationGateways, cloudformation_of, utc
from planning.request import change_set_prefix
from planning.states import CHANGEABLE
from removal.belongings import NOTHING_DROPPED, Dropped

WORKERS = 8


class Deployed(Frozen, frozen=True, kw_only=True):
    """What was applied last, as the history has it."""

    assembly_digest: str
    commit: str = ""
    """Git commit that the assembly was built from; empty where nobody said."""
    at: str = ""
    """ISO 8601, UTC."""
    by: str = ""
    result: str = ""


class PendingChangeSet(Frozen, frozen=True, kw_only=True):
    """A change set that waits at CloudFormation."""

    name: str
    status: str
    execution_status: str
    created_at: str
    overtaken: bool = False
    """Another plan was applied after it was made."""


class StackStatus(Frozen, frozen=True, kw_only=True):
    """One stack or StackSet."""

    stack: str
    kind: str
    stack_name: str
    account_id: str
    region: str
    status: str | None = None
    """CloudFormation's status; None: there is no such stack."""
    reason: str = ""
    changed_at: str = ""
    drift: str = ""
    """StackDriftStatus of the last check; empty or NOT_CHECKED if there was none."""
    drift_checked_at: str = ""
    as_built: bool | None = None
    """The deployed template is the assembly's, byte for byte or in canonical form; None: nothing is deployed, or it cannot be told."""
    pending: tuple[PendingChangeSet, ...] = ()
    instances: dict[str, int] = msgspec.field(default_factory=dict)
    """StackSet: number of instances by status."""
    missing: int = 0
    """StackSet: instances that are wanted and not there, in accounts that have others; in all, where none has any."""
    running: tuple[str, ...] = ()
    """StackSet: operations under way, e.g. "UPDATE RUNNING"."""
    error: str = ""
    """AWS's words where it could not be read."""
    command: str = ""

    @property
    def healthy(self) -> bool:
        """Read, and in no state that needs a person."""
        if self.error:
            return False
        if self.kind == "stackset":
            return not any(n for name, n in self.instances.items() if name == "INOPERABLE")
        return self.status is None or self.status in CHANGEABLE or self.status.endswith("_IN_PROGRESS")

    @property
    def unfinished(self) -> bool:
        """It was read, and is not all there as the assembly has it."""
        behind = self.missing or self.as_built is False or {*self.instances} - {"CURRENT"}
        return not self.error and (self.status in (None, "REVIEW_IN_PROGRESS") or bool(behind))


class Status(Frozen, frozen=True, kw_only=True):
    """Every stack of an environment."""

    environment: str
    account_id: str
    assembly_digest: str
    """Of the assembly in dist/, which may be newer than what is deployed."""
    deployed: Deployed | None
    history_error: str = ""
    stacks: tuple[StackStatus, ...]
    dropped: tuple[StackStatus, ...] = ()
    """Stacks of the environment that the assembly does not have."""
    notes: tuple[str, ...] = ()
    """What could not be looked up."""
    recipients: tuple[str, ...] = ()
    """Addresses that have to confirm before alarms reach them."""
    recovery: tuple[str, ...] = ()
    """With disaster recovery: why the replica would not serve the same site; empty where it would."""
    content: str = ""
    """What has begun to change the site's content and has not ended; empty where nothing has, or where that cannot be read."""
    read_at: str

    @property
    def healthy(self) -> bool:
        """Everything was read and nothing is stuck."""
        return not self.history_error and all(s.healthy for s in self.stacks)


def read_status(
    assembly: Assembly,
    templates: Mapping[str, bytes],
    gateways: CloudFormationGateways,
    *,
    deployed: Deployed | None,
    history_error: str = "",
    dropped: Dropped = NOTHING_DROPPED,
    recipients: tuple[str, ...] = (),
    recovery: tuple[str, ...] = (),
    content: str = "",
    now: datetime,
    workers: int = WORKERS,
) -> Status:
    """The state of every stack, several at once, and of those no more wanted. What AWS refuses for one stands in its `error`."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        stacks = tuple(
            with_overtaken(found, assembly.environment, deployed)
            for found in pool.map(lambda stack: _one(stack, templates.get(stack.id, b""), gateways), assembly.stacks)
        )
        gone = tuple(pool.map(lambda stack: _one(stack, b"", gateways), dropped.stacks))
    return Status(
        environment=assembly.environment,
        account_id=assembly.account_id,
        assembly_digest=assembly.digest,
        deployed=deployed,
        history_error=history_error,
        stacks=stacks,
        dropped=gone,
        notes=tuple(f.message for f in dropped.findings),
        recipients=recipients,
        recovery=recovery,
        content=content,
        read_at=utc(now),
    )


def _one(stack: Stack, template: bytes, gateways: CloudFormationGateways) -> StackStatus:
    where: dict[str, Any] = {
        "stack": stack.id,
        "kind": stack.kind,
        "stack_name": stack.stack_name,
        "account_id": stack.account_id,
        "region": stack.region,
    }
    try:
        gateway = cloudformation_of(stack, gateways)
        return _stack_set(stack, template, gateway, where) if stack.kind == "stackset" else _stack(stack, template, gateway, where)
    except AwsError as error:
        return StackStatus(**where, error=str(error), command=error.hint)


def _stack(stack: Stack, template: bytes, gateway: CloudFormation, where: dict[str, Any]) -> StackStatus:
    live = gateway.describe_stack(stack.stack_name)
    if live is None or live.status == "DELETE_COMPLETE":
        return StackStatus(**where)
    return StackStatus(
        **where,
        status=live.status,
        reason=live.status_reason,
        changed_at=live.changed_at,
        drift=live.drift or "",
        drift_checked_at=live.drift_checked_at or "",
        as_built=None if live.under_review else _same(gateway.get_template(stack.stack_name), template),
        pending=tuple(
            PendingChangeSet(name=each.name, status=each.status, execution_status=each.execution_status, created_at=each.created_at)
            for each in gateway.list_change_sets(stack.stack_name)
            if each.execution_status == "AVAILABLE"
        ),
    )


def _stack_set(stack: Stack, template: bytes, gateway: CloudFormation, where: dict[str, Any]) -> StackStatus:
    live = gateway.describe_stack_set(stack.stack_name, call_as=stack.call_as)
    if live is None:
        return StackStatus(**where)
    instances = gateway.list_stack_instances(stack.stack_name, call_as=stack.call_as)
    drifts = {i.drift for i in instances if i.drift}
    there = {(i.account_id, i.region) for i in instances}
    targets = stack.stackset.targets if stack.stackset else Targets()
    accounts = {account for account, _ in there} or targets.accounts  # one that is suspended never gets any
    return StackStatus(
        **where,
        status=live.status,
        drift="DRIFTED" if "DRIFTED" in drifts else "IN_SYNC" if drifts == {"IN_SYNC"} else "",
        as_built=_same(live.template_body, template),
        instances=dict(sorted(Counter(i.status for i in instances).items())),
        missing=sum((account, region) not in there for account in accounts for region in targets.regions),
        running=tuple(f"{o.action} {o.status}" for o in gateway.running_operations(stack.stack_name, call_as=stack.call_as)),
    )


def with_overtaken(stack: StackStatus, environment: str, deployed: Deployed | None) -> StackStatus:
    """An apply that failed goes on with the change sets that it has; one that succeeded leaves none that is still good."""
    if deployed is None or deployed.result != "succeeded" or not stack.pending:
        return stack
    prefix, when = change_set_prefix(environment), moment(deployed.at)
    pending = (
        msgspec.structs.replace(each, overtaken=each.name.startswith(prefix) and moment(each.created_at) < when) for each in stack.pending
    )
    return msgspec.structs.replace(stack, pending=tuple(pending))


def _same(deployed: str | None, built: bytes) -> bool | None:
    """Whether an update would change anything, so that this says what `plan` says."""
    if deployed is None or not built:
        return None
    try:
        return bool(_updatable(documents.loads(deployed)) == _updatable(documents.loads(built)))
    except ValueError:
        return deployed.encode() == built


ONLY_SAID = frozenset({"Description", "Metadata", "Rules"})
"""Sections of a template that make no update by themselves: CloudFormation answers "The submitted information didn't contain changes"
(CloudFormation User Guide, "Update behaviors of stack resources"; docs/assumptions.md, template-sections)."""
ENTERS = ("Type", "Default", "NoEcho")
"""What of a parameter's declaration can change what is deployed; patterns and descriptions are only looked at when values are given."""


def _updatable(template: Any) -> Any:
    if not isinstance(template, dict):
        return template
    kept = {name: section for name, section in template.items() if name not in ONLY_SAID}
    parameters = kept.get("Parameters")
    if isinstance(parameters, dict):
        kept["Parameters"] = {
            name: {key: declared[key] for key in ENTERS if key in declared} if isinstance(declared, dict) else declared
            for name, declared in parameters.items()
        }
    return kept


# --- text ---------------------------------------------------------------------------------------------------------


def status_lines(status: Status) -> tuple[str, ...]:
    """The status as a table for a terminal or a file."""
    now = moment(status.read_at)
    rows = [("stack", "region", "status", "changed", "drift", "template")]
    for stack in status.stacks:
        region = f"{stack.region} (set)" if stack.kind == "stackset" else stack.region
        rows.append((stack.stack, region, _state(stack), age(stack.changed_at, now), _drift(stack, now), _template(stack)))
    lines = [f"{status.environment}, account {status.account_id}", "", *columns(rows), ""]
    for stack in status.stacks:
        if stack.error:
            lines.append(f"{stack.stack}: cannot be read: {stack.error}")
        elif stack.reason and not stack.healthy:
            lines.append(f"{stack.stack}: {stack.reason}")
        if stack.command:
            lines += [f"  {line}" for line in commands.told(stack.command)]
        lines += [f"{stack.stack}: {operation}" for operation in stack.running]
        for each in stack.pending:
            state = "was overtaken by a later plan" if each.overtaken else "waits"
            lines.append(f"{stack.stack}: change set {each.name} {state}, made {age(each.created_at, now)} ago")
    return (*lines, *_site_lines(status), *_dropped_lines(status), *_version_lines(status, now))


def _site_lines(status: Status) -> Iterable[str]:
    yield from (f"warning: alarms: {each}" for each in status.recipients)
    yield from (f"warning: disaster recovery: {each}" for each in status.recovery)
    if status.recovery:
        yield from commands.told(commands.deploy("dr status", status.environment))
    if status.content:
        yield f"content: {status.content}; the same command again goes on from there"
        yield from commands.told(commands.deploy("releases", status.environment))


def _dropped_lines(status: Status) -> Iterable[str]:
    for stack in status.dropped:
        kind = "StackSet " if stack.kind == "stackset" else ""
        state = stack.error or ("gone, but for what it has left" if stack.status is None else _state(stack))
        yield f"no more wanted: {kind}{stack.stack_name} in {stack.region}, account {stack.account_id}: {state}"
    if status.dropped:
        yield from commands.told(commands.deploy("plan", status.environment, "--remove"))
    yield from (f"not known: {note}" for note in status.notes)


def _version_lines(status: Status, now: datetime) -> Iterable[str]:
    deployed = status.deployed
    if status.history_error:
        yield f"applied: cannot be read: {status.history_error}"
    if deployed is None and not status.history_error:
        yield "applied: nothing yet"
        yield from commands.told(commands.deploy("plan", status.environment))
    elif deployed is not None:
        commit = f", commit {short(deployed.commit)}" if deployed.commit else ""
        result = f", {deployed.result}" if deployed.result and deployed.result != "succeeded" else ""
        who = deployed.by or "somebody"
        gone = "" if any(s.status or s.error for s in status.stacks) else "; nothing of it is deployed now"
        what = "before: " if status.history_error else "applied:"
        when = f"{age(deployed.at, now)} ago by {who}{result}{gone}"
        yield f"{what} assembly {deployed.assembly_digest[:12]}{commit}, {when}"
        if not gone and deployed.assembly_digest != status.assembly_digest:
            same = "; its templates are the deployed ones" if all(s.as_built for s in status.stacks) else ""
            yield f"built:   assembly {status.assembly_digest[:12]}, which is not applied{same}"
            yield from commands.told(commands.deploy("plan", status.environment))
    pending = [each for stack in status.stacks for each in stack.pending]
    unfinished = [s.stack for s in status.stacks if s.unfinished]
    if unfinished and deployed is not None and deployed.assembly_digest == status.assembly_digest and not gone:
        yield f"unfinished: {', '.join(unfinished)}: an apply or a destroy was cut short"
        yield from commands.told(commands.deploy("plan", status.environment))
    if any(not each.overtaken for each in pending):
        yield "a plan waits"
        yield from commands.told(commands.deploy("apply", status.environment))
    if any(each.overtaken for each in pending):
        yield "what was overtaken can go"
        yield from commands.told(commands.deploy("doctor", status.environment, "--fix"))
    if not all(s.healthy for s in status.stacks):
        yield from commands.told(commands.deploy("doctor", status.environment))


def _state(stack: StackStatus) -> str:
    if stack.error:
        return "?"
    if stack.status is None:
        return "not deployed"
    if stack.kind == "stackset":
        parts = [f"{number} {name.lower()}" for name, number in (*stack.instances.items(), ("missing", stack.missing)) if number]
        return ", ".join(parts) or "no instances"
    return stack.status


def _drift(stack: StackStatus, now: datetime) -> str:
    if stack.status is None or stack.drift in ("", "NOT_CHECKED"):
        return "-" if stack.status is None or stack.error else "never checked"
    checked = f", {age(stack.drift_checked_at, now)} ago" if stack.drift_checked_at else ""
    return f"{stack.drift.lower().replace('_', ' ')}{checked}"


def _template(stack: StackStatus) -> str:
    return {True: "as built", False: "differs", None: "-"}[stack.as_built]


def moment(text: str) -> datetime:
    """The instant of an ISO 8601 text; without an offset it is UTC. ValueError for any other text."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def age(text: str, now: datetime) -> str:
    """How long ago, in one unit: "3 s", "12 min", "5 h", "40 d"; "-" where it is not known."""
    try:
        seconds = max(0.0, (now - moment(text)).total_seconds())
    except ValueError:
        return "-"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86_400)} d"

"""Destroying an environment: what goes, what stays, and doing it so that a second run goes on where the first was cut off.

In: an assembly with its templates, the gateways, what the user allowed.
Out: a `DestroyPlan` to be shown and confirmed, then a `DestroyOutcome`.
Never: asks or prints, deletes data unless told to, lifts termination protection unless told to, deletes a bucket or table that no stack of
this environment is known to have made, believes a file about how far it got (AWS is asked every time).

What a deleted stack kept on purpose is known from its own DELETE_SKIPPED events, which CloudFormation keeps for 90 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from assembly import commands
from assembly.model import Assembly, Frozen, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stack_sets import CallAs, InstanceTargets, StackInstance
from aws.errors import AccessDenied, AwsError, CredentialsError
from aws.retained import BUCKET, FUNCTION, LOG_GROUP, TABLE, VERSION, Retained, StillReplicated
from aws.secrets import Secrets
from guards import documents
from planning.model import Finding
from rollout.diagnosis import failures
from templates.intrinsics import Scope, resolved_resources
from templates.resources import DATA_HOLDING_TYPES, LOG_TYPES

if TYPE_CHECKING:
    from aws.session import Aws

POLL_SECONDS = 3.0
ATTEMPTS = 2400
"""Looks at one deletion before it is given up: two hours. A CloudFront distribution takes some twenty minutes."""

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105  (a type name)
SECRET_RECOVERY_DAYS = 30
"""A deleted secret can be restored for that long (Secrets Manager API, DeleteSecret)."""

REPLICA_HOURS = 8
"""Until the next try; AWS says "a few hours" (CloudFront Developer Guide, "Delete Lambda@Edge functions and replicas")."""

_NAME_PROPERTY = {BUCKET: "BucketName", TABLE: "TableName", LOG_GROUP: "LogGroupName", FUNCTION: "FunctionName"}
_RETAINING = ("Retain", "RetainExceptOnCreate")

Progress = Callable[[str, str], None]
"""Called with a stack id or a resource's name, and what happens to it."""


class Places(Protocol):
    """CloudFormation by place (`aws.gateways.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...


class Secret(Protocol):
    """`aws.secrets.Secrets`, as far as it is needed here."""

    def exists(self, secret: str) -> bool: ...

    def schedule_deletion(self, secret: str, *, recovery_days: int) -> None: ...


class Remains(Protocol):
    """Where to reach what CloudFormation no longer manages, and the secret that it never did."""

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Retained: ...

    def secrets(self, account_id: str, region: str) -> Secret: ...


@dataclass(frozen=True)
class AwsRemains:
    """`Remains` of AWS itself."""

    aws: Aws

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Retained:
        """Resources of that place."""
        return Retained.connect(self.aws, account_id=account_id, region=region, role_arn=role_arn)

    def secrets(self, account_id: str, region: str) -> Secrets:
        """Secrets of that place."""
        return Secrets.connect(self.aws, account_id=account_id, region=region)


# --- the plan -----------------------------------------------------------------------------------------------------


class Removal(Frozen, frozen=True, kw_only=True):
    """One stack or StackSet that is deleted."""

    stack: str
    kind: str
    stack_name: str
    account_id: str
    region: str
    role_arn: str | None
    arn: str
    status: str
    resources: int = 0
    """Resources that are deleted; for a StackSet instances."""
    protected: bool = False
    """Termination protection is on."""
    change_sets: tuple[str, ...] = ()
    """Names of change sets that are dropped with a stack that was never created."""
    regions: tuple[str, ...] = ()
    """StackSet: regions with instances."""
    call_as: CallAs = "SELF"
    """StackSet: how its administration is called."""


class Leftover(Frozen, frozen=True, kw_only=True):
    """A resource that the deleted stacks leave behind."""

    resource_type: str
    physical_id: str
    stack: str
    account_id: str
    region: str
    role_arn: str | None
    holds: str = ""
    """What would be lost with it, e.g. "its objects"."""
    fate: Literal["keep", "delete", "clean_up"]
    """`clean_up`: holds no data; it goes as soon as AWS allows it."""
    proven: bool = True
    """A stack of this environment is known to have made it; else it only has the name that one would give it."""


class DestroyPlan(Frozen, frozen=True, kw_only=True):
    """What `destroy` would do, in that order."""

    environment: str
    project: str
    account_id: str
    delete_data: bool
    lift_protection: bool
    removals: tuple[Removal, ...]
    leftovers: tuple[Leftover, ...]
    findings: tuple[Finding, ...] = ()
    """Errors among them stop it."""

    @property
    def blocked(self) -> bool:
        """It cannot be carried out as it is."""
        return any(f.severity == "error" for f in self.findings)

    @property
    def nothing_to_do(self) -> bool:
        """No stack is left, and what else is left stays."""
        return not self.removals and all(left.fate == "keep" for left in self.leftovers)


def survey(
    assembly: Assembly,
    templates: Mapping[str, bytes],
    places: Places,
    remains: Remains,
    *,
    delete_data: bool,
    lift_protection: bool,
    progress: Progress = lambda *_: None,
) -> DestroyPlan:
    """What is there, and what would become of it. Raises `aws.errors.AwsError`."""
    removals: dict[str, Removal] = {}
    found: list[Leftover] = []
    findings: list[Finding] = []
    for stack in reversed(assembly.stacks):
        progress(stack.id, "looking")
        gateway = places.cloudformation(stack.account_id, stack.region, stack.role_arn)
        removal = _stack_set_removal(stack, gateway) if stack.kind == "stackset" else _stack_removal(stack, gateway)
        if removal is not None:
            removals[stack.id] = removal
            findings += _blockers(assembly, removal, lift_protection)
        template = documents.loads(templates[stack.id])
        found += _left_by_set(stack, template, gateway) if stack.kind == "stackset" else _left_by(stack, template, gateway, removal)
    leftovers = [
        _decided(each, delete_data)
        for each in _unique(found)
        if (each.stack in removals and each.proven) or _is_there(remains, each, findings)
    ]
    secret = assembly.basic_auth_secret
    if secret is not None and remains.secrets(assembly.account_id, secret.region).exists(secret.secret):
        leftovers.append(
            Leftover(
                resource_type=SECRET,
                physical_id=secret.secret,
                stack="",
                account_id=assembly.account_id,
                region=secret.region,
                role_arn=None,
                holds=f"the Basic Auth password's hash; restorable for {SECRET_RECOVERY_DAYS} days",
                fate="delete" if delete_data else "keep",
            )
        )
    return DestroyPlan(
        environment=assembly.environment,
        project=assembly.project,
        account_id=assembly.account_id,
        delete_data=delete_data,
        lift_protection=lift_protection,
        removals=tuple(removals[stack.id] for stack in removal_order(assembly.stacks) if stack.id in removals),
        leftovers=tuple(leftovers),
        findings=tuple(findings),
    )


def removal_order(stacks: Iterable[Stack]) -> tuple[Stack, ...]:
    """A stack comes before all that it depends on; StackSets as early as that allows, else the catalogue's order backwards."""
    remaining = list(stacks)
    ordered: list[Stack] = []
    while remaining:
        needed = {name for stack in remaining for name in stack.depends_on}
        free = [stack for stack in reversed(remaining) if stack.id not in needed] or [remaining[-1]]
        chosen = next((stack for stack in free if stack.kind == "stackset"), free[0])
        ordered.append(chosen)
        remaining.remove(chosen)
    return tuple(ordered)


def _where(stack: Stack) -> dict[str, Any]:
    return {"stack": stack.id, "account_id": stack.account_id, "region": stack.region, "role_arn": stack.role_arn}


def _stack_removal(stack: Stack, gateway: CloudFormation) -> Removal | None:
    live = gateway.describe_stack(stack.stack_name)
    if live is None or live.status == "DELETE_COMPLETE":
        return None
    kept = {logical_id for logical_id, body in _resources_of(gateway.get_template(stack.stack_name)).items() if _retains(body)}
    resources = [r for r in gateway.list_resources(live.arn) if r.status != "DELETE_COMPLETE" and r.logical_id not in kept]
    return Removal(
        **_where(stack),
        kind="stack",
        stack_name=stack.stack_name,
        arn=live.arn,
        status=live.status,
        resources=len(resources),
        protected=live.termination_protection,
        change_sets=tuple(c.name for c in gateway.list_change_sets(stack.stack_name)) if live.under_review else (),
    )


def _stack_set_removal(stack: Stack, gateway: CloudFormation) -> Removal | None:
    call_as = stack.stackset.call_as if stack.stackset else "SELF"
    live = gateway.describe_stack_set(stack.stack_name, call_as=call_as)
    if live is None:
        return None
    instances = gateway.list_stack_instances(stack.stack_name, call_as=call_as)
    return Removal(
        **_where(stack),
        kind="stackset",
        stack_name=stack.stack_name,
        arn=live.arn,
        status=live.status,
        resources=len(instances),
        regions=tuple(sorted({i.region for i in instances})),
        call_as=call_as,
    )


def _blockers(assembly: Assembly, removal: Removal, lift_protection: bool) -> Iterable[Finding]:
    if removal.protected and not lift_protection:
        yield Finding(
            severity="error",
            code="termination_protection",
            message=f"{removal.stack_name} has termination protection; it is lifted only if you say so",
            command=f"python deploy.py destroy --env {assembly.environment} --lift-termination-protection",
            stack=removal.stack,
        )
    waiting = removal.status in ("REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS")
    if removal.kind == "stack" and removal.status.endswith("_IN_PROGRESS") and not waiting:
        yield Finding(
            severity="error",
            code="stack_busy",
            message=f"{removal.stack_name} is {removal.status}: somebody is changing it; wait until that is done",
            command=f"python deploy.py status --env {assembly.environment}",
            stack=removal.stack,
        )


# --- what is left behind ------------------------------------------------------------------------------------------


def _left_by(stack: Stack, template: Mapping[str, Any], gateway: CloudFormation, removal: Removal | None) -> list[Leftover]:
    """Of a live stack: what its deployed template retains. Of deleted ones of that name: what their events say was skipped. And by name."""
    found: list[Leftover] = []
    arns = list(gateway.deleted_stacks(stack.stack_name))
    if removal is not None:
        arns.insert(0, removal.arn)
        deployed = _resources_of(gateway.get_template(stack.stack_name))
        retained = {logical_id for logical_id, body in deployed.items() if _retains(body)}
        found += [
            _leftover(stack, r.resource_type, r.physical_id)
            for r in gateway.list_resources(removal.arn)
            if r.logical_id in retained and r.physical_id
        ]
    for arn in arns:
        found += [
            _leftover(stack, e.resource_type, e.physical_id) for e in gateway.events(arn) if e.status == "DELETE_SKIPPED" and e.physical_id
        ]
    return found + [_leftover(stack, kind, name, proven=False) for kind, name in _named(stack, template, stack.account_id, stack.region)]


def _left_by_set(stack: Stack, template: Mapping[str, Any], gateway: CloudFormation) -> list[Leftover]:
    """By name, in every place where instances are, or should have been."""
    target = stack.stackset
    assert target is not None, "only called for StackSets"
    instances = gateway.list_stack_instances(stack.stack_name, call_as=target.call_as)
    places = {(i.account_id, i.region) for i in instances} | {(a, r) for a in target.targets.accounts for r in target.targets.regions}
    return [
        Leftover(
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


def _leftover(stack: Stack, resource_type: str, physical_id: str, *, proven: bool = True) -> Leftover:
    return Leftover(**_where(stack), resource_type=resource_type, physical_id=physical_id, fate="keep", proven=proven)


def _named(stack: Stack, template: Mapping[str, Any], account_id: str, region: str) -> Iterable[tuple[str, str]]:
    """Type and name of the resources that the template retains, where it says the name outright."""
    scope = Scope(template=template, parameters={}, account_id=account_id, region=region, stack_name=stack.stack_name)
    for body in resolved_resources(scope).values():
        name = body.get("Properties", {}).get(_NAME_PROPERTY.get(str(body.get("Type")), ""))
        if _retains(body) and isinstance(name, str):
            yield str(body["Type"]), name


def _resources_of(template: str | None) -> dict[str, Any]:
    try:
        found = documents.loads(template or "{}").get("Resources", {})
    except (ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def _retains(body: Any) -> bool:
    return isinstance(body, Mapping) and body.get("DeletionPolicy") in _RETAINING


def _unique(found: Iterable[Leftover]) -> list[Leftover]:
    """One for each resource, proven rather than not; versions of a function go with it."""
    best: dict[tuple[str, str, str, str], Leftover] = {}
    for each in found:
        if each.resource_type == VERSION:
            continue
        key = (each.resource_type, each.physical_id, each.account_id, each.region)
        if key not in best or (each.proven and not best[key].proven):
            best[key] = each
    return list(best.values())


def _is_there(remains: Remains, each: Leftover, findings: list[Finding]) -> bool:
    """Of a type that cannot be looked up, the events are believed. Where there is no way to look, only they count, and it is noted."""
    if each.resource_type not in _NAME_PROPERTY:
        return True
    try:
        return remains.retained(each.account_id, each.region, each.role_arn).exists(each.resource_type, each.physical_id)
    except (AccessDenied, CredentialsError) as error:
        message = f"whether {each.physical_id} is in account {each.account_id} {each.region} could not be looked up: {error.message}"
        findings.append(Finding(severity="note", code="not_looked_up", message=message, stack=each.stack))
        return each.proven


def _decided(each: Leftover, delete_data: bool) -> Leftover:
    fate: Literal["keep", "delete", "clean_up"] = "keep"
    if each.resource_type == FUNCTION:
        fate = "clean_up" if each.proven else "keep"
    elif delete_data and each.resource_type in _NAME_PROPERTY:
        fate = "delete" if each.proven or each.resource_type == LOG_GROUP else "keep"
    holds = DATA_HOLDING_TYPES.get(each.resource_type, "its log events" if each.resource_type in LOG_TYPES else "")
    return Leftover(
        resource_type=each.resource_type,
        physical_id=each.physical_id,
        stack=each.stack,
        account_id=each.account_id,
        region=each.region,
        role_arn=each.role_arn,
        holds=holds,
        fate=fate,
        proven=each.proven,
    )


# --- carrying it out ----------------------------------------------------------------------------------------------


class Pending(Frozen, frozen=True, kw_only=True):
    """A resource that AWS does not let go of yet."""

    resource_type: str
    physical_id: str
    reason: str
    come_back_at: str
    """ISO 8601, UTC."""


class DestroyOutcome(Frozen, frozen=True, kw_only=True):
    """What became of it."""

    environment: str
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()
    failed: str = ""
    """What stopped it, with AWS's words."""
    command: str = ""
    """What to type next."""

    @property
    def exit_status(self) -> int:
        """1 failed, 3 something has to wait, else 0."""
        return 1 if self.failed else 3 if self.pending else 0


class _Failed(Exception):
    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command


def destroy(
    plan: DestroyPlan,
    places: Places,
    remains: Remains,
    *,
    nonce: str,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    poll_seconds: float = POLL_SECONDS,
    progress: Progress = lambda *_: None,
    before_each: Callable[[], None] = lambda: None,
) -> DestroyOutcome:
    """Carry out a plan that was shown and confirmed. It stops at the first stack that cannot be deleted; a second run goes on from there.

    `nonce` is fresh and names this run's requests. `before_each` is called before each stack (to see that the lock is still ours).
    ValueError for a blocked plan. AWS's refusals are in the outcome.
    """
    if plan.blocked:
        raise ValueError("a blocked plan is not to be carried out")
    run = _Run(places, remains, nonce, lambda: sleep(poll_seconds), progress)
    again = _again(plan)
    deleted: list[str] = []
    pending: list[Pending] = []
    failed, command = "", ""
    try:
        for removal in plan.removals:
            before_each()
            run.remove(removal)
            deleted.append(removal.stack_name)
        for each in plan.leftovers:
            if each.fate == "keep":
                continue
            waits = run.delete(each)
            if waits:
                back = (now().astimezone(UTC) + timedelta(hours=REPLICA_HOURS)).isoformat(timespec="minutes").replace("+00:00", "Z")
                pending.append(Pending(resource_type=each.resource_type, physical_id=each.physical_id, reason=waits, come_back_at=back))
            else:
                deleted.append(each.physical_id)
    except _Failed as error:
        failed, command = str(error), error.command or again
    except AwsError as error:
        failed, command = str(error), error.hint or again
    return DestroyOutcome(
        environment=plan.environment,
        deleted=tuple(deleted),
        kept=tuple(each.physical_id for each in plan.leftovers if each.fate == "keep"),
        pending=tuple(pending),
        failed=failed,
        command=command or (again if pending else ""),
    )


def _again(plan: DestroyPlan) -> str:
    flags = [f for f, on in (("--delete-data", plan.delete_data), ("--lift-termination-protection", plan.lift_protection)) if on]
    return " ".join(["python deploy.py destroy --env", plan.environment, *flags])


class _Run:
    def __init__(self, places: Places, remains: Remains, nonce: str, pause: Callable[[], None], progress: Progress) -> None:
        self._places, self._remains, self._nonce, self._pause, self._progress = places, remains, nonce, pause, progress

    def remove(self, removal: Removal) -> None:
        gateway = self._places.cloudformation(removal.account_id, removal.region, removal.role_arn)
        if removal.kind == "stackset":
            self._remove_set(removal, gateway)
        elif removal.status == "REVIEW_IN_PROGRESS":
            arns = [c.arn for c in gateway.list_change_sets(removal.stack_name) if c.name in removal.change_sets]
            if not gateway.delete_reviewed_stack(removal.arn, besides=arns):
                raise _Failed(f"{removal.stack_name} is not the empty stack any more that was shown")
            self._progress(removal.stack, "deleted")
        else:
            self._remove_stack(removal, gateway)

    def _remove_stack(self, removal: Removal, gateway: CloudFormation) -> None:
        seen = {e.id for e in gateway.events(removal.arn)}
        if removal.status != "DELETE_IN_PROGRESS":
            if removal.protected:
                gateway.set_termination_protection(removal.stack_name, enabled=False)
                self._progress(removal.stack, "termination protection lifted")
            gateway.delete_stack(removal.arn, token=client_token("destroy", self._nonce, removal.stack))
        gone: set[str] = set()
        for _ in range(ATTEMPTS):
            events = gateway.events(removal.arn, seen=seen)
            seen |= {e.id for e in events}
            for event in events:
                if event.physical_id == removal.arn:
                    continue
                if event.status == "DELETE_COMPLETE":
                    gone.add(event.logical_id)
                if event.status == "DELETE_IN_PROGRESS":
                    self._progress(removal.stack, f"{len(gone)} of {max(removal.resources, len(gone))} gone, deleting {event.logical_id}")
            live = gateway.describe_stack(removal.arn)
            if live is None or live.status == "DELETE_COMPLETE":
                self._progress(removal.stack, "deleted")
                return
            # A stack that had failed before shows the old state until the new deletion has begun; only a new event says it failed again.
            if live.status == "DELETE_FAILED" and any(e.physical_id == removal.arn and e.status == "DELETE_FAILED" for e in events):
                causes, _ = failures(gateway.events(removal.arn))
                words = "; ".join(f"{c.logical_id} ({c.resource_type}): {c.reason}" for c in causes) or live.status_reason
                raise _Failed(f"{removal.stack_name} was not deleted: {words}")
            self._pause()
        raise _Failed(f"{removal.stack_name} is not deleted after {ATTEMPTS} looks at it; CloudFormation may still be at work")

    # --- StackSets --------------------------------------------------------------------------------------------

    def _remove_set(self, removal: Removal, gateway: CloudFormation) -> None:
        name, call_as = removal.stack_name, removal.call_as
        for operation in gateway.running_operations(name, call_as=call_as):
            self._progress(removal.stack, f"waiting for {operation.action}, which is under way")
            self._wait(removal, operation.id, gateway)
        everywhere = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}
        for number, targets in enumerate(targets_of(gateway.list_stack_instances(name, call_as=call_as))):
            self._progress(removal.stack, f"deleting instances in {len(targets.regions)} regions")
            operation_id = gateway.delete_stack_instances(
                name,
                targets,
                operation_id=client_token("destroy", self._nonce, removal.stack, str(number)),
                preferences=everywhere,
                retain_stacks=False,
                call_as=call_as,
            )
            self._wait(removal, operation_id, gateway)
        gateway.delete_stack_set(name, call_as=call_as)
        self._progress(removal.stack, "deleted")

    def _wait(self, removal: Removal, operation_id: str, gateway: CloudFormation) -> None:
        name, call_as = removal.stack_name, removal.call_as
        for _ in range(ATTEMPTS):
            operation = gateway.stack_set_operation(name, operation_id, call_as=call_as)
            if operation.finished:
                break
            self._pause()
        else:
            raise _Failed(f"the operation {operation_id} of {name} has not come to an end after {ATTEMPTS} looks")
        if operation.action == "DELETE" and (operation.status != "SUCCEEDED" or operation.failed_instances):
            results = gateway.stack_set_operation_results(name, operation_id, call_as=call_as)
            words = "; ".join(f"{r.account_id} {r.region}: {r.reason}" for r in results if r.status != "SUCCEEDED")
            raise _Failed(f"instances of {name} were not deleted: {words or operation.reason or operation.status}")

    # --- what is left behind ----------------------------------------------------------------------------------

    def delete(self, each: Leftover) -> str:
        """Why it has to wait; empty if it is gone."""
        if each.resource_type == SECRET:
            self._remains.secrets(each.account_id, each.region).schedule_deletion(each.physical_id, recovery_days=SECRET_RECOVERY_DAYS)
            self._progress(each.physical_id, f"deleted; it can be restored for {SECRET_RECOVERY_DAYS} days")
            return ""
        place = self._remains.retained(each.account_id, each.region, each.role_arn)
        match each.resource_type:
            case "AWS::Lambda::Function":
                try:
                    place.delete_function(each.physical_id)
                except StillReplicated as error:
                    self._progress(each.physical_id, "still replicated")
                    return error.message
            case "AWS::S3::Bucket":
                self._delete_bucket(place, each.physical_id)
            case "AWS::DynamoDB::Table":
                place.delete_table(each.physical_id)
            case "AWS::Logs::LogGroup":
                place.delete_log_group(each.physical_id)
        self._progress(each.physical_id, "deleted")
        return ""

    def _delete_bucket(self, place: Retained, bucket: str) -> None:
        if not place.exists(BUCKET, bucket):
            return
        count = 0
        for number in place.empty_bucket(bucket):
            count += number
            self._progress(bucket, f"{count} object versions deleted")
        place.delete_bucket(bucket)


def targets_of(instances: Iterable[StackInstance]) -> tuple[InstanceTargets, ...]:
    """The instances as few sets of accounts (or organizational units) times regions, with nothing that is not an instance."""
    regions: dict[tuple[str, str], set[str]] = {}
    for each in instances:
        regions.setdefault((each.organizational_unit, each.account_id), set()).add(each.region)
    groups: dict[tuple[bool, tuple[str, ...]], list[tuple[str, str]]] = {}
    for (unit, account_id), where in regions.items():
        groups.setdefault((bool(unit), tuple(sorted(where))), []).append((unit, account_id))
    return tuple(
        InstanceTargets(
            accounts=tuple(sorted({account_id for _, account_id in members})),
            organizational_units=tuple(sorted({unit for unit, _ in members})) if by_unit else (),
            regions=where,
        )
        for (by_unit, where), members in sorted(groups.items())
    )


# --- text ---------------------------------------------------------------------------------------------------------


def plan_lines(plan: DestroyPlan) -> tuple[str, ...]:
    """The plan for a person: what is deleted and in which order, what is kept, what stands in the way."""
    lines = [f"destroy {plan.environment}, account {plan.account_id}"]
    if plan.removals:
        lines += ["", "deleted, in this order:"]
    for number, removal in enumerate(plan.removals, 1):
        what = "never created" if removal.status == "REVIEW_IN_PROGRESS" else _count(removal.resources, "resource")
        if removal.kind == "stackset":
            what = f"StackSet, {_count(removal.resources, 'instance')} in {_count(len(removal.regions), 'region')}"
        lines.append(f"  {number}. {removal.stack_name} ({removal.region}): {what}")
        lines += [f"     drops the change set {name}, which waits to be applied" for name in removal.change_sets]
        if removal.protected and plan.lift_protection:
            lines.append("     its termination protection is lifted first")
    for fate, title in (
        ("delete", "deleted for good, with all that they hold:"),
        ("clean_up", "deleted as soon as CloudFront has taken back its replicas (some hours after the distribution is gone):"),
        ("keep", "kept:"),
    ):
        chosen = [each for each in plan.leftovers if each.fate == fate]
        if chosen:
            lines += ["", title, *_leftover_lines(chosen, plan)]
    notes = [f for f in plan.findings if f.severity == "note"]
    if notes:
        lines += ["", "not known:", *(f"  {finding.message}" for finding in notes)]
    errors = [f for f in plan.findings if f.severity == "error"]
    if errors:
        lines += ["", "in the way:"]
    for finding in errors:
        lines += [f"  {finding.message}", *(f"    {line}" for line in commands.told(finding.command))]
    if plan.nothing_to_do:
        lines += ["", f"nothing to delete in {plan.environment}"]
    elif not plan.blocked:
        going = {(each.resource_type, each.physical_id) for each in plan.leftovers if each.fate != "keep"}
        kept = {(each.resource_type, each.physical_id) for each in plan.leftovers if each.fate == "keep"} - going
        lines += ["", f"{_count(len(plan.removals), 'stack')} and {_count(len(going), 'resource')} left behind to delete, {len(kept)} kept"]
    return tuple(lines)


def _leftover_lines(chosen: list[Leftover], plan: DestroyPlan) -> list[str]:
    lines = []
    groups: dict[tuple[str, str], list[Leftover]] = {}
    for each in chosen:
        groups.setdefault((each.resource_type, each.physical_id), []).append(each)
    for (resource_type, physical_id), members in groups.items():
        where = members[0].region if len(members) == 1 else f"{len(members)} regions"
        holds = f": {members[0].holds}" if members[0].holds else ""
        lines.append(f"  {physical_id} ({resource_type}, {where}){holds}")
        if plan.delete_data and any(m.fate == "keep" for m in members):
            reason = (
                "it is not known that a stack of this environment made it"
                if not members[0].proven
                else "this command does not delete resources of that type"
            )
            lines.append(f"    kept although --delete-data is given: {reason}")
    return lines


def outcome_lines(outcome: DestroyOutcome) -> tuple[str, ...]:
    """What became of it, and what to type next."""
    # The same name in several regions is one line.
    lines = [*dict.fromkeys(f"deleted {name}" for name in outcome.deleted), *dict.fromkeys(f"kept {name}" for name in outcome.kept)]
    for each in outcome.pending:
        lines += [
            f"waits: {each.physical_id} ({each.resource_type}): {each.reason}",
            f"  come back after {each.come_back_at}",
            *(f"  {line}" for line in commands.told(outcome.command)),
        ]
    if outcome.failed:
        lines += [f"failed: {outcome.failed}", "  when the cause is gone:", *(f"  {line}" for line in commands.told(outcome.command))]
    elif not outcome.pending:
        lines.append(f"{outcome.environment}: nothing is left to delete")
    return tuple(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

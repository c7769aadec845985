"""CloudFormation in one account and region: its calls as methods, its answers as frozen values.

In: a boto3 client of `aws.session` (which raises `aws.errors` only), and the sleep to wait with.
Out: values with CloudFormation's own names and words, every page of them. "Nothing to change" and "not there" are values, not errors.
Never: judges a change (that is `rollout/changes.py`), prints, keeps state, or hands on a NoEcho value: where CloudFormation shows one,
or a stand-in of it, the text is `REDACTED`.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from aws.errors import AwsError, BadRequest, Conflict, NetworkError, NotFound
from untrusted.text import sentence

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

REDACTED = "****"
"""What CloudFormation itself shows for a NoEcho parameter."""

_NO_CHANGES = re.compile(r"didn't contain changes|No updates are to be performed", re.IGNORECASE)

IN_PROGRESS = "_IN_PROGRESS"


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values this module hands out."""


# --- stacks -------------------------------------------------------------------------------------------------------


class StackDescription(Frozen, frozen=True, kw_only=True):
    """DescribeStacks of one stack."""

    name: str
    arn: str
    status: str
    status_reason: str = ""
    changed_at: str = ""
    """LastUpdatedTime, else CreationTime; ISO 8601, UTC."""
    parameters: dict[str, str] = {}
    """NoEcho values are "****"."""
    outputs: dict[str, str] = {}
    tags: dict[str, str] = {}
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    termination_protection: bool = False
    drift: str | None = None
    drift_checked_at: str | None = None

    @property
    def under_review(self) -> bool:
        """Made by a CREATE change set that was never executed: it has no resources."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def busy(self) -> bool:
        """CloudFormation is working on it."""
        return self.status.endswith(IN_PROGRESS) and not self.under_review


class StackResource(Frozen, frozen=True, kw_only=True):
    """ListStackResources, one resource."""

    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    status_reason: str = ""
    drift: str = ""


class StackEvent(Frozen, frozen=True, kw_only=True):
    """DescribeStackEvents, one event."""

    id: str
    stack_arn: str
    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    reason: str
    at: str
    """ISO 8601, UTC."""
    token: str
    """ClientRequestToken of the call that caused it; empty where CloudFormation does not say."""


# --- change sets --------------------------------------------------------------------------------------------------


class ParameterValue(Frozen, frozen=True, kw_only=True):
    """A template parameter as it is sent. `value` None: UsePreviousValue."""

    name: str
    value: str | None
    no_echo: bool = False


class ChangeSetRequest(Frozen, frozen=True, kw_only=True):
    """CreateChangeSet. Exactly one of `template_body` and `template_url`."""

    stack: str
    """Stack name."""
    name: str
    type: Literal["CREATE", "UPDATE", "IMPORT"]
    template_body: str | None = None
    template_url: str | None = None
    parameters: tuple[ParameterValue, ...] = ()
    capabilities: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    role_arn: str | None = None
    client_token: str | None = None
    description: str = ""
    express: bool = False
    revert_drift: bool = False
    import_existing: bool = False


class CreatedChangeSet(Frozen, frozen=True, kw_only=True):
    """Its ARN and that of its stack, which for type CREATE may be new."""

    arn: str
    stack_arn: str


class RawDetail(Frozen, frozen=True, kw_only=True):
    """ResourceChangeDetail; absent fields are empty or None."""

    attribute: str = ""
    name: str = ""
    path: str = ""
    requires_recreation: str = ""
    evaluation: str = ""
    change_source: str = ""
    causing_entity: str = ""
    attribute_change: str = ""
    before: str | None = None
    after: str | None = None
    drifted: bool = False
    """LiveResourceDrift is given, or the before value is the actual state."""


class RawChange(Frozen, frozen=True, kw_only=True):
    """ResourceChange as CloudFormation describes it."""

    action: str
    logical_id: str
    resource_type: str
    physical_id: str | None = None
    replacement: str = ""
    policy_action: str | None = None
    scope: tuple[str, ...] = ()
    details: tuple[RawDetail, ...] = ()
    before_context: str | None = None
    """JSON of the resource before, with `Properties` (IncludePropertyValues)."""
    after_context: str | None = None
    drift_status: str = ""


class ChangeSetDescription(Frozen, frozen=True, kw_only=True):
    """DescribeChangeSet, every page, read twice: CloudFormation has been seen to drop resources from the read with property values."""

    arn: str
    name: str
    stack_arn: str
    stack_name: str
    status: str
    status_reason: str
    execution_status: str
    created_at: str
    with_values: tuple[RawChange, ...] = ()
    without_values: tuple[RawChange, ...] = ()
    parameters: dict[str, str] = {}

    @property
    def nothing_to_change(self) -> bool:
        """CloudFormation's way to say that the stack is up to date."""
        return self.status == "FAILED" and _NO_CHANGES.search(self.status_reason) is not None

    @property
    def failed(self) -> bool:
        """It failed for any other reason, which `status_reason` names."""
        return self.status == "FAILED" and not self.nothing_to_change

    @property
    def finished(self) -> bool:
        """CloudFormation has made up its mind."""
        return self.status in ("CREATE_COMPLETE", "FAILED", "DELETE_COMPLETE", "DELETE_FAILED")


class ChangeSetSummary(Frozen, frozen=True, kw_only=True):
    """ListChangeSets, one."""

    arn: str
    name: str
    status: str
    execution_status: str
    created_at: str


class ValidationEvent(Frozen, frozen=True, kw_only=True):
    """A VALIDATION_ERROR of DescribeEvents."""

    logical_id: str
    resource_type: str
    name: str
    path: str
    status: str
    failure_mode: str
    reason: str


# --- drift --------------------------------------------------------------------------------------------------------


class DriftDetection(Frozen, frozen=True, kw_only=True):
    """DescribeStackDriftDetectionStatus."""

    status: str
    """DETECTION_IN_PROGRESS, DETECTION_FAILED or DETECTION_COMPLETE."""
    reason: str
    drift: str
    """StackDriftStatus."""
    drifted_resources: int


class PropertyDifference(Frozen, frozen=True, kw_only=True):
    """One property that drifted."""

    path: str
    expected: str
    actual: str
    kind: str
    """ADD, REMOVE or NOT_EQUAL."""


class ResourceDrift(Frozen, frozen=True, kw_only=True):
    """DescribeStackResourceDrifts, one resource."""

    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    differences: tuple[PropertyDifference, ...]
    reason: str = ""


# --- StackSets ----------------------------------------------------------------------------------------------------

CallAs = Literal["SELF", "DELEGATED_ADMIN"]


class StackSetDescription(Frozen, frozen=True, kw_only=True):
    """DescribeStackSet."""

    name: str
    id: str
    arn: str
    status: str
    description: str
    template_body: str
    parameters: dict[str, str]
    capabilities: tuple[str, ...]
    tags: dict[str, str]
    administration_role_arn: str | None
    execution_role_name: str | None
    permission_model: str
    auto_deployment: bool
    retain_stacks_on_account_removal: bool
    organizational_units: tuple[str, ...]
    managed_execution: bool


class StackInstance(Frozen, frozen=True, kw_only=True):
    """ListStackInstances, one."""

    account_id: str
    region: str
    stack_arn: str
    status: str
    """CURRENT, OUTDATED or INOPERABLE."""
    detailed_status: str
    reason: str
    organizational_unit: str
    drift: str
    last_operation_id: str
    overrides: dict[str, str] = {}
    """Parameter overrides; known from DescribeStackInstance only, a list of instances does not have them."""


class StackSetOperation(Frozen, frozen=True, kw_only=True):
    """DescribeStackSetOperation."""

    id: str
    action: str
    status: str
    reason: str
    failed_instances: int
    """StatusDetails.FailedStackInstancesCount: an operation can be SUCCEEDED and have some."""
    created_at: str
    ended_at: str | None

    @property
    def finished(self) -> bool:
        """It will not change any more."""
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")


class StackSetOperationResult(Frozen, frozen=True, kw_only=True):
    """ListStackSetOperationResults, one instance."""

    account_id: str
    region: str
    status: str
    reason: str
    organizational_unit: str


class StackSetRequest(Frozen, frozen=True, kw_only=True):
    """CreateStackSet and UpdateStackSet. Exactly one of `template_body` and `template_url`."""

    name: str
    description: str = ""
    template_body: str | None = None
    template_url: str | None = None
    parameters: tuple[ParameterValue, ...] = ()
    capabilities: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    permission_model: Literal["SELF_MANAGED", "SERVICE_MANAGED"] = "SELF_MANAGED"
    administration_role_arn: str | None = None
    execution_role_name: str | None = None
    auto_deployment: bool = False
    retain_stacks_on_account_removal: bool = True
    managed_execution: bool | None = None
    """ManagedExecution.Active; None leaves it as it is."""
    call_as: CallAs = "SELF"


class InstanceTargets(Frozen, frozen=True, kw_only=True):
    """Which instances an operation is about."""

    accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


# --- the gateway --------------------------------------------------------------------------------------------------


class CloudFormation:
    """CloudFormation of one account and region.

    `sleep` takes seconds; `poll_seconds` is the time between two looks at something that CloudFormation is still making.
    Every method raises `aws.errors.AwsError` for what CloudFormation or the network refuses.
    """

    def __init__(
        self,
        client: CloudFormationClient,
        *,
        account_id: str,
        region: str,
        sleep: Callable[[float], None],
        poll_seconds: float = 2.0,
    ) -> None:
        self._client: Any = client
        self.account_id = account_id
        self.region = region
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        # One request for a change set after the other: every refusal for a request limit's sake doubles the pause of whoever is refused, so
        # many at once are through later than one by one.
        self._making = threading.Lock()

    # --- stacks -----------------------------------------------------------------------------------------------

    def describe_stack(self, stack: str) -> StackDescription | None:
        """The stack of that name or ARN; None if there is none (a deleted one is only found by its ARN)."""
        try:
            answer = self._client.describe_stacks(StackName=stack)
        except NotFound:
            return None
        found = answer.get("Stacks", [])
        return _stack(found[0]) if found else None

    def get_template(self, stack: str) -> str | None:
        """The template as it was submitted, canonical JSON if it was JSON; None if there is no stack."""
        try:
            body = self._client.get_template(StackName=stack, TemplateStage="Original").get("TemplateBody", "")
        except NotFound:
            return None
        return body if isinstance(body, str) else json.dumps(body, sort_keys=True)

    def list_resources(self, stack: str) -> tuple[StackResource, ...]:
        """Every resource of the stack."""
        return tuple(
            StackResource(
                logical_id=r.get("LogicalResourceId", ""),
                physical_id=r.get("PhysicalResourceId", ""),
                resource_type=r.get("ResourceType", ""),
                status=r.get("ResourceStatus", ""),
                status_reason=sentence(r.get("ResourceStatusReason", "")),
                drift=r.get("DriftInformation", {}).get("StackResourceDriftStatus", ""),
            )
            for r in self._pages(self._client.list_stack_resources, "StackResourceSummaries", StackName=stack)
        )

    def events(self, stack_arn: str, *, token: str | None = None, seen: Iterable[str] = ()) -> tuple[StackEvent, ...]:
        """Events oldest first, all pages back to the first one in `seen`; with `token` only those that the call with it caused.

        Where CloudFormation does not tell the token of an event, it counts as caused by the call.
        """
        known = frozenset(seen)
        found: list[StackEvent] = []
        for raw in self._pages(self._client.describe_stack_events, "StackEvents", StackName=stack_arn):
            event = _event(raw)
            if event.id in known:
                break
            found.append(event)
        return tuple(e for e in reversed(found) if token is None or e.token in ("", token))

    def delete_stack(self, stack: str, *, token: str | None = None, role_arn: str | None = None, retain: tuple[str, ...] = ()) -> None:
        """Begin to delete it. `retain` (logical ids) is only taken for a stack in DELETE_FAILED. No stack: nothing happens."""
        self._client.delete_stack(
            StackName=stack, **_given(ClientRequestToken=token, RoleARN=role_arn, RetainResources=list(retain) or None)
        )

    def delete_reviewed_stack(self, stack_arn: str, *, besides: Iterable[str] = (), attempts: int = 60) -> bool:
        """Delete a stack that is REVIEW_IN_PROGRESS and wait until it is gone; False (and nothing done) if it is in any other state.

        It has no resources, so nothing can be lost; one with change sets other than `besides` (ARNs) in it is left alone too.
        """
        description = self.describe_stack(stack_arn)
        if description is None or description.status == "DELETE_COMPLETE":
            return True
        if not description.under_review or {s.arn for s in self.list_change_sets(description.name)} - {*besides}:
            return False
        self.delete_stack(stack_arn)
        for _ in range(attempts):
            description = self.describe_stack(stack_arn)
            if description is None or description.status == "DELETE_COMPLETE":
                return True
            self._sleep(self._poll_seconds)
        return False

    def set_stack_policy(self, stack: str, policy: str) -> None:
        """Put the stack policy (JSON) in force."""
        self._client.set_stack_policy(StackName=stack, StackPolicyBody=policy)

    def get_stack_policy(self, stack: str) -> str | None:
        """The stack policy in force (JSON); None if there is none."""
        body = self._client.get_stack_policy(StackName=stack).get("StackPolicyBody")
        return str(body) if body else None

    def set_termination_protection(self, stack: str, *, enabled: bool) -> None:
        """Switch termination protection on or off."""
        self._client.update_termination_protection(StackName=stack, EnableTerminationProtection=enabled)

    def continue_update_rollback(
        self, stack: str, *, token: str | None = None, role_arn: str | None = None, skip: tuple[str, ...] = ()
    ) -> None:
        """Take a stack out of UPDATE_ROLLBACK_FAILED."""
        self._client.continue_update_rollback(
            StackName=stack, **_given(ClientRequestToken=token, RoleARN=role_arn, ResourcesToSkip=list(skip) or None)
        )

    def rollback_stack(self, stack: str, *, token: str | None = None, role_arn: str | None = None) -> None:
        """Roll a CREATE_FAILED or UPDATE_FAILED stack back to its last good state."""
        self._client.rollback_stack(StackName=stack, **_given(ClientRequestToken=token, RoleARN=role_arn))

    # --- change sets ------------------------------------------------------------------------------------------

    def create_change_set(self, request: ChangeSetRequest) -> CreatedChangeSet:
        """Begin to make it; `wait_for_change_set` says what became of it.

        The name must be unique: "already exists" is taken for the answer to a request of ours whose first answer was lost.
        """
        try:
            with self._making:
                answer = self._client.create_change_set(**_change_set_arguments(request))
        except (Conflict, NetworkError):
            mine = [s for s in self._own_change_sets(request.stack) if s.name == request.name]
            if not mine:
                raise
            description = self.describe_stack(request.stack)
            return CreatedChangeSet(arn=mine[0].arn, stack_arn=description.arn if description else "")
        return CreatedChangeSet(arn=answer["Id"], stack_arn=answer.get("StackId", ""))

    def _own_change_sets(self, stack: str) -> tuple[ChangeSetSummary, ...]:
        try:
            return self.list_change_sets(stack)
        except AwsError:
            return ()

    def wait_for_change_set(
        self,
        created: CreatedChangeSet,
        *,
        no_echo: Iterable[str] = (),
        stopped: Callable[[], bool] = lambda: False,
        attempts: int = 900,
    ) -> ChangeSetDescription:
        """Wait until it is made or has failed, then read it. Raises `AwsError` if CloudFormation does not come to an end.

        `stopped` is asked at every look; the change set is described as it is when it says yes.
        """
        for attempt in range(attempts):
            if stopped():
                return self.describe_change_set(created.arn, created.stack_arn, no_echo=no_echo)
            answer = self._client.describe_change_set(ChangeSetName=created.arn, StackName=created.stack_arn)
            if answer.get("Status") not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                return self.describe_change_set(created.arn, created.stack_arn, no_echo=no_echo)
            self._sleep(min(self._poll_seconds, 0.5 + 0.25 * attempt))
        raise AwsError(
            f"the change set {created.arn} is not finished after {attempts} looks at it",
            service="cloudformation",
            operation="DescribeChangeSet",
            account=self.account_id,
            region=self.region,
        )

    def describe_change_set(self, change_set: str, stack: str, *, no_echo: Iterable[str] = ()) -> ChangeSetDescription:
        """All that CloudFormation says of it; parameters named in `no_echo` are "****". Raises `NotFound` if it is gone."""
        hidden = frozenset(no_echo)
        pages = list(self._change_set_pages(change_set, stack, values=False))
        first = pages[0]
        without = tuple(_change(c["ResourceChange"]) for p in pages for c in p.get("Changes", []) if "ResourceChange" in c)
        values: tuple[RawChange, ...] = ()
        if without or first.get("Status") == "CREATE_COMPLETE":
            values = tuple(
                _change(c["ResourceChange"])
                for p in self._change_set_pages(change_set, stack, values=True)
                for c in p.get("Changes", [])
                if "ResourceChange" in c
            )
        return ChangeSetDescription(
            arn=first.get("ChangeSetId", ""),
            name=first.get("ChangeSetName", ""),
            stack_arn=first.get("StackId", ""),
            stack_name=first.get("StackName", ""),
            status=first.get("Status", ""),
            status_reason=sentence(first.get("StatusReason", "")),
            execution_status=first.get("ExecutionStatus", ""),
            created_at=_iso(first.get("CreationTime")),
            with_values=values,
            without_values=without,
            parameters={
                p["ParameterKey"]: REDACTED if p["ParameterKey"] in hidden else p.get("ParameterValue", "")
                for p in first.get("Parameters", [])
            },
        )

    def _change_set_pages(self, change_set: str, stack: str, *, values: bool) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {"ChangeSetName": change_set, "StackName": stack, **({"IncludePropertyValues": True} if values else {})}
        while True:
            page = self._client.describe_change_set(**arguments)
            yield page
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]

    def list_change_sets(self, stack: str) -> tuple[ChangeSetSummary, ...]:
        """Every change set of the stack; none if there is no stack."""
        try:
            return tuple(
                ChangeSetSummary(
                    arn=s.get("ChangeSetId", ""),
                    name=s.get("ChangeSetName", ""),
                    status=s.get("Status", ""),
                    execution_status=s.get("ExecutionStatus", ""),
                    created_at=_iso(s.get("CreationTime")),
                )
                for s in self._pages(self._client.list_change_sets, "Summaries", StackName=stack)
            )
        except NotFound:
            return ()

    def delete_change_set(self, change_set: str, stack: str, *, attempts: int = 60) -> None:
        """Delete it; no error if it or its stack is gone. One that CloudFormation is still making is waited for."""
        for attempt in range(attempts):
            try:
                self._client.delete_change_set(ChangeSetName=change_set, StackName=stack)
            except NotFound:
                return
            except AwsError as error:
                if (
                    not error.code.startswith("InvalidChangeSetStatus")
                    or attempt == attempts - 1
                    or not self._being_made(change_set, stack)
                ):
                    raise
                self._sleep(self._poll_seconds)
            else:
                return

    def _being_made(self, change_set: str, stack: str) -> bool:
        status = self._client.describe_change_set(ChangeSetName=change_set, StackName=stack).get("Status", "")
        return str(status) in ("CREATE_PENDING", "CREATE_IN_PROGRESS")

    def change_set_state(self, change_set: str, stack: str) -> ChangeSetSummary | None:
        """Whether it can be executed or has been, without its changes; None if it or its stack is gone."""
        try:
            found = self._client.describe_change_set(ChangeSetName=change_set, StackName=stack)
        except NotFound:
            return None
        return ChangeSetSummary(
            arn=found.get("ChangeSetId", ""),
            name=found.get("ChangeSetName", ""),
            status=found.get("Status", ""),
            execution_status=found.get("ExecutionStatus", ""),
            created_at=_iso(found.get("CreationTime")),
        )

    def execute_change_set(self, change_set: str, stack: str, *, token: str, disable_rollback: bool = False) -> None:
        """Begin to execute it; the events it causes carry `token`. Executing it deletes the stack's other change sets."""
        self._client.execute_change_set(
            ChangeSetName=change_set, StackName=stack, ClientRequestToken=token, DisableRollback=disable_rollback
        )

    def validations(self, change_set: str, stack: str) -> tuple[ValidationEvent, ...]:
        """What CloudFormation's pre-deployment validation found; empty also where the service does not know the call.

        Raises AccessDenied: unread results are not the same as none.
        An ARN says which stack it is; a stack named beside it could be taken for a question about the stack's own operations.
        """
        of = {} if change_set.startswith("arn:") else {"StackName": stack}
        try:
            events = list(self._pages(self._client.describe_events, "OperationEvents", ChangeSetName=change_set, **of))
        except (BadRequest, NotFound):
            return ()
        except AwsError as error:
            if error.code in ("InvalidAction", "UnknownOperationException", "NotImplemented"):
                return ()
            raise
        return tuple(_validation(e) for e in events if e.get("EventType") == "VALIDATION_ERROR")

    def operation_validations(self, stack: str, *, token: str | None) -> tuple[ValidationEvent, ...]:
        """What validation found in the operation that a call with `token` began, or in any; empty where the service does not know the call.

        CloudFormation then fails the whole operation before any resource has an event, and its reason only says to ask here.
        """
        try:
            events = list(self._pages(self._client.describe_events, "OperationEvents", StackName=stack))
        except AwsError:
            return ()
        return tuple(
            _validation(e)
            for e in reversed(events)
            if e.get("EventType") == "VALIDATION_ERROR" and (token is None or e.get("ClientRequestToken", "") in ("", token))
        )

    # --- drift ------------------------------------------------------------------------------------------------

    def detect_drift(self, stack: str) -> str:
        """Begin to look for drift; returns the detection's id."""
        return str(self._client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"])

    def drift_detection(self, detection_id: str) -> DriftDetection:
        """How far the detection is."""
        answer = self._client.describe_stack_drift_detection_status(StackDriftDetectionId=detection_id)
        return DriftDetection(
            status=answer.get("DetectionStatus", ""),
            reason=sentence(answer.get("DetectionStatusReason", "")),
            drift=answer.get("StackDriftStatus", ""),
            drifted_resources=answer.get("DriftedStackResourceCount", 0),
        )

    def resource_drifts(self, stack: str) -> tuple[ResourceDrift, ...]:
        """What the last detection found, for every resource it could check."""
        return tuple(
            _resource_drift(d) for d in self._pages(self._client.describe_stack_resource_drifts, "StackResourceDrifts", StackName=stack)
        )

    # --- what was, and how many -------------------------------------------------------------------------------

    def deleted_stacks(self, name: str) -> tuple[str, ...]:
        """ARNs of the deleted stacks of that name, the latest first; CloudFormation remembers them for 90 days (ListStacks)."""
        found = [
            (_iso(s.get("DeletionTime")), s["StackId"])
            for s in self._pages(self._client.list_stacks, "StackSummaries", StackStatusFilter=["DELETE_COMPLETE"])
            if s.get("StackName") == name
        ]
        return tuple(arn for _, arn in sorted(found, reverse=True))

    def stack_limit(self) -> int | None:
        """StackLimit of DescribeAccountLimits: stacks that the account may have in this region; None where it is not told."""
        for limit in self._pages(self._client.describe_account_limits, "AccountLimits"):
            if limit.get("Name") == "StackLimit":
                return int(limit["Value"])
        return None

    def stack_names(self) -> tuple[str, ...]:
        """Every stack of the region that is not deleted."""
        return tuple(
            s["StackName"]
            for s in self._pages(self._client.list_stacks, "StackSummaries")
            if s.get("StackStatus") not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
        )

    # --- drift of StackSets -----------------------------------------------------------------------------------

    def detect_stack_set_drift(self, name: str, *, operation_id: str, preferences: Mapping[str, Any], call_as: CallAs = "SELF") -> str:
        """Begin to look for drift in every instance; returns the operation's id, to be asked with `stack_set_operation`."""
        answer = self._client.detect_stack_set_drift(
            StackSetName=name, OperationId=operation_id, OperationPreferences=dict(preferences), CallAs=call_as
        )
        return str(answer["OperationId"])

    def instance_drifts(
        self, name: str, *, account_id: str, region: str, operation_id: str, call_as: CallAs = "SELF"
    ) -> tuple[ResourceDrift, ...]:
        """What a drift operation found in one instance (ListStackInstanceResourceDrifts)."""
        return tuple(
            _resource_drift(d)
            for d in self._pages(
                self._client.list_stack_instance_resource_drifts,
                "Summaries",
                StackSetName=name,
                StackInstanceAccount=account_id,
                StackInstanceRegion=region,
                OperationId=operation_id,
                CallAs=call_as,
            )
        )

    def running_operations(self, name: str, *, call_as: CallAs = "SELF") -> tuple[StackSetOperation, ...]:
        """Operations of the set that have not come to an end; none if there is no set."""
        try:
            return tuple(
                _operation(o)
                for o in self._pages(self._client.list_stack_set_operations, "Summaries", StackSetName=name, CallAs=call_as)
                if o.get("Status") in ("RUNNING", "STOPPING", "QUEUED")
            )
        except NotFound:
            return ()

    # --- StackSets --------------------------------------------------------------------------------------------

    def describe_stack_set(self, name: str, *, call_as: CallAs = "SELF") -> StackSetDescription | None:
        """The active StackSet of that name; None if there is none."""
        try:
            found = self._client.describe_stack_set(StackSetName=name, CallAs=call_as)["StackSet"]
        except NotFound:
            return None
        if found.get("Status") == "DELETED":
            return None
        automatic = found.get("AutoDeployment", {})
        return StackSetDescription(
            name=found.get("StackSetName", name),
            id=found.get("StackSetId", ""),
            arn=found.get("StackSetARN", ""),
            status=found.get("Status", ""),
            description=found.get("Description", ""),
            template_body=found.get("TemplateBody", ""),
            parameters=_parameters(found.get("Parameters", [])),
            capabilities=tuple(found.get("Capabilities", [])),
            tags=_tags(found.get("Tags", [])),
            administration_role_arn=found.get("AdministrationRoleARN"),
            execution_role_name=found.get("ExecutionRoleName"),
            permission_model=found.get("PermissionModel", "SELF_MANAGED"),
            auto_deployment=automatic.get("Enabled", False),
            retain_stacks_on_account_removal=automatic.get("RetainStacksOnAccountRemoval", False),
            organizational_units=tuple(found.get("OrganizationalUnitIds", [])),
            managed_execution=found.get("ManagedExecution", {}).get("Active", False),
        )

    def list_stack_instances(self, name: str, *, call_as: CallAs = "SELF") -> tuple[StackInstance, ...]:
        """Every instance of the set; none if there is no set."""
        try:
            return tuple(
                _instance(i) for i in self._pages(self._client.list_stack_instances, "Summaries", StackSetName=name, CallAs=call_as)
            )
        except NotFound:
            return ()

    def stack_instance(self, name: str, account_id: str, region: str, *, call_as: CallAs = "SELF") -> StackInstance | None:
        """One instance with its parameter overrides (DescribeStackInstance); None if it is gone."""
        try:
            answer = self._client.describe_stack_instance(
                StackSetName=name, StackInstanceAccount=account_id, StackInstanceRegion=region, CallAs=call_as
            )
        except NotFound:
            return None
        return _instance(answer["StackInstance"])

    def create_stack_set(self, request: StackSetRequest, *, token: str) -> str:
        """Make the set, without instances; returns its id."""
        answer = self._client.create_stack_set(**_stack_set_arguments(request), ClientRequestToken=token)
        return str(answer["StackSetId"])

    def update_stack_set(
        self, request: StackSetRequest, *, operation_id: str, preferences: Mapping[str, Any], targets: InstanceTargets | None = None
    ) -> str:
        """Change the set and its instances; returns the operation's id. The set keeps the change even if the operation fails.

        With `targets` only those instances; a changed template or parameter makes the others OUTDATED. Source: UpdateStackSet, Regions.
        """
        where = _where(targets) | {"Regions": list(targets.regions)} if targets is not None and targets.regions else {}
        answer = self._client.update_stack_set(
            **_stack_set_arguments(request), OperationId=operation_id, OperationPreferences=dict(preferences), **where
        )
        return str(answer["OperationId"])

    def delete_stack_set(self, name: str, *, call_as: CallAs = "SELF") -> None:
        """Delete a set that has no instances; no error if it is gone."""
        try:
            self._client.delete_stack_set(StackSetName=name, CallAs=call_as)
        except NotFound:
            return

    def create_stack_instances(
        self, name: str, targets: InstanceTargets, *, operation_id: str, preferences: Mapping[str, Any], call_as: CallAs = "SELF"
    ) -> str:
        """Begin to create instances; returns the operation's id."""
        answer = self._client.create_stack_instances(
            **_instances_arguments(name, targets, operation_id, preferences, call_as),
        )
        return str(answer["OperationId"])

    def update_stack_instances(
        self, name: str, targets: InstanceTargets, *, operation_id: str, preferences: Mapping[str, Any], call_as: CallAs = "SELF"
    ) -> str:
        """Begin to bring instances up to the set's template and parameters; returns the operation's id."""
        answer = self._client.update_stack_instances(
            **_instances_arguments(name, targets, operation_id, preferences, call_as),
        )
        return str(answer["OperationId"])

    def delete_stack_instances(
        self,
        name: str,
        targets: InstanceTargets,
        *,
        operation_id: str,
        preferences: Mapping[str, Any],
        retain_stacks: bool,
        call_as: CallAs = "SELF",
    ) -> str:
        """Begin to take instances out of the set, with or without deleting their stacks; returns the operation's id."""
        answer = self._client.delete_stack_instances(
            **_instances_arguments(name, targets, operation_id, preferences, call_as), RetainStacks=retain_stacks
        )
        return str(answer["OperationId"])

    def stack_set_operation(self, name: str, operation_id: str, *, call_as: CallAs = "SELF") -> StackSetOperation:
        """How far an operation is."""
        answer = self._client.describe_stack_set_operation(StackSetName=name, OperationId=operation_id, CallAs=call_as)
        return _operation({"OperationId": operation_id, **answer["StackSetOperation"]})

    def stack_set_operation_results(
        self, name: str, operation_id: str, *, status: str = "", call_as: CallAs = "SELF"
    ) -> tuple[StackSetOperationResult, ...]:
        """What became of each instance; with `status` of those in that state only."""
        chosen: dict[str, Any] = {"Filters": [{"Name": "OPERATION_RESULT_STATUS", "Values": status}]} if status else {}
        return tuple(
            StackSetOperationResult(
                account_id=r.get("Account", ""),
                region=r.get("Region", ""),
                status=r.get("Status", ""),
                reason=sentence(r.get("StatusReason") or r.get("AccountGateResult", {}).get("StatusReason", "")),
                organizational_unit=r.get("OrganizationalUnitId", ""),
            )
            for r in self._pages(
                self._client.list_stack_set_operation_results,
                "Summaries",
                StackSetName=name,
                OperationId=operation_id,
                CallAs=call_as,
                **chosen,
            )
        )

    def import_stacks(
        self, name: str, stack_arns: Iterable[str], *, operation_id: str, preferences: Mapping[str, Any], call_as: CallAs = "SELF"
    ) -> str:
        """Begin to make stacks instances of the set, at most ten at once (ImportStacksToStackSet, StackIds); returns the operation's id."""
        answer = self._client.import_stacks_to_stack_set(
            StackSetName=name, StackIds=list(stack_arns), OperationId=operation_id, OperationPreferences=dict(preferences), CallAs=call_as
        )
        return str(answer["OperationId"])

    def stop_stack_set_operation(self, name: str, operation_id: str, *, call_as: CallAs = "SELF") -> None:
        """Ask an operation to stop."""
        self._client.stop_stack_set_operation(StackSetName=name, OperationId=operation_id, CallAs=call_as)

    # --- paging -----------------------------------------------------------------------------------------------

    @staticmethod
    def _pages(call: Callable[..., Any], key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        while True:
            page = call(**arguments)
            yield from page.get(key, [])
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]


class EventFeed:
    """The events of one stack as they come, none of them twice."""

    def __init__(self, gateway: CloudFormation, stack_arn: str, *, token: str | None, before: Iterable[str] = ()) -> None:
        self._gateway = gateway
        self._stack_arn = stack_arn
        self._token = token
        self._seen = set(before)

    def new(self) -> tuple[StackEvent, ...]:
        """Events since the last call, oldest first."""
        found = self._gateway.events(self._stack_arn, seen=self._seen)
        self._seen.update(e.id for e in found)
        return tuple(e for e in found if self._token is None or e.token in ("", self._token))


def client_token(*parts: str) -> str:
    """A deterministic ClientRequestToken (at most 128 of [A-Za-z0-9-]): the same work, however often it is sent, is done once."""
    return "t-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


# --- answers to values --------------------------------------------------------------------------------------------


def _iso(moment: Any) -> str:
    if moment is None or moment == "":
        return ""
    return moment.isoformat().replace("+00:00", "Z") if hasattr(moment, "isoformat") else str(moment)


def _parameters(raw: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {p["ParameterKey"]: p.get("ParameterValue", "") for p in raw}


def _tags(raw: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {t["Key"]: t["Value"] for t in raw}


def _stack(raw: Mapping[str, Any]) -> StackDescription:
    drift = raw.get("DriftInformation", {})
    return StackDescription(
        name=raw["StackName"],
        arn=raw.get("StackId", ""),
        status=raw.get("StackStatus", ""),
        status_reason=sentence(raw.get("StackStatusReason", "")),
        changed_at=_iso(raw.get("LastUpdatedTime") or raw.get("CreationTime")),
        parameters=_parameters(raw.get("Parameters", [])),
        outputs={o["OutputKey"]: o.get("OutputValue", "") for o in raw.get("Outputs", [])},
        tags=_tags(raw.get("Tags", [])),
        capabilities=tuple(raw.get("Capabilities", [])),
        role_arn=raw.get("RoleARN"),
        termination_protection=bool(raw.get("EnableTerminationProtection", False)),
        drift=drift.get("StackDriftStatus"),
        drift_checked_at=_iso(drift.get("LastCheckTimestamp")) or None,
    )


def _instance(raw: Mapping[str, Any]) -> StackInstance:
    return StackInstance(
        account_id=raw.get("Account", ""),
        region=raw.get("Region", ""),
        stack_arn=raw.get("StackId", ""),
        status=raw.get("Status", ""),
        detailed_status=raw.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
        reason=sentence(raw.get("StatusReason", "")),
        organizational_unit=raw.get("OrganizationalUnitId", ""),
        drift=raw.get("DriftStatus", ""),
        last_operation_id=raw.get("LastOperationId", ""),
        overrides=_parameters(raw.get("ParameterOverrides", [])),
    )


def _operation(raw: Mapping[str, Any]) -> StackSetOperation:
    return StackSetOperation(
        id=raw.get("OperationId", ""),
        action=raw.get("Action", ""),
        status=raw.get("Status", ""),
        reason=sentence(raw.get("StatusReason", "")),
        failed_instances=raw.get("StatusDetails", {}).get("FailedStackInstancesCount", 0),
        created_at=_iso(raw.get("CreationTimestamp")),
        ended_at=_iso(raw.get("EndTimestamp")) or None,
    )


def _event(raw: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        id=raw["EventId"],
        stack_arn=raw.get("StackId", ""),
        logical_id=raw.get("LogicalResourceId", ""),
        physical_id=raw.get("PhysicalResourceId", ""),
        resource_type=raw.get("ResourceType", ""),
        status=raw.get("ResourceStatus", ""),
        reason=sentence(raw.get("ResourceStatusReason", "")),
        at=_iso(raw.get("Timestamp")),
        token=raw.get("ClientRequestToken", ""),
    )


def _resource_drift(raw: Mapping[str, Any]) -> ResourceDrift:
    return ResourceDrift(
        logical_id=raw.get("LogicalResourceId", ""),
        physical_id=raw.get("PhysicalResourceId", ""),
        resource_type=raw.get("ResourceType", ""),
        status=raw.get("StackResourceDriftStatus", ""),
        reason=sentence(raw.get("DriftStatusReason", "")),
        differences=tuple(
            PropertyDifference(
                path=p.get("PropertyPath", ""),
                expected=p.get("ExpectedValue", ""),
                actual=p.get("ActualValue", ""),
                kind=p.get("DifferenceType", ""),
            )
            for p in raw.get("PropertyDifferences", [])
        ),
    )


def _validation(raw: Mapping[str, Any]) -> ValidationEvent:
    return ValidationEvent(
        logical_id=raw.get("LogicalResourceId", ""),
        resource_type=raw.get("ResourceType", ""),
        name=raw.get("ValidationName", ""),
        path=raw.get("ValidationPath", ""),
        status=raw.get("ValidationStatus", "FAILED"),
        failure_mode=raw.get("ValidationFailureMode", "FAIL"),
        reason=sentence(raw.get("ValidationStatusReason") or raw.get("ResourceStatusReason", "")),
    )


def _change(raw: Mapping[str, Any]) -> RawChange:
    return RawChange(
        action=raw.get("Action", ""),
        logical_id=raw.get("LogicalResourceId", ""),
        resource_type=raw.get("ResourceType", ""),
        physical_id=raw.get("PhysicalResourceId"),
        replacement=raw.get("Replacement", ""),
        policy_action=raw.get("PolicyAction"),
        scope=tuple(raw.get("Scope", [])),
        details=tuple(_detail(d) for d in raw.get("Details", [])),
        before_context=raw.get("BeforeContext"),
        after_context=raw.get("AfterContext"),
        drift_status=raw.get("ResourceDriftStatus", ""),
    )


def _detail(raw: Mapping[str, Any]) -> RawDetail:
    target = raw.get("Target", {})
    return RawDetail(
        attribute=target.get("Attribute", ""),
        name=target.get("Name", ""),
        path=target.get("Path", ""),
        requires_recreation=target.get("RequiresRecreation", ""),
        evaluation=raw.get("Evaluation", ""),
        change_source=raw.get("ChangeSource", ""),
        causing_entity=raw.get("CausingEntity", ""),
        attribute_change=target.get("AttributeChangeType", ""),
        before=target.get("BeforeValue"),
        after=target.get("AfterValue"),
        drifted="Drift" in target or target.get("BeforeValueFrom") == "ACTUAL_STATE",
    )


# --- values to arguments ------------------------------------------------------------------------------------------


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _sent(parameters: Iterable[ParameterValue]) -> list[dict[str, Any]]:
    return [
        {"ParameterKey": p.name, "UsePreviousValue": True} if p.value is None else {"ParameterKey": p.name, "ParameterValue": p.value}
        for p in parameters
    ]


def _sent_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def _change_set_arguments(request: ChangeSetRequest) -> dict[str, Any]:
    return _given(
        StackName=request.stack,
        ChangeSetName=request.name,
        ChangeSetType=request.type,
        TemplateBody=request.template_body,
        TemplateURL=request.template_url,
        Parameters=_sent(request.parameters),
        Capabilities=list(request.capabilities),
        Tags=_sent_tags(request.tags),
        RoleARN=request.role_arn,
        ClientToken=request.client_token,
        Description=request.description or None,
        DeploymentConfig={"Mode": "EXPRESS"} if request.express else None,
        DeploymentMode="REVERT_DRIFT" if request.revert_drift else None,
        ImportExistingResources=True if request.import_existing else None,
    )


def _stack_set_arguments(request: StackSetRequest) -> dict[str, Any]:
    automatic = (
        {
            "Enabled": request.auto_deployment,
            **({"RetainStacksOnAccountRemoval": request.retain_stacks_on_account_removal} if request.auto_deployment else {}),
        }
        if request.permission_model == "SERVICE_MANAGED"
        else None
    )
    return _given(
        StackSetName=request.name,
        Description=request.description or None,
        TemplateBody=request.template_body,
        TemplateURL=request.template_url,
        Parameters=_sent(request.parameters),
        Capabilities=list(request.capabilities),
        Tags=_sent_tags(request.tags),
        AdministrationRoleARN=request.administration_role_arn,
        ExecutionRoleName=request.execution_role_name,
        PermissionModel=request.permission_model,
        AutoDeployment=automatic,
        ManagedExecution=None if request.managed_execution is None else {"Active": request.managed_execution},
        CallAs=request.call_as,
    )


def _where(targets: InstanceTargets) -> dict[str, Any]:
    """SELF_MANAGED sets take Accounts, SERVICE_MANAGED ones DeploymentTargets (and Accounts inside it)."""
    if not targets.organizational_units:
        return {"Accounts": list(targets.accounts)}
    return {
        "DeploymentTargets": _given(
            OrganizationalUnitIds=list(targets.organizational_units),
            Accounts=list(targets.accounts) or None,
            AccountFilterType="INTERSECTION" if targets.accounts else None,
        )
    }


def _instances_arguments(
    name: str, targets: InstanceTargets, operation_id: str, preferences: Mapping[str, Any], call_as: CallAs
) -> dict[str, Any]:
    return {
        "StackSetName": name,
        "Regions": list(targets.regions),
        "OperationPreferences": dict(preferences),
        "OperationId": operation_id,
        "CallAs": call_as,
        **_where(targets),
    }

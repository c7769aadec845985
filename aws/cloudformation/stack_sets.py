"""StackSets: the sets, their instances, operations and drift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import field

from aws.answers import Answer, Tags, read
from aws.cloudformation.connection import Connection
from aws.cloudformation.drift import ResourceDrift
from aws.cloudformation.requests import Parameters, ParameterValue, given, parameters_sent, tags_sent
from aws.errors import NotFound

CallAs = Literal["SELF", "DELEGATED_ADMIN"]


class StackSetDescription(Answer, frozen=True, kw_only=True):
    """DescribeStackSet."""

    name: str = field(name="StackSetName")
    id: str = field(name="StackSetId", default="")
    arn: str = field(name="StackSetARN", default="")
    status: str = ""
    description: str = ""
    template_body: str = ""
    parameters: Parameters = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    tags: Tags = field(default_factory=dict)
    administration_role_arn: str | None = field(name="AdministrationRoleARN", default=None)
    execution_role_name: str | None = None
    permission_model: str = "SELF_MANAGED"
    auto_deployment: bool = field(name="AutoDeployment.Enabled", default=False)
    retain_stacks_on_account_removal: bool = field(name="AutoDeployment.RetainStacksOnAccountRemoval", default=False)
    organizational_units: tuple[str, ...] = field(name="OrganizationalUnitIds", default=())
    managed_execution: bool = field(name="ManagedExecution.Active", default=False)


class StackInstance(Answer, frozen=True, kw_only=True):
    """ListStackInstances, one."""

    account_id: str = field(name="Account")
    region: str
    stack_arn: str = field(name="StackId", default="")
    status: str = ""
    """CURRENT, OUTDATED or INOPERABLE."""
    detailed_status: str = field(name="StackInstanceStatus.DetailedStatus", default="")
    reason: str = field(name="StatusReason", default="")
    organizational_unit: str = field(name="OrganizationalUnitId", default="")
    drift: str = field(name="DriftStatus", default="")
    last_operation_id: str = ""
    overrides: Parameters = field(name="ParameterOverrides", default_factory=dict)
    """Parameter overrides; known from DescribeStackInstance only, a list of instances does not have them."""


class StackSetOperation(Answer, frozen=True, kw_only=True):
    """DescribeStackSetOperation."""

    id: str = field(name="OperationId", default="")
    action: str = ""
    status: str
    reason: str = field(name="StatusReason", default="")
    failed_instances: int = field(name="StatusDetails.FailedStackInstancesCount", default=0)
    """StatusDetails.FailedStackInstancesCount: an operation can be SUCCEEDED and have some."""
    created_at: str = field(name="CreationTimestamp", default="")

    @property
    def finished(self) -> bool:
        """It will not change any more."""
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")


class StackSetOperationResult(Answer, frozen=True, kw_only=True):
    """ListStackSetOperationResults, one instance."""

    account_id: str = field(name="Account")
    region: str
    status: str
    reason: str = field(name="StatusReason|AccountGateResult.StatusReason", default="")
    organizational_unit: str = field(name="OrganizationalUnitId", default="")


class StackSetRequest(msgspec.Struct, frozen=True, kw_only=True):
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


class InstanceTargets(msgspec.Struct, frozen=True, kw_only=True):
    """Which instances an operation is about."""

    accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class _Named(Answer, frozen=True, kw_only=True):
    name: str = field(name="StackSetName")


class StackSets(Connection):
    """The StackSets that one account administers in one region."""

    def describe_stack_set(self, name: str, *, call_as: CallAs = "SELF") -> StackSetDescription | None:
        """The active StackSet of that name; None if there is none."""
        try:
            found = read(self._client.describe_stack_set(StackSetName=name, CallAs=call_as), StackSetDescription, "StackSet")
        except NotFound:
            return None
        return None if found.status == "DELETED" else found

    def stack_set_names(self) -> tuple[str, ...]:
        """Every active StackSet that this account administers in the region (ListStackSets)."""
        return tuple(each.name for each in self._pages(self._client.list_stack_sets, "Summaries", _Named, Status="ACTIVE"))

    def list_stack_instances(self, name: str, *, call_as: CallAs = "SELF") -> tuple[StackInstance, ...]:
        """Every instance of the set; none if there is no set."""
        try:
            return tuple(self._pages(self._client.list_stack_instances, "Summaries", StackInstance, StackSetName=name, CallAs=call_as))
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
        return read(answer, StackInstance, "StackInstance")

    def create_stack_set(self, request: StackSetRequest, *, token: str) -> str:
        """Make the set, without instances; returns its id."""
        answer = self._client.create_stack_set(**_stack_set_arguments(request), ClientRequestToken=token)
        return read(answer, str, "StackSetId")

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
        return read(answer, str, "OperationId")

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
        return read(answer, str, "OperationId")

    def update_stack_instances(
        self, name: str, targets: InstanceTargets, *, operation_id: str, preferences: Mapping[str, Any], call_as: CallAs = "SELF"
    ) -> str:
        """Begin to bring instances up to the set's template and parameters; returns the operation's id."""
        answer = self._client.update_stack_instances(
            **_instances_arguments(name, targets, operation_id, preferences, call_as),
        )
        return read(answer, str, "OperationId")

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
        return read(answer, str, "OperationId")

    def stack_set_operation(self, name: str, operation_id: str, *, call_as: CallAs = "SELF") -> StackSetOperation:
        """How far an operation is."""
        answer = self._client.describe_stack_set_operation(StackSetName=name, OperationId=operation_id, CallAs=call_as)
        return msgspec.structs.replace(read(answer, StackSetOperation, "StackSetOperation"), id=operation_id)

    def stack_set_operation_results(
        self, name: str, operation_id: str, *, status: str = "", call_as: CallAs = "SELF"
    ) -> tuple[StackSetOperationResult, ...]:
        """What became of each instance; with `status` of those in that state only."""
        chosen: dict[str, Any] = {"Filters": [{"Name": "OPERATION_RESULT_STATUS", "Values": status}]} if status else {}
        return tuple(
            self._pages(
                self._client.list_stack_set_operation_results,
                "Summaries",
                StackSetOperationResult,
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
        return read(answer, str, "OperationId")

    def stop_stack_set_operation(self, name: str, operation_id: str, *, call_as: CallAs = "SELF") -> None:
        """Ask an operation to stop."""
        self._client.stop_stack_set_operation(StackSetName=name, OperationId=operation_id, CallAs=call_as)

    def detect_stack_set_drift(self, name: str, *, operation_id: str, preferences: Mapping[str, Any], call_as: CallAs = "SELF") -> str:
        """Begin to look for drift in every instance; returns the operation's id, to be asked with `stack_set_operation`."""
        answer = self._client.detect_stack_set_drift(
            StackSetName=name, OperationId=operation_id, OperationPreferences=dict(preferences), CallAs=call_as
        )
        return read(answer, str, "OperationId")

    def instance_drifts(
        self, name: str, *, account_id: str, region: str, operation_id: str, call_as: CallAs = "SELF"
    ) -> tuple[ResourceDrift, ...]:
        """What a drift operation found in one instance (ListStackInstanceResourceDrifts)."""
        return tuple(
            self._pages(
                self._client.list_stack_instance_resource_drifts,
                "Summaries",
                ResourceDrift,
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
            found = self._pages(self._client.list_stack_set_operations, "Summaries", StackSetOperation, StackSetName=name, CallAs=call_as)
            return tuple(o for o in found if o.status in ("RUNNING", "STOPPING", "QUEUED"))
        except NotFound:
            return ()


def _stack_set_arguments(request: StackSetRequest) -> dict[str, Any]:
    automatic = (
        {
            "Enabled": request.auto_deployment,
            **({"RetainStacksOnAccountRemoval": request.retain_stacks_on_account_removal} if request.auto_deployment else {}),
        }
        if request.permission_model == "SERVICE_MANAGED"
        else None
    )
    return given(
        StackSetName=request.name,
        Description=request.description or None,
        TemplateBody=request.template_body,
        TemplateURL=request.template_url,
        Parameters=parameters_sent(request.parameters),
        Capabilities=list(request.capabilities),
        Tags=tags_sent(request.tags),
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
        "DeploymentTargets": given(
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

"""Change sets: made, waited for, read whole, executed, deleted; and the empty stacks that they leave behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import field

from aws.answers import Answer, answers, read
from aws.cloudformation.requests import REDACTED, Parameters, ParameterValue, given, parameters_sent, tags_sent
from aws.cloudformation.stacks import Stacks
from aws.errors import AwsError, BadRequest, Conflict, NetworkError, NotFound

_NO_CHANGES = re.compile(r"didn't contain changes|No updates are to be performed", re.IGNORECASE)


class ResourceImport(msgspec.Struct, frozen=True, kw_only=True):
    """ResourceToImport."""

    resource_type: str = field(name="ResourceType")
    logical_id: str = field(name="LogicalResourceId")
    identifier: dict[str, str] = field(name="ResourceIdentifier")


class ChangeSetRequest(msgspec.Struct, frozen=True, kw_only=True):
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
    revert_drift: bool = False
    import_existing: bool = False
    imports: tuple[ResourceImport, ...] = ()
    """For type IMPORT, which takes no tags that the stack does not have (seen from MiniStack's measurements): none are sent."""


class CreatedChangeSet(Answer, frozen=True, kw_only=True):
    """Its ARN and that of its stack, which for type CREATE may be new."""

    arn: str = field(name="Id")
    stack_arn: str = field(name="StackId", default="")


class RawDetail(Answer, frozen=True, kw_only=True):
    """ResourceChangeDetail; absent fields are empty or None."""

    attribute: str = field(name="Target.Attribute", default="")
    name: str = field(name="Target.Name", default="")
    path: str = field(name="Target.Path", default="")
    requires_recreation: str = field(name="Target.RequiresRecreation", default="")
    evaluation: str = ""
    change_source: str = ""
    causing_entity: str = ""
    attribute_change: str = field(name="Target.AttributeChangeType", default="")
    before: str | None = field(name="Target.BeforeValue", default=None)
    after: str | None = field(name="Target.AfterValue", default=None)
    before_from: str = field(name="Target.BeforeValueFrom", default="")
    drift_detected_at: str | None = field(
        name="Target.Drift.DriftDetectionTimestamp|Target.Drift.ActualValue|Target.Drift.PreviousValue", default=None
    )
    """Any text of LiveResourceDrift, whose presence is what counts; the moment as a rule."""

    @property
    def drifted(self) -> bool:
        """LiveResourceDrift is given, or the before value is the actual state."""
        return self.drift_detected_at is not None or self.before_from == "ACTUAL_STATE"


class RawChange(Answer, frozen=True, kw_only=True):
    """ResourceChange as CloudFormation describes it."""

    action: str = ""
    logical_id: str = field(name="LogicalResourceId")
    resource_type: str
    physical_id: str | None = field(name="PhysicalResourceId", default=None)
    replacement: str = ""
    policy_action: str | None = None
    scope: tuple[str, ...] = ()
    details: tuple[RawDetail, ...] = ()


class ChangeSetDescription(Answer, frozen=True, kw_only=True):
    """DescribeChangeSet, every page, read twice: CloudFormation has been seen to drop resources from the read with property values."""

    arn: str = field(name="ChangeSetId")
    name: str = field(name="ChangeSetName")
    stack_arn: str = field(name="StackId")
    stack_name: str
    status: str
    status_reason: str = ""
    execution_status: str = ""
    created_at: str = field(name="CreationTime", default="")
    with_values: tuple[RawChange, ...] = ()
    without_values: tuple[RawChange, ...] = ()
    parameters: Parameters = field(default_factory=dict)

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


class ChangeSetSummary(Answer, frozen=True, kw_only=True):
    """ListChangeSets, one."""

    arn: str = field(name="ChangeSetId")
    name: str = field(name="ChangeSetName")
    status: str
    execution_status: str = ""
    created_at: str = field(name="CreationTime", default="")


class _Change(Answer, frozen=True, kw_only=True):
    resource_change: RawChange | None = None


class _Changes(Answer, frozen=True, kw_only=True):
    changes: tuple[_Change, ...] = ()


class _State(Answer, frozen=True, kw_only=True):
    status: str


class NothingToChange(BadRequest):
    """CreateChangeSet was refused in the words in which it says, as a rule later, that there is nothing to change."""


class ChangeSets(Stacks):
    """The change sets of the stacks of one account and region."""

    def create_change_set(self, request: ChangeSetRequest) -> CreatedChangeSet:
        """Begin to make it; `wait_for_change_set` says what became of it.

        The name must be unique: "already exists" is taken for the answer to a request of ours whose first answer was lost.
        Raises `NothingToChange` where CloudFormation knows that at once (as UpdateStack does; seen from moto).
        """
        try:
            with self._making:
                return read(self._client.create_change_set(**_arguments(request)), CreatedChangeSet)
        except BadRequest as refused:
            if _NO_CHANGES.search(str(refused)):
                raise NothingToChange(str(refused)) from refused
            raise
        except (Conflict, NetworkError):
            mine = [s for s in self._own_change_sets(request.stack) if s.name == request.name]
            if not mine:
                raise
            description = self.describe_stack(request.stack)
            return CreatedChangeSet(arn=mine[0].arn, stack_arn=description.arn if description else "")

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
            if not self._being_made(created.arn, created.stack_arn):
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
        found = [*answers(self._client.describe_change_set, ChangeSetName=change_set, StackName=stack)]
        described = read(found[0], ChangeSetDescription)
        without = _changes(found)
        values: tuple[RawChange, ...] = ()
        if without or described.status == "CREATE_COMPLETE":
            values = _changes(
                answers(self._client.describe_change_set, ChangeSetName=change_set, StackName=stack, IncludePropertyValues=True)
            )
        return msgspec.structs.replace(
            described,
            with_values=values,
            without_values=without,
            parameters={name: REDACTED if name in hidden else value for name, value in described.parameters.items()},
        )

    def list_change_sets(self, stack: str) -> tuple[ChangeSetSummary, ...]:
        """Every change set of the stack; none if there is no stack."""
        try:
            return tuple(self._pages(self._client.list_change_sets, "Summaries", ChangeSetSummary, StackName=stack))
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
        state = read(self._client.describe_change_set(ChangeSetName=change_set, StackName=stack), _State)
        return state.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS")

    def change_set_state(self, change_set: str, stack: str) -> ChangeSetSummary | None:
        """Whether it can be executed or has been, without its changes; None if it or its stack is gone."""
        try:
            return read(self._client.describe_change_set(ChangeSetName=change_set, StackName=stack), ChangeSetSummary)
        except NotFound:
            return None

    def execute_change_set(self, change_set: str, stack: str, *, token: str) -> None:
        """Begin to execute it; the events it causes carry `token`. Executing it deletes the stack's other change sets.

        What fails is rolled back: said in so many words, as the API reference gives True as DisableRollback's default for this call alone.
        """
        self._client.execute_change_set(ChangeSetName=change_set, StackName=stack, ClientRequestToken=token, DisableRollback=False)

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


def _changes(found: Iterable[Mapping[str, Any]]) -> tuple[RawChange, ...]:
    changes = (each for answer in found for each in read(answer, _Changes).changes)
    return tuple(each.resource_change for each in changes if each.resource_change is not None)


def _arguments(request: ChangeSetRequest) -> dict[str, Any]:
    return given(
        StackName=request.stack,
        ChangeSetName=request.name,
        ChangeSetType=request.type,
        TemplateBody=request.template_body,
        TemplateURL=request.template_url,
        Parameters=parameters_sent(request.parameters),
        Capabilities=list(request.capabilities),
        Tags=None if request.imports else tags_sent(request.tags),
        RoleARN=request.role_arn,
        ClientToken=request.client_token,
        Description=request.description or None,
        DeploymentMode="REVERT_DRIFT" if request.revert_drift else None,
        ImportExistingResources=True if request.import_existing else None,
        ResourcesToImport=[msgspec.to_builtins(each) for each in request.imports] or None,
    )

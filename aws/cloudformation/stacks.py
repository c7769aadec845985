"""Stacks: what they are, have and tell, and what is done to a whole stack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import field

from aws.answers import Answer, Pairs, Tags, read
from aws.cloudformation.connection import Connection
from aws.cloudformation.requests import Parameters, given
from aws.errors import NotFound

_IN_PROGRESS = "_IN_PROGRESS"


class StackDescription(Answer, frozen=True, kw_only=True):
    """DescribeStacks of one stack."""

    name: str = field(name="StackName")
    arn: str = field(name="StackId", default="")
    status: str = field(name="StackStatus")
    status_reason: str = field(name="StackStatusReason", default="")
    changed_at: str = field(name="LastUpdatedTime|CreationTime", default="")
    """LastUpdatedTime, else CreationTime; ISO 8601, UTC."""
    parameters: Parameters = field(default_factory=dict)
    outputs: Annotated[dict[str, str], Pairs("OutputKey", "OutputValue")] = field(default_factory=dict)
    tags: Tags = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = field(name="RoleARN", default=None)
    termination_protection: bool = field(name="EnableTerminationProtection", default=False)
    drift: str | None = field(name="DriftInformation.StackDriftStatus", default=None)
    drift_checked_at: str | None = field(name="DriftInformation.LastCheckTimestamp", default=None)

    @property
    def under_review(self) -> bool:
        """Made by a CREATE change set that was never executed: it has no resources."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def deployed(self) -> bool:
        """It has, or had a moment ago, resources: it was not deleted, and is more than what a change set waits in."""
        return not self.under_review and self.status != "DELETE_COMPLETE"

    @property
    def busy(self) -> bool:
        """CloudFormation is working on it."""
        return self.status.endswith(_IN_PROGRESS) and not self.under_review


class StackResource(Answer, frozen=True, kw_only=True):
    """ListStackResources, one resource."""

    logical_id: str = field(name="LogicalResourceId")
    physical_id: str = field(name="PhysicalResourceId", default="")
    resource_type: str
    status: str = field(name="ResourceStatus", default="")
    status_reason: str = field(name="ResourceStatusReason", default="")
    drift: str = field(name="DriftInformation.StackResourceDriftStatus", default="")
    changed_at: str = field(name="LastUpdatedTimestamp", default="")
    """ISO 8601, UTC."""


class StackEvent(Answer, frozen=True, kw_only=True):
    """DescribeStackEvents, one event."""

    id: str = field(name="EventId")
    stack_arn: str = field(name="StackId", default="")
    logical_id: str = field(name="LogicalResourceId", default="")
    physical_id: str = field(name="PhysicalResourceId", default="")
    resource_type: str = ""
    status: str = field(name="ResourceStatus", default="")
    reason: str = field(name="ResourceStatusReason", default="")
    at: str = field(name="Timestamp", default="")
    """ISO 8601, UTC."""
    token: str = field(name="ClientRequestToken", default="")
    """ClientRequestToken of the call that caused it; empty where CloudFormation does not say."""


class _Template(Answer, frozen=True, kw_only=True):
    template_body: Any = ""


class _Policy(Answer, frozen=True, kw_only=True):
    stack_policy_body: str | None = None


class _Summary(Answer, frozen=True, kw_only=True):
    stack_name: str
    stack_id: str = ""
    stack_status: str = ""
    deletion_time: str = ""


_SAME = (frozenset({"AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}),)
"""Types of CloudFormation by which one and the same thing may go."""


class _Owned(Answer, frozen=True, kw_only=True):
    stack_name: str
    physical_id: str = field(name="PhysicalResourceId", default="")
    status: str = field(name="ResourceStatus", default="")
    type: str = field(name="ResourceType", default="")


class _Limit(Answer, frozen=True, kw_only=True):
    name: str
    value: int


class Stacks(Connection):
    """The stacks of one account and region."""

    def describe_stack(self, stack: str) -> StackDescription | None:
        """The stack of that name or ARN; None if there is none (a deleted one is only found by its ARN)."""
        try:
            answer = self._client.describe_stacks(StackName=stack)
        except NotFound:
            return None
        found = read(answer, tuple[StackDescription, ...], "Stacks")
        return found[0] if found else None

    def settled_stack(self, stack: str, *, attempts: int = 6) -> StackDescription | None:
        """As `describe_stack`; one at work is looked at again for some seconds, since the answer may be older than its end."""
        found = self.describe_stack(stack)
        for _ in range(attempts - 1):
            if found is None or not found.busy:
                break
            self.pause()
            found = self.describe_stack(stack)
        return found

    def get_template(self, stack: str) -> str | None:
        """The template as it was submitted, canonical JSON if it was JSON; None if there is no stack."""
        try:
            body = read(self._client.get_template(StackName=stack, TemplateStage="Original"), _Template).template_body
        except NotFound:
            return None
        return body if isinstance(body, str) else json.dumps(body, sort_keys=True)

    def list_resources(self, stack: str) -> tuple[StackResource, ...]:
        """Every resource of the stack."""
        return tuple(self._pages(self._client.list_stack_resources, "StackResourceSummaries", StackResource, StackName=stack))

    def owner(self, physical_id: str, resource_type: str) -> str:
        """Name of the stack of this region that has that resource; empty if none is known to (DescribeStackResources).

        A physical id alone says little: a bucket's policy and many a custom resource have the bucket's name for theirs. AWS answers
        with one stack, so another one that has the resource itself can stay unknown; CloudFormation refuses it then.
        """
        try:
            found = read(self._client.describe_stack_resources(PhysicalResourceId=physical_id), tuple[_Owned, ...], "StackResources")
        except NotFound:
            return ""
        kinds = next((same for same in _SAME if resource_type in same), frozenset({resource_type}))
        ours = (each for each in found if each.physical_id == physical_id and each.type in kinds)
        return next((each.stack_name for each in ours if each.status != "DELETE_COMPLETE"), "")

    def events(self, stack_arn: str, *, token: str | None = None, seen: Iterable[str] = ()) -> tuple[StackEvent, ...]:
        """Events oldest first, all pages back to the first one in `seen`; with `token` only those that the call with it caused.

        Where CloudFormation does not tell the token of an event, it counts as caused by the call.
        """
        known = frozenset(seen)
        found: list[StackEvent] = []
        for event in self._pages(self._client.describe_stack_events, "StackEvents", StackEvent, StackName=stack_arn):
            if event.id in known:
                break
            found.append(event)
        return tuple(e for e in reversed(found) if token is None or e.token in ("", token))

    def delete_stack(self, stack: str, *, token: str | None = None, role_arn: str | None = None, retain: tuple[str, ...] = ()) -> None:
        """Begin to delete it. `retain` (logical ids) is only taken for a stack in DELETE_FAILED. No stack: nothing happens."""
        self._client.delete_stack(
            StackName=stack, **given(ClientRequestToken=token, RoleARN=role_arn, RetainResources=list(retain) or None)
        )

    def set_stack_policy(self, stack: str, policy: str) -> None:
        """Put the stack policy (JSON) in force."""
        self._client.set_stack_policy(StackName=stack, StackPolicyBody=policy)

    def get_stack_policy(self, stack: str) -> str | None:
        """The stack policy in force (JSON); None if there is none."""
        return read(self._client.get_stack_policy(StackName=stack), _Policy).stack_policy_body or None

    def set_termination_protection(self, stack: str, *, enabled: bool) -> None:
        """Switch termination protection on or off."""
        self._client.update_termination_protection(StackName=stack, EnableTerminationProtection=enabled)

    def continue_update_rollback(
        self, stack: str, *, token: str | None = None, role_arn: str | None = None, skip: tuple[str, ...] = ()
    ) -> None:
        """Take a stack out of UPDATE_ROLLBACK_FAILED."""
        self._client.continue_update_rollback(
            StackName=stack, **given(ClientRequestToken=token, RoleARN=role_arn, ResourcesToSkip=list(skip) or None)
        )

    def rollback_stack(self, stack: str, *, token: str | None = None, role_arn: str | None = None) -> None:
        """Roll a CREATE_FAILED or UPDATE_FAILED stack back to its last good state."""
        self._client.rollback_stack(StackName=stack, **given(ClientRequestToken=token, RoleARN=role_arn))

    def deleted_stacks(self, name: str) -> tuple[str, ...]:
        """ARNs of the deleted stacks of that name, the latest first; CloudFormation remembers them for 90 days (ListStacks)."""
        found = [
            (s.deletion_time, s.stack_id)
            for s in self._pages(self._client.list_stacks, "StackSummaries", _Summary, StackStatusFilter=["DELETE_COMPLETE"])
            if s.stack_name == name and s.stack_id
        ]
        return tuple(arn for _, arn in sorted(found, reverse=True))

    def stack_limit(self) -> int | None:
        """StackLimit of DescribeAccountLimits: stacks that the account may have in this region; None where it is not told."""
        for limit in self._pages(self._client.describe_account_limits, "AccountLimits", _Limit):
            if limit.name == "StackLimit":
                return limit.value
        return None

    def stack_names(self, *, under_review: bool = False) -> tuple[str, ...]:
        """Every stack of the region that is not deleted, the latest first (ListStacks). `under_review`: also never created ones."""
        left_out = ("DELETE_COMPLETE",) if under_review else ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
        return tuple(
            s.stack_name for s in self._pages(self._client.list_stacks, "StackSummaries", _Summary) if s.stack_status not in left_out
        )


class EventFeed:
    """The events of one stack as they come, none of them twice."""

    def __init__(self, gateway: Stacks, stack_arn: str, *, token: str | None, before: Iterable[str] = ()) -> None:
        self._gateway = gateway
        self._stack_arn = stack_arn
        self._token = token
        self._seen = set(before)

    def new(self) -> tuple[StackEvent, ...]:
        """Events since the last call, oldest first."""
        found = self._gateway.events(self._stack_arn, seen=self._seen)
        self._seen.update(e.id for e in found)
        return tuple(e for e in found if self._token is None or e.token in ("", self._token))

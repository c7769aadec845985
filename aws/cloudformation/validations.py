"""Pre-deployment validations of CloudFormation (DescribeEvents): of a change set, and of an operation that they stopped."""

from __future__ import annotations

from msgspec import field

from aws.answers import Answer
from aws.cloudformation.connection import Connection
from aws.errors import AwsError


class ValidationEvent(Answer, frozen=True, kw_only=True):
    """A VALIDATION_ERROR of DescribeEvents."""

    logical_id: str = field(name="LogicalResourceId", default="")
    resource_type: str = ""
    name: str = field(name="ValidationName", default="")
    path: str = field(name="ValidationPath", default="")
    status: str = field(name="ValidationStatus", default="FAILED")
    failure_mode: str = field(name="ValidationFailureMode", default="FAIL")
    reason: str = field(name="ValidationStatusReason|ResourceStatusReason", default="")
    event_type: str = ""
    token: str = field(name="ClientRequestToken", default="")
    at: str = field(name="Timestamp", default="")
    """ISO 8601, UTC."""


class Validations(Connection):
    """What validation found."""

    def validations(self, change_set: str, stack: str) -> tuple[ValidationEvent, ...]:
        """What CloudFormation's pre-deployment validation found.

        Raises `AwsError`, also where the service does not know the call: unread results are not the same as none.
        An ARN says which stack it is; a stack named beside it could be taken for a question about the stack's own operations.
        """
        of = {} if change_set.startswith("arn:") else {"StackName": stack}
        events = self._pages(self._client.describe_events, "OperationEvents", ValidationEvent, ChangeSetName=change_set, **of)
        return tuple(e for e in events if e.event_type == "VALIDATION_ERROR")

    def operation_validations(self, stack: str, *, token: str | None) -> tuple[ValidationEvent, ...]:
        """What validation found in the operation that a call with `token` began, or in any; empty where that cannot be read.

        CloudFormation then fails the whole operation before any resource has an event, and its reason only says to ask here.
        """
        try:
            events = list(self._pages(self._client.describe_events, "OperationEvents", ValidationEvent, StackName=stack))
        except AwsError:
            return ()
        return tuple(e for e in reversed(events) if e.event_type == "VALIDATION_ERROR" and (token is None or e.token in ("", token)))

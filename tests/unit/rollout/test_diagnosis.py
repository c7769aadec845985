"""The root cause is the first resource that failed by itself; every state says what to type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.cloudformation.stacks import StackEvent
from aws.cloudformation.validations import ValidationEvent
from rollout.diagnosis import diagnose, failures, next_step

ARN = "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/1"


def event(
    logical_id: str, status: str, reason: str = "", kind: str = "AWS::SSM::Parameter", physical: str = "p", number: int = 0
) -> StackEvent:
    return StackEvent(
        id=f"{logical_id}{status}{number}",
        stack_arn=ARN,
        logical_id=logical_id,
        physical_id=physical,
        resource_type=kind,
        status=status,
        reason=reason,
        at=f"2026-11-22T10:00:{number:02d}Z",
        token="t",
    )


def stack_event(status: str, reason: str = "") -> StackEvent:
    return event("demo", status, reason, kind="AWS::CloudFormation::Stack", physical=ARN)


def found(*events: StackEvent, status: str = "UPDATE_ROLLBACK_COMPLETE", **more: object):  # type: ignore[no-untyped-def]
    return diagnose(events, status=status, status_reason="", environment="dev", stack="site", **more)  # type: ignore[arg-type]


def test_who_was_only_cancelled_is_not_the_cause() -> None:
    diagnosis = found(
        stack_event("UPDATE_IN_PROGRESS"),
        event("A", "CREATE_FAILED", "Resource creation cancelled"),
        event("B", "CREATE_FAILED", "demo already exists (Service: S3, Status Code: 409)"),
        event("C", "UPDATE_FAILED", "Resource update cancelled"),
        event("D", "CREATE_FAILED", "Access denied too"),
        stack_event("UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [B, A]"),
        stack_event("UPDATE_ROLLBACK_COMPLETE"),
    )
    assert diagnosis.cause is not None
    assert (diagnosis.cause.logical_id, diagnosis.cause.reason) == ("B", "demo already exists (Service: S3, Status Code: 409)")
    assert ([o.logical_id for o in diagnosis.others], diagnosis.cancelled) == (["D"], 2)
    assert diagnosis.command == "python deploy.py plan --env dev"


def test_a_failed_rollback_keeps_the_first_cause_first() -> None:
    diagnosis = found(
        event("B", "UPDATE_FAILED", "Invalid value"),
        event("B", "UPDATE_FAILED", "Could not restore", number=1),
        stack_event("UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [B]."),
        status="UPDATE_ROLLBACK_FAILED",
    )
    assert diagnosis.cause is not None
    assert diagnosis.cause.reason == "Invalid value"
    assert [o.reason for o in diagnosis.others] == ["Could not restore"]
    assert diagnosis.command == "python deploy.py doctor --env dev --fix"


def test_a_nested_stack_can_be_the_cause_and_the_stack_itself_only_for_want_of_another() -> None:
    nested = event("Child", "CREATE_FAILED", "Embedded stack was not created", kind="AWS::CloudFormation::Stack", physical="arn:child")
    assert failures([nested])[0][0].logical_id == "Child"
    diagnosis = found(stack_event("UPDATE_FAILED", "Template error"))
    assert diagnosis.cause is not None
    assert (diagnosis.cause.logical_id, diagnosis.cause.reason) == ("", "Template error")


def test_validation_that_stops_everything_is_the_cause() -> None:
    problem = ValidationEvent(
        logical_id="Bucket",
        resource_type="AWS::S3::Bucket",
        name="NAME_CONFLICT",
        path="/Resources/Bucket/Properties/BucketName",
        status="FAILED",
        failure_mode="FAIL",
        reason="Resource already exists",
    )
    warning = ValidationEvent(logical_id="X", resource_type="", name="", path="", status="FAILED", failure_mode="WARN", reason="hm")
    diagnosis = found(stack_event("UPDATE_FAILED", "Validation failed with 1 error(s)."), validations=(warning, problem))
    assert diagnosis.cause is not None
    assert diagnosis.cause.logical_id == "Bucket"
    assert diagnosis.cause.reason == "/Resources/Bucket/Properties/BucketName: Resource already exists"


def test_a_right_that_is_missing_sends_to_doctor() -> None:
    diagnosis = found(event("B", "CREATE_FAILED", "User: x is not authorized to perform: s3:CreateBucket"), status="SOMETHING_NEW")
    assert diagnosis.command == "python deploy.py doctor --env dev"


@pytest.mark.parametrize(
    "status",
    [
        "REVIEW_IN_PROGRESS",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "UPDATE_ROLLBACK_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
        "CREATE_FAILED",
        "UPDATE_FAILED",
        "DELETE_FAILED",
        "DELETE_COMPLETE",
        "DELETE_IN_PROGRESS",
        "IMPORT_ROLLBACK_COMPLETE",
    ],
)
def test_every_state_that_is_not_good_says_what_to_type(status: str) -> None:
    explanation, command = next_step(status, environment="dev", stack="site")
    assert explanation
    assert command.startswith("python deploy.py ")
    assert "--env dev" in command


CANCELLED = ("Resource creation cancelled", "Resource update cancelled", "Resource creation Cancelled")


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABCD"), st.sampled_from(["CREATE_COMPLETE", "CREATE_FAILED"]), st.sampled_from([*CANCELLED, "own", "other"])
        )
    )
)
def test_the_cause_is_always_the_first_own_failure(rows: list[tuple[str, str, str]]) -> None:
    events = [event(i, s, r, number=n % 60) for n, (i, s, r) in enumerate(rows)]
    own = [(i, r) for i, s, r in rows if s == "CREATE_FAILED" and r not in CANCELLED]
    found_failures, _ = failures(events)
    assert [(f.logical_id, f.reason) for f in found_failures] == own

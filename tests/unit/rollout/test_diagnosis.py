"""The root cause is the first resource that failed by itself; every state says what to type."""

from __future__ import annotations

import msgspec
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
    return diagnose(events, status=status, status_reason="", environment="dev", **more)  # type: ignore[arg-type]


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


def test_an_account_that_aws_has_to_verify_first_is_not_taken_for_a_missing_permission() -> None:
    words = (
        "Access denied for operation 'AWS::CloudFront::Distribution: Your account must be verified before you can add new CloudFront"
        " resources. To verify your account, please contact AWS Support (Service: CloudFront, Status Code: 403, AccessDenied)'."
    )
    diagnosis = found(event("Distribution", "CREATE_FAILED", words), stack_event("ROLLBACK_COMPLETE"), status="ROLLBACK_COMPLETE")
    assert diagnosis.command.startswith("open a case at https://console.aws.amazon.com/support/")
    assert diagnosis.explanation.startswith("no permission is missing: AWS wants to verify this account")
    assert diagnosis.explanation.endswith("then: python deploy.py doctor --env dev --fix")


def test_an_account_that_is_not_activated_is_told_as_well() -> None:
    words = "The AWS Access Key Id needs a subscription for the service (Service: CloudFront, Status Code: 403, OptInRequired)"
    diagnosis = found(event("Distribution", "CREATE_FAILED", words))
    assert diagnosis.explanation.startswith("no permission is missing: this account is not activated for the service")


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
    skipped = msgspec.structs.replace(problem, status="SKIPPED", logical_id="Y")
    diagnosis = found(stack_event("UPDATE_FAILED", "Validation failed with 1 error(s)."), validations=(warning, skipped, problem))
    assert diagnosis.cause is not None
    assert diagnosis.cause.logical_id == "Bucket"
    assert diagnosis.cause.reason == "/Resources/Bucket/Properties/BucketName: Resource already exists"


def test_a_right_that_is_missing_sends_to_doctor() -> None:
    diagnosis = found(event("B", "CREATE_FAILED", "User: x is not authorized to perform: s3:CreateBucket"), status="SOMETHING_NEW")
    assert diagnosis.command == "python deploy.py doctor --env dev"


@pytest.mark.parametrize(
    ("reason", "status", "explained", "command"),
    [
        (
            "A version for this Lambda function exists ( 3 ). Modify the function to create a new version.",
            "UPDATE_ROLLBACK_COMPLETE",
            "publishes no second version",
            "python deploy.py set-password --env dev --generate",
        ),
        (
            'Resource handler returned message: "Version already exists: [arn:aws:lambda:us-east-1:123456789012:function:a:3]. '
            'Please modify the function to create a new version. (Service: Lambda, Status Code: 409)"',
            "UPDATE_ROLLBACK_COMPLETE",
            "publishes no second version",
            "python deploy.py set-password --env dev --generate",
        ),
        (
            'Resource handler returned message: "Function already exist: demo-edge (Service: Lambda, Status Code: 409)"',
            "ROLLBACK_COMPLETE",
            "aws lambda delete-function --region us-east-1",
            "python deploy.py doctor --env dev --fix",
        ),
        (
            "[Tried to create resource record set [name='dev.example.org.', type='A'] but it already exists]",
            "SOMETHING_NEW",
            "a plan can replace it",
            "python deploy.py plan --env dev --replace-records",
        ),
        (
            "Provider with url https://token.actions.githubusercontent.com already exists. (Service: Iam, Status Code: 409)",
            "ROLLBACK_COMPLETE",
            "an account has one such provider",
            "set github.create_provider: false in the environment's file, and build again",
        ),
        (
            "One or more of the CNAMEs you provided are already associated with a different resource.",
            "ROLLBACK_COMPLETE",
            "another distribution",
            "take the domain off that distribution, or move it without a gap: docs/guides/moving-a-site.md",
        ),
        (
            "The requested bucket name is not available. (Service: Amazon S3; Status Code: 409; Error Code: BucketAlreadyExists)",
            "ROLLBACK_COMPLETE",
            "another account",
            "give the bucket another name in the environment's file, and build again",
        ),
        (
            "The bucket policy already exists on bucket dev-site. (HandlerErrorCode: AlreadyExists)",
            "UPDATE_ROLLBACK_COMPLETE",
            "a policy that no stack made",
            "python deploy.py adopt --env dev --plan",
        ),
        (
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting (InvalidBucketAclWithObjectOwnership)",
            "UPDATE_ROLLBACK_COMPLETE",
            "ACL grants something to others",
            "move such grants into the bucket's policy, then: aws s3api put-bucket-acl --acl private --bucket NAME",
        ),
        (
            "Invalid principal in policy (Service: S3, Status Code: 400; Error Code: MalformedPolicy)",
            "UPDATE_ROLLBACK_COMPLETE",
            "somebody who does not exist",
            "compare adopt.origin_access_identity in the environment's file with: aws cloudfront list-cloud-front-origin-access-identities;"
            " then build again",
        ),
        (
            'Resource handler returned message: "Role with name demo already exists. (Service: Iam, Status Code: 409)"',
            "ROLLBACK_COMPLETE",
            "stands in the account already",
            "python deploy.py doctor --env dev --fix",
        ),
        (
            "Resource of type 'AWS::Lambda::Function' with identifier 'demo-edge' already exists.",
            "ROLLBACK_COMPLETE",
            "its first creation was rolled back",
            "python deploy.py doctor --env dev --fix",
        ),
    ],
)
def test_a_known_cause_is_explained_before_the_state(reason: str, status: str, explained: str, command: str) -> None:
    diagnosis = found(event("Version1", "CREATE_FAILED", reason), status=status)
    assert explained in diagnosis.explanation
    assert diagnosis.command == command


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
def test_every_state_that_needs_somebody_says_what_to_type(status: str) -> None:
    explanation, command = next_step(status, environment="dev")
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


def test_a_role_that_cannot_be_assumed_is_named_with_what_to_do_whatever_state_the_stack_is_in() -> None:
    for reason in (
        "Role arn:aws:iam::123456789012:role/web-dev-cloudformation is invalid or cannot be assumed",
        "S3 is unable to assume the role arn:aws:iam::123456789012:role/web-dev-replication",
    ):
        for status in ("UPDATE_ROLLBACK_FAILED", "CREATE_FAILED", "UPDATE_IN_PROGRESS"):
            diagnosis = found(stack_event("UPDATE_FAILED", reason), status=status)
            assert diagnosis.cause is not None
            assert diagnosis.cause.reason == reason
            assert "its trust policy does not let the service in" in diagnosis.explanation
            assert diagnosis.command == "python deploy.py plan --env dev --only foundation"


def test_the_stacks_own_words_are_those_of_the_first_failure_that_has_any() -> None:
    diagnosis = found(stack_event("UPDATE_FAILED", ""), stack_event("UPDATE_ROLLBACK_FAILED", "it cannot go back"))
    assert diagnosis.cause is not None and diagnosis.cause.reason == "it cannot go back"

"""Every way in which botocore fails becomes one of ours that a caller can act upon, with AWS's words and the next command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as bc
from hypothesis import given
from hypothesis import strategies as st

from aws import errors
from aws.errors import Origin, translate, translated
from guards.text import printable

ORIGIN = Origin(
    service="cloudformation",
    operation="CreateStack",
    account="111111111111",
    region="eu-west-1",
    login_command="aws sso login --profile dev",
    doctor_command="python deploy.py doctor --env dev",
)


def answer(code: str, status: int, message: str = "words") -> bc.ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r-1"}}
    return bc.ClientError(response, "CreateStack")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ExpiredToken", 403, errors.CredentialsExpired),
        ("ExpiredTokenException", 400, errors.CredentialsExpired),
        ("InvalidClientTokenId", 403, errors.CredentialsError),
        ("SignatureDoesNotMatch", 403, errors.CredentialsError),
        ("Throttling", 400, errors.Throttled),
        ("SlowDown", 503, errors.Throttled),
        ("TooManyInvalidationsInProgress", 400, errors.Throttled),
        ("Whatever", 429, errors.Throttled),
        ("AccessDenied", 403, errors.AccessDenied),
        ("AccessDeniedException", 400, errors.AccessDenied),
        ("403", 403, errors.AccessDenied),
        ("AlreadyExistsException", 400, errors.Conflict),
        ("EntityAlreadyExists", 409, errors.Conflict),
        ("ResourceExistsException", 400, errors.Conflict),
        ("BucketAlreadyOwnedByYou", 409, errors.Conflict),
        ("OperationInProgressException", 409, errors.Conflict),
        ("OperationIdAlreadyExistsException", 409, errors.Conflict),
        ("StackSetNotEmptyException", 409, errors.Conflict),
        ("ConditionalCheckFailedException", 400, errors.Conflict),
        ("PreconditionFailed", 412, errors.Conflict),
        ("ConditionalRequestConflict", 409, errors.Conflict),
        ("ResourceNotFoundException", 400, errors.NotFound),
        ("ChangeSetNotFound", 404, errors.NotFound),
        ("NoSuchKey", 404, errors.NotFound),
        ("NoSuchHostedZone", 404, errors.NotFound),
        ("404", 404, errors.NotFound),
        ("InternalError", 500, errors.Unavailable),
        ("ServiceUnavailable", 503, errors.Unavailable),
        ("ValidationError", 400, errors.BadRequest),
        ("InsufficientCapabilitiesException", 400, errors.BadRequest),
    ],
)
def test_answers_by_code_and_status(code: str, status: int, kind: type[errors.AwsError]) -> None:
    error = translate(answer(code, status), ORIGIN)
    assert type(error) is kind
    assert (error.code, error.status, error.message, error.request_id) == (code, status, "words", "r-1")


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        (
            "SignatureDoesNotMatch",
            403,
            "Signature expired: 20261127T000000Z is now earlier than 20261127T001500Z (20261127T003000Z - 15 min.)",
        ),
        ("InvalidSignatureException", 400, "Signature not yet current: 20261127T003000Z is still later than 20261127T001500Z"),
        ("RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."),
    ],
)
def test_a_wrong_clock_is_not_taken_for_wrong_credentials(code: str, status: int, message: str) -> None:
    error = translate(answer(code, status, message), ORIGIN)
    assert isinstance(error, errors.CredentialsError) and "clock" in error.hint


def test_a_missing_stack_is_told_by_its_words() -> None:
    """CloudFormation has no code of its own for it."""
    assert type(translate(answer("ValidationError", 400, "Stack with id web does not exist"), ORIGIN)) is errors.NotFound


@pytest.mark.parametrize(
    ("raised", "kind", "hint"),
    [
        (bc.EndpointConnectionError(endpoint_url="https://x", error="e"), errors.NetworkError, "network"),
        (bc.ConnectTimeoutError(endpoint_url="https://x"), errors.NetworkError, "network"),
        (bc.ReadTimeoutError(endpoint_url="https://x"), errors.NetworkError, "network"),
        (bc.ConnectionClosedError(endpoint_url="https://x"), errors.NetworkError, "network"),
        (bc.SSLError(endpoint_url="https://x", error=OSError("e")), errors.NetworkError, "network"),
        (bc.ProxyConnectionError(proxy_url="http://x"), errors.NetworkError, "network"),
        (bc.ResponseStreamingError(error="e"), errors.NetworkError, "network"),
        (bc.IncompleteReadError(actual_bytes=1, expected_bytes=2), errors.NetworkError, "network"),
        (bc.NoCredentialsError(), errors.CredentialsError, "aws sso login --profile dev"),
        (bc.PartialCredentialsError(provider="p", cred_var="v"), errors.CredentialsError, "aws sso login --profile dev"),
        (bc.CredentialRetrievalError(provider="p", error_msg="e"), errors.CredentialsError, "aws sso login --profile dev"),
        (bc.UnauthorizedSSOTokenError(), errors.CredentialsExpired, "aws sso login --profile dev"),
        (bc.SSOTokenLoadError(error_msg="e"), errors.CredentialsExpired, "aws sso login --profile dev"),
        (bc.TokenRetrievalError(provider="p", error_msg="e"), errors.CredentialsExpired, "aws sso login --profile dev"),
        (bc.LoginRefreshRequired(), errors.CredentialsExpired, "aws sso login --profile dev"),
        (bc.ProfileNotFound(profile="p"), errors.CredentialsError, "aws configure list-profiles"),
        (bc.ParamValidationError(report="r"), errors.BadRequest, ""),
        (bc.NoRegionError(), errors.BadRequest, ""),
        (bc.DataNotFoundError(data_path="d"), errors.AwsError, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_never_reached_aws(raised: Exception, kind: type[errors.AwsError], hint: str) -> None:
    error = translate(raised, ORIGIN)
    assert type(error) is kind
    assert hint in error.hint
    assert error.code == type(raised).__name__


def test_no_exception_of_botocore_is_left_untranslated() -> None:
    """Also those of a newer botocore: they all come from two base classes."""
    found = [each for each in vars(bc).values() if isinstance(each, type) and issubclass(each, bc.BotoCoreError)]
    assert len(found) > 50
    for each in found:
        error = each.__new__(each)
        assert isinstance(translate(error, ORIGIN), errors.AwsError), each


def test_an_error_says_where_and_what() -> None:
    assert str(translate(answer("AccessDenied", 403, "not you"), ORIGIN)) == (
        "cloudformation CreateStack (account 111111111111 eu-west-1): AccessDenied: not you"
    )
    denied = translate(answer("AccessDenied", 403), ORIGIN)
    expired = translate(answer("ExpiredToken", 403), ORIGIN)
    assert denied and denied.hint == "python deploy.py doctor --env dev"
    assert expired and expired.hint == "aws sso login --profile dev"
    role = translate(answer("ValidationError", 400, "Role arn:aws:iam::111111111111:role/x is invalid or cannot be assumed"), ORIGIN)
    assert isinstance(role, errors.BadRequest) and role.hint == "python deploy.py doctor --env dev"


def test_the_original_is_the_cause_and_a_defect_of_ours_stays_visible() -> None:
    original = answer("Throttling", 400)
    with pytest.raises(errors.Throttled) as caught, translated(ORIGIN):
        raise original
    assert caught.value.__cause__ is original
    with pytest.raises(ZeroDivisionError), translated(ORIGIN):
        _ = 1 // 0
    ours = errors.NotFound("x")
    with pytest.raises(errors.NotFound) as again, translated(ORIGIN):
        raise ours
    assert again.value is ours


@given(code=st.text(max_size=40), status=st.integers(0, 599), message=st.text(max_size=80))
def test_any_answer_becomes_one_of_ours_with_awss_words(code: str, status: int, message: str) -> None:
    error = translate(answer(code, status, message), ORIGIN)
    assert isinstance(error, errors.AwsError)
    assert printable(" ".join(message.split())) in str(error)


@pytest.mark.parametrize("response", [{}, {"Error": {}}, {"Error": {"Code": None}}, {"ResponseMetadata": {}}])
def test_an_answer_without_a_body(response: Any) -> None:
    assert isinstance(translate(bc.ClientError(response, "X"), ORIGIN), errors.AwsError)


def test_importing_the_room_loads_no_boto3() -> None:
    code = (
        "import sys, aws.session, aws.errors, aws.s3, aws.route53, aws.secrets, aws.dynamodb, aws.acm, gateways.account, aws.iam\n"
        "import local_aws.server, local_aws.prepare\n"
        "print([name for name in ('boto3', 'botocore') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

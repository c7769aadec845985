"""Calls about new things are repeated for as long as the table says, and no other call is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from aws.errors import AccessDenied, AwsError, BadRequest, NotFound
from aws.propagation import LATELY, PAIRS, ROLE, UNREADY, Pair, Propagation, StoppedWaiting, pair_of, unready

ARN = "arn:aws:iam::123456789012:role/path/cfn"
MESSAGES = {
    "cloudformation ValidationError": f"Role {ARN} is invalid or cannot be assumed",
    "sts AccessDenied": f"User: arn:aws:iam::1:root is not authorized to perform: sts:AssumeRole on resource: {ARN}",
}


@dataclass
class Clock:
    """Time that passes by sleeping only."""

    at: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def refusal(pair: Pair, operation: str, code: str) -> AwsError:
    message = MESSAGES.get(f"{pair.service} {code}", "it does not exist")
    return NotFound(message, service=pair.service, operation=operation, code=code)


def parameters(pair: Pair) -> dict[str, Any]:
    return dict.fromkeys(pair.of.split(), ARN if pair.kind == ROLE and pair.of == "RoleArn" else "name")


def never(seconds: float) -> None:
    """A sleep that must not be."""
    raise AssertionError(f"slept {seconds} s")


def failing(error: AwsError, times: float) -> Callable[[], str]:
    left = [times]

    def call() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return "answer"

    return call


def cases() -> list[Any]:
    return [
        pytest.param(pair, operation, code, id=f"{pair.service}-{operation}-{code}")
        for pair in PAIRS
        for operation in sorted(pair.operations)
        for code in sorted(pair.codes)
        if not (pair.kind == "change set" and code == "ValidationError")
    ]


@pytest.mark.parametrize(("pair", "operation", "code"), cases())
def test_a_call_about_something_new_is_repeated_until_it_is_known(pair: Pair, operation: str, code: str) -> None:
    clock = Clock()
    asked: list[tuple[str, str]] = []

    def age(kind: str, name: str) -> float:
        asked.append((kind, name))
        return 3.0

    wait = Propagation(sleep=clock.sleep, now=clock.now, age=age)
    assert wait.call(operation, parameters(pair), failing(refusal(pair, operation, code), 4)) == "answer"
    assert len(clock.slept) == 4
    assert asked == [(pair.kind, ARN if pair.kind == ROLE and operation != "GetRole" else "name")]


@pytest.mark.parametrize(("pair", "operation", "code"), cases())
def test_it_ends_with_awss_words_when_its_time_is_over(pair: Pair, operation: str, code: str) -> None:
    clock, told = Clock(), list[str]()
    wait = Propagation(sleep=clock.sleep, now=clock.now, age=lambda *_: 3.0, tell=told.append)
    error = refusal(pair, operation, code)
    with pytest.raises(NotFound) as refused:
        wait.call(operation, parameters(pair), failing(error, float("inf")))
    assert refused.value is error
    assert pair.seconds <= clock.at - 1_000 <= pair.seconds + 5
    assert told and all(f"AWS may need {pair.seconds:.0f} s" in text and pair.known in text for text in told)
    assert len(told) <= pair.seconds / 10 + 1


@pytest.mark.parametrize("age", [None, LATELY + 1])
@pytest.mark.parametrize(("pair", "operation", "code"), cases())
def test_a_refusal_about_what_nobody_has_just_made_is_final(pair: Pair, operation: str, code: str, age: float | None) -> None:
    clock = Clock()
    wait = Propagation(sleep=clock.sleep, now=clock.now, age=lambda *_: age)
    with pytest.raises(NotFound):
        wait.call(operation, parameters(pair), failing(refusal(pair, operation, code), 1))
    assert clock.slept == []


def test_a_look_that_is_stale_is_repeated_where_something_of_the_kind_is_new() -> None:
    clock, looks = Clock(), list[str]()

    def age(_kind: str, name: str) -> float | None:
        looks.append(name)
        return 2.0 if not name or looks.count(name) > 1 else None

    wait = Propagation(sleep=clock.sleep, now=clock.now, age=age)
    error = NotFound("gone", service="dynamodb", operation="UpdateItem", code="ResourceNotFoundException")
    assert wait.call("UpdateItem", {"TableName": "locks"}, failing(error, 1)) == "answer"


@pytest.mark.parametrize(
    "error",
    [
        AccessDenied("not authorized to perform: s3:PutObject", service="s3", operation="PutObject", code="AccessDenied"),
        BadRequest("Template format error", service="cloudformation", operation="CreateChangeSet", code="ValidationError"),
        NotFound("no such key", service="s3", operation="GetObject", code="NoSuchKey"),
        AccessDenied("not authorized to perform: sts:TagSession", service="sts", operation="AssumeRole", code="AccessDenied"),
        NotFound("Stack with id x does not exist", service="cloudformation", operation="DescribeStacks", code="ValidationError"),
    ],
    ids=lambda error: f"{error.operation}-{error.code}",
)
def test_other_refusals_are_never_repeated(error: AwsError) -> None:
    wait = Propagation(sleep=never, age=lambda *_: 1.0)
    with pytest.raises(AwsError) as refused:
        wait.call(error.operation, {"Bucket": "b", "RoleArn": ARN, "StackName": "x"}, failing(error, 1))
    assert refused.value is error


def test_waiting_ends_when_it_is_asked_to() -> None:
    clock = Clock()
    wait = Propagation(sleep=clock.sleep, now=clock.now, age=lambda *_: 1.0, stopped=lambda: len(clock.slept) >= 3)
    error = NotFound("gone", service="s3", operation="PutObject", code="NoSuchBucket")
    with pytest.raises(StoppedWaiting, match="stopped as asked, while waiting for b to be found"):
        wait.call("PutObject", {"Bucket": "b"}, failing(error, float("inf")))
    assert len(clock.slept) == 3


def test_what_the_same_session_made_is_new_without_asking() -> None:
    clock = Clock()
    wait = Propagation(sleep=clock.sleep, now=clock.now)
    wait.call("CreateChangeSet", {"ChangeSetName": "plan"}, lambda: {"Id": "arn:changeSet/plan"})
    error = NotFound("does not exist", service="cloudformation", operation="DescribeChangeSet", code="ChangeSetNotFound")
    assert wait.call("DescribeChangeSet", {"ChangeSetName": "arn:changeSet/plan"}, failing(error, 2)) == "answer"
    with pytest.raises(NotFound):
        wait.call("DescribeChangeSet", {"ChangeSetName": "arn:changeSet/other"}, failing(error, 1))
    clock.at += LATELY + 1
    with pytest.raises(NotFound):
        wait.call("DescribeChangeSet", {"ChangeSetName": "arn:changeSet/plan"}, failing(error, 1))


def test_what_an_execution_told_of_is_new() -> None:
    wait = Propagation(now=lambda: 1_000.0)
    wait.learn(ROLE, "cfn", 20.0)
    wait.learn(ROLE, "old", LATELY + 1)
    assert wait.is_new(ROLE) and wait.is_new(ROLE, ARN) and wait.is_new(ROLE, "cfn")
    assert not wait.is_new(ROLE, "old") and not wait.is_new("AWS::S3::Bucket")


def test_what_a_failed_creation_took_away_again_is_not_waited_for() -> None:
    wait = Propagation(sleep=never, now=lambda: 1_000.0)
    wait.learn("AWS::S3::Bucket", "logs", 1.0)
    wait.unlearn("AWS::S3::Bucket", "logs")
    assert not wait.is_new("AWS::S3::Bucket", "logs")


def test_asking_whether_something_is_new_cannot_wait_itself() -> None:
    wait = Propagation(sleep=never)
    error = NotFound("gone", service="iam", operation="GetRole", code="NoSuchEntity")

    def age(_kind: str, _name: str) -> float | None:
        wait.call("GetRole", {"RoleName": "cfn"}, failing(error, 1))
        return 1.0

    wait.age = age
    with pytest.raises(NotFound):
        wait.call("GetRole", {"RoleName": "cfn"}, failing(error, 1))


def test_every_row_has_its_source_and_a_bound() -> None:
    for row in (*PAIRS, *UNREADY):
        assert row.source and 0 < row.seconds <= 120 < LATELY
    assert pair_of(BadRequest("x", service="s3", code="NoSuchBucket"), "PutObject", {}) is None


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("The role defined for the function cannot be assumed by Lambda. (Service: Lambda)", "assumed by Lambda"),
        ("Account 1 should have 'execution' role with trust relationship to Role 'admin'.", "StackSet's roles"),
        ("Invalid request provided: The specified SSL certificate doesn't exist, isn't in us-east-1 region", "certificate"),
        ("The function must be in an Active state. The current state for function arn is Pending", "function version"),
        ("Policy arn:aws:iam::1:policy/p does not exist or is not attachable.", "policy to be attachable"),
        ("User: arn:aws:sts::1:assumed-role/r/AWSCloudFormation is not authorized to perform: acm:RequestCertificate", "permissions"),
    ],
)
def test_words_of_cloudformation(words: str, known: str) -> None:
    found = unready(words)
    assert found is not None and known in found.known
    assert unready("Bucket already exists") is None


@pytest.mark.parametrize(
    ("made", "taken_away", "asked", "code"),
    [
        ("CreateStackSet", "DeleteStackSet", "DescribeStackSet", "StackSetNotFoundException"),
        ("CreateSecret", "DeleteSecret", "DescribeSecret", "ResourceNotFoundException"),
    ],
)
def test_what_this_process_made_and_took_away_again_is_not_waited_for(made: str, taken_away: str, asked: str, code: str) -> None:
    clock = Clock()
    wait = Propagation(sleep=clock.sleep, now=clock.now)
    pair = next(p for p in PAIRS if asked in p.operations and code in p.codes)
    params = {"StackSetName": "s", "Name": "s", "SecretId": "s"}
    wait.call(made, params, lambda: {})
    assert wait.call(asked, params, failing(refusal(pair, asked, code), 1)) == "answer"
    assert clock.slept
    clock.slept.clear()
    wait.call(taken_away, params, lambda: {})
    with pytest.raises(NotFound):
        wait.call(asked, params, failing(refusal(pair, asked, code), 1))
    assert clock.slept == []

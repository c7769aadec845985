"""Actions beside resources: which pairs IAM can ever match by the service authorization data, and which allow nothing or too much."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import authorization
from lint.rules.authorization import AnyResource, TakenResource, can_be_narrower, resource_types, takes
from lint.rules.base import Rule
from templates.view import View
from tests.unit.lint.test_rule_sides import IMPORTED, either

ROLE = "arn:aws:iam::123456789012:role/site"
LISTING = "s3:ListAllMyBuckets"
"""Takes no resource."""
BUCKET, OBJECT = "arn:aws:s3:::site", "arn:aws:s3:::site/*"


def allow(action: Any, resource: Any = None, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, **({} if resource is None else {"Resource": resource}), **more}


def policy(*statements: dict[str, Any], kind: str = "AWS::IAM::ManagedPolicy", key: str = "PolicyDocument") -> dict[str, Any]:
    return {"Type": kind, "Properties": {key: {"Version": "2012-10-17", "Statement": [*statements]}}}


def told(rule: type[Rule], *resources: dict[str, Any]) -> list[tuple[str, str]]:
    """Paths below the first statement of each resource, and words."""
    named = {f"R{number}": resource for number, resource in enumerate(resources)}
    view = View({"Resources": named, "Conditions": {"C": {}}, "Parameters": {"P": {"Type": "String"}}}, ("us-east-1",))
    found = [(".".join(map(str, path[1:])), said) for path, said in rule().check(view)]
    return [(path.replace(".Properties.PolicyDocument.Statement", "").removeprefix("R0.0."), said) for path, said in found]


WIDE = 'Resource "*" though AWS takes narrower ones for '
WIDE_CASES: list[tuple[str, list[dict[str, Any]], list[tuple[str, str]]]] = [
    ("a narrower one is there", [policy(allow("s3:GetObject", "*"))], [("Resource", f"{WIDE}s3:GetObject")]),
    ("stars are one star", [policy(allow("s3:GetObject", "**"))], [("Resource", f"{WIDE}s3:GetObject")]),
    ("it takes none", [policy(allow(LISTING, "*"))], []),
    ("an ARN", [policy(allow("s3:GetObject", OBJECT))], []),
    ("any ARN is not any resource", [policy(allow("s3:GetObject", "arn:aws:s3:::*"))], []),
    ("each action, in order", [policy(allow([LISTING, "sqs:X", "s3:GetObject"], "*"))], [("Resource", f"{WIDE}s3:GetObject, sqs:X")]),
    ("nobody knows the resource", [policy(allow("s3:GetObject", IMPORTED))], []),
    ("after one that nobody knows", [policy(allow("s3:GetObject", [IMPORTED, "*"]))], [("Resource.1", f"{WIDE}s3:GetObject")]),
    ("after an ARN", [policy(allow("s3:GetObject", [OBJECT, "*"]))], [("Resource.1", f"{WIDE}s3:GetObject")]),
    ("nobody knows the action", [policy(allow(IMPORTED, "*"))], []),
    ("who trusts and what is trusted", [policy(allow("s3:GetObject", "*"), kind="AWS::IAM::Role", key="AssumeRolePolicyDocument")], []),
    ("a resource's own policy", [policy(allow("s3:GetObject", "*"), kind="AWS::S3::BucketPolicy")], []),
    (
        "after a resource's own policy",
        [policy(allow("s3:GetObject", "*"), kind="AWS::S3::BucketPolicy"), policy(allow("s3:GetObject", "*"))],
        [("R1.0.Resource", f"{WIDE}s3:GetObject")],
    ),
    ("never both at once", [policy(allow(either(LISTING, "s3:GetObject"), either("*", OBJECT)))], []),
    (
        "both at once",
        [policy(allow(either("s3:GetObject", LISTING), either("*", OBJECT)))],
        [("Resource.Fn::If.1", f"{WIDE}s3:GetObject")],
    ),
]


@pytest.mark.parametrize(("resources", "wanted"), [pytest.param(*case, id=name) for name, *case in WIDE_CASES])
def test_a_star_stands_only_beside_actions_that_take_no_resource(resources: list[dict[str, Any]], wanted: list[tuple[str, str]]) -> None:
    assert told(AnyResource, *resources) == wanted


NONE = f'{LISTING} takes no resource; AWS allows it on "*" only, in a statement of its own'
UNTAKEN = f"none of the actions beside it takes {BUCKET}"
KINDS = "s3:GetObject takes accesspointobject, object; none of the resources beside it is one"
TAKEN_CASES: list[tuple[str, list[dict[str, Any]], list[tuple[str, str]]]] = [
    ("what it takes", [policy(allow("s3:GetObject", OBJECT))], []),
    ("one of several that it takes", [policy(allow("s3:Get*", BUCKET))], []),
    ("none at all", [policy(allow(LISTING, BUCKET))], [("Action", NONE), ("Resource", UNTAKEN)]),
    ("none at all, on everything", [policy(allow(LISTING, "*"))], []),
    (
        "another kind",
        [policy(allow("s3:GetObject", BUCKET))],
        [("Action", KINDS), ("Resource", UNTAKEN)],
    ),
    (
        "another service",
        [policy(allow("S3:GetObject", ROLE))],
        [("Action", f"S{KINDS[1:]}"), ("Resource", f"none of the actions beside it takes {ROLE}")],
    ),
    ("an action that nobody has heard of", [policy(allow("s3:Nothing", ROLE))], []),
    ("after an action that nobody has heard of", [policy(allow(["s3:Nothing", LISTING], ROLE))], [("Action.1", NONE)]),
    ("an action and its resource, twice", [policy(allow(["s3:GetObject", "s3:ListBucket"], [BUCKET, OBJECT]))], []),
    (
        "one resource too many",
        [policy(allow("s3:GetObject", [OBJECT, BUCKET, OBJECT]))],
        [("Resource.1", UNTAKEN)],
    ),
    ("one action too many", [policy(allow(["s3:ListBucket", "s3:GetObject"], [BUCKET]))], [("Action.1", KINDS)]),
    ("a resource that only AWS will know", [policy(allow("s3:GetObject", [BUCKET, IMPORTED]))], []),
    ("nobody knows the action", [policy(allow(IMPORTED, BUCKET))], []),
    ("all but one", [policy(allow("s3:GetObject", NotResource=BUCKET))], []),
    (
        "after all but one",
        [policy(allow("s3:GetObject", NotResource=BUCKET)), policy(allow(LISTING, BUCKET))],
        [("R1.0.Action", NONE), ("R1.0.Resource", UNTAKEN)],
    ),
    ("a resource's own policy", [policy(allow(LISTING, BUCKET), kind="AWS::S3::BucketPolicy")], []),
    (
        "after a resource's own policy",
        [policy(allow(LISTING, BUCKET), kind="AWS::S3::BucketPolicy"), policy(allow(LISTING, BUCKET))],
        [("R1.0.Action", NONE), ("R1.0.Resource", UNTAKEN)],
    ),
    (
        "never both at once",
        [policy(allow(either("s3:ListBucket", "s3:GetObject"), either(BUCKET, OBJECT)))],
        [],
    ),
    (
        "only both at once",
        [policy(allow(["sts:AssumeRole", either("s3:ListBucket", LISTING)], [ROLE, either(OBJECT, ROLE)]))],
        [
            ("Action.1.Fn::If.1", "s3:ListBucket takes accesspoint, bucket; none of the resources beside it is one"),
            ("Action.1.Fn::If.2", NONE),
            ("Resource.1.Fn::If.1", f"none of the actions beside it takes {OBJECT}"),
        ],
    ),
]


@pytest.mark.parametrize(("resources", "wanted"), [pytest.param(*case, id=name) for name, *case in TAKEN_CASES])
def test_an_allow_that_matches_no_call_is_told(resources: list[dict[str, Any]], wanted: list[tuple[str, str]]) -> None:
    assert told(TakenResource, *resources) == wanted


@pytest.mark.parametrize(
    ("service", "kind", "resource", "wanted"),
    [
        ("s3", "bucket", BUCKET, True),
        ("s3", "bucket", OBJECT, False),
        ("s3", "bucket", "*", True),
        ("s3", "object", BUCKET, False),
        ("s3", "object", OBJECT, True),
        ("s3", "object", "arn:aws:s3:::site/index.html", True),
        ("s3", "object", "*", True),
        ("s3", "object", "arn:aws:s3:::*", True),
        ("s3", "object", "arn:*:s3:::site", False),
        ("s3", "object", "arn:aws:s3:::site*", True),
        ("s3", "bucket", "arn:aws:s3:::site*", True),
        ("s3", "accesspoint", "arn:aws:s3:eu-west-1:123456789012:accesspoint/site", True),
        ("s3", "accesspoint", "arn:aws:s3:eu-west-1:123456789012:${AccessPoint}", True),
        ("s3express", "bucket", "arn:aws:s3express:eu-west-1:123456789012:bucket/site--euw1-az1--x-s3", True),
        ("iam", "role", ROLE, True),
        ("iam", "user", ROLE, False),
        # A public type of CloudFormation's registry is nobody's, a stack is.
        ("cloudformation", "type", "arn:aws:cloudformation:eu-west-1::type/resource/AWS-S3-Bucket", True),
        ("cloudformation", "typehook", "arn:aws:cloudformation:eu-west-1::type/hook/AWS-Hook", True),
        ("cloudformation", "stack", "arn:aws:cloudformation:eu-west-1::stack/site/*", False),
        ("cloudformation", "stack", "arn:aws:cloudformation:eu-west-1:123456789012:stack/site/*", True),
        # A kind without a format cannot be compared.
        ("iam", "no kind of this service", ROLE, True),
    ],
)
def test_whether_a_resource_is_of_a_kind(service: str, kind: str, resource: str, wanted: bool) -> None:
    assert takes(service, frozenset({kind}), resource) is wanted


def test_one_of_several_kinds_is_enough() -> None:
    for kinds in (("user", "role"), ("role", "user"), ("role", "group")):
        assert takes("iam", frozenset(kinds), ROLE)
    assert not takes("iam", frozenset({"user", "group"}), ROLE)


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("s3:GetObject", True),
        ("S3:getobject", True),
        (LISTING, False),
        ("s3:List*", True),
        ("s3:ListAllMy*", False),
        ("cloudformation:SetAlias", True),
        ("nobody:Knows", True),
        # It has a resource type of its own (dataset), which nobody's metrics are.
        ("cloudwatch:PutMetricData", False),
        ("CloudWatch:PUTmetricdata", False),
    ],
)
def test_where_a_star_can_be_narrower(action: str, wanted: bool) -> None:
    assert can_be_narrower(action) is wanted


def test_the_kinds_of_an_action_and_of_each_that_a_wildcard_stands_for() -> None:
    assert resource_types("s3:GetObject") == [frozenset({"accesspointobject", "object"})]
    assert resource_types(LISTING) == [frozenset()]
    assert resource_types("s3:GetObjec") == resource_types("nobody:GetObject") == resource_types("GetObject") == []
    assert frozenset() in resource_types("s3:List*") and frozenset({"accesspoint", "bucket"}) in resource_types("s3:List*")
    assert authorization.services()["s3"]

"""E9590 over stacks of one resource: which statement lets a role do what a resource's handlers do, and which does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lint.handlers import LISTING, RULE, LeftOut, ProvisionedStack, _flat, _matches, _reaches, _Target, check, rows
from lint.verdicts import Verdicts

GROUP, TOPIC, FUNCTION, ACL = "AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::Lambda::Function", "AWS::WAFv2::WebACL"
CREATE = "logs:CreateLogGroup"
OURS = "arn:aws:logs:*:111111111111:log-group:/site/*"


def allow(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    resources = on if isinstance(on, list) else [on]
    return {"Sid": "S", "Effect": "Allow", "Action": list(actions), "Resource": resources, **more}


def made(
    *statements: Mapping[str, Any], kind: str = GROUP, regions: tuple[str, ...] = ("eu-west-1",), **properties: Any
) -> ProvisionedStack:
    """A stack of one resource and the policy of its role."""
    template = json.dumps({"Resources": {"R": {"Type": kind, "Properties": properties}}}).encode()
    return ProvisionedStack(
        stack_id="site",
        stack_name="dev-site",
        template=template,
        regions=regions,
        role="dev-provisioning",
        policies=({"Statement": [*statements]},),
        where="policies/x.py",
    )


def granted(stack: ProvisionedStack, permission: str, left_out: LeftOut | None = None) -> bool:
    [row] = [row for _, row in rows(stack, left_out or {}, {}) if row.permission == permission]
    return row.granted_by == "S"


def reason(stack: ProvisionedStack, permission: str, *left_out: tuple[str, str, tuple[str, ...]]) -> str | None:
    [row] = [row for _, row in rows(stack, {GROUP: left_out}, {}) if row.permission == permission]
    return row.reason


def test_a_resource_that_has_an_id_and_no_name_is_granted_by_everything_only() -> None:
    create, kind = "route53:CreateHealthCheck", "AWS::Route53::HealthCheck"
    assert granted(made(allow(create), kind=kind), create)
    assert not granted(made(allow("route53:GetHealthCheck"), kind=kind), create)
    assert not granted(made(allow(create, on="arn:aws:route53:::hostedzone/*"), kind=kind), create)


def test_what_has_an_id_alone_is_granted_by_every_one_of_its_kind() -> None:
    get, kind = "cloudfront:GetOriginAccessControl", "AWS::CloudFront::OriginAccessControl"
    assert granted(made(allow(get, on="arn:aws:cloudfront::*:origin-access-control/*"), kind=kind), get)
    assert not granted(made(allow(get, on="arn:aws:cloudfront::*:distribution/*"), kind=kind), get)


# --- which statement grants ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "name", "wanted"),
    [
        (allow(CREATE), "/site/a", True),
        (allow("logs:createloggroup"), "/site/a", True),
        (allow("logs:Create*"), "/site/a", True),
        (allow("logs:Delete*", "logs:CreateLogStream"), "/site/a", False),
        (allow(CREATE, on=OURS), "/site/a", True),
        (allow(CREATE, on=OURS), "/other/a", False),
        (allow(CREATE, on=[OURS, "arn:aws:logs:*:111111111111:log-group:/other/a"]), "/other/a", True),
        (allow(CREATE, on="arn:aws:logs:eu-*:111111111111:log-group:/site/a:*"), "/site/a", True),
        (allow(CREATE, on="arn:aws:logs:us-east-1:111111111111:log-group:/site/*"), "/site/a", False),
        (allow(CREATE, on="arn:aws:s3:::/site/*"), "/site/a", False),
        (allow(CREATE, on="arn:aws:logs:eu-west-1:111111111111:destination:/site/a"), "/site/a", False),
        (allow(CREATE, on="not an ARN"), "/site/a", False),
        (allow(CREATE, on={"Fn::Sub": "arn:${AWS::Partition}:logs:*:${AWS::AccountId}:log-group:/site/*"}), "/site/a", True),
        (allow(CREATE, on={"Fn::Sub": ["arn:${P}:logs:*:${AWS::AccountId}:log-group:/other/*", {"P": "aws"}]}), "/site/a", False),
        (allow(CREATE, on=OURS), {"Fn::Sub": "/site/${AWS::Region}"}, True),
        (allow(CREATE, on=OURS), {"Fn::Sub": "/${AWS::Region}/site"}, True),
        (allow(CREATE, on="arn:aws:logs:*:*:log-group:/site/dev-site"), {"Fn::Sub": "/site/${AWS::StackName}"}, True),
        (allow(CREATE, on="arn:aws:logs:*:*:log-group:/site/other"), {"Fn::Sub": "/site/${AWS::StackName}"}, False),
    ],
)
def test_a_permission_is_granted_by_a_statement_that_names_the_action_and_can_name_the_resource(
    statement: dict[str, Any], name: Any, wanted: bool
) -> None:
    assert granted(made(statement, LogGroupName=name), CREATE) is wanted


def test_a_denial_grants_nothing_and_a_later_statement_does() -> None:
    assert not granted(made({**allow(CREATE), "Effect": "Deny"}, LogGroupName="a"), CREATE)
    assert granted(made(allow(CREATE, on="arn:aws:logs:*:*:log-group:b"), allow(CREATE, on="*"), LogGroupName="a"), CREATE)


def test_a_resource_without_a_name_has_the_one_that_cloudformation_makes_up() -> None:
    assert granted(made(allow(CREATE, on="arn:aws:logs:*:*:log-group:dev-site-*")), CREATE)
    assert granted(made(allow(CREATE, on="arn:aws:logs:*:*:log-group:dev-site-R-*")), CREATE)
    assert not granted(made(allow(CREATE, on="arn:aws:logs:*:*:log-group:dev-other-*")), CREATE)


def test_a_stack_of_several_regions_needs_the_permission_in_each() -> None:
    regions = ("eu-west-1", "us-east-1")
    one, both = (allow(CREATE, on=f"arn:aws:logs:{region}:*:log-group:a") for region in ("eu-west-1", "*"))
    assert not granted(made(one, regions=regions, LogGroupName="a"), CREATE)
    assert granted(made(both, regions=regions, LogGroupName="a"), CREATE)


def test_an_action_on_everything_is_granted_by_a_star_alone() -> None:
    listing = "sns:ListTopics"
    assert granted(made(allow(listing), kind=TOPIC), listing)
    assert not granted(made(allow(listing, on="arn:aws:sns:*:*:*"), kind=TOPIC), listing)


def test_an_action_that_nobody_describes_is_granted_by_its_name() -> None:
    assert granted(made(allow("s3:REST.PUT.OBJECT", on="arn:aws:s3:::logs"), LogGroupName="a"), "s3:REST.PUT.OBJECT")


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({}, True),
        ({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}, True),
        ({"StringEquals": {"iam:PassedToService": ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]}}, True),
        ({"StringEquals": {"iam:PassedToService": "edgelambda.amazonaws.com"}}, False),
    ],
)
def test_a_role_is_passed_to_the_services_that_the_statement_names(condition: dict[str, Any], wanted: bool) -> None:
    stack = made(allow("iam:PassRole", on="arn:aws:iam::*:role/dev-*", Condition=condition), kind=FUNCTION, FunctionName="f")
    assert granted(stack, "iam:PassRole") is wanted


def test_what_the_action_takes_is_another_resource_than_the_target() -> None:
    """The name of the function says nothing about the code's bucket."""
    assert granted(made(allow("s3:GetObject", on="arn:aws:s3:::code/*"), kind=FUNCTION, FunctionName="f"), "s3:GetObject")
    assert not granted(made(allow("s3:GetObject", on="arn:aws:logs:*:*:log-group:f"), kind=FUNCTION, FunctionName="f"), "s3:GetObject")


def test_a_name_that_stands_inside_of_the_arn_follows_its_kind() -> None:
    """`regional/webacl/NAME/ID` (Service Authorization Reference, AWS WAF)."""
    action = "wafv2:UpdateWebACL"
    element = "arn:aws:wafv2:us-east-1:*:global/{}/{}/*"
    assert granted(made(allow(action, on=element.format("webacl", "dev-*")), kind=ACL, regions=("us-east-1",), Name="dev-acl"), action)
    assert not granted(made(allow(action, on=element.format("webacl", "sit-*")), kind=ACL, regions=("us-east-1",), Name="dev-acl"), action)
    assert not granted(made(allow(action, on=element.format("ipset", "dev-*")), kind=ACL, regions=("us-east-1",), Name="dev-acl"), action)


def test_the_policy_of_a_bucket_is_put_on_the_bucket_that_it_names() -> None:
    """Its identifier is the bucket, and that is what the action takes."""
    put, kind = "s3:PutBucketPolicy", "AWS::S3::BucketPolicy"
    assert granted(made(allow(put, on="arn:aws:s3:::dev-*"), kind=kind, Bucket="dev-site"), put)
    assert not granted(made(allow(put, on="arn:aws:s3:::sit-*"), kind=kind, Bucket="dev-site"), put)


# --- what is left out, and the findings ---------------------------------------------------------------------------


def test_a_reason_holds_until_the_property_is_used_that_takes_it_away() -> None:
    key = ("logs:*KmsKey", "no key", ("KmsKeyId",))
    assert reason(made(LogGroupName="a"), "logs:AssociateKmsKey", key) == "no key"
    assert reason(made(LogGroupName="a"), CREATE, key) is None
    assert reason(made(KmsKeyId="k"), "logs:AssociateKmsKey", key) is None
    assert reason(made(KmsKeyId="k"), "logs:AssociateKmsKey", key, ("logs:*", "all the same", ())) == "all the same"


@pytest.mark.parametrize(
    ("value", "used"),
    [
        ({"A": {"B": 1}}, True),
        ({"A": [{"C": 1}, {"B": 1}]}, True),
        ({"A": {"Fn::If": ["Yes", {"C": 1}, {"B": 1}]}}, True),
        ({"A": {"C": 1}}, False),
        ({"A": {"Fn::If": ["B", {"C": 1}, {"Ref": "AWS::NoValue"}]}}, False),
        ({"A": "B"}, False),
        ({"A": 1}, False),
        ({"A": "Fn::If"}, False),
        ({"A": {"B": {"Fn::If": ["Yes", 1, 2]}}}, True),
        ({"B": 1}, False),
    ],
)
def test_a_property_is_used_through_lists_and_conditions(value: dict[str, Any], used: bool) -> None:
    found = reason(made(**value), "logs:AssociateKmsKey", ("logs:AssociateKmsKey", "why", ("Other", "A.B")))
    assert (found is None) is used


def test_what_only_the_list_handler_does_is_not_needed() -> None:
    found = {row.permission: row for _, row in rows(made(kind=TOPIC), {}, {})}
    assert found["sns:ListTopics"].reason == LISTING and found["sns:ListTopics"].handlers == ("list",)
    assert found["sns:CreateTopic"].reason is None and found["sns:CreateTopic"].kind == TOPIC
    assert found["sns:GetTopicAttributes"].handlers == ("create", "delete", "read", "update")


def findings(
    stack: ProvisionedStack, left_out: LeftOut, stands_for: Mapping[str, str] | None = None, cache: Path | None = None
) -> list[str]:
    found = check([stack], left_out, stands_for or {}, remedy="policies/handlers.py", cache_folder=cache)
    assert all((each.rule, each.level, each.source, each.path) == (RULE, "error", "ours", ("Resources", "R")) for each in found["site"])
    return [each.message for each in found["site"]]


def test_a_finding_names_every_permission_that_is_missing_and_no_other() -> None:
    [message] = findings(made(allow("sns:*"), kind=TOPIC), {})
    assert message.startswith("AWS::SNS::Topic: the role dev-provisioning, with which CloudFormation makes this stack, may not")
    assert "may not iam:GetRole, iam:PassRole on it in eu-west-1. Grant them in policies/x.py" in message
    assert findings(made(allow("sns:*"), kind=TOPIC), {TOPIC: [("iam:*", "no logs of deliveries", ())]}) == []


def test_a_type_without_handlers_is_judged_as_the_one_that_stands_for_it() -> None:
    [unknown] = findings(made(allow("*"), kind="Custom::Thing"), {})
    assert unknown.startswith("nobody knows what making Custom::Thing takes")
    assert findings(made(allow("sns:*", "iam:*"), kind="Custom::Thing"), {}, {"Custom::Thing": TOPIC}) == []


def test_a_kept_verdict_holds_for_the_same_stack_and_the_same_reasons_only(tmp_path: Path) -> None:
    cache = tmp_path / "a" / "b" / "c"
    stack = made(allow("sns:*"), kind=TOPIC)
    left_out: LeftOut = {TOPIC: [("iam:*", "why", ())]}
    first = findings(stack, {}, cache=cache)
    assert first and len(list(cache.glob("*.json"))) == 1
    assert findings(stack, {}, cache=cache) == first and len(list(cache.glob("*.json"))) == 1
    assert findings(stack, left_out, cache=cache) == []
    assert findings(made(allow("sns:*", "iam:*"), kind=TOPIC), {}, cache=cache) == []


# --- what has a name of its own, and what has another's -----------------------------------------------------------


def test_a_statement_for_passing_roles_allows_nothing_else() -> None:
    """No other action has the key iam:PassedToService, so its condition never holds for them."""
    condition = {"StringEquals": {"iam:PassedToService": "logs.amazonaws.com"}}
    assert not granted(made(allow(CREATE, Condition=condition), LogGroupName="a"), CREATE)
    assert granted(made(allow(CREATE, Condition=condition), allow(CREATE), LogGroupName="a"), CREATE)
    elsewhere = allow("iam:PassRole", Condition=condition)
    assert granted(made(elsewhere, allow("iam:PassRole"), kind=FUNCTION, FunctionName="f"), "iam:PassRole")
    assert granted(made(allow("logs:TagResource"), allow(CREATE), LogGroupName="a"), CREATE)


@pytest.mark.parametrize(
    ("kind", "permission", "element", "properties", "wanted"),
    [
        # An id that AWS makes up is no name, though a kind is called like it.
        ("AWS::WorkSpaces::Workspace", "workspaces:CreateWorkspaces", "arn:aws:workspaces:*:*:workspace/ws-*", {}, True),
        # One of several parts of an identifier names something else.
        ("AWS::Lambda::Permission", "lambda:AddPermission", "arn:aws:lambda:*:*:function:g", {"FunctionName": "f"}, True),
        # The only part is the name, as here that of the bucket.
        ("AWS::S3::BucketPolicy", "s3:PutBucketPolicy", "arn:aws:s3:::other", {"Bucket": "site"}, False),
        ("AWS::S3::BucketPolicy", "s3:PutBucketPolicy", "arn:aws:s3:::site", {"Bucket": "site"}, True),
        # Another kind of the same service has another name.
        (FUNCTION, "lambda:GetLayerVersion", "arn:aws:lambda:*:*:layer:x:1", {"FunctionName": "f"}, True),
        (FUNCTION, "lambda:CreateFunction", "arn:aws:lambda:*:*:layer:x:1", {"FunctionName": "f"}, False),
    ],
)
def test_a_name_is_compared_where_it_is_the_name_of_what_the_action_takes(
    kind: str, permission: str, element: str, properties: dict[str, Any], wanted: bool
) -> None:
    assert granted(made(allow(permission, on=element), kind=kind, **properties), permission) is wanted


@pytest.mark.parametrize(
    ("service", "kinds", "element", "wanted"),
    [
        ("lambda", ["function"], "arn:aws:lambda:*:*:function:f", True),
        ("lambda", ["function"], "arn:aws:lambda:*:*:function:g", False),
        # Its own kind decides, where the action takes others, too.
        ("lambda", ["layer", "function"], "arn:aws:lambda:*:*:layer:f", False),
        ("lambda", ["layer", "function"], "arn:aws:lambda:*:*:function:f", True),
        ("lambda", ["layer", "layerVersion"], "arn:aws:lambda:*:*:layer:x", True),
        # A kind of another service that is called like it.
        ("cloudfront", ["function"], "arn:aws:cloudfront::*:function/g", True),
        ("cloudfront", ["function"], "arn:aws:cloudfront::*:distribution/g", False),
        # Without a format nothing can be compared, without kinds there is nothing to name.
        ("lambda", ["no such kind"], "arn:aws:lambda:*:*:function:g", True),
        ("lambda", [], "arn:aws:lambda:*:*:function:f", False),
        ("nothing", ["function"], "arn:aws:lambda:*:*:function:g", True),
    ],
)
def test_what_an_element_can_name(service: str, kinds: list[str], element: str, wanted: bool) -> None:
    target = _Target(service="lambda", word="function", name="f", regions=("eu-west-1",))
    assert _reaches([element], target, service, kinds) is wanted


@pytest.mark.parametrize(
    ("text", "name", "element", "wanted"),
    [
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a", "arn:aws:logs:eu-west-1:1:log-group:a", True),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a", "arn:aws:logs:eu-west-1:1:log-group:a:*", True),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a", "arn:aws:logs:eu-west-1:1:log-group:ab", False),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a", "arn:aws:logs::1:log-group:a", False),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a", "arn:aws:logs:eu-west-1::log-group:a", False),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a", "arn:aws:logs:eu-west-1:log-group:a", False),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", None, "arn:aws:logs:eu-west-1:1:log-group:b", True),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", None, "arn:aws:logs:eu-west-1:1:log*", True),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", None, "arn:aws:logs:eu-west-1:1:destination:b", False),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a*", "arn:aws:logs:eu-west-1:1:log-group:b", True),
        ("arn:${Partition}:logs:${Region}:${Account}:log-group:.*", "a*", "arn:aws:logs:eu-west-1:1:destin?tion:b*", False),
        ("arn:${Partition}:s3:::.*", "a", "arn:aws:s3:::a", True),
        ("arn:${Partition}:s3:::.*", "a", "arn:aws:s3:::a/*", True),
        ("arn:${Partition}:s3:::.*", "a", "arn:aws:s3:::b", False),
        ("arn:${Partition}:s3:::.*", "a", "arn:aws:s3:eu-west-1:1:a", False),
        # The name follows its kind, where the format says no more.
        ("arn:${Partition}:wafv2:${Region}:${Account}:.*", "a", "arn:aws:wafv2:eu-west-1:1:regional/webacl/a/1", True),
        ("arn:${Partition}:wafv2:${Region}:${Account}:.*", "a", "arn:aws:wafv2:eu-west-1:1:regional/webacl/b/1", False),
        ("arn:${Partition}:wafv2:${Region}:${Account}:.*", "a", "arn:aws:wafv2:eu-west-1:1:regional/ipset/a/1", False),
        ("arn:${Partition}:wafv2:${Region}:${Account}:x/.*", "a", "arn:aws:wafv2:eu-west-1:1:regional/webacl/a/1", False),
    ],
)
def test_a_format_with_a_name_can_be_what_an_element_names(text: str, name: str | None, element: str, wanted: bool) -> None:
    assert bool(_matches(text, "eu-west-1", name, "webacl", element)) is wanted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a${AWS::Region}b", "a*b"),
        ({"Fn::Sub": "a-${X}"}, "a-*"),
        ({"Fn::Sub": ["a-${X}", {"X": "b"}]}, "a-*"),
        ({"Ref": "X"}, "*"),
        (7, "7"),
    ],
)
def test_what_only_aws_will_know_is_a_star(value: Any, text: str) -> None:
    assert _flat(value) == text


def test_a_verdict_that_is_kept_is_believed(tmp_path: Path) -> None:
    cache = tmp_path / "a" / "b" / "c"
    stack = made(allow("sns:*"), kind=TOPIC)
    assert findings(stack, {}, cache=cache)
    [kept] = cache.glob("*.json")
    Verdicts(cache).store(kept.stem, b"[]")
    assert findings(stack, {}, cache=cache) == []

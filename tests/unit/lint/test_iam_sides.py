"""Rules of policies: which documents are found and of what kind they are, and values that only AWS will know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lint.rules import iam
from lint.rules.base import Rule
from templates.view import View
from tests.unit.lint.test_rule_sides import IMPORTED, TOKEN, condition, either, permission, said, told, topic_policy, trust, web

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SERVICE = {"Service": "s3.amazonaws.com"}


def managed(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": [*statements], **more}}}


def custom(value: Any) -> dict[str, Any]:
    return {"Type": "X::Y::Z", "Properties": {"Priority": 5, "A": value, "Flag": True}}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"Statement": EVERYTHING}, True),
        ({"Version": "2012-10-17", "Statement": [EVERYTHING]}, True),
        ({"Statement": either(EVERYTHING, {"Ref": "AWS::NoValue"})}, True),
        ({"Statement": {**EVERYTHING, "Effect": either("Deny", "Allow")}}, True),
        ({"Statement": {**EVERYTHING, "Effect": "Deny"}}, False),
        ({"Statement": ["Allow", IMPORTED]}, False),
        ({"Name": "rule", "Statement": {"ManagedRuleGroupStatement": {"Version": "*", "Name": "Action"}}}, False),
        ([1, {"deep": {"Statement": EVERYTHING}}], True),
        (json.dumps({"Statement": EVERYTHING}), True),
        (json.dumps([{"Statement": EVERYTHING}]), True),
        ('a "Statement" that is no JSON', False),
        (json.dumps(EVERYTHING), False),
    ],
)
def test_a_document_is_found_wherever_something_is_allowed_in_it(value: Any, found: bool) -> None:
    assert bool(told(iam.WideAction, X=custom(value))) is found


def test_a_problem_in_a_document_that_is_text_stands_at_the_text() -> None:
    assert told(iam.WideAction, X=custom([json.dumps({"Statement": [EVERYTHING]})])) == ["X.A.0"]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [(trust(), "trust"), (topic_policy(), "resource"), (managed(EVERYTHING), "identity"), (custom(topic_policy()), "resource")],
)
def test_a_document_is_of_the_kind_that_its_place_says(resource: dict[str, Any], kind: str) -> None:
    assert [statement.kind for statement in iam.allowing(View({"Resources": {"X": resource}}, ()))] == [kind]


def test_an_action_that_only_aws_will_know_is_left_out() -> None:
    view = View({"Resources": {"X": topic_policy(Action=[IMPORTED, "sns:Publish"])}}, ())
    assert [node.value for each in iam.allowing(view) for node in iam.actions(view, each)] == ["sns:Publish"]


IDENTIFYING, TAGGING = "sts:AssumeRoleWithWebIdentity", "sts:TagSession"
SUB = f"{TOKEN}:sub"
CLAIMS = {f"{TOKEN}:aud": "sts.amazonaws.com", SUB: "repo:o/r:x"}
TO_LAMBDA = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
CASES: list[tuple[type[Rule], dict[str, Any], bool]] = [
    (iam.AnyPrincipal, topic_policy(Principal=IMPORTED), False),
    (iam.AnyPrincipal, topic_policy(Principal="**"), True),
    (iam.WideAction, topic_policy(Action=[IMPORTED, "sns:*"]), True),
    (iam.WideAction, topic_policy(Action=IMPORTED), False),
    *((iam.WideAction, topic_policy(Action=action), True) for action in ("*", "**", "*:*", "s3:**", "s3:?*", "?*", "s3:*?")),
    *((iam.WideAction, topic_policy(Action=action), False) for action in ("s3:????", "s3:Get*", "s3:*Tagging", "s3:")),
    (iam.PassRole, topic_policy(Action=[IMPORTED, "iam:PassRole"]), True),
    (iam.PassRole, topic_policy(Action=IMPORTED), False),
    (iam.PassRole, topic_policy(Action="iam:PassRole", **condition("iam:PassedToService", IMPORTED)), False),
    (iam.PassRole, topic_policy(Action="iam:PassRole", Condition={"StringEquals": IMPORTED, "Null": "x"}), True),
    (iam.PassRole, topic_policy(Action="iam:PassRole", Condition=IMPORTED), True),
    (iam.PassRole, topic_policy(Action="iam:PassRole", Condition="iam:PassedToService"), True),
    *(
        (rule, topic_policy(Action="iam:PassRole", **condition(key, "x", operator)), refused)
        for rule, key in (
            (iam.PassRole, "iam:PassedToService"),
            (iam.ConfusedDeputy, "aws:SourceArn"),
            (iam.ConfusedDeputy, "AWS:SourceAccount"),
        )
        for operator, refused in (
            ("StringLike", False),
            ("ForAnyValue:StringEquals", False),
            # A request without the key meets these.
            ("ForAllValues:StringEquals", True),
            ("StringEqualsIfExists", True),
            ("StringNotEquals", True),
            ("Null", True),
        )
    ),
    (iam.ConfusedDeputy, topic_policy(**condition("aws:SourceArn", "*", "ArnLike")), True),
    (iam.ConfusedDeputy, topic_policy(**condition("aws:SourceIp", "192.0.2.0/24", "IpAddress")), True),
    (iam.ConfusedDeputy, topic_policy(**condition("aws:SourceIdentity", "x")), True),
    (iam.ConfusedDeputy, topic_policy(**condition("kms:GrantIsForAWSResource", True, "Bool")), False),
    (iam.WebIdentity, web("repo:o/r:x", "ForAllValues:StringEquals"), True),
    (iam.WebIdentity, managed({"Effect": "Allow", "Action": IDENTIFYING, "Resource": "*"}), False),
    (iam.WebIdentity, trust(Action=[IMPORTED, TAGGING]), False),
    (iam.WebIdentity, trust(Action=[IMPORTED, TAGGING, IDENTIFYING]), True),
    (iam.PassRole, topic_policy(Action="iam:PassRole", Condition=either(TO_LAMBDA, {"Ref": "AWS::NoValue"})), True),
    (iam.PassRole, topic_policy(Action="iam:PassRole", Condition=either(TO_LAMBDA, TO_LAMBDA)), False),
    (iam.PassRole, topic_policy(Action=either("iam:PassRole", "a:B"), Condition=either(TO_LAMBDA, {"Ref": "AWS::NoValue"})), False),
    (iam.ConfusedDeputy, topic_policy(Condition=either({"ArnLike": {"aws:SourceArn": "a"}}, {"Ref": "AWS::NoValue"})), True),
    (
        iam.ConfusedDeputy,
        topic_policy(
            Principal=either(SERVICE, {"AWS": "1"}), Condition=either({"ArnLike": {"aws:SourceArn": "a"}}, {"Ref": "AWS::NoValue"})
        ),
        False,
    ),
    (iam.WebIdentity, trust(Action=IDENTIFYING, Condition=either({"StringEquals": CLAIMS}, {"Ref": "AWS::NoValue"})), True),
    (iam.WebIdentity, trust(Action=IDENTIFYING, Condition=either({"StringEquals": CLAIMS}, {"StringEquals": CLAIMS})), False),
    (
        iam.WebIdentity,
        trust(Action=IDENTIFYING, Condition=either({"StringEquals": CLAIMS}, {"StringLike": {**CLAIMS, SUB: "repo:*"}})),
        True,
    ),
    (iam.WebIdentity, web(IMPORTED), False),
    (iam.WebIdentity, web("repo:o/r:x", "StringLike", **{f"{TOKEN}:job_workflow_ref": "o/r/.github/workflows/*"}), False),
    (iam.WebIdentity, web("repo:o/r:x", "StringLike", **{f"{TOKEN}:aud": "*"}), True),
    (iam.WebIdentity, trust(Action=IDENTIFYING, Condition={"StringLike": {**CLAIMS, SUB: "repo:o/*"}, "StringEquals": CLAIMS}), True),
    *(
        (iam.WebIdentity, web(subject, "StringLike"), refused)
        for refused, subjects in (
            (True, ("repo:o/r*", "repo:o/r*:ref:refs/heads/main", "repo:o/?:x", "repo:?/r:x", "r*", "project_path:o/*:ref_type:branch")),
            (False, ("repo:o/r:*", "repo:o/r:ref:refs/tags/v?", "repo:o/r", "project_path:o/r:ref_type:branch:ref:*")),
        )
        for subject in subjects
    ),
    (iam.WebIdentity, web([]), True),
    (iam.WebIdentity, web([IMPORTED, "repo:o/*"], "StringLike"), True),
    (iam.ConfusedDeputy, managed({"Effect": "Allow", "Principal": SERVICE, "Action": "a:B"}), False),
    (iam.ConfusedDeputy, topic_policy(Principal="*"), False),
    (iam.ConfusedDeputy, permission(Principal=IMPORTED), False),
]


@pytest.mark.parametrize(("rule", "resource", "refused"), CASES)
def test_what_is_allowed_too_widely_and_what_nobody_can_tell(rule: type[Rule], resource: dict[str, Any], refused: bool) -> None:
    assert bool(told(rule, X=resource)) is refused


@pytest.mark.parametrize(("service", "name"), [("s3.amazonaws.com", "s3.amazonaws.com"), (IMPORTED, "a service")])
def test_the_service_is_named_that_acts_for_anybody(service: Any, name: str) -> None:
    wanted = ("X.PolicyDocument.Statement.Principal.Service", f"{name} without a condition on aws:SourceArn or aws:SourceAccount")
    assert said(iam.ConfusedDeputy, R=trust(), X=topic_policy(Principal={"Service": service})) == [wanted]


def test_each_claim_that_is_missing_is_named() -> None:
    for claims, missing in (({}, ["aud", "sub"]), ({SUB: "repo:o/r:x"}, ["aud"]), ({f"{TOKEN}:aud": "x"}, ["sub"])):
        found = [text for _, text in said(iam.WebIdentity, X=trust(Action=IDENTIFYING, Condition={"StringEquals": claims}))]
        assert found == [f"no condition on :{claim} of the token" for claim in missing]

"""What an edit takes away from those who are not in the plan."""

from __future__ import annotations

from typing import Any

import pytest

from changes.model import Replacement, ResourceChange
from consequences.leaned_on import leaned_on
from consequences.model import Consequence

FILE = "environments/dev.yaml"
ARN = "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"
GITHUB = {"Statement": [{"Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
SERVICE = {"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}}
ANYBODY = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}


def change(kind: str, action: Any = "remove", **more: Any) -> ResourceChange:
    return ResourceChange(logical_id="It", resource_type=f"AWS::{kind}", action=action, **more)


def told(made: ResourceChange, body: dict[str, Any] | None = None, **others: dict[str, Any]) -> list[Consequence]:
    return [*leaned_on([made], {"It": {"Type": made.resource_type, **(body or {})}, **others}, FILE)]


@pytest.mark.parametrize(
    ("policy", "body", "severity"),
    [
        ("Delete", {}, "error"),
        (None, {}, "error"),
        ("Delete", {"DeletionPolicy": "Retain"}, "error"),
        ("Retain", {}, "note"),
        (None, {"DeletionPolicy": "RetainExceptOnCreate"}, "note"),
    ],
)
def test_a_provider_is_kept_or_the_plan_is_refused(policy: Any, body: dict[str, Any], severity: str) -> None:
    (found,) = told(change("IAM::OIDCProvider", policy_action=policy, physical_id=ARN), body)
    assert (found.severity, bool(found.command)) == (severity, severity == "error")
    if found.command:
        assert found.command.startswith(f"edit {FILE}: github.create_provider: true")
        assert "token.actions.githubusercontent.com" in found.message


@pytest.mark.parametrize("verdict", ["yes", "maybe", "no"])
def test_a_provider_that_is_replaced_is_deleted_too(verdict: Any) -> None:
    found = told(change("IAM::OIDCProvider", "modify", replacement=Replacement(verdict=verdict), policy_action="ReplaceAndDelete"))
    assert [each.severity for each in found] == ([] if verdict == "no" else ["error"])


@pytest.mark.parametrize(("trust", "outside"), [(GITHUB, True), (ANYBODY, True), (SERVICE, False), (None, False), ("?", False)])
def test_a_role_that_somebody_outside_assumes_is_named_when_it_goes(trust: Any, outside: bool) -> None:
    found = told(change("IAM::Role"), {"Properties": {"AssumeRolePolicyDocument": trust}})
    assert [each.severity for each in found] == (["warning"] if outside else [])
    assert told(change("IAM::Role", "add"), {"Properties": {"AssumeRolePolicyDocument": trust}}) == []


def test_a_policy_that_no_stack_attaches_is_somebody_elses() -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Ref": "It"}]}}
    assert told(change("IAM::ManagedPolicy"), Role=role) == []
    (found,) = told(change("IAM::ManagedPolicy"))
    assert "no stack attaches it" in found.message and found.severity == "warning"


def test_what_stays_takes_nothing_from_anybody() -> None:
    assert told(change("SNS::Topic", policy_action="Retain")) == []
    assert [each.severity for each in told(change("SNS::Topic"))] == ["note"]

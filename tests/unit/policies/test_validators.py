# mypy: allow-untyped-calls
"""IAM validators of others over every policy: each finding is accepted with a reason in the template, each acceptance has its finding."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import parliament
import pytest
from cloudsplaining.scan.policy_document import PolicyDocument

from tests.unit.policies.test_policies import VARIANTS, bodies

PARTS = {"AWS::Partition": "aws", "AWS::AccountId": "111111111111", "AWS::Region": "us-east-1"}
ARN = "arn:aws:sns:us-east-1:111111111111:topic"
RISKS = (
    "allows_data_exfiltration_actions",
    "allows_privilege_escalation",
    "contains_statement_using_not_action",
    "credentials_exposure",
    "infrastructure_modification",
    "permissions_management_without_constraints",
    "service_wildcard",
    "tagging_actions_without_constraints",
    "write_actions_without_constraints",
)

Found = set[tuple[str, str]]
"""Finding and action ("" for the policy as a whole)."""


def resolved(value: Any) -> Any:
    """As AWS would see it, with made-up values for what only AWS will know."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"}:
            text = value["Fn::Sub"][0] if isinstance(value["Fn::Sub"], list) else value["Fn::Sub"]
            return re.sub(r"\$\{([^}]*)\}", lambda found: PARTS.get(found[1], "X"), text)
        if set(value) <= {"Ref", "Fn::GetAtt"}:
            return PARTS.get(str(value.get("Ref")), ARN)
        return {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value


def validated(policy: dict[str, Any]) -> Found:
    """What the validators say of one policy, by action where they name one."""
    found: Found = set()
    for finding in parliament.analyze_policy_string(json.dumps(policy), ignore_private_auditors=True).findings:
        detail = finding.detail if isinstance(finding.detail, list) else []
        actions = [each["action"] if isinstance(each, dict) else each for each in detail]
        actions = actions or re.findall(r"^Unknown action (\S+)", str(finding.detail))
        found |= {(f"parliament-{finding.issue}", action) for action in actions or [""]}
    if "Principal" not in json.dumps(policy):
        judged = PolicyDocument(policy, flag_conditional_statements=True)
        for risk in RISKS:
            value = getattr(judged, risk)
            found |= {(f"cloudsplaining-{risk}", str(each)) for each in (value if isinstance(value, list) else [""] if value else [])}
    return found


def policies(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of one resource. Not who may become a role: parliament takes a trust policy for a policy without resources."""
    properties = resource["Properties"]
    if "PolicyDocument" in properties:
        yield resolved(properties["PolicyDocument"])
    for policy in properties.get("Policies", []):
        yield resolved(policy["PolicyDocument"])


def accepted(resource: dict[str, Any]) -> Found:
    rules = resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", [])
    assert all(rule["reason"].strip() for rule in rules)
    return {(rule["id"], action) for rule in rules for action in rule.get("applies_to", [""])}


def compare(resource: dict[str, Any]) -> tuple[Found, Found]:
    """What is found and not accepted, and what is accepted and not found; a rule without actions accepts all of its kind."""
    found: Found = set().union(*(validated(policy) for policy in policies(resource)))
    allowed = accepted(resource)
    whole = {finding for finding, action in allowed if not action}
    new = {(finding, action) for finding, action in found - allowed if finding not in whole}
    stale = {(f, action) for f, action in allowed - found if action or f not in {finding for finding, _ in found}}
    return new, stale


@cache
def holders() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Resources with policies, each once, with where it stands."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name in VARIANTS:
        for stack, body in bodies(name).items():
            for title, resource in body["Resources"].items():
                if any(True for _ in policies(resource)):
                    found.setdefault(json.dumps(resource, sort_keys=True), (f"{name}.{stack}.{title}", resource))
    return tuple(found.values())


def test_every_finding_is_accepted_with_a_reason_and_every_acceptance_has_its_finding() -> None:
    assert len(holders()) > 30
    problems = {where: difference for where, resource in holders() if any(difference := compare(resource))}
    assert problems == {}


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ({"Action": ["iam:PutRolePolicy"], "Resource": ["*"]}, "cloudsplaining-permissions_management_without_constraints"),
        ({"Action": ["s3:GetObject"], "Resource": ["*"]}, "cloudsplaining-allows_data_exfiltration_actions"),
        ({"Action": ["s3:*"], "Resource": ["*"]}, "cloudsplaining-service_wildcard"),
        ({"Action": ["s3:GetObjct"], "Resource": ["arn:aws:s3:::a/*"]}, "parliament-UNKNOWN_ACTION"),
        ({"Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::a"]}, "parliament-RESOURCE_MISMATCH"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_new_finding_is_missed(statement: dict[str, Any], finding: str) -> None:
    resource = copy.deepcopy(bodies("dev")["foundation"]["Resources"]["ServiceRole"])
    resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append({"Sid": "New", "Effect": "Allow", **statement})
    new, stale = compare(resource)
    assert finding in {each for each, _ in new}
    assert stale == set()


def test_a_stale_acceptance_is_missed() -> None:
    resource = copy.deepcopy(bodies("dev")["foundation"]["Resources"]["ServiceDomainPolicy"])
    resource["Metadata"]["cdk_nag"]["rules_to_suppress"].append({"id": "parliament-RESOURCE_STAR", "reason": "was one once"})
    assert compare(resource) == (set(), {("parliament-RESOURCE_STAR", "")})

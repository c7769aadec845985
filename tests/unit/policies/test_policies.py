"""Every policy statement of every template: least privilege as a property, and that CloudFormation can do its work with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from lint.rules.authorization import resource_types, takes
from stacks.synthesis import synthesise
from tests.environments_fixture import FOREIGN_ZONE, RECOVERY, changed, environments

ENVS = environments()
VARIANTS = {
    **ENVS,
    "two people": changed(ENVS["prod"], {"protection": {"approvals": 2}}),
    "recovery": changed(ENVS["prod"], RECOVERY),
    "foreign-zone": changed(ENVS["dev"], {**FOREIGN_ZONE, "monitoring": {"alarm_email": "oncall@example.com"}}),
}

WITHOUT_RESOURCE = {
    # Unknown to cfn-lint's data as an action of its own, since the asterisk is part of the name.
    "lambda:EnableReplication*",
    "lambda:DisableReplication*",
}


@cache
def bodies(name: str) -> dict[str, dict[str, Any]]:
    return {stack: json.loads(data) for stack, data in synthesise(VARIANTS[name]).templates.items()}


def documents(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy document of a template, with where it stands."""
    for title, resource in body["Resources"].items():
        properties = resource["Properties"]
        for key in ("PolicyDocument", "AssumeRolePolicyDocument"):
            if key in properties:
                yield f"{title}.{key}", properties[key]
        for policy in properties.get("Policies", []):
            yield f"{title}.{policy['PolicyName']}", policy["PolicyDocument"]


def statements(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for stack, body in bodies(name).items():
        for where, document in documents(body):
            assert document["Version"] == "2012-10-17", where
            for statement in document["Statement"]:
                yield f"{stack}.{where}.{statement.get('Sid', '')}", statement


@pytest.mark.parametrize("name", VARIANTS)
def test_every_statement_is_narrow(name: str) -> None:
    seen = 0
    for where, statement in statements(name):
        seen += 1
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), where
        if statement["Effect"] == "Deny":
            continue
        for action in statement["Action"]:
            # A boundary grants nothing.
            reads = ".DeployBoundary." in where and re.search(r":((Describe|Detect|Get|List)|ListHostedZones)\*$", action)
            assert "*" not in action or reads or action in WITHOUT_RESOURCE, f"{where}: {action}"
        if "Principal" in statement:
            assert "*" not in json.dumps(statement["Principal"]), where
        if "iam:PassRole" in statement["Action"]:
            assert statement["Condition"]["StringEquals"]["iam:PassedToService"] in (
                "cloudformation.amazonaws.com",
                "lambda.amazonaws.com",
                "s3.amazonaws.com",
            )
            assert all("*" not in json.dumps(resource) for resource in statement["Resource"]), where
    assert seen > 30


@pytest.mark.parametrize("name", VARIANTS)
def test_a_star_stands_where_the_action_takes_no_resource_and_only_there(name: str) -> None:
    """Against the service authorization data, both ways; in a statement of its own, so that it is not widened by what stands beside it."""
    seen = 0
    for where, statement in statements(name):
        if statement["Effect"] == "Deny" or "Resource" not in statement or "Principal" in statement:
            continue
        resources = [flat(resource) for resource in statement["Resource"]]
        for action in statement["Action"]:
            kinds = resource_types(action)
            assert kinds, f"{where}: {action} is unknown"
            if action in WITHOUT_RESOURCE or action == "route53:ListHostedZones*":
                continue
            seen += 1
            if resources == ["*"]:
                assert not any(kinds), f"{where}: {action} takes {kinds}"
            else:
                assert "*" not in resources, where
                service = action.partition(":")[0]
                assert any(takes(service, each, resource) for each in kinds if each for resource in resources), (
                    f"{where}: {action} does not take {resources}"
                )
    assert seen > 200


def flat(resource: Any) -> str:
    """A resource element as text; what another resource gives is a role, everywhere here."""
    text = resource.get("Fn::Sub", "arn:aws:iam::${AWS::AccountId}:role/x") if isinstance(resource, dict) else resource
    return str(text[0] if isinstance(text, list) else text)


def of_service(statement: dict[str, Any], service: str) -> set[str]:
    return {flat(r) for r in statement["Resource"] if flat(r).startswith(f"arn:${{AWS::Partition}}:{service}:")}


def test_the_deploy_boundary_lets_through_what_the_deploy_policies_allow_and_keeps_what_they_deny() -> None:
    for name in VARIANTS:
        found = bodies(name)["foundation"]["Resources"]
        limits = found["DeployBoundary"]["Properties"]["PolicyDocument"]["Statement"]
        granted = [
            s
            for title in ("DeployPolicy", "DeployContentPolicy")
            for s in found[title]["Properties"]["PolicyDocument"]["Statement"]
            if s["Sid"] != "ApprovalsArePeoples"  # its denial needs no limit beside it
        ]
        assert {flat(resource) for s in limits for resource in s["Resource"]} == {flat(r) for s in granted for r in s["Resource"]}
        for statement in granted:
            same = [limit for limit in limits if all(limit.get(key) == statement.get(key) for key in ("Effect", "Condition"))]
            same = [limit for limit in same if {flat(r) for r in limit["Resource"]} >= {flat(r) for r in statement["Resource"]}]
            for action in statement["Action"]:
                assert any(fnmatchcase(action, pattern) for limit in same for pattern in limit["Action"]), f"{statement['Sid']}: {action}"
        for limit in limits:
            # Several statements as one let nothing more through: of a service it has the resources that one statement had.
            for service in {action.partition(":")[0] for action in limit["Action"] if limit["Resource"] != ["*"]}:
                own = of_service(limit, service)
                assert any(own == of_service(each, service) for each in granted), (service, own)
        role = found["DeployRole"]["Properties"]
        assert role["PermissionsBoundary"] == {"Ref": "DeployBoundary"}
        assert role["ManagedPolicyArns"] == [{"Ref": "DeployPolicy"}, {"Ref": "DeployContentPolicy"}]


DOCUMENTED = {
    # Who calls -> condition keys that AWS (or the issuer) documents it to send; the sources stand beside the policies.
    "cloudfront.amazonaws.com": {"aws:sourcearn"},
    "delivery.logs.amazonaws.com": {"aws:sourcearn", "aws:sourceaccount", "s3:x-amz-acl"},
    "cloudwatch.amazonaws.com": {"aws:sourcearn", "aws:sourceaccount"},
    "stacksets": {"aws:sourcearn", "aws:sourceaccount"},
    "cloudformation.amazonaws.com": set(),
    "s3.amazonaws.com": set(),
    "lambda.amazonaws.com": set(),
    "edgelambda.amazonaws.com": set(),
    "federated": {"token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub"},
    "federated, of an environment": {f"token.actions.githubusercontent.com:{claim}" for claim in ("aud", "sub", "ref")},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_condition_on_who_calls_is_one_that_the_caller_is_documented_to_meet_and_stands_where_there_is_one(name: str) -> None:
    seen = set()
    for where, statement in statements(name):
        principal = statement.get("Principal", {})
        if statement["Effect"] == "Deny" or not isinstance(principal, dict):
            continue
        callers = [*principal.get("Service", []), *(["federated"] if "Federated" in principal else [])]
        if "federated" in callers and "DeployRole" in where:
            callers = ["federated, of an environment"]
        callers = [principal["Service"]] if isinstance(principal.get("Service"), str) else callers
        if callers and "StackSetAdministrationRole" in where:
            callers = ["stacksets"]
        keys = {key.lower() for condition in statement.get("Condition", {}).values() for key in condition}
        for caller in callers:
            seen.add(caller)
            # Only what is written has an access control list.
            wanted = DOCUMENTED[caller] - ({"s3:x-amz-acl"} if statement["Action"] == ["s3:GetBucketAcl"] else set())
            assert keys == wanted, f"{where}: {caller}"
    assert seen >= {"cloudformation.amazonaws.com", "stacksets", "federated", "cloudfront.amazonaws.com", "delivery.logs.amazonaws.com"}


def test_sids_are_unique_within_a_policy() -> None:
    for name in VARIANTS:
        for stack, body in bodies(name).items():
            for where, document in documents(body):
                sids = [statement["Sid"] for statement in document["Statement"] if "Sid" in statement]
                assert len(sids) == len(set(sids)), f"{stack}.{where}"


def test_github_may_come_from_one_repository_and_environment_only() -> None:
    (statement,) = bodies("dev")["foundation"]["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:ORGANISATION/REPOSITORY:environment:dev",
            # GitHub makes the environment that a workflow of any branch names.
            "token.actions.githubusercontent.com:ref": "refs/heads/main",
        }
    }
    with_ids = changed(ENVS["dev"], {"github": {"repository": "bbws/web", "owner_id": "1", "repository_id": "2", "environment": "stage"}})
    role = json.loads(synthesise(with_ids).templates["foundation"])["Resources"]["DeployRole"]["Properties"]
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
    assert condition["token.actions.githubusercontent.com:sub"] == "repo:bbws@1/web@2:environment:stage"


def test_roles_made_by_stacks_are_bounded_and_only_bounded_roles_can_be_made() -> None:
    for name in VARIANTS:
        for stack, body in bodies(name).items():
            if stack == "foundation":
                continue
            for title, resource in body["Resources"].items():
                if resource["Type"] == "AWS::IAM::Role":
                    assert resource["Properties"]["PermissionsBoundary"], f"{name}.{stack}.{title}"
    service = bodies("dev")["foundation"]["Resources"]["ServiceRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in service:
        if {"iam:CreateRole", "iam:PutRolePolicy"} & set(statement["Action"]):
            assert "iam:PermissionsBoundary" in statement["Condition"]["StringEquals"]


def test_opt_in_regions_are_trusted_by_the_administration_role() -> None:
    def services(name: str) -> list[str]:
        role = bodies(name)["foundation"]["Resources"]["StackSetAdministrationRole"]["Properties"]
        found: list[str] = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        return found

    assert services("dev") == ["cloudformation.amazonaws.com"]
    assert services("prod") == ["cloudformation.amazonaws.com", "cloudformation.af-south-1.amazonaws.com"]


def test_policies_fit_into_the_quotas_of_iam() -> None:
    # IAM quotas: 6,144 characters for a managed policy, 10,240 for all inline policies of a role, white space not counted.
    for name in VARIANTS:
        for stack, body in bodies(name).items():
            for title, resource in body["Resources"].items():
                properties = resource["Properties"]
                if resource["Type"] == "AWS::IAM::ManagedPolicy":
                    assert _length(properties["PolicyDocument"]) <= 6144, f"{name}.{stack}.{title}"
                if resource["Type"] == "AWS::IAM::Role":
                    assert sum(_length(policy["PolicyDocument"]) for policy in properties.get("Policies", [])) <= 10_240, (
                        f"{name}.{stack}.{title}"
                    )


def _length(document: dict[str, Any]) -> int:
    def resolved(value: Any) -> Any:
        if isinstance(value, dict) and set(value) <= {"Fn::Sub", "Ref"}:
            return str(next(iter(value.values()))).replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "111111111111")
        if isinstance(value, dict):
            return {key: resolved(item) for key, item in value.items()}
        return [resolved(item) for item in value] if isinstance(value, list) else value

    return len(json.dumps(resolved(document), separators=(",", ":")))


def test_the_plan_role_may_change_nothing_and_its_own_policy_is_its_limit() -> None:
    changing = re.compile(
        r":(Add|Associate|Attach|Batch(?!DescribeTypeConfigurations)|Cancel|Continue|Copy|Create|Delete|Disable|Enable|Execute|Filter|Invoke"
        r"|Pass|Publish|Put|Remove|Replicate|Restore|Rollback|Send|Set|Start|Stop|Tag|Untag|Update|Upload|Assume)"
    )
    for name, env in VARIANTS.items():
        found = bodies(name)["foundation"]["Resources"]
        statements = found["PlanPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        able = {action: s for s in statements for action in s["Action"] if changing.search(action)}
        assert set(able) == {"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:TagResource"}
        named = able["cloudformation:CreateChangeSet"]["Condition"]["StringLike"]["cloudformation:ChangeSetName"]
        assert named == ["review-*", "arn:*:cloudformation:*:*:changeSet/review-*"]
        assert able["cloudformation:DeleteChangeSet"]["Condition"] == able["cloudformation:CreateChangeSet"]["Condition"]
        assert able["cloudformation:TagResource"]["Condition"] == {"StringEquals": {"cloudformation:CreateAction": "CreateChangeSet"}}
        granted = {action for s in statements for action in s["Action"]}
        assert not granted & {"secretsmanager:GetSecretValue", "lambda:GetFunction", "iam:PassRole", "sts:AssumeRole"}
        read = [flat(r) for s in statements if "s3:GetObject" in s["Action"] for r in s["Resource"]]
        assert read and not any(r.endswith((f"{env.bucket}/*", f"{env.artifacts.bucket}/*", "content/*")) for r in read)
        role = found["PlanRole"]["Properties"]
        assert (role["ManagedPolicyArns"], role["PermissionsBoundary"]) == ([{"Ref": "PlanPolicy"}], {"Ref": "PlanPolicy"})
        trust = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        repository = env.github.repository
        assert trust["token.actions.githubusercontent.com:sub"] == f"repo:{repository}:ref:refs/heads/main"


def test_a_pull_request_gets_no_change_set_of_a_stack_that_takes_a_secret() -> None:
    """A change set of a template without NoEcho might show what the parameter keeps (docs/assumptions.md, no-echo-review)."""
    seen = 0
    for name, env in VARIANTS.items():
        role = bodies(name)["foundation"]["Resources"]["PullRequestRole"]["Properties"]
        assert (role["ManagedPolicyArns"], role["PermissionsBoundary"]) == ([{"Ref": "PlanPolicy"}], {"Ref": "PlanPolicy"})
        trust = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        assert trust["token.actions.githubusercontent.com:sub"] == f"repo:{env.github.repository}:pull_request"
        (policy,) = role["Policies"]
        (denied,) = policy["PolicyDocument"]["Statement"]
        assert denied["Effect"] == "Deny"
        assert "Condition" not in denied
        assert {"cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet"} <= set(denied["Action"])
        hidden = [r["Fn::Sub"] for r in denied["Resource"]]
        for stack, body in bodies(name).items():
            if any(parameter.get("NoEcho") for parameter in body.get("Parameters", {}).values()):
                seen += 1
                assert f"arn:${{AWS::Partition}}:cloudformation:*:${{AWS::AccountId}}:stack/{env.prefix}-{stack}/*" in hidden
    assert seen


def test_who_approves_writes_in_their_own_name_and_a_deployer_not_at_all() -> None:
    found = bodies("two people")["foundation"]["Resources"]
    writing = [s for s in found["ApprovePolicy"]["Properties"]["PolicyDocument"]["Statement"] if "s3:PutObject" in s["Action"]]
    assert [r["Fn::Sub"].partition("/approvals/")[2] for s in writing for r in s["Resource"]] == ["prod/*/${!aws:userid}.json"]
    denied = [s for s in found["DeployContentPolicy"]["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
    assert [(s["Action"], flat(s["Resource"][0]).partition("-artifacts")[2]) for s in denied] == [(["s3:PutObject"], "/approvals/*")]
    assert "ApprovePolicy" not in bodies("prod")["foundation"]["Resources"]

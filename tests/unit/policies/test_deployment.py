"""Which statement a deployer and a planner have, on which resources, with and without what is optional; what their boundary joins."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from awacs.aws import Action, Allow, Deny, Statement, StringEquals
from troposphere import encode_to_dict

from policies import approval, buckets, deployment, planning, provisioning, runtime, stacksets, trust
from policies.deployment import Deployment, Standby
from policies.provisioning import Scope
from policies.statements import allow

NAMES = Deployment(
    prefix="p-dev",
    environment="dev",
    site_bucket="site",
    artifact_bucket="artifacts",
    lock_table="locks",
    home_region="eu-west-1",
    secret="p-dev/hash",
    edge_function_name="p-dev-edge",
    access_log_bucket="logs",
    service_role_name="p-dev-service",
    administration_role_name="p-dev-administration",
    deploy_role_name="p-dev-deploy",
    zone_role_arn=None,
)
ZONE = replace(NAMES, zone_role_arn="arn:aws:iam::222222222222:role/zone")
STANDBY = replace(NAMES, standby=Standby("replica", "artifacts-2"))
FIREWALL = replace(NAMES, firewall=True, standby=Standby("replica", "artifacts-2"))
CASES = {"plain": NAMES, "zone": ZONE, "standby": STANDBY, "firewall": FIREWALL}
ACCOUNT = "${AWS::AccountId}"


def statements(document: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(json.dumps(encode_to_dict(document)))["Statement"]
    return found


def short(resource: Any) -> str:
    """`s3:::site` for the ARN of the bucket."""
    return str(resource["Fn::Sub"] if isinstance(resource, dict) else resource).removeprefix("arn:${AWS::Partition}:")


def said(document: Any) -> dict[str, tuple[str, str]]:
    """Sid to actions and resources, each as one text."""
    return {each["Sid"]: (" ".join(each["Action"]), " ".join(map(short, each["Resource"]))) for each in statements(document)}


def test_what_a_deployer_may_do_with_stacks_is_more_only_by_the_zones_role() -> None:
    plain = said(deployment.stacks(NAMES))
    assert said(deployment.stacks(FIREWALL)) == plain
    zone = said(deployment.stacks(ZONE))
    assert zone.pop("ZoneAccount") == ("sts:AssumeRole", "arn:aws:iam::222222222222:role/zone")
    assert zone == plain
    assert plain["PassToCloudFormation"][1] == f"iam::{ACCOUNT}:role/p-dev-service iam::{ACCOUNT}:role/p-dev-administration"
    assert plain["FoundationIsNotTheDeployers"][1] == f"cloudformation:*:{ACCOUNT}:stack/p-dev-foundation/*"
    assert plain["AskBefore"] == ("iam:SimulatePrincipalPolicy", f"iam::{ACCOUNT}:role/p-dev-deploy")
    assert plain["Stacks"][1] == f"cloudformation:*:{ACCOUNT}:stack/p-dev-*/* cloudformation:*:{ACCOUNT}:changeSet/*"


EVERYWHERE = {
    "SiteBuckets": (
        "s3:ListBucket s3:GetBucketLocation s3:GetBucketPolicy s3:GetBucketTagging s3:GetObject",
        "s3:::site s3:::logs s3:::logs/cloudfront/*",
    ),
    "SiteContent": ("s3:GetObject s3:PutObject s3:DeleteObject s3:AbortMultipartUpload s3:ListMultipartUploadParts", "s3:::site/*"),
    "Artifacts": (
        "s3:ListBucket s3:ListBucketVersions s3:GetBucketLocation s3:GetObject s3:GetObjectVersion s3:PutObject",
        "s3:::artifacts s3:::artifacts/*",
    ),
    "ApprovalsArePeoples": ("s3:PutObject", "s3:::artifacts/approvals/*"),
}
WITH_STANDBY = {
    "SiteBuckets": (
        f"{EVERYWHERE['SiteBuckets'][0]} s3:GetBucketVersioning s3:GetReplicationConfiguration",
        "s3:::site s3:::replica s3:::logs s3:::logs/cloudfront/*",
    ),
    "SiteContent": (EVERYWHERE["SiteContent"][0], "s3:::site/* s3:::replica/*"),
    "Artifacts": (EVERYWHERE["Artifacts"][0], "s3:::artifacts s3:::artifacts/* s3:::artifacts-2 s3:::artifacts-2/*"),
    "ApprovalsArePeoples": ("s3:PutObject", "s3:::artifacts/approvals/* s3:::artifacts-2/approvals/*"),
    "Rehearse": ("s3:PutBucketPolicy", "s3:::site s3:::replica"),
    "OriginOrder": ("cloudfront:GetDistributionConfig cloudfront:UpdateDistribution", f"cloudfront::{ACCOUNT}:distribution/*"),
    "OriginOrderEdge": ("lambda:GetFunction lambda:EnableReplication*", f"lambda:us-east-1:{ACCOUNT}:function:p-dev-edge:*"),
    "RecoveryAlarms": ("cloudwatch:DescribeAlarms", f"cloudwatch:*:{ACCOUNT}:alarm:p-dev-*"),
}
WEB_ACLS = f"wafv2:us-east-1:{ACCOUNT}:global/webacl/p-dev-*/*"
WITH_FIREWALL = {"OriginOrderFirewall": ("wafv2:GetWebACL", WEB_ACLS), "WebAcls": ("wafv2:ListTagsForResource", WEB_ACLS)}
ONLY_SOMETIMES = {*WITH_STANDBY, *WITH_FIREWALL}


@pytest.mark.parametrize(
    ("names", "wanted"),
    [(NAMES, EVERYWHERE), (ZONE, EVERYWHERE), (STANDBY, WITH_STANDBY), (FIREWALL, {**WITH_STANDBY, **WITH_FIREWALL})],
    ids=["plain", "zone", "standby", "firewall"],
)
def test_beside_the_stacks_a_standby_adds_the_replica_and_what_turns_the_origins_round(
    names: Deployment, wanted: dict[str, tuple[str, str]]
) -> None:
    found = said(deployment.content(names))
    assert {sid: what for sid, what in found.items() if sid in ONLY_SOMETIMES} == wanted
    assert {sid: what for sid, what in found.items() if sid not in ONLY_SOMETIMES} == {
        sid: what for sid, what in said(deployment.content(NAMES)).items() if sid not in ONLY_SOMETIMES
    }
    (denied,) = (each["Sid"] for each in statements(deployment.content(names)) if each["Effect"] == "Deny")
    assert denied == "ApprovalsArePeoples"


# --- the boundary --------------------------------------------------------------------------------------------------


def test_the_boundary_says_on_which_resources_what_is_allowed_in_the_fewest_words() -> None:
    """Only what nothing else reads the same is shortened: `Get*` for two that get, and a beginning for what it is the beginning of."""
    found = {tuple(map(short, each["Resource"])): each for each in statements(deployment.boundary(NAMES))}
    of = {resource: each["Action"] for resources, each in found.items() for resource in resources if each["Effect"] == "Allow"}

    def actions(resource: str, service: str) -> list[str]:
        return [action for action in of[resource] if action.startswith(f"{service}:")]

    assert actions("s3:::artifacts", "s3") == ["s3:List*", "s3:Get*", "s3:PutObject"]
    assert actions("s3:::site/*", "s3") == [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ]
    assert actions(f"secretsmanager:us-east-1:{ACCOUNT}:secret:p-dev/hash-??????", "secretsmanager") == [
        "secretsmanager:GetSecretValue",
        "secretsmanager:DescribeSecret",
        "secretsmanager:ListSecretVersionIds",
    ]
    own = actions(f"cloudformation:*:{ACCOUNT}:stack/p-dev-*/*", "cloudformation")
    assert own[:4] == ["cloudformation:Describe*", "cloudformation:List*", "cloudformation:Get*", "cloudformation:Detect*"]
    assert "cloudformation:DeleteStack" in own and not any(action.startswith("cloudformation:Delete*") for action in own)
    look = found[("*",)]["Action"]
    assert "route53:ListHostedZones*" in look and "route53:ListHostedZonesByName" not in look
    assert [action for action in look if "*" in action] == ["route53:ListHostedZones*"]


def by_service(statement: dict[str, Any]) -> list[tuple[str, str]]:
    """Each service of a statement and the resources that are its own."""
    return [
        (
            service,
            json.dumps(
                [r for r in statement["Resource"] if short(r).startswith(f"{service}:") or (service == "sts" and isinstance(r, str))]
            ),
        )
        for service in {action.partition(":")[0] for action in statement["Action"]}
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_boundary_keeps_what_is_conditional_denied_or_about_everything_apart_and_puts_the_rest_side_by_side(name: str) -> None:
    names = CASES[name]
    limits = statements(deployment.boundary(names))
    assert not any("Sid" in each for each in limits)
    granted = [*statements(deployment.stacks(names)), *statements(deployment.content(names))[:-1]]

    def apart(each: dict[str, Any]) -> bool:
        return each["Effect"] == "Deny" or each["Resource"] == ["*"] or "Condition" in each

    shared = [each for each in limits if not apart(each)]
    assert limits[: len(shared)] == shared, "the shared ones first"
    of_everything = [
        {**each, "Action": [*dict.fromkeys("route53:ListHostedZones*" if "route53:List" in a else a for a in each["Action"])]}
        for each in granted
        if apart(each)
    ]
    assert limits[len(shared) :] == [{key: value for key, value in each.items() if key != "Sid"} for each in of_everything]
    # No statement has two of one service: their resources would be each other's. And there are no more than that takes.
    wanted = {pair for each in granted if not apart(each) for pair in by_service(each)}
    assert len(shared) == max(Counter(service for service, _ in wanted).values())
    assert sorted(pair for each in shared for pair in by_service(each)) == sorted(wanted)


ONE = "arn:aws:s3:::one"
CONDITION: dict[str, Any] = {"condition": StringEquals("aws:SourceAccount", "1")}


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ([allow("A", "s3", ["GetObject"], ONE), allow("B", "s3", ["GetObject"], ONE)], ["s3:GetObject"]),
        ([allow("A", "s3", ["GetObject"], ONE), allow("B", "s3", ["GetObjectAcl", "PutObject"], ONE)], ["s3:Get*", "s3:PutObject"]),
        ([allow("A", "s3", ["GetObject", "GetBucketAcl"], ONE, **CONDITION)], ["s3:GetObject", "s3:GetBucketAcl"]),
        ([allow("A", "s3", ["GetObject", "GetObjectAcl"], ONE, **CONDITION)], ["s3:GetObject*"]),
        ([allow("A", "s3", ["GetObject", "GetBucketAcl"], "*")], ["s3:GetObject", "s3:GetBucketAcl"]),
        ([allow("A", "s3", ["GetX", "GetXY", "GetXYZ", "PutX"], "*")], ["s3:GetX*", "s3:PutX"]),
    ],
)
def test_a_limit_is_shortened_where_that_lets_nothing_else_through(given: list[Statement], limits: list[str]) -> None:
    (found,) = (encode_to_dict(each) for each in deployment._limits(given))
    assert found["Action"] == limits


def test_a_denial_is_never_shortened_and_what_one_service_calls_as_another_does_stays_its_own() -> None:
    names = ["GetObject", "GetObjectAcl", "GetBucketAcl"]
    denied = Statement(Effect=Deny, Action=[Action("s3", name) for name in names], Resource=[ONE])
    look = Statement(
        Effect=Allow, Action=[Action("a", "GetX"), Action("b", "GetX"), Action("b", "GetXY"), Action("c", "GetXYZ")], Resource=["*"]
    )
    found = [encode_to_dict(each)["Action"] for each in deployment._limits([denied, look])]
    assert found == [[f"s3:{name}" for name in names], ["a:GetX", "b:GetX*", "c:GetXYZ"]]


# --- who plans, who approves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("names", "standby"), [(NAMES, False), (FIREWALL, True)], ids=["plain", "standby"])
def test_who_plans_reads_what_a_standby_has_too(names: Deployment, standby: bool) -> None:
    found = said(planning.plan(names))
    assert found["Buckets"][1].split() == [
        "s3:::artifacts",
        "s3:::site",
        "s3:::logs",
        *(["s3:::replica", "s3:::artifacts-2"] if standby else []),
    ]
    assert found["Records"][1].split()[6:] == (["s3:::artifacts-2/recovery/dev/target.json"] if standby else [])
    assert found.get("Origins") == (
        ("s3:GetBucketVersioning s3:GetReplicationConfiguration", "s3:::site s3:::replica") if standby else None
    )
    (denied,) = statements(planning.unreviewed(names))
    assert (denied["Effect"], *map(short, denied["Resource"])) == ("Deny", f"cloudformation:*:{ACCOUNT}:stack/p-dev-edge/*")


def test_who_approves_writes_one_record_of_their_own_in_every_bucket_of_artifacts() -> None:
    assert said(approval.approve(STANDBY)) == {
        "OwnApprovals": (
            "s3:PutObject",
            "s3:::artifacts/approvals/dev/*/${!aws:userid}.json s3:::artifacts-2/approvals/dev/*/${!aws:userid}.json",
        ),
        "Approvals": ("s3:GetObject", "s3:::artifacts/approvals/dev/* s3:::artifacts-2/approvals/dev/*"),
        "Bucket": ("s3:ListBucket s3:GetBucketLocation", "s3:::artifacts s3:::artifacts-2"),
    }


# --- buckets, roles that run, who becomes a role -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({}, ["CloudFrontReads", "CloudFrontTellsMissing", "TlsOnly"]),
        ({"identity": "E2ABC"}, ["CloudFrontReads", "CloudFrontTellsMissing", "IdentityReadsAsBefore", "TlsOnly"]),
        # A website endpoint has no TLS.
        ({"public": True}, ["CloudFrontReads", "CloudFrontTellsMissing", "EverybodyReadsAsBefore"]),
        (
            {"identity": "E2ABC", "public": True},
            ["CloudFrontReads", "CloudFrontTellsMissing", "IdentityReadsAsBefore", "EverybodyReadsAsBefore"],
        ),
    ],
)
def test_who_reads_a_site_bucket(how: dict[str, Any], wanted: list[str]) -> None:
    found = {each["Sid"]: each for each in statements(buckets.cloudfront_origin("site", "E1", **how))}
    assert [*found] == wanted
    for sid in ("CloudFrontReads", "CloudFrontTellsMissing"):
        assert found[sid]["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert found[sid]["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"][0].endswith(":distribution/${Id}")
    for sid in wanted[2:]:
        assert (found[sid]["Effect"], "Condition" in found[sid]) == (("Deny", True) if sid == "TlsOnly" else ("Allow", False))
    if identity := found.get("IdentityReadsAsBefore"):
        user = "arn:${AWS::Partition}:iam::cloudfront:user/CloudFront Origin Access Identity E2ABC"
        assert identity["Principal"] == {"AWS": {"Fn::Sub": user}}
    if everybody := found.get("EverybodyReadsAsBefore"):
        assert (everybody["Principal"], everybody["Action"], [*map(short, everybody["Resource"])]) == (
            "*",
            ["s3:GetObject"],
            ["s3:::site/*"],
        )


def test_nobody_comes_to_a_bucket_without_tls() -> None:
    for policy in (buckets.tls_only("b"), buckets.log_delivery("b"), buckets.firewall_logs("b")):
        last = statements(policy)[-1]
        assert (last["Effect"], last["Principal"], last["Action"]) == ("Deny", "*", ["s3:*"])
        assert [*map(short, last["Resource"])] == ["s3:::b", "s3:::b/*"]
        assert last["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statements(buckets.tls_only("b"))) == 1


def test_roles_that_run_reach_no_further_than_what_there_is() -> None:
    assert [*said(runtime.boundary("f", "site", None))] == ["OwnLogs"]
    assert [*said(runtime.boundary("f", "site", "replica"))] == ["OwnLogs", "ReadConfiguration", "ReadVersions", "WriteReplica"]
    assert said(runtime.replication("site", "replica"))["WriteReplica"][1] == "s3:::replica/*"


@pytest.mark.parametrize(
    ("owner_id", "repository_id", "wanted"),
    [(None, None, "o/r"), ("1", None, "o/r"), (None, "2", "o/r"), ("1", "2", "o@1/r@2")],
)
def test_a_repository_is_told_by_its_numbers_only_where_both_are_known(
    owner_id: str | None, repository_id: str | None, wanted: str
) -> None:
    ids = {"owner_id": owner_id, "repository_id": repository_id}
    for policy, end in (
        (trust.github_deployment("o/r", "dev", "main", **ids), "environment:dev"),
        (trust.github_planning("o/r", "main", **ids), "ref:refs/heads/main"),
        (trust.github_pull_request("o/r", **ids), "pull_request"),
    ):
        (statement,) = statements(policy)
        asked = statement["Condition"]["StringEquals"]
        assert asked["token.actions.githubusercontent.com:sub"] == f"repo:{wanted}:{end}"
        assert asked.get("token.actions.githubusercontent.com:ref") == ("refs/heads/main" if end == "environment:dev" else None)


# --- what CloudFormation may do -------------------------------------------------------------------------------------

SCOPE = Scope(
    prefix="p-dev",
    buckets=("site", "logs"),
    former=("replica",),
    hosts=("a.io", "www.a.io"),
    certificate_names=("a.io", "*.a.io", "b.a.io", "xa.io"),
    zone_id="Z1",
    boundary_name="p-dev-boundary",
)


def test_the_service_role_makes_a_website_of_a_bucket_only_where_one_is_taken_over() -> None:
    private, public = (said(provisioning.service_role(scope)) for scope in (SCOPE, replace(SCOPE, website=True)))
    assert [*private] == [*public] and private["FormerReplicas"][1] == "s3:::replica"
    assert [private["Buckets"][1], public["Buckets"][1]] == ["s3:::site s3:::logs"] * 2
    assert {*public["Buckets"][0].split()} - {*private["Buckets"][0].split()} == {"s3:PutBucketWebsite"}
    assert private["PassEdgeRole"] == ("iam:PassRole", f"iam::{ACCOUNT}:role/p-dev-edge")
    assert private["PassReplicationRole"] == ("iam:PassRole", f"iam::{ACCOUNT}:role/p-dev-replication")
    assert {"MakeAtTheEdge", "Firewall", "FirewallLogs", "EdgeFunction", "BoundedRoles", "Alarms", "AccessLogs"} <= private.keys()


@pytest.mark.parametrize(("zone_id", "zone"), [("Z1", "Z1"), (None, "*")])
def test_the_service_role_writes_records_of_the_names_and_of_their_validation(zone_id: str | None, zone: str) -> None:
    policy = provisioning.service_role_domains(replace(SCOPE, zone_id=zone_id))
    assert said(policy)["Records"][1] == said(policy)["Zone"][1] == f"route53:::hostedzone/{zone}"
    (records,) = (each for each in statements(policy) if each["Sid"] == "Records")
    assert records["Condition"] == {
        "ForAllValues:StringLike": {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["a.io", "www.a.io", "_*.a.io", "_*.xa.io"],
        }
    }
    assert "RequestCertificate" in said(policy)


def test_the_roles_of_stacksets_reach_their_own_stacks() -> None:
    administration = stacksets.stackset_administration("execution", accounts=("1", "2"))
    assert said(administration) == {"AssumeExecution": ("sts:AssumeRole", "iam::1:role/execution iam::2:role/execution")}
    found = said(stacksets.stackset_execution(SCOPE, "f"))
    assert [*found] == ["InstanceStacks", "Describe", "LogGroups"]
    assert found["InstanceStacks"][1] == f"cloudformation:*:{ACCOUNT}:stack/StackSet-p-dev-*/*"


def test_who_becomes_a_role_is_a_service_and_only_stacksets_are_asked_for_more() -> None:
    def of(policy: Any) -> tuple[Any, set[str]]:
        (statement,) = statements(policy)
        return statement["Principal"], {*statement.get("Condition", {})}

    assert of(trust.edge_function()) == ({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}, set())
    assert of(trust.cloudformation()) == ({"Service": ["cloudformation.amazonaws.com"]}, set())
    assert of(trust.s3_replication()) == ({"Service": ["s3.amazonaws.com"]}, set())
    assert of(trust.stackset_execution("arn")) == ({"AWS": "arn"}, set())
    assert of(trust.stackset_administration("p", ("af-south-1",))) == (
        {"Service": ["cloudformation.amazonaws.com", "cloudformation.af-south-1.amazonaws.com"]},
        {"StringEquals", "ArnLike"},
    )
    alarms = runtime.alarm_topic("topic", "1", "eu-west-1")
    assert said(alarms) == {"AlarmsPublish": ("sns:Publish", "topic")} and of(alarms)[1] == {"StringEquals", "ArnLike"}
    assert [*said(runtime.edge_function_logs("f"))] == ["OwnLogs"]

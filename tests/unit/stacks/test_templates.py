"""The rendered templates: golden files, and the properties every environment keeps however it is configured."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assembly.files import canonical_json, manifest_bytes
from assembly.model import NoSite, OutputRef, RoleName, Stack, Targets
from environments.loader import load
from environments.model import Environment, Organization
from environments.problems import EnvironmentProblems
from environments.regions import LAMBDA_EDGE_REGIONS, REGIONS
from lint.gate import Job, lint
from lint.verdicts import today
from stacks import dns
from stacks.catalogue import entries
from stacks.synthesis import Synthesis, SynthesisError, synthesise, synthesise_organization
from templates.resources import DATA_HOLDING_TYPES
from tests.environments_fixture import ENVIRONMENTS, FAILOVER, FOREIGN_ZONE, NAMES, RECOVERY, ZONE_RIVALS, changed, environments
from tests.golden_files import assert_golden

ENVS = environments()
VARIANTS: dict[str, Environment] = {
    **ENVS,
    "recovery": changed(ENVS["prod"], {**RECOVERY, **FAILOVER}),
    "failover-with-auth": changed(ENVS["dev"], FAILOVER),
    "recovery-with-auth": changed(ENVS["dev"], RECOVERY),
    "foreign-zone": changed(ENVS["dev"], FOREIGN_ZONE),
}


@cache
def synthesis(name: str) -> Synthesis:
    return synthesise(VARIANTS[name], zone_contested=name in ZONE_RIVALS)


def template(name: str, stack: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(synthesis(name).templates[stack])
    return body


def templates(built: Synthesis) -> Iterator[tuple[Stack, dict[str, Any]]]:
    for stack in built.assembly.stacks:
        yield stack, json.loads(built.templates[stack.id])


def resources(body: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {title: resource for title, resource in body["Resources"].items() if resource["Type"] == kind}


def only(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    (resource,) = resources(body, kind).values()
    properties: dict[str, Any] = resource["Properties"]
    return properties


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# --- golden -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_golden_templates(name: str) -> None:
    built = synthesis(name)
    assert_golden(f"templates/{name}/assembly.json", manifest_bytes(built.assembly))
    for stack in built.assembly.stacks:
        assert_golden(f"templates/{name}/{stack.template.file}", built.templates[stack.id])


def test_golden_organization() -> None:
    built = organization()
    assert_golden("templates/organization/assembly.json", manifest_bytes(built.assembly))
    assert_golden("templates/organization/administration.template.json", built.templates["administration"])


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_lints_clean(name: str) -> None:
    assert_clean(synthesis(name))


def assert_clean(built: Synthesis) -> None:
    jobs = [
        Job(
            stack_id=stack.id,
            template=built.templates[stack.id],
            regions=stack.stackset.targets.regions if stack.stackset else (stack.region,),
        )
        for stack in built.assembly.stacks
    ]
    findings = [finding for found in lint(jobs, cache=None, workers=1, day=today()).values() for finding in found if not finding.suppressed]
    assert findings == []


# --- where things go ----------------------------------------------------------------------------------------------


def test_which_stacks_go_where() -> None:
    assert [(stack.id, stack.region) for stack in synthesis("dev").assembly.stacks] == [
        ("foundation", "eu-west-1"),
        ("certificate", "us-east-1"),
        ("edge-logs", "us-east-1"),
        ("edge", "us-east-1"),
        ("site", "eu-west-1"),
        ("dns", "us-east-1"),
        ("monitoring", "us-east-1"),
    ]
    assert [(stack.id, stack.region) for stack in synthesis("prod").assembly.stacks] == [
        ("foundation", "af-south-1"),
        ("certificate", "us-east-1"),
        ("firewall", "us-east-1"),
        ("site", "af-south-1"),
        ("dns", "us-east-1"),
        ("monitoring", "us-east-1"),
    ]
    assert [stack.id for stack in synthesis("recovery-with-auth").assembly.stacks] == [
        "foundation", "certificate", "edge-logs", "edge", "replica", "site", "replica-access", "dns", "monitoring",
    ]  # fmt: skip


def test_edge_logs_reach_every_edge_region_from_inside_the_account() -> None:
    (stack,) = (stack for stack in synthesis("dev").assembly.stacks if stack.kind == "stackset")
    assert stack.stackset is not None
    assert stack.stackset.permission_model == "SELF_MANAGED"
    assert stack.stackset.targets.accounts == ("111111111111",)
    assert stack.stackset.targets.regions == LAMBDA_EDGE_REGIONS
    assert stack.stackset.preferences.region_order[0] == "us-east-1"


def test_a_foreign_zone_moves_records_and_validation() -> None:
    stacks = {stack.id: stack for stack in synthesis("foreign-zone").assembly.stacks}
    assert (stacks["dns"].account_id, stacks["dns"].role_arn) == ("444444444444", "arn:aws:iam::444444444444:role/zone-records")
    assert stacks["dns"].service_role is None
    assert stacks["certificate"].certificate_validation is not None
    assert "DomainValidationOptions" not in only(template("foreign-zone", "certificate"), "AWS::CertificateManager::Certificate")
    assert resources(template("foreign-zone", "dns"), "AWS::Route53::HealthCheck") == {}
    assert len(resources(template("foreign-zone", "monitoring"), "AWS::Route53::HealthCheck")) == 1


def test_protection_is_for_prod() -> None:
    dev, prod = synthesis("dev").assembly, synthesis("prod").assembly
    assert not dev.protected
    assert prod.protected
    assert all(stack.termination_protection and stack.stack_policy for stack in prod.stacks)
    assert not any(stack.termination_protection or stack.stack_policy for stack in dev.stacks)
    site = next(stack for stack in prod.stacks if stack.id == "site")
    denied = json.loads(site.stack_policy or "")["Statement"][1]
    assert denied["Action"] == ["Update:Replace", "Update:Delete"]
    assert denied["Condition"]["StringEquals"]["ResourceType"] == [
        "AWS::CloudFront::Distribution",
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
    ]


def test_placeholders_are_listed_for_the_deployer() -> None:
    assert {(item.key, item.value) for item in synthesis("dev").assembly.placeholders} == {
        ("account_id", "111111111111"),
        ("github.repository", "ORGANISATION/REPOSITORY"),
        ("hosted_zone", "kimmyai.io"),
    }
    assert synthesise(changed(ENVS["dev"], {"account_id": "123456789012", "github": {"repository": "a/b"}})).assembly.placeholders == ()


# --- the site -----------------------------------------------------------------------------------------------------


def test_the_bucket_admits_exactly_this_distribution_and_only_over_tls() -> None:
    body = template("dev", "site")
    statements = only(body, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert {action for statement in allowed for action in statement["Action"]} == {"s3:GetObject", "s3:ListBucket"}
    for statement in allowed:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert statement["Condition"] == {
            "StringEquals": {
                "AWS:SourceArn": {
                    "Fn::Sub": [
                        "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Id}",
                        {"Id": {"Ref": "Distribution"}},
                    ]
                }
            }
        }
    (denied,) = (statement for statement in statements if statement["Effect"] == "Deny")
    assert denied["Principal"] == "*"
    assert denied["Action"] == ["s3:*"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert [resource["Fn::Sub"].split(":::")[1] for resource in denied["Resource"]] == [
        "dev-kimmyai-web-public",
        "dev-kimmyai-web-public/*",
    ]


@pytest.mark.parametrize("name", VARIANTS)
def test_distribution(name: str) -> None:
    env, body = VARIANTS[name], template(name, "site")
    config = only(body, "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == [env.domain]
    assert config["HttpVersion"] == "http2and3"
    assert config["IPV6Enabled"] is True
    assert config["PriceClass"] == env.price_class
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2025"
    assert config["DefaultRootObject"] == "index.html"
    errors = {error["ErrorCode"]: error for error in config["CustomErrorResponses"]}
    assert set(errors) == {403, 404, 405, 416, 500, 502, 503, 504}
    assert all(error["ResponseCode"] == code for code, error in errors.items()), "a missing asset would be answered with status 200"
    assert {error["ResponsePagePath"] for error in errors.values()} == {"/404.html", "/error.html"}
    assert {error["ErrorCachingMinTTL"] for error in errors.values()} == {10}
    for origin in config["Origins"]:
        assert origin["OriginAccessControlId"] == {"Fn::GetAtt": ["OriginAccessControl", "Id"]}
        assert origin["S3OriginConfig"] == {"OriginAccessIdentity": "", "OriginReadTimeout": 5}
        assert (origin["ConnectionAttempts"], origin["ConnectionTimeout"]) == (2, 3), "stale pages wait for these"
    default: dict[str, Any] = config["DefaultCacheBehavior"]
    others: list[dict[str, Any]] = config["CacheBehaviors"]
    assert default["CachePolicyId"] == {"Ref": "PageCachePolicy"}
    assert [(other["PathPattern"], other["CachePolicyId"]) for other in others] == [("assets/*", "658327ea-f89d-4fab-a63d-7e88639e58f6")]
    for behaviour in (default, *others):
        assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
        assert behaviour["Compress"] is True
        assert behaviour["ResponseHeadersPolicyId"] == {"Ref": "ResponseHeadersPolicy"}
        functions = [*behaviour.get("LambdaFunctionAssociations", []), *behaviour.get("FunctionAssociations", [])]
        assert [function["EventType"] for function in functions] == ["viewer-request"]
        assert ("LambdaFunctionAssociations" in behaviour) is env.basic_auth.enabled, "every path asks for the password"


def test_origin_group_only_with_recovery() -> None:
    plain = only(template("prod", "site"), "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert "OriginGroups" not in plain
    recovered = only(template("recovery", "site"), "AWS::CloudFront::Distribution")["DistributionConfig"]
    (group,) = recovered["OriginGroups"]["Items"]
    assert [member["OriginId"] for member in group["Members"]["Items"]] == ["site", "replica"]
    assert set(group["FailoverCriteria"]["StatusCodes"]["Items"]) == {403, 500, 502, 503, 504}
    assert recovered["DefaultCacheBehavior"]["TargetOriginId"] == "site-or-replica"
    bucket = only(template("recovery", "site"), "AWS::S3::Bucket")
    assert bucket["ReplicationConfiguration"]["Rules"][0]["Status"] == "Enabled"


def test_security_headers() -> None:
    for name in NAMES:
        config = only(template(name, "site"), "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
        security = config["SecurityHeadersConfig"]
        hsts = security["StrictTransportSecurity"]
        assert (hsts["AccessControlMaxAgeSec"], hsts["IncludeSubdomains"], hsts["Override"]) == (63072000, True, True)
        assert hsts["Preload"] is (name == "prod")
        assert security["ContentTypeOptions"] == {"Override": True}
        assert security["FrameOptions"] == {"FrameOption": "DENY", "Override": True}
        csp = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        assert "'unsafe" not in csp
        for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'self'", "frame-ancestors 'none'"):
            assert directive in csp
        custom = {item["Header"] for item in config["CustomHeadersConfig"]["Items"]}
        assert "Permissions-Policy" in custom
        assert ("X-Robots-Tag" in custom) is (name != "prod")


def test_the_contract_promises_the_headers_that_the_policy_sends() -> None:
    for name in NAMES:
        expected = synthesis(name).assembly.site.response_headers
        config = only(template(name, "site"), "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
        custom = {item["Header"].lower(): item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
        assert custom.items() <= expected.items()
        assert expected["content-security-policy"] == config["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        preload = "; preload" if name == "prod" else ""
        assert expected["strict-transport-security"] == f"max-age=63072000; includeSubDomains{preload}"
        if ENVS[name].basic_auth.enabled:
            answered_at_the_edge = text(only(template(name, "edge"), "AWS::Lambda::Function")["Code"])
            assert expected["strict-transport-security"] in answered_at_the_edge


# --- certificate, edge, dns, monitoring ---------------------------------------------------------------------------


def test_certificate() -> None:
    certificate = only(template("dev", "certificate"), "AWS::CertificateManager::Certificate")
    assert (certificate["DomainName"], certificate["SubjectAlternativeNames"]) == ("kimmyai.io", ["*.kimmyai.io"])
    assert certificate["ValidationMethod"] == "DNS"
    assert {option["HostedZoneId"]["Ref"] for option in certificate["DomainValidationOptions"]} == {"HostedZoneId"}


def test_edge_function_stays_inside_the_limits_of_the_edge() -> None:
    body = template("dev", "edge")
    function = only(body, "AWS::Lambda::Function")
    assert function["MemorySize"] == 128
    assert function["Timeout"] == 5
    assert not {"Environment", "VpcConfig", "Layers", "DeadLetterConfig", "TracingConfig", "KmsKeyArn"} & function.keys()
    trust = only(body, "AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"][0]
    assert sorted(trust["Principal"]["Service"]) == ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]
    assert body["Parameters"]["BasicAuthPasswordHash"]["NoEcho"] is True
    parts = function["Code"]["ZipFile"]["Fn::Join"][1]
    assert {"Ref": "BasicAuthPasswordHash"} in parts
    assert "$scrypt$ln=" not in text([part for part in parts if isinstance(part, str) and "$scrypt$ln=14,r=8,p=1$" in part])


def test_records() -> None:
    records = resources(template("dev", "dns"), "AWS::Route53::RecordSet")
    assert sorted(record["Properties"]["Type"] for record in records.values()) == ["A", "AAAA", "HTTPS"]
    for record in records.values():
        assert record["Properties"]["Name"] == "dev.kimmyai.io"
        assert record["Properties"]["AliasTarget"]["HostedZoneId"] == "Z2FDTNDATAQYW2"
        assert record["Properties"]["AliasTarget"]["EvaluateTargetHealth"] is False


def test_with_failover_the_name_has_one_simple_record_of_a_type_and_the_pair_stands_apart() -> None:
    records = {title: r["Properties"] for title, r in resources(template("recovery", "dns"), "AWS::Route53::RecordSet").items()}
    domain = VARIANTS["recovery"].domain
    visited = {title: r for title, r in records.items() if r["Name"] == domain}
    assert {title: r["Type"] for title, r in visited.items()} == {"Ipv4Record": "A", "Ipv6Record": "AAAA"}
    for record in visited.values():
        assert record["AliasTarget"] == {
            "DNSName": f"_failover.{domain}",
            "HostedZoneId": {"Ref": "HostedZoneId"},
            "EvaluateTargetHealth": True,
        }
        assert "SetIdentifier" not in record
    pair = {(r["Type"], r["Failover"]): r for r in records.values() if r["Name"] == f"_failover.{domain}"}
    assert sorted(pair) == [("A", "PRIMARY"), ("A", "SECONDARY"), ("AAAA", "PRIMARY"), ("AAAA", "SECONDARY")]
    for (_, role), record in pair.items():
        assert record.get("HealthCheckId") == ({"Ref": "PrimaryHealthCheck"} if role == "PRIMARY" else None)
        assert (record["AliasTarget"]["HostedZoneId"] == "Z2FDTNDATAQYW2") is (role == "PRIMARY")


@pytest.mark.parametrize("name", ["dev", "sit", "prod"])
def test_cloudformation_may_change_the_name_of_the_failover_pair(name: str) -> None:
    policies = resources(template(name, "foundation"), "AWS::IAM::ManagedPolicy").values()
    patterns = [
        pattern
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for pattern in _record_names(statement)
    ]
    assert any(fnmatchcase(dns.failover_name(VARIANTS[name]), pattern) for pattern in patterns), patterns


def _record_names(statement: dict[str, Any]) -> list[str]:
    conditions = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    found: list[str] = conditions.get("route53:ChangeResourceRecordSetsNormalizedRecordNames", [])
    return found


@pytest.mark.parametrize(("name", "path"), [("recovery", "/buy"), ("failover-with-auth", "/healthz")])
def test_failover_is_decided_by_a_look_at_the_distribution_and_not_at_the_name_that_fails_over(name: str, path: str) -> None:
    checks = resources(template(name, "dns"), "AWS::Route53::HealthCheck")
    asked = {title: check["Properties"]["HealthCheckConfig"]["FullyQualifiedDomainName"] for title, check in checks.items()}
    assert asked == {"HealthCheck": VARIANTS[name].domain, "PrimaryHealthCheck": {"Ref": "DistributionDomainName"}}
    primary = checks["PrimaryHealthCheck"]["Properties"]["HealthCheckConfig"]
    assert (primary["Type"], primary["ResourcePath"], primary["EnableSNI"]) == ("HTTPS", path, True)


def test_somebody_is_told_when_visitors_are_sent_to_the_standby() -> None:
    alarms = resources(template("recovery", "monitoring"), "AWS::CloudWatch::Alarm")
    assert alarms["OnStandby"]["Properties"]["Dimensions"] == [{"Name": "HealthCheckId", "Value": {"Ref": "PrimaryHealthCheckId"}}]
    assert "OnStandby" not in resources(template("prod", "monitoring"), "AWS::CloudWatch::Alarm")


@pytest.mark.parametrize(("name", "path"), [("dev", "/healthz"), ("sit", "/healthz"), ("prod", "/buy")])
def test_the_health_check_understands_basic_auth(name: str, path: str) -> None:
    config = only(template(name, "dns"), "AWS::Route53::HealthCheck")["HealthCheckConfig"]
    assert (config["Type"], config["ResourcePath"], config["EnableSNI"]) == ("HTTPS", path, True)
    assert config["FullyQualifiedDomainName"] == ENVS[name].domain


@pytest.mark.parametrize(
    ("name", "edge"),
    [
        ("dev", {"LambdaExecutionError", "LambdaValidationError", "LambdaLimitExceededErrors"}),
        ("prod", {"FunctionExecutionErrors", "FunctionValidationErrors", "FunctionThrottles", "BlockedRequests"}),
    ],
)
def test_alarms(name: str, edge: set[str]) -> None:
    body = template(name, "monitoring")
    alarms = [alarm["Properties"] for alarm in resources(body, "AWS::CloudWatch::Alarm").values()]
    assert {alarm["MetricName"] for alarm in alarms} == {
        "5xxErrorRate", "4xxErrorRate", "OriginLatency", "DaysToExpiry", "HealthCheckStatus", *edge,
    }  # fmt: skip
    (topic,) = resources(body, "AWS::SNS::Topic")
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_access_logs_are_delivered_by_standard_logging_v2() -> None:
    body = template("prod", "monitoring")
    assert only(body, "AWS::Logs::DeliverySource")["LogType"] == "ACCESS_LOGS"
    (bucket,) = resources(body, "AWS::S3::Bucket")
    assert only(body, "AWS::Logs::DeliveryDestination")["DestinationResourceArn"] == {"Fn::Sub": f"${{{bucket}.Arn}}/cloudfront"}
    delivery = only(body, "AWS::Logs::Delivery")
    assert delivery["DeliverySourceName"] == {"Ref": "AccessLogSource"}
    # AWS says it back as it was sent only without a slash at either end and without its own variable.
    assert not delivery["S3SuffixPath"].startswith(("/", "AWSLogs")) and "{account-id}" not in delivery["S3SuffixPath"]


def test_the_log_bucket_admits_exactly_the_prefix_that_logs_are_delivered_to() -> None:
    for name in NAMES:
        body = template(name, "monitoring")
        (write,) = [
            statement
            for policy in resources(body, "AWS::S3::BucketPolicy").values()
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow"
        ]
        assert write["Resource"] == [{"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{ENVS[name].bucket}-access-logs/cloudfront/*"}]
        assert body["Outputs"]["AccessLogPrefix"]["Value"] == "cloudfront"
        assert f"{ENVS[name].bucket}-access-logs/cloudfront/*" in text(template(name, "foundation"))


def test_the_dashboard_is_json_that_cloudwatch_takes() -> None:
    for name in NAMES:
        body, variables = only(template(name, "monitoring"), "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
        assert set(re.findall(r"\$\{(\w+)\}", body)) == set(variables)
        widgets = json.loads(body)["widgets"]
        assert len(widgets) >= 8
        assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)


def test_lock_table() -> None:
    table = only(template("dev", "foundation"), "AWS::DynamoDB::Table")
    assert table["KeySchema"] == [{"AttributeName": "LockID", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


# --- what holds for every environment -----------------------------------------------------------------------------


def assert_security(env: Environment, built: Synthesis) -> None:
    earlier: dict[str, Stack] = {}
    for stack, body in templates(built):
        where = f"{env.name}/{stack.id}"
        assert body["Description"], where
        assert body["Metadata"]["Platform"]["Module"].startswith("stacks/"), where
        assert {"environment", "project", "cost-centre", "managed-by"} <= stack.tags.keys(), where
        assert all(output.get("Description") for output in body["Outputs"].values()), where
        assert set(body.get("Parameters", {})) == {parameter.name for parameter in stack.parameters}, where
        for parameter in stack.parameters:
            if isinstance(parameter.source, OutputRef):
                assert parameter.source.output in earlier[parameter.source.stack].outputs, where
            assert body["Parameters"][parameter.name].get("NoEcho", False) is parameter.no_echo, where
        assert set(stack.depends_on) <= earlier.keys(), where
        earlier[stack.id] = stack
        for title, resource in body["Resources"].items():
            if resource["Type"] in DATA_HOLDING_TYPES or title == "LogGroup":
                assert resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"), f"{where}/{title}"
                assert resource.get("UpdateReplacePolicy") == "Retain", f"{where}/{title}"
        for bucket in resources(body, "AWS::S3::Bucket").values():
            properties = bucket["Properties"]
            assert all(properties["PublicAccessBlockConfiguration"].values())
            assert len(properties["PublicAccessBlockConfiguration"]) == 4
            assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
            assert properties["VersioningConfiguration"]["Status"] == "Enabled"
            assert properties["BucketEncryption"]
        assert not re.search(r"AKIA[0-9A-Z]{16}|\$scrypt\$ln=\d+,r=\d+,p=\d+\$[A-Za-z0-9+/]{22}\$", text(body)), where


@pytest.mark.parametrize("name", VARIANTS)
def test_security_of_every_variant(name: str) -> None:
    assert_security(VARIANTS[name], synthesis(name))


LABEL = st.from_regex(r"[a-z][a-z0-9]{1,8}", fullmatch=True)


@st.composite
def any_environment(draw: st.DrawFn) -> Environment:
    base = ENVS[draw(st.sampled_from(NAMES))]
    label = draw(LABEL)
    changes: dict[str, Any] = {
        "project": draw(st.from_regex(r"[a-z][a-z0-9-]{1,12}[a-z0-9]", fullmatch=True)),
        "home_region": draw(st.sampled_from(sorted(REGIONS))),
        "domain": f"{label}.kimmyai.io",
        "bucket": f"{label}-kimmyai-web",
        "price_class": draw(st.sampled_from(["PriceClass_100", "PriceClass_200", "PriceClass_All"])),
        "app": {
            "entry_path": draw(st.sampled_from(["/", "/buy", "/a/b", "/shop-2"])),
            "index_document": draw(st.sampled_from(["/index.html", "/buy/index.html"])),
        },
        "basic_auth": {
            "enabled": draw(st.booleans()),
            "username": draw(
                st.text(
                    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters=":\x7f", categories=["L", "N", "P"]),
                    min_size=1,
                    max_size=20,
                )
            ),
            "realm": draw(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=30)),
            "log_retention_days": draw(st.sampled_from([1, 30, 3653])),
        },
        "security_headers": {"allow_indexing": draw(st.booleans())},
        "protection": {key: draw(st.booleans()) for key in ("change_approval", "termination_protection", "stack_policy")},
        "monitoring": {"alarm_email": draw(st.none() | st.just("oncall@example.com")), "origin_latency_ms": draw(st.integers(1, 60_000))},
        "github": {"create_provider": draw(st.booleans())},
    }
    recovery = draw(st.none() | st.sampled_from(sorted(REGIONS)))
    if recovery is not None and recovery != changes["home_region"]:
        changes["disaster_recovery"] = {"region": recovery, "bucket": f"{label}-replica"}
    if draw(st.booleans()):
        changes.update(draw(st.sampled_from([FAILOVER, FOREIGN_ZONE])))
    return changed(base, changes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_environment())
def test_any_environment_builds_and_keeps_the_security_properties(env: Environment) -> None:
    built = synthesise(env)
    assert_security(env, built)
    assert synthesise(env).assembly.digest == built.assembly.digest


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_environment())
def test_any_environment_lints_clean(env: Environment) -> None:
    assert_clean(synthesise(env))


def test_a_reference_forwards_or_to_nothing_is_refused() -> None:
    plain = changed(ENVS["prod"], {"firewall": None})
    broken = tuple(
        dataclasses.replace(entry, inputs=(("CertificateArn", OutputRef(stack="monitoring", output="X")),), depends_on=("nowhere",))
        if entry.id == "site"
        else entry
        for entry in entries(plain)
    )
    with pytest.raises(SynthesisError) as caught:
        synthesise(plain, lambda env: broken)
    assert list(caught.value.problems) == [
        "prod: stack site: CertificateArn comes from monitoring.X, which no earlier stack has",
        "prod: stack site: depends on nowhere, which is no earlier stack",
    ]


def test_environments_load_the_same_whatever_is_asked_for() -> None:
    with pytest.raises(EnvironmentProblems):
        load(ENVIRONMENTS, ("dev", "nowhere"))
    assert load(ENVIRONMENTS, ("prod",)).environments["dev"] == ENVS["dev"]


def test_canonical_json_is_stable_under_key_order() -> None:
    assert canonical_json({"b": 1, "a": [1, {"y": 0, "x": "ü"}]}) == canonical_json({"a": [1, {"x": "ü", "y": 0}], "b": 1})


# --- organization -------------------------------------------------------------------------------------------------


def organization(**changes: Any) -> Synthesis:
    described = load(ENVIRONMENTS, NAMES).organization
    assert described is not None
    data = {**msgspec.to_builtins(described), **changes}
    return synthesise_organization(msgspec.convert(data, Organization), tuple(ENVS[name] for name in data["environments"]))


def test_the_organization_brings_each_environment_the_foundation_it_would_have_made_itself() -> None:
    built = organization()
    assert_clean(built)
    administration, *sets = built.assembly.stacks
    assert (administration.id, administration.kind, administration.account_id) == ("administration", "stack", "999999999999")
    for stack, name in zip(sets, NAMES, strict=True):
        assert (stack.id, stack.kind, stack.account_id, stack.depends_on) == (
            f"foundation-{name}",
            "stackset",
            "999999999999",
            ("administration",),
        )
        assert built.templates[stack.id] == synthesis(name).templates["foundation"]
        assert stack.stackset is not None
        assert stack.stackset.targets == Targets(accounts=(ENVS[name].account_id,), regions=(ENVS[name].home_region,))
        assert stack.stackset.administration_role_name == "kimmyai-web-organization-stackset-administration"
    role = only(json.loads(built.templates["administration"]), "AWS::IAM::Role")
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"][1:] == ["cloudformation.af-south-1.amazonaws.com"]
    assert role["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] == [
        {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::{account}:role/AWSCloudFormationStackSetExecutionRole"}
        for account in ("111111111111", "222222222222", "333333333333")
    ]
    assert built.assembly.contract is None
    with pytest.raises(NoSite):
        _ = built.assembly.site


def test_a_service_managed_organization_goes_by_unit_and_account() -> None:
    units = {name: f"ou-ab12-{number}1111111" for number, name in enumerate(NAMES, 1)}
    built = organization(permission_model="SERVICE_MANAGED", organizational_units=units, delegated_administrator=True)
    assert_clean(built)
    stack = built.assembly.stacks[1]
    assert stack.stackset is not None
    assert stack.stackset.targets.organizational_units == ("ou-ab12-11111111",)
    assert stack.stackset.targets.accounts == ("111111111111",)
    assert (stack.stackset.administration_role_name, stack.stackset.call_as) == (None, "DELEGATED_ADMIN")
    assert resources(json.loads(built.templates["administration"]), "AWS::IAM::Role") == {}


def test_an_environment_whose_foundation_comes_from_the_organization_names_the_service_role() -> None:
    stacks = synthesise(changed(ENVS["dev"], {"foundation": "organization"})).assembly.stacks
    assert stacks[0].id == "certificate"
    assert stacks[0].service_role == RoleName(name="kimmyai-web-dev-cloudformation")
    assert all("foundation" not in stack.depends_on for stack in stacks)

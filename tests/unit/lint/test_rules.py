"""Every rule fires on a template that breaks just it, also through intrinsic functions, and is silent on a whole good site."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lint.gate import Finding, Job, lint, load_rules
from lint.rules import MODULES
from lint.rules.authorization import can_be_narrower
from lint.rules.base import Problem, Rule
from lint.rules.refusals import Refused
from lint.rules.secrets import looks_secret
from lint.verdicts import today
from refusals import problems
from refusals.values import REFUSALS
from templates.view import ABSENT, EACH, UNKNOWN, Node, Reference, View
from tests.unit.lint import api_cases

GOOD = json.loads((Path(__file__).parent / "lint_cases" / "good.json").read_text())
DROP = object()
"""An edit that takes away what is there."""


def lint_one(template: Any, *regions: str) -> tuple[Finding, ...]:
    """Findings of one template; the rules are loaded once a test process."""
    job = Job(stack_id="x", template=json.dumps(template).encode(), regions=regions or ("us-east-1",))
    return lint([job], cache=None, workers=1, day=today())["x"]


@functools.cache
def own_rules() -> list[Rule]:
    return [rule for rule in load_rules().values() if isinstance(rule, Rule)]


def ours(findings: Iterable[Finding]) -> set[str]:
    return {finding.rule for finding in findings if finding.source == "ours"}


def firing(template: Any) -> set[str]:
    """The ids of our rules that find something, without cfn-lint's own (which are slow)."""
    return {rule for rule, _ in found(View(template, ("us-east-1",)))}


def found(view: View) -> Iterator[tuple[str, Problem]]:
    """Rule and problem, of all of our rules; those of `refusals` read the template once for all of them, as they do in a build."""
    yield from problems(view.template, view.regions)
    for rule in own_rules():
        if not isinstance(rule, Refused):
            yield from ((rule.id, problem) for problem in rule.check(view))


def edited(*edits: tuple[str, Any]) -> dict[str, Any]:
    """The good template with values put at slash-separated paths; "-" appends to a list."""
    template: dict[str, Any] = copy.deepcopy(GOOD)
    for path, value in edits:
        *way, last = path.split("/")
        node: Any = template
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
        if last == "-":
            node.append(value)
        elif value is DROP:
            del node[int(last) if isinstance(node, list) else last]
        else:
            node[int(last) if isinstance(node, list) else last] = value
    return template


def test_the_good_site_has_no_finding() -> None:
    assert lint_one(GOOD) == ()


EDGE = "Resources/EdgeFunction/Properties"
DIST = "Resources/Distribution/Properties/DistributionConfig"
DEFAULT = f"{DIST}/DefaultCacheBehavior"
ASSOCIATION = f"{DEFAULT}/LambdaFunctionAssociations/0"
ORIGIN = f"{DIST}/Origins/0"
BUCKET = "Resources/Bucket/Properties"
RECORD = "Resources/Records/Properties/RecordSets/0"
STANDBY = "Resources/Standby/Properties"
CERTIFICATE = "Resources/Certificate/Properties"
LONG = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "s" * 10_300, "Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": ["arn:aws:logs:*:*:log-group:x:*"]}
    ],
}
IN_ZONE = {"HostedZoneId": {"Ref": "HostedZoneId"}}
STATEMENTS = "Resources/DeployPolicy/Properties/PolicyDocument/Statement"
TRUST = "Resources/EdgeRole/Properties/AssumeRolePolicyDocument/Statement/0"
OIDC = "Resources/DeployRole/Properties/AssumeRolePolicyDocument/Statement/0"
POLICY = "Resources/BucketPolicy/Properties/PolicyDocument/Statement"
HSTS = "Resources/Headers/Properties/ResponseHeadersPolicyConfig/SecurityHeadersConfig/StrictTransportSecurity"
EITHER: Callable[[Any, Any], dict[str, Any]] = lambda yes, no: {"Fn::If": ["HasStandby", yes, no]}  # noqa: E731
NOTHING = {"Ref": "AWS::NoValue"}
ARN = "arn:aws:lambda:us-east-1:123456789012:function:edge"


def parameter(value: Any, **more: Any) -> tuple[tuple[str, Any], dict[str, str]]:
    return ("Parameters/P", {"Type": "String", "Description": "x", "Default": value, **more}), {"Ref": "P"}


def secret(*parts: str) -> str:
    """A made-up secret, put together so that no scanner takes this file for a leak."""
    return "".join(parts)


def own_check(name: Any) -> dict[str, Any]:
    return {"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": {"Type": "HTTPS", "FullyQualifiedDomainName": name}}}


def alarm(metric: Any, **more: Any) -> dict[str, Any]:
    dimensions = {"DistributionId": {"Ref": "Distribution"}, "Region": "Global", **more}
    given = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    numbers = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Period": 300, "Statistic": "Sum", "Threshold": 0}
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {"Namespace": "AWS/CloudFront", "MetricName": metric, "Dimensions": given, **numbers},
    }


def delivery_to(arn: Any) -> list[tuple[str, Any]]:
    source = {"Name": "s", "LogType": "ACCESS_LOGS", "ResourceArn": {"Fn::GetAtt": ["Distribution", "Arn"]}}
    return [
        ("Resources/LogSource", {"Type": "AWS::Logs::DeliverySource", "Properties": source}),
        (
            "Resources/LogDestination",
            {"Type": "AWS::Logs::DeliveryDestination", "Properties": {"Name": "d", "OutputFormat": "json", "DestinationResourceArn": arn}},
        ),
    ]


TRUE_PARAMETER, TRUE_REF = parameter("true")
ARN_PARAMETER, ARN_REF = parameter(ARN)
STAR_PARAMETER, STAR_REF = parameter("*")
ZONE_PARAMETER, ZONE_REF = parameter("/hostedzone/Z123")

BROKEN: list[tuple[str, str, list[tuple[str, Any]]]] = [
    # rule, what is broken, edits
    ("E9102", "$LATEST", [(f"{ASSOCIATION}/LambdaFunctionARN", f"{ARN}:$LATEST")]),
    ("E9102", "alias by name", [(f"{ASSOCIATION}/LambdaFunctionARN", f"{ARN}:live")]),
    ("E9102", "bare ARN", [(f"{ASSOCIATION}/LambdaFunctionARN", ARN)]),
    ("E9102", "other region", [(f"{ASSOCIATION}/LambdaFunctionARN", f"{ARN}:1".replace("us-east-1", "eu-west-1"))]),
    ("E9102", "Ref of the function", [(f"{ASSOCIATION}/LambdaFunctionARN", {"Ref": "EdgeFunction"})]),
    ("E9102", "ARN of the function", [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::GetAtt": ["EdgeFunction", "Arn"]})]),
    ("E9102", "ARN of the function, dotted", [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::GetAtt": "EdgeFunction.Arn"})]),
    ("E9102", "Sub of the function", [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::Sub": "${EdgeFunction.Arn}"})]),
    ("E9102", "Sub with $LATEST", [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::Sub": "${EdgeFunction.Arn}:$LATEST"})]),
    (
        "E9102",
        "Join with an alias",
        [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::Join": [":", [{"Fn::GetAtt": ["EdgeFunction", "Arn"]}, "live"]]})],
    ),
    ("E9102", "default of a parameter", [ARN_PARAMETER, (f"{ASSOCIATION}/LambdaFunctionARN", ARN_REF)]),
    ("E9102", "one branch of a condition", [(f"{ASSOCIATION}/LambdaFunctionARN", EITHER({"Ref": "EdgeVersion"}, {"Ref": "EdgeFunction"}))]),
    (
        "E9102",
        "an alias resource",
        [
            (
                "Resources/Live",
                {
                    "Type": "AWS::Lambda::Alias",
                    "Properties": {"FunctionName": {"Ref": "EdgeFunction"}, "FunctionVersion": "1", "Name": "l"},
                },
            ),
            (f"{ASSOCIATION}/LambdaFunctionARN", {"Ref": "Live"}),
        ],
    ),
    ("E9103", "environment", [(f"{EDGE}/Environment", {"Variables": {"REALM": "x"}})]),
    ("E9103", "environment in one case", [(f"{EDGE}/Environment", EITHER({"Variables": {"REALM": "x"}}, NOTHING))]),
    ("E9103", "VPC", [(f"{EDGE}/VpcConfig", {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["sg-0123456789abcdef0"]})]),
    ("E9103", "layers", [(f"{EDGE}/Layers", ["arn:aws:lambda:us-east-1:123456789012:layer:a:1"])]),
    ("E9103", "dead letter queue", [(f"{EDGE}/DeadLetterConfig", {"TargetArn": {"Ref": "Topic"}})]),
    ("E9103", "X-Ray", [(f"{EDGE}/TracingConfig", {"Mode": "Active"})]),
    ("E9103", "arm64", [(f"{EDGE}/Architectures", ["arm64"])]),
    ("E9103", "arm64 in one case", [(f"{EDGE}/Architectures", [EITHER("arm64", "x86_64")])]),
    ("E9103", "container type", [(f"{EDGE}/PackageType", "Image")]),
    ("E9103", "container image", [(f"{EDGE}/Code", {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"})]),
    ("E9103", "runtime", [(f"{EDGE}/Runtime", "java21")]),
    (
        "E9103",
        "provisioned concurrency",
        [("Resources/EdgeVersion/Properties/ProvisionedConcurrencyConfig", {"ProvisionedConcurrentExecutions": 1})],
    ),
    ("E9104", "memory", [(f"{EDGE}/MemorySize", 256)]),
    ("E9104", "time-out", [(f"{EDGE}/Timeout", 6)]),
    ("E9104", "time-out as text", [(f"{EDGE}/Timeout", "30")]),
    (
        "E9104",
        "memory by mapping",
        [("Mappings/Sizes", {"edge": {"memory": 512}}), (f"{EDGE}/MemorySize", {"Fn::FindInMap": ["Sizes", "edge", "memory"]})],
    ),
    ("E9105", "event type", [(f"{ASSOCIATION}/EventType", "viewer-reqest")]),
    ("E9105", "origin event of a CloudFront Function", [(f"{DIST}/CacheBehaviors/0/FunctionAssociations/0/EventType", "origin-request")]),
    (
        "E9105",
        "second function",
        [(f"{DEFAULT}/LambdaFunctionAssociations/-", {"EventType": "viewer-request", "LambdaFunctionARN": {"Ref": "EdgeVersion"}})],
    ),
    (
        "E9106",
        "mixed",
        [
            (
                f"{DEFAULT}/FunctionAssociations",
                [{"EventType": "viewer-response", "FunctionARN": {"Fn::GetAtt": ["Routing", "FunctionARN"]}}],
            )
        ],
    ),
    ("E9107", "no edgelambda", [(f"{TRUST}/Principal/Service", ["lambda.amazonaws.com"])]),
    ("E9107", "no lambda", [(f"{TRUST}/Principal/Service", "edgelambda.amazonaws.com")]),
    ("E9107", "denied", [(f"{TRUST}/Effect", "Deny")]),
    ("E9108", "no log format", [(f"{EDGE}/LoggingConfig", {"ApplicationLogLevel": "INFO"})]),
    ("E9108", "text", [(f"{EDGE}/LoggingConfig", {"SystemLogLevel": "INFO", "LogFormat": "Text"})]),
    ("E9108", "format in one case only", [(f"{EDGE}/LoggingConfig/LogFormat", EITHER("JSON", NOTHING))]),
    ("E9109", "Edge as text", [("Resources/EdgeFunction/Metadata/Edge", "true")]),
    ("E9201", "no S3OriginConfig", [(f"{ORIGIN}/S3OriginConfig", DROP)]),
    (
        "E9201",
        "no S3OriginConfig, domain as text",
        [(f"{ORIGIN}/S3OriginConfig", DROP), (f"{ORIGIN}/DomainName", "a.s3.eu-west-1.amazonaws.com")],
    ),
    ("E9202", "identity", [(f"{ORIGIN}/S3OriginConfig/OriginAccessIdentity", "origin-access-identity/cloudfront/E2QWRUHEXAMPLE")]),
    (
        "E9202",
        "identity in one case",
        [(f"{ORIGIN}/S3OriginConfig/OriginAccessIdentity", EITHER("", "origin-access-identity/cloudfront/E2QWRUHEXAMPLE"))],
    ),
    ("E9203", "no access control", [(f"{ORIGIN}/OriginAccessControlId", DROP)]),
    ("E9203", "no access control in one case", [(f"{ORIGIN}/OriginAccessControlId", EITHER({"Ref": "AccessControl"}, NOTHING))]),
    ("E9203", "does not sign", [("Resources/AccessControl/Properties/OriginAccessControlConfig/SigningBehavior", "never")]),
    (
        "E9204",
        "certificate elsewhere",
        [
            (
                f"{DIST}/ViewerCertificate/AcmCertificateArn",
                "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
            )
        ],
    ),
    ("E9205", "no ViewerCertificate", [(f"{DIST}/ViewerCertificate", DROP)]),
    ("E9205", "the default certificate", [(f"{DIST}/ViewerCertificate", {"CloudFrontDefaultCertificate": True})]),
    ("E9205", "a certificate in one case", [(f"{DIST}/ViewerCertificate/AcmCertificateArn", EITHER({"Ref": "Certificate"}, NOTHING))]),
    ("E9206", "TLS 1.0", [(f"{DIST}/ViewerCertificate/MinimumProtocolVersion", "TLSv1")]),
    ("E9206", "TLS 1.1", [(f"{DIST}/ViewerCertificate/MinimumProtocolVersion", "TLSv1.1_2016")]),
    ("E9206", "the default", [(f"{DIST}/ViewerCertificate/MinimumProtocolVersion", DROP)]),
    ("E9206", "in one case", [(f"{DIST}/ViewerCertificate/MinimumProtocolVersion", EITHER("TLSv1.2_2021", "TLSv1_2016"))]),
    ("E9207", "allow-all", [(f"{DEFAULT}/ViewerProtocolPolicy", "allow-all")]),
    ("E9207", "allow-all beside the default", [(f"{DIST}/CacheBehaviors/0/ViewerProtocolPolicy", "allow-all")]),
    ("E9207", "origin over http", [(f"{DIST}/Origins/1/CustomOriginConfig/OriginProtocolPolicy", "http-only")]),
    ("E9207", "origin with TLS 1.0", [(f"{DIST}/Origins/1/CustomOriginConfig/OriginSSLProtocols", ["TLSv1", "TLSv1.2"])]),
    ("E9208", "a behaviour without policy", [(f"{DIST}/CacheBehaviors/0/ResponseHeadersPolicyId", DROP)]),
    ("E9208", "in one case", [(f"{DEFAULT}/ResponseHeadersPolicyId", EITHER({"Ref": "Headers"}, NOTHING))]),
    ("E9208", "a managed policy without it", [(f"{DEFAULT}/ResponseHeadersPolicyId", "60669652-455b-4ae9-85a4-c4c02393f86c")]),
    ("E9208", "a policy without it", [(HSTS, DROP)]),
    ("E9208", "max-age 0", [(f"{HSTS}/AccessControlMaxAgeSec", 0)]),
    ("E9208", "origin wins", [(f"{HSTS}/Override", False)]),
    ("E9301", "true", [(f"{RECORD}/AliasTarget/EvaluateTargetHealth", True)]),
    ("E9301", "true as text", [(f"{RECORD}/AliasTarget/EvaluateTargetHealth", "true")]),
    ("E9301", "by a parameter", [TRUE_PARAMETER, (f"{RECORD}/AliasTarget/EvaluateTargetHealth", TRUE_REF)]),
    ("E9301", "in one case", [(f"{RECORD}/AliasTarget/EvaluateTargetHealth", EITHER(False, True))]),
    (
        "E9301",
        "known by its name only",
        [
            (
                f"{RECORD}/AliasTarget",
                {"DNSName": "d1.cloudfront.net", "HostedZoneId": {"Ref": "HostedZoneId"}, "EvaluateTargetHealth": True},
            )
        ],
    ),
    ("E9302", "type", [(f"{STANDBY}/Type", "CNAMES")]),
    ("E9302", "type in one case", [(f"{STANDBY}/Type", EITHER("CNAME", "ALIAS"))]),
    ("E9303", "neither", [(f"{STANDBY}/ResourceRecords", DROP), (f"{STANDBY}/TTL", DROP)]),
    (
        "E9303",
        "neither in one case",
        [(f"{RECORD}/AliasTarget", EITHER(GOOD["Resources"]["Records"]["Properties"]["RecordSets"][0]["AliasTarget"], NOTHING))],
    ),
    ("E9303", "both", [(f"{RECORD}/ResourceRecords", ["192.0.2.1"])]),
    ("E9303", "alias with TTL", [(f"{RECORD}/TTL", "60")]),
    ("E9303", "values without TTL", [(f"{STANDBY}/TTL", DROP)]),
    ("E9304", "prefix", [("Resources/Records/Properties/HostedZoneId", "/hostedzone/Z0123456789ABC")]),
    ("E9304", "lower case", [(f"{STANDBY}/HostedZoneId", "z0123456789abc")]),
    ("E9304", "by a parameter", [ZONE_PARAMETER, (f"{STANDBY}/HostedZoneId", ZONE_REF)]),
    (
        "E9304",
        "of a certificate",
        [("Resources/Certificate/Properties/DomainValidationOptions/0/HostedZoneId", "hostedzone/Z0123456789ABC")],
    ),
    (
        "E9304",
        "default of a zone parameter",
        [("Parameters/HostedZoneId", {"Type": "AWS::Route53::HostedZone::Id", "Default": "example.com"})],
    ),
    ("E9305", "another zone", [(f"{RECORD}/AliasTarget/HostedZoneId", "Z0123456789ABC")]),
    ("E9305", "another type", [(f"{RECORD}/Type", "MX")]),
    (
        "E9306",
        "two distributions",
        [
            (f"{RECORD}/Failover", "PRIMARY"),
            (f"{RECORD}/SetIdentifier", "a"),
            (
                "Resources/Records/Properties/RecordSets/-",
                {**GOOD["Resources"]["Records"]["Properties"]["RecordSets"][0], "Failover": "SECONDARY", "SetIdentifier": "b"},
            ),
        ],
    ),
    (
        "E9307",
        "a check of the record's own name",
        [
            ("Resources/Check", own_check("DEV.example.com")),
            (f"{RECORD}/Failover", "PRIMARY"),
            (f"{RECORD}/SetIdentifier", "a"),
            (f"{RECORD}/HealthCheckId", {"Ref": "Check"}),
        ],
    ),
    *[
        ("E9401", name, [(f"{BUCKET}/PublicAccessBlockConfiguration/{name}", DROP)])
        for name in GOOD["Resources"]["Bucket"]["Properties"]["PublicAccessBlockConfiguration"]
    ],
    *[
        ("E9401", f"{name} false", [(f"{BUCKET}/PublicAccessBlockConfiguration/{name}", False)])
        for name in GOOD["Resources"]["Bucket"]["Properties"]["PublicAccessBlockConfiguration"]
    ],
    ("E9401", "all missing", [(f"{BUCKET}/PublicAccessBlockConfiguration", DROP)]),
    ("E9401", "in one case", [(f"{BUCKET}/PublicAccessBlockConfiguration/BlockPublicPolicy", EITHER(True, False))]),
    ("E9401", "unknown", [(f"{BUCKET}/PublicAccessBlockConfiguration/BlockPublicPolicy", {"Ref": "StandbyName"})]),
    ("E9402", "an ACL", [(f"{BUCKET}/AccessControl", "PublicRead")]),
    ("E9402", "no ownership", [(f"{BUCKET}/OwnershipControls", DROP)]),
    ("E9402", "other ownership", [(f"{BUCKET}/OwnershipControls/Rules/0/ObjectOwnership", "ObjectWriter")]),
    (
        "E9402",
        "ownership in one case",
        [(f"{BUCKET}/OwnershipControls", EITHER(GOOD["Resources"]["Bucket"]["Properties"]["OwnershipControls"], NOTHING))],
    ),
    ("E9403", "no encryption", [(f"{BUCKET}/BucketEncryption", DROP)]),
    (
        "E9403",
        "encryption in one case",
        [(f"{BUCKET}/BucketEncryption", EITHER(GOOD["Resources"]["Bucket"]["Properties"]["BucketEncryption"], NOTHING))],
    ),
    ("E9404", "no policy", [("Resources/BucketPolicy", DROP)]),
    ("E9404", "policy of another bucket", [("Resources/BucketPolicy/Properties/Bucket", "another")]),
    ("E9404", "no Deny", [(f"{POLICY}/1", DROP)]),
    ("E9404", "bucket only", [(f"{POLICY}/1/Resource", [{"Fn::GetAtt": ["Bucket", "Arn"]}])]),
    ("E9404", "objects only", [(f"{POLICY}/1/Resource", [{"Fn::Sub": "${Bucket.Arn}/*"}])]),
    ("E9404", "one action", [(f"{POLICY}/1/Action", "s3:GetObject")]),
    ("E9404", "some principals", [(f"{POLICY}/1/Principal", {"AWS": "arn:aws:iam::123456789012:root"})]),
    ("E9404", "the wrong way round", [(f"{POLICY}/1/Condition", {"Bool": {"aws:SecureTransport": "true"}})]),
    ("E9404", "a further condition", [(f"{POLICY}/1/Condition/StringEquals", {"aws:PrincipalAccount": "123456789012"})]),
    ("E9404", "a further key", [(f"{POLICY}/1/Condition/Bool/aws:ViaAWSService", "false")]),
    ("E9404", "an Allow", [(f"{POLICY}/1/Effect", "Allow")]),
    *[
        ("E9405", f"{name} {key}", [(f"Resources/{name}/{key}", value)])
        for name in ("Bucket", "Locks", "EdgeFunction", "EdgeVersion")
        for key, value in (("DeletionPolicy", DROP), ("UpdateReplacePolicy", DROP), ("DeletionPolicy", "Delete"))
    ],
    ("E9405", "a KMS key", [("Resources/Key", {"Type": "AWS::KMS::Key", "Properties": {}})]),
    ("E9501", "anybody reads", [(f"{POLICY}/0/Principal", "*")]),
    ("E9501", "any account reads", [(f"{POLICY}/0/Principal", {"AWS": "*"})]),
    ("E9501", "among others", [(f"{POLICY}/0/Principal", {"AWS": ["arn:aws:iam::123456789012:root", "*"]})]),
    ("E9501", "by a parameter", [STAR_PARAMETER, (f"{POLICY}/0/Principal", {"AWS": STAR_REF})]),
    ("E9501", "in one case", [(f"{POLICY}/0/Principal", EITHER({"Service": "cloudfront.amazonaws.com"}, {"AWS": "*"}))]),
    ("E9501", "anybody assumes", [(f"{TRUST}/Principal/AWS", "*")]),
    (
        "E9501",
        "a permission",
        [
            (
                "Resources/Permission",
                {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "EdgeFunction"}, "Principal": "*"},
                },
            )
        ],
    ),
    (
        "E9501",
        "a policy as JSON text",
        [
            (
                "Resources/LogPolicy",
                {
                    "Type": "AWS::Logs::ResourcePolicy",
                    "Properties": {
                        "PolicyName": "p",
                        "PolicyDocument": json.dumps(
                            {
                                "Version": "2012-10-17",
                                "Statement": [
                                    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "logs:PutLogEvents", "Resource": "*"}
                                ],
                            }
                        ),
                    },
                },
            )
        ],
    ),
    ("E9502", "everything", [(f"{STATEMENTS}/0/Action", "*")]),
    ("E9502", "a whole service", [(f"{STATEMENTS}/0/Action", ["s3:GetObject", "s3:*"])]),
    ("E9502", "by Sub", [(f"{STATEMENTS}/0/Action", [{"Fn::Sub": "s3:*"}])]),
    ("E9502", "in one case", [(f"{STATEMENTS}/0/Action", [EITHER("s3:GetObject", "s3:*")])]),
    ("E9502", "in a statement of its own", [(STATEMENTS, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::x"})]),
    ("E9502", "in the policy of a role", [("Resources/EdgeRole/Properties/Policies/0/PolicyDocument/Statement/0/Action", ["logs:*"])]),
    ("E9503", "NotAction", [(f"{STATEMENTS}/1/Action", DROP), (f"{STATEMENTS}/1/NotAction", ["iam:*"])]),
    ("E9503", "NotResource", [(f"{STATEMENTS}/1/Resource", DROP), (f"{STATEMENTS}/1/NotResource", ["arn:aws:s3:::x"])]),
    ("E9503", "NotPrincipal", [(f"{POLICY}/0/Principal", DROP), (f"{POLICY}/0/NotPrincipal", {"AWS": "arn:aws:iam::123456789012:root"})]),
    ("E9504", "narrower possible", [(f"{STATEMENTS}/1/Action", ["s3:GetObject"])]),
    ("E9504", "as a text", [(f"{STATEMENTS}/1/Action", "s3:GetObject"), (f"{STATEMENTS}/1/Resource", "*")]),
    ("E9504", "one of a wildcard", [(f"{STATEMENTS}/1/Action", ["dynamodb:Describe*"])]),
    ("E9504", "by a parameter", [STAR_PARAMETER, (f"{STATEMENTS}/1/Action", ["s3:GetObject"]), (f"{STATEMENTS}/1/Resource", STAR_REF)]),
    ("E9504", "unknown action", [(f"{STATEMENTS}/1/Action", ["cloudformation:SetAlias"])]),
    *[
        ("E9508", f"{action} on {resource}", [(f"{STATEMENTS}/1/Action", [action]), (f"{STATEMENTS}/1/Resource", [resource])])
        for action, resource in (
            ("cloudfront:CreateMonitoringSubscription", "arn:aws:cloudfront::123456789012:distribution/*"),
            ("logs:DescribeIndexPolicies", "arn:aws:logs:*:123456789012:log-group:/aws/lambda/x:*"),
            ("cloudfront:Create*Subscription", "arn:aws:cloudfront::123456789012:distribution/*"),
            ("cloudfront:GetDistribution", "arn:aws:cloudfront::123456789012:function/*"),
            ("cloudfront:GetDistribution", "arn:aws:cloudfront:us-east-1:123456789012:distribution/*"),
            ("cloudfront:GetDistribution", "arn:aws:cloudfront:::distribution/*"),
            ("route53:GetHostedZone", "arn:aws:route53:::healthcheck/*"),
            ("s3:GetObject", "arn:aws:s3:::bucket"),
            ("s3:ListBucket", "arn:aws:s3:::bucket/*"),
            ("dynamodb:GetItem", "arn:aws:s3:::bucket"),
        )
    ],
    (
        "E9508",
        "a resource that nothing beside it takes",
        [
            (f"{STATEMENTS}/1/Action", ["s3:GetObject", "s3:PutObject"]),
            (f"{STATEMENTS}/1/Resource", ["arn:aws:s3:::bucket/*", {"Fn::Sub": "arn:${AWS::Partition}:s3:::bucket"}]),
        ],
    ),
    ("E9505", "no condition", [(f"{STATEMENTS}/0/Condition", DROP)]),
    ("E9505", "another condition", [(f"{STATEMENTS}/0/Condition", {"StringEquals": {"aws:PrincipalAccount": "123456789012"}})]),
    ("E9505", "any service", [(f"{STATEMENTS}/0/Condition", {"StringLike": {"iam:PassedToService": "*"}})]),
    (
        "E9505",
        "if it exists",
        [(f"{STATEMENTS}/0/Condition", {"StringEqualsIfExists": {"iam:PassedToService": "cloudformation.amazonaws.com"}})],
    ),
    ("E9505", "not equal", [(f"{STATEMENTS}/0/Condition", {"StringNotEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}})]),
    ("E9505", "by a wildcard", [(f"{STATEMENTS}/0/Action", ["iam:Pass*"]), (f"{STATEMENTS}/0/Condition", DROP)]),
    ("E9506", "no audience", [(f"{OIDC}/Condition/StringEquals", {"token.actions.githubusercontent.com:sub": "repo:a/b:environment:dev"})]),
    ("E9506", "no subject", [(f"{OIDC}/Condition/StringEquals", {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"})]),
    ("E9506", "any subject", [(f"{OIDC}/Condition/StringLike", {"token.actions.githubusercontent.com:sub": "*"})]),
    ("E9506", "any repository", [(f"{OIDC}/Condition/StringLike", {"token.actions.githubusercontent.com:sub": "repo:example/*"})]),
    ("E9507", "bucket for any distribution", [(f"{POLICY}/0/Condition", DROP)]),
    ("E9507", "topic for any account", [("Resources/TopicPolicy/Properties/PolicyDocument/Statement/0/Condition", DROP)]),
    (
        "E9507",
        "a permission",
        [
            (
                "Resources/Permission",
                {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {
                        "Action": "lambda:InvokeFunction",
                        "FunctionName": {"Ref": "EdgeFunction"},
                        "Principal": "sns.amazonaws.com",
                    },
                },
            )
        ],
    ),
    ("E9601", "access key", [(f"{BUCKET}/Tags", [{"Key": "k", "Value": secret("AKIA", "QWERTYUIOPASDFGH")}])]),
    ("E9601", "secret access key", [("Outputs/K", {"Description": "k", "Value": secret("wJalrXUtnFEMI/K7MDENG", "/bPxRfiCYzzzzzzzKEY")})]),
    (
        "E9601",
        "private key",
        [("Parameters/Cert", {"Type": "String", "Description": "c", "Default": secret("-----BEGIN RSA PRIV", "ATE KEY-----")})],
    ),
    (
        "E9601",
        "JSON web token",
        [("Mappings/M", {"a": {"b": secret("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTY3ODkwIn0", ".dozjgNryP4J3jVmNHl0w5N")}})],
    ),
    ("E9601", "assigned", [("Outputs/U", {"Description": "u", "Value": secret("https://example.com/?password", "=hunter22")})]),
    ("E9601", "in a URL", [("Metadata/Link", secret("https://admin:", "hunter22@example.com/"))]),
    ("E9601", "hash of a generated password", [("Metadata/Hash", secret("$hmac-sha256$", "A" * 22 + "$" + "A" * 43))]),
    ("E9601", "bcrypt hash", [("Metadata/Hash", secret("$2b$12$", "a" * 53))]),
    ("E9601", "Basic credentials", [("Metadata/Header", secret("Basic ", "YWRtaW46aHVudGVyMjI="))]),
    ("E9601", "in code", [(f"{EDGE}/Code/ZipFile", secret("const password", " = 'hunter22';"))]),
    (
        "E9601",
        "in Sub code",
        [
            (
                f"{EDGE}/Code/ZipFile",
                {"Fn::Sub": secret("const a = 1;\nconst c = {apiKey", ": \"k3y-${AWS::Region}\", secret: 'hunter22'};")},
            )
        ],
    ),
    (
        "E9601",
        "in code of a CloudFront Function",
        [("Resources/Routing/Properties/FunctionCode", secret("var TOKEN", ' = "t0k3n-9f8e7d";'))],
    ),
    (
        "E9601",
        "by the property's name",
        [
            (
                "Resources/Db",
                {
                    "Type": "AWS::RDS::DBInstance",
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                    "Properties": {"MasterUserPassword": "correcthorse"},
                },
            )
        ],
    ),
    (
        "E9601",
        "in a condition's branch",
        [
            (
                "Resources/S",
                {
                    "Type": "AWS::SecretsManager::Secret",
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                    "Properties": {"SecretString": "correcthorse"},
                },
            )
        ],
    ),
    ("E9602", "echoed", [("Parameters/BasicAuthPassword", {"Type": "String", "Description": "x"})]),
    ("E9602", "echoed hash", [("Parameters/PasswordHash", {"Type": "String", "Description": "x", "NoEcho": False})]),
    ("E9603", "default", [("Parameters/BasicAuthHash/Default", "x")]),
    ("E9603", "allowed values", [("Parameters/BasicAuthHash/AllowedValues", ["x", "y"])]),
    ("E9604", "in code", [(f"{EDGE}/Code/ZipFile", "const c = '{{resolve:secretsmanager:site:SecretString:password_hash}}';")]),
    (
        "E9604",
        "in joined code",
        [(f"{EDGE}/Code/ZipFile", {"Fn::Join": ["", ["const c = '", "{{resolve:ssm-secure:/site/hash:1}}", "';"]]})],
    ),
    ("E9801", "a name and its wildcard", [(f"{CERTIFICATE}/DomainValidationOptions/-", {"DomainName": "*.example.com", **IN_ZONE})]),
    ("E9801", "a name twice", [(f"{CERTIFICATE}/DomainValidationOptions/-", {"DomainName": "EXAMPLE.com", **IN_ZONE})]),
    (
        "E9801",
        "a name and its wildcard in one case",
        [(f"{CERTIFICATE}/DomainValidationOptions/-", EITHER({"DomainName": "*.example.com", **IN_ZONE}, NOTHING))],
    ),
    ("E9802", "a name of another certificate", [(f"{CERTIFICATE}/DomainValidationOptions/-", {"DomainName": "a.example.com", **IN_ZONE})]),
    ("E9803", "a name that nobody validates", [(f"{CERTIFICATE}/SubjectAlternativeNames/-", "dev.example.com")]),
    ("E9803", "a wildcard below another name", [(f"{CERTIFICATE}/SubjectAlternativeNames/-", "*.dev.example.com")]),
    ("E9804", "by e-mail", [(f"{CERTIFICATE}/ValidationMethod", "EMAIL")]),
    ("E9804", "by default", [(f"{CERTIFICATE}/ValidationMethod", DROP)]),
    (
        "E9805",
        "a long first name",
        [
            (f"{CERTIFICATE}/DomainName", "a" * 53 + ".example.com"),
            (f"{CERTIFICATE}/DomainValidationOptions/-", {"DomainName": "a" * 53 + ".example.com", **IN_ZONE}),
        ],
    ),
    ("E9901", "a managed policy", [(f"{STATEMENTS}/1/Sid", "s" * 5800)]),
    ("E9901", "inline policies together", [("Resources/EdgeRole/Properties/Policies/-", {"PolicyName": "p", "PolicyDocument": LONG})]),
    ("E9901", "a trust policy", [(f"{TRUST}/Sid", "s" * 2000)]),
    ("E9901", "a bucket policy", [(f"{POLICY}/0/Sid", "s" * 20_400)]),
    ("E9901", "in one case", [(f"{STATEMENTS}/1/Sid", EITHER("a", "s" * 5800))]),
    (
        "E9901",
        "too many policies",
        [("Resources/DeployRole/Properties/ManagedPolicyArns", [f"arn:aws:iam::123456789012:policy/p{n}" for n in range(11)])],
    ),
    ("E9902", "a comment", [(f"{DIST}/Comment", "c" * 129)]),
    ("E9902", "a comment with what AWS fills in", [(f"{DIST}/Comment", {"Fn::Sub": "c" * 118 + "${AWS::AccountId}"})]),
    ("E9902", "a comment in one case", [(f"{DIST}/Comment", EITHER("c", "c" * 129))]),
    (
        "E9902",
        "a content security policy",
        [
            (
                "Resources/Headers/Properties/ResponseHeadersPolicyConfig/SecurityHeadersConfig/ContentSecurityPolicy",
                {"ContentSecurityPolicy": "c" * 1784, "Override": True},
            )
        ],
    ),
    ("E9902", "a tag", [(f"{BUCKET}/Tags", [{"Key": "k", "Value": "v" * 257}])]),
    ("E9902", "a display name", [("Resources/Topic/Properties/DisplayName", "d" * 101)]),
    ("E9701", "none", [("Description", DROP)]),
    ("E9701", "empty", [("Description", " ")]),
    ("E9702", "none", [("Outputs/DistributionId/Description", DROP)]),
    ("E9703", "no reason", [("Resources/Topic/Metadata", {"cfn-lint": {"config": {"ignore_checks": ["W3037"]}}})]),
    (
        "E9703",
        "empty reason",
        [("Resources/Topic/Metadata", {"cfn-lint": {"config": {"ignore_checks": ["W3037"]}}, "Suppressed": {"W3037": " "}})],
    ),
    (
        "E9703",
        "a group of rules",
        [("Resources/Topic/Metadata", {"cfn-lint": {"config": {"ignore_checks": ["E"]}}, "Suppressed": {"E": "all"}})],
    ),
    (
        "E9703",
        "itself",
        [("Resources/Topic/Metadata", {"cfn-lint": {"config": {"ignore_checks": ["E9703"]}}, "Suppressed": {"E9703": "so"}})],
    ),
    (
        "E9703",
        "a parse error",
        [("Resources/Topic/Metadata", {"cfn-lint": {"config": {"ignore_checks": ["E0002"]}}, "Suppressed": {"E0002": "so"}})],
    ),
    ("E9703", "reason without suppression", [("Resources/Topic/Metadata", {"Suppressed": {"W3037": "so"}})]),
    ("E9703", "unreadable", [("Resources/Topic/Metadata", {"cfn-lint": {"config": {"ignore_checks": "W3037"}}})]),
    ("E9703", "for the whole template", [("Metadata/cfn-lint", {"config": {"ignore_checks": ["E9701"]}})]),
    ("E9001", "a metric that nobody publishes", [("Resources/Alarm", alarm("LambdaLimitExceededError"))]),
    ("E9001", "in one case", [("Resources/Alarm", alarm(EITHER("Requests", "Request")))]),
    ("E9001", "another region", [("Resources/Alarm", alarm("Requests", Region="us-east-1"))]),
    ("E9001", "a dimension too many", [("Resources/Alarm", alarm("Requests", FunctionName="f"))]),
    ("E9002", "a whole bucket", delivery_to({"Fn::GetAtt": ["Bucket", "Arn"]})),
    ("E9002", "a whole bucket by name", delivery_to("arn:aws:s3:::dev-example-logs")),
    ("E9002", "a whole bucket in Sub", delivery_to({"Fn::Sub": "${Bucket.Arn}"})),
    *api_cases.BROKEN,
]


@pytest.mark.parametrize(("rule", "edits"), [pytest.param(rule, edits, id=f"{rule}-{what}") for rule, what, edits in BROKEN])
def test_a_rule_fires_on_what_it_is_for_and_alone(rule: str, edits: list[tuple[str, Any]]) -> None:
    fired = firing(edited(*edits))
    assert rule in fired
    assert fired <= {rule, "E9903", "E9904"} | ALONG_WITH.get(rule, set()) | {refusal.id for refusal in REFUSALS}


@pytest.mark.parametrize(
    ("rule", "edits"), list({rule: (rule, edits) for rule, _, edits in reversed(BROKEN)}.values()), ids=lambda v: str(v)[:5]
)
def test_a_rule_fires_through_cfn_lint_and_says_where(rule: str, edits: list[tuple[str, Any]]) -> None:
    findings = lint_one(edited(*edits))
    mine = [finding for finding in findings if finding.rule == rule]
    assert mine
    assert "E0002" not in {finding.rule for finding in findings}
    for finding in mine:
        assert (finding.level, finding.source, finding.suppressed) == ("error", "ours", False)
        assert finding.path
        assert finding.line is not None or finding.path == ("Description",)
        assert finding.logical_id == (finding.path[1] if finding.path[0] in ("Resources", "Parameters", "Outputs", "Mappings") else None)


ALONG_WITH = {
    # What cannot be broken alone: without a certificate there is no TLS version either; the TLS-only Deny made an Allow admits everybody.
    "E9205": {"E9206"},
    "E9404": {"E9406", "E9501", "E9502"},
    # The other first name is none that the distribution answers to.
    "E9805": {"E9219"},
    # All of S3 on a role.
    "E9502": {"E9508"},
    # Code that is replaced has no handler any more.
    "E9601": {"E9111", "E9113"},
    "E9604": {"E9111", "E9113"},
}

FINE: list[tuple[str, str, list[tuple[str, Any]]]] = [
    ("E9201", "an empty S3OriginConfig, as many templates have it", [(f"{ORIGIN}/S3OriginConfig", {})]),
    (
        "E9307",
        "a check of the endpoint",
        [("Resources/Check", own_check({"Fn::GetAtt": ["Distribution", "DomainName"]})), (f"{RECORD}/HealthCheckId", {"Ref": "Check"})],
    ),
    ("E9001", "a metric of CloudFront", [("Resources/Alarm", alarm("LambdaLimitExceededErrors"))]),
    ("E9001", "a metric of our own", [("Resources/Alarm/Type", "AWS::CloudWatch::Alarm"), ("Resources/Alarm/Properties/Namespace", "Own")]),
    ("E9002", "with a prefix", delivery_to({"Fn::Sub": "${Bucket.Arn}/cloudfront"})),
    ("E9002", "a log group", delivery_to("arn:aws:logs:us-east-1:123456789012:log-group:access")),
    (
        "E9801",
        "a wildcard and a name below it",
        [
            (f"{CERTIFICATE}/SubjectAlternativeNames/-", "dev.example.com"),
            (f"{CERTIFICATE}/DomainValidationOptions/-", {"DomainName": "dev.example.com", **IN_ZONE}),
        ],
    ),
    (
        "E9801",
        "never both at once",
        [
            (
                f"{CERTIFICATE}/DomainValidationOptions",
                [
                    EITHER({"DomainName": name, **IN_ZONE}, NOTHING)
                    if name == "example.com"
                    else EITHER(NOTHING, {"DomainName": name, **IN_ZONE})
                    for name in ("example.com", "*.example.com")
                ],
            )
        ],
    ),
    *[
        ("E9508", f"{action} on {resource}", [(f"{STATEMENTS}/1/Action", [action]), (f"{STATEMENTS}/1/Resource", [resource])])
        for action, resource in (
            ("lambda:EnableReplication*", "arn:aws:lambda:us-east-1:123456789012:function:edge"),
            ("secretsmanager:GetSecretValue", {"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:*:${AWS::AccountId}:secret:site-??????"}),
            ("cloudformation:CreateStackInstances", "arn:aws:cloudformation:*::type/resource/*"),
            ("s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/*"}),
            ("s3:GetObject", {"Fn::GetAtt": ["Bucket", "Arn"]}),
            ("s3:Get*", "arn:aws:s3:::bucket"),
            ("acm:DescribeCertificate", "arn:*:acm:*:*:certificate/*"),
        )
    ],
    ("E9902", "as long as it may be", [(f"{DIST}/Comment", {"Fn::Sub": "c" * 116 + "${AWS::AccountId}"})]),
    ("E9902", "unknown", [(f"{DIST}/Comment", {"Fn::Sub": "c" * 128 + "${Bucket}"})]),
    ("E9803", "nobody writes any", [(f"{CERTIFICATE}/DomainValidationOptions", DROP)]),
    ("E9102", "a version's ARN", [(f"{ASSOCIATION}/LambdaFunctionARN", f"{ARN}:12")]),
    (
        "E9102",
        "a version by Sub",
        [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::Sub": "arn:${AWS::Partition}:lambda:us-east-1:${AWS::AccountId}:function:edge:7"})],
    ),
    ("E9102", "a version by attribute", [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::GetAtt": ["EdgeVersion", "FunctionArn"]})]),
    (
        "E9102",
        "handed in",
        [("Parameters/Edge", {"Type": "String", "Description": "x"}), (f"{ASSOCIATION}/LambdaFunctionARN", {"Ref": "Edge"})],
    ),
    (
        "E9102",
        "function and version number",
        [(f"{ASSOCIATION}/LambdaFunctionARN", {"Fn::Sub": "${EdgeFunction.Arn}:${EdgeVersion.Version}"})],
    ),
    (
        "E9106",
        "mixed never at once",
        [
            (
                f"{DEFAULT}/LambdaFunctionAssociations",
                EITHER(
                    GOOD["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"][
                        "LambdaFunctionAssociations"
                    ],
                    NOTHING,
                ),
            ),
            (
                f"{DEFAULT}/FunctionAssociations",
                EITHER(NOTHING, [{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["Routing", "FunctionARN"]}}]),
            ),
        ],
    ),
    (
        "E9202",
        "identity never with control",
        [
            (f"{ORIGIN}/OriginAccessControlId", EITHER({"Ref": "AccessControl"}, "")),
            (f"{ORIGIN}/S3OriginConfig/OriginAccessIdentity", EITHER("", "origin-access-identity/cloudfront/E2QWRUHEXAMPLE")),
        ],
    ),
    (
        "E9205",
        "aliases and certificate by one condition",
        [
            (f"{DIST}/Aliases", EITHER(["dev.example.com"], NOTHING)),
            (f"{DIST}/ViewerCertificate/AcmCertificateArn", EITHER({"Ref": "Certificate"}, NOTHING)),
        ],
    ),
    (
        "E9206",
        "handed in",
        [("Parameters/Tls", {"Type": "String", "Description": "x"}), (f"{DIST}/ViewerCertificate/MinimumProtocolVersion", {"Ref": "Tls"})],
    ),
    ("E9206", "TLS 1.3", [(f"{DIST}/ViewerCertificate/MinimumProtocolVersion", "TLSv1.3_2025")]),
    (
        "E9303",
        "alias or value by one condition",
        [
            (f"{RECORD}/AliasTarget", EITHER(GOOD["Resources"]["Records"]["Properties"]["RecordSets"][0]["AliasTarget"], NOTHING)),
            (f"{RECORD}/ResourceRecords", EITHER(NOTHING, ["192.0.2.1"])),
            (f"{RECORD}/TTL", EITHER(NOTHING, "60")),
        ],
    ),
    (
        "E9301",
        "evaluated for a load balancer",
        [
            (
                f"{STANDBY}",
                {
                    "HostedZoneId": {"Ref": "HostedZoneId"},
                    "Name": "x.example.com.",
                    "Type": "A",
                    "AliasTarget": {"DNSName": "lb.example.com", "HostedZoneId": "Z32O12XQLNTSW2", "EvaluateTargetHealth": True},
                },
            )
        ],
    ),
    ("E9401", "by conditions, always true", [(f"{BUCKET}/PublicAccessBlockConfiguration/BlockPublicPolicy", EITHER(True, "true"))]),
    (
        "E9404",
        "by the bucket's name",
        [
            ("Resources/BucketPolicy/Properties/Bucket", "dev-example-web-public"),
            (f"{POLICY}/1/Resource", ["arn:aws:s3:::dev-example-web-public", "arn:aws:s3:::dev-example-web-public/*"]),
        ],
    ),
    ("E9405", "retained but on a failed creation", [("Resources/Bucket/DeletionPolicy", "RetainExceptOnCreate")]),
    (
        "E9405",
        "a function that stays at home",
        [
            (
                "Resources/Home",
                {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Code": {"ZipFile": "x"},
                        "Handler": "index.handler",
                        "Role": "arn:aws:iam::123456789012:role/home",
                        "Runtime": "nodejs24.x",
                        "Timeout": 60,
                        "MemorySize": 512,
                        "Environment": {"Variables": {"A": "b"}},
                    },
                },
            )
        ],
    ),
    ("E9502", "denied", [(f"{STATEMENTS}/-", {"Effect": "Deny", "Action": "*", "Resource": "*"})]),
    ("E9504", "metrics have no resource", [(f"{STATEMENTS}/1/Action", ["cloudwatch:PutMetricData", "s3:ListAllMyBuckets"])]),
    (
        "E9505",
        "any case of the key",
        [(f"{STATEMENTS}/0/Condition", {"StringEquals": {"iam:passedtoservice": ["cloudformation.amazonaws.com"]}})],
    ),
    (
        "E9506",
        "branches of one repository",
        [(f"{OIDC}/Condition/StringLike", {"token.actions.githubusercontent.com:sub": "repo:example/site:ref:refs/heads/release-*"})],
    ),
    (
        "E9601",
        "a dynamic reference",
        [
            (
                "Resources/Db",
                {
                    "Type": "AWS::SecretsManager::Secret",
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                    "Properties": {"SecretString": "{{resolve:secretsmanager:other:SecretString:password}}"},
                },
            )
        ],
    ),
    (
        "E9601",
        "code that reads one",
        [
            (
                f"{EDGE}/Code/ZipFile",
                "const password = credential.password; const tokenHeader = 'authorization'; throw new Error('Basic realm wanted');",
            )
        ],
    ),
    (
        "E9602",
        "an identifier of a secret",
        [
            ("Parameters/SecretArn", {"Type": "String", "Description": "x"}),
            ("Parameters/CredentialVersionId", {"Type": "String", "Description": "x"}),
        ],
    ),
    *api_cases.FINE,
]


@pytest.mark.parametrize(("rule", "edits"), [pytest.param(rule, edits, id=f"{rule}-{what}") for rule, what, edits in FINE])
def test_a_rule_is_silent_where_nothing_is_wrong(rule: str, edits: list[tuple[str, Any]]) -> None:
    assert rule not in firing(edited(*edits))


SHARED_IDS = {
    "authorization": "iam",
    "code": "edge",
    "distribution": "cdn",
    "headers": "cdn",
    "records": "dns",
    "api": "sizes",
    "relations": "sizes",
}
"""Modules whose ids continue those of another."""


def test_every_rule_has_a_case_an_id_of_its_theme_and_a_source() -> None:
    rules = [rule for rule in own_rules() if not isinstance(rule, Refused)]  # these have tests of their own
    shown = ({rule for rule, _, _ in BROKEN} | {"E9101", "E9204"}) - {refusal.id for refusal in REFUSALS}
    assert {rule.id for rule in rules} == shown
    for rule in rules:
        module = type(rule).__module__.rpartition(".")[2]
        assert rule.id.startswith(f"E9{MODULES.index(SHARED_IDS.get(module, module))}")
        assert rule.shortdesc and rule.description and rule.source_url.startswith("https://")


def test_edge_function_and_certificate_live_in_us_east_1() -> None:
    findings = lint_one(GOOD, "eu-west-1", "us-east-1")
    assert {(finding.rule, finding.logical_id) for finding in findings if finding.source == "ours"} == {
        ("E9101", "EdgeFunction"),
        ("E9204", "Certificate"),
    }


@pytest.mark.parametrize("recognised", ["role", "metadata", "association"])
def test_an_edge_function_is_recognised_by_each_of_three_signs(recognised: str) -> None:
    edits: list[tuple[str, Any]] = [(f"{EDGE}/MemorySize", 512)]
    if recognised != "role":
        edits.append((f"{EDGE}/Role", "arn:aws:iam::123456789012:role/edge"))
    if recognised != "metadata":
        edits.append(("Resources/EdgeFunction/Metadata", DROP))
    if recognised != "association":
        edits.append((f"{DEFAULT}/LambdaFunctionAssociations", DROP))
    assert ours(lint_one(edited(*edits))) == {"E9104"}


def test_no_secret_is_repeated_in_a_message() -> None:
    literal = secret("AKIA", "QWERTYUIOPASDFGH")
    findings = lint_one(edited(("Metadata/Key", literal)))
    assert ours(findings) == {"E9601"}
    assert literal not in "".join(finding.message for finding in findings)


@given(st.text())
def test_any_text_can_be_asked_whether_it_is_a_secret(text: str) -> None:
    for code in (True, False):
        assert looks_secret(text, code=code) is None or len(text) > 5


def test_actions_without_resource_types_come_from_the_service_authorization_reference() -> None:
    assert not can_be_narrower("route53:ListHostedZonesByName")
    assert can_be_narrower("route53:ChangeResourceRecordSets")
    assert can_be_narrower("route53:*")
    assert can_be_narrower("nosuch:Action")
    assert can_be_narrower("")


# --- the view -----------------------------------------------------------------------------------------------------


def seen(value: Any, *steps: Any, **template: Any) -> list[Any]:
    view = View({"Resources": {"R": {"Type": "T"}}, **template}, ("eu-west-1",))
    return [node.value for node in view.at(Node((), value), *steps)]


def test_the_view_gives_every_value_that_a_place_can_have() -> None:
    assert seen({"a": EITHER(1, {"Fn::If": ["Other", 2, NOTHING]})}, "a") == [1, 2, ABSENT]
    assert seen({"a": EITHER({"b": 1}, {})}, "a", "b") == [1, ABSENT]
    assert seen({"a": {"Fn::ImportValue": "x"}}, "a", "b") == [UNKNOWN]
    assert seen({"a": [1, EITHER(2, 3)]}, "a", EACH) == [1, 2, 3]
    assert seen({"Fn::If": ["C", {"Fn::If": ["C", 1, 2]}, 3]}) == [1, 3]


def test_the_view_knows_what_a_reference_can_be() -> None:
    parameters = {"P": {"Type": "String", "Default": "d"}, "Q": {"Type": "String", "AllowedValues": ["x", "y"]}, "N": {"Type": "String"}}
    lists = {"L": {"Type": "CommaDelimitedList", "Default": "a,b"}}
    assert seen({"Ref": "P"}, Parameters=parameters) == ["d"]
    assert seen({"Ref": "Q"}, Parameters=parameters) == ["x", "y"]
    assert seen({"Ref": "N"}, Parameters=parameters) == [Reference("N")]
    assert seen({"Ref": "L"}, Parameters=lists) == [["a", "b"]]
    assert seen({"Ref": "R"}) == [Reference("R")]
    assert seen({"Ref": "AWS::Region"}) == ["eu-west-1"]
    assert seen({"Ref": "Nothing"}) == [UNKNOWN]
    assert seen({"Fn::GetAtt": ["R", "Arn"]}) == [Reference("R", "Arn")]
    assert seen({"Fn::Sub": "${R.Arn}"}) == [Reference("R", "Arn")]
    assert seen({"Fn::Sub": ["${X}/${AWS::AccountId}/${!keep}", {"X": {"Ref": "P"}}]}, Parameters=parameters) == [
        "d/${AWS::AccountId}/${keep}"
    ]
    assert seen({"Fn::Join": ["-", ["a", {"Ref": "P"}, {"Ref": "R"}]]}, Parameters=parameters) == ["a-d-${R}"]
    assert seen({"Fn::FindInMap": ["M", {"Ref": "AWS::AccountId"}, "k"]}, Mappings={"M": {"1": {"k": "v"}, "2": {"k": "w"}}}) == ["v", "w"]
    assert seen({"Fn::FindInMap": ["M", "1", "k"]}) == [UNKNOWN]


def test_parameters_that_refer_to_each_other_come_to_an_end() -> None:
    loop = {"P": {"Type": "String", "Default": {"Ref": "P"}}}
    assert seen({"Fn::Sub": ["${X}", {"X": {"Fn::Sub": "${X}"}}]}) == [UNKNOWN]
    assert len(seen({"Ref": "P"}, Parameters=loop)) == 1


# --- malformed templates ------------------------------------------------------------------------------------------

SCRAPS: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "*", "a.b", "${", "${A.B}", "s3:*", '{"Statement": [1, {"Effect": "Allow"}]}']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Ref",
                    "Fn::If",
                    "Fn::Sub",
                    "Fn::GetAtt",
                    "Fn::Join",
                    "Fn::FindInMap",
                    "Type",
                    "Properties",
                    "Statement",
                    "Effect",
                    "Principal",
                    "x",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


PLACES = places(GOOD)[1:]


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    template = copy.deepcopy(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(PLACES))
        node: Any = template
        try:
            for step in place[:-1]:
                node = node[step]
            if draw(st.booleans()):
                node[place[-1]] = draw(SCRAPS)
            else:
                del node[place[-1]]
        except (KeyError, IndexError, TypeError):
            continue
    return template


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_no_own_rule_ever_stumbles(template: Any) -> None:
    for _, (path, message) in found(View(template, ("us-east-1", "eu-west-1"))):
        assert message
        assert all(isinstance(part, str | int) for part in path)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_a_broken_template_is_findings_and_no_crash(template: Any) -> None:
    for finding in lint_one(template):
        assert "rule E9" not in finding.message or finding.rule != "E0002"


@given(SCRAPS)
def test_any_json_is_a_template_to_our_rules(template: Any) -> None:
    assert all(message for _, (_, message) in found(View(template, ("us-east-1",))))

"""What the APIs of Route 53, CloudFront, CloudWatch and S3 refuse: edits of the good template that break one rule, and that break none."""

from __future__ import annotations

from typing import Any

Case = tuple[str, str, list[tuple[str, Any]]]

CONFIG = "Resources/Distribution/Properties/DistributionConfig"
DEFAULT = f"{CONFIG}/DefaultCacheBehavior"
ORIGIN = f"{CONFIG}/Origins/0"
RECORDS = "Resources/Records/Properties/RecordSets"
POLICY = "Resources/BucketPolicy/Properties/PolicyDocument/Statement/0"
HEADERS = "Resources/Headers/Properties/ResponseHeadersPolicyConfig"
CODE = "Resources/Routing/Properties/FunctionCode"
ELB = {"DNSName": "x.eu-west-1.elb.amazonaws.com", "HostedZoneId": "Z32O12XQLNTSW2", "EvaluateTargetHealth": True}
TWIN = {"Name": "dev.example.com", "Type": "A", "AliasTarget": ELB}


def check(kind: str, **settings: Any) -> list[tuple[str, Any]]:
    config = {"Type": kind, **settings}
    return [("Resources/Check", {"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": config}})]


def header(*names: str, section: str = "CustomHeadersConfig") -> list[tuple[str, Any]]:
    return [(f"{HEADERS}/{section}", {"Items": [{"Header": name, "Value": "x", "Override": True} for name in names]})]


def behaviour(path: Any) -> list[tuple[str, Any]]:
    headers = {"ResponseHeadersPolicyId": {"Ref": "Headers"}, "ViewerProtocolPolicy": "https-only"}
    return [(f"{CONFIG}/CacheBehaviors/-", {"PathPattern": path, "TargetOriginId": "bucket", **headers})]


def dashboard(body: Any) -> list[tuple[str, Any]]:
    return [("Resources/Board", {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": body}})]


HELPER = "import cf from 'cloudfront';\nconst kvs = cf.kvs();\nasync function handler(e) { return e.request; }"
MAIL = {**ELB, "DNSName": "mail.example.com"}
ELSEWHERE = {"HostedZoneId": "Z0123456789", **TWIN}
RUNTIME, ZIP = (f"Resources/EdgeFunction/Properties/{name}" for name in ("Runtime", "Code/ZipFile"))

STORE = {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": "routes"}}


NAMES = "Resources/Certificate/Properties/SubjectAlternativeNames"
EITHER, OTHER = {"Fn::If": ["HasStandby", "a", "b"]}, {"Fn::If": ["HasStandby", "b", "a"]}
SUBSCRIPTION = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}}
METRICS = {
    "Type": "AWS::CloudFront::MonitoringSubscription",
    "Properties": {"DistributionId": {"Ref": "Distribution"}, "MonitoringSubscription": SUBSCRIPTION},
}


def store(**properties: Any) -> list[tuple[str, Any]]:
    return [("Resources/Store", {**STORE, "Properties": {**STORE["Properties"], **properties}})]  # type: ignore[dict-item]


KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
LONG_KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "a" * 33_000,
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "kms:PutKeyPolicy",
            "Resource": "*",
        }
    ],
}

WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/a1b2c3d4-5678-90ab-cdef-111122223333"
ARN = {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}
LINK = {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {"WebACLArn": WEB_ACL, "ResourceArn": ARN}}


def ip_set(*addresses: Any) -> dict[str, Any]:
    settings = {"Name": "x", "Scope": "CLOUDFRONT", "IPAddressVersion": "IPV4", "Addresses": list(addresses)}
    return {"Type": "AWS::WAFv2::IPSet", "Properties": settings}


def either() -> list[tuple[str, Any]]:
    """A cache policy in one case, forwarded values and lifetimes in the other."""
    values = {"ForwardedValues": {"QueryString": False}, "MaxTTL": 60, "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"}
    nothing = {"Ref": "AWS::NoValue"}
    return [
        (f"{DEFAULT}/{name}", {"Fn::If": ["HasStandby", *((value, nothing) if name == "CachePolicyId" else (nothing, value))]})
        for name, value in values.items()
    ]


BROKEN: list[Case] = [
    ("E9906", "more than a megabyte", [("Metadata", {"Note": "x" * 1_100_000})]),
    ("E9906", "201 mappings", [("Mappings", {f"M{i}": {"a": {"b": "c"}} for i in range(201)})]),
    ("E9906", "an export of 256", [("Outputs", {"O": {"Description": "o", "Value": "v", "Export": {"Name": "x" * 256}}})]),
    ("E9906", "an export twice", [("Outputs", {k: {"Description": "o", "Value": "v", "Export": {"Name": "x"}} for k in "AB"})]),
    (
        "E9901",
        "a key policy of 33,000",
        [("Resources/Key", {**KEPT, "Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": LONG_KEY_POLICY}})],
    ),
    ("E9111", "no handler", [(CODE, "function main(event) { return event.request; }")]),
    ("E9111", "a module that is not there", [(CODE, "var fs = require('fs');\nfunction handler(event) { return event.request; }")]),
    ("E9112", "not published", [("Resources/Routing/Properties/AutoPublish", False)]),
    ("E9112", "published in one case", [("Resources/Routing/Properties/AutoPublish", {"Fn::If": ["HasStandby", True, False]})]),
    ("E9113", "another file", [("Resources/EdgeFunction/Properties/Handler", "main.handler")]),
    ("E9113", "another name", [("Resources/EdgeFunction/Properties/Handler", "index.main")]),
    ("E9215", "no such origin", [(f"{DEFAULT}/TargetOriginId", "nowhere")]),
    ("E9215", "no such origin in one case", [(f"{DEFAULT}/TargetOriginId", {"Fn::If": ["HasStandby", "nowhere", "bucket"]})]),
    ("E9216", "for buckets, at a server", [(f"{CONFIG}/Origins/1/OriginAccessControlId", {"Ref": "AccessControl"})]),
    ("E9217", "a distribution is associated", [("Resources/Link", LINK)]),
    ("E9218", "IPv6 in IPv4", [("Resources/Set", ip_set("2001:db8::/32"))]),
    ("E9219", "another name", [(f"{CONFIG}/Aliases/-", "dev.example.org")]),
    ("E9219", "below a name", [(f"{CONFIG}/Aliases/-", "a.dev.example.com")]),
    ("E9907", "two functions", [*store(), ("Resources/Other", STORE)]),
    ("E9907", "metrics twice", [("Resources/One", METRICS), ("Resources/Two", METRICS)]),
    ("E9904", "two members exclude each other", [(f"{DEFAULT}/MaxTTL", 60)]),
    ("E9904", "in one case", [(f"{DEFAULT}/MaxTTL", {"Fn::If": ["HasStandby", 60, {"Ref": "AWS::NoValue"}]})]),
    ("E9904", "the wrong attribute", [(f"{DEFAULT}/ResponseHeadersPolicyId", {"Fn::GetAtt": ["Headers", "LastModifiedTime"]})]),
    ("E9903", "a pattern", store(Name="my routes")),
    ("E9903", "a pattern behind Sub", store(Name={"Fn::Sub": "${AWS::StackName} routes"})),
    ("E9903", "a pattern in one branch", store(Name={"Fn::If": ["HasStandby", "a b", "ab"]})),
    (
        "E9903",
        "a value behind a parameter",
        [*store(Name={"Ref": "P"}), ("Parameters/P", {"Type": "String", "Description": "x", "Default": "a b"})],
    ),
    ("E9903", "a value of a mapping", [*store(Name={"Fn::FindInMap": ["M", "a", "b"]}), ("Mappings", {"M": {"a": {"b": "a b"}}})]),
    ("E9903", "a joined value", store(Name={"Fn::Join": [" ", ["a", {"Ref": "AWS::Region"}]]})),
    ("E9903", "a selected value", store(Name={"Fn::Select": [1, {"Fn::Split": [",", "a,b c"]}]})),
    ("E9903", "an enumeration", [(f"{DEFAULT}/ForwardedValues", {"QueryString": False, "Cookies": {"Forward": "some"}})]),
    (
        "E9903",
        "a member is missing",
        [("Resources/Stream", {"Type": "AWS::CloudWatch::MetricStream", "Properties": {"OutputFormat": "json"}})],
    ),
    ("E9003", "a body that is not JSON", dashboard("{widgets")),
    ("E9003", "a body without widgets", dashboard("{}")),
    ("E9003", "a list", dashboard("[]")),
    ("E9003", "through Sub", dashboard({"Fn::Sub": '{"widgets": [${Distribution}}'})),
    ("E9110", "a syntax error of a CloudFront Function", [(CODE, "function handler(event { return event; }")]),
    (
        "E9110",
        "a syntax error of inline code",
        [(ZIP, "exports.handler = async (event) => {")],
    ),
    ("E9209", "twice", behaviour("/assets/*")),
    ("E9209", "without the slash", behaviour("assets/*")),
    ("E9209", "in one case", behaviour({"Fn::If": ["HasStandby", "assets/*", "other/*"]})),
    ("E9210", "GET and POST", [(f"{DEFAULT}/AllowedMethods", ["GET", "POST"])]),
    ("E9210", "GET alone", [(f"{DEFAULT}/AllowedMethods", ["GET"])]),
    ("E9210", "GET alone, or nobody knows", [(f"{DEFAULT}/AllowedMethods", {"Fn::If": ["HasStandby", {"Ref": "StandbyName"}, ["GET"]]})]),
    ("E9210", "POST is cached", [(f"{DEFAULT}/CachedMethods", ["GET", "HEAD", "POST"])]),
    (
        "E9210",
        "cached and not allowed",
        [(f"{DEFAULT}/AllowedMethods", ["GET", "HEAD"]), (f"{DEFAULT}/CachedMethods", ["GET", "HEAD", "OPTIONS"])],
    ),
    ("E9211", "a leading slash", [(f"{CONFIG}/DefaultRootObject", "/index.html")]),
    ("E9212", "a website endpoint with access control", [(f"{ORIGIN}/DomainName", "b.s3-website-eu-west-1.amazonaws.com")]),
    ("E9212", "with a dot", [(f"{ORIGIN}/DomainName", "b.s3-website.eu-central-1.amazonaws.com")]),
    *[
        ("E9213", name, header(name))
        for name in ("Connection", "transfer-encoding", "Content-Length", "Via", "X-Amz-Cf-Id", "X-Edge-Location")
    ],
    ("E9213", "a security header", header("Content-Security-Policy")),
    ("E9213", "no name", header("X Robots")),
    ("E9213", "removed", header("Connection", section="RemoveHeadersConfig")),
    ("E9214", "twice", header("X-Robots-Tag", "x-robots-tag")),
    ("E9214", "removed twice", header("Server", "server", section="RemoveHeadersConfig")),
    ("E9308", "SearchString with HTTPS", check("HTTPS", FullyQualifiedDomainName="x.example.com", SearchString="ok")),
    ("E9308", "HTTPS_STR_MATCH without SearchString", check("HTTPS_STR_MATCH", FullyQualifiedDomainName="x.example.com")),
    ("E9308", "a path with TCP", check("TCP", IPAddress="192.0.2.1", Port=443, ResourcePath="/")),
    ("E9308", "server name with HTTP", check("HTTP", FullyQualifiedDomainName="x.example.com", EnableSNI=True)),
    ("E9308", "children of an endpoint", check("HTTPS", FullyQualifiedDomainName="x.example.com", ChildHealthChecks=["a"])),
    ("E9308", "an alarm is missing", check("CLOUDWATCH_METRIC")),
    *[("E9309", kind, [(f"{RECORDS}/0/Type", kind), (f"{RECORDS}/0/AliasTarget", ELB)]) for kind in ("MX", "TXT", "NS", "SRV", "CAA")],
    ("E9310", "in a group", [(f"{RECORDS}/-", TWIN)]),
    (
        "E9310",
        "of a group and alone",
        [("Resources/Twin", {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": {"Ref": "HostedZoneId"}, **TWIN}})],
    ),
    ("E9406", "another bucket", [(f"{POLICY}/Resource", ["arn:aws:s3:::other/*"])]),
    ("E9406", "another bucket by Sub", [(f"{POLICY}/Resource", {"Fn::Sub": "arn:${AWS::Partition}:s3:::other"})]),
    ("E9406", "a reference to something else", [(f"{POLICY}/Resource", {"Fn::GetAtt": ["Topic", "Arn"]})]),
    ("E9406", "a reference within a text", [(f"{POLICY}/Resource", {"Fn::Sub": "${Topic.Arn}/*"})]),
]

FINE: list[Case] = [
    ("E9111", "a word in a text", [(CODE, "function handler(event) { var text = 'require(\\'fs\\')'; return event.request; }")]),
    (
        "E9112",
        "nobody uses it",
        [("Resources/Routing/Properties/AutoPublish", False), (f"{CONFIG}/CacheBehaviors/0/FunctionAssociations", [])],
    ),
    (
        "E9215",
        "an origin that only AWS knows",
        [(f"{CONFIG}/Origins/1/Id", {"Ref": "StandbyName"}), (f"{DEFAULT}/TargetOriginId", "later")],
    ),
    ("E9218", "IPv4", [("Resources/Set", ip_set("192.0.2.0/24", {"Ref": "StandbyName"}))]),
    (
        "E9219",
        "a wildcard",
        [
            (f"{CONFIG}/Aliases/-", "www.example.com"),
            ("Resources/Certificate/Properties/SubjectAlternativeNames", ["dev.example.com", "*.example.com"]),
        ],
    ),
    ("E9907", "two names", [*store(), ("Resources/Other", {**STORE, "Properties": {"Name": "other"}})]),
    (
        "E9907",
        "one or the other",
        [
            *store(Name={"Fn::If": ["HasStandby", "a", "b"]}),
            ("Resources/Other", {**STORE, "Properties": {"Name": {"Fn::If": ["HasStandby", "b", "a"]}}}),
        ],
    ),
    ("E9904", "excluded in the other case", either()),
    ("E9903", "a name", store(Name={"Fn::Sub": "${AWS::StackName}-routes"})),
    (
        "E9903",
        "a name from the parameter store",
        [
            *store(Name={"Ref": "P"}),
            ("Parameters/P", {"Type": "AWS::SSM::Parameter::Value<String>", "Description": "x", "Default": "/a/b"}),
        ],
    ),
    ("E9003", "a variable in the body", dashboard({"Fn::Sub": '{"widgets": [{"properties": {"title": "${Distribution}"}}]}'})),
    ("E9003", "a body that only AWS knows", dashboard({"Fn::GetAtt": ["Distribution", "Body"]})),
    ("E9110", "the helper module", [(CODE, HELPER)]),
    ("E9110", "code in a bucket", [("Resources/EdgeFunction/Properties/Code", {"S3Bucket": "b", "S3Key": "k"})]),
    (
        "E9110",
        "another language",
        [(RUNTIME, "python3.13"), (ZIP, "def handler(e): pass")],
    ),
    ("E9209", "another path", behaviour("/static/*")),
    (
        "E9209",
        "one or the other",
        [
            *[(f"{CONFIG}/CacheBehaviors/0/PathPattern", {"Fn::If": ["HasStandby", "a/*", "b/*"]})],
            *behaviour({"Fn::If": ["HasStandby", "b/*", "a/*"]}),
        ],
    ),
    ("E9210", "all seven", [(f"{DEFAULT}/AllowedMethods", ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])]),
    ("E9210", "unknown", [(f"{DEFAULT}/AllowedMethods", {"Ref": "StandbyName"}), (f"{DEFAULT}/CachedMethods", ["GET", "HEAD", "OPTIONS"])]),
    ("E9211", "a path", [(f"{CONFIG}/DefaultRootObject", "buy/index.html")]),
    ("E9213", "an ordinary header", header("X-Robots-Tag", "Permissions-Policy", "Cross-Origin-Opener-Policy")),
    ("E9213", "a security header of the origin is removed", header("Content-Security-Policy", section="RemoveHeadersConfig")),
    ("E9214", "two headers", header("X-Robots-Tag", "X-Other")),
    ("E9308", "a search", check("HTTPS_STR_MATCH", FullyQualifiedDomainName="x.example.com", SearchString="ok", EnableSNI=True)),
    ("E9308", "a type that only AWS knows", check({"Ref": "StandbyName"}, SearchString="ok")),  # type: ignore[arg-type]
    ("E9308", "children", check("CALCULATED", ChildHealthChecks=["a"], HealthThreshold=1)),
    ("E9309", "an alias of another record", [(f"{RECORDS}/0/Type", "MX"), (f"{RECORDS}/0/AliasTarget", MAIL)]),
    ("E9309", "A", [(f"{RECORDS}/0/AliasTarget", ELB)]),
    ("E9310", "weighted", [(f"{RECORDS}/-", {**TWIN, "SetIdentifier": "b", "Weight": 1})]),
    ("E9310", "another zone", [("Resources/T", {"Type": "AWS::Route53::RecordSet", "Properties": ELSEWHERE})]),
    ("E9406", "its literal name", [(f"{POLICY}/Resource", "arn:aws:s3:::dev-example-web-public/*")]),
    ("E9406", "by Sub of the name", [(f"{POLICY}/Resource", {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/*"})]),
    ("E9406", "a parameter", [(f"{POLICY}/Resource", {"Fn::Sub": "arn:aws:s3:::${AWS::AccountId}-x/*"})]),
    ("E9406", "the policy of a parameter", [("Resources/BucketPolicy/Properties/Bucket", {"Fn::Sub": "${AWS::AccountId}-x"})]),
]

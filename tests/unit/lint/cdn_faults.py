"""Templates with one fault each, of the kind that CloudFront, Lambda@Edge, Lambda or WAF refuse: the good template with an edit.

Invented from the members and errors of the API references and from public reports of their messages; which rule finds it is not said here.
"""

from __future__ import annotations

from typing import Any

Fault = tuple[str, list[tuple[str, Any]]]

CONFIG = "Resources/Distribution/Properties/DistributionConfig"
DEFAULT = f"{CONFIG}/DefaultCacheBehavior"
SECOND = f"{CONFIG}/CacheBehaviors/0"
BUCKET = f"{CONFIG}/Origins/0"
API = f"{CONFIG}/Origins/1"
HEADERS = "Resources/Headers/Properties/ResponseHeadersPolicyConfig"
ROUTING = "Resources/Routing/Properties"
EDGE = "Resources/EdgeFunction/Properties"
CERTIFICATE = f"{CONFIG}/ViewerCertificate"
ACCESS = "Resources/AccessControl/Properties/OriginAccessControlConfig"
WEB_ACL_ARN = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/a1b2c3d4-5678-90ab-cdef-111122223333"
ID = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ZIP = "exports.handler = async () => 1;"


def added(kind: str, **properties: Any) -> list[tuple[str, Any]]:
    return [("Resources/Added", {"Type": kind, "Properties": properties})]


def parameter(value: Any, **more: Any) -> tuple[str, Any]:
    return "Parameters/P", {"Type": "String", "Description": "x", "Default": value, **more}


def forwarded(**values: Any) -> dict[str, Any]:
    return {"QueryString": True, "Cookies": {"Forward": "none"}, **values}


def legacy(**more: Any) -> list[tuple[str, Any]]:
    """The second behaviour with ForwardedValues instead of a cache policy."""
    behaviour = {
        "ForwardedValues": forwarded(),
        "PathPattern": "/assets/*",
        "ResponseHeadersPolicyId": {"Ref": "Headers"},
        "TargetOriginId": "api",
        "ViewerProtocolPolicy": "https-only",
    }
    return [(SECOND, {**behaviour, **more})]


def cache_policy(key: dict[str, Any] | None = None, **more: Any) -> list[tuple[str, Any]]:
    plain = {
        "CookiesConfig": {"CookieBehavior": "none"},
        "EnableAcceptEncodingGzip": True,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    config = {
        "Name": "dev-example",
        "MinTTL": 0,
        "DefaultTTL": 60,
        "MaxTTL": 600,
        "ParametersInCacheKeyAndForwardedToOrigin": {**plain, **(key or {})},
    }
    return added("AWS::CloudFront::CachePolicy", CachePolicyConfig={**config, **more})


def origin_policy(**more: Any) -> list[tuple[str, Any]]:
    config = {
        "Name": "dev-example",
        "CookiesConfig": {"CookieBehavior": "none"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    return added("AWS::CloudFront::OriginRequestPolicy", OriginRequestPolicyConfig={**config, **more})


def cors(**more: Any) -> list[tuple[str, Any]]:
    config = {
        "AccessControlAllowCredentials": False,
        "AccessControlAllowHeaders": {"Items": ["Content-Type"]},
        "AccessControlAllowMethods": {"Items": ["GET", "HEAD"]},
        "AccessControlAllowOrigins": {"Items": ["https://example.com"]},
        "OriginOverride": True,
    }
    return [(f"{HEADERS}/CorsConfig", {**config, **more})]


def function(**more: Any) -> list[tuple[str, Any]]:
    plain = {"Code": {"ZipFile": ZIP}, "Handler": "index.handler", "Role": "arn:aws:iam::123456789012:role/x", "Runtime": "nodejs24.x"}
    return [
        (
            "Resources/Added",
            {"Type": "AWS::Lambda::Function", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {**plain, **more}},
        )
    ]


def without(name: str, **more: Any) -> list[tuple[str, Any]]:
    ((path, resource),) = function(**more)
    return [(path, {**resource, "Properties": {key: value for key, value in resource["Properties"].items() if key != name}})]


def visible(name: str = "x") -> dict[str, Any]:
    return {"CloudWatchMetricsEnabled": True, "MetricName": name, "SampledRequestsEnabled": True}


def waf_rule(**more: Any) -> dict[str, Any]:
    return {
        "Name": "a",
        "Priority": 1,
        "Statement": {"GeoMatchStatement": {"CountryCodes": ["US"]}},
        "Action": {"Block": {}},
        "VisibilityConfig": visible(),
        **more,
    }


def without_key(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key != name}


def acl(*rules: Any, **more: Any) -> list[tuple[str, Any]]:
    plain = {"Name": "site", "Scope": "CLOUDFRONT", "DefaultAction": {"Allow": {}}, "VisibilityConfig": visible(), "Rules": list(rules)}
    return added("AWS::WAFv2::WebACL", **{**plain, **more})


def groups(codes: list[int], first: str = "bucket", second: str = "api", **more: Any) -> list[tuple[str, Any]]:
    group = {
        "Id": "group",
        "FailoverCriteria": {"StatusCodes": {"Items": codes, "Quantity": len(codes)}},
        "Members": {"Items": [{"OriginId": first}, {"OriginId": second}], "Quantity": 2},
        **more,
    }
    return [(f"{CONFIG}/OriginGroups", {"Items": [group], "Quantity": 1})]


def answer(**values: Any) -> list[tuple[str, Any]]:
    return [(f"{CONFIG}/CustomErrorResponses", [values])]


MANY = {f"V{number}": "x" * 100 for number in range(50)}

FAULTS: list[Fault] = [
    # Behaviours
    ("a cache policy and forwarded values", [(f"{DEFAULT}/ForwardedValues", forwarded())]),
    ("neither a cache policy nor forwarded values", [(SECOND, without_key(legacy()[0][1], "ForwardedValues"))]),
    ("no policy in one case", [(f"{DEFAULT}/CachePolicyId", {"Fn::If": ["HasStandby", ID, {"Ref": "AWS::NoValue"}]})]),
    ("lifetimes beside a cache policy", [(f"{DEFAULT}/MinTTL", 0)]),
    ("an origin request policy without a cache policy", legacy(OriginRequestPolicyId="216adef6-5c7f-47e4-b989-5492eafa07d3")),
    ("lifetimes in the wrong order", legacy(MinTTL=60, DefaultTTL=10, MaxTTL=600)),
    ("lifetimes in the wrong order behind a parameter", [*legacy(MinTTL={"Ref": "P"}, MaxTTL=600), parameter(700, Type="Number")]),
    ("a negative lifetime", legacy(MinTTL=-1)),
    ("a whitelist of cookies without names", legacy(ForwardedValues=forwarded(Cookies={"Forward": "whitelist"}))),
    ("names of cookies where all are forwarded", legacy(ForwardedValues=forwarded(Cookies={"Forward": "all", "WhitelistedNames": ["a"]}))),
    (
        "eleven cookies",
        legacy(ForwardedValues=forwarded(Cookies={"Forward": "whitelist", "WhitelistedNames": [f"c{n}" for n in range(11)]})),
    ),
    ("query string keys without the query string", legacy(ForwardedValues=forwarded(QueryString=False, QueryStringCacheKeys=["a"]))),
    ("all headers and one more", legacy(ForwardedValues=forwarded(Headers=["*", "Accept"]))),
    ("a header of the connection is forwarded", legacy(ForwardedValues=forwarded(Headers=["Connection"]))),
    ("the cookie header is forwarded by name", legacy(ForwardedValues=forwarded(Headers=["Cookie"]))),
    ("a path pattern of 256 characters", [(f"{SECOND}/PathPattern", "/" + "a" * 255)]),
    ("a path pattern with a space", [(f"{SECOND}/PathPattern", "/my files/*")]),
    ("a path pattern with braces", [(f"{SECOND}/PathPattern", "/*.{js,css}")]),
    ("an empty path pattern", [(f"{SECOND}/PathPattern", "")]),
    ("a path pattern with a space behind Sub", [(f"{SECOND}/PathPattern", {"Fn::Sub": ["/${Name}/*", {"Name": "my files"}]})]),
    ("a target that is no origin", [(f"{DEFAULT}/TargetOriginId", "nowhere")]),
    (
        "a target behind a mapping that is no origin",
        [(f"{DEFAULT}/TargetOriginId", {"Fn::FindInMap": ["M", "a", "b"]}), ("Mappings", {"M": {"a": {"b": "nowhere"}}})],
    ),
    (
        "a body for a response",
        [
            (f"{DEFAULT}/LambdaFunctionAssociations/0/EventType", "viewer-response"),
            (f"{DEFAULT}/LambdaFunctionAssociations/0/IncludeBody", True),
        ],
    ),
    ("a function at the origin", [(f"{SECOND}/FunctionAssociations/0/EventType", "origin-request")]),
    ("a bucket for a response headers policy", [(f"{DEFAULT}/ResponseHeadersPolicyId", {"Ref": "Bucket"})]),
    ("a response headers policy for a cache policy", [(f"{DEFAULT}/CachePolicyId", {"Ref": "Headers"})]),
    (
        "a Lambda function for a CloudFront Function",
        [(f"{SECOND}/FunctionAssociations/0/FunctionARN", {"Fn::GetAtt": ["EdgeFunction", "Arn"]})],
    ),
    (
        "a Lambda ARN for a CloudFront Function",
        [(f"{SECOND}/FunctionAssociations/0/FunctionARN", "arn:aws:lambda:us-east-1:123456789012:function:f:1")],
    ),
    ("gRPC without POST", [(f"{SECOND}/GrpcConfig", {"Enabled": True})]),
    (
        "75 behaviours beside the default one",
        [(f"{CONFIG}/CacheBehaviors", [{**legacy()[0][1], "PathPattern": f"/p{n}/*"} for n in range(75)])],
    ),
    ("a viewer protocol of its own", [(f"{SECOND}/ViewerProtocolPolicy", "https")]),
    ("a function that is not published", [(f"{ROUTING}/AutoPublish", False)]),
    # Origins
    ("two origins of one name", [(f"{API}/Id", "bucket")]),
    ("an origin of two kinds", [(f"{API}/S3OriginConfig", {"OriginAccessIdentity": ""})]),
    ("an origin of no kind", [(f"{CONFIG}/Origins/-", {"Id": "x", "DomainName": "x.example.com"})]),
    ("an origin with a scheme", [(f"{API}/DomainName", "https://api.example.com")]),
    ("an origin with a path", [(f"{API}/DomainName", "api.example.com/v1")]),
    ("an origin with a port", [(f"{API}/DomainName", "api.example.com:8443")]),
    ("an origin that is an address", [(f"{API}/DomainName", "192.0.2.10")]),
    ("an origin with a scheme behind Sub", [(f"{API}/DomainName", {"Fn::Sub": "https://api.${AWS::Region}.example.com"})]),
    ("an origin path without a slash", [(f"{API}/OriginPath", "v1")]),
    ("an origin path that ends with a slash", [(f"{API}/OriginPath", "/v1/")]),
    ("four attempts", [(f"{API}/ConnectionAttempts", 4)]),
    ("eleven seconds", [(f"{API}/ConnectionTimeout", 11)]),
    ("no second to read in", [(f"{API}/CustomOriginConfig/OriginReadTimeout", 0)]),
    ("too long alive", [(f"{API}/CustomOriginConfig/OriginKeepaliveTimeout", 600)]),
    ("a port below 1024", [(f"{API}/CustomOriginConfig/HTTPSPort", 22)]),
    ("a shield without a region", [(f"{API}/OriginShield", {"Enabled": True})]),
    ("a shield in no region", [(f"{API}/OriginShield", {"Enabled": True, "OriginShieldRegion": "Ireland"})]),
    ("a header that CloudFront does not add", [(f"{API}/OriginCustomHeaders", [{"HeaderName": "Host", "HeaderValue": "x"}])]),
    ("a header of Amazon's", [(f"{API}/OriginCustomHeaders", [{"HeaderName": "X-Amz-Date", "HeaderValue": "x"}])]),
    ("a custom header twice", [(f"{API}/OriginCustomHeaders", [{"HeaderName": name, "HeaderValue": "x"} for name in ("X-A", "x-a")])]),
    ("a custom header with a space", [(f"{API}/OriginCustomHeaders", [{"HeaderName": "X Origin", "HeaderValue": "x"}])]),
    ("31 custom headers", [(f"{API}/OriginCustomHeaders", [{"HeaderName": f"X-A{n}", "HeaderValue": "x"} for n in range(31)])]),
    ("an access control for buckets at a server", [(f"{API}/OriginAccessControlId", {"Fn::GetAtt": ["AccessControl", "Id"]})]),
    ("an access control for functions at a bucket", [(f"{ACCESS}/OriginAccessControlOriginType", "lambda")]),
    ("a signature that does not exist", [(f"{ACCESS}/SigningProtocol", "sigv2")]),
    ("an access control's name of 65 characters", [(f"{ACCESS}/Name", "a" * 65)]),
    ("a failover on 501", [*groups([501]), (f"{DEFAULT}/TargetOriginId", "group")]),
    ("a failover to an origin that does not exist", [*groups([503], second="x"), (f"{DEFAULT}/TargetOriginId", "group")]),
    ("a failover to itself", [*groups([503], second="bucket"), (f"{DEFAULT}/TargetOriginId", "group")]),
    (
        "a failover for POST",
        [
            *groups([503]),
            (f"{DEFAULT}/TargetOriginId", "group"),
            (f"{DEFAULT}/AllowedMethods", ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]),
        ],
    ),
    ("a group named as an origin", [*groups([503], Id="bucket")]),
    (
        "a response time below the read time",
        [(f"{API}/CustomOriginConfig/OriginReadTimeout", 60), (f"{API}/ResponseCompletionTimeout", 30)],
    ),
    # Distribution
    ("a comment of 129 characters", [(f"{CONFIG}/Comment", "c" * 129)]),
    ("a root object of 256 characters", [(f"{CONFIG}/DefaultRootObject", "a" * 256)]),
    ("a page without a code", answer(ErrorCode=404, ResponsePagePath="/index.html")),
    ("a code without a page", answer(ErrorCode=404, ResponseCode=200)),
    ("a page without a slash", answer(ErrorCode=404, ResponseCode=200, ResponsePagePath="index.html")),
    ("an error code that cannot be caught", answer(ErrorCode=418, ErrorCachingMinTTL=10)),
    ("a response code that cannot be given", answer(ErrorCode=404, ResponseCode=302, ResponsePagePath="/index.html")),
    ("an error code twice", [(f"{CONFIG}/CustomErrorResponses", [{"ErrorCode": 404, "ErrorCachingMinTTL": n} for n in (1, 2)])]),
    ("an alias with a scheme", [(f"{CONFIG}/Aliases", ["https://dev.example.com"])]),
    ("an alias with a star in the middle", [(f"{CONFIG}/Aliases", ["www.*.example.com"])]),
    ("an alias twice", [(f"{CONFIG}/Aliases", ["dev.example.com", "DEV.example.com"])]),
    ("101 aliases", [(f"{CONFIG}/Aliases", [f"a{n}.example.com" for n in range(101)])]),
    ("two certificates", [(f"{CERTIFICATE}/IamCertificateId", "ASCA1234567890")]),
    (
        "a certificate without a way to serve it",
        [(CERTIFICATE, {"AcmCertificateArn": {"Ref": "Certificate"}, "MinimumProtocolVersion": "TLSv1.2_2021"})],
    ),
    ("a way to serve that does not exist", [(f"{CERTIFICATE}/SslSupportMethod", "sni")]),
    ("a protocol that does not exist", [(f"{CERTIFICATE}/MinimumProtocolVersion", "TLSv1.2_2020")]),
    ("a list of countries without countries", [(f"{CONFIG}/Restrictions", {"GeoRestriction": {"RestrictionType": "whitelist"}})]),
    ("countries and no restriction", [(f"{CONFIG}/Restrictions", {"GeoRestriction": {"RestrictionType": "none", "Locations": ["US"]}})]),
    ("no such country", [(f"{CONFIG}/Restrictions", {"GeoRestriction": {"RestrictionType": "blacklist", "Locations": ["UK"]}})]),
    ("a price class that does not exist", [(f"{CONFIG}/PriceClass", "PriceClass_300")]),
    ("a version of HTTP that does not exist", [(f"{CONFIG}/HttpVersion", "http1.0")]),
    ("a regional web ACL", [(f"{CONFIG}/WebACLId", WEB_ACL_ARN.replace("global", "regional"))]),
    ("a web ACL of another region", [(f"{CONFIG}/WebACLId", WEB_ACL_ARN.replace("us-east-1", "eu-west-1"))]),
    ("the id of a web ACL", [*acl(waf_rule()), (f"{CONFIG}/WebACLId", {"Fn::GetAtt": ["Added", "Id"]})]),
    ("a web ACL of the wrong scope", [*acl(waf_rule(), Scope="REGIONAL"), (f"{CONFIG}/WebACLId", {"Fn::GetAtt": ["Added", "Arn"]})]),
    ("logs into the name of a bucket", [(f"{CONFIG}/Logging", {"Bucket": {"Ref": "Bucket"}})]),
    ("logs into a bare name", [(f"{CONFIG}/Logging", {"Bucket": "my-logs"})]),
    ("logs under a slash", [(f"{CONFIG}/Logging", {"Bucket": "my-logs.s3.amazonaws.com", "Prefix": "/logs"})]),
    ("a tag without a key", [("Resources/Distribution/Properties/Tags", [{"Key": "", "Value": "x"}])]),
    (
        "metrics of an ARN",
        added(
            "AWS::CloudFront::MonitoringSubscription",
            DistributionId={"Ref": "Bucket"},
            MonitoringSubscription={"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}},
        ),
    ),
    (
        "metrics that are neither on nor off",
        added(
            "AWS::CloudFront::MonitoringSubscription",
            DistributionId={"Ref": "Distribution"},
            MonitoringSubscription={"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "On"}},
        ),
    ),
    # Policies
    ("a cache policy in the wrong order", cache_policy(MinTTL=60, DefaultTTL=60, MaxTTL=10)),
    ("compression where nothing is cached", cache_policy(MinTTL=0, DefaultTTL=0, MaxTTL=0)),
    (
        "a header in the key where nothing is cached",
        cache_policy(
            {"EnableAcceptEncodingGzip": False, "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["Authorization"]}},
            DefaultTTL=0,
            MaxTTL=0,
        ),
    ),
    ("a whitelist without headers", cache_policy({"HeadersConfig": {"HeaderBehavior": "whitelist"}})),
    ("headers without a whitelist", cache_policy({"HeadersConfig": {"HeaderBehavior": "none", "Headers": ["Origin"]}})),
    ("all headers in the key", cache_policy({"HeadersConfig": {"HeaderBehavior": "allViewer"}})),
    ("all query strings but none named", cache_policy({"QueryStringsConfig": {"QueryStringBehavior": "allExcept"}})),
    ("cookies named where all are", cache_policy({"CookiesConfig": {"CookieBehavior": "all", "Cookies": ["a"]}})),
    ("the encoding twice in the key", cache_policy({"HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["Accept-Encoding"]}})),
    (
        "eleven headers in the key",
        cache_policy({"HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": [f"X-A{n}" for n in range(11)]}}),
    ),
    ("the cookie header in the key", cache_policy({"HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["Cookie"]}})),
    ("a policy's name with a space", cache_policy(Name="dev example")),
    ("a policy's comment of 129 characters", cache_policy(Comment="c" * 129)),
    (
        "Authorization by an origin request policy",
        origin_policy(HeadersConfig={"HeaderBehavior": "whitelist", "Headers": ["Authorization"]}),
    ),
    (
        "a header's value where its name belongs",
        origin_policy(HeadersConfig={"HeaderBehavior": "whitelist", "Headers": ["Accept: text/html"]}),
    ),
    ("viewer headers with a list", origin_policy(HeadersConfig={"HeaderBehavior": "allViewer", "Headers": ["Origin"]})),
    ("a behaviour for cookies that does not exist", origin_policy(CookiesConfig={"CookieBehavior": "allViewer"})),
    ("credentials for every origin", cors(AccessControlAllowCredentials=True, AccessControlAllowOrigins={"Items": ["*"]})),
    ("credentials with every header", cors(AccessControlAllowCredentials=True, AccessControlAllowHeaders={"Items": ["*"]})),
    ("all methods and one more", cors(AccessControlAllowMethods={"Items": ["ALL", "GET"]})),
    ("an origin with a path in it", cors(AccessControlAllowOrigins={"Items": ["https://example.com/app"]})),
    ("a method that does not exist", cors(AccessControlAllowMethods={"Items": ["PROPFIND"]})),
    (
        "a report where the page is blocked",
        [
            (
                f"{HEADERS}/SecurityHeadersConfig/XSSProtection",
                {"ModeBlock": True, "Protection": True, "Override": True, "ReportUri": "https://example.com/r"},
            )
        ],
    ),
    ("a frame for one site", [(f"{HEADERS}/SecurityHeadersConfig/FrameOptions", {"FrameOption": "ALLOW-FROM", "Override": True})]),
    (
        "a referrer policy that does not exist",
        [(f"{HEADERS}/SecurityHeadersConfig/ReferrerPolicy", {"ReferrerPolicy": "none", "Override": True})],
    ),
    (
        "eleven custom headers",
        [(f"{HEADERS}/CustomHeadersConfig", {"Items": [{"Header": f"X-A{n}", "Value": "x", "Override": True} for n in range(11)]})],
    ),
    (
        "a header value of two lines",
        [(f"{HEADERS}/CustomHeadersConfig", {"Items": [{"Header": "X-A", "Value": "x\ny", "Override": True}]})],
    ),
    ("server timing without a rate", [(f"{HEADERS}/ServerTimingHeadersConfig", {"Enabled": True})]),
    ("server timing of 101 per cent", [(f"{HEADERS}/ServerTimingHeadersConfig", {"Enabled": True, "SamplingRate": 101})]),
    (
        "a header twice through a condition",
        [
            (
                f"{HEADERS}/CustomHeadersConfig",
                {
                    "Items": [
                        {"Header": "X-A", "Value": "x", "Override": True},
                        {"Fn::If": ["HasStandby", {"Header": "x-a", "Value": "y", "Override": True}, {"Ref": "AWS::NoValue"}]},
                    ]
                },
            )
        ],
    ),
    # Functions at the edge
    ("a runtime that does not exist", [(f"{ROUTING}/FunctionConfig/Runtime", "cloudfront-js-3.0")]),
    (
        "a store for the first runtime",
        [
            (
                f"{ROUTING}/FunctionConfig",
                {
                    "Comment": "x",
                    "Runtime": "cloudfront-js-1.0",
                    "KeyValueStoreAssociations": [
                        {"KeyValueStoreARN": "arn:aws:cloudfront::123456789012:key-value-store/a1b2c3d4-5678-90ab-cdef-111122223333"}
                    ],
                },
            )
        ],
    ),
    ("a function without a handler", [(f"{ROUTING}/FunctionCode", "function main(event) { return event.request; }")]),
    (
        "a module that the runtime does not have",
        [(f"{ROUTING}/FunctionCode", "var fs = require('fs');\nfunction handler(event) { return event.request; }")],
    ),
    (
        "constants for the first runtime",
        [
            (f"{ROUTING}/FunctionConfig/Runtime", "cloudfront-js-1.0"),
            (f"{ROUTING}/FunctionCode", "function handler(event) { const r = event.request; return r; }"),
        ],
    ),
    ("a function's name with a dot", [(f"{ROUTING}/Name", "dev.example")]),
    ("a function of 10,241 characters", [(f"{ROUTING}/FunctionCode", "function handler(event) { return event.request; }" + " " * 10_200)]),
    ("reserved concurrency at the edge", [(f"{EDGE}/ReservedConcurrentExecutions", 10)]),
    ("storage at the edge", [(f"{EDGE}/EphemeralStorage", {"Size": 1024})]),
    (
        "a customer's key at the edge",
        [(f"{EDGE}/KmsKeyArn", "arn:aws:kms:us-east-1:123456789012:key/a1b2c3d4-5678-90ab-cdef-111122223333")],
    ),
    ("Java at the edge", [(f"{EDGE}/Runtime", "java21")]),
    ("a handler that is not in the code", [(f"{EDGE}/Handler", "main.handler")]),
    ("a handler that the code does not export", [(f"{EDGE}/Handler", "index.main")]),
    ("a snapshot at the edge", [(f"{EDGE}/SnapStart", {"ApplyOn": "PublishedVersions"})]),
    # Lambda
    ("an image with a handler", function(PackageType="Image", Code={"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"})),
    ("no handler", without("Handler")),
    ("no runtime", without("Runtime")),
    ("code of two kinds", function(Code={"ZipFile": ZIP, "S3Bucket": "code", "S3Key": "x.zip"})),
    ("a bucket without a key", function(Code={"S3Bucket": "code"})),
    ("inline Java", function(Runtime="java21")),
    ("64 MB", function(MemorySize=64)),
    ("16 minutes", function(Timeout=960)),
    ("a function name with a dot", function(FunctionName="my.function")),
    ("a function name of 65 characters", function(FunctionName="f" * 65)),
    ("a function name behind Join", function(FunctionName={"Fn::Join": [" ", ["my", {"Ref": "AWS::StackName"}]]})),
    ("a network without security groups", function(VpcConfig={"SubnetIds": ["subnet-0123456789abcdef0"]})),
    ("six layers", function(Layers=[f"arn:aws:lambda:us-east-1:123456789012:layer:l{n}:1" for n in range(6)])),
    ("a layer without a version", function(Layers=["arn:aws:lambda:us-east-1:123456789012:layer:l"])),
    ("a reserved variable", function(Environment={"Variables": {"AWS_REGION": "x"}})),
    ("a variable with a dash", function(Environment={"Variables": {"my-variable": "x"}})),
    ("5 KB of variables", function(Environment={"Variables": MANY})),
    ("the name of a role", function(Role={"Ref": "EdgeRole"})),
    ("a role that is none", function(Role="arn:aws:iam::123456789012:user/x")),
    ("an architecture that does not exist", function(Architectures=["amd64"])),
    ("a version of a role", added("AWS::Lambda::Version", FunctionName={"Ref": "EdgeRole"})),
    (
        "an alias for a function",
        added("AWS::Lambda::Alias", FunctionName={"Ref": "EdgeFunction"}, FunctionVersion={"Ref": "EdgeVersion"}, Name="live"),
    ),
    ("an alias that is a number", added("AWS::Lambda::Alias", FunctionName={"Ref": "EdgeFunction"}, FunctionVersion="1", Name="1")),
    (
        "an action of another service",
        added("AWS::Lambda::Permission", FunctionName={"Ref": "EdgeFunction"}, Action="s3:GetObject", Principal="s3.amazonaws.com"),
    ),
    (
        "an account of eleven digits",
        added(
            "AWS::Lambda::Permission",
            FunctionName={"Ref": "EdgeFunction"},
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceAccount="12345678901",
        ),
    ),
    ("a source of nothing", added("AWS::Lambda::EventSourceMapping", FunctionName={"Ref": "EdgeFunction"})),
    (
        "a time without the time",
        added(
            "AWS::Lambda::EventSourceMapping",
            FunctionName={"Ref": "EdgeFunction"},
            EventSourceArn="arn:aws:kinesis:us-east-1:123456789012:stream/x",
            StartingPosition="AT_TIMESTAMP",
        ),
    ),
    # WAF
    ("a web ACL's name with a space", acl(waf_rule(), Name="my site")),
    ("a scope that does not exist", acl(waf_rule(), Scope="GLOBAL")),
    ("two rules of one priority", acl(waf_rule(), waf_rule(Name="b"))),
    ("two rules of one name", acl(waf_rule(), waf_rule(Priority=2))),
    ("a rule without an action", acl(without_key(waf_rule(), "Action"))),
    (
        "a managed group with an action",
        acl(waf_rule(Statement={"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}})),
    ),
    (
        "two statements in one",
        acl(
            waf_rule(
                Statement={
                    "GeoMatchStatement": {"CountryCodes": ["US"]},
                    "IPSetReferenceStatement": {"Arn": WEB_ACL_ARN.replace("webacl", "ipset")},
                }
            )
        ),
    ),
    ("allow and block", acl(waf_rule(), DefaultAction={"Allow": {}, "Block": {}})),
    ("a rate of five", acl(waf_rule(Statement={"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": 5}}))),
    (
        "an address without its network",
        added("AWS::WAFv2::IPSet", Name="x", Scope="CLOUDFRONT", IPAddressVersion="IPV4", Addresses=["192.0.2.1"]),
    ),
    (
        "addresses of the other version",
        added("AWS::WAFv2::IPSet", Name="x", Scope="CLOUDFRONT", IPAddressVersion="IPV4", Addresses=["2001:db8::/32"]),
    ),
    (
        "logs into a group of another name",
        added(
            "AWS::WAFv2::LoggingConfiguration",
            ResourceArn=WEB_ACL_ARN,
            LogDestinationConfigs=["arn:aws:logs:us-east-1:123456789012:log-group:site"],
        ),
    ),
    (
        "a web ACL associated with a distribution",
        added(
            "AWS::WAFv2::WebACLAssociation",
            WebACLArn=WEB_ACL_ARN,
            ResourceArn={"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"},
        ),
    ),
    # Keys and logs
    (
        "a key that is none",
        added("AWS::CloudFront::PublicKey", PublicKeyConfig={"CallerReference": "1", "Name": "x", "EncodedKey": "MIIB"}),
    ),
    ("six keys", added("AWS::CloudFront::KeyGroup", KeyGroupConfig={"Name": "x", "Items": [f"K{n}" for n in range(6)]})),
    ("a group of a distribution", added("AWS::CloudFront::KeyGroup", KeyGroupConfig={"Name": "x", "Items": [{"Ref": "Distribution"}]})),
    (
        "no request is logged",
        added(
            "AWS::CloudFront::RealtimeLogConfig",
            Name="x",
            SamplingRate=0,
            Fields=["timestamp"],
            EndPoints=[
                {
                    "StreamType": "Kinesis",
                    "KinesisStreamConfig": {
                        "RoleArn": "arn:aws:iam::123456789012:role/x",
                        "StreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/x",
                    },
                }
            ],
        ),
    ),
    ("a store's name with a slash", added("AWS::CloudFront::KeyValueStore", Name="a/b")),
]

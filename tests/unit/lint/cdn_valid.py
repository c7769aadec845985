"""Whole small templates that CloudFront, Lambda and WAF take, in the manner of AWS's samples: written anew, from the references."""

from __future__ import annotations

from typing import Any

CACHING = "658327ea-f89d-4fab-a63d-7e88639e58f6"
NO_CACHING = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
EVERY = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
ROLE = "arn:aws:iam::123456789012:role/app/function-role"
CODE = {"ZipFile": "exports.handler = async (event) => ({ statusCode: 200 });"}
HTTPS = {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]}


def template(
    *, parameters: dict[str, Any] | None = None, mappings: dict[str, Any] | None = None, **resources: tuple[str, dict[str, Any]]
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Resources": {name: {"Type": f"AWS::{kind}", "Properties": properties} for name, (kind, properties) in resources.items()}
    }
    return {**body, **({"Parameters": parameters} if parameters else {}), **({"Mappings": mappings} if mappings else {})}


def behaviour(target: str = "web", **more: Any) -> dict[str, Any]:
    return {"CachePolicyId": CACHING, "TargetOriginId": target, "ViewerProtocolPolicy": "redirect-to-https", **more}


def server(name: str = "web", **more: Any) -> dict[str, Any]:
    return {"Id": name, "DomainName": f"{name}.example.com", "CustomOriginConfig": HTTPS, **more}


def bucket(name: str = "web", **more: Any) -> dict[str, Any]:
    return {
        "Id": name,
        "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]},
        "OriginAccessControlId": {"Ref": "Control"},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        **more,
    }


def site(**more: Any) -> tuple[str, dict[str, Any]]:
    config = {"Enabled": True, "Origins": [server()], "DefaultCacheBehavior": behaviour(), **more}
    return "CloudFront::Distribution", {"DistributionConfig": config}


def control(kind: str = "s3") -> tuple[str, dict[str, Any]]:
    config = {
        "Name": {"Fn::Sub": "${AWS::StackName}-oac"},
        "OriginAccessControlOriginType": kind,
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    return "CloudFront::OriginAccessControl", {"OriginAccessControlConfig": config}


def forwarding(**more: Any) -> dict[str, Any]:
    plain = {
        "CookiesConfig": {"CookieBehavior": "none"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    return {**plain, **more}


def cache(minimum: int, default: int, maximum: int, *, gzip: bool, **more: Any) -> tuple[str, dict[str, Any]]:
    key = {"EnableAcceptEncodingGzip": gzip, "EnableAcceptEncodingBrotli": gzip, **forwarding(**more)}
    ttls = {"MinTTL": minimum, "DefaultTTL": default, "MaxTTL": maximum}
    return "CloudFront::CachePolicy", {
        "CachePolicyConfig": {"Name": {"Fn::Sub": "${AWS::StackName}-cache"}, **ttls, "ParametersInCacheKeyAndForwardedToOrigin": key}
    }


def requests(**more: Any) -> tuple[str, dict[str, Any]]:
    return "CloudFront::OriginRequestPolicy", {"OriginRequestPolicyConfig": {"Name": "requests", **forwarding(**more)}}


def responses(**more: Any) -> tuple[str, dict[str, Any]]:
    hsts = {"AccessControlMaxAgeSec": 63072000, "IncludeSubdomains": True, "Override": True, "Preload": True}
    config = {"Name": "responses", "SecurityHeadersConfig": {"StrictTransportSecurity": hsts}, **more}
    return "CloudFront::ResponseHeadersPolicy", {"ResponseHeadersPolicyConfig": config}


def function(**more: Any) -> tuple[str, dict[str, Any]]:
    return "Lambda::Function", {"Code": CODE, "Handler": "index.handler", "Role": ROLE, "Runtime": "nodejs24.x", **more}


def routes(code: str, runtime: str = "cloudfront-js-2.0", **more: Any) -> tuple[str, dict[str, Any]]:
    config = {"Comment": "Routes", "Runtime": runtime, **more}
    return "CloudFront::Function", {
        "Name": {"Fn::Sub": "${AWS::StackName}-routes"},
        "AutoPublish": True,
        "FunctionCode": code,
        "FunctionConfig": config,
    }


def rule(priority: int, **more: Any) -> dict[str, Any]:
    visible = {"CloudWatchMetricsEnabled": True, "MetricName": f"rule{priority}", "SampledRequestsEnabled": True}
    return {"Name": f"rule-{priority}", "Priority": priority, "VisibilityConfig": visible, **more}


def acl(*rules: dict[str, Any], scope: str = "CLOUDFRONT", **more: Any) -> tuple[str, dict[str, Any]]:
    visible = {"CloudWatchMetricsEnabled": True, "MetricName": "acl", "SampledRequestsEnabled": True}
    return "WAFv2::WebACL", {
        "Name": "web-acl",
        "Scope": scope,
        "DefaultAction": {"Allow": {}},
        "Rules": list(rules),
        "VisibilityConfig": visible,
        **more,
    }


BUCKET: tuple[str, dict[str, Any]] = ("S3::Bucket", {})
GROUP = {
    "Id": "both",
    "FailoverCriteria": {"StatusCodes": {"Items": [500, 502, 503, 504], "Quantity": 4}},
    "Members": {"Items": [{"OriginId": "web"}, {"OriginId": "standby"}], "Quantity": 2},
}
KEY = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n"
STREAM = {"RoleArn": ROLE, "StreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/logs"}

VALID: dict[str, dict[str, Any]] = {
    "a bucket behind an access control": template(
        Bucket=BUCKET, Control=control(), Site=site(Origins=[bucket()], DefaultRootObject="index.html")
    ),
    "a single page application": template(
        Bucket=BUCKET,
        Control=control(),
        Site=site(
            Origins=[bucket()],
            CustomErrorResponses=[
                {"ErrorCode": code, "ResponseCode": 200, "ResponsePagePath": "/index.html", "ErrorCachingMinTTL": 0} for code in (403, 404)
            ],
        ),
    ),
    "an error that is only cached": template(Site=site(CustomErrorResponses=[{"ErrorCode": 503, "ErrorCachingMinTTL": 5}])),
    "a load balancer": template(
        Site=site(Origins=[{**server(), "DomainName": {"Fn::GetAtt": ["Balancer", "DNSName"]}}]),
        Balancer=("ElasticLoadBalancingV2::LoadBalancer", {"Subnets": ["subnet-1"]}),
    ),
    "an API beside a bucket": template(
        Bucket=BUCKET,
        Control=control(),
        Site=site(
            Origins=[bucket(), server("api", OriginPath="/v1")],
            CacheBehaviors=[
                behaviour("api", CachePolicyId=NO_CACHING, OriginRequestPolicyId=ALL_VIEWER, PathPattern="/api/*", AllowedMethods=EVERY)
            ],
        ),
    ),
    "an API Gateway by its region": template(
        Site=site(
            Origins=[
                {
                    **server(),
                    "DomainName": {"Fn::Sub": "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"},
                    "OriginPath": {"Fn::Sub": "/${Stage}"},
                }
            ]
        ),
        parameters={"Api": {"Type": "String"}, "Stage": {"Type": "String", "Default": "prod"}},
    ),
    "a function URL behind an access control": template(
        Control=control("lambda"),
        Function=function(),
        Url=("Lambda::Url", {"AuthType": "AWS_IAM", "TargetFunctionArn": {"Fn::GetAtt": ["Function", "Arn"]}}),
        Site=site(
            Origins=[
                {
                    **server(),
                    "DomainName": {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::GetAtt": ["Url", "FunctionUrl"]}]}]},
                    "OriginAccessControlId": {"Fn::GetAtt": ["Control", "Id"]},
                }
            ]
        ),
    ),
    "a failover of origins": template(
        Site=site(
            Origins=[server(), server("standby")], OriginGroups={"Items": [GROUP], "Quantity": 1}, DefaultCacheBehavior=behaviour("both")
        )
    ),
    "names and a certificate": template(
        Site=site(
            Aliases=["www.example.com", "*.example.com"],
            ViewerCertificate={
                "AcmCertificateArn": {"Ref": "Certificate"},
                "SslSupportMethod": "sni-only",
                "MinimumProtocolVersion": "TLSv1.2_2021",
            },
        ),
        Certificate=(
            "CertificateManager::Certificate",
            {"DomainName": "example.com", "SubjectAlternativeNames": ["*.example.com"], "ValidationMethod": "DNS"},
        ),
    ),
    "CloudFront's own certificate": template(Site=site(ViewerCertificate={"CloudFrontDefaultCertificate": True})),
    "a name by a parameter": template(
        Site=site(Aliases=[{"Ref": "Name"}], ViewerCertificate={"AcmCertificateArn": {"Ref": "Arn"}, "SslSupportMethod": "sni-only"}),
        parameters={"Name": {"Type": "String"}, "Arn": {"Type": "String"}},
    ),
    "standard logs": template(
        Bucket=BUCKET, Site=site(Logging={"Bucket": {"Fn::GetAtt": ["Bucket", "DomainName"]}, "IncludeCookies": False, "Prefix": "cdn/"})
    ),
    "countries": template(Site=site(Restrictions={"GeoRestriction": {"RestrictionType": "whitelist", "Locations": ["DE", "GB", "US"]}})),
    "no restriction of countries": template(Site=site(Restrictions={"GeoRestriction": {"RestrictionType": "none"}})),
    "forwarded values of old": template(
        Site=site(
            DefaultCacheBehavior={
                "ForwardedValues": {
                    "QueryString": True,
                    "QueryStringCacheKeys": ["v"],
                    "Cookies": {"Forward": "whitelist", "WhitelistedNames": ["session"]},
                    "Headers": ["Origin", "Host"],
                },
                "MinTTL": 0,
                "DefaultTTL": 60,
                "MaxTTL": 86400,
                "TargetOriginId": "web",
                "ViewerProtocolPolicy": "allow-all",
            }
        )
    ),
    "all headers forwarded": template(
        Site=site(
            DefaultCacheBehavior={
                "ForwardedValues": {"QueryString": False, "Headers": ["*"]},
                "TargetOriginId": "web",
                "ViewerProtocolPolicy": "https-only",
            }
        )
    ),
    "headers, shield and times of an origin": template(
        Site=site(
            Origins=[
                server(
                    ConnectionAttempts=2,
                    ConnectionTimeout=5,
                    CustomOriginConfig={
                        **HTTPS,
                        "HTTPPort": 8080,
                        "HTTPSPort": 8443,
                        "OriginReadTimeout": 60,
                        "OriginKeepaliveTimeout": 30,
                    },
                    OriginCustomHeaders=[
                        {"HeaderName": "X-Origin-Verify", "HeaderValue": "{{resolve:secretsmanager:origin:SecretString:value}}"},
                        {"HeaderName": "Origin", "HeaderValue": "x"},
                    ],
                    OriginShield={"Enabled": True, "OriginShieldRegion": "eu-central-1"},
                )
            ]
        )
    ),
    "an origin inside a network": template(
        Site=site(
            Origins=[
                {
                    "Id": "web",
                    "DomainName": "internal.example.com",
                    "VpcOriginConfig": {"VpcOriginId": {"Ref": "Inside"}, "OriginReadTimeout": 30},
                }
            ]
        ),
        Inside=(
            "CloudFront::VpcOrigin",
            {"VpcOriginEndpointConfig": {"Arn": "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0", "Name": "inside"}},
        ),
    ),
    "a policy that caches": template(
        Policy=cache(
            1,
            86400,
            31536000,
            gzip=True,
            HeadersConfig={"HeaderBehavior": "whitelist", "Headers": ["Origin", "Authorization"]},
            QueryStringsConfig={"QueryStringBehavior": "allExcept", "QueryStrings": ["utm_source"]},
        )
    ),
    "a policy that does not cache": template(Policy=cache(0, 0, 0, gzip=False)),
    "a policy that caches for a second, by every cookie": template(
        Policy=cache(0, 1, 1, gzip=True, CookiesConfig={"CookieBehavior": "all"}, QueryStringsConfig={"QueryStringBehavior": "all"})
    ),
    "a policy that sends everything to the origin": template(
        Policy=requests(
            HeadersConfig={"HeaderBehavior": "allViewer"},
            CookiesConfig={"CookieBehavior": "all"},
            QueryStringsConfig={"QueryStringBehavior": "all"},
        )
    ),
    "a policy that sends all but the host": template(Policy=requests(HeadersConfig={"HeaderBehavior": "allExcept", "Headers": ["Host"]})),
    "a policy that sends the viewer's country": template(
        Policy=requests(HeadersConfig={"HeaderBehavior": "allViewerAndWhitelistCloudFront", "Headers": ["CloudFront-Viewer-Country"]})
    ),
    "security headers": template(
        Policy=responses(
            CustomHeadersConfig={"Items": [{"Header": "Permissions-Policy", "Value": "camera=()", "Override": True}]},
            RemoveHeadersConfig={"Items": [{"Header": "Server"}]},
            ServerTimingHeadersConfig={"Enabled": True, "SamplingRate": 0.5},
        )
    ),
    "answers to other origins": template(
        Policy=(
            "CloudFront::ResponseHeadersPolicy",
            {
                "ResponseHeadersPolicyConfig": {
                    "Name": "cors",
                    "CorsConfig": {
                        "AccessControlAllowCredentials": False,
                        "AccessControlAllowHeaders": {"Items": ["*"]},
                        "AccessControlAllowMethods": {"Items": ["ALL"]},
                        "AccessControlAllowOrigins": {"Items": ["*"]},
                        "AccessControlExposeHeaders": {"Items": ["ETag"]},
                        "AccessControlMaxAgeSec": 600,
                        "OriginOverride": True,
                    },
                    "SecurityHeadersConfig": {"StrictTransportSecurity": {"AccessControlMaxAgeSec": 63072000, "Override": True}},
                }
            },
        )
    ),
    "answers with credentials": template(
        Policy=responses(
            CorsConfig={
                "AccessControlAllowCredentials": True,
                "AccessControlAllowHeaders": {"Items": ["Authorization"]},
                "AccessControlAllowMethods": {"Items": ["GET", "POST"]},
                "AccessControlAllowOrigins": {"Items": ["https://example.com", "https://*.example.org:8443", "http://localhost:3000"]},
                "OriginOverride": True,
            }
        )
    ),
    "a function that routes": template(
        Routes=routes("function handler(event) {\n  const request = event.request;\n  return request;\n}"),
        Site=site(
            DefaultCacheBehavior=behaviour(
                FunctionAssociations=[
                    {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["Routes", "FunctionMetadata.FunctionARN"]}}
                ]
            )
        ),
    ),
    "a function of the first runtime": template(
        Routes=routes(
            "var crypto = require('crypto'); // no const\nfunction handler(event) { var t = 'const x'; return event.request; }",
            "cloudfront-js-1.0",
        )
    ),
    "a function with a store": template(
        Store=("CloudFront::KeyValueStore", {"Name": "routes", "Comment": "Redirects"}),
        Routes=routes(
            "import cf from 'cloudfront';\nconst store = cf.kvs();\nasync function handler(event) { return event.request; }",
            KeyValueStoreAssociations=[{"KeyValueStoreARN": {"Fn::GetAtt": ["Store", "Arn"]}}],
        ),
    ),
    "a function as a constant": template(Routes=routes("const handler = (event) => event.request;")),
    "signed URLs": template(
        Key=("CloudFront::PublicKey", {"PublicKeyConfig": {"CallerReference": "1", "Name": "signer", "EncodedKey": KEY}}),
        Group=("CloudFront::KeyGroup", {"KeyGroupConfig": {"Name": "signers", "Items": [{"Ref": "Key"}]}}),
        Site=site(DefaultCacheBehavior=behaviour(TrustedKeyGroups=[{"Ref": "Group"}])),
    ),
    "logs in real time": template(
        Logs=(
            "CloudFront::RealtimeLogConfig",
            {
                "Name": "live",
                "SamplingRate": 100,
                "Fields": ["timestamp", "c-ip"],
                "EndPoints": [{"StreamType": "Kinesis", "KinesisStreamConfig": STREAM}],
            },
        ),
        Site=site(DefaultCacheBehavior=behaviour(RealtimeLogConfigArn={"Fn::GetAtt": ["Logs", "Arn"]})),
    ),
    "additional metrics": template(
        Site=site(),
        Metrics=(
            "CloudFront::MonitoringSubscription",
            {
                "DistributionId": {"Ref": "Site"},
                "MonitoringSubscription": {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}},
            },
        ),
    ),
    "a distribution for tenants": template(
        Site=site(
            ConnectionMode="tenant-only",
            TenantConfig={"ParameterDefinitions": [{"Name": "tenant", "Definition": {"StringSchema": {"Required": True}}}]},
        )
    ),
    "an edge function": template(
        Function=function(MemorySize=128, Timeout=5),
        Version=("Lambda::Version", {"FunctionName": {"Ref": "Function"}}),
        Site=site(
            DefaultCacheBehavior=behaviour(
                LambdaFunctionAssociations=[{"EventType": "origin-request", "LambdaFunctionARN": {"Ref": "Version"}, "IncludeBody": True}]
            )
        ),
    ),
    "a function with everything": template(
        Function=function(
            Architectures=["arm64"],
            Environment={"Variables": {"TABLE_NAME": {"Ref": "Zone"}, "LOG_LEVEL": "info"}},
            EphemeralStorage={"Size": 1024},
            FunctionName={"Fn::Sub": "${AWS::StackName}-function"},
            Layers=["arn:aws:lambda:us-east-1:123456789012:layer:tools:3"],
            MemorySize=1769,
            ReservedConcurrentExecutions=5,
            Timeout=900,
            TracingConfig={"Mode": "Active"},
            VpcConfig={"SecurityGroupIds": ["sg-0123456789abcdef0"], "SubnetIds": ["subnet-0123456789abcdef0"]},
        )
    ),
    "a function in Python": template(
        Function=function(
            Runtime="python3.13", Code={"ZipFile": "import json\ndef handler(event, context):\n    return json.dumps(event)\n"}
        )
    ),
    "code in a bucket": template(
        Function=function(
            Runtime="java21",
            Handler="com.example.App::handleRequest",
            Code={"S3Bucket": {"Ref": "Zone"}, "S3Key": "app.jar", "S3ObjectVersion": "abc"},
            SnapStart={"ApplyOn": "PublishedVersions"},
        )
    ),
    "an image": template(
        Function=(
            "Lambda::Function",
            {
                "PackageType": "Image",
                "Role": ROLE,
                "Code": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"},
                "ImageConfig": {"Command": ["app.handler"]},
            },
        )
    ),
    "an alias with a canary": template(
        Function=function(),
        Version=("Lambda::Version", {"FunctionName": {"Ref": "Function"}}),
        Alias=(
            "Lambda::Alias",
            {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
                "RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "3", "FunctionWeight": 0.1}]},
            },
        ),
    ),
    "a permission and a mapping": template(
        Function=function(),
        Permission=(
            "Lambda::Permission",
            {
                "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
                "Action": "lambda:InvokeFunction",
                "Principal": "s3.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Zone}"},
            },
        ),
        Mapping=(
            "Lambda::EventSourceMapping",
            {"FunctionName": {"Ref": "Function"}, "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:work", "BatchSize": 10},
        ),
        Url=(
            "Lambda::Url",
            {
                "AuthType": "NONE",
                "TargetFunctionArn": {"Ref": "Function"},
                "Cors": {"AllowMethods": ["GET"], "AllowOrigins": ["*"], "MaxAge": 300},
            },
        ),
    ),
    "a web ACL with AWS's rules": template(
        Acl=acl(
            rule(
                0,
                OverrideAction={"None": {}},
                Statement={"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}},
            ),
            rule(1, Action={"Block": {}}, Statement={"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": 2000}}),
            rule(2, Action={"Block": {}}, Statement={"NotStatement": {"Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}}}),
        ),
        Site=site(WebACLId={"Fn::GetAtt": ["Acl", "Arn"]}),
    ),
    "a web ACL with addresses and logs": template(
        Set=("WAFv2::IPSet", {"Name": "office", "Scope": "REGIONAL", "IPAddressVersion": "IPV6", "Addresses": ["2001:db8::/32"]}),
        Acl=acl(
            rule(0, Action={"Allow": {}}, Statement={"IPSetReferenceStatement": {"Arn": {"Fn::GetAtt": ["Set", "Arn"]}}}),
            scope="REGIONAL",
            DefaultAction={"Block": {}},
        ),
        Logs=(
            "WAFv2::LoggingConfiguration",
            {
                "ResourceArn": {"Fn::GetAtt": ["Acl", "Arn"]},
                "LogDestinationConfigs": [{"Fn::Sub": "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:aws-waf-logs-site"}],
            },
        ),
        Link=("WAFv2::WebACLAssociation", {"WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]}, "ResourceArn": {"Ref": "Balancer"}}),
        Balancer=("ElasticLoadBalancingV2::LoadBalancer", {"Subnets": ["subnet-1"]}),
    ),
    "the classic web ACL": template(Site=site(WebACLId="473e64fd-f30b-4765-81a0-62ad96dd167a")),
    "a price class of a mapping": template(
        Site=site(PriceClass={"Fn::FindInMap": ["Stage", {"Ref": "Name"}, "Class"]}),
        parameters={"Name": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]}},
        mappings={"Stage": {"dev": {"Class": "PriceClass_100"}, "prod": {"Class": "PriceClass_All"}}},
    ),
    "one of two origins": {
        "Conditions": {"Standby": {"Fn::Equals": [{"Ref": "Zone"}, "x"]}},
        **template(
            Site=site(
                Origins=[{"Fn::If": ["Standby", server("standby"), server("web")]}],
                DefaultCacheBehavior=behaviour({"Fn::If": ["Standby", "standby", "web"]}),  # type: ignore[arg-type]
                CacheBehaviors=[{"Fn::If": ["Standby", behaviour("standby", PathPattern="/x/*"), {"Ref": "AWS::NoValue"}]}],
            )
        ),
    },
}

"""Relations of CloudFront's resource types. Sources: the errors and members of its API reference, and public reports of its messages."""

from __future__ import annotations

from constraints.relations import Check, Excludes, ExclusiveValue, Once, OneOf, Ordered, Refers, Relation, Requires, When, Without

_TYPE = "AWS::CloudFront"
_API = "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_"
_GUIDE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
_CERTIFICATE = {"AWS::CertificateManager::Certificate": ("", "CertificateArn")}
_ON, _OFF = ("true",), ("false",)
_SAFE = ("redirect-to-https", "https-only")

NEVER_FORWARDED = (
    "connection",
    "content-length",
    "cookie",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
    "x-amz-cf-id",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
)
"""Request headers that CloudFront neither caches by nor forwards. Source: Developer Guide, HTTP request headers and CloudFront behavior."""

NEVER_ADDED = (
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "request-range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-real-ip",
)
"""Source: Developer Guide, Add custom headers to origin requests."""


def _relations(kind: str, source: str, *checks: tuple[str, Check]) -> tuple[Relation, ...]:
    return tuple(Relation(f"{_TYPE}::{kind}", at, check, source) for at, check in checks)


def _behaviour(at: str, source: str) -> tuple[Relation, ...]:
    ttls = ("MinTTL", "DefaultTTL", "MaxTTL")
    checks: tuple[Check, ...] = (
        OneOf(("CachePolicyId", "ForwardedValues")),
        Excludes("CachePolicyId", ttls),
        Requires("OriginRequestPolicyId", ("CachePolicyId",)),
        Ordered(ttls),
        When("GrpcConfig.Enabled", _ON, needs=("AllowedMethods",)),
        When("FieldLevelEncryptionId", ("*",), needs=("AllowedMethods",), then=(("ViewerProtocolPolicy", _SAFE),)),
        Refers("CachePolicyId", {f"{_TYPE}::CachePolicy": ("", "Id")}),
        Refers("OriginRequestPolicyId", {f"{_TYPE}::OriginRequestPolicy": ("", "Id")}),
        Refers("ResponseHeadersPolicyId", {f"{_TYPE}::ResponseHeadersPolicy": ("", "Id")}),
        Refers("RealtimeLogConfigArn", {f"{_TYPE}::RealtimeLogConfig": ("", "Arn")}),
        Refers("TrustedKeyGroups.*", {f"{_TYPE}::KeyGroup": ("", "Id")}),
        Refers("FunctionAssociations.*.FunctionARN", {f"{_TYPE}::Function": ("", "FunctionARN", "FunctionMetadata.FunctionARN")}),
    )
    nested: tuple[tuple[str, Check], ...] = (
        ("LambdaFunctionAssociations.*", When("EventType", ("viewer-response", "origin-response"), then=(("IncludeBody", ("false", "")),))),
        ("ForwardedValues.Cookies", When("Forward", ("whitelist",), needs=("WhitelistedNames",))),
        ("ForwardedValues.Cookies", When("Forward", ("all", "none"), never=("WhitelistedNames",))),
        ("ForwardedValues", When("QueryString", _OFF, never=("QueryStringCacheKeys",))),
        ("ForwardedValues", ExclusiveValue("Headers", "*")),
        ("ForwardedValues", Without("Headers", NEVER_FORWARDED, "CloudFront does not forward it", prefixes=("x-edge-",))),
    )
    return _relations("Distribution", source, *((at, check) for check in checks), *((f"{at}.{below}", check) for below, check in nested))


_DISTRIBUTION = (
    *_behaviour("DistributionConfig.DefaultCacheBehavior", f"{_API}DefaultCacheBehavior.html"),
    *_behaviour("DistributionConfig.CacheBehaviors.*", f"{_API}CacheBehavior.html"),
    *_relations(
        "Distribution",
        f"{_API}Origin.html",
        ("DistributionConfig", Once("Origins.*.Id")),
        ("DistributionConfig", Once("OriginGroups.Items.*.Id")),
        ("DistributionConfig.Origins.*", OneOf(("S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig"))),
        ("DistributionConfig.Origins.*", Once("OriginCustomHeaders.*.HeaderName", any_case=True)),
        (
            "DistributionConfig.Origins.*",
            Without("OriginCustomHeaders.*.HeaderName", NEVER_ADDED, "CloudFront does not add it", prefixes=("x-amz-", "x-edge-")),
        ),
        ("DistributionConfig.Origins.*", Ordered(("CustomOriginConfig.OriginReadTimeout", "ResponseCompletionTimeout"))),
        ("DistributionConfig.Origins.*.OriginShield", When("Enabled", _ON, needs=("OriginShieldRegion",))),
        ("DistributionConfig.Origins.*", Refers("OriginAccessControlId", {f"{_TYPE}::OriginAccessControl": ("", "Id")})),
        ("DistributionConfig.Origins.*.VpcOriginConfig", Refers("VpcOriginId", {f"{_TYPE}::VpcOrigin": ("", "Id")})),
        ("DistributionConfig.OriginGroups.Items.*", Once("Members.Items.*.OriginId")),
    ),
    *_relations(
        "Distribution",
        f"{_API}DistributionConfig.html",
        ("DistributionConfig", OneOf(("Origins", "S3Origin", "CustomOrigin"))),
        ("DistributionConfig", Once("Aliases.*", any_case=True)),
        ("DistributionConfig", Once("CustomErrorResponses.*.ErrorCode")),
        ("DistributionConfig.CustomErrorResponses.*", Requires("ResponseCode", ("ResponsePagePath",))),
        ("DistributionConfig.CustomErrorResponses.*", Requires("ResponsePagePath", ("ResponseCode",))),
        ("DistributionConfig.Restrictions.GeoRestriction", When("RestrictionType", ("whitelist", "blacklist"), needs=("Locations",))),
        ("DistributionConfig.Restrictions.GeoRestriction", When("RestrictionType", ("none",), never=("Locations",))),
        ("DistributionConfig.Restrictions.GeoRestriction", Once("Locations.*")),
        ("DistributionConfig", Refers("WebACLId", {"AWS::WAFv2::WebACL": ("Arn",), "AWS::WAF::WebACL": ("", "Id")})),
        (
            "DistributionConfig",
            Refers("Logging.Bucket", {"AWS::S3::Bucket": ("DomainName", "RegionalDomainName", "DualStackDomainName")}),
        ),
        ("DistributionConfig.Logging", Requires("Prefix", ("Bucket",))),
        ("DistributionConfig", Refers("ContinuousDeploymentPolicyId", {f"{_TYPE}::ContinuousDeploymentPolicy": ("", "Id")})),
        (
            "DistributionConfig",
            When("ConnectionMode", ("tenant-only",), never=("Aliases", "ContinuousDeploymentPolicyId", "PriceClass", "Staging")),
        ),
        ("DistributionConfig", When("ConnectionMode", ("direct",), never=("TenantConfig",), absent=True)),
    ),
    *_relations(
        "Distribution",
        f"{_API}ViewerCertificate.html",
        (
            "DistributionConfig.ViewerCertificate",
            OneOf(("AcmCertificateArn", "IamCertificateId", "CloudFrontDefaultCertificate"), most=1),
        ),
        ("DistributionConfig.ViewerCertificate", Requires("AcmCertificateArn", ("SslSupportMethod",))),
        ("DistributionConfig.ViewerCertificate", Requires("IamCertificateId", ("SslSupportMethod",))),
        ("DistributionConfig.ViewerCertificate", When("CloudFrontDefaultCertificate", _ON, never=("SslSupportMethod",))),
        (
            "DistributionConfig.ViewerCertificate",
            Refers("AcmCertificateArn", _CERTIFICATE),
        ),
    ),
)

_LISTS = (
    ("Headers", "HeadersConfig", "HeaderBehavior"),
    ("Cookies", "CookiesConfig", "CookieBehavior"),
    ("QueryStrings", "QueryStringsConfig", "QueryStringBehavior"),
)
_NAMING = ("whitelist", "allExcept", "allViewerAndWhitelistCloudFront")
_SIMPLE = ("none", "all", "allViewer")


def _forwarding(kind: str, at: str, *checks: tuple[str, Check]) -> tuple[Relation, ...]:
    source = f"{_API}{kind}Config.html"
    forbidden = Without("HeadersConfig.Headers", NEVER_FORWARDED, "CloudFront does not forward it", prefixes=("x-edge-",))
    named = [(f"{at}.{config}", When(member, _NAMING, needs=(name,))) for name, config, member in _LISTS]
    simple = [(f"{at}.{config}", When(member, _SIMPLE, never=(name,))) for name, config, member in _LISTS]
    once = [(at, Once(f"{config}.{name}.*", any_case=name == "Headers")) for name, config, _ in _LISTS]
    return _relations(kind, source, *named, *simple, *once, (at, forbidden), *checks)


_KEY = "ParametersInCacheKeyAndForwardedToOrigin"
_POLICIES = (
    *_forwarding(
        "CachePolicy",
        f"CachePolicyConfig.{_KEY}",
        ("CachePolicyConfig", Ordered(("MinTTL", "DefaultTTL", "MaxTTL"))),
        (
            "CachePolicyConfig",
            When(
                "MaxTTL",
                ("0",),
                then=(
                    (f"{_KEY}.EnableAcceptEncodingGzip", _OFF),
                    (f"{_KEY}.EnableAcceptEncodingBrotli", ("false", "")),
                    *((f"{_KEY}.{config}.{member}", ("none",)) for _, config, member in _LISTS),
                ),
            ),
        ),
        *(
            (
                f"CachePolicyConfig.{_KEY}",
                Without("HeadersConfig.Headers", ("accept-encoding",), f"{given} puts it there", given=given),
            )
            for given in ("EnableAcceptEncodingGzip", "EnableAcceptEncodingBrotli")
        ),
    ),
    *_forwarding(
        "OriginRequestPolicy",
        "OriginRequestPolicyConfig",
        (
            "OriginRequestPolicyConfig",
            Without("HeadersConfig.Headers", ("authorization", "accept-encoding"), "only a cache policy forwards it"),
        ),
    ),
)

_CORS = "ResponseHeadersPolicyConfig.CorsConfig"
_SECURITY = "ResponseHeadersPolicyConfig.SecurityHeadersConfig"
_RESPONSES = _relations(
    "ResponseHeadersPolicy",
    f"{_API}ResponseHeadersPolicyConfig.html",
    (
        "ResponseHeadersPolicyConfig",
        OneOf(("CorsConfig", "SecurityHeadersConfig", "CustomHeadersConfig", "RemoveHeadersConfig", "ServerTimingHeadersConfig"), most=5),
    ),
    *(
        (_CORS, Without(f"{member}.Items", ("*",), "the request comes with credentials", given="AccessControlAllowCredentials"))
        for member in ("AccessControlAllowHeaders", "AccessControlAllowOrigins")
    ),
    (_CORS, ExclusiveValue("AccessControlAllowMethods.Items", "ALL")),
    *(
        (_CORS, Once(f"{member}.Items.*", any_case=True))
        for member in ("AccessControlAllowHeaders", "AccessControlAllowMethods", "AccessControlAllowOrigins", "AccessControlExposeHeaders")
    ),
    (f"{_SECURITY}.XSSProtection", When("ModeBlock", _ON, never=("ReportUri",))),
    (f"{_SECURITY}.XSSProtection", When("Protection", _OFF, never=("ReportUri",), then=(("ModeBlock", ("false", "")),))),
    ("ResponseHeadersPolicyConfig.ServerTimingHeadersConfig", When("Enabled", _ON, needs=("SamplingRate",))),
)

_OTHERS = (
    *_relations(
        "Function",
        f"{_API}FunctionConfig.html",
        ("FunctionConfig", When("Runtime", ("cloudfront-js-1.0",), never=("KeyValueStoreAssociations",))),
        ("FunctionConfig", Refers("KeyValueStoreAssociations.*.KeyValueStoreARN", {f"{_TYPE}::KeyValueStore": ("Arn",)})),
    ),
    *_relations(
        "MonitoringSubscription",
        f"{_API}CreateMonitoringSubscription.html",
        ("", Refers("DistributionId", {f"{_TYPE}::Distribution": ("", "Id")})),
    ),
    *_relations(
        "KeyGroup",
        f"{_API}KeyGroupConfig.html",
        ("KeyGroupConfig", Refers("Items.*", {f"{_TYPE}::PublicKey": ("", "Id")})),
        ("KeyGroupConfig", Once("Items.*")),
    ),
    *_relations(
        "OriginAccessControl",
        f"{_GUIDE}private-content-restricting-access-to-origin.html",
        (
            "OriginAccessControlConfig",
            When("OriginAccessControlOriginType", ("lambda", "mediapackagev2", "mediastore"), then=(("SigningProtocol", ("sigv4",)),)),
        ),
    ),
    *_relations(
        "ContinuousDeploymentPolicy",
        f"{_API}TrafficConfig.html",
        (
            "ContinuousDeploymentPolicyConfig.TrafficConfig",
            When("Type", ("SingleWeight",), needs=("SingleWeightConfig",), never=("SingleHeaderConfig",)),
        ),
        (
            "ContinuousDeploymentPolicyConfig.TrafficConfig",
            When("Type", ("SingleHeader",), needs=("SingleHeaderConfig",), never=("SingleWeightConfig",)),
        ),
    ),
)

RELATIONS = (*_DISTRIBUTION, *_POLICIES, *_RESPONSES, *_OTHERS)

"""The site itself: private bucket, CloudFront distribution with Origin Access Control, response headers, routing.

Caching (docs/decisions/0021): the page, and everything else at the default behaviour, is kept at the edge as long as each object's
Cache-Control says, and a publish has CloudFront forget what it changed; paths with hashed names are kept for long (managed
CachingOptimized). App routes share one cached object, since routing is done before the cache. An origin that fails is given up soon, so
that what is cached is served in time. Errors keep their status and come with a page (docs/decisions/0022). Routing is one rule in one
place: inside the Basic Auth function where that is on, in a CloudFront Function where it is off; the two cannot be mixed on one behaviour.
"""

from __future__ import annotations

from typing import Any

from troposphere import GetAtt, Ref, Tags, cloudfront, s3

from environments.model import Environment
from policies import buckets
from policies.statements import distribution_arn
from stacks import as_before, edge, headers
from stacks.edge_code import viewer_request_code
from stacks.replication import add_replication
from stacks.storage import private_bucket
from stacks.template import CERTIFICATE_ARN, DISTRIBUTION_DOMAIN, EDGE_VERSION_ARN, WEB_ACL_ARN, StackTemplate

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
"""Id of CloudFront's managed cache policy (CloudFront Developer Guide)."""

MAX_TTL = 31_536_000
"""Seconds; also the longest that something stale is served (CloudFront Developer Guide, HTTP 4xx and 5xx status codes)."""

CONNECTION_ATTEMPTS, CONNECTION_SECONDS, READ_SECONDS = 2, 3, 5
"""Of the bucket, per attempt. CloudFront's defaults (3, 10, 30) would have a visitor wait for more than a minute before a stale page comes:
stale-if-error is served only after the time-outs. S3 answers within a fraction of a second, from the other side of the world too."""

ERROR_SECONDS = 10
"""How long the edge keeps an error: a file that was missing is there ten seconds after its publish at the latest."""

OTHER_ERRORS = (403, 405, 416, 500, 502, 503, 504)
"""What comes with the error page; 404 has a page of its own, and the 400 of the edge function brings its own.
400, 414 and 501 of CloudFront itself stay as they are: no browser's own request makes them."""

MINIMUM_PROTOCOL_VERSION = "TLSv1.2_2025"
"""Newest security policy that still speaks TLS 1.2: Route 53 health checks reach up to TLS 1.2 (Route 53 API, HealthCheckConfig Type),
so TLSv1.3_2025 would make a healthy site look down."""

HTTP_VERSIONS = "http2and3"

FAILOVER_CODES = (403, 500, 502, 503, 504)
"""Origin answers that make CloudFront try the replica. Not 404, which would double every miss; a miss is no 403, since the bucket lets
CloudFront list (`policies.buckets`), so that a 403 is a bucket that lets it read no more: by a policy gone wrong, or a rehearsal."""

ORIGIN = "site"
REPLICA = "replica"
ORIGIN_GROUP = "site-or-replica"


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "site", f"https://{env.domain}{env.app.entry_path}")
    certificate = template.input("CertificateArn", "ACM certificate in us-east-1", pattern=CERTIFICATE_ARN)
    recovery = env.disaster_recovery
    bucket = _bucket(template, env)
    access = template.add(
        cloudfront.OriginAccessControl(
            "OriginAccessControl",
            OriginAccessControlConfig=cloudfront.OriginAccessControlConfig(
                Name=f"{env.prefix}-site",
                Description=f"CloudFront of {env.prefix} to its bucket",
                OriginAccessControlOriginType="s3",
                SigningBehavior="always",
                SigningProtocol="sigv4",
            ),
        )
    )
    response_headers = template.add(_response_headers(env))
    function = _viewer_request(template, env)
    domains: dict[str, Any] = {ORIGIN: GetAtt(bucket, "RegionalDomainName")}
    if recovery:
        domains[REPLICA] = template.input("ReplicaDomainName", "Regional domain of the replica bucket", pattern=DISTRIBUTION_DOMAIN)
    origins = [_origin(name, domain, access) for name, domain in domains.items()]
    if env.adopt.origin_as_before:
        origins = [as_before.origin(env, ORIGIN, domains[ORIGIN])]
    behaviour = _behaviour(env, response_headers, function)
    pages = template.add(_page_cache_policy(env))
    behaviours = {
        "DefaultCacheBehavior": cloudfront.DefaultCacheBehavior(CachePolicyId=Ref(pages), **behaviour),
        "CacheBehaviors": [
            cloudfront.CacheBehavior(PathPattern=pattern, CachePolicyId=CACHING_OPTIMIZED, **behaviour)
            for pattern in env.publishing.hashed_paths
        ],
    }
    distribution = _distribution(template, env, origins, behaviours, certificate)
    template.add(
        # Origin latency and the 401 rate are additional metrics.
        cloudfront.MonitoringSubscription(
            "MonitoringSubscription",
            DistributionId=Ref(distribution),
            MonitoringSubscription=cloudfront.MonitoringSubscriptionProperty(
                RealtimeMetricsSubscriptionConfig=cloudfront.RealtimeMetricsSubscriptionConfig(RealtimeMetricsSubscriptionStatus="Enabled")
            ),
        )
    )
    template.output("BucketName", "Name of the site bucket", Ref(bucket))
    template.output("BucketArn", "ARN of the site bucket", GetAtt(bucket, "Arn"))
    template.output("DistributionId", "Id of the distribution", Ref(distribution))
    template.output("DistributionArn", "ARN of the distribution", distribution_arn(Ref(distribution)))
    template.output("DistributionDomainName", "CloudFront domain name that the DNS records point at", GetAtt(distribution, "DomainName"))
    template.output("OriginAccessControlId", "Id of the Origin Access Control", GetAtt(access, "Id"))
    template.output("ResponseHeadersPolicyId", "Id of the response headers policy", Ref(response_headers))
    template.output("Url", "Where the app answers", f"https://{env.domain}{env.app.entry_path}")
    return template


def _bucket(template: StackTemplate, env: Environment) -> s3.Bucket:
    adopt, recovery = env.adopt, env.disaster_recovery
    policy = buckets.cloudfront_origin(
        env.bucket, Ref("Distribution"), identity=adopt.origin_access_identity, public=adopt.website_endpoint is not None
    )
    return private_bucket(
        template,
        "Bucket",
        env.bucket,
        policy,
        replication=add_replication(template, env, recovery) if recovery else None,
        website=as_before.website(adopt),
    )


def _behaviour(env: Environment, response_headers: cloudfront.ResponseHeadersPolicy, function: dict[str, Any]) -> dict[str, Any]:
    """What all behaviours have in common; they differ in path pattern and cache policy."""
    return {
        "TargetOriginId": ORIGIN_GROUP if env.disaster_recovery else ORIGIN,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": ["GET", "HEAD", "OPTIONS"],
        "CachedMethods": ["GET", "HEAD"],
        "Compress": True,
        "ResponseHeadersPolicyId": Ref(response_headers),
        **function,
    }


def not_found_page(env: Environment) -> str:
    """Path of what a missing page is answered with: beside the index document, so that the app can ship its own."""
    return f"{env.app.index_document.rpartition('/')[0]}/404.html"


def error_page(env: Environment) -> str:
    """The same for every other error."""
    return f"{env.app.index_document.rpartition('/')[0]}/error.html"


def _error_responses(env: Environment) -> list[cloudfront.CustomErrorResponse]:
    """Each error keeps its status: a missing asset stays a 404, which no browser runs or shows, whatever its body is."""
    pages = {404: not_found_page(env), **dict.fromkeys(OTHER_ERRORS, error_page(env))}
    return [
        cloudfront.CustomErrorResponse(ErrorCode=code, ResponseCode=code, ResponsePagePath=page, ErrorCachingMinTTL=ERROR_SECONDS)
        for code, page in sorted(pages.items())
    ]


def _page_cache_policy(env: Environment) -> cloudfront.CachePolicy:
    """For what has no hash in its name: the object's own Cache-Control decides, and the path is the whole key."""
    return cloudfront.CachePolicy(
        "PageCachePolicy",
        CachePolicyConfig=cloudfront.CachePolicyConfig(
            Name=f"{env.prefix}-pages",
            Comment=f"Pages of {env.prefix}: as their Cache-Control says",
            MinTTL=0,
            # For an object without Cache-Control, which no publish writes.
            DefaultTTL=0,
            MaxTTL=MAX_TTL,
            ParametersInCacheKeyAndForwardedToOrigin=cloudfront.ParametersInCacheKeyAndForwardedToOrigin(
                EnableAcceptEncodingBrotli=True,
                EnableAcceptEncodingGzip=True,
                HeadersConfig=cloudfront.CacheHeadersConfig(HeaderBehavior="none"),
                CookiesConfig=cloudfront.CacheCookiesConfig(CookieBehavior="none"),
                QueryStringsConfig=cloudfront.CacheQueryStringsConfig(QueryStringBehavior="none"),
            ),
        ),
    )


def _distribution(
    template: StackTemplate, env: Environment, origins: list[cloudfront.Origin], behaviours: dict[str, Any], certificate: Ref
) -> cloudfront.Distribution:
    optional: dict[str, Any] = {"OriginGroups": _origin_group()} if env.disaster_recovery else {}
    if env.firewall:
        optional["WebACLId"] = template.input("WebAclArn", "Firewall before the distribution", pattern=WEB_ACL_ARN)
    return template.add(
        cloudfront.Distribution(
            "Distribution",
            DistributionConfig=cloudfront.DistributionConfig(
                Aliases=list(env.hosts),
                Comment=f"Site of {env.prefix}",
                DefaultRootObject=env.app.index_document.lstrip("/"),
                Enabled=True,
                HttpVersion=HTTP_VERSIONS,
                IPV6Enabled=True,
                Origins=origins,
                PriceClass=env.price_class,
                CustomErrorResponses=_error_responses(env),
                ViewerCertificate=cloudfront.ViewerCertificate(
                    AcmCertificateArn=certificate, SslSupportMethod="sni-only", MinimumProtocolVersion=MINIMUM_PROTOCOL_VERSION
                ),
                **behaviours,
                **optional,
            ),
            Tags=Tags(Name=env.domain),
            **as_before.accepted(env.adopt),
        )
    )


def _origin(name: str, domain: Any, access: cloudfront.OriginAccessControl) -> cloudfront.Origin:
    return cloudfront.Origin(
        Id=name,
        DomainName=domain,
        OriginAccessControlId=GetAtt(access, "Id"),
        # Empty, but it has to be there: it tells CloudFront that the origin is S3 (CloudFront API, S3OriginConfig).
        S3OriginConfig=cloudfront.S3OriginConfig(OriginAccessIdentity="", OriginReadTimeout=READ_SECONDS),
        ConnectionAttempts=CONNECTION_ATTEMPTS,
        ConnectionTimeout=CONNECTION_SECONDS,
    )


def _origin_group() -> cloudfront.OriginGroups:
    return cloudfront.OriginGroups(
        Quantity=1,
        Items=[
            cloudfront.OriginGroup(
                Id=ORIGIN_GROUP,
                FailoverCriteria=cloudfront.OriginGroupFailoverCriteria(
                    StatusCodes=cloudfront.StatusCodes(Quantity=len(FAILOVER_CODES), Items=list(FAILOVER_CODES))
                ),
                Members=cloudfront.OriginGroupMembers(
                    Quantity=2, Items=[cloudfront.OriginGroupMember(OriginId=ORIGIN), cloudfront.OriginGroupMember(OriginId=REPLICA)]
                ),
            )
        ],
    )


def _response_headers(env: Environment) -> cloudfront.ResponseHeadersPolicy:
    security = env.security_headers
    return cloudfront.ResponseHeadersPolicy(
        "ResponseHeadersPolicy",
        ResponseHeadersPolicyConfig=cloudfront.ResponseHeadersPolicyConfig(
            Name=f"{env.prefix}-security",
            Comment=f"Security headers of {env.prefix}",
            SecurityHeadersConfig=cloudfront.SecurityHeadersConfig(
                StrictTransportSecurity=cloudfront.StrictTransportSecurity(
                    AccessControlMaxAgeSec=security.hsts.max_age_seconds,
                    IncludeSubdomains=security.hsts.include_subdomains,
                    Preload=security.hsts.preload,
                    Override=True,
                ),
                ContentSecurityPolicy=cloudfront.ContentSecurityPolicy(
                    ContentSecurityPolicy=headers.content_security_policy(env), Override=True
                ),
                ContentTypeOptions=cloudfront.ContentTypeOptions(Override=True),
                FrameOptions=cloudfront.FrameOptions(FrameOption=security.frame_options, Override=True),
                ReferrerPolicy=cloudfront.ReferrerPolicy(ReferrerPolicy=security.referrer_policy, Override=True),
            ),
            CustomHeadersConfig=cloudfront.CustomHeadersConfig(
                Items=[cloudfront.CustomHeader(Header=name, Value=value, Override=True) for name, value in headers.custom(env).items()]
            ),
        ),
    )


def _viewer_request(template: StackTemplate, env: Environment) -> dict[str, Any]:
    """The behaviour's function association: the edge version, or the routing function made here."""
    if env.basic_auth.enabled:
        version = template.input("EdgeFunctionVersionArn", "Published version of the Basic Auth function", pattern=EDGE_VERSION_ARN)
        return {
            "LambdaFunctionAssociations": [
                cloudfront.LambdaFunctionAssociation(EventType="viewer-request", LambdaFunctionARN=version, IncludeBody=False)
            ]
        }
    function = template.add(
        cloudfront.Function(
            "RoutingFunction",
            Name=routing_function_name(env),
            AutoPublish=True,
            FunctionCode=viewer_request_code(edge.edge_config(env)),
            FunctionConfig=cloudfront.FunctionConfig(Comment=f"Routes of {env.prefix}", Runtime="cloudfront-js-2.0"),
        )
    )
    template.output("RoutingFunctionArn", "ARN of the routing function", GetAtt(function, "FunctionARN"))
    return {
        "FunctionAssociations": [cloudfront.FunctionAssociation(EventType="viewer-request", FunctionARN=GetAtt(function, "FunctionARN"))]
    }


def routing_function_name(env: Environment) -> str:
    """Name of the CloudFront Function that routes where Basic Auth is off; its metrics carry it."""
    return f"{env.prefix}-routing"

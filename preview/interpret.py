"""From emitted CloudFormation to the site it would make.

In: a `Built` assembly and the secret values. Out: a `Site`, with one note for whatever was found and is not imitated.
Never: reads stacks/ or environments/, fails for a property it does not know (it is named instead), invents a default that CloudFront
has not. Raises `InterpretError` where no distribution can be made of the templates at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from preview.imagine import Imagined, SecretValues, imagine
from preview.model import (
    Behavior,
    Bucket,
    CachePolicy,
    Distribution,
    ErrorResponse,
    EventType,
    Function,
    Origin,
    OriginGroup,
    PolicyHeader,
    ResponseHeadersPolicy,
    Site,
)
from preview.source import Built
from templates.intrinsics import unresolved
from templates.policies import statements

EVENTS: tuple[EventType, ...] = ("viewer-request", "origin-request", "origin-response", "viewer-response")

YEAR = 31_536_000
MANAGED_CACHE_POLICIES: Mapping[str, CachePolicy] = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": CachePolicy(
        name="Managed-CachingOptimized", min_ttl=1, default_ttl=86_400, max_ttl=YEAR, gzip=True, brotli=True
    ),
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": CachePolicy(
        name="Managed-CachingOptimizedForUncompressedObjects", min_ttl=1, default_ttl=86_400, max_ttl=YEAR
    ),
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": CachePolicy(name="Managed-CachingDisabled", min_ttl=0, default_ttl=0, max_ttl=0),
}
"""Source: CloudFront Developer Guide, "Use managed cache policies"."""

_DISABLED = MANAGED_CACHE_POLICIES["4135ea2d-6df8-44a3-9df3-4b5a84be39ad"]

# What is imitated, and what has no effect that a visitor of a preview could see. Anything else is named at start.
_DISTRIBUTION = {"DistributionConfig", "Tags"}
_CONFIG = {
    *("Aliases", "CacheBehaviors", "CustomErrorResponses", "DefaultCacheBehavior", "DefaultRootObject", "Enabled", "HttpVersion"),
    *("OriginGroups", "Origins", "ViewerCertificate", "Comment", "IPV6Enabled", "PriceClass"),
}
_BEHAVIOR = {
    *("AllowedMethods", "CachePolicyId", "CachedMethods", "Compress", "FunctionAssociations", "LambdaFunctionAssociations", "PathPattern"),
    *("ResponseHeadersPolicyId", "TargetOriginId", "ViewerProtocolPolicy"),
}
_ORIGIN = {
    *("DomainName", "Id", "OriginAccessControlId", "OriginPath", "OriginCustomHeaders", "S3OriginConfig", "ConnectionAttempts"),
    "ConnectionTimeout",
}
_CERTIFICATE = {"AcmCertificateArn", "CloudFrontDefaultCertificate", "MinimumProtocolVersion", "SslSupportMethod"}
_SECURITY = {
    "ContentSecurityPolicy",
    "ContentTypeOptions",
    "FrameOptions",
    "ReferrerPolicy",
    "StrictTransportSecurity",
    "XSSProtection",
}
_HEADERS_POLICY = {"Name", "Comment", "SecurityHeadersConfig", "CustomHeadersConfig", "RemoveHeadersConfig"}
_CACHE_POLICY = {"Name", "Comment", "DefaultTTL", "MaxTTL", "MinTTL", "ParametersInCacheKeyAndForwardedToOrigin"}


class InterpretError(Exception):
    """No site can be made of the templates; `problems` says why, one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class _Resource:
    """A resource with the stack it stands in."""

    imagined: Imagined
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    @property
    def where(self) -> str:
        return f"{self.imagined.stack.template.file}: {self.logical_id}"

    def attribute(self, name: str = "") -> str:
        return self.imagined.identifiers[self.logical_id].get(name, "")


@dataclass
class _World:
    """Every resource of every stack, and the notes gathered on the way."""

    resources: tuple[_Resource, ...]
    notes: list[str] = field(default_factory=list)

    def of(self, *types: str) -> Iterator[_Resource]:
        return (r for r in self.resources if r.type in types)

    def by(self, value: str, *types: str, attribute: str = "") -> _Resource | None:
        """The resource of one of the types whose attribute has that value."""
        return next((r for r in self.of(*types) if value and r.attribute(attribute) == value), None)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def unknown(self, where: str, given: Mapping[str, Any], known: set[str]) -> None:
        for name in sorted(set(given) - known):
            if given[name] not in (None, "", [], {}, False):
                self.note(f"{where}: {name} is not imitated")


def interpret(built: Built, secrets: SecretValues) -> Site:
    """The site of an assembly."""
    world = _World(tuple(_resources(imagine(built.assembly, built.templates, secrets))), list(built.notes))
    problems: list[str] = []
    distributions = []
    for resource in world.of("AWS::CloudFront::Distribution"):
        config = resource.properties.get("DistributionConfig")
        if not isinstance(config, dict) or not isinstance(config.get("DefaultCacheBehavior"), dict):
            problems.append(f"{resource.where}: has no DistributionConfig with a DefaultCacheBehavior")
            continue
        distributions.append(_distribution(world, resource, config))
    if not distributions and not problems:
        problems.append(f"{built.assembly.environment}: no template has an AWS::CloudFront::Distribution")
    if problems:
        raise InterpretError(tuple(problems))
    _other_resources(world)
    return Site(
        environment=built.assembly.environment,
        entry_path=built.assembly.site.entry_path,
        distributions=tuple(distributions),
        notes=tuple(world.notes),
    )


def _resources(stacks: tuple[Imagined, ...]) -> Iterator[_Resource]:
    for imagined in stacks:
        for logical_id, body in imagined.resources.items():
            given = body.get("Properties")
            yield _Resource(imagined, logical_id, str(body.get("Type", "")), given if isinstance(given, dict) else {})


_SEEN = {"Distribution", "Function", "OriginAccessControl", "ResponseHeadersPolicy", "CachePolicy", "MonitoringSubscription"}


def _other_resources(world: _World) -> None:
    for resource in world.resources:
        prefix, _, kind = resource.type.rpartition("::")
        if (prefix == "AWS::CloudFront" and kind not in _SEEN) or prefix == "AWS::WAFv2":
            world.note(f"{resource.where}: {resource.type} is not imitated")


def _distribution(world: _World, resource: _Resource, config: Mapping[str, Any]) -> Distribution:
    where = resource.where
    world.unknown(where, resource.properties, _DISTRIBUTION)
    world.unknown(where, config, _CONFIG)
    aliases = tuple(str(alias) for alias in _items(config.get("Aliases")))
    viewer_certificate = _mapping(config.get("ViewerCertificate"))
    world.unknown(f"{where}: ViewerCertificate", viewer_certificate, _CERTIFICATE)
    names = _certificate_names(world, where, viewer_certificate, aliases)
    origins = {origin.id: origin for origin in (_origin(world, where, _mapping(o)) for o in _items(config.get("Origins")))}
    groups = {group.id: group for group in (_group(_mapping(g)) for g in _items(config.get("OriginGroups")))}
    raw = [*(_mapping(b) for b in _items(config.get("CacheBehaviors"))), config["DefaultCacheBehavior"]]
    behaviors = tuple(_behavior(world, where, b, default=b is raw[-1]) for b in raw)
    for behavior in behaviors:
        if behavior.target not in origins and behavior.target not in groups:
            world.note(
                f"{where}: behavior {behavior.pattern} refers to origin {behavior.target!r}, which is not there: CloudFront refuses it"
            )
    if config.get("Enabled") is not True:
        world.note(f"{where}: the distribution is not enabled: CloudFront would answer nobody")
    return Distribution(
        id=resource.attribute(),
        arn=resource.attribute("Arn"),
        domain_name=resource.attribute("DomainName"),
        aliases=aliases,
        enabled=config.get("Enabled") is True,
        default_root_object=str(config.get("DefaultRootObject") or ""),
        behaviors=behaviors,
        origins=origins,
        groups=groups,
        error_responses={e.code: e for e in (_error_response(_mapping(e)) for e in _items(config.get("CustomErrorResponses")))},
        minimum_protocol_version=str(viewer_certificate.get("MinimumProtocolVersion") or "TLSv1"),
        http_version=str(config.get("HttpVersion") or "http1.1"),
        certificate_names=names,
    )


def _certificate_names(world: _World, where: str, viewer: Mapping[str, Any], aliases: tuple[str, ...]) -> tuple[str, ...]:
    arn = str(viewer.get("AcmCertificateArn") or "")
    resource = world.by(arn, "AWS::CertificateManager::Certificate")
    if resource is None:
        if aliases:
            world.note(f"{where}: no template makes the certificate {arn or '(none given)'}; the aliases are taken for its names")
        return aliases
    if resource.imagined.stack.region != "us-east-1":
        world.note(f"{resource.where}: in {resource.imagined.stack.region}, but CloudFront takes certificates from us-east-1 only")
    names = (str(resource.properties.get("DomainName", "")), *map(str, _items(resource.properties.get("SubjectAlternativeNames"))))
    for alias in aliases:
        if not any(_covered(alias, name) for name in names):
            world.note(f"{where}: alias {alias} is on no name of the certificate ({', '.join(names)}): CloudFront refuses it")
    return names


def _covered(host: str, name: str) -> bool:
    return host == name or (name.startswith("*.") and host.partition(".")[2] == name[2:])


# --- origins ------------------------------------------------------------------------------------------------------


def _origin(world: _World, where: str, given: Mapping[str, Any]) -> Origin:
    identifier, domain = str(given.get("Id", "")), str(given.get("DomainName", ""))
    where = f"{where}: origin {identifier}"
    world.unknown(where, given, _ORIGIN)
    bucket = _bucket(world, domain)
    if bucket is None:
        world.note(f"{where}: {domain} is no bucket of these templates; the preview answers 502 for it")
    elif "S3OriginConfig" not in given:
        world.note(f"{where}: has no S3OriginConfig, without which CloudFront refuses the Origin Access Control")
    if _mapping(given.get("S3OriginConfig")).get("OriginAccessIdentity"):
        world.note(f"{where}: OriginAccessIdentity is not imitated")
    return Origin(
        id=identifier,
        domain_name=domain,
        path=str(given.get("OriginPath") or ""),
        bucket=bucket,
        signed=_signed(world, where, given.get("OriginAccessControlId")),
        custom_headers=tuple((str(h["HeaderName"]), str(h["HeaderValue"])) for h in _items(given.get("OriginCustomHeaders"))),
    )


def _signed(world: _World, where: str, identifier: Any) -> bool:
    if not identifier:
        return False
    resource = world.by(str(identifier), "AWS::CloudFront::OriginAccessControl")
    if resource is None:
        world.note(f"{where}: no template makes its Origin Access Control {identifier}; requests go unsigned")
        return False
    config = _mapping(resource.properties.get("OriginAccessControlConfig"))
    if config.get("SigningBehavior") == "no-override":
        world.note(f"{resource.where}: SigningBehavior no-override is imitated like always")
    if config.get("OriginAccessControlOriginType") != "s3":
        world.note(f"{resource.where}: OriginAccessControlOriginType {config.get('OriginAccessControlOriginType')} does not sign for S3")
        return False
    return config.get("SigningBehavior") in ("always", "no-override")


def _bucket(world: _World, domain: str) -> Bucket | None:
    for attribute in ("RegionalDomainName", "DomainName"):
        resource = world.by(domain, "AWS::S3::Bucket", attribute=attribute)
        if resource is not None:
            name = resource.attribute()
            policies = [r for r in world.of("AWS::S3::BucketPolicy") if r.properties.get("Bucket") == name]
            for policy in policies:
                if unresolved(policy.properties.get("PolicyDocument")):
                    world.note(f"{policy.where}: holds a function that only CloudFormation can resolve")
            stack = resource.imagined.stack
            return Bucket(
                name=name,
                arn=resource.attribute("Arn"),
                region=stack.region,
                account_id=stack.account_id,
                policy=tuple(s for p in policies for s in statements(p.properties.get("PolicyDocument"))) if policies else None,
            )
    return None


def _group(given: Mapping[str, Any]) -> OriginGroup:
    codes = _items(_mapping(_mapping(given.get("FailoverCriteria")).get("StatusCodes")))
    return OriginGroup(
        id=str(given.get("Id", "")),
        members=tuple(str(_mapping(m).get("OriginId", "")) for m in _items(given.get("Members"))),
        codes=tuple(int(code) for code in codes),
    )


def _error_response(given: Mapping[str, Any]) -> ErrorResponse:
    code = given.get("ResponseCode")
    return ErrorResponse(
        code=int(given.get("ErrorCode", 0)),
        response_code=int(code) if code else None,
        page_path=str(given.get("ResponsePagePath") or ""),
        caching_min_ttl=_int(given.get("ErrorCachingMinTTL"), 10),
    )


# --- behaviours ---------------------------------------------------------------------------------------------------


def _behavior(world: _World, where: str, given: Mapping[str, Any], *, default: bool) -> Behavior:
    pattern = "*" if default else str(given.get("PathPattern", "*"))
    where = f"{where}: behavior {pattern}{' (default)' if default else ''}"
    world.unknown(where, given, _BEHAVIOR)
    return Behavior(
        pattern=pattern,
        default=default,
        target=str(given.get("TargetOriginId", "")),
        viewer_protocol_policy=str(given.get("ViewerProtocolPolicy", "allow-all")),
        allowed_methods=tuple(str(m) for m in _items(given.get("AllowedMethods"))) or ("GET", "HEAD"),
        cached_methods=tuple(str(m) for m in _items(given.get("CachedMethods"))) or ("GET", "HEAD"),
        compress=given.get("Compress") is True,
        cache_policy=_cache_policy(world, where, given.get("CachePolicyId")),
        response_headers_policy=_headers_policy(world, where, given.get("ResponseHeadersPolicyId")),
        functions=_functions(world, where, given),
    )


def _cache_policy(world: _World, where: str, identifier: Any) -> CachePolicy:
    if not identifier:
        world.note(f"{where}: has no CachePolicyId; legacy cache settings are not imitated, nothing is cached")
        return _DISABLED
    if identifier in MANAGED_CACHE_POLICIES:
        return MANAGED_CACHE_POLICIES[identifier]
    resource = world.by(str(identifier), "AWS::CloudFront::CachePolicy")
    if resource is None:
        world.note(f"{where}: cache policy {identifier} is neither in a template nor a managed one that is imitated; nothing is cached")
        return _DISABLED
    config = _mapping(resource.properties.get("CachePolicyConfig"))
    world.unknown(resource.where, config, _CACHE_POLICY)
    key = _mapping(config.get("ParametersInCacheKeyAndForwardedToOrigin"))
    headers, query, cookies = (_mapping(key.get(f"{name}Config")) for name in ("Headers", "QueryStrings", "Cookies"))
    return CachePolicy(
        name=str(config.get("Name", "")),
        min_ttl=_int(config.get("MinTTL"), 0),
        default_ttl=_int(config.get("DefaultTTL"), 86_400),
        max_ttl=_int(config.get("MaxTTL"), YEAR),
        gzip=key.get("EnableAcceptEncodingGzip") is True,
        brotli=key.get("EnableAcceptEncodingBrotli") is True,
        headers=tuple(str(h).lower() for h in _items(headers.get("Headers"))) if headers.get("HeaderBehavior") == "whitelist" else (),
        query=query.get("QueryStringBehavior", "none"),
        query_names=tuple(str(q) for q in _items(query.get("QueryStrings"))),
        cookies=cookies.get("CookieBehavior", "none"),
        cookie_names=tuple(str(c) for c in _items(cookies.get("Cookies"))),
    )


def _headers_policy(world: _World, where: str, identifier: Any) -> ResponseHeadersPolicy | None:
    if not identifier:
        return None
    resource = world.by(str(identifier), "AWS::CloudFront::ResponseHeadersPolicy")
    if resource is None:
        world.note(f"{where}: response headers policy {identifier} is in no template and is not imitated")
        return None
    config = _mapping(resource.properties.get("ResponseHeadersPolicyConfig"))
    security = _mapping(config.get("SecurityHeadersConfig"))
    world.unknown(resource.where, config, _HEADERS_POLICY)
    world.unknown(resource.where, security, _SECURITY)
    custom = [_mapping(h) for h in _items(config.get("CustomHeadersConfig"))]
    return ResponseHeadersPolicy(
        name=str(config.get("Name", "")),
        headers=(
            *_security_headers(security),
            *(PolicyHeader(name=str(h["Header"]), value=str(h["Value"]), override=h.get("Override") is True) for h in custom),
        ),
        remove=tuple(str(_mapping(h).get("Header", "")).lower() for h in _items(config.get("RemoveHeadersConfig"))),
    )


def _security_headers(given: Mapping[str, Any]) -> Iterator[PolicyHeader]:
    """In CloudFront's spelling. Source: CloudFront API, ResponseHeadersPolicySecurityHeadersConfig."""
    shapes: tuple[tuple[str, str, Callable[[Mapping[str, Any]], str]], ...] = (
        ("StrictTransportSecurity", "Strict-Transport-Security", _strict_transport_security),
        ("ContentSecurityPolicy", "Content-Security-Policy", lambda c: str(c.get("ContentSecurityPolicy", ""))),
        ("ContentTypeOptions", "X-Content-Type-Options", lambda _: "nosniff"),
        ("FrameOptions", "X-Frame-Options", lambda c: str(c.get("FrameOption", ""))),
        ("ReferrerPolicy", "Referrer-Policy", lambda c: str(c.get("ReferrerPolicy", ""))),
        ("XSSProtection", "X-XSS-Protection", _xss_protection),
    )
    for key, name, value in shapes:
        config = given.get(key)
        if isinstance(config, dict):
            yield PolicyHeader(name=name, value=value(config), override=config.get("Override") is True)


def _strict_transport_security(config: Mapping[str, Any]) -> str:
    flags = "; includeSubDomains" * bool(config.get("IncludeSubdomains")) + "; preload" * bool(config.get("Preload"))
    return f"max-age={config.get('AccessControlMaxAgeSec', 0)}{flags}"


def _xss_protection(config: Mapping[str, Any]) -> str:
    report = config.get("ReportUri")
    return (
        f"{int(bool(config.get('Protection')))}" + "; mode=block" * bool(config.get("ModeBlock")) + (f"; report={report}" if report else "")
    )


# --- functions ----------------------------------------------------------------------------------------------------


def _functions(world: _World, where: str, given: Mapping[str, Any]) -> dict[EventType, Function]:
    found: dict[EventType, Function] = {}
    pairs = [
        *((_mapping(a), _lambda) for a in _items(given.get("LambdaFunctionAssociations"))),
        *((_mapping(a), _cloudfront_function) for a in _items(given.get("FunctionAssociations"))),
    ]
    for association, make in pairs:
        event = association.get("EventType")
        if event not in EVENTS:
            world.note(f"{where}: {event!r} is no event type; its function does not run")
            continue
        if event in found:
            world.note(f"{where}: more than one function on {event}: CloudFront refuses it; the last one runs here")
        function = make(world, where, association)
        if function.broken:
            world.note(f"{where}: {event} function {function.name}: {function.broken}; every request answers 503")
        found[cast(EventType, event)] = function
    viewer = {found[event].kind for event in found if event.startswith("viewer-")}
    if len(viewer) > 1:
        world.note(f"{where}: a CloudFront Function and a Lambda@Edge function on viewer events: CloudFront refuses the mix")
    return found


def _lambda(world: _World, where: str, association: Mapping[str, Any]) -> Function:
    arn = str(association.get("LambdaFunctionARN", ""))
    base, _, qualifier = arn.rpartition(":")
    if not qualifier.isdigit():
        world.note(f"{where}: {arn} is not a numbered version: CloudFront refuses it")
        base = arn if ":function:" in arn and ":" not in arn.partition(":function:")[2] else base
    resource = world.by(base, "AWS::Lambda::Function", attribute="Arn")
    properties: Mapping[str, Any] = resource.properties if resource else {}
    code = _mapping(properties.get("Code")).get("ZipFile")
    runtime = str(properties.get("Runtime", ""))
    broken = ""
    if resource is None:
        broken = f"no template makes {arn}"
    elif resource.imagined.stack.region != "us-east-1":
        broken = f"it is in {resource.imagined.stack.region}; Lambda@Edge functions are in us-east-1"
    elif not isinstance(code, str):
        broken = "its code is not inline in the template, or holds a value that is not known"
    elif not runtime.startswith("nodejs"):
        broken = f"runtime {runtime} is not imitated"
    event = str(association.get("EventType", ""))
    # Source: CloudFront Developer Guide, "Quotas on Lambda@Edge": 5 s for viewer events, 30 s for origin events.
    limit = 5.0 if event.startswith("viewer-") else 30.0
    timeout = float(properties.get("Timeout", 3))
    if timeout > limit:
        world.note(f"{where}: a time-out of {timeout:g} s is above the {limit:g} s of {event}: CloudFront refuses it")
    return Function(
        kind="lambda",
        name=str(properties.get("FunctionName") or arn.rpartition(":function:")[2]),
        arn=arn,
        runtime=runtime,
        handler=str(properties.get("Handler", "index.handler")),
        code=code if isinstance(code, str) else "",
        timeout=min(timeout, limit),
        include_body=association.get("IncludeBody") is True,
        broken=broken,
    )


def _cloudfront_function(world: _World, where: str, association: Mapping[str, Any]) -> Function:
    arn = str(association.get("FunctionARN", ""))
    resource = world.by(arn, "AWS::CloudFront::Function")
    properties: Mapping[str, Any] = resource.properties if resource else {}
    config = _mapping(properties.get("FunctionConfig"))
    code = properties.get("FunctionCode")
    broken = "" if isinstance(code, str) else f"no template makes {arn}" if resource is None else "its code is not in the template"
    if resource is not None and properties.get("AutoPublish") is not True:
        world.note(f"{resource.where}: AutoPublish is off: on AWS the function is not live until somebody publishes it")
    if isinstance(code, str) and len(code.encode()) > 10_240:
        world.note(f"{where}: the function has {len(code.encode()):,} bytes, CloudFront allows 10,240")
    if config.get("KeyValueStoreAssociations"):
        world.note(f"{where}: KeyValueStoreAssociations are not imitated")
    return Function(
        kind="cloudfront",
        name=str(properties.get("Name") or arn.rpartition("/")[2]),
        arn=arn,
        runtime=str(config.get("Runtime", "")),
        handler="handler",
        code=code if isinstance(code, str) else "",
        # CloudFront allows about a millisecond of processor time; slow laptops must not trip over it.
        timeout=1.0,
        broken=broken,
    )


# --- shapes -------------------------------------------------------------------------------------------------------


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    """A list, or the Items of CloudFront's {Quantity, Items}."""
    if isinstance(value, dict):
        value = value.get("Items")
    return value if isinstance(value, list) else []


def _int(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, (int, float, str)) and str(value) != "" else otherwise

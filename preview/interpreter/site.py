"""From emitted CloudFormation to the site it would make.

In: a `Built` assembly and the secret values. Out: a `Site`, with one note for whatever was found and is not imitated.
Never: reads stacks/ or environments/, fails for a property it does not know (it is named instead), invents a default that CloudFront
has not. Raises `InterpretError` where no distribution can be made of the templates at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assembly.errors import Problems
from preview.interpreter.deployed import SecretValues, deployed
from preview.interpreter.functions import functions_of
from preview.interpreter.origins import group_of, origin_of
from preview.interpreter.policies import cache_policy, headers_policy
from preview.interpreter.resources import Account, Resource, every_resource, integer, items
from preview.model import (
    Behavior,
    Distribution,
    ErrorResponse,
    Site,
)
from preview.source import Built
from templates.view import mapping

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
_CERTIFICATE = {"AcmCertificateArn", "CloudFrontDefaultCertificate", "MinimumProtocolVersion", "SslSupportMethod"}


class InterpretError(Problems):
    """No site can be made of the templates; `problems` says why, one line each."""


def interpret(built: Built, secrets: SecretValues) -> Site:
    """The site of an assembly."""
    account = Account(tuple(every_resource(deployed(built.assembly, built.templates, secrets))), list(built.notes))
    problems: list[str] = []
    distributions = []
    for resource in account.of("AWS::CloudFront::Distribution"):
        config = resource.properties.get("DistributionConfig")
        if not isinstance(config, dict) or not isinstance(config.get("DefaultCacheBehavior"), dict):
            problems.append(f"{resource.where}: has no DistributionConfig with a DefaultCacheBehavior")
            continue
        distributions.append(_distribution(account, resource, config))
    if not distributions and not problems:
        problems.append(f"{built.assembly.environment}: no template has an AWS::CloudFront::Distribution")
    if problems:
        raise InterpretError(tuple(problems))
    _other_resources(account)
    return Site(
        environment=built.assembly.environment,
        entry_path=built.assembly.site.entry_path,
        distributions=tuple(distributions),
        notes=tuple(account.notes),
    )


_SEEN = {"Distribution", "Function", "OriginAccessControl", "ResponseHeadersPolicy", "CachePolicy", "MonitoringSubscription"}


def _other_resources(account: Account) -> None:
    for resource in account.resources:
        prefix, _, kind = resource.type.rpartition("::")
        if (prefix == "AWS::CloudFront" and kind not in _SEEN) or resource.type == "AWS::WAFv2::WebACL":
            account.note(f"{resource.where}: {resource.type} is not imitated")


def _distribution(account: Account, resource: Resource, config: Mapping[str, Any]) -> Distribution:
    where = resource.where
    account.unknown(where, resource.properties, _DISTRIBUTION)
    # A web ACL of the templates is named by itself.
    named = {"WebACLId"} if any(True for _ in account.of("AWS::WAFv2::WebACL")) else set()
    account.unknown(where, config, _CONFIG | named)
    aliases = tuple(str(alias) for alias in items(config.get("Aliases")))
    viewer_certificate = mapping(config.get("ViewerCertificate"))
    account.unknown(f"{where}: ViewerCertificate", viewer_certificate, _CERTIFICATE)
    names = _certificate_names(account, where, viewer_certificate, aliases)
    origins = {origin.id: origin for origin in (origin_of(account, where, mapping(o)) for o in items(config.get("Origins")))}
    groups = {group.id: group for group in (group_of(mapping(g)) for g in items(config.get("OriginGroups")))}
    raw = [*(mapping(b) for b in items(config.get("CacheBehaviors"))), config["DefaultCacheBehavior"]]
    behaviors = tuple(behavior_of(account, where, b, default=b is raw[-1]) for b in raw)
    for behavior in behaviors:
        if behavior.target not in origins and behavior.target not in groups:
            account.note(
                f"{where}: behavior {behavior.pattern} refers to origin {behavior.target!r}, which is not there: CloudFront refuses it"
            )
    if config.get("Enabled") is not True:
        account.note(f"{where}: the distribution is not enabled: CloudFront would answer nobody")
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
        error_responses={e.code: e for e in (error_response(mapping(e)) for e in items(config.get("CustomErrorResponses")))},
        minimum_protocol_version=str(viewer_certificate.get("MinimumProtocolVersion") or "TLSv1"),
        http_version=str(config.get("HttpVersion") or "http1.1"),
        certificate_names=names,
    )


def _certificate_names(account: Account, where: str, viewer: Mapping[str, Any], aliases: tuple[str, ...]) -> tuple[str, ...]:
    arn = str(viewer.get("AcmCertificateArn") or "")
    resource = account.by(arn, "AWS::CertificateManager::Certificate")
    if resource is None:
        if aliases:
            account.note(f"{where}: no template makes the certificate {arn or '(none given)'}; the aliases are taken for its names")
        return aliases
    if resource.deployed.stack.region != "us-east-1":
        account.note(f"{resource.where}: in {resource.deployed.stack.region}, but CloudFront takes certificates from us-east-1 only")
    names = (str(resource.properties.get("DomainName", "")), *map(str, items(resource.properties.get("SubjectAlternativeNames"))))
    for alias in aliases:
        if not any(_covered(alias, name) for name in names):
            account.note(f"{where}: alias {alias} is on no name of the certificate ({', '.join(names)}): CloudFront refuses it")
    return names


def _covered(host: str, name: str) -> bool:
    return host == name or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def error_response(given: Mapping[str, Any]) -> ErrorResponse:
    code = given.get("ResponseCode")
    return ErrorResponse(
        code=int(given.get("ErrorCode", 0)),
        response_code=int(code) if code else None,
        page_path=str(given.get("ResponsePagePath") or ""),
        caching_min_ttl=integer(given.get("ErrorCachingMinTTL"), 10),
    )


def behavior_of(account: Account, where: str, given: Mapping[str, Any], *, default: bool) -> Behavior:
    pattern = "*" if default else str(given.get("PathPattern", "*"))
    where = f"{where}: behavior {pattern}{' (default)' if default else ''}"
    account.unknown(where, given, _BEHAVIOR)
    return Behavior(
        pattern=pattern,
        default=default,
        target=str(given.get("TargetOriginId", "")),
        viewer_protocol_policy=str(given.get("ViewerProtocolPolicy", "allow-all")),
        allowed_methods=tuple(str(m) for m in items(given.get("AllowedMethods"))) or ("GET", "HEAD"),
        cached_methods=tuple(str(m) for m in items(given.get("CachedMethods"))) or ("GET", "HEAD"),
        compress=given.get("Compress") is True,
        cache_policy=cache_policy(account, where, given.get("CachePolicyId")),
        response_headers_policy=headers_policy(account, where, given.get("ResponseHeadersPolicyId")),
        functions=functions_of(account, where, given),
    )

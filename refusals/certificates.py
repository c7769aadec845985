"""Certificate Manager: names, validation, keys. Sources: ACM API Reference (RequestCertificate, DomainValidationOption), ACM User Guide."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from refusals.route53 import plain
from refusals.values import Deployment, Problem, Resource, exclude, one_of, refusal

_API = "https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html"
_CERTIFICATE = "AWS::CertificateManager::Certificate"
_NAME = re.compile(r"(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
NAMES = 10


@refusal(
    "E9806",
    _CERTIFICATE,
    _API,
    more=f"With a dot, without scheme, underscore or address; * is the whole first label; at most {NAMES} names (default quota).",
)
def names(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """The names of a certificate are names of hosts, or wildcards of one label."""
    properties = resource.properties
    every = [properties.at("DomainName"), *properties.items("SubjectAlternativeNames")]
    for name in every:
        if name.literal and (not _NAME.fullmatch(name.literal.rstrip(".")) or _is_address(name.literal)):
            yield name.path, f"{name.literal!r} is no name that a certificate can have"
    if len({plain(name.text) if name.known else id(name) for name in every}) > NAMES:
        yield properties.at("SubjectAlternativeNames").path, f"{len(every)} names; ACM takes {NAMES}"


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


@refusal("E9807", _CERTIFICATE, _API)
def validation(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A name is validated in one way, by the zone that it lies in."""
    properties = resource.properties
    method = properties.at("ValidationMethod")
    yield from one_of(method, ("DNS", "EMAIL", "HTTP"), "way of validation")
    for option in properties.items("DomainValidationOptions"):
        yield from exclude(option, "HostedZoneId", "ValidationDomain")
        domain, name = option.at("ValidationDomain"), option.at("DomainName")
        if domain.there and method.value == "DNS":
            yield domain.path, "ValidationDomain is for validation by e-mail"
        if domain.literal and name.literal and not f".{plain(name.literal)}".endswith(f".{plain(domain.literal)}"):
            yield domain.path, f"{name.literal} is not in {domain.literal}"
        if option.at("HostedZoneId").there and method.known and method.value != "DNS":
            yield option.at("HostedZoneId").path, "HostedZoneId is for validation by DNS"
        made = deployment.meant(option.at("HostedZoneId"), "AWS::Route53::HostedZone")
        within = plain(made.properties.at("Name").literal) if made else ""
        if within and name.literal and not f".{plain(name.literal)}".endswith(f".{within}"):
            yield option.at("HostedZoneId").path, f"{name.literal} is not in the zone {within}"


@refusal("E9808", _CERTIFICATE, _API)
def key(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A certificate has a key that ACM makes, and no validation where a private authority signs."""
    properties = resource.properties
    yield from one_of(properties.at("KeyAlgorithm"), ("RSA_2048", "EC_prime256v1", "EC_secp384r1"), "key that ACM makes")
    yield from one_of(properties.at("CertificateTransparencyLoggingPreference"), ("ENABLED", "DISABLED"), "preference")
    for name in ("ValidationMethod", "DomainValidationOptions"):
        yield from exclude(properties, "CertificateAuthorityArn", name)

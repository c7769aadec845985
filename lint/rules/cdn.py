"""CloudFront: private origins, TLS 1.2 and later, HSTS on every behaviour, certificates where CloudFront can find them.

In: a template. Out: problems of distributions, origin access controls and certificates.
Never: guesses at what a parameter without a default will be (the deployer fills it from a reviewed output).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from lint.rules.edge import behaviours
from templates.view import ABSENT, Node, View, number, reference

HSTS_SECONDS = 15_768_000
"""Six months, the least max-age that scanners such as Mozilla's Observatory take for HSTS."""

_GUIDE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide"
_DISTRIBUTION = "AWS::CloudFront::Distribution"
_S3_ATTRIBUTES = ("RegionalDomainName", "DomainName", "DualStackDomainName")
_S3_DOMAIN = re.compile(r"(^|.*\.)s3[.-](?!website[.-])(dualstack\.)?([a-z0-9${}:A-Z-]+\.)?amazonaws\.com(\.cn)?", re.DOTALL)
WEBSITE = re.compile(r"(^|\.)s3-website[.-]")
"""In the name of a bucket's website endpoint."""
_FOREIGN = re.compile(r"arn:(\$\{[^}]*\}|[^:$])*:[^:]*:(?!us-east-1:)[^:$]*:")
"""An ARN of another region; its partition may be a variable."""
_TLS_12 = re.compile(r"TLSv1\.[23]_\d{4}")
_OLD_ORIGIN_PROTOCOLS = ("SSLv3", "TLSv1", "TLSv1.1")
_MANAGED_WITHOUT_HSTS = {
    "60669652-455b-4ae9-85a4-c4c02393f86c": "SimpleCORS",
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd": "CORS-With-Preflight",
}


def origins(view: View) -> Iterator[Node]:
    """The origins of every distribution."""
    for properties in view.properties(_DISTRIBUTION):
        yield from view.items(properties, "DistributionConfig", "Origins")


def is_s3(view: View, origin: Node) -> bool:
    """The origin is a bucket by its S3 API name (not a website endpoint)."""
    return any(_of_a_bucket(view, node) for node in view.at(origin, "DomainName"))


def _of_a_bucket(view: View, domain: Node) -> bool:
    target = reference(domain)
    if target:
        return view.type_of(target.name) == "AWS::S3::Bucket" and target.attribute in _S3_ATTRIBUTES
    return _S3_DOMAIN.fullmatch(domain.text or "") is not None


class OacOrigin(Rule):
    id = "E9201"
    shortdesc = "An origin with origin access control has S3OriginConfig"
    description = "CloudFront takes an origin without S3OriginConfig for a custom one and refuses the access control."
    source_url = f"{_GUIDE}/private-content-restricting-access-to-s3.html"

    def check(self, view: View) -> Iterator[Problem]:
        for origin in origins(view):
            if not is_s3(view, origin):
                continue
            for control in view.at(origin, "OriginAccessControlId"):
                if not control.present or control.value == "":
                    continue
                for config in view.at(origin.when(control), "S3OriginConfig"):
                    if config.value is ABSENT:
                        yield config.path, 'S3OriginConfig with OriginAccessIdentity "" must stand beside OriginAccessControlId'


class OacAndOai(Rule):
    id = "E9202"
    shortdesc = "Origin access control and origin access identity exclude each other"
    description = "An origin has one of them; the identity does not work in opt-in regions."
    source_url = f"{_GUIDE}/private-content-restricting-access-to-s3.html"

    def check(self, view: View) -> Iterator[Problem]:
        for origin in origins(view):
            for control in view.at(origin, "OriginAccessControlId"):
                for identity in view.at(origin.when(control), "S3OriginConfig", "OriginAccessIdentity"):
                    if control.present and control.value != "" and identity.present and identity.value != "":
                        yield identity.path, 'OriginAccessIdentity beside OriginAccessControlId; it must be ""'


class PrivateOrigin(Rule):
    id = "E9203"
    shortdesc = "An S3 origin is read through an origin access control that signs every request"
    description = "Without one the bucket would have to be public."
    source_url = f"{_GUIDE}/private-content-restricting-access-to-s3.html"

    def check(self, view: View) -> Iterator[Problem]:
        for origin in origins(view):
            if is_s3(view, origin):
                for control in view.at(origin, "OriginAccessControlId"):
                    if not control.present or control.value == "":
                        yield control.path, "an S3 origin without OriginAccessControlId"
        wanted = {
            "OriginAccessControlOriginType": ("s3", "lambda", "mediastore", "mediapackagev2"),
            "SigningBehavior": ("always",),
            "SigningProtocol": ("sigv4",),
        }
        for properties in view.properties("AWS::CloudFront::OriginAccessControl"):
            for name, right in wanted.items():
                for node in view.at(properties, "OriginAccessControlConfig", name):
                    if node.value is ABSENT or (node.known and node.value not in right):
                        yield node.path, f"{name} must be {right[0]}"


class CertificateRegion(Rule):
    id = "E9204"
    shortdesc = "A certificate for CloudFront is in us-east-1"
    description = "CloudFront looks nowhere else. A certificate for a load balancer is suppressed here, with that reason."
    source_url = f"{_GUIDE}/cnames-and-https-requirements.html"

    def check(self, view: View) -> Iterator[Problem]:
        elsewhere = [region for region in view.regions if region != "us-east-1"]
        if elsewhere:
            for certificate in view.resources("AWS::CertificateManager::Certificate"):
                yield (
                    certificate.path,
                    f"a certificate for CloudFront can only be in us-east-1; this stack is deployed to {', '.join(elsewhere)}",
                )
        for properties in view.properties(_DISTRIBUTION):
            for node in view.at(properties, "DistributionConfig", "ViewerCertificate", "AcmCertificateArn"):
                if _FOREIGN.match(node.text or ""):
                    yield node.path, f"{node.text} is not in us-east-1"


class AliasCertificate(Rule):
    id = "E9205"
    shortdesc = "A distribution with alternate domain names has a certificate"
    description = "CloudFront refuses aliases with its default certificate."
    source_url = f"{_GUIDE}/CNAMEs.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_DISTRIBUTION):
            for config in view.at(properties, "DistributionConfig"):
                for aliases in view.at(config, "Aliases"):
                    if not aliases.present or aliases.value == []:
                        continue
                    for certificate in view.at(config.when(aliases), "ViewerCertificate"):
                        if not self._has_one(view, certificate):
                            yield aliases.path, "Aliases without AcmCertificateArn in ViewerCertificate"

    @staticmethod
    def _has_one(view: View, certificate: Node) -> bool:
        # Each case of each condition needs one or the other.
        return not any(node.is_true() for node in view.at(certificate, "CloudFrontDefaultCertificate")) and all(
            node.present or any(other.present for other in view.at(certificate.when(node), "IamCertificateId"))
            for node in view.at(certificate, "AcmCertificateArn")
        )


class ModernTls(Rule):
    id = "E9206"
    shortdesc = "TLS 1.2 or later towards visitors"
    description = "MinimumProtocolVersion TLSv1.2_* or TLSv1.3_*, by SNI."
    source_url = f"{_GUIDE}/secure-connections-supported-viewer-protocols-ciphers.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties(_DISTRIBUTION):
            for node in view.at(properties, "DistributionConfig", "ViewerCertificate", "MinimumProtocolVersion"):
                if node.value is ABSENT:
                    yield node.path, "no MinimumProtocolVersion: TLS 1.0 would do; use TLSv1.2_2021 or later"
                elif node.known and not _TLS_12.fullmatch(node.text or ""):
                    yield node.path, f"{node.value!r} admits TLS below 1.2; use TLSv1.2_2021 or later"


class Encrypted(Rule):
    id = "E9207"
    shortdesc = "Nothing travels unencrypted"
    description = "Viewers are redirected to HTTPS or refused; origins are asked by HTTPS with TLS 1.2."
    source_url = f"{_GUIDE}/using-https.html"

    def check(self, view: View) -> Iterator[Problem]:
        for behaviour in behaviours(view):
            for node in view.at(behaviour, "ViewerProtocolPolicy"):
                if node.value is ABSENT or (node.known and node.value not in ("redirect-to-https", "https-only")):
                    yield node.path, "ViewerProtocolPolicy must be redirect-to-https or https-only"
        for origin in origins(view):
            for node in view.at(origin, "CustomOriginConfig", "OriginProtocolPolicy"):
                if node.known and node.value != "https-only":
                    yield node.path, "OriginProtocolPolicy must be https-only"
            for node in view.items(origin, "CustomOriginConfig", "OriginSSLProtocols"):
                if node.text in _OLD_ORIGIN_PROTOCOLS:
                    yield node.path, f"{node.text} towards the origin; use TLSv1.2"


class Hsts(Rule):
    id = "E9208"
    shortdesc = "Every behaviour answers with HSTS"
    description = f"A response headers policy with StrictTransportSecurity, max-age at least {HSTS_SECONDS} seconds, overriding the origin."
    source_url = f"{_GUIDE}/understanding-response-headers-policies.html"

    def check(self, view: View) -> Iterator[Problem]:
        for behaviour in behaviours(view):
            for node in view.at(behaviour, "ResponseHeadersPolicyId"):
                target = reference(node)
                name = target.name if target else ""
                if node.value is ABSENT:
                    yield node.path, "a behaviour without ResponseHeadersPolicyId has no HSTS"
                elif node.text in _MANAGED_WITHOUT_HSTS:
                    yield node.path, f"the managed policy {_MANAGED_WITHOUT_HSTS[node.text]} has no HSTS"
                elif view.type_of(name) not in (None, "AWS::CloudFront::ResponseHeadersPolicy"):
                    yield node.path, f"{name} is no response headers policy"
        for properties in view.properties("AWS::CloudFront::ResponseHeadersPolicy"):
            steps = ("ResponseHeadersPolicyConfig", "SecurityHeadersConfig", "StrictTransportSecurity")
            for node in view.at(properties, *steps, "AccessControlMaxAgeSec"):
                age = number(node)
                if node.value is ABSENT:
                    yield node.path, "no StrictTransportSecurity with AccessControlMaxAgeSec"
                elif age is not None and age < HSTS_SECONDS:
                    yield node.path, f"HSTS for {age:g} seconds; at least {HSTS_SECONDS} are needed"
            for node in view.at(properties, *steps, "Override"):
                if node.known and not node.is_true():
                    yield node.path, "Override must be true, or an origin could switch HSTS off"

"""CloudFront distributions: values that its API refuses, or takes and then never uses.

In: a template. Out: problems of behaviours, origins and their groups, the root object, and the web ACL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from assembly.certificate_names import certificate_covers
from lint.rules.base import Problem, Rule
from lint.rules.cdn import WEBSITE, origins
from lint.rules.edge import behaviours
from templates.view import Node, View, logical_id, reference, together

_API = "https://docs.aws.amazon.com/cloudfront/latest/APIReference"
_CONFIG = "DistributionConfig"

READING = frozenset({"GET", "HEAD"})
WITH_OPTIONS = READING | {"OPTIONS"}
ALL_METHODS = WITH_OPTIONS | {"PUT", "PATCH", "POST", "DELETE"}
METHODS = {"AllowedMethods": (READING, WITH_OPTIONS, ALL_METHODS), "CachedMethods": (READING, WITH_OPTIONS)}
"""The sets that CloudFront offers (API: AllowedMethods, CachedMethods)."""


class PathOnce(Rule):
    id = "E9209"
    shortdesc = "Each path pattern has one behaviour"
    description = "The first behaviour that matches is used; a pattern is the same with and without its leading slash."
    source_url = f"{_API}/API_CacheBehavior.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::CloudFront::Distribution"):
            seen: list[tuple[Node, str]] = []
            for behaviour in view.items(properties, _CONFIG, "CacheBehaviors"):
                for node in view.at(behaviour, "PathPattern"):
                    if node.text is None:
                        continue
                    path = node.text.removeprefix("/")
                    if any(path == other and node.path != first.path and together(first, node) for first, other in seen):
                        yield node.path, f"{node.text} is the path pattern of an earlier behaviour"
                    seen.append((node, path))


class Methods(Rule):
    id = "E9210"
    shortdesc = "A behaviour has one of the sets of methods that CloudFront offers"
    description = "AllowedMethods: GET and HEAD; these and OPTIONS; or all seven. CachedMethods: one of the first two, all of them allowed."
    source_url = f"{_API}/API_AllowedMethods.html"

    def check(self, view: View) -> Iterator[Problem]:
        for behaviour in behaviours(view):
            found: dict[str, frozenset[str]] = {}
            for name, offered in METHODS.items():
                for node in view.at(behaviour, name):
                    items = list(view.items(node))
                    if not isinstance(node.value, list) or any(item.text is None for item in items):
                        continue
                    found[name] = known = frozenset(str(item.value) for item in items)
                    if known not in offered:
                        yield node.path, f"{', '.join(sorted(known)) or 'no method'}; CloudFront offers {_sets(offered)}"
            cached = found.get("CachedMethods", frozenset()) - found.get("AllowedMethods", READING)
            if cached and not any(node.known is False for node in view.at(behaviour, "AllowedMethods") if node.present):
                yield (*behaviour.path, "CachedMethods"), f"{', '.join(sorted(cached))} is cached and not among AllowedMethods"


def _sets(offered: tuple[frozenset[str], ...]) -> str:
    return "; or ".join(", ".join(sorted(methods)) for methods in offered)


class RootObject(Rule):
    id = "E9211"
    shortdesc = "DefaultRootObject has no leading slash"
    description = "It is the key of an object; with a slash before it CloudFront refuses it or asks for another object."
    source_url = f"{_API}/API_DistributionConfig.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::CloudFront::Distribution"):
            for node in view.at(properties, _CONFIG, "DefaultRootObject"):
                if node.text and node.text.startswith("/"):
                    yield node.path, f'{node.text} begins with a slash; write "{node.text.lstrip("/")}"'


class WebsiteOrigin(Rule):
    id = "E9212"
    shortdesc = "A website endpoint of a bucket has no access control and no S3OriginConfig"
    description = "It is a custom origin that speaks HTTP only; origin access control signs for the bucket's own name."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html"

    def check(self, view: View) -> Iterator[Problem]:
        for origin in origins(view):
            if not any(WEBSITE.search(node.text or "") for node in view.at(origin, "DomainName")):
                continue
            for control in view.at(origin, "OriginAccessControlId"):
                if control.present and control.value != "":
                    yield control.path, "OriginAccessControlId with a website endpoint; name the bucket's RegionalDomainName as the origin"
            for config in view.at(origin, "S3OriginConfig"):
                if config.present:
                    yield config.path, "S3OriginConfig with a website endpoint, which is a custom origin"


_WRITING = ("POST", "PUT", "PATCH", "DELETE")


class Targets(Rule):
    id = "E9215"
    shortdesc = "A behaviour asks an origin or a group that there is, a group two of the origins"
    description = "A group has an id of its own, and no behaviour that asks it takes POST, PUT, PATCH or DELETE."
    source_url = f"{_API}/API_OriginGroup.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::CloudFront::Distribution"):
            ids = [node for origin in view.items(properties, _CONFIG, "Origins") for node in view.at(origin, "Id")]
            groups = list(view.items(properties, _CONFIG, "OriginGroups", "Items"))
            names = [node for group in groups for node in view.at(group, "Id")]
            yield from ((node.path, f"{node.text} is the id of an origin") for node in names if _named(node, ids))
            if all(node.text and "${" not in node.text for node in (*ids, *names)):
                members = (member for group in groups for member in view.items(group, "Members", "Items"))
                yield from self._unknown((node for member in members for node in view.at(member, "OriginId")), ids)
                targets = [node for behaviour in behaviours(view, properties) for node in view.at(behaviour, "TargetOriginId")]
                yield from self._unknown(iter(targets), [*ids, *names])
            for behaviour in behaviours(view, properties):
                if any(_named(node, names) for node in view.at(behaviour, "TargetOriginId")):
                    for method in view.items(behaviour, "AllowedMethods"):
                        if method.text in _WRITING:
                            yield method.path, f"{method.text} to a group of origins, which fails over for GET, HEAD and OPTIONS only"
                            break

    @staticmethod
    def _unknown(nodes: Iterator[Node], known: list[Node]) -> Iterator[Problem]:
        for node in nodes:
            if node.text and "${" not in node.text and not _named(node, known):
                yield node.path, f"{node.text} is none of {', '.join(sorted({str(each.value) for each in known}))}"


def _named(node: Node, among: list[Node]) -> bool:
    return node.text is not None and any(other.text == node.text and together(node, other) for other in among)


class AccessControlFits(Rule):
    id = "E9216"
    shortdesc = "The origin access control is for the kind of origin that has it"
    description = "s3: a bucket, with S3OriginConfig; lambda: the URL of a function; mediastore and mediapackagev2: their own names."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-origin.html"

    def check(self, view: View) -> Iterator[Problem]:
        for origin in origins(view):
            for control in view.at(origin, "OriginAccessControlId"):
                target = reference(control)
                resource = view.resource(target.name) if target else None
                if resource is None:
                    continue
                for kind in view.at(view.properties_of(resource), "OriginAccessControlConfig", "OriginAccessControlOriginType"):
                    bound = origin.when(control)
                    wrong = "CustomOriginConfig" if kind.text == "s3" else "S3OriginConfig"
                    for node in view.at(bound, wrong):
                        if kind.text and node.present:
                            yield control.path, f"an origin access control of type {kind.text} at an origin with {wrong}"


class WebAclScope(Rule):
    id = "E9217"
    shortdesc = "A web ACL for CloudFront has the scope CLOUDFRONT, in us-east-1, and is named by the distribution"
    description = "An association is for other resources; what the scope CLOUDFRONT has can be made in us-east-1 only."
    source_url = "https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateWebACL.html"

    def check(self, view: View) -> Iterator[Problem]:
        elsewhere = [region for region in view.regions if region != "us-east-1"]
        for properties in view.properties(
            "AWS::WAFv2::WebACL", "AWS::WAFv2::IPSet", "AWS::WAFv2::RegexPatternSet", "AWS::WAFv2::RuleGroup"
        ):
            for scope in view.at(properties, "Scope"):
                if scope.text == "CLOUDFRONT" and elsewhere:
                    yield scope.path, f"the scope CLOUDFRONT is in us-east-1 only; this stack is deployed to {', '.join(elsewhere)}"
        for properties in view.properties("AWS::CloudFront::Distribution"):
            for node in view.at(properties, _CONFIG, "WebACLId"):
                target = reference(node)
                acl = view.resource(target.name) if target and view.type_of(target.name) == "AWS::WAFv2::WebACL" else None
                if acl and any(scope.text == "REGIONAL" for scope in view.at(view.properties_of(acl), "Scope")):
                    yield node.path, f"{logical_id(acl)} has the scope REGIONAL; a distribution takes CLOUDFRONT"
        for properties in view.properties("AWS::WAFv2::WebACLAssociation"):
            for node in view.at(properties, "ResourceArn"):
                if node.text and re.match(r"arn:[^:]+:cloudfront:", node.text):
                    yield node.path, "a distribution is not associated: name the web ACL in its WebACLId"


class Covered(Rule):
    id = "E9219"
    shortdesc = "The certificate of a distribution has the names that the distribution answers to"
    description = "Each alias is a name of the certificate, or one label below a wildcard of it; for a certificate of the same template."
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::CloudFront::Distribution"):
            for used in view.at(properties, _CONFIG, "ViewerCertificate", "AcmCertificateArn"):
                target = reference(used)
                found = view.resource(target.name) if target and "Certificate" in (view.type_of(target.name) or "") else None
                if found is None:
                    continue
                given = view.properties_of(found).when(used)
                names = [*view.at(given, "DomainName"), *view.items(given, "SubjectAlternativeNames")]
                for alias in view.items(properties.when(used), _CONFIG, "Aliases"):
                    own, *texts = [alias.text or "", *(node.text or "" for node in names if together(node, alias))]
                    known = all(text and "${" not in text for text in (own, *texts))
                    if known and not any(certificate_covers(text, own) for text in texts):
                        yield alias.path, f"{own} is no name of the certificate {logical_id(found)}"


class Addresses(Rule):
    id = "E9218"
    shortdesc = "The addresses of a set are networks of its version"
    description = "CIDR notation, IPv4 or IPv6 as IPAddressVersion says."
    source_url = "https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateIPSet.html"

    def check(self, view: View) -> Iterator[Problem]:
        for properties in view.properties("AWS::WAFv2::IPSet"):
            for version in view.at(properties, "IPAddressVersion"):
                for node in view.items(properties.when(version), "Addresses"):
                    if version.text in ("IPV4", "IPV6") and node.text and "${" not in node.text:
                        found = _network(node.text)
                        if found != version.text:
                            yield node.path, f"{node.text} is {found or 'no network'} in a set of {version.text}"


def _network(text: str) -> str | None:
    try:
        return f"IPV{ipaddress.ip_network(text, strict=False).version}"
    except ValueError:
        return None

"""CloudFront distributions: values that its API refuses, or takes and then never uses.

In: a template. Out: problems of behaviours, origins and the root object.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from lint.rules.cdn import origins
from lint.rules.edge import behaviours
from lint.rules.view import Node, View, together

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
                    methods = [item.text for item in view.items(node)]
                    known = frozenset(method for method in methods if method is not None)
                    if not isinstance(node.value, list) or None in methods:
                        continue
                    found[name] = known
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
            if not any("s3-website" in (node.text or "") for node in view.at(origin, "DomainName")):
                continue
            for control in view.at(origin, "OriginAccessControlId"):
                if control.present and control.value != "":
                    yield control.path, "OriginAccessControlId with a website endpoint; name the bucket's RegionalDomainName as the origin"
            for config in view.at(origin, "S3OriginConfig"):
                if config.present:
                    yield config.path, "S3OriginConfig with a website endpoint, which is a custom origin"

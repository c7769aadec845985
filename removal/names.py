"""Names that are taken in every region, so that a second stack with them fails half-way.

In: a template or its resources. Out: names. Never: asks AWS whether somebody has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateways.existing import NAMES
from guards import documents

_NAMES = {
    "AWS::CloudFront::Distribution": ("DistributionConfig", "Aliases"),
    **{
        kind: path
        for kind, path in NAMES.items()
        if kind.startswith("AWS::CloudFront::") or kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::S3::Bucket")
    },
}
"""Types whose names are taken in every region, and where the name stands."""


def names_taken(body: bytes) -> frozenset[str]:
    """The names in a template that are taken in every region."""
    return frozenset(names_in(documents.loads(body).get("Resources", {})))


def bucket_names(body: bytes) -> frozenset[str]:
    """The names that a template gives its buckets outright."""
    resources = documents.loads(body).get("Resources", {})
    return frozenset(names_in({title: each for title, each in resources.items() if each.get("Type") == "AWS::S3::Bucket"}))


def names_in(resources: Mapping[str, Any]) -> Iterator[str]:
    """The same of resources."""
    for resource in resources.values():
        found: Any = resource.get("Properties", {})
        for part in _NAMES.get(resource.get("Type", ""), ("",)):
            found = found.get(part) if isinstance(found, Mapping) else None
        yield from (name for name in (found if isinstance(found, list) else [found]) if isinstance(name, str))

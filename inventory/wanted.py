"""What a stack is about to create that has a name of its own.

In: the resolved resources of its template, those that it has already. Out: `Wanted` values.
Never: names that only the execution will tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gateways.existing import NAMES
from inventory.model import Wanted
from templates.intrinsics import marked, unresolved
from templates.resources import RETAINING

BUCKET, BUCKET_POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
RECORD, DISTRIBUTION = "AWS::Route53::RecordSet", "AWS::CloudFront::Distribution"

IMPORTABLE = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::Logs::DeliveryDestination",
        "AWS::Logs::DeliverySource",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
    }
)
"""Types that a change set imports by the template's own name: it is their whole primary identifier (provider schemas).

Not AWS::Lambda::Function: it can be imported, but its versions cannot, and Lambda publishes no second one of unchanged code."""


def wanted(stack: str, template: Mapping[str, Any], after: Mapping[str, Any], there: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """The named resources of `after` (resolved) that are not among `there`, by logical id, and the records with a weight that are.
    `template` has them as they are written."""
    return tuple(
        replace(each, there=logical_id in there)
        for logical_id, body in after.items()
        if logical_id not in there or (_weighted(body) and _weighted(there[logical_id]))
        for each in _of(stack, logical_id, _named(body, after), template.get("Resources", {}).get(logical_id, {}))
    )


def _weighted(body: Mapping[str, Any]) -> bool:
    return body.get("Type") == RECORD and "Weight" in (body.get("Properties") or {})


def _named(body: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    """A bucket's policy with the name of the bucket that stands beside it."""
    properties = body.get("Properties") or {}
    bucket = properties.get("Bucket")
    if body.get("Type") != BUCKET_POLICY or not isinstance(bucket, Mapping):
        return body
    beside = after.get(str(bucket.get("Ref")), {})
    name = (beside.get("Properties") or {}).get("BucketName") if beside.get("Type") == BUCKET else None
    return {**body, "Properties": {**properties, "Bucket": name}}


def _of(stack: str, logical_id: str, body: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[Wanted]:
    kind, properties = str(body.get("Type")), body.get("Properties") or {}
    if kind == DISTRIBUTION:
        names = (properties.get("DistributionConfig") or {}).get("Aliases") or ()
        originals = list(names)
    else:
        path = ("Name",) if kind == RECORD else NAMES.get(kind)
        if path is None or properties.get("Scope") == "REGIONAL":  # only web ACLs for CloudFront are looked for
            return
        names, originals = [_at(properties, path)], [_at(written.get("Properties") or {}, path)]
    for name, original in zip(names, originals, strict=True):
        if isinstance(name, str) and name and not marked(name) and not unresolved(name):
            yield Wanted(
                stack=stack,
                logical_id=logical_id,
                resource_type=kind,
                name=name,
                kept=body.get("DeletionPolicy") in RETAINING,
                literal=isinstance(original, str),
                properties=properties,
            )


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        properties = properties.get(key) if isinstance(properties, Mapping) else None
    return properties

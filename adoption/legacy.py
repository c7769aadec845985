"""Shapes of older platforms, each with its way out.

In: a live resource, what the assembly makes of it. Out: `Shape` values, for people and machines.
Never: takes the way itself.

Sources: CloudFront Developer Guide, "Restrict access to an Amazon S3 origin" (moving from OAI to OAC), "Standard logging (v2)", "Supported
protocols and ciphers between viewers and CloudFront", "Cache content based on query string parameters" (legacy cache settings); Amazon S3
User Guide, "Prerequisites for disabling ACLs"; Lambda@Edge, "Delete Lambda@Edge functions and replicas".
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from adoption.places import Place
from adoption.terraform_types import BUCKET, DISTRIBUTION
from assembly.model import Frozen

NO_LONGER_SAFE = ("SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016")
"""Security policies of CloudFront with a protocol below TLS 1.2."""

_WEBSITE = re.compile(r"^[a-z0-9.-]+\.s3-website[.-][a-z0-9-]+\.amazonaws\.com(\.cn)?$")


class Shape(Frozen, frozen=True, kw_only=True):
    """One legacy shape and how it ends."""

    code: str
    what: str
    way_out: str
    commands: tuple[str, ...] = ()
    """To be typed by a person, in this order."""


def shapes(place: Place, live: Mapping[str, Any]) -> tuple[Shape, ...]:
    """Of one resource, by its live properties."""
    if place.type == DISTRIBUTION:
        return tuple(_distribution(place, live.get("DistributionConfig") or {}))
    if place.type == BUCKET:
        return tuple(_bucket(live))
    return ()


def _distribution(place: Place, config: Mapping[str, Any]) -> Iterator[Shape]:
    origins = [each for each in config.get("Origins") or [] if isinstance(each, Mapping)]
    if any((each.get("S3OriginConfig") or {}).get("OriginAccessIdentity") for each in origins):
        yield Shape(
            code="origin_access_identity",
            what="its origin is read with an Origin Access Identity",
            way_out="the bucket policy has to admit both the identity and the distribution before the distribution changes to Origin Access"
            " Control, or edges that have the change first are refused: put the policy below in place before the plan that aligns is applied;"
            " that plan ends with the stack's own policy, and the identity can go",
        )
    public = [str(each.get("DomainName")) for each in origins if _WEBSITE.match(str(each.get("DomainName", "")))]
    if public:
        yield Shape(
            code="website_endpoint",
            what=f"its origin is the public website endpoint {public[0]}",
            way_out="the origin becomes the bucket itself, read privately: the bucket policy has to admit the distribution before it changes"
            " (below), and the bucket is closed to the public last; what the endpoint did (index documents of folders, redirects) the routing"
            " of the platform does: routing in the environment file",
        )
    behaviours = [config.get("DefaultCacheBehavior") or {}, *(config.get("CacheBehaviors") or [])]
    if any(isinstance(each, Mapping) and each.get("ForwardedValues") for each in behaviours):
        yield Shape(
            code="forwarded_values",
            what="a cache behaviour has forwarded values, as before there were cache policies",
            way_out="the plan that aligns puts cache policies in their place; cache keys change, so that the edge asks the bucket once more for"
            " each file",
        )
    if (config.get("Logging") or {}).get("Bucket"):
        yield Shape(
            code="standard_logging",
            what="it writes legacy standard logs",
            way_out="monitoring sets up standard logging (v2) into a bucket of its own; logs that were written stay where they are, and their"
            " bucket needs its ACL as long as they are written",
        )
    minimum = str((config.get("ViewerCertificate") or {}).get("MinimumProtocolVersion", ""))
    if minimum in NO_LONGER_SAFE:
        yield Shape(
            code="old_tls",
            what=f"it speaks TLS below 1.2 ({minimum})",
            way_out="aligning ends that for browsers of before 2014: the access logs (ssl-protocol) say whether anybody has one",
        )
    if any(_edge_functions(each) for each in behaviours if isinstance(each, Mapping)):
        yield Shape(
            code="edge_function_version",
            what="a version of a Lambda@Edge function answers for it",
            way_out="a version cannot be imported: the platform publishes one of its own and aligning changes the distribution to it; the old"
            " function can be deleted some hours after, when its replicas are gone",
        )


def _edge_functions(behaviour: Mapping[str, Any]) -> list[str]:
    return [str(each.get("LambdaFunctionARN")) for each in behaviour.get("LambdaFunctionAssociations") or [] if isinstance(each, Mapping)]


def _bucket(live: Mapping[str, Any]) -> Iterator[Shape]:
    rules = (live.get("OwnershipControls") or {}).get("Rules") or []
    owned = [str(each.get("ObjectOwnership")) for each in rules if isinstance(each, Mapping)]
    if owned != ["BucketOwnerEnforced"]:
        yield Shape(
            code="acl_ownership",
            what=f"its objects have ACLs ({owned[0] if owned else 'no ownership controls'})",
            way_out="aligning sets BucketOwnerEnforced: grants of ACLs end. S3 refuses that while the bucket's own ACL grants others something:"
            " move such grants into the bucket policy first, which a legacy log delivery needs, too",
        )
    if live.get("WebsiteConfiguration"):
        yield Shape(
            code="website_bucket",
            what="it is set up as a public website",
            way_out="CloudFormation leaves that setting as it is, as the template says nothing of it; it does no harm once the bucket is"
            " private, and ends with: aws s3api delete-bucket-website",
        )
    block = live.get("PublicAccessBlockConfiguration") or {}
    if not all(block.get(name) for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")):
        yield Shape(
            code="public_bucket",
            what="the public is not shut out",
            way_out="aligning shuts it out; who reads the bucket past CloudFront is refused from then on",
        )


def both_policies(bucket: str, live: Mapping[str, Any] | None, ours: Mapping[str, Any], directory: str) -> tuple[str, str]:
    """The bucket policy that admits both, as JSON, and the command that puts it in place.

    Deny statements of ours come with the plan that aligns, not before it.
    """
    statements = [*_statements(live or {}), *(each for each in _statements(ours) if each.get("Effect") == "Allow")]
    document = {"Version": "2012-10-17", "Statement": statements}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    path = f"file://{directory}/bucket-policy.json"
    return text, f"aws s3api put-bucket-policy --bucket {shlex.quote(bucket)} --policy {shlex.quote(path)}"


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = policy.get("Statement")
    listed = found if isinstance(found, list) else [found]
    return [each for each in listed if isinstance(each, Mapping)]

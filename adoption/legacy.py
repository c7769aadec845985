"""Shapes of older platforms, each with its way out.

In: a live resource, what the assembly makes of it. Out: `Shape` values, for people and machines.
Never: takes the way itself.

Sources: CloudFront Developer Guide, "Restrict access to an Amazon S3 origin" (moving from OAI to OAC), "Standard logging (v2)", "Supported
protocols and ciphers between viewers and CloudFront", "Cache content based on query string parameters" (legacy cache settings); Amazon S3
User Guide, "Prerequisites for disabling ACLs", "Setting default server-side encryption behavior" (new objects); Lambda@Edge, "Delete
Lambda@Edge functions and replicas".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

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


def shapes(kind: str, live: Mapping[str, Any], file: str) -> tuple[Shape, ...]:
    """Of one resource, by its type and live properties; `file` is the environment's."""
    if kind == DISTRIBUTION:
        return tuple(_distribution(live.get("DistributionConfig") or {}, file))
    if kind == BUCKET:
        return tuple(_bucket(live))
    return ()


def _distribution(config: Mapping[str, Any], file: str) -> Iterator[Shape]:
    origins = [each for each in config.get("Origins") or [] if isinstance(each, Mapping)]
    identities = [str((each.get("S3OriginConfig") or {}).get("OriginAccessIdentity") or "") for each in origins]
    identity = next((each.rpartition("/")[2] for each in identities if each), "")
    if identity:
        yield Shape(
            code="origin_access_identity",
            what=f"its origin is read with the Origin Access Identity {identity}",
            way_out=f"three builds without a gap: adopt.origin_access_identity: {identity} in {file} (the bucket lets both in), then"
            " adopt.origin: private (the distribution changes to Origin Access Control), then adopt taken out",
        )
    public = [str(each.get("DomainName")) for each in origins if _WEBSITE.match(str(each.get("DomainName", "")))]
    if public:
        yield Shape(
            code="website_endpoint",
            what=f"its origin is the public website endpoint {public[0]}",
            way_out=f"three builds without a gap: adopt.website_endpoint in {file} (the bucket stays public and lets the distribution in),"
            " then adopt.origin: private, then adopt taken out; what the endpoint did (documents of folders, redirects) routing does",
        )
    behaviours = [config.get("DefaultCacheBehavior") or {}, *(config.get("CacheBehaviors") or [])]
    if any(isinstance(each, Mapping) and each.get("ForwardedValues") for each in behaviours):
        yield Shape(
            code="forwarded_values",
            what="a cache behaviour has forwarded values, as before there were cache policies",
            way_out="aligning puts cache policies in their place; cache keys change, so the edge asks the bucket once more for each file",
        )
    if (config.get("Logging") or {}).get("Bucket"):
        yield Shape(
            code="standard_logging",
            what="it writes legacy standard logs",
            way_out="monitoring sets up standard logging (v2) into a bucket of its own; what was written stays where it is, in a bucket"
            " that needs its ACL until then",
        )
    minimum = str((config.get("ViewerCertificate") or {}).get("MinimumProtocolVersion", ""))
    if minimum in NO_LONGER_SAFE:
        yield Shape(
            code="old_tls",
            what=f"it speaks TLS below 1.2 ({minimum})",
            way_out="aligning ends that for browsers of before 2014: the access logs (ssl-protocol) say whether anybody has one",
        )
    functions = [each for of in behaviours if isinstance(of, Mapping) for each in of.get("FunctionAssociations") or []]
    if functions:
        yield Shape(
            code="cloudfront_function",
            what=f"the function {str(functions[0].get('FunctionARN')).rpartition('/')[2]} of CloudFront answers for it",
            way_out="aligning puts the platform's own in its place, which knows documents of folders, the app's routes and redirects: what"
            " else it does has to go into the environment file or the app first",
        )
    if any(isinstance(each, Mapping) and each.get("LambdaFunctionAssociations") for each in behaviours):
        yield Shape(
            code="edge_function_version",
            what="a version of a Lambda@Edge function answers for it",
            way_out="a version cannot be imported: the platform publishes its own and aligning changes the distribution to it; the old"
            " function can be deleted some hours later, when its replicas are gone",
        )


def _bucket(live: Mapping[str, Any]) -> Iterator[Shape]:
    rules = (live.get("OwnershipControls") or {}).get("Rules") or []
    owned = [str(each.get("ObjectOwnership")) for each in rules if isinstance(each, Mapping)]
    if owned != ["BucketOwnerEnforced"]:
        yield Shape(
            code="acl_ownership",
            what=f"its objects have ACLs ({owned[0] if owned else 'no ownership controls'})",
            way_out="aligning sets BucketOwnerEnforced, which ends grants of ACLs; S3 refuses while the bucket's own ACL grants something"
            " to others (legacy log delivery does): move such grants into the bucket policy first",
        )
    if live.get("WebsiteConfiguration"):
        yield Shape(
            code="website_bucket",
            what="it is set up as a public website",
            way_out="CloudFormation leaves that setting as it is, as the template says nothing of it; it does no harm once the bucket is"
            " private, and ends with: aws s3api delete-bucket-website",
        )
    encryption = (live.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or []
    defaults = [each.get("ServerSideEncryptionByDefault") or {} for each in encryption if isinstance(each, Mapping)]
    key = next((each for each in defaults if str(each.get("SSEAlgorithm", "")).startswith("aws:kms")), None)
    if key is not None:
        yield Shape(
            code="kms_encryption",
            what=f"its objects are encrypted with the key {key.get('KMSMasterKeyID') or 'aws/s3'} of KMS",
            way_out="aligning has S3's own key encrypt what is written from then on; what is there keeps its key, which the distribution"
            " needs to read it, until publish --as-found has written it anew: keep the key, and its policy, at least until then",
        )
    block = live.get("PublicAccessBlockConfiguration") or {}
    if not all(block.get(name) for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")):
        yield Shape(
            code="public_bucket",
            what="the public is not shut out",
            way_out="aligning shuts it out; who reads the bucket past CloudFront is refused from then on",
        )

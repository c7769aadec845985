"""The old way of a distribution to its bucket, for as long as a site that was taken over still goes it (`environments.adoption`).

In: an environment with `adopt`. Out: the origin and the bucket's website configuration as they were; a template that lets go of all it has.
Never: lets anything new in that way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from troposphere import cloudfront, s3

from environments.adoption import Adoption
from environments.model import Environment
from stacks.template import RETAIN, suppressed
from templates.resources import LET_GO as LET_GO_MARK

DASHED_ENDPOINTS = frozenset(
    {
        "ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "eu-west-1", "sa-east-1", "us-east-1", "us-gov-west-1", "us-west-1",
        "us-west-2",
    }
)  # fmt: skip
"""Regions whose website endpoints are s3-website-REGION; the others have s3-website.REGION. Source: AWS General Reference, Amazon S3
endpoints and quotas, "Amazon S3 website endpoints"."""


LET_GO = ("certificate", "edge", "firewall", "site", "dns")
"""Stacks whose resources visitors come to, or that these use: what may be taken over by somebody else again."""


BOUNDARY = "RuntimeBoundary"
"""Of foundation. IAM deletes no policy that is the boundary of a role (DeleteConflict), and the edge function's role stays."""


def let_go_of_boundary(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template whose boundary stays when the stack goes."""
    resources = template["Resources"]
    kept = {"UpdateReplacePolicy": RETAIN, **resources[BOUNDARY], "DeletionPolicy": RETAIN}
    return {**template, "Resources": {**resources, BOUNDARY: kept}}


def let_go(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template whose resources all stay when the stack goes."""
    kept = {title: {"UpdateReplacePolicy": RETAIN, **body, "DeletionPolicy": RETAIN} for title, body in template["Resources"].items()}
    return {**template, "Metadata": {**template.get("Metadata", {}), LET_GO_MARK: True}, "Resources": kept}


def website(adopt: Adoption) -> s3.WebsiteConfiguration | None:
    """The static website hosting of the bucket; None where it is none."""
    if adopt.website_endpoint is None:
        return None
    error = adopt.website_endpoint.error_document
    optional: dict[str, Any] = {} if error is None else {"ErrorDocument": error}
    return s3.WebsiteConfiguration(IndexDocument=adopt.website_endpoint.index_document, **optional)


def website_endpoint(bucket: str, region: str) -> str:
    """Host name of a bucket's website endpoint."""
    return f"{bucket}.s3-website{'-' if region in DASHED_ENDPOINTS else '.'}{region}.amazonaws.com"


def origin(env: Environment, name: str, domain: Any) -> cloudfront.Origin:
    """The distribution's origin as it was: by the Origin Access Identity, or the public website endpoint."""
    identity = env.adopt.origin_access_identity
    if identity is not None:
        return cloudfront.Origin(
            Id=name,
            DomainName=domain,
            S3OriginConfig=cloudfront.S3OriginConfig(OriginAccessIdentity=f"origin-access-identity/cloudfront/{identity}"),
        )
    return cloudfront.Origin(
        Id=name,
        DomainName=website_endpoint(env.bucket, env.home_region),
        # A website endpoint speaks no HTTPS (Amazon S3 User Guide, "Website endpoints").
        CustomOriginConfig=cloudfront.CustomOriginConfig(OriginProtocolPolicy="http-only", OriginSSLProtocols=["TLSv1.2"]),
    )


def accepted(adopt: Adoption) -> dict[str, Any]:
    """Keyword arguments of a distribution that still goes the old way: the findings about it, and why they stand."""
    if not adopt.origin_as_before:
        return {}
    way = ("E9203", "an Origin Access Identity, which reads the private bucket") if adopt.origin_access_identity else _ENDPOINT
    return {"Metadata": suppressed({way[0]: f"the site was taken over with {way[1]} until adopt.origin is private"})}


_ENDPOINT = ("E9207", "a public website endpoint, which speaks no HTTPS and is read")

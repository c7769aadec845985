"""A distribution that somebody made without a stack, as CreateDistribution takes it.

In: a caller reference, aliases, what is other than usual; who wants a certificate. Out: a DistributionConfig. Never: makes a distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
"""AWS's managed cache policy of that name."""


def distribution_config(
    reference: str,
    *aliases: str,
    bucket: str = "b",
    region: str = "eu-west-1",
    identity: str = "",
    header: tuple[str, str] | None = None,
    behaviour: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """`identity`: of an Origin Access Identity; `header`: that CloudFront sends on; `behaviour` in the place of the managed policy."""
    origin: dict[str, Any] = {
        "Id": "o",
        "DomainName": f"{bucket}.s3.{region}.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": f"origin-access-identity/cloudfront/{identity}" if identity else ""},
    }
    if header:
        origin["CustomHeaders"] = {"Quantity": 1, "Items": [{"HeaderName": header[0], "HeaderValue": header[1]}]}
    return {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "Aliases": {"Quantity": len(aliases), "Items": [*aliases]},
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "redirect-to-https",
            **(behaviour if behaviour is not None else {"CachePolicyId": CACHING_OPTIMIZED}),
        },
        **more,
    }


def certified(acm: Any, *names: str) -> dict[str, Any]:
    """The ViewerCertificate of aliases, with a certificate of ACM that is made for them."""
    arn = acm.request_certificate(DomainName=names[0], SubjectAlternativeNames=[*names])["CertificateArn"]
    return {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}

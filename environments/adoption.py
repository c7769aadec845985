"""What stood before the platform: a certificate of others that the site uses, and how the distribution came to its bucket until now.

In: nothing. Out: the model of `certificate.arn` and `adopt`.
Never: knows how something is taken over (that is a verb of deploy.py).

The distribution of a site that is taken over reads its bucket by an Origin Access Identity or the public website endpoint. CloudFormation
changes the bucket first, then the distribution, which takes minutes, and the bucket's policy last, since the policy names the distribution:
with one update visitors would get errors in between. So `adopt` describes the way in three builds, each of which changes one side only:

    adopt with the key, origin as_before    the bucket lets in the old way and the new one
    origin: private                         the distribution changes to the new way; the bucket still lets both in
    adopt taken out of the file             the bucket lets only the new way in

and back in the reverse order. A build that skips the second is refused by the plan (`planning/cut_off.py`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from environments.value import Value

CertificateArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z",
        description="ARN of an ACM certificate in us-east-1, from where alone CloudFront takes certificates.",
    ),
]
OriginAccessIdentityId = Annotated[
    str, Meta(pattern=r"^E[A-Z0-9]{4,31}\Z", description="Id of an Origin Access Identity, such as E1ABCDEF2GHIJ.")
]
WebsiteDocument = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*\Z", max_length=255, description="Key of an object.")]


class WebsiteEndpoint(Value, frozen=True, kw_only=True):
    """The static website hosting of the bucket, as it is."""

    index_document: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=255, description="A name without a slash.")
    ] = "index.html"
    """Served for a folder: S3 takes a name without a slash (Amazon S3 User Guide, "Configuring an index document")."""
    error_document: WebsiteDocument | None = None
    """Key of the object that errors come with."""


class Adoption(Value, frozen=True, kw_only=True):
    """How the distribution came to its bucket before it was taken over. Taken out of the file when the private way is gone."""

    origin_access_identity: OriginAccessIdentityId | None = None
    """The Origin Access Identity that reads the bucket. While it stands here the bucket lets it in beside the distribution itself."""
    website_endpoint: WebsiteEndpoint | None = None
    """The distribution reads the public website endpoint of the bucket. While it stands here the bucket stays public, to plain HTTP too."""
    origin: Literal["as_before", "private"] = "as_before"
    """as_before leaves the distribution on the old way, while the bucket lets both in; private has it change to Origin Access Control."""

    let_go: bool = False
    """The way back: what visitors come to (certificate, edge, firewall, site, dns) stays when its stacks are deleted, for others."""

    @property
    def under_way(self) -> bool:
        """The bucket lets an old way in."""
        return self.origin_access_identity is not None or self.website_endpoint is not None

    @property
    def origin_as_before(self) -> bool:
        """The distribution comes by the old way."""
        return self.under_way and self.origin == "as_before"

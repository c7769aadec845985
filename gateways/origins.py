"""What stands between CloudFront and a bucket: the bucket's policy and replication, the distribution's origin groups.

In: bucket and distribution names. Out: plain documents and frozen values. Raises `aws.errors`.
Never: falls for another account's bucket of the same name (requests name the owner they expect), decides what a policy should say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import field

from assembly.files import canonical_json
from aws.answers import Answer, read, unexpected
from aws.errors import AwsError, NotFound
from aws.gateway import Regional
from guards import documents

if TYPE_CHECKING:
    from aws.session import Aws

COPY_LIMIT = 5 * 1000**3
"""Bytes that one CopyObject takes. Source: Amazon S3 API Reference, CopyObject."""

_NO_POLICY, _NO_REPLICATION = "NoSuchBucketPolicy", "ReplicationConfigurationNotFoundError"

Document = dict[str, Any]


class Rule(Answer, frozen=True, kw_only=True):
    """A replication rule, as far as it is looked at."""

    id: str = field(name="ID", default="")
    status: str
    destination: str = field(name="Destination.Bucket", default="")
    delete_markers: str = field(name="DeleteMarkerReplication.Status", default="")


class _Versioning(Answer, frozen=True, kw_only=True):
    status: str = field(name="Status", default="")


class Member(Answer, frozen=True, kw_only=True):
    """One of the two origins of a group."""

    id: str = field(name="OriginId")


class Group(Answer, frozen=True, kw_only=True):
    """An origin group."""

    id: str
    codes: tuple[int, ...] = field(name="FailoverCriteria.StatusCodes.Items", default=())
    members: tuple[Member, ...] = field(name="Members.Items", default=())


class _Origin(Answer, frozen=True, kw_only=True):
    id: str
    domain: str = field(name="DomainName")


class _Behaviour(Answer, frozen=True, kw_only=True):
    target: str = field(name="TargetOriginId")


class Failover(Answer, frozen=True, kw_only=True):
    """How a distribution turns to another origin."""

    status: str
    """Deployed: every edge location has it."""
    origins: tuple[_Origin, ...] = field(name="DistributionConfig.Origins.Items", default=())
    groups: tuple[Group, ...] = field(name="DistributionConfig.OriginGroups.Items", default=())
    default: _Behaviour = field(name="DistributionConfig.DefaultCacheBehavior")
    behaviours: tuple[_Behaviour, ...] = field(name="DistributionConfig.CacheBehaviors.Items", default=())

    @property
    def targets(self) -> frozenset[str]:
        """Origins and groups that behaviours lead to."""
        return frozenset(each.target for each in (self.default, *self.behaviours))

    def domain(self, origin_id: str) -> str:
        """Of an origin; "" if there is none of that id."""
        return next((each.domain for each in self.origins if each.id == origin_id), "")


def failover(aws: Aws, *, account_id: str, distribution_id: str) -> Failover:
    """`NotFound` if there is no such distribution."""
    client = aws.client("cloudfront", account_id=account_id, region="us-east-1")
    return read(client.get_distribution(Id=distribution_id), Failover, "Distribution")


class Buckets(Regional):
    """Policies, replication and copies of the buckets of one account and region, which must be their own."""

    service = "s3"

    def policy(self, bucket: str) -> Document | None:
        """None where the bucket has none; `NotFound` where there is no bucket."""
        try:
            answer = self.client.get_bucket_policy(Bucket=bucket, ExpectedBucketOwner=self.account_id)
        except AwsError as error:
            if error.code == _NO_POLICY:
                return None
            raise
        try:
            return documents.mapping(read(answer, str, "Policy"))
        except documents.Unreadable as error:
            raise unexpected(answer, f"the policy of {bucket} cannot be read: {error}") from None

    def put_policy(self, bucket: str, policy: Document) -> None:
        """Replace the whole of it."""
        text = canonical_json(policy).decode()
        self.client.put_bucket_policy(Bucket=bucket, Policy=text, ExpectedBucketOwner=self.account_id)

    def versioning(self, bucket: str) -> str:
        """Enabled or Suspended; "" where it never was. `NotFound` where there is no bucket."""
        return read(self.client.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=self.account_id), _Versioning).status

    def rules(self, bucket: str) -> tuple[Rule, ...]:
        """None at all where the bucket does not replicate."""
        try:
            answer = self.client.get_bucket_replication(Bucket=bucket, ExpectedBucketOwner=self.account_id)
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise
            return ()
        except AwsError as error:
            if error.code == _NO_REPLICATION:
                return ()
            raise
        return read(answer, tuple[Rule, ...], "ReplicationConfiguration.Rules")

    def copy(self, source: str, key: str, bucket: str, *, if_match: str) -> None:
        """Copy an object within S3 as it is, headers and metadata with it; asked of the region that it is copied into.

        `Conflict` if the source no longer has that ETag, `NotFound` if it is gone.
        """
        self.client.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource={"Bucket": source, "Key": key},
            CopySourceIfMatch=if_match,
            MetadataDirective="COPY",
            ExpectedBucketOwner=self.account_id,
            ExpectedSourceBucketOwner=self.account_id,
        )

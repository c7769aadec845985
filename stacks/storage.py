"""The one private bucket that every stack makes: blocked from the public four times, owned by the account, encrypted, versioned, kept."""

from __future__ import annotations

from typing import Any

from awacs.aws import PolicyDocument
from troposphere import Ref, s3

from stacks.template import RETAIN, RETAIN_ONCE_MADE, StackTemplate, suppressed

_STILL_PUBLIC = "the site was taken over with a public website endpoint, which has no TLS; public until adopt.website_endpoint is taken out"


def private_bucket(
    template: StackTemplate,
    title: str,
    name: str,
    policy: PolicyDocument | None,
    *,
    noncurrent_days: int = 30,
    expire_days: int | None = None,
    replication: s3.ReplicationConfiguration | None = None,
    website: s3.WebsiteConfiguration | None = None,
) -> s3.Bucket:
    """Add a bucket and its policy, or None for a policy that stands in another stack.

    `noncurrent_days` is how long superseded versions stay; `expire_days` removes current ones. `website`: it is the public bucket of a site
    that was taken over and is still read so; it stays open until its distribution has another way in.
    """
    private = website is None
    optional: dict[str, Any] = {"ReplicationConfiguration": replication} if replication else {}
    if website is not None:
        optional |= {"WebsiteConfiguration": website, "Metadata": suppressed(dict.fromkeys(("E9401", "E9402", "E9404"), _STILL_PUBLIC))}
    if policy is None:
        optional["Metadata"] = suppressed(
            {"E9404": "its policy names the distribution, which is made later, so it stands in a stack of its own"}
        )
    bucket = template.add(
        s3.Bucket(
            title,
            BucketName=name,
            BucketEncryption=s3.BucketEncryption(
                ServerSideEncryptionConfiguration=[
                    s3.ServerSideEncryptionRule(
                        ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256"), BucketKeyEnabled=True
                    )
                ]
            ),
            LifecycleConfiguration=s3.LifecycleConfiguration(Rules=_lifecycle(noncurrent_days, expire_days)),
            # Objects may be public by access control lists alone: without these they are private at once.
            OwnershipControls=s3.OwnershipControls(
                Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced" if private else "BucketOwnerPreferred")]
            ),
            PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
                BlockPublicAcls=private, BlockPublicPolicy=private, IgnorePublicAcls=private, RestrictPublicBuckets=private
            ),
            VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
            DeletionPolicy=RETAIN_ONCE_MADE,
            UpdateReplacePolicy=RETAIN,
            **optional,
        ),
        depth=2,
    )
    if policy is not None:
        public: dict[str, Any] = {} if private else {"Metadata": suppressed({"E9501": _STILL_PUBLIC})}
        template.add(s3.BucketPolicy(f"{title}Policy", Bucket=Ref(bucket), PolicyDocument=policy, **public), depth=2)
    return bucket


def _lifecycle(noncurrent_days: int, expire_days: int | None) -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            Id="superseded-versions",
            Status="Enabled",
            NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=noncurrent_days),
            ExpiredObjectDeleteMarker=True,
        )
        if expire_days is None
        else s3.LifecycleRule(
            Id="expiry",
            Status="Enabled",
            ExpirationInDays=expire_days,
            NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=noncurrent_days),
        ),
        s3.LifecycleRule(
            Id="unfinished-uploads",
            Status="Enabled",
            AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(DaysAfterInitiation=3),
        ),
    ]

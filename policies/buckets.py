"""Bucket policies: TLS for everybody, and exactly one reader or writer beside the owner."""

from __future__ import annotations

from typing import Any

from awacs.aws import Action, ArnLike, Bool, Condition, Deny, PolicyDocument, Principal, Statement, StringEquals
from troposphere import Ref, Sub

from policies.statements import allow, arn, distribution_arn, document, s3_arn

ACCESS_LOG_PREFIX = "cloudfront"
"""Where in their bucket the access logs begin. Not AWSLogs/, which AWS's own log deliveries keep for themselves."""
_LOG_DELIVERY = Principal("Service", "delivery.logs.amazonaws.com")


def tls_only(bucket: str) -> PolicyDocument:
    """Nobody without TLS; who may, is for IAM to say."""
    return document(_deny_plain_http(bucket))


def cloudfront_origin(bucket: str, distribution_id: Any, *, identity: str | None = None, public: bool = False) -> PolicyDocument:
    """One CloudFront distribution reads through Origin Access Control; nobody comes without TLS.

    ListBucket makes a missing key a 404 instead of a 403, so that a real 403 stays visible (Amazon S3 API, GetObject). Source of the
    condition: CloudFront Developer Guide, "Restrict access to an Amazon S3 origin".

    While a site that was taken over changes to that, the old way stays open beside it (`environments.adoption`): `identity` is the Origin
    Access Identity that reads too; `public` lets everybody read, without TLS as well, since a website endpoint has none.
    """
    condition = StringEquals("AWS:SourceArn", distribution_arn(distribution_id))
    cloudfront = Principal("Service", "cloudfront.amazonaws.com")
    return document(
        allow("CloudFrontReads", "s3", ["GetObject"], s3_arn(f"{bucket}/*"), principal=cloudfront, condition=condition),
        allow("CloudFrontTellsMissing", "s3", ["ListBucket"], s3_arn(bucket), principal=cloudfront, condition=condition),
        *_as_before(bucket, identity, public=public),
        *([] if public else [_deny_plain_http(bucket)]),
    )


def _as_before(bucket: str, identity: str | None, *, public: bool) -> list[Statement]:
    """Source of the principal: CloudFront Developer Guide, "Give an origin access identity permission to read files in the bucket"."""
    readers = []
    if identity is not None:
        user = Sub("arn:${AWS::Partition}:iam::cloudfront:user/CloudFront Origin Access Identity " + identity)
        readers.append(("IdentityReadsAsBefore", Principal("AWS", user)))
    if public:
        readers.append(("EverybodyReadsAsBefore", Principal("*")))
    return [allow(sid, "s3", ["GetObject"], s3_arn(f"{bucket}/*"), principal=principal) for sid, principal in readers]


def log_delivery(bucket: str) -> PolicyDocument:
    """CloudWatch Logs vended delivery writes this account's logs below the prefix that the delivery destination names.

    Source: CloudWatch Logs User Guide, logs sent to Amazon S3 [V2]; CloudFront Developer Guide, "I changed the suffix path and the Amazon
    S3 bucket can't receive my logs": the policy has to name the path that is written.
    """
    return document(
        allow(
            "LogDeliveryWrites",
            "s3",
            ["PutObject"],
            s3_arn(f"{bucket}/{ACCESS_LOG_PREFIX}/*"),
            principal=_LOG_DELIVERY,
            condition=[
                StringEquals({"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": Ref("AWS::AccountId")}),
                ArnLike("aws:SourceArn", arn("logs", "delivery-source:*", region="us-east-1")),
            ],
        ),
        _deny_plain_http(bucket),
    )


def firewall_logs(bucket: str) -> PolicyDocument:
    """AWS WAF's logs are delivered like those of CloudWatch Logs (AWS WAF Developer Guide, "Permissions to publish logs to Amazon S3")."""
    ours = {"aws:SourceAccount": [Ref("AWS::AccountId")]}
    # Which delivery it is has an id that nobody knows before.
    source = ArnLike("aws:SourceArn", [arn("logs", "*", region="us-east-1")])
    return document(
        allow(
            "AWSLogDeliveryWrite",
            "s3",
            ["PutObject"],
            Sub("arn:${AWS::Partition}:s3:::" + bucket + "/AWSLogs/${AWS::AccountId}/*"),
            principal=_LOG_DELIVERY,
            condition=[StringEquals({"s3:x-amz-acl": ["bucket-owner-full-control"], **ours}), source],
        ),
        allow(
            "AWSLogDeliveryAclCheck",
            "s3",
            ["GetBucketAcl"],
            s3_arn(bucket),
            principal=_LOG_DELIVERY,
            condition=[StringEquals(ours), source],
        ),
        _deny_plain_http(bucket),
    )


def _deny_plain_http(bucket: str) -> Statement:
    return Statement(
        Sid="TlsOnly",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[Action("s3", "*")],
        Resource=[s3_arn(bucket), s3_arn(f"{bucket}/*")],
        Condition=Condition(Bool("aws:SecureTransport", "false")),
    )

"""What a person may do who approves: write records in their own name, and read what is approved."""

from __future__ import annotations

from awacs.aws import PolicyDocument

from policies.deployment import Deployment
from policies.statements import allow, document, s3_arn


def approve(names: Deployment) -> PolicyDocument:
    """`deploy.py approve`. IAM puts in who calls for `${aws:userid}`, so that nobody writes another one's record.

    Source: IAM User Guide, "IAM policy elements: Variables and tags" and its table of what aws:userid holds for each kind of principal.
    """
    every, folder = names.artifact_buckets, f"approvals/{names.environment}"
    return document(
        allow("OwnApprovals", "s3", ["PutObject"], *(s3_arn(f"{bucket}/{folder}/*/${{!aws:userid}}.json") for bucket in every)),
        allow("Approvals", "s3", ["GetObject"], *(s3_arn(f"{bucket}/{folder}/*") for bucket in every)),
        allow("Bucket", "s3", ["ListBucket", "GetBucketLocation"], *map(s3_arn, every)),
    )

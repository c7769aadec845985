"""Disaster recovery: the replica of the site bucket in another region, and later its policy.

Two stacks, because the site bucket has to know the replica before it can replicate, while the replica's policy has to know the
distribution, which is made with the site.
"""

from __future__ import annotations

from troposphere import GetAtt, Ref, Sub, s3

from environments.model import Environment
from environments.second_origin import DisasterRecovery
from policies import buckets
from stacks.replication import add_lag_alarms
from stacks.storage import private_bucket
from stacks.template import DISTRIBUTION_ID, StackTemplate


def build(env: Environment) -> StackTemplate:
    """The replica bucket, closed to all but its owner, and the bucket of the deployer's records in that region."""
    recovery = _recovery(env)
    template = StackTemplate(env, "replica", f"replica of the site bucket of {env.domain}")
    bucket = private_bucket(template, "Bucket", recovery.bucket, None)
    records = private_bucket(
        template,
        "ArtifactBucket",
        env.standby_artifact_bucket,
        buckets.tls_only(env.standby_artifact_bucket),
        noncurrent_days=env.artifacts.retention_days,
    )
    template.output("BucketName", "Name of the replica bucket", Ref(bucket))
    template.output("BucketArn", "ARN of the replica bucket", GetAtt(bucket, "Arn"))
    template.output("BucketRegionalDomainName", "Origin domain of the replica bucket", GetAtt(bucket, "RegionalDomainName"))
    template.output("ArtifactBucketName", "Bucket of the deployer's records while the home region is lost", Ref(records))
    template.output("ArtifactBucketArn", "ARN of that bucket", GetAtt(records, "Arn"))
    return template


def build_access(env: Environment) -> StackTemplate:
    """The replica bucket's policy, which admits the distribution, and the alarms that tell when it falls behind."""
    recovery = _recovery(env)
    template = StackTemplate(env, "replica-access", f"access of CloudFront to the replica bucket of {env.domain}")
    distribution = template.input("DistributionId", "Distribution that reads the replica", pattern=DISTRIBUTION_ID)
    template.add(
        s3.BucketPolicy("BucketPolicy", Bucket=recovery.bucket, PolicyDocument=buckets.cloudfront_origin(recovery.bucket, distribution))
    )
    add_lag_alarms(template, env, recovery)
    template.output("DistributionId", "Distribution that reads the replica; known here when the home region is lost", distribution)
    template.output(
        "BucketArn", "ARN of the replica bucket that the policy stands on", Sub(f"arn:${{AWS::Partition}}:s3:::{recovery.bucket}")
    )
    return template


def _recovery(env: Environment) -> DisasterRecovery:
    if env.disaster_recovery is None:
        raise ValueError(f"{env.name} has no disaster recovery")
    return env.disaster_recovery

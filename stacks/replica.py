"""Disaster recovery: the replica of the site bucket in another region, and later its policy.

Two stacks, because the site bucket has to know the replica before it can replicate, while the replica's policy has to know the
distribution, which is made with the site.
"""

from __future__ import annotations

from troposphere import GetAtt, Ref, Sub, s3

from environments.model import DisasterRecovery, Environment
from policies import buckets
from stacks.storage import private_bucket
from stacks.template import DISTRIBUTION_ID, StackTemplate


def build(env: Environment) -> StackTemplate:
    """The replica bucket, closed to all but its owner."""
    recovery = _recovery(env)
    template = StackTemplate(env, "replica", f"replica of the site bucket of {env.domain}")
    bucket = private_bucket(template, "Bucket", recovery.bucket, None)
    template.output("BucketName", "Name of the replica bucket", Ref(bucket))
    template.output("BucketArn", "ARN of the replica bucket", GetAtt(bucket, "Arn"))
    template.output("BucketRegionalDomainName", "Origin domain of the replica bucket", GetAtt(bucket, "RegionalDomainName"))
    return template


def build_access(env: Environment) -> StackTemplate:
    """The replica bucket's policy, which admits the distribution."""
    recovery = _recovery(env)
    template = StackTemplate(env, "replica-access", f"access of CloudFront to the replica bucket of {env.domain}")
    distribution = template.input("DistributionId", "Distribution that reads the replica", pattern=DISTRIBUTION_ID)
    template.add(
        s3.BucketPolicy("BucketPolicy", Bucket=recovery.bucket, PolicyDocument=buckets.cloudfront_origin(recovery.bucket, distribution))
    )
    template.output(
        "BucketArn", "ARN of the replica bucket that the policy stands on", Sub(f"arn:${{AWS::Partition}}:s3:::{recovery.bucket}")
    )
    return template


def _recovery(env: Environment) -> DisasterRecovery:
    if env.disaster_recovery is None:
        raise ValueError(f"{env.name} has no disaster recovery")
    return env.disaster_recovery

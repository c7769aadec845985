"""The regions of the `aws` partition, and which of them an account has to opt into.

Opt-in regions need more: regional STS tokens, and the regional CloudFormation principal in the trust of StackSet roles.
Sources: botocore's endpoint data for the names (a test compares), AWS Account Management for the opt-in rule: regions launched
after 2019-03-20 are disabled until enabled.
"""

from __future__ import annotations

DEFAULT_REGIONS = frozenset(
    {
        "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
        "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1",
        "us-west-2",
    }
)  # fmt: skip
OPT_IN_REGIONS = frozenset(
    {
        "af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
        "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1",
        "mx-central-1",
    }
)  # fmt: skip
REGIONS = DEFAULT_REGIONS | OPT_IN_REGIONS

LAMBDA_EDGE_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "sa-east-1",
)
"""Regions that run Lambda@Edge replicas, so where their logs land. Source: CloudFront Developer Guide, service-linked role for
Lambda Replicator; the page does not say that the list is complete."""

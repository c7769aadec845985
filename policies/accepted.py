"""Findings of IAM validators (parliament, cloudsplaining) that stay, by the resource that holds the policy, each with its reason.

In: nothing. Out: `ACCEPTED`, which `stacks.template.accepted` writes into the resource's Metadata.
Never: outlives its finding; `tests/unit/policies/test_validators.py` fails for one that no validator has any more.
"""

from __future__ import annotations

from typing import NamedTuple


class Accepted(NamedTuple):
    """A finding, in the words of the tool that reports it."""

    finding: str
    """`TOOL-ISSUE`."""
    reason: str
    applies_to: tuple[str, ...] = ()
    """Actions; empty: all of the policy."""


_NEWER = "newer than the tool's data; known to the service authorization data that cfn-lint ships"
_UNKNOWN, _MISMATCH = "parliament-UNKNOWN_ACTION", "parliament-RESOURCE_MISMATCH"
_EVENTS = Accepted(_UNKNOWN, _NEWER, ("cloudformation:DescribeEvents",))

ACCEPTED: dict[str, tuple[Accepted, ...]] = {
    "ServiceRole": (
        Accepted("parliament-RESOURCE_STAR", "what is made anew at the edge has no ARN yet", (
            "cloudfront:CreateCachePolicy", "cloudfront:CreateDistribution", "cloudfront:CreateFunction",
            "cloudfront:CreateResponseHeadersPolicy",
        )),
        Accepted(_MISMATCH, "the service authorization data names the topic, older data no resource", (
            "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe",
        )),
        Accepted(_UNKNOWN, _NEWER, ("lambda:GetFunctionScalingConfig", "s3:GetBucketAbac")),
        Accepted("parliament-MISMATCHED_TYPE_BUT_USABLE", "iam:PermissionsBoundary is compared as a whole, as in the IAM User Guide"),
    ),
    "ServiceDomainPolicy": (
        Accepted(_MISMATCH, "of the two resource types, health checks and zones, only health checks are tagged", (
            "route53:ChangeTagsForResource",
        )),
    ),
    "DeployPolicy": (
        Accepted(_MISMATCH, "the service authorization data names the quota, older data no resource", ("servicequotas:GetServiceQuota",)),
        _EVENTS,
    ),
    "PlanPolicy": (
        Accepted(_MISMATCH, "the service authorization data names the quota, older data no resource", ("servicequotas:GetServiceQuota",)),
        _EVENTS,
    ),
    "DeployBoundary": (
        Accepted(_MISMATCH, "Describe*, Get* and List* stand for the policies' own actions; a boundary grants nothing"),
    ),
}  # fmt: skip

"""What both a planner and a deployer read; each of them may more beside it (`policies.planning`, `policies.deployment`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from awacs.aws import Action, Allow, Statement

from policies.statements import allow, arn, web_acls

STACKS = (
    "DescribeChangeSet",
    "ListChangeSets",
    "DescribeStacks",
    "DescribeStackEvents",
    "DescribeEvents",
    "DescribeStackResources",
    "DescribeStackResource",
    "ListStackResources",
    "GetTemplate",
    "GetTemplateSummary",
    "GetStackPolicy",
    "DetectStackDrift",
    "DetectStackResourceDrift",
    "DescribeStackResourceDrifts",
)

STACKSETS = (
    "DescribeStackSet",
    "DescribeStackInstance",
    "ListStackInstances",
    "DescribeStackSetOperation",
    "ListStackSetOperations",
    "ListStackSetOperationResults",
    "ListStackInstanceResourceDrifts",
    "DetectStackSetDrift",
)

# None of these takes a resource (Service Authorization Reference). BatchDescribeTypeConfigurations is for drift detection.
# DescribeLogGroups asks for groups that a replica made before the StackSet; AWS reports it as a call on a group without a name.
WITHOUT_RESOURCE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cloudformation": (
            "BatchDescribeTypeConfigurations",
            "DescribeAccountLimits",
            "DescribeStackDriftDetectionStatus",
            "ListStackSets",
            "ListStacks",
        ),
        "cloudfront": ("ListCachePolicies", "ListDistributions", "ListOriginAccessControls", "ListResponseHeadersPolicies"),
        "iam": ("GetAccountSummary",),
        "logs": ("DescribeLogGroups",),
        "route53": ("ListHostedZones", "ListHostedZonesByName"),
        "wafv2": ("ListWebACLs",),
    }
)


def look(**more: tuple[str, ...]) -> Statement:
    """The calls that take no resource, and `more` of a service."""
    services = dict.fromkeys((*WITHOUT_RESOURCE, *more))
    return Statement(
        Sid="Look",
        Effect=Allow,
        Action=[
            Action(service, name) for service in services for name in sorted((*WITHOUT_RESOURCE.get(service, ()), *more.get(service, ())))
        ],
        Resource=["*"],
    )


def places() -> list[Statement]:
    """Regions, quotas and zones of the account."""
    return [
        allow("Regions", "account", ["GetRegionOptStatus", "ListRegions"], arn("account", "account")),
        allow("Quotas", "servicequotas", ["GetServiceQuota"], arn("servicequotas", "*", region="us-east-1")),
        allow("Zones", "route53", ["GetHostedZone", "ListResourceRecordSets"], arn("route53", "hostedzone/*", account="")),
    ]


def standing(prefix: str, *, firewall: bool) -> list[Statement]:
    """What stands already under the names of stacks that are not there yet, and its tags; `inventory/` looks before a first creation."""
    topics_and_alarms = Statement(
        Sid="Standing",
        Effect=Allow,
        # Together, as a managed policy of the longest names has no room for two statements: no service's action has another's resources.
        Action=[Action("sns", "GetTopicAttributes"), Action("sns", "ListTagsForResource"), Action("cloudwatch", "DescribeAlarms")],
        Resource=[arn("sns", f"{prefix}-*", region="*"), arn("cloudwatch", f"alarm:{prefix}-*", region="us-east-1")],
    )
    return [topics_and_alarms, *([allow("WebAcls", "wafv2", ["ListTagsForResource"], web_acls(prefix))] if firewall else [])]

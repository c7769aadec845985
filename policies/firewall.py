"""What CloudFormation may do with the web ACL of the site."""

from __future__ import annotations

from awacs.aws import Statement

from policies.statements import allow, arn, web_acls

_FIREWALL = (
    "CreateWebACL",
    "GetWebACL",
    "UpdateWebACL",
    "DeleteWebACL",
    "PutLoggingConfiguration",
    "GetLoggingConfiguration",
    "DeleteLoggingConfiguration",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
)


def provision(prefix: str) -> list[Statement]:
    """Make, change and delete the web ACL and where its logs go."""
    return [
        allow("Firewall", "wafv2", _FIREWALL, web_acls(prefix)),
        # A web ACL with managed groups is made and changed with permission for these too (Service Authorization Reference).
        # Which delivery it is has an id that nobody knows before, and the actions take no resource.
        allow("FirewallLogs", "logs", ["CreateLogDelivery", "DeleteLogDelivery"], "*"),
        allow("ManagedRules", "wafv2", ["CreateWebACL", "UpdateWebACL"], arn("wafv2", "global/managedruleset/*/*", region="us-east-1")),
    ]

"""AWS WAF: managed rule groups, the capacity of a web ACL, and where its logs go.

Sources: AWS WAF Developer Guide ("AWS Managed Rules rule groups list", "Web ACL capacity units", "Logging AWS WAF protection pack (web
ACL) traffic").
"""

from __future__ import annotations

from collections.abc import Iterator

from refusals.values import At, Deployment, Problem, Resource, refusal

_GUIDE = "https://docs.aws.amazon.com/waf/latest/developerguide"
_ACL, _LOGGING = "AWS::WAFv2::WebACL", "AWS::WAFv2::LoggingConfiguration"
CAPACITY = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesWordPressRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesACFPRuleSet": 50,
    "AWSManagedRulesATPRuleSet": 50,
    "AWSManagedRulesBotControlRuleSet": 50,
    "AWSManagedRulesAntiDDoSRuleSet": 50,
}
"""Group of AWS -> the units that it needs."""
MOST = 5000
LOG_NAMES = (":s3:::aws-waf-logs-", ":log-group:aws-waf-logs-", ":deliverystream/aws-waf-logs-")


@refusal(
    "E9220",
    _ACL,
    f"{_GUIDE}/aws-managed-rule-groups-list.html",
    more=f"At most {MOST} units; a name that AWS does not have fails when the web ACL is made.",
)
def groups(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A web ACL uses groups that AWS has, and no more capacity than there is."""
    used = 0
    for rule in resource.properties.items("Rules"):
        group = rule.at("Statement", "ManagedRuleGroupStatement")
        name = group.at("Name")
        if group.at("VendorName").literal != "AWS" or not name.literal:
            continue
        if name.literal not in CAPACITY:
            yield name.path, f"AWS has no group {name.literal!r}; it has {', '.join(sorted(CAPACITY))}"
        used += CAPACITY.get(name.literal, 0)
    if used > MOST:
        yield ("Rules",), f"the groups need {used} units of capacity, more than {MOST}"


@refusal("E9221", _LOGGING, f"{_GUIDE}/logging-s3.html")
def logs(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """The logs of a web ACL go to a place whose name begins with aws-waf-logs-.

    A bucket, a log group or a stream of Firehose; AWS WAF refuses any other name.
    """
    for destination in resource.properties.items("LogDestinationConfigs"):
        if destination.text is not None and not _named(destination, deployment):
            yield destination.path, "the name of the destination does not begin with aws-waf-logs-"


def _named(destination: At, deployment: Deployment) -> bool:
    made = deployment.meant(destination)
    if made is None:
        text = destination.text or ""
        return text.startswith("${") or any(name in text for name in LOG_NAMES)
    names = [made.properties.at(key) for key in ("BucketName", "LogGroupName", "DeliveryStreamName")]
    given = [name for name in names if name.there]
    # A name that CloudFormation makes up begins with the stack's.
    return all((name.text or "").startswith(("aws-waf-logs-", "${")) for name in given) and bool(given)

"""A firewall before the site: an AWS WAF web ACL of CloudFront, so in us-east-1, that counts or blocks.

It sees a request before the cache and before Basic Auth, which makes its rate limit the answer to whoever guesses passwords. Every rule
can count before it blocks. The order is that of what it costs to be wrong: too many requests, known attacks, AWS's core rules.
"""

from __future__ import annotations

from typing import Any

from troposphere import GetAtt, wafv2

from environments.firewall import Firewall, RuleMode
from environments.model import Environment
from policies import buckets
from stacks.storage import private_bucket
from stacks.template import StackTemplate

VENDOR = "AWS"
KNOWN_BAD_INPUTS = "AWSManagedRulesKnownBadInputsRuleSet"
CORE = "AWSManagedRulesCommonRuleSet"
"""AWS WAF Developer Guide, "Baseline rule groups"."""


def build(env: Environment) -> StackTemplate:
    """The template. Only for an environment with a firewall."""
    assert env.firewall is not None
    template = StackTemplate(env, "firewall", f"what reaches {env.domain}")
    acl = template.add(
        wafv2.WebACL(
            "WebAcl",
            Name=env.firewall_name,
            Description=f"Before {env.domain}",
            Scope="CLOUDFRONT",
            DefaultAction=wafv2.DefaultAction(Allow=wafv2.AllowAction()),
            Rules=_rules(env.firewall),
            VisibilityConfig=_visible(env.firewall_name),
        )
    )
    if env.firewall.logs == "bucket":
        _logs(template, env, env.firewall, acl)
    template.output("WebAclArn", "ARN of the web ACL", GetAtt(acl, "Arn"))
    template.output("WebAclName", "Name of the web ACL, which its metrics carry", env.firewall_name)
    return template


def _rules(firewall: Firewall) -> list[wafv2.WebACLRule]:
    rate = wafv2.Statement(
        RateBasedStatement=wafv2.RateBasedStatement(
            Limit=firewall.rate_limit, EvaluationWindowSec=firewall.rate_window_seconds, AggregateKeyType="IP"
        )
    )
    # A rule has an action of its own, a group of rules an override of theirs.
    rules = [
        ("rate", firewall.rate, rate, {"Action": wafv2.RuleAction(**_action(firewall.rate))}),
        ("known-bad-inputs", firewall.known_bad_inputs, _group(KNOWN_BAD_INPUTS), _override(firewall.known_bad_inputs)),
        ("core", firewall.core_rules, _group(CORE), _override(firewall.core_rules)),
    ]
    return [
        wafv2.WebACLRule(Name=name, Priority=priority, Statement=statement, VisibilityConfig=_visible(name), **verdict)
        for priority, (name, mode, statement, verdict) in enumerate(rules)
        if mode != "off"
    ]


def _action(mode: RuleMode) -> dict[str, Any]:
    return {"Block": wafv2.BlockAction()} if mode == "block" else {"Count": wafv2.CountAction()}


def _override(mode: RuleMode) -> dict[str, Any]:
    verdict: dict[str, Any] = {"None": {}} if mode == "block" else {"Count": {}}
    return {"OverrideAction": wafv2.OverrideAction(**verdict)}


def _group(name: str) -> wafv2.Statement:
    return wafv2.Statement(ManagedRuleGroupStatement=wafv2.ManagedRuleGroupStatement(VendorName=VENDOR, Name=name))


def _visible(metric: str) -> wafv2.VisibilityConfig:
    return wafv2.VisibilityConfig(CloudWatchMetricsEnabled=True, MetricName=metric, SampledRequestsEnabled=True)


def _logs(template: StackTemplate, env: Environment, firewall: Firewall, acl: wafv2.WebACL) -> None:
    name = env.firewall_log_bucket
    bucket = private_bucket(
        template, "LogBucket", name, buckets.firewall_logs(name), noncurrent_days=7, expire_days=firewall.log_retention_days
    )
    template.add(
        wafv2.LoggingConfiguration(
            "Logging",
            ResourceArn=GetAtt(acl, "Arn"),
            LogDestinationConfigs=[GetAtt(bucket, "Arn")],
            # A request's credentials have no place in a log.
            RedactedFields=[
                wafv2.LoggingConfigurationFieldToMatch(SingleHeader=wafv2.SingleHeader(Name=header))
                for header in ("authorization", "cookie")
            ],
            # AWS WAF writes this policy itself where it is missing, and CloudFormation would find another one than its own.
            DependsOn=["LogBucketPolicy"],
        )
    )
    template.output("LogBucketName", "Bucket of the firewall's logs", name)

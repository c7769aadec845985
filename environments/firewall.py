"""The firewall before the site, as an environment file describes it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from environments.value import Value

RuleMode = Literal["off", "count", "block"]
"""What a rule of the firewall does with a request that it matches; `count` only counts it."""


class Firewall(Value, frozen=True, kw_only=True):
    """An AWS WAF web ACL before the distribution, so also before Basic Auth; without this key there is none."""

    rate_limit: Annotated[int, Meta(ge=10, le=2_000_000_000)] = 2000
    """Requests of one address in the window; an address with more is counted or blocked until it asks less."""
    rate_window_seconds: Literal[60, 120, 300, 600] = 300
    """Length of the window of rate_limit."""
    rate: RuleMode = "count"
    """What happens to an address above the limit: blocked, counted, or nothing."""
    core_rules: RuleMode = "count"
    """AWS's managed group AWSManagedRulesCommonRuleSet."""
    known_bad_inputs: RuleMode = "count"
    """AWS's managed group AWSManagedRulesKnownBadInputsRuleSet."""
    logs: Literal["none", "bucket"] = "none"
    """`bucket`: every request's verdict goes to a bucket of its own, whose name AWS wants to begin with aws-waf-logs-."""
    log_retention_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    """Days that the firewall's logs stay."""
    blocked_requests: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 1000
    """More blocked requests than that in five minutes are an alarm."""

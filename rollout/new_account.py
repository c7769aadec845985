"""What AWS holds back from an account that it does not know yet.

In: numbers that AWS tells. Out: what they mean, and what to do.
Never: asks AWS.
"""

from __future__ import annotations

from typing import Literal

SUPPORT = "open a case at https://console.aws.amazon.com/support/home#/ with AWS's words in it"
"""There is no call for it: the Support API wants a paid plan."""

CONCURRENCY_WANTED = 100
"""Below this many executions at once a few visitors that load a page together are too many, and get 503."""

CONCURRENCY_DEFAULT = 1000
"""Source: AWS Lambda Developer Guide, "Lambda quotas", which also says that new accounts have less."""

CONCURRENCY_QUOTA = "L-B99A9384"
"""Service Quotas code of Lambda's concurrent executions, by region."""


def first_distribution(account_id: str, distributions: int) -> tuple[Literal["ok", "unknown"], str, str]:
    """Level, message and next step: CloudFront does not tell whether it takes a first distribution until one is made."""
    if distributions:
        return "ok", f"CloudFront takes distributions from account {account_id}: it has {distributions}", ""
    message = (
        f"account {account_id} has no distribution yet, and CloudFront tells only with the first one whether AWS has to verify the account"
    )
    return "unknown", message, f'if the site stack fails with "Your account must be verified": {SUPPORT}'


def concurrency(limit: float, region: str) -> tuple[Literal["ok", "warning"], str, str]:
    """Level, message and next step for the number of edge functions that may run at once in a region."""
    message = f"Lambda runs {limit:g} functions at once in {region}"
    if limit >= CONCURRENCY_WANTED:
        return "ok", message, ""
    command = (
        f"aws service-quotas request-service-quota-increase --service-code lambda --quota-code {CONCURRENCY_QUOTA}"
        f" --desired-value {CONCURRENCY_DEFAULT} --region {region}"
    )
    message += (
        ", as in a new account (usual: 1000); a request beyond that gets 503. Every region of the edge function has a quota of its own"
    )
    return "warning", message, command

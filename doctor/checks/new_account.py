"""What AWS holds back from an account that it does not know yet: edge functions at once, and the first distribution."""

from __future__ import annotations

from collections.abc import Iterator

from aws.cloudfront import CloudFront
from doctor.check import CheckContext, check
from doctor.deployed import DISTRIBUTION, is_built
from doctor.values import CheckResult
from gateways.account import Account
from rollout import new_account


@check("quotas", "quotas", order=60, deployment=True, at_aws_only=True)
def concurrency(context: CheckContext) -> Iterator[CheckResult]:
    """In us-east-1, whose quotas the deploy role may read; the other regions of the edge are as new as this one."""
    if is_built(context, "AWS::Lambda::Function"):
        account = Account.connect(context.aws, account_id=context.assembly.account_id)
        limit = account.quota("lambda", new_account.CONCURRENCY_QUOTA).value
        level, message, command = new_account.concurrency(limit, "us-east-1")
        yield CheckResult(code="quotas", level=level, message=message, command=command)


@check("account_verified", "verification of the account by AWS", order=61, deployment=True)
def account_verified(context: CheckContext) -> Iterator[CheckResult]:
    """CloudFront tells whether it takes a first distribution only when one is made."""
    if is_built(context, DISTRIBUTION):
        account_id = context.assembly.account_id
        there = len(CloudFront.connect(context.aws, account_id=account_id).distributions())
        level, message, command = new_account.first_distribution(account_id, there)
        yield CheckResult(code="account_verified", level=level, message=message, command=command)

"""Is there room for what the stacks make?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from aws.cloudfront import CloudFront
from doctor.check import CheckContext, check, guarded
from doctor.deployed import DISTRIBUTION, distribution_id, is_built
from doctor.values import CheckResult, Fix, Level
from gateways.account import Account

USED_SHARE = 0.9
"""A quota that is used beyond this share is a warning; one that is used up a problem, if more is to be made."""


@dataclass(frozen=True)
class _Quota:
    """A quota by its Service Quotas codes."""

    what: str
    service: str
    code: str
    region: str = "us-east-1"


_DISTRIBUTIONS = _Quota("CloudFront distributions", "cloudfront", "L-24B04930")
_POLICIES = _Quota("response headers policies", "cloudfront", "L-CF0D4FC5")


@check("quotas", "quotas", order=62, deployment=True, at_aws_only=True)
def distributions(context: CheckContext) -> Iterator[CheckResult]:
    """Of CloudFront."""
    if is_built(context, DISTRIBUTION):
        front = CloudFront.connect(context.aws, account_id=context.assembly.account_id)
        yield _of_cloudfront(context, _DISTRIBUTIONS, len(front.distributions()))


@check("quotas", "quotas", order=63, deployment=True, at_aws_only=True)
def response_headers_policies(context: CheckContext) -> Iterator[CheckResult]:
    """The account's own; those of AWS do not count."""
    if is_built(context, "AWS::CloudFront::ResponseHeadersPolicy"):
        front = CloudFront.connect(context.aws, account_id=context.assembly.account_id)
        yield _of_cloudfront(context, _POLICIES, front.custom_response_headers_policies())


@check("quotas", "quotas", order=64, deployment=True, at_aws_only=True)
def stacks(context: CheckContext) -> Iterator[CheckResult | Fix]:
    """Of CloudFormation, region by region; one that does not answer does not hide the others."""
    assembly = context.assembly
    for region in sorted({stack.region for stack in assembly.stacks if stack.account_id == assembly.account_id}):
        yield from guarded("quotas", "quotas", context, partial(_stacks_of, context, region))


def _stacks_of(context: CheckContext, region: str) -> Iterator[CheckResult]:
    gateway = context.gateways.cloudformation(context.assembly.account_id, region)
    limit = gateway.stack_limit()
    if limit is not None:
        there = gateway.stack_names()
        wanted = {s.stack_name for s in context.assembly.stacks if s.kind == "stack" and s.region == region}
        quota = _Quota(f"CloudFormation stacks in {region}", "cloudformation", "L-0485CB21", region)
        yield _share(quota, len(there), limit, more=not wanted <= set(there))


def _of_cloudfront(context: CheckContext, quota: _Quota, used: int) -> CheckResult:
    limit = Account.connect(context.aws, account_id=context.assembly.account_id).quota(quota.service, quota.code).value
    return _share(quota, used, limit, more=distribution_id(context) is None)


def _share(quota: _Quota, used: int, limit: float, *, more: bool) -> CheckResult:
    """`more`: something is yet to be made that counts against the quota."""
    level: Level = "ok" if used < USED_SHARE * limit else "problem" if used >= limit and more else "warning"
    command = (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} --quota-code {quota.code}"
        f" --desired-value {2 * limit:g} --region {quota.region}"
    )
    message = f"{quota.what}: {used} of {limit:g} used"
    return CheckResult(code="quotas", level=level, message=message, command="" if level == "ok" else command)

"""Is the domain free to be an alias of the environment's distribution?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.cloudfront import CloudFront
from doctor.check import CheckContext, check
from doctor.deployed import distribution_id
from doctor.values import CheckResult


@check("alias", "alias of another distribution", order=90)
def alias(context: CheckContext) -> Iterator[CheckResult]:
    """In this account and, once the distribution exists, in others."""
    if not context.assembly.contract:
        return
    assembly, domain = context.assembly, context.assembly.site.domain
    front = CloudFront.connect(context.aws, account_id=assembly.account_id)
    own = distribution_id(context)
    elsewhere = sorted(d.id for d in front.distributions() if domain in d.aliases and d.id != own)
    for other in elsewhere:
        yield CheckResult(
            code="alias",
            level="problem",
            message=f"{domain} is an alias of the distribution {other} of this account",
            command=f"aws cloudfront get-distribution --id {other}",
        )
    if elsewhere or context.local:
        return  # a local AWS knows no other accounts' aliases
    if own is None:
        message = f"{domain}: whether another account has it as an alias, CloudFront tells only when the distribution exists"
        yield CheckResult(code="alias", level="unknown", message=message)
        return
    # CloudFront hides the first characters of the ids; its own distribution is no conflict, should it be listed.
    foreign = [(account, other) for account, other in front.conflicting_aliases(own, domain) if not own.endswith(other.lstrip("*"))]
    for account, other in foreign:
        yield CheckResult(
            code="alias",
            level="problem",
            message=f"{domain}, or a wildcard over it, is an alias of distribution {other} in account {account}",
            command=f"aws cloudfront list-conflicting-aliases --distribution-id {own} --alias {domain}",
        )
    if not foreign:
        yield CheckResult(code="alias", level="ok", message=f"{domain} is an alias of {own} and of no other distribution")

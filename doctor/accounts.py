"""Which accounts an assembly is about, and which of them can be reached."""

from __future__ import annotations

import re

from assembly.model import Assembly
from aws.errors import AwsError, NetworkError, Unavailable
from doctor.check import AccountAccess, CheckContext

_EQUAL_DIGITS = re.compile(r"(\d)\1{11}")


def accounts_of(assembly: Assembly) -> tuple[tuple[str, str | None], ...]:
    """Every account that the assembly is about and the role that leads there (None: the deploy role or the caller's own)."""
    found: dict[str, str | None] = {assembly.account_id: None}
    for stack in assembly.stacks:
        found.setdefault(stack.account_id, stack.role_arn)
    if assembly.hosted_zone is not None:
        found.setdefault(assembly.hosted_zone.account_id, assembly.hosted_zone.role_arn)
    return tuple(found.items())


def reach(context: CheckContext) -> tuple[AccountAccess, ...]:
    """Ask each account who we are there."""
    return tuple(_reached(context, account_id, role_arn) for account_id, role_arn in accounts_of(context.assembly))


def _reached(context: CheckContext, account_id: str, role_arn: str | None) -> AccountAccess:
    if _EQUAL_DIGITS.fullmatch(account_id) and not context.local:
        return AccountAccess(account_id=account_id)
    # First in a region that is never off: whether the home region is on, is a question of its own. Only a lost one is no answer.
    for region in dict.fromkeys(("us-east-1", context.assembly.home_region)):
        try:
            client = context.aws.client("sts", account_id=account_id, region=region, role_arn=role_arn)
            return AccountAccess(account_id=account_id, arn=client.get_caller_identity()["Arn"])
        except (NetworkError, Unavailable) as error:
            refused: AwsError = error
        except AwsError as error:
            return AccountAccess(account_id=account_id, error=error)
    return AccountAccess(account_id=account_id, error=refused)

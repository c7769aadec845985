"""Can every account be reached?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.errors import AccessDenied, CredentialsError
from doctor.check import CheckContext, check
from doctor.values import CheckResult, Level


@check("credentials", "credentials", order=20, asks_aws=False)
def credentials(context: CheckContext) -> Iterator[CheckResult]:
    """One answer an account. The engine has asked already, since all other checks depend on it."""
    for access in context.accounts:
        error = access.error
        if isinstance(error, CredentialsError):
            yield CheckResult(code="credentials", level="problem", message=str(error), command=context.hint(error))
        elif error is not None:
            level: Level = "problem" if isinstance(error, AccessDenied) else "unknown"
            yield CheckResult(code="credentials", level=level, message=f"account {access.account_id}: {error}", command=context.hint(error))
        elif access.arn:
            yield CheckResult(code="credentials", level="ok", message=f"account {access.account_id} is reached as {access.arn}")
        else:
            message = f"account {access.account_id} is a placeholder; AWS was not asked about it"
            yield CheckResult(code="credentials", level="unknown", message=message)

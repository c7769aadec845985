"""Is the Basic Auth secret there, well formed, and for the configured user?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.secrets import Secrets
from doctor.check import CheckContext, check
from doctor.values import CheckResult
from operations.credential import CredentialError, from_json


@check("secret", "Basic Auth secret", order=100)
def secret(context: CheckContext) -> Iterator[CheckResult]:
    """Never shows what is stored, not even another user's name."""
    wanted = context.assembly.basic_auth_secret
    if wanted is None:
        yield CheckResult(code="secret", level="ok", message="no Basic Auth here, so no secret is needed")
        return
    store = Secrets.connect(context.aws, account_id=context.assembly.account_id, region=wanted.region)
    text = store.text(wanted.secret)
    again = context.command("set-password")
    if text is None:
        message = f"there is no secret {wanted.secret} in {wanted.region}, or it is scheduled for deletion (a new password restores it)"
        yield CheckResult(code="secret", level="problem", message=message, command=again)
        return
    try:
        credential = from_json(text)
    except CredentialError as error:
        yield CheckResult(
            code="secret", level="problem", message=f"the secret {wanted.secret}: {str(error).partition(';')[0]}", command=again
        )
        return
    if credential.username != wanted.username:
        message = f"the secret {wanted.secret} is for another user name than the configured {wanted.username!r}"
        yield CheckResult(code="secret", level="problem", message=message, command=again)
        return
    yield CheckResult(code="secret", level="ok", message=f"the secret {wanted.secret} holds a hash for {wanted.username!r}")

"""Is a certificate that somebody else makes there, issued, and for every name that counts here?"""

from __future__ import annotations

from collections.abc import Iterator

from assembly.certificate_names import certificate_covers
from aws.acm import Acm, Certificate
from aws.errors import NotFound
from doctor.check import CheckContext, check
from doctor.relied_on import foreign_arn
from doctor.values import CheckResult

CODE = "foreign_certificate"
REGION = "us-east-1"


@check(CODE, "certificate of others", order=85, deployment=True, at_aws_only=True)
def foreign_certificate(context: CheckContext) -> Iterator[CheckResult]:
    """Nothing where the platform makes its own."""
    arn = foreign_arn(context.assembly)
    if not arn:
        return
    try:
        found = Acm.connect(context.aws, account_id=context.assembly.account_id, region=REGION).certificate(arn)
    except NotFound:
        yield _problem(context, f"there is no certificate {arn} in account {context.assembly.account_id}")
        return
    yield from _judged(context, found)


def _judged(context: CheckContext, found: Certificate) -> Iterator[CheckResult]:
    wanted = context.assembly.site.certificate_names
    missing = sorted({name for name in wanted if not any(certificate_covers(each, name) for each in found.names)})
    if found.status != "ISSUED":
        yield _problem(context, f"the certificate {found.arn} is {found.status}; CloudFront takes one that is ISSUED")
    elif missing:
        names = ", ".join(found.names)
        yield _problem(context, f"the certificate {found.arn} is not for {', '.join(missing)}, but for {names}")
    else:
        ends = f", until {found.not_after:%Y-%m-%d}" if found.not_after is not None else ""
        message = f"the certificate {found.arn} of others is issued{ends}; the alarm CertificateExpiry watches that"
        yield CheckResult(code=CODE, level="ok", message=message)


def _problem(context: CheckContext, message: str) -> CheckResult:
    edit = f"edit environments/{context.environment}.yaml: certificate.arn, or leave it out to have one made"
    return CheckResult(code=CODE, level="problem", message=message, command=edit)

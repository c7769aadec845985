"""Do tokens of STS work in every region, and does the home region's endpoint answer?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.errors import AccessDenied, CredentialsError
from aws.iam import Iam
from doctor.check import CheckContext, check
from doctor.values import CheckResult


@check("sts_tokens", "version of STS tokens", order=40)
def tokens(context: CheckContext) -> Iterator[CheckResult]:
    """Opt-in regions refuse version 1."""
    version = Iam.connect(context.aws, account_id=context.assembly.account_id).global_token_version()
    if version >= 2:
        yield CheckResult(code="sts_tokens", level="ok", message="tokens of the global STS endpoint are valid in all regions (version 2)")
        return
    yield CheckResult(
        code="sts_tokens",
        level="warning",
        message="tokens of the global STS endpoint are version 1, which opt-in regions refuse; this deployer uses regional endpoints,"
        " other tools may not",
        command="aws iam set-security-token-service-preferences --global-endpoint-token-version v2Token",
    )


@check("sts_endpoint", "STS endpoint of the home region", order=50)
def endpoint(context: CheckContext) -> Iterator[CheckResult]:
    """STS can be switched off by region (IAM User Guide, "Manage AWS STS in an AWS Region"), and is off where the region is."""
    assembly, region = context.assembly, context.assembly.home_region
    try:
        context.aws.client("sts", account_id=assembly.account_id, region=region).get_caller_identity()
    except (AccessDenied, CredentialsError) as error:
        yield CheckResult(
            code="sts_endpoint",
            level="problem",
            message=f"the STS endpoint of {region} refuses these credentials: {error.message}",
            command=f"aws account get-region-opt-status --region-name {region}",
        )
        return
    yield CheckResult(code="sts_endpoint", level="ok", message=f"the STS endpoint of {region} answers")

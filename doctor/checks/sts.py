"""Do tokens of STS work in every region, and does the endpoint of each region that the stacks are in answer?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.errors import AccessDenied, CredentialsError, NetworkError, Unavailable
from aws.iam import Iam
from doctor.check import CheckContext, check
from doctor.values import CheckResult


@check("sts_tokens", "version of STS tokens", order=40, at_aws_only=True)
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
    assembly, home = context.assembly, context.assembly.home_region
    for region in dict.fromkeys((home, *(stack.region for stack in assembly.stacks))):
        code, message, command = "sts_endpoint", f"the STS endpoint of {region} answers", ""
        try:
            context.aws.client("sts", account_id=assembly.account_id, region=region).get_caller_identity()
        except (AccessDenied, CredentialsError) as error:
            message = f"the STS endpoint of {region} refuses these credentials: {error.message}"
            command = f"aws account get-region-opt-status --region-name {region}"
        except (NetworkError, Unavailable) as error:
            message = f"{region} does not answer, not even to say who is asking: {error.message}"
            command = context.command("runbook", "us-east-1" if region == "us-east-1" else "region-lost", "--no-aws")
        if command or region == home:
            yield CheckResult(code=code, level="problem" if command else "ok", message=message, command=command)

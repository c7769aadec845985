"""Does anything stand where a stack that is not there yet would make its own? The same looks as `plan` (`inventory/`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assembly.model import Stack
from aws.cloudformation.gateway import CloudFormation
from aws.route53 import Route53
from aws.s3 import S3
from doctor.check import CheckContext, stack_check
from doctor.values import CheckResult, Level
from gateways.existing import ExistingResources
from guards import documents
from inventory.absent import survey_absent
from inventory.model import Fate
from operations.gateways import cloudformation_of

_LEVELS: dict[Fate, Level] = {"refused": "problem", "taken_over": "warning", "unknown": "unknown"}


@stack_check("stands_already", kind="stack")
def stands_already(context: CheckContext, stack: Stack) -> Iterator[CheckResult]:
    """What an earlier deployment left is named too: the next apply takes it over."""
    live = cloudformation_of(stack, context.gateways).describe_stack(stack.stack_name)
    if live is not None and live.deployed:
        return
    template = documents.loads(context.templates[stack.id])
    for verdict in survey_absent(context.assembly, stack, template, _Gateways(context)):
        yield CheckResult(
            code="stands_already",
            level=_LEVELS.get(verdict.fate, "warning"),
            message=verdict.message,
            command=context.command("plan") if verdict.fate == "taken_over" else verdict.command,
            stack=stack.id,
        )


@dataclass(frozen=True)
class _Gateways:
    """`InventoryGateways` of what a check is given."""

    context: CheckContext

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        return self.context.gateways.cloudformation(account_id, region, role_arn)

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> ExistingResources:
        return ExistingResources.connect(self.context.aws, account_id=account_id, region=region, role_arn=role_arn)

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> S3:
        return S3.connect(self.context.aws, account_id=account_id, region=region, role_arn=role_arn)

    def route53(self, account_id: str, role_arn: str | None = None) -> Route53:
        return Route53.connect(self.context.aws, account_id=account_id, role_arn=role_arn)

"""Is every region enabled that the stacks go to?"""

from __future__ import annotations

from collections.abc import Iterator

from doctor.accounts import accounts_of
from doctor.check import CheckContext, check
from doctor.values import CheckResult
from gateways.account import Account


@check("regions", "regions", order=30, deployment=True)
def regions(context: CheckContext) -> Iterator[CheckResult]:
    """Account by account, those of StackSet instances too."""
    roles = dict(accounts_of(context.assembly))
    for account_id, wanted in _wanted(context).items():
        account = Account.connect(context.aws, account_id=account_id, role_arn=roles.get(account_id))
        missing = sorted(wanted - account.enabled_regions())
        for region in missing:
            status = account.region_status(region)
            if status == "ENABLING":
                message = f"{region} is being enabled in account {account_id}, which takes minutes to hours"
                yield CheckResult(code="regions", level="warning", message=message, command=context.command("doctor"))
            else:
                command = f"aws account enable-region --region-name {region}"
                yield CheckResult(code="regions", level="problem", message=f"{region} is {status} in account {account_id}", command=command)
        if not missing:
            names = ", ".join(sorted(wanted)) if len(wanted) <= 4 else f"all {len(wanted)} regions"
            yield CheckResult(code="regions", level="ok", message=f"{names} enabled in account {account_id}")


def _wanted(context: CheckContext) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for stack in context.assembly.stacks:
        wanted.setdefault(stack.account_id, set()).add(stack.region)
        if stack.stackset:
            for account_id in stack.stackset.targets.accounts:
                wanted.setdefault(account_id, set()).update(stack.stackset.targets.regions)
    return wanted

"""Is the hosted zone there, and does the public DNS lead to it?"""

from __future__ import annotations

from collections.abc import Iterator

from aws.errors import Conflict, NotFound
from aws.route53 import Route53
from doctor.check import CheckContext, check
from doctor.values import CheckResult
from operations import delegation


@check("hosted_zone", "hosted zone", order=70, deployment=True)
def hosted_zone(context: CheckContext) -> Iterator[CheckResult]:
    """The zone by its id, or by its name; then its delegation."""
    if not context.assembly.contract:
        return
    zone = context.assembly.zone
    if zone.account_id not in context.reachable:
        message = f"hosted zone {zone.name}: account {zone.account_id} cannot be reached"
        yield CheckResult(code="hosted_zone", level="unknown", message=message)
        return
    route53 = Route53.connect(context.aws, account_id=zone.account_id, role_arn=zone.role_arn)
    zone_id = zone.id
    file = f"environments/{context.environment}.yaml"
    question = delegation.Question(name=zone.name, account_id=zone.account_id, file=file, again=context.command("doctor"))
    if zone_id is None:
        try:
            zone_id = route53.find_public_zone(zone.name).id
        except Conflict as error:
            yield CheckResult(code="hosted_zone", level="problem", message=error.message, command=f"edit {file}, hosted_zone.id")
            return
        except NotFound:
            yield _result("hosted_zone", delegation.missing(question, context.resolver))
            return
    try:
        wanted = route53.delegation(zone_id)
    except NotFound:
        message = f"account {zone.account_id} has no hosted zone {zone_id}, which the configuration names"
        yield CheckResult(code="hosted_zone", level="problem", message=message, command=f"edit {file}, hosted_zone.id")
        return
    yield CheckResult(code="hosted_zone", level="ok", message=f"hosted zone {zone.name} is {zone_id} in account {zone.account_id}")
    if not context.local:
        yield _result("delegation", delegation.delegated(question, wanted, context.resolver))


def _result(code: str, found: delegation.Verdict) -> CheckResult:
    return CheckResult(code=code, level=found.level, message=found.message, command=found.command)

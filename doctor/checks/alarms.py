"""Does anybody hear of the alarms?"""

from __future__ import annotations

from collections.abc import Iterator

from assembly import commands
from doctor.check import CheckContext, check
from doctor.values import CheckResult
from guards import documents

MONITORING = "monitoring"


@check("alarm_recipient", "alarms", order=15, asks_aws=False, deployment=True)
def alarm_recipient(context: CheckContext) -> Iterator[CheckResult]:
    """A topic without a subscription in its template reaches nobody, unless somebody subscribes by hand."""
    template = context.templates.get(MONITORING)
    if context.local or template is None:
        return
    resources = documents.loads(template)["Resources"].values()
    types = {resource["Type"] for resource in resources}
    addresses = any(resource["Type"] == "AWS::SNS::Topic" and resource.get("Properties", {}).get("Subscription") for resource in resources)
    if "AWS::SNS::Topic" not in types:
        return
    if addresses or "AWS::SNS::Subscription" in types:
        yield CheckResult(code="alarm_recipient", level="ok", message="the alarms have a recipient")
        return
    yield CheckResult(
        code="alarm_recipient",
        level="warning",
        message=f"the alarms reach nobody: environments/{context.environment}.yaml has no monitoring.alarm_email",
        command=f"edit environments/{context.environment}.yaml: monitoring.alarm_email\n{commands.build(context.environment)}",
    )

"""What the placeholders of a runbook stand for in one environment.

In: an assembly, its templates, the outputs that are deployed, the states of alarms. Out: a text for each name, also for what this
environment does not have or what could not be asked.
Never: asks AWS.

Names: `environment`, `account_id` and the other plain ones of `_plain`; `stack.ID` for a stack's name; `ID.OUTPUT` for a deployed output;
`alarm.ID` for an alarm with its state; `console.WHAT` for a link into the AWS console.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from assembly.model import Assembly, Stack
from guards import documents

MONITORING = "monitoring"
ON = "ALARM"
"""State of an alarm that is on (CloudWatch API, MetricAlarm.StateValue)."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """What AWS said; None: it was not asked, or did not answer."""

    outputs: Mapping[str, Mapping[str, str]] | None = None
    """By stack."""
    alarms: Mapping[str, str] | None = None
    """State of each alarm that there is, by its name."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of one environment."""

    assembly: Assembly
    alarm_names: Mapping[str, str]
    """By logical id."""
    live: Live = field(default_factory=Live)
    local: bool = False
    """On the local AWS, which has no console: a link would lead to somebody's real account."""

    def __call__(self, name: str) -> str:
        """The text for a placeholder. Raises `KeyError` for a name of no kind that there is."""
        kind, _, rest = name.partition(".")
        if not rest:
            return self._plain()[name]
        if kind == "alarm":
            return self._alarm(rest)
        if kind == "stack":
            stack = self._stack(rest)
            return stack.stack_name if stack else f"no stack {rest} in {self.assembly.environment}"
        if kind == "console":
            return "the local AWS has no console" if self.local else self._link(rest)
        return self._output(kind, rest)

    def state(self, alarm: str) -> str:
        """State of an alarm by its logical id; "" where it is not known."""
        return (self.live.alarms or {}).get(self.alarm_names.get(alarm, ""), "")

    def _plain(self) -> Mapping[str, str]:
        of = self.assembly
        zone, contract, secret = of.hosted_zone, of.contract, of.basic_auth_secret
        none = f"none in {of.environment}"
        return {
            "environment": of.environment,
            "project": of.project,
            "prefix": f"{of.project}-{of.environment}",
            "account_id": of.account_id,
            "home_region": of.home_region,
            "standby_region": self._standby_region() or none,
            "deploy_role": of.deploy_role_name,
            "artifact_bucket": of.artifact_bucket,
            "lock_table": of.lock_table,
            "zone": zone.name if zone else none,
            "zone_account_id": zone.account_id if zone else none,
            "domain": contract.domain if contract else none,
            "url": f"https://{contract.domain}{contract.entry_path}" if contract else none,
            "health_url": f"https://{contract.domain}{contract.health_path}" if contract else none,
            "secret": secret.secret if secret else none,
            "promote_from": (contract.promote_from if contract else None) or none,
        }

    def _standby_region(self) -> str:
        stack = self._stack("replica")
        return stack.region if stack else ""

    def _stack(self, stack_id: str) -> Stack | None:
        return next((stack for stack in self.assembly.stacks if stack.id == stack_id), None)

    def _alarm(self, logical_id: str) -> str:
        name = self.alarm_names.get(logical_id)
        if name is None:
            return f"{logical_id} (not in {self.assembly.environment})"
        if self.live.alarms is None:
            return name
        return f"{name} (is {self.live.alarms.get(name, 'not there')})"

    def _output(self, stack_id: str, output: str) -> str:
        stack = self._stack(stack_id)
        if stack is None:
            return f"no {stack_id}.{output} in {self.assembly.environment}"
        return self._deployed(stack_id, output) or f"{stack_id}.{output} {'(not asked)' if self.live.outputs is None else '(not deployed)'}"

    def _deployed(self, stack_id: str, output: str) -> str:
        return (self.live.outputs or {}).get(stack_id, {}).get(output, "")

    def _link(self, what: str) -> str:
        """A page of the AWS console. Its addresses are no API: should one change, the console's search finds the same by the name."""
        kind, _, which = what.partition(".")
        edge = "https://us-east-1.console.aws.amazon.com"
        if kind == "stack":
            stack = self._stack(which)
            if stack is None:
                return f"no stack {which} in {self.assembly.environment}"
            home = f"https://{stack.region}.console.aws.amazon.com/cloudformation/home?region={stack.region}"
            return f"{home}#/stacks?filteringText={quote(stack.stack_name)}"
        prefix = f"{self.assembly.project}-{self.assembly.environment}"
        watch = f"{edge}/cloudwatch/home?region=us-east-1"
        dashboard, distribution = self._deployed(MONITORING, "DashboardName"), self._deployed("site", "DistributionId")
        pages = {
            "alarms": f"{watch}#alarmsV2:?search={quote(prefix)}",
            "dashboard": f"{watch}#dashboards{f'/dashboard/{quote(dashboard)}' if dashboard else ''}",
            "distribution": f"{edge}/cloudfront/v4/home#/distributions{f'/{quote(distribution)}' if distribution else ''}",
            "certificates": f"{edge}/acm/home?region=us-east-1#/certificates/list",
            "health-checks": f"{edge}/route53/healthchecks/home",
            "zones": f"{edge}/route53/v2/hostedzones",
            "health": "https://health.console.aws.amazon.com/health/home",
            "status": "https://health.aws.amazon.com/health/status",
            "costs": f"{edge}/costmanagement/home#/cost-explorer",
            "quotas": f"{edge}/servicequotas/home/services/lambda/quotas",
            "support": "https://support.console.aws.amazon.com/support/home",
        }
        return pages[kind]


def alarm_names(templates: Mapping[str, bytes]) -> dict[str, str]:
    """The alarms of an environment by logical id, as the templates of its stacks name them."""
    return {logical_id: name for _, logical_id, name in _alarms(templates)}


def alarms_by_region(assembly: Assembly, templates: Mapping[str, bytes]) -> dict[str, tuple[str, ...]]:
    """Names of alarms by the region that has them: each is where its metric is."""
    regions = {stack.id: stack.region for stack in assembly.stacks}
    found: dict[str, tuple[str, ...]] = {}
    for stack_id, _, name in _alarms(templates):
        found[regions[stack_id]] = (*found.get(regions[stack_id], ()), name)
    return found


def _alarms(templates: Mapping[str, bytes]) -> Iterator[tuple[str, str, str]]:
    for stack_id, template in templates.items():
        for logical_id, resource in sorted(documents.loads(template)["Resources"].items()):
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                yield stack_id, logical_id, str(resource["Properties"]["AlarmName"])

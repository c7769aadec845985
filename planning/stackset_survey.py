"""Whether the targets of a StackSet are ready, found before anything runs: CloudFormation itself tells only by failing.

In: a stack of kind `stackset`, the assembly around it, the live set and its instances, the gateways. Out: a `Survey`, a frozen value.
Never: changes anything, takes "could not look" for "is ready" (a finding says what was not looked at), or asks about a place twice.

What is asked, where it can be: accounts of organizational units, and whether they are active; regions in the administrating and in the
target accounts; the administration role and whom it trusts; the execution role in accounts that have no instance yet; log groups that have
the template's names already; parameter overrides. An account where an instance is CURRENT was ready, and is not asked again.

Sources: CloudFormation user guide, "Prerequisites for using StackSets", "Grant self-managed permissions" and "Activate trusted access".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from assembly.commands import deploy
from assembly.model import Assembly, Stack, StackSet
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.stack_sets import StackInstance
from aws.errors import AwsError
from aws.iam import Iam, trusted
from aws.logs import Logs
from gateways.account import Account
from gateways.organizations import Organizations
from guards import documents
from planning.model import Finding
from templates.intrinsics import Scope, marked, resolved_resources

T = TypeVar("T")
Where = tuple[str, str]
"""Account and region."""

MAX_ACCOUNTS = 50
"""Target accounts that are looked into at the most: each takes credentials and clients of its own, seconds and megabytes."""

MAX_LOCATIONS = 200
"""Accounts times regions where existing resources and parameter overrides are looked for at the most."""

WORKERS = 8
STACKSETS_SERVICE = "cloudformation.amazonaws.com"


class SurveyGateways(Protocol):
    """What surveying needs of AWS (`gateways.by_place.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...

    def account(self, account_id: str) -> Account: ...

    def iam(self, account_id: str) -> Iam: ...

    def logs(self, account_id: str, region: str) -> Logs: ...

    def organizations(self, account_id: str) -> Organizations: ...


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found out about the targets."""

    units: Mapping[str, str] | None = None
    """SERVICE_MANAGED: target account to the organizational unit of the targets that it is in; None where that could not be read."""
    inactive: frozenset[str] = frozenset()
    """Accounts that are suspended or being closed; StackSets skip them."""
    existing: Mapping[Where, Mapping[str, str]] = field(default_factory=dict)
    """Where an instance is to be made: logical id to the name of a resource that is there already."""
    overrides: Mapping[Where, Mapping[str, str]] = field(default_factory=dict)
    """Parameter overrides of instances."""
    environment: str = ""
    findings: tuple[Finding, ...] = ()


NOTHING = Survey()


def survey(
    stack: Stack,
    assembly: Assembly,
    templates: Mapping[str, bytes],
    template: Mapping[str, Any],
    parameters: Mapping[str, str],
    *,
    instances: Iterable[StackInstance],
    gateways: SurveyGateways,
) -> Survey:
    """Look at the targets. `parameters` are the new values; `templates` those of the whole assembly, which may make the roles.

    Never raises `AwsError`: what cannot be looked at becomes a finding.
    """
    assert stack.stackset is not None, "the caller asks for StackSets only"
    return _Surveyor(stack, stack.stackset, assembly, templates, template, parameters, tuple(instances), gateways).look()


@dataclass(frozen=True)
class _Surveyor:
    stack: Stack
    target: StackSet
    assembly: Assembly
    templates: Mapping[str, bytes]
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    instances: tuple[StackInstance, ...]
    gateways: SurveyGateways
    findings: list[Finding] = field(default_factory=list)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    """Why something could not be looked at, and what."""

    def look(self) -> Survey:
        units, inactive = self.members()
        accounts = list(self.target.targets.accounts) if units is None else list(units)
        there = {(i.account_id, i.region) for i in self.instances}
        proven = {i.account_id for i in self.instances if i.status == "CURRENT"}
        new = [(a, r) for a in accounts if a not in inactive for r in self.target.targets.regions if (a, r) not in there]
        known_regions = self.regions(new)
        opt_in = {region for region, status in known_regions.items() if status != "ENABLED_BY_DEFAULT"}
        self.target_regions(new, opt_in)
        if self.target.permission_model == "SELF_MANAGED":
            self.administration_role(opt_in)
            self.execution_roles([a for a in dict.fromkeys(a for a, _ in new) if a not in proven])
        existing = self.existing(new)
        overrides = self.overrides()
        for why, what in self.unseen.items():
            self.note("not_looked_at", f"{named(what)}: not looked at before they are deployed to: {why}")
        return Survey(
            units=units,
            inactive=frozenset(inactive),
            existing=existing,
            overrides=overrides,
            environment=self.assembly.environment,
            findings=tuple(self.findings),
        )

    # --- accounts -------------------------------------------------------------------------------------------------

    def members(self) -> tuple[dict[str, str] | None, set[str]]:
        """Target accounts of the organizational units, and those that are not active."""
        targets, admin = self.target.targets, self.stack.account_id
        if self.target.permission_model == "SELF_MANAGED":
            return None, self.suspended(targets.accounts)
        try:
            organization = self.gateways.organizations(admin)
            management = organization.management_account()
            units: dict[str, str] = {}
            inactive: set[str] = set()
            for unit in targets.organizational_units:
                for member in organization.members((unit,)):
                    if member.account_id == management or (targets.accounts and member.account_id not in targets.accounts):
                        continue
                    units.setdefault(member.account_id, unit)
                    if not member.active:
                        inactive.add(member.account_id)
        except AwsError as error:
            self.unseen.setdefault(str(error), []).append("the accounts of the organizational units")
            return None, set()
        if management in targets.accounts:
            self.warning("management_account", f"{management} manages the organization: SERVICE_MANAGED StackSets never deploy there")
        if inactive:
            self.tell_suspended(inactive)
        return units, inactive

    def suspended(self, accounts: tuple[str, ...]) -> set[str]:
        """Those of an account list that the organization knows to be inactive; outside of one nothing can be known."""
        if not set(accounts) - {self.stack.account_id}:
            return set()
        try:
            active = self.gateways.organizations(self.stack.account_id).accounts()
        except AwsError:
            return set()
        found = {account for account in accounts if active.get(account) is False}
        if found:
            self.tell_suspended(found)
        return found

    def tell_suspended(self, accounts: Iterable[str]) -> None:
        self.warning("account_suspended", f"suspended or being closed, so StackSets skip them: {named(sorted(accounts))}")

    # --- regions --------------------------------------------------------------------------------------------------

    def regions(self, new: list[Where]) -> dict[str, str]:
        """Every region's status in the administrating account, which must have the regions of its targets enabled too."""
        try:
            statuses = self.gateways.account(self.stack.account_id).statuses()
        except AwsError as error:
            self.unseen.setdefault(str(error), []).append(f"the regions of account {self.stack.account_id}")
            return {}
        for region in dict.fromkeys(region for _, region in new):
            status = statuses.get(region, "unknown to AWS")
            if not status.startswith("ENABLED"):
                self.error(
                    "region_not_enabled",
                    f"{region} is {status} in account {self.stack.account_id}, which administrates the StackSet and must have it too",
                    self.enable(region, statuses),
                )
        return statuses

    def target_regions(self, new: list[Where], opt_in: set[str]) -> None:
        """Opt-in regions are enabled account by account."""
        wanted: dict[str, list[str]] = {}
        for account, region in new:
            if region in opt_in and account != self.stack.account_id:
                wanted.setdefault(account, []).append(region)
        organized = self.target.permission_model == "SERVICE_MANAGED"
        asked = list(wanted) if organized else self.limited(list(wanted), "regions")

        def statuses(account: str) -> dict[str, str]:
            asking, about = (self.stack.account_id, account) if organized else (account, None)
            return self.gateways.account(asking).statuses(about)

        for account, found in self.each(asked, statuses, what=lambda account: f"regions of account {account}"):
            for region in wanted[account]:
                status = found.get(region, "unknown to AWS")
                if not status.startswith("ENABLED"):
                    more = f" --account-id {account}" if organized else ""
                    message = f"{region} is {status} in target account {account}"
                    self.error("region_not_enabled", message, self.enable(region, found) + more)

    def enable(self, region: str, statuses: Mapping[str, str]) -> str:
        known = f"aws account enable-region --region-name {region}"
        return known if region in statuses else f"edit environments/{self.assembly.environment}.yaml: AWS has no such region"

    # --- roles ----------------------------------------------------------------------------------------------------

    def administration_role(self, opt_in: set[str]) -> None:
        name = self.target.administration_role_name or "AWSCloudFormationStackSetAdministrationRole"
        needed = [STACKSETS_SERVICE, *(f"cloudformation.{r}.amazonaws.com" for r in self.target.targets.regions if r in opt_in)]
        made = self.made_here(name)
        try:
            role = None if made is not None else self.gateways.iam(self.stack.account_id).role(name)
        except AwsError as error:
            self.unseen.setdefault(str(error), []).append(f"the role {name}")
            return
        if made is None and role is None:
            self.error(
                "administration_role_missing",
                f"the administration role {name} is not in account {self.stack.account_id}, and nothing in the assembly makes it",
                self.doctor,
            )
            return
        trusts = made if made is not None else role.trusted if role else frozenset()
        missing = [principal for principal in needed if principal not in trusts]
        if missing:
            self.error(
                "administration_role_trust",
                f"the administration role {name} does not trust {', '.join(missing)}; opt-in regions call as a principal of their own",
                f"aws iam get-role --role-name {name} --query Role.AssumeRolePolicyDocument",
            )

    def made_here(self, name: str) -> frozenset[str] | None:
        """Whom a role of that name trusts that a plain stack of the assembly makes in this account; None if none does."""
        for other in self.assembly.stacks:
            if other.kind != "stack" or other.account_id != self.stack.account_id or other.id not in self.templates:
                continue
            for resource in documents.loads(self.templates[other.id]).get("Resources", {}).values():
                properties = resource.get("Properties", {})
                if resource.get("Type") == "AWS::IAM::Role" and properties.get("RoleName") == name:
                    return trusted(properties.get("AssumeRolePolicyDocument", {}))
        return None

    def execution_roles(self, accounts: list[str]) -> None:
        name = self.target.execution_role_name or "AWSCloudFormationStackSetExecutionRole"
        administration = self.target.administration_role_name or "AWSCloudFormationStackSetAdministrationRole"
        admin = self.stack.account_id
        asked = [a for a in accounts if not (a == admin and self.made_here(name) is not None)]
        for account, role in self.each(
            self.limited(asked, "the execution role"), lambda a: self.gateways.iam(a).role(name), what=lambda a: f"account {a}"
        ):
            if role is None:
                self.error(
                    "execution_role_missing",
                    f"account {account} has no role {name}; make it there, trusting the role {administration} of account {admin}",
                    self.doctor,
                )
            elif not any(p == admin or (f":{admin}:" in p and p.endswith((":root", f"/{administration}"))) for p in role.trusted):
                self.error(
                    "execution_role_trust",
                    f"the role {name} of account {account} does not trust the role {administration} of account {admin}",
                    f"aws iam get-role --role-name {name} --query Role.AssumeRolePolicyDocument",
                )

    # --- what is there already --------------------------------------------------------------------------------------

    def existing(self, new: list[Where]) -> dict[Where, dict[str, str]]:
        """Log groups with the template's names: a replica that ran before the set made its own."""
        if not any(r.get("Type") == "AWS::Logs::LogGroup" for r in self.template.get("Resources", {}).values()):
            return {}
        places = self.limited(new, "existing log groups", MAX_LOCATIONS)
        wanted = {where: names for where in places if (names := self.log_groups(*where))}

        def look(where: Where) -> dict[str, str]:
            logs = self.gateways.logs(*where)
            return {logical_id: name for logical_id, name in wanted[where].items() if name in logs.groups(name)}

        found = self.each(list(wanted), look, what=lambda where: f"log groups in {where[0]} {where[1]}")
        return {where: there for where, there in found if there}

    def log_groups(self, account: str, region: str) -> dict[str, str]:
        """Logical id to name, of those whose name is known before they are made."""
        name = f"StackSet-{self.stack.stack_name}"
        resources = resolved_resources(
            Scope(template=self.template, parameters=self.parameters, account_id=account, region=region, stack_name=name)
        )
        names = {
            logical_id: body.get("Properties", {}).get("LogGroupName")
            for logical_id, body in resources.items()
            if body.get("Type") == "AWS::Logs::LogGroup"
        }
        return {i: n for i, n in names.items() if isinstance(n, str) and not marked(n)}

    def overrides(self) -> dict[Where, dict[str, str]]:
        if not self.template.get("Parameters"):
            return {}
        gateway = self.gateways.cloudformation(self.stack.account_id, self.stack.region, self.stack.role_arn)
        places = self.limited([(i.account_id, i.region) for i in self.instances], "parameter overrides", MAX_LOCATIONS)

        def look(where: Where) -> dict[str, str]:
            found = gateway.stack_instance(self.stack.stack_name, *where, call_as=self.target.call_as)
            return dict(found.overrides) if found else {}

        return {where: found for where, found in self.each(places, look, what=lambda w: f"overrides in {w[0]} {w[1]}") if found}

    # --- looking --------------------------------------------------------------------------------------------------

    def each(self, items: list[Any], look: Callable[[Any], T], *, what: Callable[[Any], str]) -> Iterator[tuple[Any, T]]:
        """Look at several at once; those that cannot be looked at are noted."""

        def one(item: Any) -> T | AwsError:
            try:
                return look(item)
            except AwsError as error:
                return error

        with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="survey") as pool:
            for item, found in zip(items, pool.map(one, items), strict=True):
                if isinstance(found, AwsError):
                    self.unseen.setdefault(found.message, []).append(what(item))
                else:
                    yield item, found

    def limited(self, items: list[T], what: str, most: int = MAX_ACCOUNTS) -> list[T]:
        if len(items) > most:
            self.note("not_all_looked_at", f"{what}: the first {most} of {len(items):,} targets were looked at")
        return items[:most]

    @property
    def doctor(self) -> str:
        return deploy("doctor", self.assembly.environment)

    def error(self, code: str, message: str, command: str = "") -> None:
        self.findings.append(Finding(severity="error", code=code, message=message, command=command, stack=self.stack.id))

    def warning(self, code: str, message: str) -> None:
        self.findings.append(Finding(severity="warning", code=code, message=message, stack=self.stack.id))

    def note(self, code: str, message: str) -> None:
        self.findings.append(Finding(severity="note", code=code, message=message, stack=self.stack.id))


def named(items: Iterable[str], most: int = 8) -> str:
    """The first few, and how many there are more."""
    listed = list(items)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more

"""What only shows between environments, and between them and the organization.

In: everything that was loaded, with the places it came from. Out: problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from environments.checks import check_tags, prefix_problem
from environments.conversion import Findings
from environments.model import Environment, Organization
from environments.names import bucket_name_problem, region_problem
from environments.problems import Key, Note, Problem, dotted

ORGANIZATION = "organization"
"""Name of the file that describes the organization instead of an environment."""

_REMEDY = {
    "GitHub provider of account": "; an account has only one: write github.create_provider: false into this file, not into common.yaml",
    "name prefix": ": roles, functions and stacks would have equal names",
}

OWN_FILE = frozenset({"GitHub provider of account"})
"""What is mended in the environment's own file, wherever the value comes from: in common.yaml it would hold for all."""


@dataclass(frozen=True)
class Claim:
    """A name that AWS gives out once: everywhere (`account` empty), or in one account."""

    kind: str
    name: str
    key: Key
    """What the name comes from."""
    account: str = ""


def claims(described: Environment | Organization) -> Iterator[Claim]:
    """Every name that is made for an environment or the organization; all others are its prefix with an ending that differs."""
    account = described.account_id
    if isinstance(described, Environment):
        yield Claim("domain", described.domain, ("domain",))
        for index, host in enumerate(described.redirect_hosts):
            yield Claim("domain", host, ("redirect_hosts", index))
        yield Claim("bucket", described.bucket, ("bucket",))
        yield Claim("bucket", described.access_log_bucket, ("bucket",))
        if described.firewall and described.firewall.logs == "bucket":
            yield Claim("bucket", described.firewall_log_bucket, ("bucket",))
        if described.disaster_recovery:
            yield Claim("bucket", described.disaster_recovery.bucket, ("disaster_recovery", "bucket"))
            yield Claim("bucket", described.standby_artifact_bucket, ("artifacts", "bucket"))
        if described.github.makes_provider:
            yield Claim("GitHub provider of account", account, ("github", "create_provider"))
    yield Claim("bucket", described.artifacts.bucket, ("artifacts", "bucket"))
    yield Claim("lock table", described.artifacts.lock_table, ("artifacts", "lock_table"), account)
    yield Claim("name prefix", described.prefix, ("project",), account)


def clashes(loaded: Mapping[str, tuple[Environment, Findings]], organization: tuple[Organization, Findings] | None) -> Iterator[Problem]:
    """Names that are made twice, by one environment or by two."""
    seen: dict[tuple[str, str, str], tuple[str, Key]] = {}
    everyone: dict[str, tuple[Environment | Organization, Findings]] = {**loaded, **({ORGANIZATION: organization} if organization else {})}
    for name, (described, findings) in everyone.items():
        for claim in claims(described):
            first, key = seen.setdefault((claim.kind, claim.account, claim.name), (name, claim.key))
            what = f'{claim.kind} "{claim.name}"' + (f" in account {claim.account}" if claim.account else "")
            if first != name:
                problem = findings.own_file if claim.kind in OWN_FILE else findings.at
                yield problem(claim.key, f"{what} is made by environment {first} already{_REMEDY.get(claim.kind, '')}")
            elif key != claim.key:
                source = f"is the {dotted(key)} of this environment already, or derived from it"
                yield findings.at(claim.key, f"{what} {source}; choose another name")
    for name, (described, findings) in everyone.items():
        for other, (reaching, _) in everyone.items():
            if described.account_id == reaching.account_id and described.prefix.startswith(f"{reaching.prefix}-"):
                yield findings.at(
                    (),
                    f'the name prefix "{described.prefix}" begins with "{reaching.prefix}-": in account {described.account_id} the roles'
                    f" of {other} may change everything that is named so, and {name} with it; choose another name or another account",
                )


def standby_problems(loaded: Mapping[str, tuple[Environment, Findings]]) -> Iterator[Problem]:
    """A standby that is the site of another environment: CloudFront as well."""
    sites = {host: name for name, (env, _) in loaded.items() for host in env.hosts}
    for name, (env, findings) in loaded.items():
        other = sites.get(env.failover.dns_name) if env.failover else None
        if other not in (None, name):
            yield findings.at(
                ("failover", "dns_name"),
                f"is the site of environment {other}, which is CloudFront; Route 53 cannot fail over between two distributions,"
                " name a load balancer",
            )


def check_organization(organization: Organization, note: Note) -> None:
    """What types cannot say about the organization."""
    reason = region_problem(organization.region)
    if reason:
        note(("region",), f'"{organization.region}": {reason}')
    reason = bucket_name_problem(organization.artifacts.bucket)
    if reason:
        note(("artifacts", "bucket"), f'"{organization.artifacts.bucket}": {reason}')
    for index, name in enumerate(organization.environments):
        if organization.permission_model == "SERVICE_MANAGED" and name not in organization.organizational_units:
            note(("environments", index), f'"{name}" has no unit; SERVICE_MANAGED needs organizational_units.{name}')
    if organization.permission_model == "SELF_MANAGED" and organization.organizational_units:
        note(("organizational_units",), "units are for permission_model SERVICE_MANAGED; SELF_MANAGED goes by account")
    prefix_problem(organization, note)
    check_tags(organization, note)
    if organization.delegated_administrator and organization.permission_model == "SELF_MANAGED":
        note(("delegated_administrator",), "a delegated administrator is for permission_model SERVICE_MANAGED")


def organization_problems(
    loaded: Mapping[str, tuple[Environment, Findings]], organization: tuple[Organization, Findings] | None
) -> Iterator[Problem]:
    """What only shows between the organization and its environments."""
    members = organization[0].environments if organization else ()
    for name, (env, findings) in loaded.items():
        if env.foundation == "organization" and name not in members:
            yield findings.at(("foundation",), f'"organization", but {name} is not among the environments of {ORGANIZATION}.yaml')
    if organization is None:
        return
    described, findings = organization
    for index, name in enumerate(members):
        key: Key = ("environments", index)
        if name not in loaded:
            yield findings.at(key, f'"{name}" is no environment; there are: {", ".join(loaded)}')
        elif described.permission_model == "SERVICE_MANAGED" and loaded[name][0].account_id == described.account_id:
            # Source: CloudFormation User Guide, service-managed permissions
            yield findings.at(key, f'"{name}" lives in the management account, where service-managed StackSets do not deploy')

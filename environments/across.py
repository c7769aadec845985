"""What only shows between environments, and between them and the organization.

In: everything that was loaded, with the places it came from. Out: problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from environments.conversion import Findings
from environments.model import Environment, Organization
from environments.names import bucket_name_problem, region_problem
from environments.problems import Key, Note, Problem

ORGANIZATION = "organization"
"""Name of the file that describes the organization instead of an environment."""

_REMEDY = {"GitHub provider of account": "; an account has only one: write create_provider: false here"}


def together_problems(loaded: Mapping[str, tuple[Environment, Findings]], problems: list[Problem]) -> None:
    """What only shows between environments."""
    seen: dict[tuple[str, str], str] = {}
    for name, (env, findings) in loaded.items():
        unique: list[tuple[str, str, Key]] = [("domain", env.domain, ("domain",)), ("bucket", env.bucket, ("bucket",))]
        if env.disaster_recovery:
            unique.append(("bucket", env.disaster_recovery.bucket, ("disaster_recovery", "bucket")))
        unique.append(("bucket", env.artifacts.bucket, ("artifacts", "bucket")))
        unique.append(("bucket", env.access_log_bucket, ("bucket",)))
        unique.append(("lock table", f"{env.account_id} {env.artifacts.lock_table}", ("artifacts", "lock_table")))
        if env.github.create_provider:
            unique.append(("GitHub provider of account", env.account_id, ("github", "create_provider")))
        for kind, value, key in unique:
            first = seen.setdefault((kind, value), name)
            if first != name:
                problems.append(findings.at(key, f'{kind} "{value}" is made by environment {first} already{_REMEDY.get(kind, "")}'))


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

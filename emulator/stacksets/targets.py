# mypy: allow-untyped-calls
"""Which instances a request means: accounts, organizational units and regions."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import request_scope
from ministack.services import account as account_service
from ministack.services import organizations
from ministack.services.cloudformation.helpers import _extract_string_members, _p

from emulator.stacksets.api import Params, Refusal
from emulator.stacksets.state import StackSet, Target


def deployment_targets_of(params: Params, stack_set: StackSet) -> tuple[list[Target], dict[str, str], dict[str, Any]]:
    """Accounts times regions, the unit of each account, and the deployment targets as requested."""
    regions = _extract_string_members(params, "Regions")
    listed = _extract_string_members(params, "Accounts")
    within = _extract_string_members(params, "DeploymentTargets.Accounts")
    units = _extract_string_members(params, "DeploymentTargets.OrganizationalUnitIds")
    kind = _p(params, "DeploymentTargets.AccountFilterType") or "NONE"
    requested = {"Accounts": within, "OrganizationalUnitIds": units, "AccountFilterType": kind if units else None}
    if stack_set.permission_model == "SELF_MANAGED":
        if units:
            raise Refusal("ValidationError", "OrganizationalUnitIds can be used with the SERVICE_MANAGED permission model only")
        accounts, of_units = [*dict.fromkeys(listed or within)], {}
    else:
        if listed:
            raise Refusal("ValidationError", "Accounts is not supported with the SERVICE_MANAGED permission model; use DeploymentTargets")
        of_units = _accounts_of_units(stack_set.account, units)
        accounts = _filtered([*of_units], within, kind)
        of_units = {account: of_units.get(account, "") for account in accounts}
    unknown = [region for region in regions if region not in account_service._REGIONS_LIST]
    if unknown:
        raise Refusal("ValidationError", f"Region(s) {', '.join(unknown)} are not valid")
    return [(account, region) for region in dict.fromkeys(regions) for account in accounts], of_units, requested


def _filtered(members: list[str], accounts: list[str], kind: str) -> list[str]:
    """AccountFilterType of DeploymentTargets."""
    chosen = {
        "NONE": members,
        "INTERSECTION": [account for account in members if account in accounts],
        "DIFFERENCE": [account for account in members if account not in accounts],
        "UNION": [*dict.fromkeys([*members, *accounts])],
    }
    if kind not in chosen:
        raise Refusal("ValidationError", f"AccountFilterType {kind} is not valid")
    return chosen[kind]


def _accounts_of_units(master: str, units: list[str]) -> dict[str, str]:
    """Accounts below organizational units, nested ones too, each with its unit; never the management account."""
    with request_scope(master, "us-east-1"):
        known = {*organizations._ous.keys(), *organizations._roots.keys()}
        missing = [unit for unit in units if unit not in known]
        if missing:
            raise Refusal("ValidationError", f"Organizational unit(s) {', '.join(missing)} not found")
        todo, seen = list(units), []
        while todo:
            unit = todo.pop()
            seen.append(unit)
            todo += [child["Id"] for child in organizations._ous.values() if child.get("_ParentId") == unit]
        accounts = [*organizations._accounts.values()]
    return {each["Id"]: each["_ParentId"] for each in accounts if each.get("_ParentId") in seen and each["Id"] != master}

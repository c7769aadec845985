# mypy: allow-untyped-calls
"""The account API's opt-in regions, which decide where StackSets can work."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import account as account_service

from emulator.stacksets.api import Answer, caller
from emulator.stacksets.state import Target

_opted: dict[Target, str] = {}
"""Opt-in regions that were switched: (account, region) -> ENABLED or DISABLED."""


def region_status(account: str, region: str) -> str:
    """RegionOptStatus of the account API."""
    if region not in account_service._OPT_IN_REQUIRED:
        return "ENABLED_BY_DEFAULT"
    return _opted.get((account, region), "ENABLED")


def _switch_region(account: str, region: str, status: str) -> None:
    """What EnableRegion and DisableRegion do, at once."""
    _opted[(account, region)] = status


def switch(payload: dict[str, Any], status: str) -> Answer:
    """EnableRegion and DisableRegion."""
    region = payload.get("RegionName", "")
    if region not in account_service._OPT_IN_REQUIRED:
        refused: Answer = error_response_json("ValidationException", f"{region} cannot be enabled or disabled", 400)
        return refused
    _switch_region(payload.get("AccountId") or caller()[0], region, status)
    answer: Answer = account_service._json(200, {})
    return answer


def opt_status(payload: dict[str, Any]) -> Answer:
    """GetRegionOptStatus."""
    region = payload.get("RegionName", "")
    if region not in account_service._REGIONS_LIST:
        refused: Answer = error_response_json("ResourceNotFoundException", f"Region not found: {region}", 400)
        return refused
    status = region_status(payload.get("AccountId") or caller()[0], region)
    answer: Answer = account_service._json(200, {"RegionName": region, "RegionOptStatus": status})
    return answer


def list_regions(payload: dict[str, Any]) -> Answer:
    """ListRegions."""
    account = payload.get("AccountId") or caller()[0]
    wanted = payload.get("RegionOptStatusContains") or []
    rows = [{"RegionName": region, "RegionOptStatus": region_status(account, region)} for region in account_service._REGIONS_LIST]
    answer: Answer = account_service._json(200, {"Regions": [row for row in rows if not wanted or row["RegionOptStatus"] in wanted]})
    return answer

"""AWS Organizations, to read only: which accounts organizational units mean.

In: ids of units. Out: frozen values. Raises `aws.errors`. Never: changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import field

from aws.answers import Answer, pages, read
from aws.gateway import Global

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient


@dataclass(frozen=True, kw_only=True)
class Member:
    """One account of an organization."""

    account_id: str
    name: str
    unit: str
    """The unit (or root) right above it."""
    active: bool
    """False for a suspended or closing account; StackSets skip those."""


class _Account(Answer, frozen=True, kw_only=True):
    id: str
    name: str = ""
    state: str = field(name="State|Status")
    """Status is its name until September 9, 2026. Source: Organizations API, Account."""

    @property
    def active(self) -> bool:
        return self.state == "ACTIVE"


class _Unit(Answer, frozen=True, kw_only=True):
    id: str


class Organizations(Global):
    """The organization that an account belongs to."""

    client: OrganizationsClient
    service = "organizations"

    def management_account(self) -> str:
        """Its id: SERVICE_MANAGED StackSets never deploy there."""
        return read(self.client.describe_organization(), str, "Organization.MasterAccountId")

    def accounts(self) -> dict[str, bool]:
        """Every account of the organization, and whether it is active."""
        return {each.id: each.active for each in pages(self.client.list_accounts, "Accounts", _Account)}

    def members(self, units: tuple[str, ...]) -> tuple[Member, ...]:
        """Every account in these units and the units below them, each once, by account id. `NotFound` for an unknown unit."""
        todo, seen = list(units), set[str]()
        found: dict[str, Member] = {}
        while todo:
            unit = todo.pop()
            if unit in seen:
                continue
            seen.add(unit)
            for each in pages(self.client.list_accounts_for_parent, "Accounts", _Account, ParentId=unit):
                found[each.id] = Member(account_id=each.id, name=each.name, unit=unit, active=each.active)
            below = pages(self.client.list_organizational_units_for_parent, "OrganizationalUnits", _Unit, ParentId=unit)
            todo += [each.id for each in below]
        return tuple(found[account] for account in sorted(found))

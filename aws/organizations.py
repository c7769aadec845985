"""AWS Organizations, to read only: which accounts organizational units mean.

In: ids of units. Out: frozen values. Raises `aws.errors`. Never: changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class Member:
    """One account of an organization."""

    account_id: str
    name: str
    unit: str
    """The unit (or root) right above it."""
    active: bool
    """False for a suspended or closing account; StackSets skip those."""


@dataclass(frozen=True)
class Organizations:
    """The organization that an account belongs to."""

    client: OrganizationsClient

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, role_arn: str | None = None) -> Organizations:
        """The management account or a delegated administrator."""
        return cls(aws.client("organizations", account_id=account_id, region="us-east-1", role_arn=role_arn))

    def management_account(self) -> str:
        """Its id: SERVICE_MANAGED StackSets never deploy there."""
        return self.client.describe_organization()["Organization"]["MasterAccountId"]

    def accounts(self) -> dict[str, bool]:
        """Every account of the organization, and whether it is active."""
        pages = self.client.get_paginator("list_accounts").paginate()
        return {a["Id"]: a.get("State", a.get("Status")) == "ACTIVE" for page in pages for a in page["Accounts"]}

    def members(self, units: tuple[str, ...]) -> tuple[Member, ...]:
        """Every account in these units and the units below them, each once, by account id. `NotFound` for an unknown unit."""
        todo, seen = list(units), set[str]()
        found: dict[str, Member] = {}
        while todo:
            unit = todo.pop()
            if unit in seen:
                continue
            seen.add(unit)
            for page in self.client.get_paginator("list_accounts_for_parent").paginate(ParentId=unit):
                for each in page["Accounts"]:
                    account = each["Id"]
                    found[account] = Member(
                        account_id=account, name=each.get("Name", ""), unit=unit, active=each.get("State", each.get("Status")) == "ACTIVE"
                    )
            for below in self.client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=unit):
                todo += [each["Id"] for each in below["OrganizationalUnits"]]
        return tuple(found[account] for account in sorted(found))

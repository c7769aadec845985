"""IAM, to read only: roles and whom they trust, OIDC providers, the version of STS tokens.

In: names and ARNs. Out: frozen values. Raises `aws.errors`. Never: changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aws.errors import NotFound
from untrusted import documents

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role; `trusted` are the principals that its trust policy allows (conditions are not judged)."""

    arn: str
    name: str
    trusted: frozenset[str]
    permissions_boundary: str | None


@dataclass(frozen=True)
class Iam:
    """One account."""

    client: IAMClient

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, role_arn: str | None = None) -> Iam:
        """IAM is one for all regions; us-east-1 is where it lives."""
        return cls(aws.client("iam", account_id=account_id, region="us-east-1", role_arn=role_arn))

    def role(self, name: str) -> Role | None:
        """None if there is no such role."""
        try:
            found = self.client.get_role(RoleName=name)["Role"]
        except NotFound:
            return None
        boundary = found.get("PermissionsBoundary")
        return Role(
            arn=found["Arn"],
            name=name,
            trusted=trusted(found.get("AssumeRolePolicyDocument", {})),
            permissions_boundary=boundary.get("PermissionsBoundaryArn") if boundary else None,
        )

    def oidc_providers(self) -> tuple[str, ...]:
        """ARNs."""
        return tuple(sorted(each["Arn"] for each in self.client.list_open_id_connect_providers()["OpenIDConnectProviderList"]))

    def global_token_version(self) -> int:
        """1 or 2: whether tokens of the global STS endpoint are valid in opt-in regions (2). Source: IAM API, GetAccountSummary."""
        return self.client.get_account_summary()["SummaryMap"].get("GlobalEndpointTokenVersion", 1)


def trusted(policy: Any) -> frozenset[str]:
    """Principals that a trust policy allows to assume the role; boto3 hands it over decoded, the API as URL-encoded JSON."""
    try:
        document = documents.loads(unquote(policy)) if isinstance(policy, str) else policy
    except documents.Unreadable:
        return frozenset()
    statements = document.get("Statement", [])
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", {})
        for names in principal.values() if isinstance(principal, dict) else [principal]:
            found |= {names} if isinstance(names, str) else {*names}
    return frozenset(found)

"""IAM, to read only: roles and whom they trust, who may do what, the version of STS tokens.

In: names and ARNs. Out: frozen values. Raises `aws.errors`. Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from msgspec import field

from aws.answers import Answer, read, unexpected
from aws.errors import AccessDenied, BadRequest, NotFound
from aws.gateway import Global
from guards import documents

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role; `trusted` are the principals that its trust policy allows (conditions are not judged)."""

    arn: str
    name: str
    trusted: frozenset[str]
    created_at: str = ""
    """ISO 8601."""
    unique_id: str = ""
    """AROA…, which no other role ever gets."""


class _Role(Answer, frozen=True, kw_only=True):
    arn: str
    assume_role_policy_document: Any = field(default_factory=dict)
    create_date: str = ""
    unique_id: str = field(name="RoleId", default="")


class _Summary(Answer, frozen=True, kw_only=True):
    global_endpoint_token_version: int = 1


class _Simulated(Answer, frozen=True, kw_only=True):
    action: str = field(name="EvalActionName")
    decision: str = field(name="EvalDecision")


class _Statement(Answer, frozen=True, kw_only=True):
    effect: str = ""
    principal: str | dict[str, Any] = field(default_factory=dict)
    """A template's may have intrinsic functions for names."""


class _Policy(Answer, frozen=True, kw_only=True):
    statement: Any = ()


class Iam(Global):
    """One account."""

    client: IAMClient
    service = "iam"

    def role(self, name: str) -> Role | None:
        """None if there is no such role."""
        try:
            answer = self.client.get_role(RoleName=name)
        except NotFound:
            return None
        found = read(answer, _Role, "Role")
        try:
            trusts = trusted(found.assume_role_policy_document)
        except ValueError as problem:
            raise unexpected(answer, f"the trust policy of {name} is no policy: {problem}") from problem
        return Role(
            arn=found.arn,
            name=name,
            trusted=trusts,
            created_at=found.create_date,
            unique_id=found.unique_id,
        )

    def denied(self, principal: str, resource: str, actions: tuple[str, ...], context: Mapping[str, str]) -> tuple[str, ...] | None:
        """Those of the actions that the principal may not do on the resource, by IAM's own simulation; None where IAM does not tell.

        Source: IAM API, SimulatePrincipalPolicy.
        """
        keys: Any = [{"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"} for key, value in context.items()]
        try:
            answer = self.client.simulate_principal_policy(
                PolicySourceArn=principal, ResourceArns=[resource], ActionNames=list(actions), ContextEntries=keys
            )
        except (AccessDenied, BadRequest, NotFound):
            return None
        found = read(answer, tuple[_Simulated, ...], "EvaluationResults")
        return tuple(each.action for each in found if each.decision != "allowed")

    def global_token_version(self) -> int:
        """1 or 2: whether tokens of the global STS endpoint are valid in opt-in regions (2). Source: IAM API, GetAccountSummary."""
        return read(self.client.get_account_summary(), _Summary, "SummaryMap").global_endpoint_token_version


def trusted(policy: Any) -> frozenset[str]:
    """Principals that a trust policy allows to assume the role; boto3 hands it over decoded, the API as URL-encoded JSON.

    ValueError for what is no policy.
    """
    document = documents.loads(unquote(policy)) if isinstance(policy, str) else policy
    statements = msgspec.convert(document, _Policy).statement
    found: set[str] = set()
    for statement in msgspec.convert(statements if isinstance(statements, list | tuple) else [statements], list[_Statement]):
        if statement.effect == "Allow":
            principal = statement.principal
            for names in principal.values() if isinstance(principal, dict) else [principal]:
                found.update(name for name in (names if isinstance(names, list | tuple) else [names]) if isinstance(name, str))
    return frozenset(found)

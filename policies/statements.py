"""What all policies are made of: ARNs of the account and partition a stack is deployed to, and the plain Allow statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from awacs.aws import Action, Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from troposphere import Sub

GITHUB_ISSUER = "token.actions.githubusercontent.com"
"""Host of the OpenID Connect issuer of GitHub Actions."""


def arn(service: str, resource: str, *, region: str = "", account: str = "${AWS::AccountId}") -> Sub:
    """`arn:<partition>:service:region:account:resource`; global services take an empty region, S3 neither region nor account."""
    return Sub(f"arn:${{AWS::Partition}}:{service}:{region}:{account}:{resource}")


def s3_arn(resource: str) -> Sub:
    """ARN of a bucket ("name") or of objects ("name/*")."""
    return arn("s3", resource, account="")


def role_arn(name: str) -> Sub:
    """ARN of a role of this account."""
    return arn("iam", f"role/{name}")


def distribution_arn(distribution_id: Any) -> Sub:
    """ARN of a distribution of this account by its id, which is all that CloudFormation gives."""
    return Sub("arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Id}", Id=distribution_id)


def document(*statements: Statement) -> PolicyDocument:
    """A policy, or a trust."""
    return PolicyDocument(Version="2012-10-17", Statement=list(statements))


def allow(
    sid: str, service: str, actions: Iterable[str], *resources: Any, principal: Principal | None = None, condition: Any = None
) -> Statement:
    """Actions of one service on named resources; to a `principal`, in the policy of a resource.

    `condition`: the operator that has to hold, or several that all have to.
    """
    narrowed: dict[str, Any] = {} if condition is None else {"Condition": Condition(condition)}
    if principal is not None:
        narrowed["Principal"] = principal
    return Statement(Sid=sid, Effect=Allow, Action=[Action(service, name) for name in actions], Resource=list(resources), **narrowed)


def web_acls(prefix: str) -> Any:
    """Those of the platform for CloudFront, which live in us-east-1."""
    return arn("wafv2", f"global/webacl/{prefix}-*/*", region="us-east-1")


def pass_role(sid: str, service: str, *roles: Any) -> Statement:
    """Hand the roles to one service, and to no other."""
    return allow(sid, "iam", ["PassRole"], *roles, condition=StringEquals("iam:PassedToService", service))

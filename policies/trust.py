"""Trust policies: who may become a role.

A condition stands only where AWS documents that the service sends its key when it assumes a role: a key that is not sent makes the role
unusable, and every stack, or silently all replication, fails. Without a condition little is lost: a role is passed inside its own account
only, and whoever may pass these is limited by iam:PassRole.
"""

from __future__ import annotations

from typing import Any

from awacs import sts
from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement, StringEquals
from troposphere import Ref

from policies.statements import GITHUB_ISSUER, arn, document

_OWN_ACCOUNT = StringEquals("aws:SourceAccount", Ref("AWS::AccountId"))


def edge_function() -> PolicyDocument:
    """Lambda and its edge replicator. No condition: the CloudFront Developer Guide documents none for Lambda@Edge."""
    return _service(["lambda.amazonaws.com", "edgelambda.amazonaws.com"], None)


def cloudformation() -> PolicyDocument:
    """CloudFormation, for plain stacks.

    No condition: the CloudFormation User Guide ("CloudFormation service role", "Cross-service confused deputy prevention") documents
    aws:SourceArn and aws:SourceAccount for extensions and StackSets, and for a stack's service role neither.
    """
    return _service(["cloudformation.amazonaws.com"], None)


def stackset_administration(stack_prefix: str, opt_in_regions: tuple[str, ...]) -> PolicyDocument:
    """CloudFormation StackSets of the platform; opt-in regions call as a principal of their own.

    Sources: CloudFormation User Guide, "Grant self-managed permissions" (both condition keys, with the ARN of the StackSet) and
    "Prerequisites for using StackSets in opt-in Regions".
    """
    return _service(
        ["cloudformation.amazonaws.com", *(f"cloudformation.{region}.amazonaws.com" for region in opt_in_regions)],
        Condition([_OWN_ACCOUNT, ArnLike("aws:SourceArn", arn("cloudformation", f"stackset/{stack_prefix}-*", region="*"))]),
    )


def stackset_execution(administration_role: Any) -> PolicyDocument:
    """Exactly the administration role."""
    return document(Statement(Effect=Allow, Principal=Principal("AWS", administration_role), Action=[sts.AssumeRole]))


def s3_replication() -> PolicyDocument:
    """S3 replication. No condition: the Amazon S3 User Guide ("Setting up permissions for live replication") documents none, and
    replication that cannot assume its role fails object by object, without an error anywhere else."""
    return _service(["s3.amazonaws.com"], None)


def github_deployment(repository: str, environment: str, branch: str, *, owner_id: str | None, repository_id: str | None) -> PolicyDocument:
    """Workflows of one repository that run in one GitHub deployment environment, on its branch.

    A subject names the environment and no branch, and GitHub makes an environment that a workflow of any branch names. Which branches may
    use it is a setting of the repository that nobody has to make; so the branch is asked for here as well.

    With the numeric ids the subject is the immutable form that repositories made, renamed or moved after 2026-07-15 send.
    Sources: GitHub, "OpenID Connect reference", subject claims; IAM User Guide, "Create a role for OpenID Connect federation" (aud, sub),
    and "IAM and AWS STS condition context keys", keys for web identity federation (ref; since January 2026).
    """
    return _github(repository, f"environment:{environment}", owner_id, repository_id, ref=f"refs/heads/{branch}")


def github_planning(repository: str, branch: str, *, owner_id: str | None, repository_id: str | None) -> PolicyDocument:
    """Workflows of one repository on its branch."""
    return _github(repository, f"ref:refs/heads/{branch}", owner_id, repository_id)


def github_pull_request(repository: str, *, owner_id: str | None, repository_id: str | None) -> PolicyDocument:
    """Workflows of one repository on pull requests.

    A pull request of a fork has the same subject, but GitHub gives its workflows no token to show it with (docs/assumptions.md).
    """
    return _github(repository, "pull_request", owner_id, repository_id)


def _github(repository: str, context: str, owner_id: str | None, repository_id: str | None, **claims: str) -> PolicyDocument:
    if owner_id and repository_id:
        organisation, name = repository.split("/")
        repository = f"{organisation}@{owner_id}/{name}@{repository_id}"
    wanted = {"aud": "sts.amazonaws.com", "sub": f"repo:{repository}:{context}", **claims}
    return document(
        Statement(
            Effect=Allow,
            Principal=Principal("Federated", arn("iam", f"oidc-provider/{GITHUB_ISSUER}")),
            Action=[sts.AssumeRoleWithWebIdentity],
            Condition=Condition(StringEquals({f"{GITHUB_ISSUER}:{name}": value for name, value in wanted.items()})),
        ),
    )


def _service(services: list[str], condition: Condition | None) -> PolicyDocument:
    narrowed = {} if condition is None else {"Condition": condition}
    return document(Statement(Effect=Allow, Principal=Principal("Service", services), Action=[sts.AssumeRole], **narrowed))

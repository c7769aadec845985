"""What a planner may do: read what a plan is made of, and make change sets that it deletes again. It may change nothing.

A plan needs CloudFormation's own word, which is a change set. Whoever may make one but not execute it, may not pass a role and may only
touch change sets of a name that apply never uses, changes no stack with it (decision 26). It reads no secret's value, no function's code,
no byte of the site, and takes on no other role.

The code of a pull request, which nobody has reviewed, plans with less: see `unreviewed`.
"""

from __future__ import annotations

from awacs.aws import Action, Deny, PolicyDocument, Statement, StringEquals, StringLike

from policies import reading
from policies.deployment import Deployment
from policies.statements import allow, arn, document, role_arn, s3_arn

REVIEW_CHANGE_SETS = "review-*"
"""Names of the change sets of `plan --read-only`; those that an apply executes are called plan-*."""


def plan(names: Deployment) -> PolicyDocument:
    """What `deploy.py plan --read-only` calls, and `status`, `drift`, `verify` and `history` beside it."""
    return document(*_stacks(names), *_beside(names))


STACKS_WITH_SECRETS = ("edge",)
"""Ids of the stacks that take a secret as a NoEcho parameter."""

_AROUND_NO_ECHO = (
    "CreateChangeSet",
    "DeleteChangeSet",
    "DescribeChangeSet",
    "DetectStackDrift",
    "DetectStackResourceDrift",
    "DescribeStackResourceDrifts",
    "TagResource",
)
"""Calls on a stack of which no document says that they hide a NoEcho parameter whatever template they are given. Of stacks and their events
it is said (CloudFormation User Guide, "Parameters", NoEcho), and GetTemplate knows no values."""


def unreviewed(names: Deployment) -> PolicyDocument:
    """What code that nobody has reviewed may not do of all that: make change sets of the stack whose parameter is the hash of the password.

    A change set may bring any template. One that drops NoEcho and keeps the parameter's value would show it, and no condition key of
    CreateChangeSet looks into a template.
    """
    return document(
        Statement(
            Sid="NoWayAroundNoEcho",
            Effect=Deny,
            Action=[Action("cloudformation", name) for name in _AROUND_NO_ECHO],
            Resource=[arn("cloudformation", f"stack/{names.prefix}-{stack}/*", region="*") for stack in STACKS_WITH_SECRETS],
        ),
    )


def _stacks(names: Deployment) -> list[Statement]:
    own = arn("cloudformation", f"stack/{names.prefix}-*/*", region="*")
    return [
        # The change set for DescribeEvents alone, as in `policies.deployment`.
        allow("ReadStacks", "cloudformation", reading.STACKS, own, arn("cloudformation", "changeSet/*", region="*")),
        allow(
            "ReviewChangeSets",
            "cloudformation",
            ["CreateChangeSet", "DeleteChangeSet"],
            own,
            # By name or ARN: no document says which of them the key holds where a call gives the ARN.
            condition=StringLike(
                "cloudformation:ChangeSetName", [REVIEW_CHANGE_SETS, f"arn:*:cloudformation:*:*:changeSet/{REVIEW_CHANGE_SETS}"]
            ),
        ),
        # A stack's tags are part of what a change set shows.
        allow(
            "TagsOfChangeSets",
            "cloudformation",
            ["TagResource"],
            own,
            condition=StringEquals("cloudformation:CreateAction", "CreateChangeSet"),
        ),
        allow(
            "ReadStackSets",
            "cloudformation",
            reading.STACKSETS,
            arn("cloudformation", f"stackset/{names.prefix}-*:*", region="*"),
            arn("cloudformation", f"stackset-target/{names.prefix}-*:*/*", region="*"),
        ),
        reading.look(),
        *reading.places(),
    ]


def _beside(names: Deployment) -> list[Statement]:
    releases = f"{names.artifact_bucket}/site/{names.environment}"
    return [
        # Its ARN says nothing of whose it is.
        allow("Certificates", "acm", ["DescribeCertificate"], arn("acm", "certificate/*", region="us-east-1")),
        # The configuration, not GetFunction: the code that it hands out has the hash of the password in it.
        allow(
            "EdgeFunction",
            "lambda",
            ["GetFunctionConfiguration"],
            arn("lambda", f"function:{names.edge_function_name}", region="us-east-1"),
            arn("lambda", f"function:{names.edge_function_name}:*", region="us-east-1"),
        ),
        allow("ReadRoles", "iam", ["GetRole"], role_arn(f"{names.prefix}-*")),
        allow(
            "Buckets",
            "s3",
            ["ListBucket", "GetBucketLocation", "GetBucketPolicy", "GetBucketTagging"],
            *(s3_arn(bucket) for bucket in _buckets(names)),
        ),
        # What was applied and released, and the site's ledger of it; not the kept bytes of the app.
        allow(
            "Records",
            "s3",
            ["GetObject"],
            s3_arn(f"{names.artifact_bucket}/assemblies/*"),
            s3_arn(f"{names.artifact_bucket}/history/{names.environment}/*"),
            s3_arn(f"{names.artifact_bucket}/rehearsals/{names.environment}/*"),
            s3_arn(f"{releases}/releases.json"),
            s3_arn(f"{releases}/manifests/*"),
            s3_arn(f"{names.site_bucket}/.releases/*"),
            # Who takes releases; not the lock beside it.
            *([s3_arn(f"{names.standby.artifact_bucket}/recovery/{names.environment}/target.json")] if names.standby else []),
        ),
        *_origins(names),
        allow("Distribution", "cloudfront", ["GetDistribution", "ListConflictingAliases"], arn("cloudfront", "distribution/*")),
        allow("Lock", "dynamodb", ["GetItem"], arn("dynamodb", f"table/{names.lock_table}", region=names.home_region)),
        # Which version is current; not its value.
        allow(
            "SecretVersion",
            "secretsmanager",
            ["DescribeSecret", "ListSecretVersionIds"],
            arn("secretsmanager", f"secret:{names.secret}-??????", region="us-east-1"),
        ),
        *reading.standing(names.prefix, firewall=names.firewall),
    ]


def _buckets(names: Deployment) -> tuple[str, ...]:
    standby = (names.standby.replica, names.standby.artifact_bucket) if names.standby else ()
    return (names.artifact_bucket, names.site_bucket, names.access_log_bucket, *standby)


def _origins(names: Deployment) -> list[Statement]:
    """Whether the replica is read by the same as the site bucket, and is replicated to."""
    if names.replica_bucket is None:
        return []
    asked = ["GetBucketVersioning", "GetReplicationConfiguration"]
    return [allow("Origins", "s3", asked, s3_arn(names.site_bucket), s3_arn(names.replica_bucket))]

"""What a deployer may do itself, with or without GitHub Actions between: change sets, locks, artifacts, publishing. Not the resources:
those are made by CloudFormation through the service role, which is the only role it may pass on.

Two policies, because IAM takes 6,144 characters for one: `stacks` for what is deployed, `content` for what is published and read. Their
`boundary` says once more what both allow together, short enough for one policy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from awacs import sts
from awacs.aws import Action, Allow, Deny, PolicyDocument, Statement
from troposphere import encode_to_dict

from policies import reading
from policies.buckets import ACCESS_LOG_PREFIX
from policies.statements import allow, arn, document, pass_role, role_arn, s3_arn, web_acls

_STACKS = (
    *reading.STACKS,
    "CreateChangeSet",
    "ExecuteChangeSet",
    "DeleteChangeSet",
    "SetStackPolicy",
    "UpdateTerminationProtection",
    "DeleteStack",
    "RollbackStack",
    "ContinueUpdateRollback",
    "CancelUpdateStack",
    "TagResource",
    "UntagResource",
)

_STACKSETS = (
    *reading.STACKSETS,
    "UpdateStackSet",
    "DeleteStackSet",
    "CreateStackInstances",
    "UpdateStackInstances",
    "DeleteStackInstances",
    "StopStackSetOperation",
    "TagResource",
    "UntagResource",
)

_ADMINISTRATORS = (
    "ExecuteChangeSet",
    "DeleteStack",
    "RollbackStack",
    "ContinueUpdateRollback",
    "CancelUpdateStack",
    "SetStackPolicy",
    "UpdateTerminationProtection",
)
"""What a deployer does to other stacks and not to foundation."""


@dataclass(frozen=True)
class Standby:
    """What a deployer works with while the home region is lost, and on the way there and back (docs/decisions/0039)."""

    replica: str
    artifact_bucket: str


@dataclass(frozen=True)
class Deployment:
    """The names a deployer works with in one account."""

    prefix: str
    environment: str
    site_bucket: str
    artifact_bucket: str
    lock_table: str
    home_region: str
    secret: str
    edge_function_name: str
    access_log_bucket: str
    service_role_name: str
    administration_role_name: str
    deploy_role_name: str
    zone_role_arn: str | None
    firewall: bool = False
    """The distribution has a web ACL of the platform."""
    standby: Standby | None = None
    """With disaster recovery."""

    @property
    def replica_bucket(self) -> str | None:
        """Of the site bucket."""
        return self.standby.replica if self.standby else None

    @property
    def artifact_buckets(self) -> tuple[str, ...]:
        """At home, and with disaster recovery in the standby region."""
        return (self.artifact_bucket, *([self.standby.artifact_bucket] if self.standby else []))


def stacks(names: Deployment) -> PolicyDocument:
    """What `deploy.py` calls to plan and apply. Changing foundation itself is denied: that takes an administrator."""
    return document(*_stacks(names))


def content(names: Deployment) -> PolicyDocument:
    """What `deploy.py` reads and writes beside the stacks: artifacts, lock, the app's files, credential, logs."""
    # A workflow that could write there would approve its own plans (`approvals`). Not in the boundary, which has no room for it: a denial
    # of the policy wins over whatever else allows.
    approvals = Statement(
        Sid="ApprovalsArePeoples",
        Effect=Deny,
        Action=[Action("s3", "PutObject")],
        Resource=[s3_arn(f"{bucket}/approvals/*") for bucket in names.artifact_buckets],
    )
    return document(*_content(names), approvals)


def boundary(names: Deployment) -> PolicyDocument:
    """The most that the deploy role can ever do: everything that `stacks` and `content` allow, on the same resources.

    A boundary grants nothing, so it may say `Describe*` where the policies name each action; that makes both fit into one policy.
    """
    return document(*_limits([*_stacks(names), *_content(names)]))


def _limits(statements: list[Statement]) -> list[Statement]:
    """The statements without names, those of one resource merged, reading actions of one verb and services put together."""
    merged: dict[str, dict[str, Any]] = {}
    for statement in statements:
        parts = {key: value for key, value in statement.properties.items() if key not in ("Sid", "Action")}
        key = json.dumps(encode_to_dict(parts), sort_keys=True)
        entry = merged.setdefault(key, {**parts, "Action": []})
        entry["Action"] += [action for action in statement.properties["Action"] if action not in entry["Action"]]
    for entry in merged.values():
        if entry["Effect"] == Allow and entry["Resource"] != ["*"] and "Condition" not in entry:
            entry["Action"] = _by_verb(entry["Action"])
        elif entry["Effect"] == Allow:
            entry["Action"] = _by_beginning(entry["Action"])
    return [Statement(**entry) for entry in _beside(merged.values())]


def _beside(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with statements of different services as one, which allows nothing more: no service's action has another's resources."""
    whole: list[dict[str, Any]] = []
    shared: list[tuple[set[str], dict[str, Any]]] = []
    for entry in entries:
        services = {action.prefix for action in entry["Action"]}
        if entry["Effect"] != Allow or entry["Resource"] == ["*"] or "Condition" in entry:
            whole.append(entry)
            continue
        room = next((each for each in shared if not each[0] & services), None)
        if room is None:
            shared.append((services, {**entry, "Resource": [*entry["Resource"]], "Action": [*entry["Action"]]}))
        else:
            room[0].update(services)
            room[1]["Resource"] += entry["Resource"]
            room[1]["Action"] += entry["Action"]
    return [*(entry for _, entry in shared), *whole]


def _by_beginning(actions: list[Action]) -> list[Action]:
    """`ListHostedZones*` for itself and `ListHostedZonesByName`; all others as they are."""
    names = {(action.prefix, str(action.action)) for action in actions}
    longer = {(p, name) for p, name in names if any(q == p and name != short and name.startswith(short) for q, short in names)}
    short = {(p, name) for p, name in names for q, other in longer if q == p and other.startswith(name)}
    found = ((action.prefix, str(action.action)) for action in actions)
    return [Action(p, f"{name}*" if (p, name) in short else name) for p, name in found if (p, name) not in longer]


def _by_verb(actions: list[Action]) -> list[Action]:
    """`Describe*` for two or more actions that describe, likewise Detect, Get and List; all others as they are."""
    groups: dict[tuple[str, str], list[Action]] = {}
    for action in actions:
        name = str(action.action)
        verb = re.match(r"Describe|Detect|Get|List", name)
        groups.setdefault((action.prefix, f"{verb[0]}*" if verb else name), []).append(action)
    return [same[0] if len(same) == 1 else Action(prefix, name) for (prefix, name), same in groups.items()]


def _stacks(names: Deployment) -> list[Statement]:
    own = arn("cloudformation", f"stack/{names.prefix}-*/*", region="*")
    statements = [
        allow(
            "Stacks",
            "cloudformation",
            _STACKS,
            own,
            # For DescribeEvents alone, the only one of these that takes a change set: the events of its own validation.
            arn("cloudformation", "changeSet/*", region="*"),
        ),
        allow(
            "StackSets",
            "cloudformation",
            _STACKSETS,
            arn("cloudformation", f"stackset/{names.prefix}-*:*", region="*"),
            arn("cloudformation", f"stackset-target/{names.prefix}-*:*/*", region="*"),
            # Stack instances name the resource types they make as a resource of their own (Service Authorization Reference).
            arn("cloudformation", "type/resource/*", region="*", account=""),
        ),
        # CloudFormation would change foundation with the deployer's own permissions, fail at the first role and roll back with the same.
        # A change set of it is only ever looked at.
        Statement(
            Sid="FoundationIsNotTheDeployers",
            Effect=Deny,
            Action=[Action("cloudformation", name) for name in _ADMINISTRATORS],
            Resource=[arn("cloudformation", f"stack/{names.prefix}-foundation/*", region="*")],
        ),
        # Whoever creates a StackSet still has to pass it a role, and may pass only the platform's.
        # GetResource reads what is to be taken over, with what CloudFormation's role may read, which is passed to it.
        reading.look(acm=("ListCertificates",), cloudformation=("CreateStackSet", "GetResource", "ValidateTemplate")),
        *reading.places(),
        # ACM refuses to delete one that is in use; its ARN says nothing of whose it is.
        allow("Certificates", "acm", ["DescribeCertificate", "DeleteCertificate"], arn("acm", "certificate/*", region="us-east-1")),
        # Versions alone: Lambda refuses while one is at the edge. The function itself is not among them.
        allow(
            "SupersededVersions",
            "lambda",
            ["GetFunctionConfiguration", "DeleteFunction"],
            arn("lambda", f"function:{names.edge_function_name}:*", region="us-east-1"),
        ),
        # Those of IAM Identity Center tell who has approved (`approvals`).
        allow("ReadRoles", "iam", ["GetRole"], role_arn(f"{names.prefix}-*"), role_arn("aws-reserved/sso.amazonaws.com/*")),
        # Whether a verb may do what it is about to do, about itself only.
        allow("AskBefore", "iam", ["SimulatePrincipalPolicy"], role_arn(names.deploy_role_name)),
        _passing(names),
    ]
    if names.zone_role_arn:
        statements.append(Statement(Sid="ZoneAccount", Effect=Allow, Action=[sts.AssumeRole], Resource=[names.zone_role_arn]))
    return statements


def _passing(names: Deployment) -> Statement:
    roles = role_arn(names.service_role_name), role_arn(names.administration_role_name)
    return pass_role("PassToCloudFormation", "cloudformation.amazonaws.com", *roles)


def _content(names: Deployment) -> list[Statement]:
    return [
        *_site_content(names),
        allow(
            "Artifacts",
            "s3",
            ["ListBucket", "ListBucketVersions", "GetBucketLocation", "GetObject", "GetObjectVersion", "PutObject"],
            *(s3_arn(f"{bucket}{objects}") for bucket in names.artifact_buckets for objects in ("", "/*")),
        ),
        allow(
            "Invalidate",
            "cloudfront",
            ["CreateInvalidation", "GetInvalidation", "GetDistribution", "ListConflictingAliases"],
            arn("cloudfront", "distribution/*"),
        ),
        allow(
            "Lock",
            "dynamodb",
            ["GetItem", "PutItem", "UpdateItem", "DeleteItem"],
            arn("dynamodb", f"table/{names.lock_table}", region=names.home_region),
        ),
        allow(
            "BasicAuthHash",
            "secretsmanager",
            ["GetSecretValue", "DescribeSecret", "ListSecretVersionIds"],
            # Secrets Manager appends six random characters to the name.
            arn("secretsmanager", f"secret:{names.secret}-??????", region="us-east-1"),
        ),
        allow(
            "EdgeLogs",
            "logs",
            ["FilterLogEvents", "GetLogEvents", "DescribeLogStreams"],
            # With and without the `:*` behind a group's name: which actions ask for which form is not the same in all of AWS's documents
            # (CloudWatch Logs User Guide, "Overview of managing access permissions"). All such names are the platform's.
            arn("logs", f"log-group:/aws/lambda/us-east-1.{names.edge_function_name}*", region="*"),
        ),
        *reading.standing(names.prefix, firewall=names.firewall),
        allow("StandingFunction", "lambda", ["GetFunction"], arn("lambda", f"function:{names.edge_function_name}", region="us-east-1")),
    ]


def _site_content(names: Deployment) -> list[Statement]:
    """Of the site's buckets: what they hold, and who reads it."""
    replica = [names.replica_bucket] if names.replica_bucket else []
    compared = ["GetBucketVersioning", "GetReplicationConfiguration"] if replica else []
    logs = names.access_log_bucket
    found = [
        # Their tags say whose they are, and a bucket that has a policy gets no other by a creation: `inventory/` looks before a first one.
        # Of two origins the policies are compared: who reads the one has to read the other.
        allow(
            "SiteBuckets",
            "s3",
            ["ListBucket", "GetBucketLocation", "GetBucketPolicy", "GetBucketTagging", "GetObject", *compared],
            *map(s3_arn, (names.site_bucket, *replica, logs, f"{logs}/{ACCESS_LOG_PREFIX}/*")),
        ),
        # The replica is given what replication does not bring, and loses what is pruned (`recovery.following`).
        allow(
            "SiteContent",
            "s3",
            ["GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts"],
            *(s3_arn(f"{bucket}/*") for bucket in (names.site_bucket, *replica)),
        ),
    ]
    if replica:
        # A rehearsal closes the site bucket to CloudFront by a statement that ends by itself (`recovery.closing`). No condition can say
        # which statement that is; but a deployer writes the same policy by the service role already, below Block Public Access.
        # A promotion has the replica refuse replication the same way (`promotion.fence`), and CloudFront ask the replica first.
        found.append(allow("Rehearse", "s3", ["PutBucketPolicy"], *map(s3_arn, (names.site_bucket, *replica))))
        found += [
            allow("OriginOrder", "cloudfront", ["GetDistributionConfig", "UpdateDistribution"], arn("cloudfront", "distribution/*")),
            # Whoever updates a distribution that has a function at the edge associates it (CloudFront Developer Guide, "IAM permissions
            # required to associate Lambda@Edge functions with CloudFront distributions"). The asterisk is part of the action's name.
            allow(
                "OriginOrderEdge",
                "lambda",
                ["GetFunction", "EnableReplication*"],
                arn("lambda", f"function:{names.edge_function_name}:*", region="us-east-1"),
            ),
            # Those of replication are in both regions, and `dr status` shows them.
            allow("RecoveryAlarms", "cloudwatch", ["DescribeAlarms"], arn("cloudwatch", f"alarm:{names.prefix}-*", region="*")),
        ]
    if names.standby and names.firewall:
        # CloudFront refuses an update by somebody who may not see its web ACL ("Web ACL is not accessible by the requester").
        found.append(allow("OriginOrderFirewall", "wafv2", ["GetWebACL"], web_acls(names.prefix)))
    return found

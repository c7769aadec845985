"""What a verb will call, asked of IAM before it begins: who may not do it is told so while nothing has happened yet.

In: a verb with its options, the assembly, who acts, IAM. Out: the actions that IAM would deny, each with its resource.
Never: takes "not known" for a no: where IAM does not answer (the caller may not ask, a role with a path, a user of another account) the
verb goes on, and AWS's own words say what is missing. Reading verbs ask nothing; a root user may everything.

The simulation knows policies, boundary and the organization's policies, but no conditions of other resources' policies (IAM User Guide,
"IAM policy testing with the IAM policy simulator"), so a yes is no promise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from assembly.model import Assembly, RoleName, Stack
from aws.errors import AwsError, CredentialsError
from guards import documents


@dataclass(frozen=True)
class Need:
    """Actions on one resource; `context` are the condition keys that the call carries."""

    resource: str
    actions: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)


class Simulation(Protocol):
    """`aws.iam.Iam`, as far as it is needed here."""

    def denied(self, principal: str, resource: str, actions: tuple[str, ...], context: Mapping[str, str]) -> tuple[str, ...] | None: ...


@dataclass(frozen=True)
class Account:
    """What the verb works on."""

    assembly: Assembly
    site_bucket: str | None
    """None where the templates do not say."""
    options: Mapping[str, Any]
    """Of the verb."""
    replica_bucket: str | None = None
    """With disaster recovery, as is the next."""
    standby_artifacts: str | None = None


def missing(verb: str, account: Account, caller: str, iam: Callable[[], Simulation]) -> list[str]:
    """A line for each resource on which the caller may not do what the verb will do; empty where nothing is known against it."""
    assembly, wanted = account.assembly, needs(verb, account)
    principal = principal_of(assembly, caller)
    if not wanted or principal is None:
        return []
    gateway = iam()
    found = []
    for need in wanted:
        try:
            denied = gateway.denied(principal, need.resource, need.actions, need.context)
        except CredentialsError:
            raise
        except AwsError:
            return []  # a question that got no answer says nothing against it; the verb itself will tell
        if denied is None:
            return []
        if denied:
            found.append(f"{principal} may not {', '.join(denied)} on {need.resource}")
    return found


def principal_of(assembly: Assembly, caller: str) -> str | None:
    """The user or role whose policies count in the assembly's account; None for a root user, and what has no policies of its own."""
    parts = caller.split(":", 5)
    if len(parts) < 6:
        return None
    partition, account, resource = parts[1], parts[4], parts[5]
    if account != assembly.account_id:
        return f"arn:{partition}:iam::{assembly.account_id}:role/{assembly.deploy_role_name}" if assembly.deploy_role_name else None
    role = re.fullmatch(r"assumed-role/([^/]+)/.+", resource)
    if role:
        return f"arn:{partition}:iam::{account}:role/{role[1]}"
    return caller if resource.startswith("user/") else None


def needs(verb: str, account: Account) -> tuple[Need, ...]:
    """What the verb will change, and what it cannot begin without; nothing for one that only reads, or only shows."""
    made = _NEEDS.get(verb)
    return tuple(made(account)) if made and not (account.options.get("dry_run") or account.options.get("read_only")) else ()


def site_bucket(templates: Mapping[str, bytes]) -> str | None:
    """Name of the site bucket, as the site stack's template has it."""
    return _bucket(templates, "site", "Bucket")


def account_of(assembly: Assembly, templates: Mapping[str, bytes], options: Mapping[str, Any]) -> Account:
    """What a verb with these options works on."""
    buckets = site_bucket(templates), _bucket(templates, "replica", "Bucket"), _bucket(templates, "replica", "ArtifactBucket")
    return Account(assembly, buckets[0], options, *buckets[1:])


def _bucket(templates: Mapping[str, bytes], stack: str, resource: str) -> str | None:
    resources = documents.loads(templates[stack]).get("Resources", {}) if stack in templates else {}
    name = resources.get(resource, {}).get("Properties", {}).get("BucketName")
    return name if isinstance(name, str) else None


# --- by verb ------------------------------------------------------------------------------------------------------


def _plan(account: Account) -> list[Need]:
    stacks = _stacks(account.assembly)[:1]
    found = [_on_stack(stack, "CreateChangeSet", "DescribeChangeSet", "DeleteChangeSet") for stack in stacks]
    return [*found, *(_passing(account.assembly, stack) for stack in stacks)]


def _adopt(account: Account) -> list[Need]:
    return _plan(account) if account.options.get("plan") else []


def _apply(account: Account) -> list[Need]:
    assembly = account.assembly
    stacks = [_on_stack(stack, "ExecuteChangeSet") for stack in _stacks(assembly)[:1]]
    sets = _on_sets(assembly, "UpdateStackSet", "CreateStackInstances", "UpdateStackInstances")
    return [*_plan(account), *stacks, *sets, *_lock(assembly), Need(_objects(assembly.artifact_bucket), ("s3:PutObject",))]


def _publish(account: Account) -> list[Need]:
    buckets = filter(None, (account.assembly.artifact_bucket, account.site_bucket))
    return [*(_written(bucket) for bucket in buckets), _distribution(account.assembly, "CreateInvalidation")]


def _verify(account: Account) -> list[Need]:
    return [Need(_objects(account.site_bucket), ("s3:PutObject",))] if account.site_bucket and account.options.get("record") else []


def _prune(account: Account) -> list[Need]:
    return [Need(_objects(account.site_bucket), ("s3:DeleteObject",))] if account.site_bucket else []


def _retry(account: Account) -> list[Need]:
    return [*_on_sets(account.assembly, "CreateStackInstances", "UpdateStackInstances"), *_lock(account.assembly)]


def _stop(account: Account) -> list[Need]:
    return _on_sets(account.assembly, "StopStackSetOperation")


def _doctor(account: Account) -> list[Need]:
    if not account.options.get("fix"):
        return []
    stacks = [_on_stack(stack, "ContinueUpdateRollback", "DeleteStack") for stack in _stacks(account.assembly)[:1]]
    return [*stacks, *_lock(account.assembly)]


def _unlock(account: Account) -> list[Need]:
    return [Need(_table(account.assembly), ("dynamodb:DeleteItem",))] if account.options.get("lock_id") else []


def _set_password(account: Account) -> list[Need]:
    wanted = account.assembly.basic_auth_secret
    if wanted is None:
        return []
    arn = f"arn:aws:secretsmanager:{wanted.region}:{account.assembly.account_id}:secret:{wanted.secret}-XXXXXX"
    return [Need(arn, ("secretsmanager:PutSecretValue",))]


def _destroy(account: Account) -> list[Need]:
    assembly = account.assembly
    actions = ("DeleteStack", *(["UpdateTerminationProtection"] if account.options.get("lift_termination_protection") else []))
    found = [_on_stack(stack, *actions) for stack in assembly.stacks if stack.kind == "stack" and stack.account_id == assembly.account_id]
    found += _on_sets(assembly, "DeleteStackSet", "DeleteStackInstances")
    if account.options.get("delete_data"):
        for bucket in filter(None, (account.site_bucket, assembly.artifact_bucket)):
            found += [Need(f"arn:aws:s3:::{bucket}", ("s3:ListBucketVersions", "s3:DeleteBucket"))]
            found += [Need(_objects(bucket), ("s3:DeleteObject", "s3:DeleteObjectVersion"))]
        found.append(Need(_table(assembly), ("dynamodb:UpdateTable", "dynamodb:DeleteTable")))
    return [*found, *_lock(assembly)]


def _dr(account: Account) -> list[Need]:
    """By sub-verb. While the home region is lost the lock table is asked nothing, so a promotion needs it only if it is planned."""
    assembly, options = account.assembly, account.options
    site, replica, standby = account.site_bucket, account.replica_bucket, account.standby_artifacts
    if not (site and replica and standby):
        return []
    lock, closes = _lock(assembly), _policy(site)
    beacons = Need(_objects(replica), ("s3:PutObject", "s3:DeleteObject"))
    moves = [_policy(replica), _written(standby), _distribution(assembly, "GetDistributionConfig", "UpdateDistribution")]
    needs_of: Mapping[Any, list[Need]] = {
        "backfill": [_written(replica), *lock],
        "rehearse": [closes, beacons, _written(assembly.artifact_bucket), _distribution(assembly, "CreateInvalidation"), *lock],
        "rehearse --end": [closes, *lock],
        "promote": moves,
        "promote --planned": [*moves, _written(replica), *lock],
        "failback": [*moves, *map(_written, (site, replica, assembly.artifact_bucket)), *lock],
    }
    more = next((f" --{name}" for name in ("end", "planned") if options.get(name)), "")
    action = options.get("action")
    return needs_of.get(f"{action}{more}", needs_of.get(action, []))


_NEEDS: Mapping[str, Callable[[Account], list[Need]]] = {
    "adopt": _adopt,
    "plan": _plan,
    "rollback": _plan,
    "apply": _apply,
    "publish": _publish,
    "rollback-release": _publish,
    "verify": _verify,
    "prune": _prune,
    "retry": _retry,
    "stop": _stop,
    "doctor": _doctor,
    "unlock": _unlock,
    "set-password": _set_password,
    "destroy": _destroy,
    "dr": _dr,
}


# --- resources ----------------------------------------------------------------------------------------------------


def _stacks(assembly: Assembly) -> list[Stack]:
    """Stacks of the account that a service role makes; one stands for all, as their names begin alike."""
    return [s for s in assembly.stacks if s.kind == "stack" and s.service_role and s.account_id == assembly.account_id]


def _on_stack(stack: Stack, *actions: str) -> Need:
    arn = f"arn:aws:cloudformation:{stack.region}:{stack.account_id}:stack/{stack.stack_name}/00000000-0000-0000-0000-000000000000"
    return Need(arn, tuple(f"cloudformation:{action}" for action in actions))


def _on_sets(assembly: Assembly, *actions: str) -> list[Need]:
    return [
        Need(
            f"arn:aws:cloudformation:{stack.region}:{stack.account_id}:stackset/{stack.stack_name}:00000000-0000-0000-0000-000000000000",
            tuple(f"cloudformation:{action}" for action in actions),
        )
        for stack in assembly.stacks
        if stack.kind == "stackset" and stack.account_id == assembly.account_id
    ]


def _passing(assembly: Assembly, stack: Stack) -> Need:
    # Of a stack output only AWS knows the value; the role is named by the prefix wherever it is made.
    given = stack.service_role
    name = given.name if isinstance(given, RoleName) else f"{assembly.project}-{assembly.environment}-cloudformation"
    role = f"arn:aws:iam::{assembly.account_id}:role/{name}"
    return Need(role, ("iam:PassRole",), {"iam:PassedToService": "cloudformation.amazonaws.com"})


def _lock(assembly: Assembly) -> list[Need]:
    return [Need(_table(assembly), ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"))]


def _table(assembly: Assembly) -> str:
    return f"arn:aws:dynamodb:{assembly.home_region}:{assembly.account_id}:table/{assembly.lock_table}"


def _policy(bucket: str) -> Need:
    return Need(f"arn:aws:s3:::{bucket}", ("s3:GetBucketPolicy", "s3:PutBucketPolicy"))


def _written(bucket: str) -> Need:
    return Need(_objects(bucket), ("s3:PutObject",))


def _distribution(assembly: Assembly, *actions: str) -> Need:
    arn = f"arn:aws:cloudfront::{assembly.account_id}:distribution/E0000000000000"
    return Need(arn, tuple(f"cloudfront:{action}" for action in actions))


def _objects(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}/preflight"

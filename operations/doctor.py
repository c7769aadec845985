"""Diagnosis: is everything there that a deployment needs, and is anything stuck?

In: an assembly with its templates, AWS, a resolver for the public DNS, the change sets of the saved plan.
Out: a `Report` of checks, each ok, warning, problem or "could not check", with what to type next; and fixes for stuck stacks, each of
them described before it is done.
Never: changes anything while it looks; does a fix when the stack is no longer as it was shown; says "ok" of what it could not ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from assembly import commands
from assembly.model import Assembly, Frozen, Stack
from aws.account import Account
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stacks import StackDescription
from aws.cloudfront import CloudFront
from aws.dynamodb import Items
from aws.errors import AccessDenied, AwsError, Conflict, CredentialsError, NotFound
from aws.iam import Iam
from aws.route53 import Route53
from aws.s3 import S3
from aws.secrets import Secrets
from guards import documents
from guards.text import painted
from operations import delegation
from operations.credential import CredentialError, from_json
from operations.delegation import Verdict
from operations.public_dns import Caa, DnsError, Resolver
from planning.request import change_set_prefix
from planning.states import in_the_way
from rollout import lock, new_account

if TYPE_CHECKING:
    from aws.session import Aws

WORKERS = 8
POLL_SECONDS = 3.0
ATTEMPTS = 1200
"""Looks at a stack that is being mended; an hour."""

AMAZON_AUTHORITIES = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
"""Any of them in a CAA record lets ACM issue. Source: ACM User Guide, "Set up a CAA record"."""

USED_SHARE = 0.9
"""A quota that is used beyond this share is a warning; one that is used up a problem, if more is to be made."""

_EQUAL_DIGITS = re.compile(r"(\d)\1{11}")

Level = Literal["ok", "warning", "problem", "unknown"]


class Check(Frozen, frozen=True, kw_only=True):
    """One thing that was looked at. `unknown`: it could not be checked."""

    code: str
    """Stable name for machines, e.g. "hosted_zone"."""
    level: Level
    message: str
    command: str = ""
    """What to type next, if anything."""
    stack: str = ""


FixAction = Literal["delete_reviewed", "delete_change_sets", "delete", "delete_retaining", "continue_rollback", "roll_back", "wait"]


class Fix(Frozen, frozen=True, kw_only=True):
    """A safe action for a stack that is stuck, and what it would do."""

    action: FixAction
    stack: str
    stack_name: str
    account_id: str
    region: str
    role_arn: str | None
    arn: str
    status: str
    """The state it was offered for; in any other it is not done."""
    does: tuple[str, ...]
    """The dry run, a line a step."""
    names: tuple[str, ...] = ()
    """Change sets to delete (ARNs), or logical ids to retain."""


class Report(Frozen, frozen=True, kw_only=True):
    """All that was found."""

    environment: str
    account_id: str
    checks: tuple[Check, ...]
    fixes: tuple[Fix, ...] = ()

    @property
    def exit_status(self) -> int:
        """1 if there is a problem, else 0."""
        return 1 if any(c.level == "problem" for c in self.checks) else 0


class Places(Protocol):
    """CloudFormation by place (`aws.gateways.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What is looked at, and with what."""

    assembly: Assembly
    templates: Mapping[str, bytes]
    """By stack id."""
    aws: Aws
    places: Places
    resolver: Resolver | None
    """None: there is no public DNS to ask (a local AWS)."""
    waiting: frozenset[str] = frozenset()
    """ARNs of the change sets that the saved plan waits with."""
    local: bool = False

    @property
    def env(self) -> str:
        """The environment's name."""
        return self.assembly.environment

    def verb(self, text: str) -> str:
        """A command line of this project for this environment."""
        name, _, rest = text.partition(" ")
        return f"python deploy.py {name} --env {self.env}{' ' + rest if rest else ''}"


def examine(patient: Patient, *, workers: int = WORKERS) -> Report:
    """Every check, several at once; what AWS refuses to one of them is "could not check", with AWS's words."""
    checks = list(_placeholders(patient))
    reachable, credentials = _credentials(patient)
    checks += credentials
    fixes: list[Fix] = []
    if patient.assembly.account_id in reachable:
        jobs: list[tuple[str, Callable[[], Iterable[Check]]]] = [
            ("regions", lambda: _regions(patient)),
            ("sts_tokens", lambda: _sts_tokens(patient)),
            ("sts_endpoint", lambda: _sts_endpoint(patient)),
            ("quotas", lambda: _quotas(patient)),
            *(
                [
                    ("hosted_zone", lambda: _hosted_zone(patient, reachable)),
                    ("caa", lambda: _caa(patient)),
                    ("alias", lambda: _alias(patient)),
                ]
                if patient.assembly.contract
                else []
            ),
            ("secret", lambda: _secret(patient)),
            ("artifact_bucket", lambda: _bucket(patient)),
            ("lock_table", lambda: _lock(patient)),
            ("bucket_names", lambda: _bucket_names(patient)),
        ]
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for found in pool.map(lambda job: _guarded(job[0], job[1], patient), jobs):
                checks += found
            stacks = [stack for stack in patient.assembly.stacks if stack.account_id in reachable]
            for told, offered in pool.map(lambda stack: _stack(patient, stack), stacks):
                checks += told
                fixes += offered
    return Report(environment=patient.env, account_id=patient.assembly.account_id, checks=tuple(checks), fixes=tuple(fixes))


_LABELS = {
    "regions": "regions",
    "sts_tokens": "version of STS tokens",
    "sts_endpoint": "STS endpoint of the home region",
    "quotas": "quotas",
    "account_verified": "verification of the account by AWS",
    "hosted_zone": "hosted zone",
    "alias": "alias of another distribution",
    "secret": "Basic Auth secret",
    "artifact_bucket": "artifact bucket",
    "lock_table": "lock table",
    "bucket_names": "bucket names",
}


def _guarded(code: str, check: Callable[[], Iterable[Check]], patient: Patient, stack: str = "") -> list[Check]:
    try:
        return list(check())
    except AwsError as error:
        command = error.hint if error.hint != patient.verb("doctor") else ""
        label = _LABELS.get(code, stack or code)
        return [Check(code=code, level="unknown", message=f"{label}: {error}", command=command, stack=stack)]


# --- configuration and credentials --------------------------------------------------------------------------------


def _placeholders(patient: Patient) -> Iterator[Check]:
    held = patient.assembly.placeholders
    if not held:
        yield Check(code="placeholders", level="ok", message="nothing in the environment files is left to fill in")
    for each in held:
        if patient.local:
            yield Check(code="placeholders", level="ok", message=f"{each.key} is a placeholder, which is good enough for the local AWS")
        else:
            yield Check(
                code="placeholders",
                level="problem",
                message=f"{each.file}: {each.key} is still the placeholder {each.value!r}: {each.meaning}",
                command=commands.build(patient.env),
            )


def accounts_of(assembly: Assembly) -> tuple[tuple[str, str | None], ...]:
    """Every account that the assembly is about and the role that leads there (None: the deploy role or the caller's own)."""
    found: dict[str, str | None] = {assembly.account_id: None}
    for stack in assembly.stacks:
        found.setdefault(stack.account_id, stack.role_arn)
    if assembly.hosted_zone is not None:
        found.setdefault(assembly.hosted_zone.account_id, assembly.hosted_zone.role_arn)
    return tuple(found.items())


def _credentials(patient: Patient) -> tuple[frozenset[str], list[Check]]:
    """Which accounts can be reached."""
    reachable: set[str] = set()
    checks: list[Check] = []
    for account_id, role_arn in accounts_of(patient.assembly):
        if _EQUAL_DIGITS.fullmatch(account_id) and not patient.local:
            message = f"account {account_id} is a placeholder; AWS was not asked about it"
            checks.append(Check(code="credentials", level="unknown", message=message))
            continue
        try:
            # In a region that is never off: whether the home region is on, is a question of its own.
            client = patient.aws.client("sts", account_id=account_id, region="us-east-1", role_arn=role_arn)
            arn = client.get_caller_identity()["Arn"]
        except CredentialsError as error:
            checks.append(Check(code="credentials", level="problem", message=str(error), command=_hint(error, patient)))
        except AwsError as error:
            level: Level = "problem" if isinstance(error, AccessDenied) else "unknown"
            checks.append(Check(code="credentials", level=level, message=f"account {account_id}: {error}", command=_hint(error, patient)))
        else:
            reachable.add(account_id)
            checks.append(Check(code="credentials", level="ok", message=f"account {account_id} is reached as {arn}"))
    return frozenset(reachable), checks


def _hint(error: AwsError, patient: Patient) -> str:
    """Not this very command."""
    return "" if error.hint == patient.verb("doctor") else error.hint


def _regions(patient: Patient) -> Iterator[Check]:
    assembly = patient.assembly
    wanted: dict[str, set[str]] = {}
    roles = dict(accounts_of(assembly))
    for stack in assembly.stacks:
        wanted.setdefault(stack.account_id, set()).add(stack.region)
        if stack.stackset:
            for account_id in stack.stackset.targets.accounts:
                wanted.setdefault(account_id, set()).update(stack.stackset.targets.regions)
    for account_id, regions in wanted.items():
        account = Account.connect(patient.aws, account_id=account_id, role_arn=roles.get(account_id))
        missing = sorted(regions - account.enabled_regions())
        for region in missing:
            status = account.region_status(region)
            command = f"aws account enable-region --region-name {region}"
            if status == "ENABLING":
                message = f"{region} is being enabled in account {account_id}, which takes minutes to hours"
                yield Check(code="regions", level="warning", message=message, command=patient.verb("doctor"))
            else:
                yield Check(code="regions", level="problem", message=f"{region} is {status} in account {account_id}", command=command)
        if not missing:
            names = ", ".join(sorted(regions)) if len(regions) <= 4 else f"all {len(regions)} regions"
            yield Check(code="regions", level="ok", message=f"{names} enabled in account {account_id}")


def _sts_tokens(patient: Patient) -> Iterator[Check]:
    version = Iam.connect(patient.aws, account_id=patient.assembly.account_id).global_token_version()
    if version >= 2:
        yield Check(code="sts_tokens", level="ok", message="tokens of the global STS endpoint are valid in all regions (version 2)")
        return
    yield Check(
        code="sts_tokens",
        level="warning",
        message="tokens of the global STS endpoint are version 1, which opt-in regions refuse; this deployer uses regional endpoints,"
        " other tools may not",
        command="aws iam set-security-token-service-preferences --global-endpoint-token-version v2Token",
    )


def _sts_endpoint(patient: Patient) -> Iterator[Check]:
    assembly, region = patient.assembly, patient.assembly.home_region
    try:
        patient.aws.client("sts", account_id=assembly.account_id, region=region).get_caller_identity()
    except (AccessDenied, CredentialsError) as error:
        # STS can be switched off by region (IAM User Guide, "Manage AWS STS in an AWS Region"), and is off where the region is.
        yield Check(
            code="sts_endpoint",
            level="problem",
            message=f"the STS endpoint of {region} refuses these credentials: {error.message}",
            command=f"aws account get-region-opt-status --region-name {region}",
        )
        return
    yield Check(code="sts_endpoint", level="ok", message=f"the STS endpoint of {region} answers")


# --- quotas -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Quota:
    """A quota by its Service Quotas codes."""

    what: str
    service: str
    code: str
    region: str = "us-east-1"


_DISTRIBUTIONS = _Quota("CloudFront distributions", "cloudfront", "L-24B04930")
_POLICIES = _Quota("response headers policies", "cloudfront", "L-CF0D4FC5")


def _quotas(patient: Patient) -> Iterator[Check]:
    assembly = patient.assembly
    types: dict[str, int] = {}
    for stack in assembly.stacks:
        for body in documents.loads(patient.templates[stack.id]).get("Resources", {}).values():
            types[body.get("Type", "")] = types.get(body.get("Type", ""), 0) + 1
    account = Account.connect(patient.aws, account_id=assembly.account_id)
    front = CloudFront.connect(patient.aws, account_id=assembly.account_id)
    more = _distribution(patient) is None
    if types.get("AWS::Lambda::Function"):
        yield from _guarded("quotas", lambda: [_concurrency(account)], patient)
    if types.get("AWS::CloudFront::Distribution"):
        yield from _guarded("account_verified", lambda: [_verified(assembly.account_id, front)], patient)
        yield from _guarded(
            "quotas", lambda: [_share(_DISTRIBUTIONS, len(front.distributions()), _quota(account, _DISTRIBUTIONS), more=more)], patient
        )
    if types.get("AWS::CloudFront::ResponseHeadersPolicy"):
        yield from _guarded(
            "quotas",
            lambda: [_share(_POLICIES, front.custom_response_headers_policies(), _quota(account, _POLICIES), more=more)],
            patient,
        )
    for region in sorted({stack.region for stack in assembly.stacks if stack.account_id == assembly.account_id}):
        yield from _guarded("quotas", partial(_stack_quota, patient, region), patient)


def _verified(account_id: str, front: CloudFront) -> Check:
    level, message, command = new_account.first_distribution(account_id, len(front.distributions()))
    return Check(code="account_verified", level=level, message=message, command=command)


def _concurrency(account: Account) -> Check:
    """In us-east-1, whose quotas the deploy role may read; the other regions of the edge are as new as this one."""
    limit = account.quota("lambda", new_account.CONCURRENCY_QUOTA).value
    level, message, command = new_account.concurrency(limit, "us-east-1")
    return Check(code="quotas", level=level, message=message, command=command)


def _quota(account: Account, quota: _Quota) -> float:
    return account.quota(quota.service, quota.code).value


def _stack_quota(patient: Patient, region: str) -> Iterator[Check]:
    gateway = patient.places.cloudformation(patient.assembly.account_id, region)
    limit = gateway.stack_limit()
    if limit is not None:
        there = gateway.stack_names()
        wanted = {s.stack_name for s in patient.assembly.stacks if s.kind == "stack" and s.region == region}
        quota = _Quota(f"CloudFormation stacks in {region}", "cloudformation", "L-0485CB21", region)
        yield _share(quota, len(there), limit, more=not wanted <= set(there))


def _share(quota: _Quota, used: int, limit: float, *, more: bool) -> Check:
    """`more`: something is yet to be made that counts against the quota."""
    level: Level = "ok" if used < USED_SHARE * limit else "problem" if used >= limit and more else "warning"
    command = (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} --quota-code {quota.code}"
        f" --desired-value {2 * limit:g} --region {quota.region}"
    )
    message = f"{quota.what}: {used} of {limit:g} used"
    return Check(code="quotas", level=level, message=message, command="" if level == "ok" else command)


# --- DNS ----------------------------------------------------------------------------------------------------------


def _hosted_zone(patient: Patient, reachable: frozenset[str]) -> Iterator[Check]:
    zone = patient.assembly.zone
    if zone.account_id not in reachable:
        message = f"hosted zone {zone.name}: account {zone.account_id} cannot be reached"
        yield Check(code="hosted_zone", level="unknown", message=message)
        return
    route53 = Route53.connect(patient.aws, account_id=zone.account_id, role_arn=zone.role_arn)
    zone_id = zone.id
    question = delegation.Question(
        name=zone.name, account_id=zone.account_id, file=f"environments/{patient.env}.yaml", again=patient.verb("doctor")
    )
    if zone_id is None:
        try:
            zone_id = route53.find_public_zone(zone.name).id
        except Conflict as error:
            yield Check(
                code="hosted_zone", level="problem", message=error.message, command=f"edit environments/{patient.env}.yaml, hosted_zone.id"
            )
            return
        except NotFound:
            yield _verdict("hosted_zone", delegation.missing(question, patient.resolver))
            return
    try:
        wanted = route53.delegation(zone_id)
    except NotFound:
        message = f"account {zone.account_id} has no hosted zone {zone_id}, which the configuration names"
        yield Check(code="hosted_zone", level="problem", message=message, command=f"edit environments/{patient.env}.yaml, hosted_zone.id")
        return
    yield Check(code="hosted_zone", level="ok", message=f"hosted zone {zone.name} is {zone_id} in account {zone.account_id}")
    yield _verdict("delegation", delegation.delegated(question, wanted, patient.resolver))


def _verdict(code: str, found: Verdict) -> Check:
    return Check(code=code, level=found.level, message=found.message, command=found.command)


def _caa(patient: Patient) -> Iterator[Check]:
    names = patient.assembly.site.certificate_names
    if patient.resolver is None:
        yield Check(code="caa", level="unknown", message="CAA: there is no public DNS beside a local AWS")
        return
    for name in names:
        try:
            at, records = caa_of(name, patient.resolver)
        except DnsError as error:
            yield Check(code="caa", level="unknown", message=f"the public DNS did not answer: {error}", command=patient.verb("doctor"))
            continue
        if amazon_may_issue(name, records):
            why = f"by the CAA records of {at}" if records else "no CAA record forbids it"
            yield Check(code="caa", level="ok", message=f"Amazon may issue for {name}: {why}")
        else:
            yield Check(
                code="caa",
                level="problem",
                message=f"the CAA records of {at} do not let Amazon issue for {name}",
                command=f'add to {at}: CAA 0 {caa_tag(name, records)} "amazon.com"',
            )


def caa_of(name: str, resolver: Resolver) -> tuple[str, tuple[Caa, ...]]:
    """The CAA records that count for a certificate's name, and whose they are: the nearest ancestor that has any (RFC 8659, 3)."""
    labels = name.removeprefix("*.").rstrip(".").split(".")
    for start in range(len(labels)):
        at = ".".join(labels[start:])
        found = resolver.caa(at)
        if found:
            return at, found
    return "", ()


def caa_tag(name: str, records: Iterable[Caa]) -> str:
    """The property that lets one more authority issue for the name and forbids nobody what is allowed today.

    A first issuewild would count instead of every issue (RFC 8659, 4.3) and so shut out who issues wildcards now.
    """
    return "issuewild" if name.startswith("*.") and any(r.tag == "issuewild" for r in records) else "issue"


def amazon_may_issue(name: str, records: Iterable[Caa]) -> bool:
    """RFC 8659, 4.2 and 4.3: issuewild counts instead of issue for a wildcard, if there is any; no such property forbids nothing."""
    given = tuple(records)
    if any(r.critical and r.tag not in ("issue", "issuewild", "iodef", "contactemail", "contactphone") for r in given):
        return False
    issue = [r.value for r in given if r.tag == "issue"]
    wild = [r.value for r in given if r.tag == "issuewild"]
    relevant = wild or issue if name.startswith("*.") else issue
    if not relevant:
        return True
    return any(value.partition(";")[0].strip().lower() in AMAZON_AUTHORITIES for value in relevant)


# --- what the environment needs -----------------------------------------------------------------------------------


def _alias(patient: Patient) -> Iterator[Check]:
    assembly, domain = patient.assembly, patient.assembly.site.domain
    front = CloudFront.connect(patient.aws, account_id=assembly.account_id)
    own = _distribution(patient)
    elsewhere = sorted(d.id for d in front.distributions() if domain in d.aliases and d.id != own)
    for other in elsewhere:
        yield Check(
            code="alias",
            level="problem",
            message=f"{domain} is an alias of the distribution {other} of this account",
            command=f"aws cloudfront get-distribution --id {other}",
        )
    if elsewhere:
        return
    if own is None:
        message = f"{domain}: whether another account has it as an alias, CloudFront tells only when the distribution exists"
        yield Check(code="alias", level="unknown", message=message)
        return
    # CloudFront hides the first characters of the ids; its own distribution is no conflict, should it be listed.
    foreign = [(account, other) for account, other in front.conflicting_aliases(own, domain) if not own.endswith(other.lstrip("*"))]
    for account, other in foreign:
        yield Check(
            code="alias",
            level="problem",
            message=f"{domain}, or a wildcard over it, is an alias of distribution {other} in account {account}",
            command=f"aws cloudfront list-conflicting-aliases --distribution-id {own} --alias {domain}",
        )
    if not foreign:
        yield Check(code="alias", level="ok", message=f"{domain} is an alias of {own} and of no other distribution")


def _distribution(patient: Patient) -> str | None:
    for stack in patient.assembly.stacks:
        types = {b.get("Type") for b in documents.loads(patient.templates[stack.id]).get("Resources", {}).values()}
        if stack.kind == "stack" and "AWS::CloudFront::Distribution" in types:
            gateway = patient.places.cloudformation(stack.account_id, stack.region, stack.role_arn)
            live = gateway.describe_stack(stack.stack_name)
            if live is None or live.under_review:
                continue
            for resource in gateway.list_resources(stack.stack_name):
                if resource.resource_type == "AWS::CloudFront::Distribution" and resource.physical_id:
                    return resource.physical_id
    return None


def _secret(patient: Patient) -> Iterator[Check]:
    wanted = patient.assembly.basic_auth_secret
    if wanted is None:
        yield Check(code="secret", level="ok", message="no Basic Auth here, so no secret is needed")
        return
    store = Secrets.connect(patient.aws, account_id=patient.assembly.account_id, region=wanted.region)
    text = store.text(wanted.secret)
    again = patient.verb("set-password")
    if text is None:
        yield Check(code="secret", level="problem", message=f"there is no secret {wanted.secret} in {wanted.region}", command=again)
        return
    try:
        credential = from_json(text)
    except CredentialError as error:
        yield Check(code="secret", level="problem", message=f"the secret {wanted.secret}: {str(error).partition(';')[0]}", command=again)
        return
    if credential.username != wanted.username:
        message = f"the secret {wanted.secret} is for another user name than the configured {wanted.username!r}"
        yield Check(code="secret", level="problem", message=message, command=again)
        return
    yield Check(code="secret", level="ok", message=f"the secret {wanted.secret} holds a hash for {wanted.username!r}")


def _first_deployment(patient: Patient) -> bool:
    """The first stack of the catalogue, which makes bucket and lock table, is not there."""
    first = patient.assembly.stacks[0]
    live = patient.places.cloudformation(first.account_id, first.region, first.role_arn).describe_stack(first.stack_name)
    if live is None or live.under_review:
        return True
    return live.status != "CREATE_COMPLETE" and live.status.startswith(("CREATE_", "ROLLBACK_", "DELETE_"))


def _bucket(patient: Patient) -> Iterator[Check]:
    assembly, name = patient.assembly, patient.assembly.artifact_bucket
    store = S3.connect(patient.aws, account_id=assembly.account_id, region=assembly.home_region)
    try:
        there = store.bucket_exists(name)
    except AccessDenied as error:
        message = f"the artifact bucket {name} belongs to another account, or these credentials may not see it: {error.message}"
        yield Check(code="artifact_bucket", level="problem", message=message, command=f"aws s3api head-bucket --bucket {name}")
        return
    yield from _made_by_first("artifact_bucket", f"the artifact bucket {name}", there, patient)


def _lock(patient: Patient) -> Iterator[Check]:
    assembly, table = patient.assembly, patient.assembly.lock_table
    items = Items.connect(patient.aws, account_id=assembly.account_id, region=assembly.home_region)
    try:
        holder = lock.read(items, table, lock.lock_name(assembly.project, assembly.environment))
    except NotFound:
        yield from _made_by_first("lock_table", f"the lock table {table}", False, patient)
        return
    if holder is None:
        yield Check(code="lock_table", level="ok", message=f"the lock table {table} answers; nobody holds the lock")
        return
    yield Check(
        code="lock_table",
        level="warning",
        message=f"the lock is held by {holder.describe()}",
        command=f"only if that process is surely gone:\n{patient.verb(f'unlock --lock-id {holder.id}')}",
    )


def _made_by_first(code: str, what: str, there: bool, patient: Patient) -> Iterator[Check]:
    if there:
        yield Check(code=code, level="ok", message=f"{what} answers")
    elif _first_deployment(patient):
        yield Check(code=code, level="ok", message=f"{what} is not there yet; the first apply makes it")
    else:
        yield Check(code=code, level="problem", message=f"{what} is gone, although its stack is there", command=patient.verb("drift"))


def _bucket_names(patient: Patient) -> Iterator[Check]:
    """A bucket of a stack that is not there must not be there either: its creation would fail."""
    assembly = patient.assembly
    for stack in assembly.stacks:
        wanted = [
            body["Properties"]["BucketName"]
            for body in documents.loads(patient.templates[stack.id]).get("Resources", {}).values()
            if body.get("Type") == "AWS::S3::Bucket" and isinstance(body.get("Properties", {}).get("BucketName"), str)
        ]
        if stack.kind != "stack" or not wanted:
            continue
        live = patient.places.cloudformation(stack.account_id, stack.region, stack.role_arn).describe_stack(stack.stack_name)
        if live is not None and not live.under_review:
            continue
        store = S3.connect(patient.aws, account_id=stack.account_id, region=stack.region, role_arn=stack.role_arn)
        for name in wanted:
            yield from _bucket_name(patient, stack, store, name)


def _bucket_name(patient: Patient, stack: Stack, store: S3, name: str) -> Iterator[Check]:
    try:
        there = store.bucket_exists(name)
    except AccessDenied:
        message = f"the bucket name {name} is taken by another account, or may not be seen"
        yield Check(code="bucket_names", level="problem", message=message, command="choose another in environments/", stack=stack.id)
        return
    if there:
        message = f"the bucket {name} is there although {stack.stack_name} is not (a former deployment kept it, perhaps)"
        command = patient.verb("plan --import-existing")
        yield Check(code="bucket_names", level="warning", message=message, command=command, stack=stack.id)


# --- stacks -------------------------------------------------------------------------------------------------------


def _stack(patient: Patient, stack: Stack) -> tuple[list[Check], list[Fix]]:
    fixes: list[Fix] = []
    look = _stack_set_checks if stack.kind == "stackset" else _stack_checks
    return _guarded("stack", lambda: look(patient, stack, fixes), patient, stack.id), fixes


def _stack_checks(patient: Patient, stack: Stack, fixes: list[Fix]) -> Iterator[Check]:
    gateway = patient.places.cloudformation(stack.account_id, stack.region, stack.role_arn)
    live = gateway.describe_stack(stack.stack_name)
    if live is None or live.status == "DELETE_COMPLETE":
        yield Check(code="stack", level="ok", message=f"{stack.stack_name} is not deployed yet", stack=stack.id)
        return
    found = in_the_way(patient.env, stack.id, live)
    if found is not None:
        fix = _fix_for(stack, live, gateway)
        if fix is not None:
            fixes.append(fix)
        busy = live.busy
        command = patient.verb("doctor --fix") if fix else _by_hand(stack, live)
        yield Check(
            code=found.code,
            level="warning" if busy else "problem",
            message=_sentence(found.message, live, gateway),
            command=command,
            stack=stack.id,
        )
        return
    # One that was executed is history; it may still be listed.
    sets = tuple(c for c in gateway.list_change_sets(stack.stack_name) if not c.execution_status.startswith("EXECUTE"))
    waiting = [c for c in sets if c.arn in patient.waiting]
    if waiting:
        message = f"{stack.stack_name}: the saved plan waits to be applied"
        yield Check(code="stack", level="ok", message=message, command=patient.verb("apply"), stack=stack.id)
        return
    ours = tuple(c for c in sets if c.name.startswith(change_set_prefix(patient.env)))
    others = tuple(c for c in sets if c not in ours)
    for each in others:
        message = f"{stack.stack_name}: somebody else's change set {each.name} waits there since {each.created_at}"
        yield Check(code="foreign_change_set", level="warning", message=message, stack=stack.id)
    if live.under_review and not others:
        fixes.append(
            _fix(
                stack,
                live,
                "delete_reviewed",
                (
                    f"delete {stack.stack_name}, which was never created and has no resources",
                    *(
                        f"  with its change set {c.name}, made {c.created_at} (on another machine it may be a plan that waits)"
                        for c in ours
                    ),
                ),
                tuple(c.arn for c in ours),
            )
        )
        message = f"{stack.stack_name} is REVIEW_IN_PROGRESS, left by a plan that is not saved here"
        yield Check(code="stack_review_in_progress", level="problem", message=message, command=patient.verb("doctor --fix"), stack=stack.id)
    elif ours:
        fixes.append(
            _fix(
                stack,
                live,
                "delete_change_sets",
                tuple(
                    f"delete the change set {c.name} of {stack.stack_name}, made {c.created_at}, which no plan saved here names"
                    for c in ours
                ),
                tuple(c.arn for c in ours),
            )
        )
        message = f"{stack.stack_name}: {len(ours)} change set(s) left by plans that are not saved here"
        yield Check(code="stale_change_sets", level="warning", message=message, command=patient.verb("doctor --fix"), stack=stack.id)
    elif not live.under_review:
        yield Check(code="stack", level="ok", message=f"{stack.stack_name} is {live.status}", stack=stack.id)


def _sentence(message: str, live: StackDescription, gateway: CloudFormation) -> str:
    """With the latest words that CloudFormation gave for it."""
    if live.status_reason or live.busy:
        return message
    failed = [e for e in gateway.events(live.arn) if e.status.endswith("_FAILED") and e.reason and e.physical_id != live.arn]
    return f"{message}; the last failure was {failed[-1].logical_id}: {failed[-1].reason}" if failed else message


def _by_hand(stack: Stack, live: StackDescription) -> str:
    at = f"--stack-name {stack.stack_name} --region {stack.region}"
    if live.termination_protection:
        return f"aws cloudformation update-termination-protection --no-enable-termination-protection {at}"
    return f"aws cloudformation describe-stack-events {at}"


def _fix_for(stack: Stack, live: StackDescription, gateway: CloudFormation) -> Fix | None:  # noqa: PLR0911
    """None where there is no safe action: then a person has to look."""
    if live.busy:
        return _fix(
            stack, live, "wait", (f"wait until CloudFormation is done with {stack.stack_name} ({live.status}); nothing is changed",)
        )
    if live.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED") and live.termination_protection:
        return None
    if live.status == "ROLLBACK_COMPLETE":
        return _fix(stack, live, "delete", _deletion_lines(stack, gateway, frozenset()))
    if live.status in ("ROLLBACK_FAILED", "DELETE_FAILED"):
        failed = tuple(r.logical_id for r in gateway.list_resources(stack.stack_name) if r.status == "DELETE_FAILED")
        # RetainResources is only taken for a stack in DELETE_FAILED (API DeleteStack).
        if live.status == "DELETE_FAILED" and failed:
            return _fix(stack, live, "delete_retaining", _deletion_lines(stack, gateway, frozenset(failed)), failed)
        return _fix(stack, live, "delete", _deletion_lines(stack, gateway, frozenset()))
    if live.status == "UPDATE_ROLLBACK_FAILED":
        failed = tuple(r.logical_id for r in gateway.list_resources(stack.stack_name) if r.status == "UPDATE_FAILED")
        lines = (
            f"continue the rollback of {stack.stack_name} to its state before the last update",
            *(f"  tries {logical_id} again, which could not be rolled back" for logical_id in failed),
        )
        return _fix(stack, live, "continue_rollback", lines)
    if live.status in ("CREATE_FAILED", "UPDATE_FAILED"):
        to = (
            "nothing (what the creation made is deleted, but for what is retained)"
            if live.status == "CREATE_FAILED"
            else "its last good state"
        )
        return _fix(stack, live, "roll_back", (f"roll {stack.stack_name} back to {to}",))
    return None


def _deletion_lines(stack: Stack, gateway: CloudFormation, retained: frozenset[str]) -> tuple[str, ...]:
    there = [r for r in gateway.list_resources(stack.stack_name) if r.status != "DELETE_COMPLETE"]
    return (
        f"delete {stack.stack_name}, so that it can be made again",
        *(
            f"  {'keeps' if r.logical_id in retained else 'deletes'} {r.logical_id} ({r.resource_type}, {r.physical_id or 'never made'})"
            for r in there
        ),
    )


def _fix(stack: Stack, live: StackDescription, action: FixAction, does: tuple[str, ...], names: tuple[str, ...] = ()) -> Fix:
    return Fix(
        action=action,
        stack=stack.id,
        stack_name=stack.stack_name,
        account_id=stack.account_id,
        region=stack.region,
        role_arn=stack.role_arn,
        arn=live.arn,
        status=live.status,
        does=does,
        names=names,
    )


def _stack_set_checks(patient: Patient, stack: Stack, fixes: list[Fix]) -> Iterator[Check]:  # noqa: ARG001  (no fix is offered for a set)
    gateway = patient.places.cloudformation(stack.account_id, stack.region, stack.role_arn)
    call_as = stack.stackset.call_as if stack.stackset else "SELF"
    live = gateway.describe_stack_set(stack.stack_name, call_as=call_as)
    if live is None:
        yield Check(code="stack", level="ok", message=f"{stack.stack_name} is not deployed yet", stack=stack.id)
        return
    running = gateway.running_operations(stack.stack_name, call_as=call_as)
    for operation in running:
        message = f"{stack.stack_name}: the operation {operation.action} is {operation.status} since {operation.created_at}"
        yield Check(code="stackset_busy", level="warning", message=message, command=patient.verb("status"), stack=stack.id)
    wrong = [i for i in gateway.list_stack_instances(stack.stack_name, call_as=call_as) if i.status != "CURRENT"]
    for instance in wrong:
        where = f"{stack.stack_name} in {instance.account_id} {instance.region}"
        reason = f": {instance.reason}" if instance.reason else ""
        if instance.status == "INOPERABLE":
            command = (
                f"aws cloudformation delete-stack-instances --stack-set-name {stack.stack_name} --region {stack.region}"
                f" --accounts {instance.account_id} --regions {instance.region} --retain-stacks"
            )
            message = f"{where} is INOPERABLE{reason}; take it out of the set, delete its stack by hand, then plan again"
            yield Check(code="stackset_inoperable", level="problem", message=message, command=command, stack=stack.id)
        elif not running:
            message = f"{where} is {instance.status}{reason}"
            yield Check(code="stackset_outdated", level="warning", message=message, command=patient.verb("plan"), stack=stack.id)
    if not wrong and not running:
        yield Check(code="stack", level="ok", message=f"{stack.stack_name}: every instance is CURRENT", stack=stack.id)


# --- fixes --------------------------------------------------------------------------------------------------------


class Fixed(Frozen, frozen=True, kw_only=True):
    """What became of a fix."""

    stack: str
    done: bool
    message: str


def carry_out(
    fix: Fix,
    places: Places,
    *,
    nonce: str,
    sleep: Callable[[float], None],
    poll_seconds: float = POLL_SECONDS,
    progress: Callable[[str, str], None] = lambda *_: None,
) -> Fixed:
    """Do one fix and wait for its end. It is not done if the stack is no longer in the state that it was offered for."""
    try:
        gateway = places.cloudformation(fix.account_id, fix.region, fix.role_arn)
        live = gateway.describe_stack(fix.arn)
        if live is None or live.status != fix.status:
            now = "gone" if live is None else live.status
            return Fixed(stack=fix.stack, done=False, message=f"{fix.stack_name} is {now} by now, not {fix.status}; nothing was done")
        token = client_token("doctor", nonce, fix.stack)
        return _carried_out(fix, gateway, token, sleep=sleep, poll_seconds=poll_seconds, progress=progress)
    except AwsError as error:
        return Fixed(stack=fix.stack, done=False, message=str(error))


def _carried_out(
    fix: Fix,
    gateway: CloudFormation,
    token: str,
    *,
    sleep: Callable[[float], None],
    poll_seconds: float,
    progress: Callable[[str, str], None],
) -> Fixed:
    match fix.action:
        case "delete_reviewed":
            gone = gateway.delete_reviewed_stack(fix.arn, besides=fix.names)
            message = f"{fix.stack_name} is deleted" if gone else f"{fix.stack_name} has a change set by now that was not shown"
            return Fixed(stack=fix.stack, done=gone, message=message)
        case "delete_change_sets":
            for arn in fix.names:
                gateway.delete_change_set(arn, fix.arn)
            return Fixed(stack=fix.stack, done=True, message=f"{fix.stack_name}: {len(fix.names)} change set(s) deleted")
        case "delete":
            gateway.delete_stack(fix.arn, token=token)
        case "delete_retaining":
            gateway.delete_stack(fix.arn, token=token, retain=fix.names)
        case "continue_rollback":
            gateway.continue_update_rollback(fix.stack_name, token=token)
        case "roll_back":
            gateway.rollback_stack(fix.stack_name, token=token)
        case "wait":
            pass
    wanted = {
        "delete": frozenset({"DELETE_COMPLETE"}),
        "delete_retaining": frozenset({"DELETE_COMPLETE"}),
        "continue_rollback": frozenset({"UPDATE_ROLLBACK_COMPLETE"}),
        "roll_back": frozenset({"ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}),
        "wait": None,
    }[fix.action]
    status = fix.status
    began = fix.action == "wait"
    for attempt in range(ATTEMPTS):
        live = gateway.describe_stack(fix.arn)
        status = "DELETE_COMPLETE" if live is None else live.status
        began = began or status != fix.status
        # An action that has not begun yet shows the old state; after a few looks it has failed again without our seeing it work.
        if not status.endswith("_IN_PROGRESS") and (began or attempt >= 10):
            break
        progress(fix.stack, status)
        sleep(min(poll_seconds, 0.2 * 2**attempt) if attempt < 8 else poll_seconds)
    else:
        return Fixed(stack=fix.stack, done=False, message=f"{fix.stack_name} is still {status}")
    good = status in wanted if wanted is not None else True
    words = "" if good else _last_words(gateway, fix.arn)
    return Fixed(stack=fix.stack, done=good, message=f"{fix.stack_name} is {status}{words}")


def _last_words(gateway: CloudFormation, arn: str) -> str:
    failed = [e for e in gateway.events(arn) if e.status.endswith("_FAILED") and e.reason and e.physical_id != arn]
    return f": {failed[-1].logical_id}: {failed[-1].reason}" if failed else ""


# --- text ---------------------------------------------------------------------------------------------------------

_MARKS: Mapping[Level, str] = {"ok": "ok", "warning": "warning", "problem": "PROBLEM", "unknown": "could not check"}
_COLOURS: Mapping[Level, str] = {"ok": "32", "warning": "33", "problem": "1;31", "unknown": "36"}


def report_lines(report: Report, *, colour: bool = False) -> tuple[str, ...]:
    """One line a check, what to type next below it, and a last line that counts."""
    width = max(len(mark) for mark in _MARKS.values())
    lines = [f"doctor {report.environment}, account {report.account_id}", ""]
    for check in report.checks:
        mark = _MARKS[check.level].ljust(width)
        shown = painted(mark, _COLOURS[check.level]) if colour else mark
        lines.append(f"{shown}  {check.message}")
        if check.command:
            lines += [f"{' ' * width}    {line}" for line in commands.told(check.command)]
    counts: dict[Level, int] = {level: sum(c.level == level for c in report.checks) for level in _MARKS}
    words = (
        f"{counts['ok']} ok",
        f"{counts['warning']} warning{'' if counts['warning'] == 1 else 's'}",
        f"{counts['problem']} problem{'' if counts['problem'] == 1 else 's'}",
        f"{counts['unknown']} could not be checked",
    )
    return (*lines, "", f"{report.environment}: {', '.join(words)}")


def fix_lines(fixes: Iterable[Fix]) -> tuple[str, ...]:
    """The dry run."""
    lines = ["what --fix would do:"]
    for number, fix in enumerate(fixes, 1):
        first, *rest = fix.does
        lines += [f"  {number}. {first}", *(f"     {line.strip()}" for line in rest)]
    return tuple(lines)

"""The values of an assembly: what build writes and deploy reads.

In: nothing but its own fields; every type here is a frozen value that `msgspec` encodes to and decodes from `assembly.json`.
Out: `Assembly`, the only thing that stands between `build.py` and `deploy.py`.
Never: no AWS, no file access, no secret (a secret is named here by its id, never by its value).

Identifiers: a `stack_id` is the short catalogue name ("site"); a `stack_name` is the name CloudFormation knows.
`stacks` is ordered: an `OutputRef` only points at a stack that stands earlier.
"""

from __future__ import annotations

from typing import Literal

import msgspec

FORMAT = 1
"""Version of the `assembly.json` format; the reader refuses any other."""

INLINE_TEMPLATE_LIMIT = 51_200
"""Bytes of a template that CloudFormation takes inline; a larger one goes through S3.
Source: CloudFormation quotas, "Template body size in a request"."""

TEMPLATE_LIMIT = 1_000_000
"""Bytes of a template that CloudFormation takes at all (documented as 1 MB)."""

RESOURCE_LIMIT = 500
"""Resources in one template. Source: CloudFormation quotas."""

Kind = Literal["stack", "stackset"]


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every value of the contract."""


# --- where a parameter's value comes from -------------------------------------------------------------------------


class LiteralValue(Frozen, frozen=True, kw_only=True, tag="literal", tag_field="from"):
    """A value known at build time."""

    value: str


class OutputRef(Frozen, frozen=True, kw_only=True, tag="output", tag_field="from"):
    """An output of a stack that stands earlier in the same assembly; read by the deployer, in whatever region and account that is."""

    stack: str
    output: str


class HostedZoneRef(Frozen, frozen=True, kw_only=True, tag="hosted_zone", tag_field="from"):
    """The id of a public Route 53 hosted zone, found by name at deploy time in the zone's account (`Assembly.hosted_zone`)."""

    name: str


class SecretRef(Frozen, frozen=True, kw_only=True, tag="secret", tag_field="from"):
    """One key of a JSON secret in Secrets Manager (us-east-1 of the stack's account); the parameter is NoEcho."""

    secret: str
    key: str


class SecretVersionRef(Frozen, frozen=True, kw_only=True, tag="secret_version", tag_field="from"):
    """The VersionId of the AWSCURRENT version of a secret: no secret itself, it tells that the secret has not changed."""

    secret: str


Source = LiteralValue | OutputRef | HostedZoneRef | SecretRef | SecretVersionRef


class Parameter(Frozen, frozen=True, kw_only=True):
    """One template parameter and where its value comes from."""

    name: str
    source: Source
    no_echo: bool = False


class RoleName(Frozen, frozen=True, kw_only=True, tag="role_name", tag_field="from"):
    """A role of the stack's account by its name, where nothing in the assembly makes it."""

    name: str


# --- stacks ------------------------------------------------------------------------------------------------------


class Template(Frozen, frozen=True, kw_only=True):
    """One template file beside `assembly.json`."""

    file: str
    sha256: str
    size: int
    """Bytes of the file as written."""
    resources: int
    upload: bool
    """Larger than `INLINE_TEMPLATE_LIMIT`: must be sent through the artifact bucket."""


class OperationPreferences(Frozen, frozen=True, kw_only=True):
    """StackSet operation preferences, by CloudFormation's own names (API StackSetOperationPreferences)."""

    region_concurrency_type: Literal["SEQUENTIAL", "PARALLEL"] = "SEQUENTIAL"
    region_order: tuple[str, ...] = ()
    """Regions first to be worked on; the canary region is the first. The rest follow in any order."""
    failure_tolerance_percentage: int = 0
    max_concurrent_percentage: int = 100
    concurrency_mode: Literal["STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"] = "STRICT_FAILURE_TOLERANCE"


class Targets(Frozen, frozen=True, kw_only=True):
    """Where the instances of a StackSet live: accounts (SELF_MANAGED) or organizational units (SERVICE_MANAGED), times regions.

    Both given: these accounts of these units only (AccountFilterType INTERSECTION).
    """

    accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class StackSet(Frozen, frozen=True, kw_only=True):
    """What a stack of kind `stackset` has beside the template. Role names, not ARNs: the deployer adds the account."""

    permission_model: Literal["SELF_MANAGED", "SERVICE_MANAGED"]
    targets: Targets
    preferences: OperationPreferences
    administration_role_name: str | None = None
    execution_role_name: str | None = None
    auto_deployment: bool = False
    retain_stacks_on_account_removal: bool = True
    call_as: Literal["SELF", "DELEGATED_ADMIN"] = "SELF"


class Stack(Frozen, frozen=True, kw_only=True):
    """One stack or StackSet: where it goes, what feeds it, what protects it."""

    id: str
    kind: Kind
    stack_name: str
    """For a StackSet the StackSet's name."""
    description: str
    account_id: str
    region: str
    """For a StackSet the region of the administration (the set itself), not of its instances."""
    role_arn: str | None = None
    """Role to assume for this stack when it does not live in the environment's account (a hosted zone elsewhere)."""
    template: Template
    parameters: tuple[Parameter, ...] = ()
    outputs: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    """Stack ids that must be complete first: those referred to by parameters, and any further ones; in catalogue order."""
    capabilities: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    service_role: OutputRef | RoleName | None = None
    """CloudFormation service role to pass, an output of foundation or a name; None: the caller's own permissions."""
    termination_protection: bool = False
    stack_policy: str | None = None
    """Canonical JSON of the CloudFormation stack policy, if the environment wants one."""
    certificate_validation: HostedZoneRef | None = None
    """Set where ACM waits for a DNS record that CloudFormation cannot write because the zone is in another account."""
    stackset: StackSet | None = None

    @property
    def call_as(self) -> Literal["SELF", "DELEGATED_ADMIN"]:
        """How a StackSet's administration is called; a stack's is its own account."""
        return self.stackset.call_as if self.stackset else "SELF"


# --- what the live site must keep ---------------------------------------------------------------------------------


class CacheRule(Frozen, frozen=True, kw_only=True):
    """Cache-Control of the objects whose key matches `pattern` (fnmatch over the key); the first match wins."""

    pattern: str
    cache_control: str


class Redirect(Frozen, frozen=True, kw_only=True):
    """Another path for a path; a trailing asterisk of `to` is what the one of `path` stood for."""

    path: str
    to: str
    status: int


class Routing(Frozen, frozen=True, kw_only=True):
    """What tells a file from a route of the app, and what leads elsewhere."""

    file_extensions: tuple[str, ...] = ()
    """In lower case, without the dot."""
    hashed_paths: tuple[str, ...] = ()
    """Path patterns of CloudFront, with their leading slash."""
    redirects: tuple[Redirect, ...] = ()
    redirect_hosts: tuple[str, ...] = ()
    """Names that lead to the same path of the domain."""


class SiteContract(Frozen, frozen=True, kw_only=True):
    """What a visitor must see; `deploy.py verify` checks it and `publish` follows it."""

    domain: str
    entry_path: str
    """Path of the app ("/buy"), or "/"."""
    index_document: str
    """Key of the document an app route answers with, with a leading slash ("/index.html")."""
    health_path: str
    """Path that answers 200 without credentials."""
    basic_auth: bool
    basic_auth_realm: str
    response_headers: dict[str, str]
    """Headers that every answer of the distribution carries, lower-case names."""
    certificate_names: tuple[str, ...]
    minimum_protocol_version: str
    """CloudFront security policy name."""
    http_versions: tuple[str, ...]
    cache_rules: tuple[CacheRule, ...]
    release_grace_days: int
    """Days that the files of an older release stay, for visitors who still hold its page."""
    release_keep: int
    """Number of releases that are kept at the least."""
    config_json: dict[str, str] | None = None
    """Runtime configuration published as config.json, if the environment has one."""
    https_record: bool = True
    """There is an HTTPS record beside A and AAAA; failover goes without, as it would speak for the standby as well."""
    promote_from: str | None = None
    """Environment whose verified releases are the only ones accepted here."""
    routing: Routing | None = None
    """None: the assembly was built before it was said here."""
    not_found_page: str = ""
    """Path of what a missing page is answered with, with status 404; empty: nothing is set up."""
    error_page: str = ""
    """The same for every other error."""
    indexing: bool = True
    """Search engines are welcome; otherwise robots.txt is ours."""
    publishing_allow: tuple[str, ...] = ()
    """What is known of the content and no reason to refuse it: CODE or CODE:PATTERN."""
    publishing_exclude: tuple[str, ...] = ()
    """Shell patterns of paths below the published folder that are left out."""


class HostedZone(Frozen, frozen=True, kw_only=True):
    """The Route 53 zone of the environment; `id` is None until it is found by name."""

    name: str
    id: str | None
    account_id: str
    role_arn: str | None


class BasicAuthSecret(Frozen, frozen=True, kw_only=True):
    """The Secrets Manager secret that holds {"username", "password_hash"}; the value is never here."""

    secret: str
    region: str
    username: str


class Placeholder(Frozen, frozen=True, kw_only=True):
    """A value of the environment files that nobody has filled in yet; `deploy.py` refuses it outside the local AWS."""

    key: str
    value: str
    file: str
    meaning: str


class NoSite(Exception):
    """The assembly is of an organization, which has no site of its own."""

    def __init__(self, environment: str) -> None:
        super().__init__(f"{environment} has no site of its own; name an environment that has one")


class Assembly(Frozen, frozen=True, kw_only=True):
    """Everything that `deploy.py` knows of an environment."""

    format: int
    environment: str
    project: str
    account_id: str
    home_region: str
    deploy_role_name: str
    """Role in the environment's account that the deployer assumes when its credentials belong to another account."""
    plan_role_name: str = ""
    """Role in the environment's account that may plan and change nothing; empty where there is none."""
    pull_request_role_name: str = ""
    """The same for code that nobody has reviewed, which may do less; empty where there is none."""
    protected: bool
    """Changes need approval by name or digest."""
    approvals: int = 0
    """People who must have approved a plan or a release before it is applied or published (`approvals`)."""
    artifact_bucket: str
    lock_table: str
    hosted_zone: HostedZone | None
    """None where there is no site: an organization."""
    basic_auth_secret: BasicAuthSecret | None
    contract: SiteContract | None
    """None where there is no site: an organization."""
    placeholders: tuple[Placeholder, ...] = ()
    stacks: tuple[Stack, ...]
    digest: str = ""
    """sha256 of this document with an empty digest, in canonical form; template digests are inside it."""

    @property
    def workflow_roles(self) -> tuple[str, ...]:
        """Names of the roles that workflows take on, and no person."""
        return tuple(name for name in (self.deploy_role_name, self.plan_role_name, self.pull_request_role_name) if name)

    @property
    def site(self) -> SiteContract:
        """What a visitor must see. Raises NoSite for an organization."""
        if self.contract is None:
            raise NoSite(self.environment)
        return self.contract

    @property
    def zone(self) -> HostedZone:
        """The hosted zone of the site. Raises NoSite for an organization."""
        if self.hosted_zone is None:
            raise NoSite(self.environment)
        return self.hosted_zone

"""The typed model of an environment: every knob of the platform, with its meaning, its bounds and its default.

In: nothing. Out: `Environment`, a frozen value, and the JSON schema of the files that describe one.
Never: reads a file (that is `environments.loader`), knows CloudFormation, holds a secret.

A field that is not given in `<env>.yaml` or `common.yaml` takes the default below; a field without a default must be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from msgspec import Meta

from assembly import schemas
from assembly.certificate_names import certificate_covers
from environments.adoption import Adoption, CertificateArn
from environments.firewall import Firewall
from environments.regions import LAMBDA_EDGE_REGIONS
from environments.routing import Redirect, Routing
from environments.second_origin import DisasterRecovery, Failover
from environments.value import BucketName, CertificateName, CostCentre, DomainName, Region, RoleArn, TableName, UrlPath, Value, ZoneId
from pages.findings import CODES

PriceClass = Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"]

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,28}[a-z0-9]\Z", description="Lower-case letters, digits and hyphens, 2 to 30 long.")]
AccountId = Annotated[
    str,
    Meta(pattern=r"^[0-9]{12}\Z", description="Twelve digits, quoted. Twelve equal digits are a placeholder that the deployer refuses."),
]
Percentage = Annotated[float, Meta(gt=0, le=100)]
RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
"""The retention periods that CloudWatch Logs offers (API PutRetentionPolicy)."""

EDGE_CONTROL_REGION = "us-east-1"
"""CloudFront takes its certificates and Lambda@Edge functions from here only (CloudFront Developer Guide)."""


class HostedZone(Value, frozen=True, kw_only=True):
    """The public Route 53 zone, which exists already."""

    name: DomainName
    """The zone that the site's names are in."""
    id: ZoneId | None = None
    """Left out: found by name at deploy time."""
    account_id: AccountId | None = None
    """Account that owns the zone, if it is another one."""
    role_arn: RoleArn | None = None
    """Role to assume there; needed when the zone is in another account."""
    records: Literal["managed", "weighted", "unmanaged"] = "managed"
    """weighted: each has a weight and an identifier, so that it can take the place of a record that stands without a moment in between;
    a record stays what it was made as. unmanaged: somebody else keeps the records of the site, such as another team's stack; none is made,
    changed or deleted."""


class Certificate(Value, frozen=True, kw_only=True):
    """The ACM certificate, validated by DNS. Changing its names replaces it."""

    domain_name: DomainName
    """Main name of the certificate."""
    subject_alternative_names: tuple[CertificateName, ...] = ()
    """Further names, beside the main one."""
    region: Region = EDGE_CONTROL_REGION
    """Always us-east-1; stands here so that a wish for another region gets an answer."""
    arn: CertificateArn | None = None
    """A certificate that somebody else makes and renews: used, never changed or deleted. The names above are those that count."""


class App(Value, frozen=True, kw_only=True):
    """Where the single-page app lives below the domain."""

    entry_path: UrlPath = "/"
    index_document: UrlPath = "/index.html"
    """Object that answers the app's routes, for example /index.html, or /buy/index.html for a build with base /buy/."""
    health_path: UrlPath = "/healthz"
    """Path that answers 200 without credentials where Basic Auth is on, for the Route 53 health check."""
    config_json: dict[str, str] | None = None
    """Runtime configuration, published as config.json beside the index document."""


class BasicAuth(Value, frozen=True, kw_only=True):
    """HTTP Basic authentication at the edge. The password's hash lives in Secrets Manager, never here."""

    enabled: bool = True
    """Ask for user and password at every request."""
    function_suffix: Annotated[str, Meta(pattern=r"^([a-z0-9]{1,8})?\Z", description="Up to eight small letters and digits.")] = ""
    """Ends the edge function's name where the name without it is taken, such as by a function that was let go of (`adopt.let_go`)."""
    username: Annotated[
        str, Meta(pattern=r"^[^:\x00-\x1f\x7f]{1,64}\Z", description="User name; RFC 7617 forbids a colon in it; 1 to 64 characters.")
    ] = "admin"
    realm: Annotated[
        str, Meta(pattern=r"^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}\Z", description="Realm of the challenge: printable ASCII, no quote.")
    ] = "Restricted"
    region: Region = EDGE_CONTROL_REGION
    """Always us-east-1: Lambda@Edge functions are published from there."""
    log_retention_days: RetentionDays = 30
    """Days that the edge function's logs stay."""
    log_level: Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] = "INFO"
    """Least severe level that the edge function writes."""
    log_regions: tuple[Region, ...] = LAMBDA_EDGE_REGIONS
    """Regions in which the edge function's log groups get their retention."""
    log_canary_region: Region = EDGE_CONTROL_REGION
    """Region that a StackSet operation works on first, alone."""


class Hsts(Value, frozen=True, kw_only=True):
    """Strict-Transport-Security (RFC 6797)."""

    max_age_seconds: Annotated[
        int, Meta(ge=31_536_000, le=63_072_000, description="How long a browser that was here comes by HTTPS only: a year to two.")
    ] = 63_072_000
    include_subdomains: bool = True
    """The rule holds for every name below the domain as well."""
    preload: bool = False
    """Asks browsers to build the rule in; hard to take back, so for production only."""


CSP_CHARACTERS = 1783
"""Of the Content-Security-Policy of a response headers policy: CloudFront Developer Guide, quotas on policies."""
DEFAULT_CSP: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "default-src": ("'self'",),
        "script-src": ("'self'",),
        "style-src": ("'self'",),
        "img-src": ("'self'", "data:"),
        "font-src": ("'self'",),
        "connect-src": ("'self'",),
        "manifest-src": ("'self'",),
        "worker-src": ("'self'",),
        "object-src": ("'none'",),
        "base-uri": ("'self'",),
        "form-action": ("'self'",),
        "frame-ancestors": ("'none'",),
    }
)
CspText = Annotated[str, Meta(min_length=1, max_length=CSP_CHARACTERS, pattern=r"^[\x20-\x7e]+\Z", description="Printable ASCII.")]
CspDirective = Annotated[str, Meta(pattern=r"^[a-z][a-z-]*\Z", description="A directive of the policy, for example connect-src.")]
CspSource = Annotated[
    str,
    Meta(
        pattern=r"^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+\Z",
        description="One source: https://api.example.org, or 'self' with its quotes.",
    ),
]
HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z", max_length=128, description="A header's name.")]
HeaderValue = Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^[\x20-\x7e]+\Z", description="Printable ASCII.")]


class SecurityHeaders(Value, frozen=True, kw_only=True):
    """Headers of every response."""

    hsts: Hsts = Hsts()
    content_security_policy: CspText | dict[CspDirective, tuple[CspSource, ...]] = {}  # noqa: RUF012  (msgspec copies it)
    """By directive: sources beside the default ones ('none' alone: none at all). A text: the whole policy, without any default."""
    frame_options: Literal["DENY", "SAMEORIGIN"] = "DENY"
    """X-Frame-Options: who may show the site in a frame."""
    referrer_policy: Literal["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"] = (
        "strict-origin-when-cross-origin"
    )
    """Referrer-Policy: how much of an address other sites are told."""
    permissions_policy: HeaderValue = (
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()"
    )
    """Permissions-Policy: what of the browser the site may use; by default little."""
    allow_indexing: bool = False
    """False sends X-Robots-Tag: noindex."""

    @property
    def csp(self) -> str:
        """The whole Content-Security-Policy."""
        policy = self.content_security_policy
        if isinstance(policy, str):
            return policy
        merged = {name: _sources(DEFAULT_CSP.get(name, ()), policy.get(name, ())) for name in (*DEFAULT_CSP, *policy)}
        return "; ".join(" ".join((name, *sources)) for name, sources in merged.items())


def _sources(default: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """'none' stands alone (Content Security Policy Level 3, 6.7.2.6): with other sources beside it, it says nothing."""
    if more == ("'none'",):
        return more
    return tuple(source for source in dict.fromkeys((*default, *more)) if source != "'none'" or not more)


class CacheRule(Value, frozen=True, kw_only=True):
    """Cache-Control of the objects whose key matches."""

    pattern: Annotated[str, Meta(min_length=1, max_length=200, description="Shell pattern over the object key, for example assets/*.")]
    cache_control: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+\Z", description="Printable ASCII.")]


IMMUTABLE = "public, max-age=31536000, immutable"
AT_THE_EDGE = "s-maxage=86400, stale-while-revalidate=86400, stale-if-error=604800"
"""Seconds that CloudFront keeps a copy, and gives an older one while it looks for a newer, or while the bucket fails. A publish has the
edge forget what it changed; a day bounds what it did not know of, such as a page that a lagging replica gave (decision 21)."""
PAGE = f"public, max-age=0, must-revalidate, {AT_THE_EDGE}"
"""Browsers ask every time, and the edge answers. Not `no-cache`, which CloudFront would not keep at a minimum TTL of 0, and with
`must-revalidate`, without which browsers would follow stale-while-revalidate themselves (RFC 5861)."""
ERROR_PAGE = "public, max-age=0, must-revalidate, s-maxage=10, stale-if-error=604800"
"""Short, since CloudFront's documentation can be read as keeping an error as long as its page (decision 22)."""
PLAIN = "public, max-age=300, must-revalidate, " + AT_THE_EDGE


class Publishing(Value, frozen=True, kw_only=True):
    """How the app's files are published. The first matching cache rule wins."""

    cache_rules: tuple[CacheRule, ...] = (
        CacheRule(pattern="*404.html", cache_control=ERROR_PAGE),
        CacheRule(pattern="*error.html", cache_control=ERROR_PAGE),
        CacheRule(pattern="*.html", cache_control=PAGE),
        CacheRule(pattern="*sw.js", cache_control=PAGE),
        CacheRule(pattern="*service-worker.js", cache_control=PAGE),
        CacheRule(pattern="*config.json", cache_control=PAGE),
        CacheRule(pattern="*assets/*", cache_control=IMMUTABLE),
        CacheRule(pattern="*", cache_control=PLAIN),
    )
    """Cache-Control by object key: the first rule that matches; the last should match everything."""
    hashed_paths: tuple[
        Annotated[str, Meta(pattern=r"^/?[A-Za-z0-9._~*/-]+\Z", max_length=255, description="Path pattern, such as assets/*.")], ...
    ] = ("assets/*",)
    """Path patterns whose file names carry a hash; CloudFront caches them for long and falls back to nothing."""
    release_grace_days: Annotated[
        int, Meta(ge=1, le=365, description="Days that files of an older release stay, for visitors who still hold its page.")
    ] = 14
    release_keep: Annotated[int, Meta(ge=2, le=100, description="Releases that are kept at the least.")] = 5
    promote_from: Slug | None = None
    """Accept only releases that were verified in the environment of that name."""
    exclude: tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...] = ()
    """Shell patterns of paths below the published folder that are left out, for example *.map or docs/*."""
    allow: tuple[
        Annotated[
            str,
            Meta(
                pattern=rf"^({'|'.join(CODES)})(:.+)?\Z",
                max_length=1100,
                description="CODE or CODE:PATTERN; the codes: " + ", ".join(CODES),
            ),
        ],
        ...,
    ] = ()
    """What publish and verify would refuse, and somebody knows of: CODE, or CODE:PATTERN for paths; the refusal names it."""


class Protection(Value, frozen=True, kw_only=True):
    """What stands between a slip and production."""

    change_approval: bool = False
    """An apply must be approved by name or by the plan's digest."""
    approvals: Annotated[int, Meta(ge=0, le=5)] = 0
    """People who must have approved a plan or a release by `deploy.py approve` before it is applied or published; 2 for four eyes."""
    termination_protection: bool = False
    """CloudFormation refuses to delete the stacks until it is lifted."""
    stack_policy: bool = False
    """Stack policies refuse replacement and deletion of what holds data or carries the site."""


class Artifacts(Value, frozen=True, kw_only=True):
    """What the deployer itself keeps in the account."""

    bucket: BucketName
    """Keeps templates, releases and the record of every apply."""
    lock_table: TableName
    """Holds the lock, so that one deployment runs at a time."""
    retention_days: Annotated[int, Meta(ge=30, le=3650)] = 365
    """Days that superseded artifact versions stay."""


class GitHub(Value, frozen=True, kw_only=True):
    """The repository whose workflows may deploy, through OpenID Connect and without stored keys."""

    repository: (
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}\Z", description="ORGANISATION/REPOSITORY")] | None
    ) = None
    """Whose workflows may plan and deploy; without one there is neither a provider nor a role for them."""
    environment: Slug | None = None
    """GitHub deployment environment; the environment's own name if left out."""
    branch: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}\Z", description="A branch's name.")] = "main"
    """Branch that is deployed: workflows on it may plan, as those of pull requests may."""
    owner_id: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z", description="Numeric id of the organization; goes with repository_id.")] | None
    ) = None
    repository_id: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z", description="Numeric id of the repository; goes with owner_id.")] | None
    ) = None
    """Numeric ids; given together they bind the role to the ids, which repositories made or moved after 2026-07-15 need."""
    create_provider: bool = True
    """False where the account has the OIDC provider of GitHub already (there can be only one). Switched off later, and when the stack is
    deleted, the provider that the stack made stays in the account, since workflows of others log in by it."""

    @property
    def makes_provider(self) -> bool:
        """Whether the foundation stack makes the provider."""
        return self.create_provider and self.repository is not None


class Monitoring(Value, frozen=True, kw_only=True):
    """Alarms; thresholds are the worst value that still is no alarm."""

    alarm_email: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+\Z", max_length=254, description="A mail address.")] | None = None
    """Address that gets the alarms, once it has confirmed the mail of the topic."""
    error_rate_5xx_percent: Percentage = 1.0
    """More answers of the server's fault than that are an alarm."""
    error_rate_4xx_percent: Percentage | None = None
    """More refusals than that are an alarm. Left out: 15, with Basic Auth 60, as every first visit is a 401 then."""
    origin_latency_ms: Annotated[int, Meta(ge=1, le=60_000)] = 3000
    """A longer time from request to first byte of the origin, for one request in ten (p90), is an alarm."""
    edge_errors: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """More errors, or throttles, of the edge function than that in five minutes are an alarm."""
    certificate_days_left: Annotated[int, Meta(ge=1, le=40)] = 30
    """ACM renews 45 to 60 days before the end (its certificates last 198 days): fewer days left than this mean that renewal is stuck, and
    more than 40 would sound the alarm at every ordinary renewal."""
    access_log_retention_days: Annotated[int, Meta(ge=1, le=3650, description="Days that the access logs stay.")] = 90


class Environment(Value, frozen=True, kw_only=True):
    """One environment of the platform."""

    name: Slug
    """The name of its file; not a key in it."""
    project: Slug
    """First part of every stack and resource name."""
    cost_centre: CostCentre
    tags: dict[str, str] = {}  # noqa: RUF012  (msgspec copies it)
    """Further tags for every stack."""
    account_id: AccountId
    home_region: Region
    """Where the files of the site are. Certificate, edge function and alarms are in us-east-1 wherever it is."""
    domain: DomainName
    """The site's name."""
    bucket: BucketName
    """Made for the site's files; visitors get them through CloudFront alone."""
    price_class: PriceClass
    """Places from which CloudFront serves; fewer are cheaper, and farther from some visitors."""
    hosted_zone: HostedZone
    certificate: Certificate
    app: App = App()
    basic_auth: BasicAuth = BasicAuth()
    security_headers: SecurityHeaders = SecurityHeaders()
    headers: dict[HeaderName, HeaderValue] = {}  # noqa: RUF012  (msgspec copies it)
    """Further headers of every response, for example Cross-Origin-Opener-Policy."""
    routing: Routing = Routing()
    redirects: tuple[Redirect, ...] = ()
    """Paths that have moved; the first that matches wins."""
    redirect_hosts: tuple[DomainName, ...] = ()
    """Further names of the site, such as www: each gets records and a place on the certificate, and leads to the same path of `domain`."""
    publishing: Publishing = Publishing()
    protection: Protection = Protection()
    artifacts: Artifacts
    github: GitHub = GitHub()
    monitoring: Monitoring = Monitoring()
    firewall: Firewall | None = None
    disaster_recovery: DisasterRecovery | None = None
    failover: Failover | None = None
    adopt: Adoption = Adoption()
    foundation: Literal["stack", "organization"] = "stack"
    """Who deploys the foundation: a plain stack of this environment, or the StackSets of organization.yaml."""

    @property
    def prefix(self) -> str:
        """First part of the names of everything that belongs to this environment."""
        return f"{self.project}-{self.name}"

    @property
    def error_rate_4xx_percent(self) -> float:
        """More 4xx answers than that are an alarm."""
        threshold = self.monitoring.error_rate_4xx_percent
        return threshold if threshold is not None else 60.0 if self.basic_auth.enabled else 15.0

    @property
    def zone_account_id(self) -> str:
        """Account that owns the hosted zone."""
        return self.hosted_zone.account_id or self.account_id

    @property
    def zone_is_foreign(self) -> bool:
        """The hosted zone belongs to another account."""
        return self.zone_account_id != self.account_id

    @property
    def makes_records(self) -> bool:
        """The records of the site are made here."""
        return self.hosted_zone.records != "unmanaged"

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """All names of the certificate, the main one first; last the redirect hosts that no other name covers, if it is made here."""
        names = (self.certificate.domain_name, *self.certificate.subject_alternative_names)
        if self.certificate.arn is not None:
            return names
        return (*names, *(host for host in self.redirect_hosts if not any(certificate_covers(name, host) for name in names)))

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every name that the distribution answers to, the site's own first."""
        return (self.domain, *self.redirect_hosts)

    @property
    def access_log_bucket(self) -> str:
        """Name of the bucket that takes the access logs."""
        return f"{self.bucket}-access-logs"

    @property
    def standby_artifact_bucket(self) -> str:
        """Name of the bucket in the standby region that has the deployer's records while the home region is lost; "" without one.

        With the region's name, since a bucket is retained, and another standby region needs another one.
        """
        return f"{self.artifacts.bucket}-{self.disaster_recovery.region}" if self.disaster_recovery else ""

    @property
    def firewall_name(self) -> str:
        """Name of the web ACL; its metrics carry it."""
        return f"{self.prefix}-site"

    @property
    def firewall_log_bucket(self) -> str:
        """Name of the bucket that takes the firewall's logs: AWS WAF Developer Guide, "Sending web ACL traffic logs to Amazon S3"."""
        return f"aws-waf-logs-{self.bucket}"

    @property
    def edge_function_name(self) -> str:
        """Name of the Lambda@Edge function; its log groups are named after it."""
        return "-".join(filter(None, (self.prefix, "basic-auth", self.basic_auth.function_suffix)))

    @property
    def basic_auth_secret(self) -> str:
        """Name of the Secrets Manager secret with the Basic Auth credential."""
        return f"{self.project}/{self.name}/basic-auth"


OrganizationalUnitId = Annotated[
    str, Meta(pattern=r"^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})\Z", description="Organizational unit (ou-…) or root (r-…).")
]


class Organization(Value, frozen=True, kw_only=True):
    """Who brings the foundation into every account: StackSets of the management or a delegated administrator account.

    One StackSet an environment, since names and least privilege are per environment; its template is the one that the plain stack has.
    """

    name: Slug
    """The name of its file; not a key in it."""
    project: Slug
    cost_centre: CostCentre
    tags: dict[str, str] = {}  # noqa: RUF012  (msgspec copies it)
    """Further tags for every StackSet."""
    account_id: AccountId
    """Management account, or the delegated administrator's."""
    region: Region = EDGE_CONTROL_REGION
    """Region of the StackSets themselves."""
    permission_model: Literal["SELF_MANAGED", "SERVICE_MANAGED"] = "SELF_MANAGED"
    """SELF_MANAGED goes by roles in each account, SERVICE_MANAGED by trusted access of the organization."""
    delegated_administrator: bool = False
    """account_id is a delegated administrator's, not the management account."""
    environments: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    """Environments whose accounts get their foundation from here; account and region are those of the environment."""
    organizational_units: dict[Slug, OrganizationalUnitId] = {}  # noqa: RUF012  (msgspec copies it)
    """SERVICE_MANAGED: the unit of each environment's account. Only that account of it is deployed to."""
    execution_role_name: Annotated[str, Meta(pattern=r"^[\w+=,.@-]{1,64}\Z", description="Name of an IAM role.")] = (
        "AWSCloudFormationStackSetExecutionRole"
    )
    """SELF_MANAGED: the role in the target accounts, which must be there already and trust the administration role."""
    artifacts: Artifacts
    protection: Protection = Protection()

    @property
    def prefix(self) -> str:
        """First part of the names of what belongs to the organization."""
        return f"{self.project}-{self.name}"


def file_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of an environment file or of common.yaml.

    Either file may hold any key, so nothing is required here; the loader tells what is missing from both.
    """
    _, definitions = schemas.components([Environment, Organization])
    body = {name: _without_required(schema) for name, schema in definitions.items()}
    tops = [body.pop("Organization"), body.pop("Environment")]
    properties = {key: value for top in tops for key, value in top["properties"].items() if key != "name"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Environment of the web platform",
        "description": "environments/common.yaml, <name>.yaml and organization.yaml; generated by `make schema`.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": body,
    }


def _without_required(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_required(value) for key, value in schema.items() if key != "required"}
    return [_without_required(item) for item in schema] if isinstance(schema, list) else schema

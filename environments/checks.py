"""What types cannot say about one environment.

In: an `Environment`. Out: problems, noted by key.
Never: looks at another environment (`environments.across`).
"""

from __future__ import annotations

from assembly.certificate_names import certificate_covers
from environments.adoption_checks import check_adoption
from environments.model import CSP_CHARACTERS, EDGE_CONTROL_REGION, Environment, Organization
from environments.names import bucket_name_problem, punycode_problem, region_problem, tag_problem
from environments.problems import Key, Note
from environments.recovery import check_recovery
from environments.regions import LAMBDA_EDGE_REGIONS, REGIONS
from environments.routing import redirect_problems

CERTIFICATE_NAMES = 10
"""Names of one certificate. Source: ACM User Guide, quotas (default)."""
FIRST_CERTIFICATE_NAME = 64
"""Characters of the first name. Source: ACM API, RequestCertificate."""
CERTIFICATE_CHARACTERS = 2000
"""Of all names together, so that the policy that names each of them stays below IAM's 6,144 characters."""
PREFIX = 40
"""Characters of `<project>-<name>`; the longest ending of a role has 24 and IAM takes 64."""
DOMAIN_WITH_FAILOVER = 253 - len("_failover.")
"""A name has at most 253 characters (RFC 1035, 2.3.4: 255 octets on the wire)."""
DERIVED_BUCKET = 63
"""Characters of a bucket name (S3 User Guide, bucket naming rules)."""


def check(environment: Environment, note: Note) -> None:
    """What types cannot say about one environment."""
    env = environment
    for key, region in (
        (("home_region",), env.home_region),
        *((("disaster_recovery", "region"), dr.region) for dr in [env.disaster_recovery] if dr),
        *((("basic_auth", "log_regions", i), region) for i, region in enumerate(env.basic_auth.log_regions)),
    ):
        reason = region_problem(region)
        if reason:
            note(key, f'"{region}": {reason}')
    _check_edge(env, note)
    _check_names(env, note)
    _check_app(env, note)
    _check_routing(env, note)
    for bucket_key, bucket in (
        (("bucket",), env.bucket),
        (("artifacts", "bucket"), env.artifacts.bucket),
        *((("disaster_recovery", "bucket"), dr.bucket) for dr in [env.disaster_recovery] if dr),
    ):
        reason = bucket_name_problem(bucket)
        if reason:
            note(bucket_key, f'"{bucket}": {reason}')
    logged = env.firewall is not None and env.firewall.logs == "bucket"
    derived = max((env.access_log_bucket, env.firewall_log_bucket) if logged else (env.access_log_bucket,), key=len)
    if len(derived) > DERIVED_BUCKET >= len(env.bucket):
        longest = DERIVED_BUCKET - len(derived) + len(env.bucket)
        note(("bucket",), f'"{env.bucket}" has {len(env.bucket)} characters; at most {longest}, since "{derived}" is a bucket too')
    if env.firewall and {env.firewall.rate, env.firewall.core_rules, env.firewall.known_bad_inputs} == {"off"}:
        note(("firewall",), "every rule is off, so it would cost money and do nothing; leave the key out")
    if env.failover and len(env.domain) > DOMAIN_WITH_FAILOVER:
        note(("domain",), f"has {len(env.domain)} characters; at most {DOMAIN_WITH_FAILOVER} with failover, whose records stand below it")
    check_recovery(env, note)
    if (env.github.owner_id is None) != (env.github.repository_id is None):
        note(("github",), "owner_id and repository_id go together: give both or neither")
    if env.github.repository is None and (env.github.owner_id or env.github.environment):
        note(("github",), "names no repository, so no workflow may deploy; add github.repository, or leave github out")
    for name_key, name in (
        (("domain",), env.domain),
        (("hosted_zone", "name"), env.hosted_zone.name),
        *_certificate_keys(env),
        *_host_keys(env),
    ):
        reason = punycode_problem(name)
        if reason:
            note(name_key, reason)
    prefix_problem(env, note)
    check_tags(env, note)
    _check_headers(env, note)
    check_adoption(env, note)


OWN_TAGS = ("environment", "project", "cost-centre", "managed-by")
"""Tags that every stack has anyway."""
TAGS = 50 - len(OWN_TAGS)
"""Tags of a stack (CloudFormation API, CreateChangeSet) that are left."""


def check_tags(described: Environment | Organization, note: Note) -> None:
    """Notes tags that AWS would refuse, or that every stack has already."""
    for key, value in described.tags.items():
        reason = f'every stack has the tag "{key}" already' if key in OWN_TAGS else tag_problem(key, value)
        if reason:
            note(("tags", key), reason)
    if len(described.tags) > TAGS:
        note(("tags",), f"{len(described.tags)} tags; beside its own a stack takes {TAGS}")


MANAGED_HEADERS = frozenset(
    (
        "content-security-policy",
        "permissions-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
        "x-robots-tag",
        "x-xss-protection",
    )
)
"""Headers that `security_headers` makes, or that CloudFront sets in a place of their own."""


def _check_headers(env: Environment, note: Note) -> None:
    seen: set[str] = set()
    for name in env.headers:
        if name.lower() in MANAGED_HEADERS:
            note(("headers", name), f'"{name}" is set by security_headers; change it there')
        elif name.lower() in seen:
            note(("headers", name), f'"{name}" is there twice; case makes no difference')
        elif name.lower().startswith("access-control-"):
            note(("headers", name), f'"{name}" is a header of CORS, which CloudFront takes in a place of its own; not offered here')
        seen.add(name.lower())
    csp = env.security_headers.csp
    if len(csp) > CSP_CHARACTERS:
        note(
            ("security_headers", "content_security_policy"),
            f"makes a policy of {len(csp):,} characters; at most {CSP_CHARACTERS:,}",
        )


def prefix_problem(described: Environment | Organization, note: Note) -> None:
    """Notes a name prefix that leaves no room for the endings of role names."""
    prefix = described.prefix
    if len(prefix) > PREFIX:
        note((), f'project and environment make the name prefix "{prefix}", {len(prefix)} long; at most {PREFIX} fit into IAM role names')


def _check_edge(env: Environment, note: Note) -> None:
    if env.certificate.region != EDGE_CONTROL_REGION:
        note(
            ("certificate", "region"),
            f'"{env.certificate.region}": CloudFront takes certificates from {EDGE_CONTROL_REGION} only; remove the key',
        )
    if env.basic_auth.region != EDGE_CONTROL_REGION:
        note(
            ("basic_auth", "region"),
            f'"{env.basic_auth.region}": Lambda@Edge functions are published from {EDGE_CONTROL_REGION} only; remove the key',
        )
    for index, region in enumerate(env.basic_auth.log_regions):
        if region in REGIONS and region not in LAMBDA_EDGE_REGIONS:
            note(
                ("basic_auth", "log_regions", index),
                f'"{region}": Lambda@Edge does not run there; the regions are {", ".join(LAMBDA_EDGE_REGIONS)}',
            )
    if len(set(env.basic_auth.log_regions)) < len(env.basic_auth.log_regions):
        note(("basic_auth", "log_regions"), "a region stands twice")
    if env.basic_auth.log_canary_region not in env.basic_auth.log_regions:
        note(("basic_auth", "log_canary_region"), f'"{env.basic_auth.log_canary_region}" is not among log_regions')


def _check_names(env: Environment, note: Note) -> None:
    zone = env.hosted_zone.name
    if not _below(env.domain, zone):
        note(("domain",), f'"{env.domain}" is not in the hosted zone {zone}; expected {zone} or a name that ends in .{zone}')
    elif not any(certificate_covers(name, env.domain) for name in env.certificate_names):
        note(
            ("domain",),
            f'"{env.domain}" is not covered by the certificate ({", ".join(env.certificate_names)}); '
            "a wildcard stands for exactly one label. Add the name to certificate.subject_alternative_names",
        )
    for key, name in _certificate_keys(env):
        if env.certificate.arn is None and not _below(name.removeprefix("*."), zone):
            note(key, f'"{name}" is not in the hosted zone {zone}, so its validation record cannot be written there')
    if len(set(env.certificate_names)) < len(env.certificate_names):
        note(("certificate", "subject_alternative_names"), "a name stands twice in the certificate")
    _check_certificate_size(env, note)
    if env.zone_is_foreign and env.hosted_zone.role_arn is None and (env.makes_records or env.certificate.arn is None):
        note(
            ("hosted_zone", "role_arn"),
            f"missing; the zone belongs to account {env.zone_account_id}, so a role to assume there must be named in {env.name}.yaml"
            " (not in common.yaml: the environment that owns the zone names none)",
        )
    if env.hosted_zone.role_arn is not None and env.hosted_zone.role_arn.split(":")[4] != env.zone_account_id:
        note(("hosted_zone", "role_arn"), f"is a role of another account than the zone's ({env.zone_account_id})")


def _certificate_keys(env: Environment) -> tuple[tuple[Key, str], ...]:
    others = enumerate(env.certificate.subject_alternative_names)
    first: Key = ("certificate", "domain_name")
    return ((first, env.certificate.domain_name), *((("certificate", "subject_alternative_names", i), name) for i, name in others))


def _check_certificate_size(env: Environment, note: Note) -> None:
    if env.certificate.arn is not None:
        return
    names, first = env.certificate_names, env.certificate.domain_name
    if len(first) > FIRST_CERTIFICATE_NAME:
        note(
            ("certificate", "domain_name"),
            f"has {len(first)} characters; the first name of a certificate has at most {FIRST_CERTIFICATE_NAME}: "
            "put a shorter one here and this one into subject_alternative_names",
        )
    if len(names) > CERTIFICATE_NAMES:
        note(("certificate", "subject_alternative_names"), f"the certificate has {len(names)} names; ACM takes {CERTIFICATE_NAMES}")
    characters = sum(map(len, names))
    if characters > CERTIFICATE_CHARACTERS:
        note(
            ("certificate", "subject_alternative_names"),
            f"the names have {characters:,} characters together; at most {CERTIFICATE_CHARACTERS:,} fit into a policy. "
            "A wildcard stands for many",
        )


def _check_app(env: Environment, note: Note) -> None:
    if "." not in env.app.index_document.rsplit("/", 1)[-1]:
        note(("app", "index_document"), f'"{env.app.index_document}" is no file; expected for example /index.html')
    if "." in env.app.entry_path.rsplit("/", 1)[-1]:
        note(("app", "entry_path"), f'"{env.app.entry_path}" looks like a file; an entry path has no extension, for example /buy')
    if env.app.health_path in {"/", env.app.entry_path}:
        note(
            ("app", "health_path"),
            f'"{env.app.health_path}" answers without credentials, so it cannot be the app itself; for example /healthz',
        )
    for index, rule in enumerate(env.publishing.cache_rules[:-1]):
        if rule.pattern == "*":
            note(
                ("publishing", "cache_rules", index),
                'the pattern "*" matches everything, so the rules after it are never used; put it last',
            )
    paths = [pattern.removeprefix("/") for pattern in env.publishing.hashed_paths]
    for index, path in enumerate(paths):
        if path in paths[:index]:
            note(("publishing", "hashed_paths", index), f'"{env.publishing.hashed_paths[index]}" is the path of an earlier entry; keep one')


def _check_routing(env: Environment, note: Note) -> None:
    own = ("/", env.app.entry_path, f"{env.app.entry_path.rstrip('/')}/", env.app.index_document, env.app.health_path)
    hashed = ("/" + pattern.lstrip("/").partition("*")[0] for pattern in env.publishing.hashed_paths)
    for index, part, problem in redirect_problems(env.redirects, tuple(dict.fromkeys((*own, *hashed)))):
        note(("redirects", index, part), problem)
    for key, host in _host_keys(env):
        if not _below(host, env.hosted_zone.name):
            note(key, f'"{host}" is not in the hosted zone {env.hosted_zone.name}, so neither its records nor its certificate can be made')
    _, dot, extension = env.app.index_document.rpartition("/")[2].rpartition(".")
    if dot and extension.lower() not in env.routing.file_extensions:
        note(("routing", "file_extensions"), f'lacks "{extension}", the extension of app.index_document')


def _host_keys(env: Environment) -> tuple[tuple[Key, str], ...]:
    return tuple((("redirect_hosts", index), host) for index, host in enumerate(env.redirect_hosts))


def _below(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")

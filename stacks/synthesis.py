"""From an environment to its assembly, in memory: every template as canonical bytes, and the manifest that says what to do with them.

In: an `Environment`. Out: a `Synthesis`. Never: writes a file, lints, talks to AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assembly.errors import Problems
from assembly.files import canonical_json, sealed, sha256
from assembly.model import (
    FORMAT,
    INLINE_TEMPLATE_LIMIT,
    RESOURCE_LIMIT,
    TEMPLATE_LIMIT,
    Assembly,
    BasicAuthSecret,
    CacheRule,
    HostedZone,
    HostedZoneRef,
    LiteralValue,
    OutputRef,
    Parameter,
    Placeholder,
    Redirect,
    RoleName,
    Routing,
    SecretRef,
    SiteContract,
    Stack,
    Template,
)
from environments.model import Environment, Organization
from stacks import as_before, foundation, headers, site
from stacks.catalogue import Entry, entries, organization_entries
from templates.placeholders import accepts, placeholder


class SynthesisError(Problems):
    """An environment whose templates CloudFormation would not take; one line a problem."""


@dataclass(frozen=True)
class Synthesis:
    """An assembly in memory."""

    assembly: Assembly
    templates: Mapping[str, bytes]
    """Canonical JSON by stack id."""
    sources: Mapping[str, Mapping[str, str]]
    """By stack id and logical id, the `file:line` that made the resource."""
    makers: Mapping[str, foundation.Maker]
    """By stack id the role that CloudFormation makes it with; none where that is the caller, or a role that is not the platform's."""


def synthesise(
    env: Environment,
    catalogue: Callable[[Environment], tuple[Entry, ...]] = entries,
    *,
    zone_contested: bool = False,
) -> Synthesis:
    """Build every template of the environment. Raises SynthesisError with everything that is wrong.

    `zone_contested`: others want its hosted zone in another account (`environments.zones`); who, is not written down, or every newcomer
    would change the digest of its neighbours.
    """
    listed = catalogue(env)
    return _synthesise(env, listed, lambda stacks: _assembly(env, stacks, zone_contested), _makers(env, listed))


def synthesise_organization(organization: Organization, environments: tuple[Environment, ...]) -> Synthesis:
    """Build every template of the organization, for its member environments. Raises SynthesisError with everything that is wrong."""
    listed = organization_entries(organization, environments)
    return _synthesise(organization, listed, lambda stacks: _organization_assembly(organization, stacks), {})


def _makers(env: Environment, listed: tuple[Entry, ...]) -> dict[str, foundation.Maker]:
    made_by = foundation.makers(env)
    names = {
        e.id: e.stackset.execution_role_name if e.stackset else foundation.service_role_name(env) for e in listed if not e.own_credentials
    }
    return {stack: made_by[name] for stack, name in names.items() if name in made_by}


def _synthesise(
    owner: Environment | Organization,
    listed: tuple[Entry, ...],
    assembly: Callable[[tuple[Stack, ...]], Assembly],
    makers: Mapping[str, foundation.Maker],
) -> Synthesis:
    problems: list[str] = []
    stacks: list[Stack] = []
    templates: dict[str, bytes] = {}
    sources: dict[str, Mapping[str, str]] = {}
    bodies: dict[str, Mapping[str, Any]] = {}
    for entry in listed:
        template = entry.build(owner)
        body: dict[str, Any] = template.to_dict()
        if isinstance(owner, Environment) and owner.adopt.let_go:
            if entry.id in as_before.LET_GO:
                body = as_before.let_go(body)
            elif as_before.BOUNDARY in body["Resources"] and any(other.id == "edge" for other in listed):
                body = as_before.let_go_of_boundary(body)
        bodies[entry.id] = body
        data = canonical_json(body)
        problems.extend(f"{owner.name}: stack {entry.id}: {text}" for text in _template_problems(entry, body, data))
        problems.extend(f"{owner.name}: stack {entry.id}: {text}" for text in _reference_problems(entry, stacks))
        problems.extend(f"{owner.name}: stack {entry.id}: {text}" for text in _value_problems(entry, bodies))
        stacks.append(_stack(owner, entry, body, data, [other.id for other in listed]))
        templates[entry.id] = data
        sources[entry.id] = template.sources
    if problems:
        raise SynthesisError(tuple(problems))
    return Synthesis(sealed(assembly(tuple(stacks))), templates, sources, makers)


def _template_problems(entry: Entry, body: Mapping[str, Any], data: bytes) -> list[str]:
    problems = []
    if len(data) > TEMPLATE_LIMIT:
        problems.append(f"the template has {len(data):,} bytes; CloudFormation takes at most {TEMPLATE_LIMIT:,}")
    if len(body["Resources"]) > RESOURCE_LIMIT:
        problems.append(f"the template has {len(body['Resources'])} resources; CloudFormation takes at most {RESOURCE_LIMIT}")
    declared, fed = set(body.get("Parameters", {})), {name for name, _ in entry.inputs}
    problems.extend(f"parameter {name} is declared but the catalogue does not feed it" for name in sorted(declared - fed))
    problems.extend(f"the catalogue feeds {name}, which is no parameter of the template" for name in sorted(fed - declared))
    return problems


def _reference_problems(entry: Entry, earlier: list[Stack]) -> list[str]:
    outputs = {stack.id: stack.outputs for stack in earlier}
    problems = []
    for name, source in entry.inputs:
        if isinstance(source, OutputRef) and source.output not in outputs.get(source.stack, ()):
            problems.append(f"{name} comes from {source.stack}.{source.output}, which no earlier stack has")
    problems.extend(f"depends on {stack}, which is no earlier stack" for stack in entry.depends_on if stack not in outputs)
    return problems


def _value_problems(entry: Entry, bodies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What no plan could give to a parameter: a literal that its declaration refuses, an output for which no value can stand in."""
    for name, source in entry.inputs:
        declaration = bodies[entry.id].get("Parameters", {}).get(name)
        pattern = f" (AllowedPattern {declaration.get('AllowedPattern', '')!r})" if declaration else ""
        if declaration and isinstance(source, LiteralValue) and not accepts(declaration, source.value):
            yield f"parameter {name} does not accept {source.value!r}{pattern}"
        if not declaration or not isinstance(source, OutputRef) or source.output not in bodies.get(source.stack, {}).get("Outputs", {}):
            continue
        producer = bodies[source.stack]
        types = {logical_id: str(resource["Type"]) for logical_id, resource in producer["Resources"].items()}
        value = producer["Outputs"][source.output]["Value"]
        reference = f"{source.stack}.{source.output}"
        if placeholder(reference, value, types, declaration, account_id="123456789012", region=entry.region) is None:
            yield (
                f"parameter {name} accepts no value that could stand for {reference} before the stack {source.stack} is deployed{pattern}: "
                "no first plan could be made; give it a pattern that a text can be made of, or none"
            )


def _stack(env: Environment | Organization, entry: Entry, body: Mapping[str, Any], data: bytes, order: list[str]) -> Stack:
    types = {resource["Type"] for resource in body["Resources"].values()}
    parameters = tuple(Parameter(name=name, source=source, no_echo=isinstance(source, SecretRef)) for name, source in sorted(entry.inputs))
    service_role = _service_role(env, entry, order)
    referred = {source.stack for _, source in entry.inputs if isinstance(source, OutputRef)} | set(entry.depends_on)
    if service_role or entry.stackset:
        referred.add("foundation")
    return Stack(
        id=entry.id,
        kind="stackset" if entry.stackset else "stack",
        stack_name=f"{env.prefix}-{entry.id}",
        description=body["Description"],
        account_id=entry.account_id or env.account_id,
        region=entry.region,
        role_arn=entry.role_arn,
        template=Template(
            file=f"{entry.id}.template.json",
            sha256=sha256(data),
            size=len(data),
            resources=len(body["Resources"]),
            upload=len(data) > INLINE_TEMPLATE_LIMIT,
        ),
        parameters=parameters,
        outputs=tuple(sorted(body.get("Outputs", {}))),
        depends_on=tuple(name for name in order if name in referred),
        capabilities=("CAPABILITY_NAMED_IAM",) if types & {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"} else (),
        tags=_tags(env),
        service_role=service_role,
        termination_protection=env.protection.termination_protection and not entry.stackset,
        stack_policy=_stack_policy(entry) if env.protection.stack_policy and not entry.stackset else None,
        certificate_validation=HostedZoneRef(name=entry.validates_in) if entry.validates_in else None,
        stackset=entry.stackset,
    )


def _service_role(env: Environment | Organization, entry: Entry, order: list[str]) -> OutputRef | RoleName | None:
    if entry.own_credentials or entry.stackset or isinstance(env, Organization):
        return None
    if "foundation" in order:
        return OutputRef(stack="foundation", output="ServiceRoleArn")
    return RoleName(name=foundation.service_role_name(env))


def _tags(env: Environment | Organization) -> dict[str, str]:
    return {
        **env.tags,
        "environment": env.name,
        "project": env.project,
        "cost-centre": env.cost_centre,
        "managed-by": "cloudformation",
    }


def _stack_policy(entry: Entry) -> str:
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]
    if entry.protected:
        statements.append(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["Update:Replace", "Update:Delete"],
                "Resource": "*",
                "Condition": {"StringEquals": {"ResourceType": sorted(entry.protected)}},
            }
        )
    return canonical_json({"Statement": statements}).decode()


def _assembly(env: Environment, stacks: tuple[Stack, ...], zone_contested: bool) -> Assembly:
    return Assembly(
        format=FORMAT,
        environment=env.name,
        project=env.project,
        account_id=env.account_id,
        home_region=env.home_region,
        deploy_role_name=foundation.deploy_role_name(env) if env.github.repository else "",
        plan_role_name=foundation.plan_role_name(env) if env.github.repository else "",
        pull_request_role_name=foundation.pull_request_role_name(env) if env.github.repository else "",
        protected=env.protection.change_approval,
        approvals=env.protection.approvals,
        artifact_bucket=env.artifacts.bucket,
        lock_table=env.artifacts.lock_table,
        hosted_zone=HostedZone(
            name=env.hosted_zone.name, id=env.hosted_zone.id, account_id=env.zone_account_id, role_arn=env.hosted_zone.role_arn
        ),
        basic_auth_secret=BasicAuthSecret(secret=env.basic_auth_secret, region=env.basic_auth.region, username=env.basic_auth.username)
        if env.basic_auth.enabled
        else None,
        contract=_contract(env),
        placeholders=(*_placeholders(env), *([_undecided_zone(env)] if zone_contested else [])),
        stacks=stacks,
    )


def _organization_assembly(organization: Organization, stacks: tuple[Stack, ...]) -> Assembly:
    return Assembly(
        format=FORMAT,
        environment=organization.name,
        project=organization.project,
        account_id=organization.account_id,
        home_region=organization.region,
        deploy_role_name=f"{organization.prefix}-deploy",
        protected=organization.protection.change_approval,
        artifact_bucket=organization.artifacts.bucket,
        lock_table=organization.artifacts.lock_table,
        hosted_zone=None,
        basic_auth_secret=None,
        contract=None,
        placeholders=_account_placeholders(organization.name, {"account_id": organization.account_id}),
        stacks=stacks,
    )


def _contract(env: Environment) -> SiteContract:
    publishing = env.publishing
    return SiteContract(
        domain=env.domain,
        entry_path=env.app.entry_path,
        index_document=env.app.index_document,
        health_path=env.app.health_path,
        basic_auth=env.basic_auth.enabled,
        basic_auth_realm=env.basic_auth.realm,
        response_headers=headers.expected(env),
        certificate_names=env.certificate_names,
        minimum_protocol_version=site.MINIMUM_PROTOCOL_VERSION,
        http_versions=("1.1", "2", "3"),
        cache_rules=tuple(CacheRule(pattern=rule.pattern, cache_control=rule.cache_control) for rule in publishing.cache_rules),
        release_grace_days=publishing.release_grace_days,
        release_keep=publishing.release_keep,
        config_json=env.app.config_json,
        https_record=env.failover is None and env.makes_records,
        promote_from=publishing.promote_from,
        routing=Routing(
            file_extensions=env.routing.file_extensions,
            hashed_paths=tuple("/" + pattern.removeprefix("/") for pattern in publishing.hashed_paths),
            redirects=tuple(Redirect(path=r.path, to=r.to, status=r.status) for r in env.redirects),
            redirect_hosts=env.redirect_hosts,
        ),
        not_found_page=site.not_found_page(env),
        error_page=site.error_page(env),
        indexing=env.security_headers.allow_indexing,
        publishing_allow=publishing.allow,
        publishing_exclude=publishing.exclude,
    )


def _placeholders(env: Environment) -> tuple[Placeholder, ...]:
    accounts = {"account_id": env.account_id, "hosted_zone.account_id": env.hosted_zone.account_id or ""}
    found = _account_placeholders(env.name, accounts)
    if not (env.github.repository or "").startswith("ORGANISATION/"):
        return found
    repository = Placeholder(
        key="github.repository",
        value=env.github.repository or "",
        file=f"environments/{env.name}.yaml",
        meaning="ORGANISATION/REPOSITORY on GitHub",
    )
    return (*found, repository)


def _undecided_zone(env: Environment) -> Placeholder:
    zone = env.hosted_zone.name
    meaning = (
        "other environments want a zone of this name in another account, and the public DNS knows one of them only; name its owner in"
        f" all others (hosted_zone.account_id and .role_arn), or give each a zone of its own, for example {env.domain}"
        " (docs/guides/second-team.md, The zone)"
    )
    return Placeholder(key="hosted_zone", value=zone, file=f"environments/{env.name}.yaml", meaning=meaning)


def _account_placeholders(name: str, accounts: Mapping[str, str]) -> tuple[Placeholder, ...]:
    return tuple(
        Placeholder(key=key, value=account, file=f"environments/{name}.yaml", meaning="the account's twelve digits")
        for key, account in accounts.items()
        if len(set(account)) == 1
    )

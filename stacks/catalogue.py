"""Which stacks an environment has, where each goes, and what feeds it: the one place to read to know the platform.

In: an `Environment`. Out: `entries(env)`, an ordered tuple in which a reference only ever points backwards.
Never: builds a template (the modules do), talks to AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from assembly.model import (
    HostedZoneRef,
    LiteralValue,
    OperationPreferences,
    OutputRef,
    SecretRef,
    SecretVersionRef,
    Source,
    StackSet,
    Targets,
)
from environments.model import EDGE_CONTROL_REGION, Environment, Organization
from stacks import certificate, dns, edge, edge_logs, firewall, foundation, monitoring, replica, site
from stacks.template import StackTemplate


@dataclass(frozen=True)
class Entry:
    """One stack of the platform: who builds it, where it goes, what feeds it."""

    id: str
    build: Callable[[Any], StackTemplate]
    """Takes the environment or the organization whose catalogue this is."""
    region: str
    inputs: tuple[tuple[str, Source], ...] = ()
    """Template parameter and where its value comes from."""
    depends_on: tuple[str, ...] = ()
    """Stacks that must be there first although no value comes from them."""
    account_id: str | None = None
    """None: the environment's own account."""
    role_arn: str | None = None
    own_credentials: bool = False
    """Deployed with the caller's permissions instead of the CloudFormation service role."""
    protected: tuple[str, ...] = ()
    """Resource types that a stack policy keeps from being replaced or deleted."""
    stackset: StackSet | None = None
    validates_in: str | None = None
    """Hosted zone, in another account, that a certificate waits for a record in."""


_DATA = ("AWS::S3::Bucket", "AWS::DynamoDB::Table")


DISTRIBUTION = ("DistributionId", OutputRef(stack="site", output="DistributionId"))


def entries(env: Environment) -> tuple[Entry, ...]:
    """The stacks of the environment in the order they are deployed."""
    zone: Source = LiteralValue(value=env.hosted_zone.id) if env.hosted_zone.id is not None else HostedZoneRef(name=env.hosted_zone.name)
    recovery = env.disaster_recovery
    return (
        *([_foundation(env)] if env.foundation == "stack" else []),
        *([_certificate(env, zone)] if env.certificate.arn is None else []),
        *(_edge(env) if env.basic_auth.enabled else []),
        *([Entry("replica", replica.build, recovery.region, protected=_DATA)] if recovery else []),
        *([Entry("firewall", firewall.build, EDGE_CONTROL_REGION, protected=_DATA)] if env.firewall else []),
        _site(env),
        *([Entry("replica-access", replica.build_access, recovery.region, (DISTRIBUTION,), depends_on=("replica",))] if recovery else []),
        *([_dns(env, zone)] if env.makes_records else []),
        _monitoring(env),
    )


def _foundation(env: Environment) -> Entry:
    protected = (*_DATA, "AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    return Entry("foundation", foundation.build, env.home_region, own_credentials=True, protected=protected)


def _certificate_arn(env: Environment) -> tuple[str, Source]:
    """Made here, or somebody else's."""
    arn = env.certificate.arn
    source: Source = OutputRef(stack="certificate", output="CertificateArn") if arn is None else LiteralValue(value=arn)
    return "CertificateArn", source


def _certificate(env: Environment, zone: Source) -> Entry:
    return Entry(
        "certificate",
        certificate.build,
        EDGE_CONTROL_REGION,
        () if env.zone_is_foreign else (("HostedZoneId", zone),),
        protected=("AWS::CertificateManager::Certificate",),
        validates_in=env.hosted_zone.name if env.zone_is_foreign else None,
    )


def _edge(env: Environment) -> tuple[Entry, ...]:
    secret = env.basic_auth_secret
    inputs: tuple[tuple[str, Source], ...] = (
        ("BasicAuthPasswordHash", SecretRef(secret=secret, key="password_hash")),
        ("CredentialVersion", SecretVersionRef(secret=secret)),
    )
    return (
        # Before the function: whatever makes a log group first decides on its retention.
        Entry("edge-logs", edge_logs.build, EDGE_CONTROL_REGION, stackset=_edge_log_targets(env)),
        Entry("edge", edge.build, EDGE_CONTROL_REGION, inputs),
    )


def _site(env: Environment) -> Entry:
    inputs: list[tuple[str, Source]] = [_certificate_arn(env)]
    if env.basic_auth.enabled:
        inputs.append(("EdgeFunctionVersionArn", OutputRef(stack="edge", output="FunctionVersionArn")))
    if env.firewall:
        inputs.append(("WebAclArn", OutputRef(stack="firewall", output="WebAclArn")))
    if env.disaster_recovery:
        inputs.append(("ReplicaBucketArn", OutputRef(stack="replica", output="BucketArn")))
        inputs.append(("ReplicaDomainName", OutputRef(stack="replica", output="BucketRegionalDomainName")))
    return Entry("site", site.build, env.home_region, tuple(inputs), protected=(*_DATA, "AWS::CloudFront::Distribution"))


def _dns(env: Environment, zone: Source) -> Entry:
    return Entry(
        "dns",
        dns.build,
        EDGE_CONTROL_REGION,
        (("HostedZoneId", zone), ("DistributionDomainName", OutputRef(stack="site", output="DistributionDomainName"))),
        account_id=env.hosted_zone.account_id,
        role_arn=env.hosted_zone.role_arn,
        own_credentials=env.zone_is_foreign,
        protected=("AWS::Route53::RecordSet",),
    )


def _monitoring(env: Environment) -> Entry:
    # Without a dns stack in this account the health check is made in monitoring itself, and there is no failover then.
    checks = (
        ()
        if env.zone_is_foreign or not env.makes_records
        else ("HealthCheckId", "PrimaryHealthCheckId")
        if env.failover
        else ("HealthCheckId",)
    )
    health = tuple((name, OutputRef(stack="dns", output=name)) for name in checks)
    return Entry("monitoring", monitoring.build, EDGE_CONTROL_REGION, (DISTRIBUTION, _certificate_arn(env), *health), protected=_DATA)


def organization_entries(organization: Organization, environments: tuple[Environment, ...]) -> tuple[Entry, ...]:
    """The stacks of the organization: its own artifacts and lock, then the foundation of every environment as a StackSet."""
    return (
        Entry(
            "administration",
            lambda _: foundation.build_administration(organization, environments),
            organization.region,
            own_credentials=True,
            protected=_DATA,
        ),
        *(
            Entry(
                f"foundation-{env.name}",
                partial(_foundation_of, env),
                organization.region,
                depends_on=("administration",),
                stackset=_foundation_targets(organization, env),
            )
            for env in environments
        ),
    )


def _foundation_of(env: Environment, _: Organization) -> StackTemplate:
    return foundation.build(env)


def _foundation_targets(organization: Organization, env: Environment) -> StackSet:
    unit = organization.organizational_units.get(env.name)
    self_managed = organization.permission_model == "SELF_MANAGED"
    return StackSet(
        permission_model=organization.permission_model,
        targets=Targets(accounts=(env.account_id,), organizational_units=(unit,) if unit else (), regions=(env.home_region,)),
        preferences=OperationPreferences(region_order=(env.home_region,)),
        administration_role_name=foundation.administration_role_name(organization) if self_managed else None,
        execution_role_name=organization.execution_role_name if self_managed else None,
        call_as="DELEGATED_ADMIN" if organization.delegated_administrator else "SELF",
    )


def _edge_log_targets(env: Environment) -> StackSet:
    auth = env.basic_auth
    return StackSet(
        permission_model="SELF_MANAGED",
        targets=Targets(accounts=(env.account_id,), regions=auth.log_regions),
        preferences=OperationPreferences(
            region_concurrency_type="SEQUENTIAL" if len(auth.log_regions) == 1 else "PARALLEL",
            region_order=(auth.log_canary_region,),
        ),
        administration_role_name=foundation.administration_role_name(env),
        execution_role_name=foundation.execution_role_name(env),
    )

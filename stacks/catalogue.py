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
from stacks import certificate, dns, edge, edge_logs, foundation, monitoring, replica, site
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


def entries(env: Environment) -> tuple[Entry, ...]:
    """The stacks of the environment in the order they are deployed."""
    zone: Source = LiteralValue(value=env.hosted_zone.id) if env.hosted_zone.id is not None else HostedZoneRef(name=env.hosted_zone.name)
    auth, recovery = env.basic_auth.enabled, env.disaster_recovery
    # A health check of a foreign zone's site is made in monitoring itself, and there is no failover then.
    checks = () if env.zone_is_foreign else ("HealthCheckId", "PrimaryHealthCheckId") if env.failover else ("HealthCheckId",)
    health = tuple((name, OutputRef(stack="dns", output=name)) for name in checks)
    distribution = ("DistributionId", OutputRef(stack="site", output="DistributionId"))
    certificate_arn = ("CertificateArn", OutputRef(stack="certificate", output="CertificateArn"))
    wanted: tuple[tuple[bool, Entry], ...] = (
        (
            env.foundation == "stack",
            Entry(
                "foundation",
                foundation.build,
                env.home_region,
                own_credentials=True,
                protected=(*_DATA, "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"),
            ),
        ),
        (
            True,
            Entry(
                "certificate",
                certificate.build,
                EDGE_CONTROL_REGION,
                () if env.zone_is_foreign else (("HostedZoneId", zone),),
                protected=("AWS::CertificateManager::Certificate",),
                validates_in=env.hosted_zone.name if env.zone_is_foreign else None,
            ),
        ),
        # Before the function: whatever makes a log group first decides on its retention.
        (auth, Entry("edge-logs", edge_logs.build, EDGE_CONTROL_REGION, stackset=_edge_log_targets(env))),
        (
            auth,
            Entry(
                "edge",
                edge.build,
                EDGE_CONTROL_REGION,
                (
                    ("BasicAuthPasswordHash", SecretRef(secret=env.basic_auth_secret, key="password_hash")),
                    ("CredentialVersion", SecretVersionRef(secret=env.basic_auth_secret)),
                ),
            ),
        ),
        (recovery is not None, Entry("replica", replica.build, recovery.region if recovery else "", protected=_DATA)),
        (
            True,
            Entry(
                "site",
                site.build,
                env.home_region,
                (
                    certificate_arn,
                    *((("EdgeFunctionVersionArn", OutputRef(stack="edge", output="FunctionVersionArn")),) if auth else ()),
                    *(
                        (
                            ("ReplicaBucketArn", OutputRef(stack="replica", output="BucketArn")),
                            ("ReplicaDomainName", OutputRef(stack="replica", output="BucketRegionalDomainName")),
                        )
                        if recovery
                        else ()
                    ),
                ),
                protected=(*_DATA, "AWS::CloudFront::Distribution"),
            ),
        ),
        (
            recovery is not None,
            Entry("replica-access", replica.build_access, recovery.region if recovery else "", (distribution,), depends_on=("replica",)),
        ),
        (
            True,
            Entry(
                "dns",
                dns.build,
                EDGE_CONTROL_REGION,
                (("HostedZoneId", zone), ("DistributionDomainName", OutputRef(stack="site", output="DistributionDomainName"))),
                account_id=env.hosted_zone.account_id,
                role_arn=env.hosted_zone.role_arn,
                own_credentials=env.zone_is_foreign,
                protected=("AWS::Route53::RecordSet",),
            ),
        ),
        (
            True,
            Entry(
                "monitoring",
                monitoring.build,
                EDGE_CONTROL_REGION,
                (distribution, certificate_arn, *health),
                protected=_DATA,
            ),
        ),
    )
    return tuple(entry for condition, entry in wanted if condition)


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

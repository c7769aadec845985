"""Which stacks an environment has, where each goes, and what feeds it: the one place to read to know the platform.

In: an `Environment`. Out: `entries(env)`, an ordered tuple in which a reference only ever points backwards.
Never: builds a template (the modules do), talks to AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
from environments.model import EDGE_CONTROL_REGION, Environment
from stacks import certificate, dns, edge, edge_logs, foundation, monitoring, replica, site
from stacks.template import StackTemplate


@dataclass(frozen=True)
class Entry:
    """One stack of the platform: who builds it, where it goes, what feeds it."""

    id: str
    build: Callable[[Environment], StackTemplate]
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


_DATA = ("AWS::S3::Bucket", "AWS::DynamoDB::Table")


def entries(env: Environment) -> tuple[Entry, ...]:
    """The stacks of the environment in the order they are deployed."""
    zone: Source = LiteralValue(value=env.hosted_zone.id) if env.hosted_zone.id is not None else HostedZoneRef(name=env.hosted_zone.name)
    auth, recovery = env.basic_auth.enabled, env.disaster_recovery
    health = () if env.zone_is_foreign else (("HealthCheckId", OutputRef(stack="dns", output="HealthCheckId")),)
    distribution = ("DistributionId", OutputRef(stack="site", output="DistributionId"))
    certificate_arn = ("CertificateArn", OutputRef(stack="certificate", output="CertificateArn"))
    wanted: tuple[tuple[bool, Entry], ...] = (
        (
            True,
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

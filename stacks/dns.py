"""The names of the site in the hosted zone, and the health check that looks at them from outside.

`EvaluateTargetHealth` is false: CloudFront targets take nothing else (Route 53 Developer Guide). With failover the secondary is an
endpoint outside CloudFront; the HTTPS record is left out then, since it would advertise HTTP/3 for an endpoint that may not speak it.
Which side answers is decided by a second health check, of the distribution's own name: a check of the name that fails over would look at
the standby as soon as it has failed over, find it well, and go back.
"""

from __future__ import annotations

from typing import Any

from troposphere import Ref, Tags, route53
from troposphere.validators.route53 import AliasTarget

from environments.model import Environment
from stacks.template import DISTRIBUTION_DOMAIN, HOSTED_ZONE_ID, StackTemplate

CLOUDFRONT_ZONE_ID = "Z2FDTNDATAQYW2"
"""Hosted zone id of every distribution as an alias target (Route 53 API, AliasTarget)."""


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "dns", f"records of {env.domain} in {env.hosted_zone.name}")
    zone = template.input("HostedZoneId", f"Public hosted zone {env.hosted_zone.name}", pattern=HOSTED_ZONE_ID)
    target = template.input("DistributionDomainName", "CloudFront domain name that the records point at", pattern=DISTRIBUTION_DOMAIN)
    check = None if env.zone_is_foreign else health_check(template, env)
    common: dict[str, Any] = {"HostedZoneId": zone, "Name": env.domain}
    primary: dict[str, Any] = {}
    types = ["A", "AAAA", "HTTPS"]
    if env.failover is not None:
        types.remove("HTTPS")
        of_distribution = Ref(_health_check(template, env, "PrimaryHealthCheck", target, "distribution "))
        primary = {"Failover": "PRIMARY", "SetIdentifier": "cloudfront", "HealthCheckId": of_distribution}
        template.output("PrimaryHealthCheckId", "Id of the health check that failover goes by", of_distribution)
        for record in types:
            template.add(
                route53.RecordSetType(
                    f"{_title(record)}Secondary",
                    Type=record,
                    Failover="SECONDARY",
                    SetIdentifier="standby",
                    AliasTarget=_alias(env.failover.dns_name, env.failover.hosted_zone_id),
                    **common,
                )
            )
    for record in types:
        template.add(
            route53.RecordSetType(
                _title(record),
                Type=record,
                AliasTarget=_alias(target, CLOUDFRONT_ZONE_ID),
                **primary,
                **common,
            )
        )
    template.output("DomainName", "Name that the records answer for", env.domain)
    if check is not None:
        template.output("HealthCheckId", "Id of the health check", Ref(check))
    return template


def health_check(template: StackTemplate, env: Environment) -> route53.HealthCheck:
    """A look at the site from outside, at the name that visitors use, over HTTPS with SNI.

    With Basic Auth it asks for the path that answers without credentials, since 401 counts as unhealthy (healthy is 2xx and 3xx);
    without, for the app itself, which takes the whole way to the bucket. Its metrics live in us-east-1 and in its own account, so it
    stands beside the alarm that reads them: in this stack, or in monitoring where the zone is in another account.
    """
    return _health_check(template, env, "HealthCheck", env.domain, "")


def _health_check(template: StackTemplate, env: Environment, title: str, name: Any, label: str) -> route53.HealthCheck:
    """Source of the advice to name the endpoint where records depend on the check: Route 53 API, HealthCheckConfig.

    CloudFront answers to its own name with its own certificate, and paths behave there as they do at the site's name.
    """
    path = env.app.health_path if env.basic_auth.enabled else env.app.entry_path
    return template.add(
        route53.HealthCheck(
            title,
            HealthCheckConfig=route53.HealthCheckConfig(
                Type="HTTPS",
                FullyQualifiedDomainName=name,
                Port=443,
                ResourcePath=path,
                EnableSNI=True,
                RequestInterval=30,
                FailureThreshold=3,
                MeasureLatency=True,
            ),
            HealthCheckTags=Tags(Name=f"{env.prefix} {label}{path}"),
        )
    )


def _alias(name: Any, zone: str) -> AliasTarget:
    return AliasTarget(DNSName=name, HostedZoneId=zone, EvaluateTargetHealth=False)  # type: ignore[no-untyped-call]


def _title(record: str) -> str:
    return {"A": "Ipv4Record", "AAAA": "Ipv6Record", "HTTPS": "HttpsRecord"}[record]

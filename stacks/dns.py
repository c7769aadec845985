"""The names of the site in the hosted zone, and the health check that looks at them from outside.

Each name has one record of a type, always, so that every edit changes only where it leads and Route 53 sees one record change in
place: it refuses a simple record beside one with a policy, of the same name and type, and CloudFormation deletes last. With failover the
pair stands at a name of its own, in the same zone, and the simple record is an alias of that (docs/decisions/0018). The pair is made before
the record leads to it, and deleted after it has led elsewhere.

`EvaluateTargetHealth` is false towards CloudFront, which takes nothing else (Route 53 Developer Guide). With failover the secondary is an
endpoint outside CloudFront; the HTTPS record is left out then, since it would advertise HTTP/3 for an endpoint that may not speak it.
Which side answers is decided by a second health check, of the distribution's own name: a check of the name that fails over would look at
the standby as soon as it has failed over, find it well, and go back.
"""

from __future__ import annotations

import hashlib
from typing import Any

from troposphere import Ref, Tags, route53
from troposphere.validators.route53 import AliasTarget

from environments.model import Environment
from environments.second_origin import Failover
from stacks.template import DELETE, DISTRIBUTION_DOMAIN, HOSTED_ZONE_ID, RETAIN, StackTemplate
from templates.record_sets import CLOUDFRONT_ZONE

_RECORDS = {"A": "Ipv4Record", "AAAA": "Ipv6Record"}


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "dns", f"records of {env.domain} in {env.hosted_zone.name}")
    zone = template.input("HostedZoneId", f"Public hosted zone {env.hosted_zone.name}", pattern=HOSTED_ZONE_ID)
    target = template.input("DistributionDomainName", "CloudFront domain name that the records point at", pattern=DISTRIBUTION_DOMAIN)
    check = None if env.zone_is_foreign else health_check(template, env)
    aliases = {kind: _alias(target, CLOUDFRONT_ZONE) for kind in _RECORDS}
    pairs: dict[str, list[str]] = {}
    if env.failover is not None:
        of_distribution = Ref(_health_check(template, env, "PrimaryHealthCheck", target, "distribution "))
        template.output("PrimaryHealthCheckId", "Id of the health check that failover goes by", of_distribution)
        for kind, title in _RECORDS.items():
            pairs[title] = _pair(template, env, env.failover, kind, (zone, target, of_distribution))
            aliases[kind] = AliasTarget(DNSName=failover_name(env), HostedZoneId=zone, EvaluateTargetHealth=True)  # type: ignore[no-untyped-call]
    routed = _routed(env)
    for kind, title in _RECORDS.items():
        waits: dict[str, Any] = {"DependsOn": pairs[title], **routed} if title in pairs else routed
        template.add(route53.RecordSetType(title, Type=kind, AliasTarget=aliases[kind], HostedZoneId=zone, Name=env.domain, **waits))
    if env.failover is None:
        template.add(
            route53.RecordSetType(
                "HttpsRecord",
                Type="HTTPS",
                AliasTarget=_alias(target, CLOUDFRONT_ZONE),
                HostedZoneId=zone,
                Name=env.domain,
                # HTTP/3 is advertised once the addresses are those of CloudFront again.
                DependsOn=[*_RECORDS.values()],
                **routed,
            )
        )
    for host in env.redirect_hosts:
        _redirect_host(template, host, zone, target, routed)
    template.output("DomainName", "Name that the records answer for", env.domain)
    if check is not None:
        template.output("HealthCheckId", "Id of the health check", Ref(check))
    return template


def _routed(env: Environment) -> dict[str, Any]:
    """Routing policy of the visited names: none, or the only weight of its name, which gets all of the traffic."""
    return {"SetIdentifier": env.prefix, "Weight": 1} if env.hosted_zone.records == "weighted" else {}


def _redirect_host(template: StackTemplate, host: str, zone: Any, target: Any, routed: dict[str, Any]) -> None:
    """A name that only leads to the site. It stays with CloudFront when the site fails over: what it leads to is what matters."""
    label = hashlib.sha256(host.encode()).hexdigest()[:12]
    for kind, title in {**_RECORDS, "HTTPS": "HttpsRecord"}.items():
        template.add(
            route53.RecordSetType(
                f"Redirect{label}{title}", Type=kind, AliasTarget=_alias(target, CLOUDFRONT_ZONE), HostedZoneId=zone, Name=host, **routed
            )
        )


def failover_name(env: Environment) -> str:
    """Where the failover pair stands. Nobody visits it, so neither the certificate nor the distribution has to know it; its underscore
    puts it among the names that CloudFormation may change (`policies.provisioning`)."""
    return f"_failover.{env.domain}"


def _pair(template: StackTemplate, env: Environment, failover: Failover, kind: str, given: tuple[Any, Any, Any]) -> list[str]:
    """Primary and secondary of one type; their titles."""
    zone, target, check = given
    common: dict[str, Any] = {"HostedZoneId": zone, "Name": failover_name(env), "Type": kind}
    family = _RECORDS[kind].removesuffix("Record")
    secondary = template.add(
        route53.RecordSetType(
            f"{family}Standby",
            Failover="SECONDARY",
            SetIdentifier="standby",
            AliasTarget=_alias(failover.dns_name, failover.hosted_zone_id),
            **common,
        )
    )
    primary = template.add(
        route53.RecordSetType(
            f"{family}Site",
            Failover="PRIMARY",
            SetIdentifier="cloudfront",
            HealthCheckId=check,
            AliasTarget=_alias(target, CLOUDFRONT_ZONE),
            **common,
        )
    )
    return [str(primary.title), str(secondary.title)]


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
            # Alarms of another stack look at it.
            DeletionPolicy=DELETE,
            UpdateReplacePolicy=RETAIN,
            HealthCheckTags=Tags(Name=f"{env.prefix} {label}{path}"),
        )
    )


def _alias(name: Any, zone: str) -> AliasTarget:
    return AliasTarget(DNSName=name, HostedZoneId=zone, EvaluateTargetHealth=False)  # type: ignore[no-untyped-call]

"""The ACM certificate of the site, in us-east-1 because CloudFront takes it from nowhere else.

Validated by DNS. CloudFormation writes the validation record itself where the zone is in the same account; otherwise the stack waits
and the deployer writes it (the assembly says so).
"""

from __future__ import annotations

from typing import Any

from troposphere import Ref, Tags, certificatemanager

from environments.model import Environment
from stacks.template import DELETE, HOSTED_ZONE_ID, RETAIN, StackTemplate


def validation_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that need a validation record of their own: a wildcard shares that of its name (ACM User Guide, DNS validation).

    CloudFormation would send the shared record twice, and Route 53 would refuse it (InvalidChangeBatch).
    """
    return tuple(name for name in names if not (name.startswith("*.") and name.removeprefix("*.") in names))


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "certificate", f"certificate for {env.certificate.domain_name}")
    validation: dict[str, Any] = {}
    if not env.zone_is_foreign:
        zone = template.input("HostedZoneId", "Public hosted zone that takes the validation record", pattern=HOSTED_ZONE_ID)
        validation = {
            "DomainValidationOptions": [
                certificatemanager.DomainValidationOption(DomainName=name, HostedZoneId=zone)
                for name in validation_names(env.certificate_names)
            ]
        }
    certificate = template.add(
        certificatemanager.Certificate(
            "Certificate",
            DomainName=env.certificate.domain_name,
            SubjectAlternativeNames=list(env.certificate_names[1:]),
            ValidationMethod="DNS",
            CertificateTransparencyLoggingPreference="ENABLED",
            Tags=Tags(Name=env.certificate.domain_name),
            # The site uses the old one until it has taken the new one; the deployer removes it then.
            DeletionPolicy=DELETE,
            UpdateReplacePolicy=RETAIN,
            **validation,
        )
    )
    template.output("CertificateArn", "ARN of the certificate", Ref(certificate))
    return template

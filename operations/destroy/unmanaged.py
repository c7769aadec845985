"""What belongs to an environment although no stack of it makes it: its Basic Auth secret, the records that ACM's proofs
leave, and those that stood aside for its own.

In: an assembly, the gateways. Out: `RetainedResource` values. Never: deletes anything.
"""

from __future__ import annotations

from assembly.model import Assembly
from aws.errors import AwsError, NotFound
from inventory.records import ASIDE, described
from inventory.wanted import RECORD
from operations.destroy.gateways import DestroyGateways
from planning.model import Finding
from planning.removals import RetainedResource

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105  (a type name)
SECRET_RECOVERY_DAYS = 30
"""A deleted secret can be restored for that long (Secrets Manager API, DeleteSecret)."""


def validation_records(assembly: Assembly, gateways: DestroyGateways, findings: list[Finding]) -> list[RetainedResource]:
    """ACM's, in the environment's zone: CloudFormation writes them for a certificate, outside of any resource, and leaves them."""
    makers = [s for s in assembly.stacks if s.id == "certificate"]
    if assembly.contract is None or assembly.hosted_zone is None or not makers:
        return []
    zone = assembly.zone
    found: dict[str, None] = {}
    try:
        route53 = gateways.route53(zone.account_id, zone.role_arn)
        zone_id = zone.id or route53.find_public_zone(zone.name).id
        for domain in dict.fromkeys(name.removeprefix("*.") for name in assembly.site.certificate_names):
            found |= dict.fromkeys(route53.validation_records(zone_id, domain))
    except NotFound:
        return []
    except AwsError as error:
        message = f"which validation records of ACM stay in the zone {zone.name} could not be looked up: {error.message}"
        findings.append(Finding(severity="note", code="not_looked_up", message=message, stack=makers[0].id))
    return [
        RetainedResource(
            resource_type=RECORD,
            physical_id=name,
            stack=makers[0].id,
            account_id=zone.account_id,
            region="us-east-1",
            role_arn=zone.role_arn,
            fate="keep",
            because="ACM's proof of the domain, the same for every certificate of it in this account: they are renewed by it",
        )
        for name in found
    ]


def records_set_aside(assembly: Assembly, gateways: DestroyGateways, findings: list[Finding]) -> list[RetainedResource]:
    """What an apply that was cut off has left beside a record of the stack (`removal.record_switch`): it will answer again."""
    if assembly.contract is None or assembly.hosted_zone is None:
        return []
    zone = assembly.zone
    found: dict[str, str] = {}
    try:
        route53 = gateways.route53(zone.account_id, zone.role_arn)
        zone_id = zone.id or route53.find_public_zone(zone.name).id
        hosts = assembly.contract.routing.redirect_hosts if assembly.contract.routing else ()
        for name in (assembly.contract.domain, *hosts):
            there = (each for each in route53.record_sets(zone_id, name) if each.get("SetIdentifier") == ASIDE)
            found |= {f"{name} {each['Type']}": described(each) for each in there}
    except NotFound:
        return []
    except AwsError as error:
        message = f"which records stay beside the stack's own in the zone {zone.name} could not be looked up: {error.message}"
        findings.append(Finding(severity="note", code="not_looked_up", message=message))
    return [
        RetainedResource(
            resource_type=RECORD,
            physical_id=name,
            stack="dns",
            account_id=zone.account_id,
            region="us-east-1",
            role_arn=zone.role_arn,
            fate="keep",
            because=f"set aside for the stack's own record, without which it answers again: {answer}; plan and apply delete it before",
        )
        for name, answer in found.items()
    ]


def secret_left(assembly: Assembly, gateways: DestroyGateways, delete_data: bool) -> list[RetainedResource]:
    """The Basic Auth secret, if there is one; no stack makes it."""
    secret = assembly.basic_auth_secret
    if secret is None or not gateways.secrets(assembly.account_id, secret.region).exists(secret.secret):
        return []
    return [
        RetainedResource(
            resource_type=SECRET,
            physical_id=secret.secret,
            stack="",
            account_id=assembly.account_id,
            region=secret.region,
            role_arn=None,
            holds=f"the Basic Auth password's hash; restorable for {SECRET_RECOVERY_DAYS} days",
            fate="delete" if delete_data else "keep",
        )
    ]

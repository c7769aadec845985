# mypy: allow-untyped-calls
"""ACM certificates of CloudFormation that wait for DNS, as at AWS.

In: the properties of AWS::CertificateManager::Certificate. Out: a certificate that is PENDING_VALIDATION until every validation record
stands in a hosted zone, of whatever account; then ISSUED, and the stack goes on. Where the template names a zone of the same account,
CloudFormation writes the records itself, so nothing waits; otherwise somebody has to. The records are told in the stack's events.
Refused, as at AWS: options that share one record, a zone that is not there, a name outside its zone, an option for a name that is not
in the certificate.
Never: times out (AWS does after 72 hours), or waits for certificates requested outside CloudFormation.

Sources: CloudFormation resource reference, AWS::CertificateManager::Certificate; ACM User Guide, DNS validation (a name and its wildcard
share one record); aws-cdk issues 9248 and 27364 (CloudFormation sends one change for each option, and Route 53 refuses the second).
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from ministack.core.responses import get_account_id, now_iso
from ministack.services import acm, cloudformation, route53
from ministack.services.cloudformation import provisioners, stacks

from emulator import pace

KIND = "AWS::CertificateManager::Certificate"
POLL_SECONDS = 0.05


def install() -> None:
    """Put the waiting certificate in the place of MiniStack's, which is issued at once."""
    table: dict[str, Any] = provisioners._RESOURCE_HANDLERS
    handlers = table[KIND]
    issued_at_once = handlers["create"]

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        arn, attributes = issued_at_once(logical_id, props, stack_name)
        if props.get("ValidationMethod") == "DNS":
            try:
                _validate(arn, logical_id, props, stack_name)
            except (Exception, asyncio.CancelledError):
                acm._certificates.pop(arn, None)
                cloudformation._stacks[stack_name].get("_resources", {}).pop(logical_id, None)
                raise
        return arn, attributes

    table[KIND] = {**handlers, "create": create}
    pace.on_worker_threads.add(KIND)


def _validate(arn: str, logical_id: str, props: dict[str, Any], stack_name: str) -> None:
    certificate = acm._certificates[arn]
    options: list[dict[str, Any]] = [
        {"DomainName": domain, "ValidationMethod": "DNS", "ValidationStatus": "PENDING_VALIDATION", "ResourceRecord": _record(domain)}
        for domain in certificate["SubjectAlternativeNames"]
    ]
    for zone, record in _changes(props.get("DomainValidationOptions", []), [option["DomainName"] for option in options]):
        _write(zone, record)
    certificate |= {"Status": "PENDING_VALIDATION", "DomainValidationOptions": options, "IssuedAt": None}
    stack = cloudformation._stacks[stack_name]
    # CloudFormation lists a resource as soon as it has begun to make it; MiniStack when it is done.
    under_way = {"PhysicalResourceId": arn, "ResourceType": KIND, "ResourceStatus": "CREATE_IN_PROGRESS", "Timestamp": now_iso()}
    stack.setdefault("_resources", {}).setdefault(logical_id, under_way)
    for record in {option["ResourceRecord"]["Name"]: option["ResourceRecord"] for option in options}.values():
        words = f"Content of DNS Record is: {{Name: {record['Name']},Type: CNAME,Value: {record['Value']}}}"
        stacks._add_event(stack["StackId"], stack_name, logical_id, KIND, "CREATE_IN_PROGRESS", words, arn)
    while waiting := [option for option in options if not _answered(option["ResourceRecord"])]:
        state = stack.get("StackStatus", "")
        if state.startswith("DELETE_"):
            # A creation that failed would roll back, and bring the deleted stack back with that.
            raise asyncio.CancelledError
        if pace.stopping.wait(POLL_SECONDS) or state not in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            raise ValueError(f"Resource creation cancelled while {waiting[0]['DomainName']} was not validated")
    for option in options:
        option["ValidationStatus"] = "SUCCESS"
    certificate |= {"Status": "ISSUED", "IssuedAt": now_iso()}


def _changes(options: list[dict[str, Any]], names: list[str]) -> list[tuple[str, dict[str, str]]]:
    """What CloudFormation writes: one change for each option that names a zone. Raises ValueError, before anything is written, in the
    words of the service that refuses."""
    changes: list[tuple[str, dict[str, str]]] = []
    for option in options:
        name, zone = option["DomainName"], option.get("HostedZoneId")
        if name not in names:
            raise ValueError(f"The domain name {name} of DomainValidationOptions is not a name of the certificate (ValidationException)")
        if not zone:
            continue
        record = _record(name)
        if zone not in route53._zones:
            raise ValueError(f"No hosted zone found with ID: {zone} (NoSuchHostedZone)")
        apex = str(route53._zones[zone]["name"]).rstrip(".").lower()
        if not f".{record['Name'].rstrip('.')}".endswith(f".{apex}"):
            raise ValueError(f"[RRSet with DNS name {record['Name']} is not permitted in zone {apex}.] (InvalidChangeBatch)")
        if (zone, record) in changes:
            invalid = "[The request contains an invalid set of changes for a resource record set"
            raise ValueError(f"{invalid} 'CNAME {record['Name']}'] (InvalidChangeBatch)")
        changes.append((zone, record))
    return changes


def _record(domain: str) -> dict[str, str]:
    """One for an apex and its wildcard, and always the same for an account, as ACM has it."""
    base = domain.removeprefix("*.")
    token = hashlib.sha256(f"{get_account_id()} {base}".encode()).hexdigest()
    return {"Name": f"_{token[:32]}.{base}.", "Type": "CNAME", "Value": f"_{token[32:]}.acm-validations.aws."}


def _write(zone: str, record: dict[str, str]) -> None:
    with route53._lock:
        kept = [each for each in route53._records.get(zone, []) if (each["Name"], each["Type"]) != (record["Name"], "CNAME")]
        route53._records[zone] = [*kept, {"Name": record["Name"], "Type": "CNAME", "TTL": "300", "ResourceRecords": [record["Value"]]}]


def _answered(record: dict[str, str]) -> bool:
    """Whether any public zone of any account has the record."""
    with route53._lock:
        everything = [each for records in route53._records._data.values() for each in records]
    return any(
        each["Name"].lower() == record["Name"].lower()
        and each["Type"] == "CNAME"
        and record["Value"].rstrip(".") in [str(value).rstrip(".") for value in each.get("ResourceRecords", [])]
        for each in everything
    )

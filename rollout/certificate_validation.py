"""Certificates whose DNS zone is in another account: write the validation record there while the stack waits.

CloudFormation writes it itself only where the zone is in the stack's own account; else the stack waits in CREATE_IN_PROGRESS until
somebody adds the CNAME (CloudFormation template reference, AWS::CertificateManager::Certificate).

In: a stack that waits, and gateways to its certificates and to the zone (through the zone's role). Out: sentences on what was written.
Never: writes any record but those that ACM asks for, or one that is there already; removes one (renewal needs it for good).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from assembly.model import HostedZone, Stack
from aws.acm import Certificate
from aws.cloudformation.stacks import StackResource
from aws.route53 import Record

CERTIFICATE = "AWS::CertificateManager::Certificate"
TTL_SECONDS = 300
EVERY_SECONDS = 5.0
"""Between two looks at the same stack: ACM takes some seconds to say which record it wants."""


class Certificates(Protocol):
    """`aws.acm.Acm`."""

    def certificate(self, arn: str) -> Certificate: ...


class Zones(Protocol):
    """`aws.route53.Route53`, as far as it is needed."""

    def records(self, zone_id: str, name: str) -> tuple[Record, ...]: ...

    def upsert(self, zone_id: str, record: Record, *, comment: str = "") -> str: ...


class CertificateValidation:
    """Called again and again while a stack waits; does each record once. May be called from several threads."""

    def __init__(
        self,
        *,
        zone: HostedZone,
        zone_id: Callable[[], str],
        resources: Callable[[Stack, str], Iterable[StackResource]],
        certificates: Callable[[Stack], Certificates],
        zones: Callable[[], Zones],
        now: Callable[[], float],
    ) -> None:
        self._zone, self._zone_id, self._resources = zone, zone_id, resources
        self._certificates, self._zones, self._now = certificates, zones, now
        self._written: set[str] = set()
        self._looked: dict[str, float] = {}
        self._guard = threading.Lock()

    def __call__(self, stack: Stack, stack_arn: str) -> tuple[str, ...]:
        """What was written now; nothing most of the time. Raises `AwsError`."""
        if stack.certificate_validation is None:
            return ()
        with self._guard:
            if self._now() - self._looked.get(stack_arn, float("-inf")) < EVERY_SECONDS:
                return ()
            self._looked[stack_arn] = self._now()
            return tuple(
                text
                for resource in self._resources(stack, stack_arn)
                if resource.resource_type == CERTIFICATE and resource.physical_id and resource.status.endswith("_IN_PROGRESS")
                for text in self._certificate(stack, resource.physical_id)
            )

    def _certificate(self, stack: Stack, arn: str) -> Iterable[str]:
        for validation in self._certificates(stack).certificate(arn).validations:
            name, value = validation.record_name, validation.record_value
            if validation.status != "PENDING_VALIDATION" or name is None or value is None or name in self._written:
                continue
            wanted = Record(name=name, type=validation.record_type or "CNAME", values=(value,), ttl=TTL_SECONDS)
            zone_id = self._zone_id()
            there = any(_same(found, wanted) for found in self._zones().records(zone_id, name))
            if not there:
                self._zones().upsert(zone_id, wanted, comment=f"ACM validation for {stack.stack_name}")
            self._written.add(name)
            where = f"zone {self._zone.name} of account {self._zone.account_id}"
            yield f"validation record {name} {'is already' if there else 'written'} in {where}; waiting for ACM"


def _same(found: Record, wanted: Record) -> bool:
    def plain(values: Iterable[str]) -> list[str]:
        return [v.rstrip(".").lower() for v in values]

    return found.type == wanted.type and plain(found.values) == plain(wanted.values)

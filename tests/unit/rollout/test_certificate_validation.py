"""The validation record of a certificate is written once, in the zone's account, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from assembly.model import HostedZone, HostedZoneRef, Stack
from aws.acm import Certificate, Validation
from aws.cloudformation.stacks import StackResource
from aws.route53 import Record
from rollout.certificate_validation import EVERY_SECONDS, CertificateValidation
from tests.simulated import Small, small_assembly

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/1"
ZONE = HostedZone(name="example.org", id=None, account_id="210987654321", role_arn="arn:aws:iam::210987654321:role/zone")


@dataclass
class World:
    validations: tuple[Validation, ...] = ()
    there: dict[str, Record] = field(default_factory=dict)
    written: list[tuple[str, Record]] = field(default_factory=list)
    seconds: float = 0.0
    status: str = "CREATE_IN_PROGRESS"
    asked: int = 0

    def certificate(self, arn: str) -> Certificate:
        assert arn == ARN
        self.asked += 1
        return Certificate(arn=arn, status="PENDING_VALIDATION", names=(), validations=self.validations, not_after=None)

    def records(self, zone_id: str, name: str) -> tuple[Record, ...]:
        return (self.there[name],) if name in self.there else ()

    def upsert(self, zone_id: str, record: Record, *, comment: str = "") -> str:
        self.written.append((zone_id, record))
        return "C1"

    def hook(self) -> CertificateValidation:
        def resources(_: Stack, __: str) -> tuple[StackResource, ...]:
            kind = "AWS::CertificateManager::Certificate"
            return (
                StackResource(logical_id="Certificate", physical_id=ARN, resource_type=kind, status=self.status),
                StackResource(logical_id="Other", physical_id="x", resource_type="AWS::SSM::Parameter", status="CREATE_IN_PROGRESS"),
                StackResource(logical_id="Early", physical_id="", resource_type=kind, status="CREATE_IN_PROGRESS"),
            )

        return CertificateValidation(
            zone=ZONE,
            zone_id=lambda: "Z1",
            resources=resources,
            certificates=lambda _: self,
            zones=lambda: self,
            now=lambda: self.seconds,
        )


def stack(*, foreign: bool = True) -> Stack:
    made = small_assembly(Small(id="certificate", template={}))[0].stacks[0]
    return msgspec.structs.replace(made, certificate_validation=HostedZoneRef(name="example.org") if foreign else None)


def pending(name: str | None = "_x.example.org", status: str = "PENDING_VALIDATION") -> Validation:
    return Validation(
        domain="example.org",
        status=status,
        record_name=name,
        record_type="CNAME" if name else None,
        record_value="_y.acm." if name else None,
    )


def test_it_is_written_once_as_soon_as_acm_says_what() -> None:
    world = World(validations=(pending(None),))
    hook = world.hook()
    assert hook(stack(), "arn") == ()
    world.validations = (pending(), pending())
    assert hook(stack(), "arn") == ()
    assert world.asked == 1
    world.seconds += EVERY_SECONDS
    (text,) = hook(stack(), "arn")
    assert text == "validation record _x.example.org written in zone example.org of account 210987654321; waiting for ACM"
    world.seconds += EVERY_SECONDS
    assert hook(stack(), "arn") == ()
    assert world.written == [("Z1", Record(name="_x.example.org", type="CNAME", values=("_y.acm.",), ttl=300))]


def test_a_record_that_is_there_is_left_alone() -> None:
    world = World(
        validations=(pending(),), there={"_x.example.org": Record(name="_x.example.org", type="CNAME", values=("_Y.acm",), ttl=60)}
    )
    (text,) = world.hook()(stack(), "arn")
    assert "is already in zone" in text
    assert world.written == []


def test_nothing_is_done_for_a_zone_of_our_own_a_certificate_that_is_made_or_a_record_that_is_proven() -> None:
    world = World(validations=(pending(),))
    assert world.hook()(stack(foreign=False), "arn") == ()
    world.status = "CREATE_COMPLETE"
    assert world.hook()(stack(), "arn") == ()
    world.status, world.validations = "CREATE_IN_PROGRESS", (pending(status="SUCCESS"),)
    assert world.hook()(stack(), "arn") == ()
    assert world.written == []


def test_whatever_type_acm_asks_for_is_written_and_a_cname_where_it_names_none() -> None:
    asked = (
        Validation(domain="a", status="PENDING_VALIDATION", record_name="_txt", record_type="TXT", record_value="v"),
        Validation(domain="b", status="PENDING_VALIDATION", record_name="_plain", record_type=None, record_value="v"),
        Validation(domain="c", status="PENDING_VALIDATION", record_name=None, record_type="CNAME", record_value="v"),
        Validation(domain="d", status="PENDING_VALIDATION", record_name="_no-value", record_type="CNAME", record_value=None),
    )
    world = World(validations=asked)
    assert len(world.hook()(stack(), "arn")) == 2
    assert [(record.name, record.type) for _, record in world.written] == [("_txt", "TXT"), ("_plain", "CNAME")]


def test_another_record_of_that_name_is_no_proof() -> None:
    def written(record: Record) -> bool:
        world = World(validations=(pending(),), there={"_x.example.org": record})
        world.hook()(stack(), "arn")
        return bool(world.written)

    assert written(Record(name="_x.example.org", type="TXT", values=("_y.acm.",), ttl=60))
    assert written(Record(name="_x.example.org", type="CNAME", values=("_z.acm.",), ttl=60))


def test_each_stack_is_looked_at_by_itself_and_at_once_the_first_time() -> None:
    world = World(validations=(pending(None),))
    hook = world.hook()
    hook(stack(), "one")
    hook(stack(), "two")
    assert world.asked == 2
    world.seconds += EVERY_SECONDS - 0.1
    hook(stack(), "one")
    assert world.asked == 2

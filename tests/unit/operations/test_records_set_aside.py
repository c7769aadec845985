"""A destroy tells of the records that answer again when the stack's own are gone."""

from __future__ import annotations

from typing import Any

import msgspec

from aws.errors import AccessDenied, AwsError
from inventory.records import ASIDE
from operations.destroy.unmanaged import records_set_aside
from planning.model import Finding
from stacks.synthesis import synthesise
from tests.environments_fixture import environments

DEV = synthesise(environments()["dev"]).assembly


class Zone:
    """`error`: what it answers instead."""

    def __init__(self, *records: dict[str, Any], error: AwsError | None = None) -> None:
        self.records, self.error = records, error

    def route53(self, account_id: str, role_arn: str | None) -> Any:
        return self

    def find_public_zone(self, name: str) -> Any:
        raise AssertionError("the zone's id is known")

    def record_sets(self, zone_id: str, name: str) -> list[dict[str, Any]]:
        if self.error:
            raise self.error
        return [each for each in self.records if each["Name"] == f"{name}."]


def left(zone: Any, assembly: Any = DEV) -> tuple[list[tuple[str, str, str]], list[Finding]]:
    assert assembly.hosted_zone is not None
    findings: list[Finding] = []
    known = msgspec.structs.replace(assembly, hosted_zone=msgspec.structs.replace(assembly.hosted_zone, id="Z1"))
    return [(each.physical_id, each.fate, each.because) for each in records_set_aside(known, zone, findings)], findings


def test_what_stood_aside_is_kept_and_told_with_where_it_leads() -> None:
    assert DEV.contract is not None
    name = DEV.contract.domain
    aside = {"Name": f"{name}.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}], "SetIdentifier": ASIDE, "Weight": 0}
    ours = {**aside, "SetIdentifier": "ours", "Weight": 1}
    ((what, fate, because),), findings = left(Zone(aside, ours))
    assert (what, fate, findings) == (f"{name} A", "keep", [])
    assert "192.0.2.1" in because and "answers again" in because
    assert left(Zone(ours)) == ([], [])


def test_a_zone_that_cannot_be_read_is_told_and_stops_nothing() -> None:
    found, (finding,) = left(Zone(error=AccessDenied("not you")))
    assert found == [] and (finding.severity, finding.code) == ("note", "not_looked_up") and "not you" in finding.message
    assert left(Zone(), DEV)[0] == []

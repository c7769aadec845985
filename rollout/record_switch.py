"""Records that stand where a stack makes its own: deleted right before it is executed, written back if it fails.

In: the approved plan of the stack, Route 53. Out: lines that tell what was done.
Never: deletes a record that is not exactly the one that was approved (Route 53 deletes only what is given whole: API reference,
ChangeResourceRecordSets), or writes one back where something else stands by now.

Between the two the name has no answer for the seconds that CloudFormation takes; resolvers may remember that for as long as the zone's SOA
says (docs/guides/moving-a-site.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from aws.errors import AwsError
from inventory.records import described
from planning.model import ExistingRecord, StackPlan


class Zones(Protocol):
    """`aws.route53.Route53`, as far as it is needed."""

    def record_sets(self, zone_id: str, name: str) -> tuple[dict[str, Any], ...]: ...

    def change(self, zone_id: str, action: Any, record_sets: Iterable[Any], *, comment: str = "") -> str: ...


class Moved(Exception):
    """Another record stands there than the one that was approved to go."""


class RecordSwitch:
    """The records of one stack's plan."""

    def __init__(self, plan: StackPlan, zones: Zones) -> None:
        self._plan, self._zones = plan, zones

    def away(self) -> Iterator[str]:
        """Delete those that still stand, all of a zone or none. What an earlier apply has deleted is gone. Raises `Moved`."""
        for zone_id, records in self._by_zone():
            existing = [each for each in records if self._stands(zone_id, each)]
            if existing:
                self._zones.change(zone_id, "DELETE", existing, comment=f"makes room for {self._plan.stack_name}")
            yield from (f"deleted the record {_named(each)}; if the stack fails, it is written back" for each in existing)

    def back(self) -> Iterator[str]:
        """Write back what was deleted, where nothing stands now."""
        for zone_id, records in self._by_zone():
            for record in records:
                try:
                    if any(_at_the_same_place(record, each) for each in self._zones.record_sets(zone_id, record["Name"])):
                        continue
                    self._zones.change(zone_id, "CREATE", [record], comment=f"{self._plan.stack_name} failed")
                    yield f"wrote the record {_named(record)} back"
                except AwsError as error:
                    yield f"the record {_named(record)} could not be written back: {error}"

    def _by_zone(self) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        for zone_id in dict.fromkeys(each.zone_id for each in self._plan.replaces):
            yield zone_id, unique(each for each in self._plan.replaces if each.zone_id == zone_id)

    def _stands(self, zone_id: str, record: Mapping[str, Any]) -> bool:
        there = [each for each in self._zones.record_sets(zone_id, record["Name"]) if _at_the_same_place(record, each)]
        if there and there != [record]:
            raise Moved(f"the record {_named(there[0])} is not the one any more that the plan replaces ({described(record)})")
        return bool(there)


def unique(replaces: Iterable[ExistingRecord]) -> list[Mapping[str, Any]]:
    """Each record once: a CNAME is in the way of several."""
    found: list[Mapping[str, Any]] = []
    for each in replaces:
        if each.record not in found:
            found.append(each.record)
    return found


def _at_the_same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("Name", "Type", "SetIdentifier"))


def _named(record: Mapping[str, Any]) -> str:
    return f"{str(record['Name']).rstrip('.')} {record['Type']} ({described(record)})"

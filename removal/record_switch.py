"""Records that stand where a stack makes its own: out of its way right before it is executed, and back if it fails.

In: the approved plan of the stack, Route 53. Out: lines that tell what was done.
Never: deletes a record that is not exactly the one that was approved (Route 53 deletes only what is given whole), or writes one back where
something else stands by now.

Where the plan has records that stand `beside`, they take the old one's place in the same change, which Route 53 makes as a whole or not at
all (API reference, ChangeResourceRecordSets): the name has its answer all the time, and they go when the stack has its own. Without them
the name has no answer for the seconds that CloudFormation takes; resolvers may remember that for as long as the zone's SOA says
(docs/guides/moving-a-site.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from aws.errors import AwsError
from inventory.records import described
from planning.model import ExistingRecord, StackPlan

RecordSet = Mapping[str, Any]


class Zones(Protocol):
    """`aws.route53.Route53`, as far as it is needed."""

    def record_sets(self, zone_id: str, name: str) -> tuple[dict[str, Any], ...]: ...

    def change(self, zone_id: str, changes: Iterable[tuple[Any, Any]], *, comment: str = "") -> str: ...


class Moved(Exception):
    """Another record stands there than the one that was approved to go."""


class RecordSwitch:
    """The records of one stack's plan."""

    def __init__(self, plan: StackPlan, zones: Zones) -> None:
        self._plan, self._zones = plan, zones

    def away(self) -> Iterator[str]:
        """Those that still stand, all of a zone or none. What an earlier apply has taken away is gone.

        Raises `Moved`, having changed nothing.
        """
        standing = [(zone_id, [each for each in records if self._stands(zone_id, each)]) for zone_id, records in self._by_zone()]
        for zone_id, existing in standing:
            changes: list[tuple[str, RecordSet]] = [("DELETE", each) for each in existing]
            changes += [("CREATE", each) for record in existing for each in self._beside(record)]
            if changes:
                self._zones.change(zone_id, changes, comment=f"makes room for {self._plan.stack_name}")
            for each in existing:
                then = (
                    "with weight 0 it answers until the stack has its own"
                    if self._beside(each)
                    else "if the stack fails, it is written back"
                )
                yield f"{'set aside' if self._beside(each) else 'deleted'} the record {_named(each)}; {then}"

    def back(self) -> Iterator[str]:
        """As it was, where nothing but what stood beside stands now."""
        for zone_id, records in self._by_zone():
            for record in records:
                beside = self._beside(record)
                try:
                    there = self._at(zone_id, record)
                    aside = [each for each in there if each in beside]
                    if there != aside or (beside and not aside) or record in beside:
                        continue
                    changes: list[tuple[str, RecordSet]] = [*(("DELETE", each) for each in aside), ("CREATE", record)]
                    self._zones.change(zone_id, changes, comment=f"{self._plan.stack_name} failed")
                    yield f"wrote the record {_named(record)} back"
                except AwsError as error:
                    yield f"the record {_named(record)} could not be written back: {error}"

    def done(self) -> Iterator[str]:
        """The stack has its own: what stood beside goes, where something else answers by now."""
        for zone_id, records in self._by_zone():
            aside = [each for record in records for each in self._beside(record)]
            try:
                stays = {_named(each): why for each in aside if (why := self._stays(zone_id, each))}
                yield from (f"not deleted: the record {name}, {why}" for name, why in stays.items())
                aside = [each for each in aside if _named(each) not in stays and each in self._zones.record_sets(zone_id, each["Name"])]
                if aside:
                    self._zones.change(zone_id, [("DELETE", each) for each in aside], comment=f"{self._plan.stack_name} has its own")
                yield from (f"deleted the record {_named(each)}, which stood beside" for each in aside)
            except AwsError as error:
                told = ", ".join(map(_named, aside))
                yield f"not deleted: {told}; it answers nobody beside the stack's own, and has to go before those do: {error}"

    def _by_zone(self) -> Iterator[tuple[str, list[RecordSet]]]:
        for zone_id in dict.fromkeys(each.zone_id for each in self._plan.replaces):
            yield zone_id, unique(each for each in self._plan.replaces if each.zone_id == zone_id)

    def _beside(self, record: RecordSet) -> list[RecordSet]:
        """A CNAME is in the way of several records; each has its own beside."""
        found: list[RecordSet] = []
        for each in self._plan.replaces:
            found += [one for one in each.beside if each.record == record and one not in found]
        return found

    def _at(self, zone_id: str, record: RecordSet) -> list[RecordSet]:
        """What stands at the record's place, and beside it."""
        places = [_place(each) for each in (record, *self._beside(record))]
        return [each for each in self._zones.record_sets(zone_id, record["Name"]) if _place(each) in places]

    def _stays(self, zone_id: str, aside: RecordSet) -> str:
        there = [each for each in self._zones.record_sets(zone_id, aside["Name"]) if each["Type"] == aside["Type"]]
        if any(_place(each) == _place(aside) and each != aside for each in there):
            return "which is another one by now; it has to go before the stack's own do"
        return "which is the only one that answers" if there == [aside] else ""

    def _stands(self, zone_id: str, record: RecordSet) -> bool:
        """A record with another SetIdentifier counts as well: the stack's own would share its traffic."""
        if record in self._beside(record):
            return False
        there = [each for each in self._zones.record_sets(zone_id, record["Name"]) if each["Type"] in self._types(record)]
        known = [each for planned in self._plan.replaces for each in (planned.record, *planned.beside)]
        strange = next((each for each in there if each not in known), None)
        if strange is not None:
            raise Moved(f"the record {_named(strange)} is not the one any more that the plan replaces ({described(record)})")
        return record in there

    def _types(self, record: RecordSet) -> set[str]:
        return {each["Type"] for each in (record, *self._beside(record))}


def unique(replaces: Iterable[ExistingRecord]) -> list[RecordSet]:
    """Each record once: a CNAME is in the way of several."""
    found: list[RecordSet] = []
    for each in replaces:
        if each.record not in found:
            found.append(each.record)
    return found


def _place(record: RecordSet) -> tuple[Any, ...]:
    return tuple(record.get(key) for key in ("Name", "Type", "SetIdentifier"))


def _named(record: RecordSet) -> str:
    return f"{str(record['Name']).rstrip('.')} {record['Type']} ({described(record)})"

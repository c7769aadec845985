"""Route 53: find a public zone, read and write single records.

In: names. Out: frozen values. Raises `aws.errors`; `Ambiguous zone` is a `Conflict` that lists the ids.
Never: waits (a change's state is asked for, the caller waits), touches a private zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from msgspec import field

from aws.answers import Answer, pages, read
from aws.errors import AwsError, Conflict, NotFound
from aws.gateway import Global

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PublicZone:
    """A public hosted zone; `id` without "/hostedzone/", `name` without the last dot."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """A simple record set; `alias` is the target name of an alias record, and then there are no values."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    ttl: int | None = None
    alias: str | None = None


class _Zone(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    private: bool = field(name="Config.PrivateZone", default=False)


class _HostedZone(Answer, frozen=True, kw_only=True):
    name_servers: tuple[str, ...] = field(name="DelegationSet.NameServers", default=())


class _Value(Answer, frozen=True, kw_only=True):
    value: str


class _RecordSet(Answer, frozen=True, kw_only=True):
    name: str
    type: str
    resource_records: tuple[_Value, ...] = ()
    ttl: int | None = field(name="TTL", default=None)
    alias: str | None = field(name="AliasTarget.DNSName", default=None)

    def record(self) -> Record:
        return Record(
            name=_plain(self.name),
            type=self.type,
            values=tuple(each.value for each in self.resource_records),
            ttl=self.ttl,
            alias=_plain(self.alias) if self.alias else None,
        )


class Route53(Global):
    """One account's zones."""

    client: Route53Client
    service = "route53"

    def find_public_zone(self, name: str) -> PublicZone:
        """The zone of that name. `NotFound` if there is none; `Conflict` if several have it, with their ids."""
        wanted = _plain(name)
        found = self._public_zones(wanted)
        if len(found) == 1:
            return PublicZone(id=found[0], name=wanted)
        kind: type[AwsError] = Conflict if found else NotFound
        several = f"{len(found)} public hosted zones are called {wanted}: {', '.join(found)}; set the id of the right one"
        raise kind(
            several if found else f"no public hosted zone is called {name.rstrip('.')}",
            service="route53",
            operation="ListHostedZonesByName",
            account=self.account_id,
        )

    def _public_zones(self, name: str) -> list[str]:
        """Zones are listed in DNS order from the name on, so the first other name ends the search."""
        found: list[str] = []
        zones = pages(
            self.client.list_hosted_zones_by_name,
            "HostedZones",
            _Zone,
            tokens={"DNSName": "NextDNSName", "HostedZoneId": "NextHostedZoneId"},
            truncated="IsTruncated",
            DNSName=name + ".",
        )
        for zone in zones:
            if _plain(zone.name) != name:
                break
            if not zone.private:
                found.append(zone.id.removeprefix("/hostedzone/"))
        return found

    def delegation(self, zone_id: str) -> tuple[str, ...]:
        """Name servers that the parent domain must name, sorted, without last dots."""
        servers = read(self.client.get_hosted_zone(Id=zone_id), _HostedZone).name_servers
        return tuple(sorted(_plain(server) for server in servers))

    def records(self, zone_id: str, name: str) -> tuple[Record, ...]:
        """Every record set of exactly that name."""
        wanted = _plain(name)
        found: list[Record] = []
        for each in self._from(zone_id, wanted, _RecordSet):
            if _plain(each.name) != wanted:
                break
            found.append(each.record())
        return tuple(found)

    def upsert(self, zone_id: str, record: Record, *, comment: str = "") -> str:
        """Write one record set, whatever was there; the id of the change."""
        values = [{"Value": value} for value in record.values]
        record_set: Any = {"Name": record.name, "Type": record.type, "TTL": record.ttl or 300, "ResourceRecords": values}
        answer = self.client.change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Comment": comment, "Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]}
        )
        return read(answer, str, "ChangeInfo.Id").removeprefix("/change/")

    def record_sets(self, zone_id: str, name: str) -> tuple[dict[str, Any], ...]:
        """Every record set of exactly that name as Route 53 has it, to be handed back to `change`."""
        wanted = _plain(name)
        found: list[dict[str, Any]] = []
        for each in self._from(zone_id, wanted, dict[str, Any]):
            if _plain(read(each, str, "Name")) != wanted:
                break
            found.append(each)
        return tuple(found)

    def _from(self, zone_id: str, name: str, into: type[T]) -> Iterator[T]:
        """Every record set from that name on, in Route 53's order."""
        return pages(
            self.client.list_resource_record_sets,
            "ResourceRecordSets",
            into,
            tokens=_RECORD_TOKENS,
            truncated="IsTruncated",
            HostedZoneId=zone_id,
            StartRecordName=f"{name}.",
        )

    def validation_records(self, zone_id: str, domain: str) -> tuple[str, ...]:
        """Names of ACM's validation records of a domain, which CloudFormation writes outside of any resource.

        Source: ACM User Guide, "DNS validation": CNAME records whose names begin with "_" and whose values end in acm-validations.aws.
        Record sets come in the order of their labels from the right, and "_" sorts before letters (API reference, ListResourceRecordSets).
        """
        found: list[str] = []
        below = f".{_plain(domain)}"
        for each in self._from(zone_id, f"_{below}", _RecordSet):
            name = _plain(each.name)
            if not name.endswith(below) or not name.removesuffix(below).rpartition(".")[2].startswith("_"):
                break
            if each.type == "CNAME" and any(_plain(value.value).endswith(".acm-validations.aws") for value in each.resource_records):
                found.append(name)
        return tuple(found)

    def change(self, zone_id: str, changes: Iterable[tuple[Literal["CREATE", "DELETE"], Any]], *, comment: str = "") -> str:
        """All of them or none; a deletion only of what is exactly as given. The id of the change. Raises `BadRequest` otherwise."""
        batch: Any = {"Comment": comment, "Changes": [{"Action": action, "ResourceRecordSet": each} for action, each in changes]}
        answer = self.client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)
        return read(answer, str, "ChangeInfo.Id").removeprefix("/change/")


_RECORD_TOKENS = {
    "StartRecordName": "NextRecordName",
    "StartRecordType": "NextRecordType",
    "StartRecordIdentifier": "NextRecordIdentifier",
}


def _plain(name: str) -> str:
    return name.rstrip(".").lower()

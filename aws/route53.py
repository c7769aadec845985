"""Route 53: find a public zone, read and write single records.

In: names. Out: frozen values. Raises `aws.errors`; `Ambiguous zone` is a `Conflict` that lists the ids.
Never: waits (a change's state is asked for, the caller waits), touches a private zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws.errors import Conflict, NotFound

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

    from aws.session import Aws


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


@dataclass(frozen=True)
class Route53:
    """One account's zones."""

    client: Route53Client
    account_id: str

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, role_arn: str | None = None) -> Route53:
        """Route 53 is one for all regions; us-east-1 is where it lives."""
        return cls(aws.client("route53", account_id=account_id, region="us-east-1", role_arn=role_arn), account_id)

    def find_public_zone(self, name: str, *, exact: bool = True) -> PublicZone:
        """The zone called `name`, or unless `exact` the longest one that `name` lies in.

        `NotFound` if there is none; `Conflict` if several have the same name, with their ids.
        """
        labels = name.rstrip(".").lower().split(".")
        candidates = [".".join(labels[start:]) for start in range(1 if exact else max(1, len(labels) - 1))]
        for candidate in candidates:
            found = self._public_zones(candidate)
            if len(found) == 1:
                return PublicZone(id=found[0], name=candidate)
            if found:
                raise Conflict(
                    f"{len(found)} public hosted zones are called {candidate}: {', '.join(found)}; set the id of the right one",
                    service="route53",
                    operation="ListHostedZonesByName",
                    account=self.account_id,
                )
        raise NotFound(
            f"no public hosted zone is called {name.rstrip('.')}" + ("" if exact else " or holds it"),
            service="route53",
            operation="ListHostedZonesByName",
            account=self.account_id,
        )

    def _public_zones(self, name: str) -> list[str]:
        """Zones are listed in DNS order from the name on, so the first other name ends the search."""
        found: list[str] = []
        more: dict[str, Any] = {"DNSName": name + "."}
        while more:
            answer = self.client.list_hosted_zones_by_name(**more)
            for zone in answer["HostedZones"]:
                if zone["Name"].rstrip(".").lower() != name:
                    return found
                if not zone.get("Config", {}).get("PrivateZone", False):
                    found.append(zone["Id"].removeprefix("/hostedzone/"))
            more = {"DNSName": answer["NextDNSName"], "HostedZoneId": answer["NextHostedZoneId"]} if answer["IsTruncated"] else {}
        return found

    def delegation(self, zone_id: str) -> tuple[str, ...]:
        """Name servers that the parent domain must name, sorted, without last dots."""
        answer = self.client.get_hosted_zone(Id=zone_id)
        return tuple(sorted(server.rstrip(".").lower() for server in answer.get("DelegationSet", {}).get("NameServers", [])))

    def records(self, zone_id: str, name: str) -> tuple[Record, ...]:
        """Every record set of exactly that name."""
        wanted = name.rstrip(".").lower()
        found: list[Record] = []
        more: dict[str, Any] = {"StartRecordName": wanted + "."}
        while more:
            answer = self.client.list_resource_record_sets(HostedZoneId=zone_id, **more)
            for record in answer["ResourceRecordSets"]:
                if record["Name"].rstrip(".").lower() != wanted:
                    return tuple(found)
                found.append(_record(record))
            more = {}
            if answer["IsTruncated"]:
                more = {"StartRecordName": answer["NextRecordName"], "StartRecordType": answer["NextRecordType"]}
                if "NextRecordIdentifier" in answer:
                    more["StartRecordIdentifier"] = answer["NextRecordIdentifier"]
        return tuple(found)

    def upsert(self, zone_id: str, record: Record, *, comment: str = "") -> str:
        """Write one record set, whatever was there; the id of the change."""
        values = [{"Value": value} for value in record.values]
        record_set: Any = {"Name": record.name, "Type": record.type, "TTL": record.ttl or 300, "ResourceRecords": values}
        answer = self.client.change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Comment": comment, "Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]}
        )
        return answer["ChangeInfo"]["Id"].removeprefix("/change/")

    def in_sync(self, change_id: str) -> bool:
        """Whether every name server of Route 53 answers with the change."""
        return self.client.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC"


def _record(found: Any) -> Record:
    alias = found.get("AliasTarget", {}).get("DNSName")
    return Record(
        name=found["Name"].rstrip(".").lower(),
        type=found["Type"],
        values=tuple(each["Value"] for each in found.get("ResourceRecords", [])),
        ttl=found.get("TTL"),
        alias=alias.rstrip(".").lower() if alias else None,
    )

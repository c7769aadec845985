"""What exists under the names and aliases that the assembly itself has.

In: places, the gateways. Out: `Candidate` values, and a note for each look that AWS refused.
Never: takes a refused look for an answer; decides whose something is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from adoption.matching import Candidate
from adoption.places import Place
from adoption.terraform_types import CERTIFICATE, DISTRIBUTION, RECORD
from aws.answers import pages, read
from aws.cloudfront import CloudFront
from aws.errors import AwsError
from gateways.existing import ExistingResources
from gateways.live import LiveResources
from inventory.survey import InventoryGateways
from templates.intrinsics import marked
from templates.schemas import Schemas

WORKERS = 16
SOURCE = "derived name"


class AdoptionGateways(InventoryGateways, Protocol):
    """What looking needs of AWS (`gateways.by_place.Gateways`)."""

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> LiveResources: ...


def derived(places: Iterable[Place], gateways: AdoptionGateways, schemas: Schemas, notes: list[str]) -> tuple[Candidate, ...]:
    """Of every place that has a name; of StackSets none, since their instances are elsewhere."""
    looks = _Looks(gateways, schemas)

    def look(place: Place) -> tuple[Candidate, ...]:
        try:
            return tuple(looks.at(place))
        except AwsError as error:
            notes.append(f"{place}: could not be looked up by its name: {error}")
            return ()

    named = [place for place in places if place.stack.kind == "stack"]
    if not named:
        return ()
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(named)), thread_name_prefix="adoption") as pool:
        return tuple(candidate for found in pool.map(look, named) for candidate in found)


@dataclass(frozen=True)
class _Looks:
    gateways: AdoptionGateways
    schemas: Schemas

    def at(self, place: Place) -> Iterator[Candidate]:
        stack = place.stack
        if place.type == RECORD:
            yield from self.record(place)
            return
        existing = self.gateways.existing(stack.account_id, stack.region, stack.role_arn)
        if place.type == DISTRIBUTION:
            yield from self.distribution(place, existing)
        elif place.type == CERTIFICATE:
            yield from certificates(place, existing)
        elif place.name and not marked(place.name):
            found, schema = existing.find(place.type, place.name), self.schemas.of(place.type, place.stack.region)
            values = found.physical_id.split("|") if found is not None else []
            if values and schema and len(values) == len(schema.identifier):
                yield self.candidate(place, dict(zip(schema.identifier, values, strict=True)))

    def record(self, place: Place) -> Iterator[Candidate]:
        zone, name = place.properties.get("HostedZoneId"), place.properties.get("Name")
        if not isinstance(zone, str) or marked(zone) or not isinstance(name, str):
            return
        route53 = self.gateways.route53(place.stack.account_id, place.stack.role_arn)
        for each in route53.record_sets(zone, name):
            if each["Type"] == place.properties.get("Type"):
                identifier = {"Name": name.rstrip("."), "HostedZoneId": zone, "Type": str(each["Type"])}
                if each.get("SetIdentifier"):
                    identifier["SetIdentifier"] = str(each["SetIdentifier"])
                yield self.candidate(place, identifier)

    def distribution(self, place: Place, existing: ExistingResources) -> Iterator[Candidate]:
        aliases = {str(each).lower() for each in (place.properties.get("DistributionConfig") or {}).get("Aliases") or []}
        for each in CloudFront(existing.client("cloudfront")).distributions():
            names = frozenset(alias.lower() for alias in each.aliases)
            if names & aliases:
                yield self.candidate(place, {"Id": each.id}, names=names, source=f"alias {min(names & aliases)}")

    @staticmethod
    def candidate(place: Place, identifier: dict[str, str], *, names: frozenset[str] = frozenset(), source: str = SOURCE) -> Candidate:
        return Candidate(
            type=place.type,
            identifier=identifier,
            found="derived",
            source=source,
            names=names,
            account_id=place.stack.account_id,
            region=place.stack.region,
        )


def certificates(place: Place, existing: ExistingResources) -> Iterator[Candidate]:
    """Issued ones of that domain. Those of another domain that cover it as a wildcard are not ours to take."""
    domain = str(place.properties.get("DomainName"))
    call = existing.client("acm").list_certificates
    for each in pages(call, "CertificateSummaryList", dict[str, Any], may_be_absent=True, CertificateStatuses=["ISSUED"]):
        if str(each.get("DomainName", "")).lower() == domain.lower():
            arn = read(each, str, "CertificateArn")
            yield Candidate(
                type=CERTIFICATE,
                identifier={"CertificateArn": arn},
                found="derived",
                source=f"certificate of {domain}",
                names=frozenset({domain.lower()}),
                account_id=place.stack.account_id,
                region=place.stack.region,
            )


def users_of(certificate_arn: str, existing: ExistingResources) -> tuple[str, ...]:
    """ARNs of what uses the certificate. Source: ACM API, CertificateDetail, InUseBy."""
    answer = existing.client("acm").describe_certificate(CertificateArn=certificate_arn)
    return tuple((answer.get("Certificate") or {}).get("InUseBy") or ())

"""Which resource of the assembly each thing that exists would be.

In: `Place` values, `Candidate` values. Out: `Matches`: candidates by place, and those without one.
Never: asks AWS, decides between two candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from adoption.places import Key, Place
from adoption.terraform import Managed
from adoption.terraform_types import CERTIFICATE, DISTRIBUTION, FUNCTION, KINDS, RECORD, WEB_ACL
from templates.intrinsics import marked, unresolved

Origin = str
"""terraform, derived, hand."""

STRENGTH = ("derived", "terraform", "hand")
"""Of the same thing found in several ways, the last of these is told."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One thing that exists, or is said to."""

    type: str
    identifier: Mapping[str, str]
    found: Origin
    source: str
    """For a person."""
    names: frozenset[str] = frozenset()
    """Names that it has beside its identifier: aliases, domain names, in lower case."""
    account_id: str = ""
    region: str = ""
    to: Key | None = None
    """Set by hand."""
    state: Managed | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The same thing, however it was found."""
        return self.type, tuple(sorted((name, value.rstrip(".")) for name, value in self.identifier.items()))

    @property
    def label(self) -> str:
        """The identifier for a person."""
        return " ".join(self.identifier.values())


@dataclass(frozen=True, kw_only=True)
class Matches:
    """Who goes where."""

    by_place: Mapping[Key, tuple[Candidate, ...]]
    left: tuple[Candidate, ...]
    """Without a place."""


def of_state(resources: Iterable[Managed]) -> tuple[Candidate, ...]:
    """Of what a state manages, that which CloudFormation has a type for."""
    found = []
    for each in resources:
        kind = KINDS.get(each.type)
        identifier = kind.identify(each.attributes) if kind and kind.part == "resource" else None
        if kind is None or identifier is None or each.remark == "deposed":
            continue
        found.append(
            Candidate(
                type=kind.type,
                identifier=identifier,
                found="terraform",
                source=each.told,
                names=_names(each),
                account_id=each.account_id,
                region=each.region,
                state=each,
            )
        )
    return tuple(found)


def _names(of: Managed) -> frozenset[str]:
    found: set[str] = set()
    for name in ("aliases", "name", "domain_name", "fqdn"):
        value = of.attributes.get(name, ())
        found |= {value} if isinstance(value, str) else set(value)
    return frozenset(each.lower().rstrip(".") for each in found)


def matched(places: Sequence[Place], candidates: Iterable[Candidate]) -> Matches:
    """Every candidate once, however often it was found; the strongest way of finding it is kept, and the names of all."""
    once: dict[object, Candidate] = {}
    for each in sorted(candidates, key=lambda c: STRENGTH.index(c.found)):
        before = once.get(each.key)
        names = each.names | (before.names if before else frozenset())
        once[each.key] = _with(each, names, before)
    by_place: dict[Key, list[Candidate]] = {}
    left = []
    for candidate in once.values():
        fitting = [place for place in places if fits(place, candidate)]
        for place in fitting:
            by_place.setdefault(place.key, []).append(candidate)
        if not fitting:
            left.append(candidate)
    chosen = {}
    for key, several in by_place.items():
        by_hand = [each for each in several if each.found == "hand"]
        # What a person names wins over what was found by itself: that is how one of two is chosen.
        chosen[key] = tuple(by_hand or several)
        left += [each for each in several if by_hand and each.found != "hand"]
    return Matches(by_place=chosen, left=tuple(left))


def _with(candidate: Candidate, names: frozenset[str], before: Candidate | None) -> Candidate:
    return Candidate(
        type=candidate.type,
        identifier=candidate.identifier,
        found=candidate.found,
        source=candidate.source,
        names=names,
        account_id=candidate.account_id or (before.account_id if before else ""),
        region=candidate.region or (before.region if before else ""),
        to=candidate.to,
        state=candidate.state or (before.state if before else None),
    )


def fits(place: Place, candidate: Candidate) -> bool:
    """Whether the candidate is what stands, or would stand, at that place."""
    if candidate.to is not None:
        return candidate.to == place.key
    if candidate.type != place.type:
        return False
    by_type = _RULES.get(place.type)
    if by_type is not None:
        return by_type(place, candidate)
    if not place.name or marked(place.name):
        return False
    name = place.name.removeprefix("https://") if place.type == "AWS::IAM::OIDCProvider" else place.name
    last = [value.rpartition("/")[2] if value.startswith("arn:") else value for value in candidate.identifier.values()]
    return place.name in candidate.identifier.values() or name in last or place.name.lower() in candidate.names


def _record(place: Place, candidate: Candidate) -> bool:
    ours, theirs = place.properties, candidate.identifier
    zone = ours.get("HostedZoneId")
    known = isinstance(zone, str) and not marked(zone)
    return (
        str(ours.get("Name", "")).rstrip(".").lower() == theirs.get("Name", "").rstrip(".").lower()
        and ours.get("Type") == theirs.get("Type")
        and (not known or zone == theirs.get("HostedZoneId"))
        and ("Weight" in ours or str(ours.get("SetIdentifier") or "") == theirs.get("SetIdentifier", ""))
    )


def _distribution(place: Place, candidate: Candidate) -> bool:
    aliases = (place.properties.get("DistributionConfig") or {}).get("Aliases") or []
    return any(str(each).lower() in candidate.names for each in aliases)


def _certificate(place: Place, candidate: Candidate) -> bool:
    return str(place.properties.get("DomainName", "")).lower() in candidate.names


def _health_check(place: Place, candidate: Candidate) -> bool:
    name = (place.properties.get("HealthCheckConfig") or {}).get("FullyQualifiedDomainName")
    return isinstance(name, str) and not unresolved(name) and name.lower() in candidate.names


def _bucket_policy(place: Place, candidate: Candidate) -> bool:
    return place.properties.get("Bucket") == candidate.identifier.get("Bucket")


def _web_acl(place: Place, candidate: Candidate) -> bool:
    return all(place.properties.get(name) == candidate.identifier.get(name) for name in ("Name", "Scope"))


_RULES = {
    RECORD: _record,
    DISTRIBUTION: _distribution,
    CERTIFICATE: _certificate,
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::S3::BucketPolicy": _bucket_policy,
    WEB_ACL: _web_acl,
}

BESIDE = frozenset(
    {
        FUNCTION,
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::Logs::LogGroup",
        "AWS::Route53::HealthCheck",
    }
)
"""Types of which the platform makes its own beside an old one of another name; the old one serves until the distribution lets go of it."""

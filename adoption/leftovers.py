"""What exists and no stack gets: why, what becomes of it, and which addresses have to leave the Terraform state.

In: the state, the rows of what is matched, candidates without a place. Out: `Left` values, addresses.
Never: runs Terraform.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adoption.matching import BESIDE, Candidate
from adoption.places import Place
from adoption.report import Kept, Left, Row, StateFile
from adoption.terraform import Managed, State
from adoption.terraform_types import ACCESS_IDENTITY, CERTIFICATE, DISTRIBUTION, FUNCTION, KINDS, RECORD, ROLE, TRUST, ZONE

EDGE_REGION = "us-east-1"
IN_CARE = ("take_over", "in_place")
"""Fates of what a stack of the environment has, now or after the import."""


def left_over(
    state: State | None, rows: Sequence[Row], places: Sequence[Place], unmatched: Iterable[Candidate], managed: Sequence[Candidate]
) -> tuple[Left, ...]:
    """In the state's order; then what was found in another way."""
    types = {place.type for place in places}
    sites = _Sites.of(state, rows) if state else None
    without_place = {each.key for each in unmatched}
    told = []
    for each in state.resources if state else ():
        kind = KINDS.get(each.type)
        identifier = (kind.identify(each.attributes) if kind else None) or {}
        key = (kind.type if kind else "", tuple(sorted((n, v.rstrip(".")) for n, v in identifier.items())))
        matched = kind is not None and kind.part == "resource" and identifier and key not in without_place and each.remark != "deposed"
        if not matched:
            why, message = _why(each, types, rows)
            if why == "superseded" and each.remark != "deposed" and sites and sites.may_need(each):
                why, message = "left_alone", "of this site, or of another one in that state: look who uses it before it is deleted"
            if kind is not None and kind.type == RECORD and _ours_by_name(identifier, places):
                zones = {place.properties.get("HostedZoneId") for place in places if place.type == RECORD}
                message = (
                    f"stands beside ours, as {identifier['SetIdentifier']}: the plan says what becomes of it"
                    if (identifier.get("SetIdentifier") and identifier["HostedZoneId"] in zones)
                    else f"in the zone {identifier['HostedZoneId']}, which is not the environment's: hosted_zone in its file says which is"
                )
            told.append(Left(what=each.type, identifier=" ".join(identifier.values()), source=each.told, why=why, message=message))
    told += [
        Left(
            what=c.type,
            identifier=c.label,
            source=c.source,
            why="left_alone",
            message="not taken over: no resource of the platform is like it, or another one was named",
        )
        for c in unmatched
        if c.state is None and c not in managed
    ]
    return tuple(told)


@dataclass(frozen=True)
class _Sites:
    """Distributions of a state: those of the environment, and others. What has left the state, since a stack has it, is among neither."""

    ours: tuple[Managed, ...]
    others: tuple[Managed, ...]

    @classmethod
    def of(cls, state: State, rows: Sequence[Row]) -> _Sites:
        """As it is matched."""
        ours: list[Managed] = []
        others: list[Managed] = []
        for each in state.resources:
            kind = KINDS.get(each.type)
            if kind is not None and kind.type == DISTRIBUTION:
                identifier = kind.identify(each.attributes)
                (ours if any(row.type == DISTRIBUTION and row.identifier == identifier for row in rows) else others).append(each)
        return cls(tuple(ours), tuple(others))

    def may_need(self, each: Managed) -> bool:
        """Whether another site may need it: unless it stands nearer to ours, in its module or under its key."""
        return bool(self.others) and _nearest(each, self.others) >= _nearest(each, self.ours)

    def has(self, each: Managed) -> bool:
        """Whether it is another site's: it stands nearer to that."""
        return _nearest(each, self.others) > _nearest(each, self.ours)


def _nearest(each: Managed, among: Iterable[Managed]) -> tuple[int, bool]:
    return max(map(each.near, among), default=(0, False))


def _ours_by_name(identifier: Mapping[str, str], places: Sequence[Place]) -> bool:
    """A record that a stack makes, by its name and type, wherever."""
    return any(
        place.type == RECORD
        and place.properties.get("Type") == identifier.get("Type")
        and str(place.properties.get("Name", "")).rstrip(".").lower() == identifier.get("Name", "").lower()
        for place in places
    )


def _why(each: Managed, types: set[str], rows: Sequence[Row]) -> tuple[Kept, str]:
    kind = KINDS.get(each.type)
    if each.remark == "deposed":
        return "superseded", "deposed: Terraform has made another in its place already"
    if kind is not None and kind.part != "resource":
        return _part(each, rows)
    return _resource(each, kind.type if kind else "", types)


def _resource(each: Managed, kind: str, types: set[str]) -> tuple[Kept, str]:
    if kind == ACCESS_IDENTITY:
        return "superseded", "Origin Access Control takes its place; it can be deleted when no distribution uses it any more"
    if kind == ZONE:
        return "used", "the platform writes its records into it and does not own it"
    if kind == RECORD and validates(each):
        return "used", "validates a certificate, and has to stay or ACM cannot renew it"
    if kind in BESIDE and kind in types and not _of_something_else(each, kind):
        return "superseded", "the platform makes its own; it can be deleted when neither the distribution nor anything else uses it"
    return "left_alone", "not the platform's"


def _of_something_else(each: Managed, kind: str) -> bool:
    """A resource of a type that the platform has, too, which is for something that no site has.

    Lambda@Edge takes functions of us-east-1 only, and writes the log groups /aws/lambda/us-east-1.NAME (CloudFront Developer Guide,
    "Restrictions on Lambda@Edge", "Edge function logs").
    """
    if kind == ROLE:
        return each.attributes.get(TRUST) == ()
    if kind == FUNCTION:
        return each.region not in ("", EDGE_REGION)
    if kind == "AWS::Logs::LogGroup":
        return not str(each.attributes.get("name", "")).startswith(f"/aws/lambda/{EDGE_REGION}.")
    return kind == "AWS::Route53::HealthCheck"


def validates(each: Managed) -> bool:
    """A record by which ACM knows the domain: a CNAME whose name begins with an underscore."""
    return each.attributes.get("type") == "CNAME" and str(each.attributes.get("name", "")).startswith("_")


def _part(each: Managed, rows: Sequence[Row]) -> tuple[Kept, str]:
    kind = KINDS[each.type]
    if kind.part == "nothing":
        return "nothing", "nothing at AWS goes by it"
    if kind.part == "content":
        return "content", "its objects stay in the bucket; the first publish is release 1"
    whole = _whole(each, rows)
    return (
        "setting",
        f"a setting of {whole.stack}.{whole.logical_id}" if whole else f"a setting of a resource ({kind.type}) that is not taken over",
    )


def _whole(each: Managed, rows: Sequence[Row]) -> Row | None:
    """The row of the resource that the state's object is a part of."""
    kind = KINDS.get(each.type)
    identifier = kind.identify(each.attributes) if kind else None
    return next((row for row in rows if kind and identifier and row.type == kind.type and row.identifier == identifier), None)


def lines_to_remove(state: State | None, rows: Sequence[Row], managed: Sequence[Candidate]) -> tuple[StateFile, ...]:
    """By file, addresses of all that a stack has or replaces, with parts and content, and of what the certificate of a stack is renewed by.

    What stays in the state, `terraform destroy` deletes: that is right for what is superseded, and only for that.
    """
    if state is None:
        return ()
    ours = [row for row in rows if row.fate in IN_CARE or (row.type == RECORD and row.compared)]
    identifiers = [(row.type, row.identifier) for row in ours] + [(c.type, dict(c.identifier)) for c in managed]
    certificate = any(kind == CERTIFICATE for kind, _ in identifiers)
    of_others = _with_other_certificates(state, identifiers)
    sites = _Sites.of(state, rows)
    found: dict[str, list[str]] = {name: [] for name in state.files or ("",)}
    for each in state.resources:
        kind = KINDS.get(each.type)
        if kind is None or each.remark == "deposed":
            continue
        identifier = kind.identify(each.attributes)
        renews = (certificate and each.file not in of_others and not sites.has(each)) and (
            each.type == "aws_acm_certificate_validation" or (kind.type == RECORD and str(each.attributes.get("name", "")).startswith("_"))
        )
        if renews or (identifier and (kind.type, identifier) in identifiers):
            found[each.file or next(iter(found))].append(each.address)
    return tuple(StateFile(file=name, state_rm=tuple(addresses)) for name, addresses in found.items())


def _with_other_certificates(state: State, ours: Sequence[tuple[str, Mapping[str, str]]]) -> set[str]:
    """Files whose certificates are all others': what they are renewed by is theirs, too."""
    by_file: dict[str, list[bool]] = {}
    for each in state.resources:
        kind = KINDS.get(each.type)
        if kind is not None and kind.type == CERTIFICATE:
            by_file.setdefault(each.file, []).append((CERTIFICATE, kind.identify(each.attributes)) in ours)
    return {file for file, found in by_file.items() if not any(found)}

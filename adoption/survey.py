"""Finds what exists, matches it with the assembly, reads it, and says what follows.

In: an assembly with its templates, a Terraform state, identifiers given by hand, the gateways. Out: an `AdoptionReport`.
Never: changes anything; takes what may not be read for the same as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import msgspec

from adoption import evidence
from adoption.comparison import Difference, beside, compared, scalars
from adoption.derived import WORKERS, AdoptionGateways, derived, users_of
from adoption.leftovers import left_over, lines_to_remove
from adoption.legacy import shapes
from adoption.matching import Candidate, Matches, matched, of_state
from adoption.places import Key, Place, places
from adoption.report import AdoptionReport, Fate, Left, Row
from adoption.terraform import State
from adoption.terraform_types import BUCKET, CERTIFICATE, DISTRIBUTION, FUNCTION, KINDS, RECORD
from assembly.model import Assembly, OutputRef, Stack
from aws.cloudformation.stack_sets import StackInstance
from aws.errors import AwsError, Conflict, NotFound
from gateways.live import Unsupported
from takeover.importable import NEVER
from takeover.live import identifier_of
from templates.schemas import Schema, Schemas

Progress = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class SurveyRequest:
    """What the survey is given to go by."""

    assembly: Assembly
    templates: Mapping[str, bytes]
    state: State | None = None
    by_hand: tuple[Candidate, ...] = ()
    check: bool = False
    """Look whether what is left is still there."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """One candidate as AWS has it."""

    candidate: Candidate
    live: Mapping[str, Any] | None = field(repr=False)
    error: AwsError | None = None
    owner: str = ""


def surveyed(asked: SurveyRequest, gateways: AdoptionGateways, schemas: Schemas, progress: Progress = lambda *_: None) -> AdoptionReport:
    """The report. Raises `aws.errors.AwsError` where there is no way in."""
    return _Survey(asked, gateways, schemas, progress).report()


class _Survey:
    def __init__(self, asked: SurveyRequest, gateways: AdoptionGateways, schemas: Schemas, progress: Progress) -> None:
        self.asked, self.gateways, self.schemas, self.progress = asked, gateways, schemas, progress
        self.assembly = asked.assembly
        self.notes: list[str] = []
        self.zone = self._zone()
        self.service_roles: dict[str, str | None] = {}
        self.distributions: tuple[str, ...] = ()
        """Ids of those that are taken over."""
        self.new_buckets: dict[str, str] = {}
        """By stack, the bucket that it has of its own, where nothing stands."""

    def report(self) -> AdoptionReport:
        there = self._in_place()
        first = places(self.assembly, self.asked.templates, self.zone, {})
        outside = [p for p in first if p.key not in there]
        candidates = of_state(self.asked.state.resources) if self.asked.state else ()
        found = derived(outside, self.gateways, self.schemas, self.notes)
        ours = set(there.values())
        managed = tuple(c for c in (*candidates, *self.asked.by_hand) if self._physical(c) in ours and c.type != RECORD)
        matches = matched(first, [c for c in (*candidates, *found, *self.asked.by_hand) if c not in managed])
        self.progress("adopt", f"{len(outside)} of {len(first)} resources are in no stack yet; {len(matches.by_place)} of them exist")
        seen = self._read(first, matches)
        seen |= self._used_by_distribution(first, seen, matches)
        by_key = {place.key: place for place in first}
        seen = {key: self._possible(by_key[key], several) for key, several in seen.items()}
        self.new_buckets = {
            p.stack.id: p.name
            for p in first
            if p.type == BUCKET and p.name and p.key not in there and not any(each.live for each in seen.get(p.key, ()))
        }
        self.distributions = tuple(
            each.candidate.label for several in seen.values() for each in several if each.candidate.type == DISTRIBUTION
        )
        resolved = places(self.assembly, self.asked.templates, self.zone, _known(seen))
        rows = tuple(self._row(place, seen[place.key], there.get(place.key, "")) for place in resolved if place.key in seen)
        in_place = tuple(self._in_place_row(p, there[p.key], managed) for p in resolved if p.key in there and p.key not in seen)
        taken = [each.candidate for several in seen.values() for each in several]
        told, sets = {*seen, *there}, self._standing_sets()
        left = left_over(self.asked.state, (*rows, *in_place), resolved, [c for c in matches.left if c not in taken], managed)
        if self.asked.check:
            left = tuple(self._with_presence(each) for each in left)
        return AdoptionReport(
            environment=self.assembly.environment,
            rows=(*rows, *in_place),
            left=left,
            made_new=sum(place.key not in told and place.stack.id not in sets for place in resolved),
            states=lines_to_remove(self.asked.state, (*rows, *in_place), managed),
            notes=tuple(self.notes),
            left_out=self.asked.state.problems if self.asked.state else (),
        )

    # --- what there is ------------------------------------------------------------------------------------------------

    def _zone(self) -> str | None:
        zone = self.assembly.hosted_zone
        if zone is None or zone.id is not None:
            return zone.id if zone else None
        try:
            return self.gateways.route53(zone.account_id, zone.role_arn).find_public_zone(zone.name).id
        except (NotFound, Conflict) as error:
            if any(b'"AWS::Route53::RecordSet"' in template for template in self.asked.templates.values()):
                self.notes.append(f"which records there are: {error}")
            return None

    def _in_place(self) -> dict[Key, str]:
        """Physical ids of what the environment's stacks have already."""
        found: dict[Key, str] = {}
        for stack in self.assembly.stacks:
            if stack.kind != "stack":
                continue
            gateway = self.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
            live = gateway.describe_stack(stack.stack_name)
            if live is None or not live.deployed:
                continue
            for each in gateway.list_resources(stack.stack_name):
                if not each.status.startswith("DELETE_"):
                    found[(stack.id, each.logical_id)] = each.physical_id
        return found

    def _standing_sets(self) -> set[str]:
        """Ids of the StackSets that have instances. What these have made is not looked at: it has no place of its own in the report."""
        return {stack.id for stack in self.assembly.stacks if stack.kind == "stackset" and self._instances(stack)}

    def _instances(self, stack: Stack) -> tuple[StackInstance, ...]:
        gateway = self.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
        return gateway.list_stack_instances(stack.stack_name, call_as=stack.call_as)

    def _read(self, of: Sequence[Place], matches: Matches) -> dict[Key, tuple[_Seen, ...]]:
        by_key = {place.key: place for place in of}
        wanted = [(by_key[key], each) for key, several in matches.by_place.items() for each in several[: evidence.MOST + 1]]
        if not wanted:
            return {}
        with ThreadPoolExecutor(max_workers=min(WORKERS, len(wanted)), thread_name_prefix="adoption") as pool:
            read = list(pool.map(lambda pair: (pair[0].key, self._see(*pair)), wanted))
        found: dict[Key, tuple[_Seen, ...]] = {}
        for key, seen in read:
            found[key] = (*found.get(key, ()), seen)
        return found

    def _see(self, place: Place, candidate: Candidate) -> _Seen:
        stack = place.stack
        if evidence.elsewhere(self.assembly, place, candidate):
            return _Seen(candidate=candidate, live=None)
        try:
            gateway = self.gateways.live(stack.account_id, stack.region, stack.role_arn)
            live = gateway.get(place.type, candidate.identifier, service_role_arn=self._service_role(stack))
        except AwsError as error:
            return _Seen(candidate=candidate, live=None, error=error)
        return _Seen(candidate=candidate, live=live, owner=self._owner(stack, candidate))

    def _service_role(self, stack: Stack) -> str | None:
        """Its ARN, if the stack that makes it is there."""
        ref = stack.service_role
        if not isinstance(ref, OutputRef):
            return None
        if ref.stack not in self.service_roles:
            of = next(each for each in self.assembly.stacks if each.id == ref.stack)
            live = self.gateways.cloudformation(of.account_id, of.region, of.role_arn).describe_stack(of.stack_name)
            self.service_roles[ref.stack] = live.outputs.get(ref.output) if live is not None and live.deployed else None
        return self.service_roles[ref.stack]

    def _owner(self, stack: Stack, candidate: Candidate) -> str:
        physical = self._physical(candidate)
        regions = dict.fromkeys((stack.region, *(s.region for s in self.assembly.stacks if s.account_id == stack.account_id)))
        for region in regions if physical else ():
            try:
                owner = self.gateways.cloudformation(stack.account_id, region, stack.role_arn).owner(physical, candidate.type)
            except AwsError as error:
                self.notes.append(f"whether a stack of {region} has {physical}: {error}")
                continue
            if owner:
                return owner
        return ""

    def _physical(self, candidate: Candidate) -> str:
        """As CloudFormation names it: by its identifiers in the schema's order, a record by its name."""
        values = candidate.identifier
        if len(values) == 1 or candidate.type == RECORD:
            return values.get("Name", "") if candidate.type == RECORD else next(iter(values.values()))
        schema = self.schemas.of(candidate.type, candidate.region or self.assembly.home_region)
        return identifier_of(schema, values) if schema else ""

    def _used_by_distribution(
        self, of: Sequence[Place], seen: Mapping[Key, tuple[_Seen, ...]], matches: Matches
    ) -> dict[Key, tuple[_Seen, ...]]:
        """What the distribution that is taken over uses and the Terraform state has under another name: its access control, its headers."""
        found: dict[Key, tuple[_Seen, ...]] = {}
        for place in of:
            if place.type != DISTRIBUTION or len(seen.get(place.key, ())) != 1:
                continue
            texts = _listed(seen[place.key][0].live)
            for other in of:
                if other.stack.id != place.stack.id or other.key in seen or other.type not in _USED:
                    continue
                fitting = [
                    c for c in matches.left if c.type == other.type and c.found == "terraform" and set(c.identifier.values()) & texts
                ]
                if len(fitting) == 1 and sum(1 for o in of if o.type == other.type and o.stack.id == place.stack.id) == 1:
                    found[other.key] = (self._see(other, fitting[0]),)
        return found

    def _with_presence(self, left: Left) -> Left:
        """Of what is superseded: is it still there?"""
        kind = KINDS.get(left.what)
        if left.why != "superseded" or kind is None or not left.identifier:
            return left
        region = "us-east-1" if kind.type.startswith(evidence.GLOBAL) or kind.type == FUNCTION else self.assembly.home_region
        named = next((c for c in of_state(self.asked.state.resources if self.asked.state else ()) if c.source == left.source), None)
        if named is None:
            return left
        try:
            self.gateways.live(self.assembly.account_id, named.region or region).get(kind.type, named.identifier)
        except NotFound:
            return msgspec.structs.replace(left, there=False)
        except AwsError as error:
            self.notes.append(f"whether {left.identifier} is still there: {error}")
            return left
        return msgspec.structs.replace(left, there=True)

    # --- what follows -------------------------------------------------------------------------------------------------

    def _row(self, place: Place, several: tuple[_Seen, ...], physical: str) -> Row:
        first = several[0]
        if len(several) > 1 and not physical:
            words, command = evidence.several(self.assembly, place, [each.candidate for each in several])
            return self._told(place, first, "refused", words, command)
        if physical:
            first = next((each for each in several if physical == self._physical(each.candidate)), first)
            same = physical == self._physical(first.candidate) or place.type == RECORD
            words = "" if same else f"the stack has {physical} there; this one is left"
            return self._told(place, first, "in_place" if same else "made_new", words)
        refused = evidence.elsewhere(self.assembly, place, first.candidate)
        if refused:
            return self._told(place, first, "refused", *refused)
        if place.stack.kind == "stackset":
            return self._told(
                place,
                first,
                "refused",
                "stands where an instance of a StackSet makes its own, and a StackSet imports whole stacks only",
                f"let it be deleted, or import the stack that has it into the StackSet {place.stack.stack_name}",
            )
        if first.error is not None:
            return self._unread(place, first, first.error)
        return self._judged(place, first)

    def _possible(self, place: Place, several: tuple[_Seen, ...]) -> tuple[_Seen, ...]:
        """Of several for one place those that can be it: there is nothing to choose from what is gone, or in another region.

        What is in another account comes alone: the state is another environment's, and nothing else of it is to be believed.
        """
        account = place.stack.account_id
        foreign = tuple(each for each in several if each.candidate.account_id not in ("", account))
        if own := [each for each in several if each not in foreign and _file(each) not in {_file(f) for f in foreign}]:
            # Of the states of several environments each has its own.
            several, foreign = tuple(own), ()
        there = tuple(each for each in several if not isinstance(each.error, NotFound))
        near = tuple(each for each in there if not evidence.elsewhere(self.assembly, place, each.candidate))
        return foreign[:1] or near or there or several[:1]

    def _unread(self, place: Place, seen: _Seen, error: AwsError) -> Row:
        if isinstance(error, NotFound):
            return self._told(place, seen, "gone", "is not there (any more); the stack makes it new")
        if isinstance(error, Unsupported):
            return self._told(place, seen, "made_new", f"CloudFormation cannot import {place.type}; the stack makes its own")
        return self._told(place, seen, "unknown", f"could not be read: {error}", error.hint)

    def _judged(self, place: Place, seen: _Seen) -> Row:
        live = seen.live or {}
        ours = self.new_buckets.get(place.stack.id, "")
        refused = evidence.foreign(self.assembly, place, live, seen.owner) or evidence.another_site(self.assembly, place, live)
        refused = refused or evidence.other_origins(self.assembly, place, live)
        refused = refused or (evidence.another_bucket(self.assembly, place, live, ours) if ours else None)
        if refused:
            return self._told(place, seen, "refused", *refused)
        if place.type == FUNCTION:
            return self._told(place, seen, "refused", _FUNCTION, _rename(self.assembly, place))
        schema = self.schemas.of(place.type, place.stack.region)
        differences = compared(place, live, schema)
        told: dict[str, Any] = {
            "differences": differences,
            "compared": True,
            "beside": beside(place, live, schema),
            "legacy": shapes(place.type, live, evidence.file_of(self.assembly)),
        }
        fate, message, command = self._fate(place, seen, schema, differences)
        return self._told(place, seen, fate, message, command, **told)

    def _fate(self, place: Place, seen: _Seen, schema: Schema | None, differences: Sequence[Difference]) -> tuple[Fate, str, str]:
        """With its reason and remedy."""
        if place.type == RECORD:
            return "made_new", _RECORD, ""
        if place.type in NEVER or schema is None or not schema.importable:
            return "made_new", NEVER.get(place.type, f"CloudFormation cannot import {place.type}; the stack makes its own"), ""
        others = self._other_users(place, seen) if place.type == CERTIFICATE else ""
        if others:
            edit = f"edit {evidence.file_of(self.assembly)}: certificate.arn: {seen.candidate.label}, then build again"
            return "used", others, edit
        replaced = evidence.replaced_later(self.assembly, place, differences)
        if replaced is None:
            return "take_over", "", ""
        (words, remedy), hurts = replaced
        if hurts or place.name in seen.candidate.identifier.values():
            return "refused", words, remedy
        return "made_new", f"{words}; the stack makes its own, this one is left", ""

    def _other_users(self, place: Place, seen: _Seen) -> str:
        stack = place.stack
        try:
            users = users_of(seen.candidate.label, self.gateways.existing(stack.account_id, stack.region, stack.role_arn))
        except AwsError as error:
            return f"stays its owner's, since who uses it could not be asked: {error}"
        ours = {c.rpartition("/")[2] for c in self.distributions}
        others = [user for user in users if user.rpartition("/")[2] not in ours]
        if not others:
            return ""
        return f"is used by {', '.join(others)} as well and stays its owner's; name it, or the stack makes one of its own"

    def _in_place_row(self, place: Place, physical: str, managed: Sequence[Candidate]) -> Row:
        of_state = next((c for c in managed if self._physical(c) == physical and c.type == place.type), None)
        return Row(
            stack=place.stack.id,
            logical_id=place.logical_id,
            type=place.type,
            identifier=dict(of_state.identifier) if of_state else {"PhysicalResourceId": physical},
            source=of_state.source if of_state else "its stack",
            account_id=place.stack.account_id,
            region=place.stack.region,
            fate="in_place",
        )

    def _told(self, place: Place, seen: _Seen, fate: Fate, message: str = "", command: str = "", **more: Any) -> Row:
        return Row(
            stack=place.stack.id,
            logical_id=place.logical_id,
            type=place.type,
            identifier=dict(seen.candidate.identifier),
            source=seen.candidate.source,
            account_id=place.stack.account_id,
            region=place.stack.region,
            fate=fate,
            message=message,
            command=command,
            **more,
        )


def _file(seen: _Seen) -> str:
    """The state that has it."""
    return seen.candidate.state.file if seen.candidate.state else ""


_USED = frozenset({"AWS::CloudFront::OriginAccessControl", "AWS::CloudFront::ResponseHeadersPolicy"})
_RECORD = (
    "a record set is not imported (a simple one lacks the SetIdentifier of its identifier): the plan deletes it just before the stack makes"
    " its own, and writes it back if that fails"
)
_FUNCTION = (
    "a function whose versions serve cannot be taken over: a version cannot be imported, and Lambda publishes no second one of unchanged"
    " code; the platform needs a name of its own for its function"
)


def _rename(assembly: Assembly, place: Place) -> str:
    return f"edit {evidence.file_of(assembly)}: basic_auth.function_suffix, so that {place.logical_id} has another name, then build again"


def _known(seen: Mapping[Key, tuple[_Seen, ...]]) -> dict[Key, dict[str, str]]:
    """Ref and attributes of what would be taken over, so that what refers to it is compared by value."""
    found = {}
    for key, several in seen.items():
        if len(several) == 1 and several[0].live is not None and len(several[0].candidate.identifier) == 1:
            attributes = {name: value for name, value in scalars(several[0].live) if name}
            found[key] = {**attributes, "": several[0].candidate.label}
    return found


def _listed(value: Any) -> set[str]:
    """Every text inside of it."""
    if isinstance(value, Mapping):
        return {text for each in value.values() for text in _listed(each)}
    if isinstance(value, list):
        return {text for each in value for text in _listed(each)}
    return {value} if isinstance(value, str) else set()

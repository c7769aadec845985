"""What a plan would do to what was applied before: stacks that are no more wanted or that an edit moves, and a rollback that it would undo.

In: the assemblies that were applied, as history keeps them, and the one that is planned; the gateways. Out: `OrphanedStacks`, `Dropped`.
Never: moves or deletes a stack. CloudFormation cannot move one, and a second stack with the names of the first fails half-way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from assembly.commands import deploy
from assembly.model import Assembly, Stack
from aws.errors import AccessDenied, AwsError
from consequences.lifted import still_refusing
from gateways.existing import ExistingResources
from guards import documents
from planning.model import Finding
from planning.removals import Removal
from removal.belongings import Dropped, dropped, place, says_so
from removal.effects import alone, deployed_resources, deployed_tags, removal_order
from removal.gateways import RemovalGateways
from removal.names import bucket_names, names_in, names_taken
from rollout import history
from rollout.identity import changed_identity, elsewhere_finding, moved_finding, roles_of

LOOKED_BACK = 20
"""Applies whose assemblies are asked for stacks that are no more wanted; of older ones the names tell."""


@dataclass(frozen=True, kw_only=True)
class OrphanedStacks:
    """What was found."""

    findings: tuple[Finding, ...] = ()
    removals: tuple[Removal, ...] = ()
    """Stacks that are no more wanted, each before those that it depends on."""
    leaving: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Their resources by stack id, as the deployed templates have them."""
    last: Assembly | None = None
    """What was applied last with success."""


def find(
    connect: Callable[[], history.Bucket],
    assembly: Assembly,
    templates: Mapping[str, bytes],
    gateways: RemovalGateways,
    *,
    rolling_back: bool = False,
) -> OrphanedStacks:
    """Of each stack of the environment that is elsewhere, or nowhere, in this assembly; and of a rollback that this would undo, unless it
    is one itself. Where history does not tell, names do.
    """
    try:
        past = _past(connect, assembly, templates, gateways)
    except AwsError as error:  # the plan itself will tell whatever else is wrong
        past = _Past()
        if isinstance(error, AccessDenied) and (buckets := _of_another_account(assembly, templates, gateways)):
            return OrphanedStacks(findings=(elsewhere_finding(assembly, buckets),))
    found = dropped(assembly, past.assemblies, gateways)
    seen = _seen(assembly, found.stacks, gateways)
    moved = {each.stack.id: both for each in seen if (both := _taken_twice(assembly, each, templates))}
    held = {
        each.stack.id: roles
        for each in seen
        if each.stack.id not in moved and (roles := sorted({*names_in(each.resources)} & roles_of(assembly)))
    }
    gone = {place(each.stack): each for each in seen if each.stack.id not in {*moved, *held} and each.removal is not None}
    last = past.records[0] if past.records else None
    succeeded = next((each.assembly_digest for each in past.records if each.result == "succeeded"), "")
    applied = next((each for each in past.assemblies if each.digest == succeeded), None)
    undoes = [last] if last is not None and last.rollback and not rolling_back and last.assembly_digest != assembly.digest else []
    identity = tuple(changed_identity(assembly, past.assemblies, past.bucket))
    renamed = identity or (moved and any(each.project != assembly.project for each in past.assemblies[:1]))
    return OrphanedStacks(
        findings=(
            *(
                [moved_finding(assembly, past.assemblies, [(e.stack, moved[e.stack.id]) for e in seen if e.stack.id in moved])]
                if moved
                else []
            ),
            *identity,
            *(_held(each.stack, held[each.stack.id]) for each in seen if each.stack.id in held),
            # Where the environment itself has another name, that the tags have the old one is no news.
            *(note for each in seen for note in each.notes if not (renamed and note.code == "stack_not_ours")),
            *found.findings,
            *(_undone(assembly, each) for each in undoes),
            *([_refusing(stacks)] if applied is not None and (stacks := still_refusing(applied, assembly)) else []),
        ),
        removals=tuple(
            removal for s in removal_order(each.stack for each in gone.values()) if (removal := gone[place(s)].removal) is not None
        ),
        leaving={each.stack.id: each.resources for each in gone.values()},
        last=applied,
    )


def no_more_wanted(
    connect: Callable[[], history.Bucket], assembly: Assembly, templates: Mapping[str, bytes], gateways: RemovalGateways
) -> Dropped:
    """The stacks of the environment that stand and that the assembly does not have. What AWS refuses to tell is a finding."""
    unknown: tuple[Finding, ...] = ()
    try:
        past = _past(connect, assembly, templates, gateways)
    except AwsError as error:
        message = f"which stacks are no more wanted is known by their names only, as the history cannot be read: {error}"
        past, unknown = _Past(), (Finding(severity="note", code="dropped_unknown", message=message, command=error.hint),)
    found = dropped(assembly, past.assemblies, gateways)
    seen = _seen(assembly, found.stacks, gateways)
    notes = tuple(note for each in seen for note in each.notes)
    return Dropped(stacks=tuple(each.stack for each in seen if each.removal is not None), findings=(*found.findings, *notes, *unknown))


# --- what was applied before ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Past:
    bucket: str = ""
    """Where the history is."""
    records: tuple[history.Record, ...] = ()
    assemblies: tuple[Assembly, ...] = ()
    """The latest first; of each that can be read."""


def _past(connect: Callable[[], history.Bucket], assembly: Assembly, templates: Mapping[str, bytes], gateways: RemovalGateways) -> _Past:
    bucket, name = connect(), assembly.artifact_bucket
    records = history.records(bucket, name, assembly.environment, limit=LOOKED_BACK)
    if not records:
        name = _former_bucket(assembly, templates, gateways) or name
        records = history.records(bucket, name, assembly.environment, limit=LOOKED_BACK) if name != assembly.artifact_bucket else ()
    digests = tuple(dict.fromkeys(record.assembly_digest for record in records))

    def kept(digest: str) -> Assembly | None:
        try:
            return history.manifest(bucket, name, digest, assembly.environment)
        except (AwsError, documents.Unreadable, history.NotAsApplied):
            return None

    with ThreadPoolExecutor(max_workers=max(1, len(digests))) as pool:
        return _Past(bucket=name, records=records, assemblies=tuple(each for each in pool.map(kept, digests) if each is not None))


def _of_another_account(assembly: Assembly, templates: Mapping[str, bytes], gateways: RemovalGateways) -> tuple[str, ...]:
    """Buckets of an environment that has no stack here, if another account has several; empty if not, or if that is not known."""
    own = [stack for stack in assembly.stacks if stack.account_id == assembly.account_id and stack.kind == "stack"]
    places = {assembly.artifact_bucket: assembly.home_region}
    places |= {name: stack.region for stack in own for name in bucket_names(templates[stack.id])}
    try:
        if any(gateways.cloudformation(s.account_id, s.region, s.role_arn).describe_stack(s.stack_name) is not None for s in own):
            return ()
        found = tuple(name for name, region in sorted(places.items()) if _denied(gateways.existing(assembly.account_id, region), name))
    except AwsError:
        return ()
    return found if assembly.artifact_bucket in found and len(found) > 1 else ()


def _denied(place: ExistingResources, bucket: str) -> bool:
    try:
        place.find("AWS::S3::Bucket", bucket)
    except AccessDenied:
        return True
    return False


def _former_bucket(assembly: Assembly, templates: Mapping[str, bytes], gateways: RemovalGateways) -> str:
    """The artifact bucket that the stack which makes it has now; empty where none has."""
    for stack in assembly.stacks:
        resources = documents.loads(templates[stack.id]).get("Resources", {})
        titles = [t for t, body in resources.items() if body.get("Properties", {}).get("BucketName") == assembly.artifact_bucket]
        if not titles or stack.kind != "stack":
            continue
        gateway = gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
        live = gateway.describe_stack(stack.stack_name)
        if live is not None and live.deployed:
            return next((r.physical_id for r in gateway.list_resources(live.arn) if r.logical_id in titles), "")
    return ""


def _undone(assembly: Assembly, last: history.Record) -> Finding:
    what = f"this undoes the rollback of {last.started_at} by {last.by} to assembly {last.assembly_digest[:12]}"
    return Finding(severity="warning", code="undoes_rollback", message=what, command=deploy("history", assembly.environment))


def _refusing(stacks: tuple[str, ...]) -> Finding:
    what = f"the stack polic{'y' if len(stacks) == 1 else 'ies'} of {', '.join(stacks)} stay{'s' if len(stacks) == 1 else ''} in force"
    more = ", as an edit takes no protection off; a plan that they forbid names the way"
    return Finding(severity="note", code="protection_stays", message=f"{what}{more}")


# --- what stands and is no more wanted ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A stack that the assembly does not have, as AWS has it."""

    stack: Stack
    removal: Removal | None = None
    """None: whether it stands is not known."""
    resources: Mapping[str, Any] = field(default_factory=dict)
    """Of its deployed template."""
    notes: tuple[Finding, ...] = ()


def _seen(assembly: Assembly, stacks: Iterable[Stack], gateways: RemovalGateways) -> tuple[_Seen, ...]:
    """Not those of which nothing is left."""

    def looked(stack: Stack) -> _Seen | None:
        notes: list[Finding] = []
        try:
            found = alone(assembly, stack, gateways, notes)
            ours = found is None or says_so(assembly, deployed_tags(stack, gateways))
            resources = deployed_resources(stack, gateways) if found is not None else {}
        except AwsError as error:
            message = f"{where(stack)}, is no more wanted; whether it stands could not be looked up: {error}"
            note = Finding(severity="note", code="dropped_unknown", message=message, command=error.hint)
            return _Seen(stack=stack, notes=(note,))
        if found is not None and found.status != "DELETE_COMPLETE" and not ours:
            message = f"{where(stack)}, was of this environment once; its tags do not say so now, and it is left alone"
            return _Seen(stack=stack, resources=resources, notes=(Finding(severity="note", code="stack_not_ours", message=message),))
        return None if found is None else _Seen(stack=stack, removal=found, resources=resources, notes=tuple(notes))

    wanted = tuple(stacks)
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        return tuple(each for each in pool.map(looked, wanted) if each is not None)


def _taken_twice(assembly: Assembly, each: _Seen, templates: Mapping[str, bytes]) -> list[str]:
    """The names that the assembly's stack of that id would take a second time."""
    now = next((stack for stack in assembly.stacks if stack.id == each.stack.id), None)
    return [] if now is None else sorted({*names_in(each.resources)} & names_taken(templates[now.id]))


def _held(stack: Stack, roles: Iterable[str]) -> Finding:
    message = f"{where(stack)}, is no more in the assembly and stays: it makes {', '.join(roles)}, which this environment works with"
    return Finding(severity="note", code="stack_held", message=message)


def where(stack: Stack) -> str:
    """Name and place."""
    return f"{stack.stack_name} in {stack.region}, account {stack.account_id}"

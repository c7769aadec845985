"""Which stacks and StackSets belong to an environment although its assembly does not have them.

In: the assembly, the assemblies that were applied before, the gateways. Out: `Dropped`.
Never: looks into a stack, decides what becomes of it; takes one for the environment's that only has such a name: its tags have to say so.

A stack is known from an assembly that was applied, or found by the prefix of the environment's names in the places where it is or was. The
first knows what it depended on; the second finds what history has lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from assembly.files import sha256
from assembly.model import Assembly, OperationPreferences, Stack, StackSet, Targets, Template
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AccessDenied, AwsError, CredentialsError
from planning.model import Finding
from removal.gateways import RemovalGateways

Place = tuple[str, str, str, str]
"""Kind, account, region and name: what CloudFormation cannot change of a stack."""


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """What the assembly no longer has."""

    stacks: tuple[Stack, ...] = ()
    """Nobody before those that it depends on. A StackSet or stack of an assembly that was applied may be gone at AWS by now."""
    findings: tuple[Finding, ...] = field(default=())
    """What could not be looked up."""


NOTHING_DROPPED = Dropped()


def place(stack: Stack) -> Place:
    """Where a stack is."""
    return stack.kind, stack.account_id, stack.region, stack.stack_name


def dropped(assembly: Assembly, earlier: Iterable[Assembly], gateways: RemovalGateways) -> Dropped:
    """Every stack of the environment that the assembly does not have; `earlier` has the latest assembly first."""
    assemblies = (assembly, *earlier)
    wanted = {place(stack) for stack in assembly.stacks}
    known: dict[Place, Stack] = {}
    for each in assemblies:
        for stack in each.stacks:
            if place(stack) not in wanted:
                known.setdefault(place(stack), stack)
    places = sorted({(s.account_id, s.region, s.role_arn or "") for each in assemblies for s in each.stacks})
    prefixes = tuple(sorted({prefix for each in assemblies for prefix in prefixes_of(each)}))
    findings: list[Finding] = []
    listed = frozenset({*wanted, *known})
    with ThreadPoolExecutor(max_workers=max(1, len(places))) as pool:
        for found, finding in pool.map(lambda where: _existing(assembly, where, prefixes, listed, gateways), places):
            known |= {place(stack): stack for stack in found}
            findings += [finding] if finding else []
    return Dropped(stacks=_in_order(known.values()), findings=tuple(findings))


def prefixes_of(assembly: Assembly) -> frozenset[str]:
    """What the names of its stacks begin with."""
    return frozenset(s.stack_name.removesuffix(s.id) for s in assembly.stacks if s.stack_name.endswith(f"-{s.id}"))


def _in_order(stacks: Iterable[Stack]) -> tuple[Stack, ...]:
    remaining = list(stacks)
    ordered: list[Stack] = []
    while remaining:
        ids = {stack.id for stack in remaining}
        chosen = next((s for s in remaining if not ids & {*s.depends_on} - {s.id}), remaining[0])
        ordered.append(chosen)
        remaining.remove(chosen)
    return tuple(ordered)


def _existing(
    assembly: Assembly, where: tuple[str, str, str], prefixes: tuple[str, ...], known: frozenset[Place], gateways: RemovalGateways
) -> tuple[tuple[Stack, ...], Finding | None]:
    account, region, role = where
    try:
        gateway = gateways.cloudformation(account, region, role or None)
        return tuple(_ours(assembly, where, prefixes, known, gateway)), None
    except CredentialsError:
        return (), None  # planning itself tells
    except AwsError as error:
        # A role into somebody else's account may be for one stack alone.
        if role and isinstance(error, AccessDenied):
            return (), None
        message = (
            f"whether {region}, account {account}, has stacks of {assembly.environment} that are no more wanted could not be looked up"
        )
        return (), Finding(severity="note", code="dropped_unknown", message=f"{message}: {error}", command=error.hint)


def _ours(
    assembly: Assembly, where: tuple[str, str, str], prefixes: tuple[str, ...], known: frozenset[Place], gateway: CloudFormation
) -> Iterator[Stack]:
    account, region, role = where

    def new(kind: str, names: Iterable[str]) -> Iterator[str]:
        return (name for name in names if name.startswith(prefixes) and (kind, account, region, name) not in known)

    # The oldest first: what was made later may depend on it.
    for name in reversed(tuple(new("stack", gateway.stack_names(under_review=True)))):
        live = gateway.describe_stack(name)
        if live is not None and live.status != "DELETE_COMPLETE" and says_so(assembly, live.tags):
            yield _found(assembly, where, name, prefixes)
    for name in new("stackset", gateway.stack_set_names()):
        found = gateway.describe_stack_set(name)
        if found is not None and says_so(assembly, found.tags):
            yield _found(assembly, (account, region, role), name, prefixes, of_set=True)


def says_so(assembly: Assembly, tags: Mapping[str, str]) -> bool:
    """Whether a stack's tags name this environment: no name, and no file of a history that somebody may have written, is proof enough."""
    return tags.get("environment") == assembly.environment and tags.get("project") == assembly.project


def _found(assembly: Assembly, where: tuple[str, str, str], name: str, prefixes: tuple[str, ...], *, of_set: bool = False) -> Stack:
    """A stack of which no assembly is left. What makes the roles of the others has to outlive it."""
    account, region, role = where
    stackset = StackSet(permission_model="SELF_MANAGED", targets=Targets(), preferences=OperationPreferences())
    return Stack(
        id=next(name[len(prefix) :] for prefix in prefixes if name.startswith(prefix)),
        kind="stackset" if of_set else "stack",
        stack_name=name,
        description="",
        account_id=account,
        region=region,
        role_arn=role or None,
        template=Template(file="", sha256=sha256(b""), size=0, resources=0, upload=False),
        depends_on=tuple(stack.id for stack in assembly.stacks if not stack.depends_on),
        stackset=stackset if of_set else None,
    )

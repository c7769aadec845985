"""Everything that a stack takes over, read as it is, and what stands in the way.

In: what is to be taken over, the stack's template and the deployed one, the gateways, the schemas. Out: `Import`, problems.
Never: changes anything; takes over what another stack has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from assembly.model import Assembly, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AccessDenied, AwsError, NotFound
from gateways.live import LiveResources, Unsupported
from takeover.importable import why_not
from takeover.known import substituted
from takeover.live import identifier_of, live
from takeover.model import Import, Live, Problem, Taken
from takeover.template import import_template, missing, odd, put_down
from templates.schemas import Schemas


class LiveGateways(Protocol):
    """What is asked of AWS (`gateways.by_place.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> LiveResources: ...


Resolved = Callable[[Mapping[str, Any]], Mapping[str, Mapping[str, Any]]]
"""Resolves a template's resources, as far as that needs no other stack."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Of one stack."""

    assembly: Assembly
    stack: Stack
    template: Mapping[str, Any]
    """That the stack is to have."""
    deployed: Mapping[str, Any]
    """That it has; empty if there is no stack."""
    gateways: LiveGateways
    schemas: Schemas
    parameters: frozenset[str] = frozenset()
    """Of the template, that the import may have: they need no other stack, and the stack has no other value for them."""
    service_role: str | None = None
    """Whose permissions the reading has, where it may be passed."""
    unasked: frozenset[str] = frozenset()
    """Logical ids that nobody asked for: what is no more there is no mistake."""

    def prepared(self, taken: Iterable[Taken], resolved: Resolved) -> tuple[Import, tuple[Problem, ...]]:
        """An empty `Import` where there is a problem, or nothing left to take over. Raises `AwsError`."""
        looks = [self.look_at(each) for each in taken]
        problems = tuple(each for each in looks if isinstance(each, Problem))
        lives = {each.taken.logical_id: each for each in looks if isinstance(each, Live)}
        if any(each.stops for each in problems) or not lives:
            return Import(), problems
        ours = resolved(substituted(self.template, lives))
        imported, found = {}, []
        targets = {*lives, *self.deployed.get("Resources", {}), *self.parameters}
        for logical_id, each in lives.items():
            schema = self.schemas.of(each.taken.type, self.stack.region)
            assert schema is not None, "why_not asked for it"
            written = self.template["Resources"][logical_id].get("Properties") or {}
            properties = put_down(schema, each, ours.get(logical_id, {}).get("Properties") or {}, written, targets)
            lacks, strange = missing(schema, properties), odd(each.properties)
            if lacks or strange:
                why = (
                    f"AWS does not tell its {', '.join(lacks)}" if lacks else f"{', '.join(strange)} would read as a function in a template"
                )
                found.append(problem(each.taken, "import_impossible", f"{why}, so it cannot be imported as it is"))
            imported[logical_id] = (each.taken.type, properties)
        if found:
            return Import(), (*problems, *found)
        return Import(lives=tuple(lives.values()), template=import_template(self.deployed, imported, self.template)), problems

    def look_at(self, taken: Taken) -> Live | Problem | None:
        """As it is; None for what nobody asked for and is not there."""
        schema = self.schemas.of(taken.type, self.stack.region)
        why = why_not(taken, self.template.get("Resources", {}).get(taken.logical_id), schema)
        unasked = taken.logical_id in self.unasked
        if why or schema is None:
            return None if unasked else problem(taken, "import_impossible", why)
        identifier = identifier_of(schema, taken.identifier)
        try:
            read = self.gateways.live(self.stack.account_id, self.stack.region, self.stack.role_arn)
            told = read.get(taken.type, taken.identifier, service_role_arn=self.service_role)
        except NotFound:
            where = f"account {self.stack.account_id} has none in {self.stack.region}"
            return None if unasked else problem(taken, "import_missing", where)
        except (AccessDenied, Unsupported) as denied:
            if unasked:
                what = problem(taken, "kept_unread", f"it could not be read, so another one is made: {denied}", denied.hint)
                return replace(what, stops=False)
            return problem(taken, "import_unread", f"it could not be read: {denied}", denied.hint)
        owner, region = self.owner(identifier, taken.type)
        if owner:
            then = f"give it DeletionPolicy Retain in {owner}, update that stack, take it out of its template and update it again"
            return problem(taken, "import_of_another", f"the stack {owner} in {region} has it, and a resource has one stack only", then)
        return live(schema, taken, told)

    def owner(self, physical_id: str, resource_type: str) -> tuple[str, str]:
        """The stack that has it, and its region; what may not be asked is not known, and CloudFormation refuses it then."""
        regions = [self.stack.region, *(s.region for s in self.assembly.stacks if s.account_id == self.stack.account_id)]
        for region in dict.fromkeys(regions):
            gateway = self.gateways.cloudformation(self.stack.account_id, region, self.stack.role_arn)
            with contextlib.suppress(AwsError):
                owner = gateway.owner(physical_id, resource_type)
                if owner:
                    return owner, region
        return "", ""


def problem(taken: Taken, code: str, why: str, command: str = "") -> Problem:
    """What, where it was found, and why not."""
    return Problem(code=code, message=f"{taken.logical_id} ({taken.type} {identified(taken)}, {taken.source}): {why}", command=command)


def identified(taken: Taken) -> str:
    """For a person."""
    return "|".join(taken.identifier.values())

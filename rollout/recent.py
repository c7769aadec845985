"""What this deployment has made within the last minutes, asked of AWS: a later command, or one after a killed one, knows too.

In: the stacks of an assembly and the gateways to them. Out: the age of a resource, for `aws.propagation`.
Never: believes that a thing is new because it is not found: a stack of the assembly must list it, or IAM must say when it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from assembly.model import Stack
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.stacks import StackResource
from aws.errors import AwsError
from aws.iam import Role
from aws.propagation import LATELY, ROLE


class Roles(Protocol):
    """`aws.iam.Iam`."""

    def role(self, name: str) -> Role | None: ...


class Gateways(Protocol):
    """`gateways.by_place.Gateways`, as far as it is needed."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...

    def iam(self, account_id: str) -> Roles: ...


class Recent:
    """The age of what the stacks of an assembly have made; `now` is the time of day."""

    def __init__(self, stacks: Iterable[Stack], gateways: Gateways, now: Callable[[], datetime], *, templates: Mapping[str, bytes]) -> None:
        self._stacks = tuple(stacks)
        self._gateways, self._now, self._templates = gateways, now, templates

    def age(self, kind: str, name: str = "") -> float | None:
        """Seconds since a resource of that type was made or changed last; of the youngest one where no name or ARN is given.

        None if none of these stacks has it, or if that is longer ago than `LATELY`.
        """
        ages = [self._seconds(r.changed_at) for r in self._lately(kind) if not name or _named(r, name)]
        if not ages and name and kind == ROLE:
            ages = [self._of_role(name)]
        known = [age for age in ages if age is not None and age <= LATELY]
        return min(known, default=None)

    def _lately(self, kind: str) -> Iterator[StackResource]:
        for stack in self._stacks:
            if stack.kind != "stack" or f'"{kind}"'.encode() not in self._templates.get(stack.id, b""):
                continue
            try:
                gateway = self._gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
                live = gateway.describe_stack(stack.stack_name)
                age = self._seconds(live.changed_at) if live is not None else None
                # A stack that works on something changes it after its own moment: its resources say when.
                if live is None or live.under_review or age is None or (age > LATELY and not live.busy):
                    continue
                yield from (r for r in gateway.list_resources(live.arn) if r.resource_type == kind and not r.status.startswith("DELETE"))
            except AwsError:
                continue

    def _of_role(self, arn: str) -> float | None:
        """IAM's own word, for a role that no stack of the assembly makes: foundation may be a StackSet's instance."""
        account, _, name = arn.removeprefix("arn:aws:iam::").partition(":role/")
        try:
            role = self._gateways.iam(account).role(name.rpartition("/")[2]) if name else None
        except AwsError:
            return None
        return self._seconds(role.created_at) if role is not None else None

    def _seconds(self, moment: str) -> float | None:
        try:
            return max(0.0, (self._now().astimezone(UTC) - datetime.fromisoformat(moment)).total_seconds())
        except (ValueError, TypeError):
            return None


def _named(resource: StackResource, name: str) -> bool:
    """A role is asked for by its ARN, and listed by its name."""
    return bool(resource.physical_id) and name in (resource.physical_id, f"{name.partition(':role/')[0]}:role/{resource.physical_id}")

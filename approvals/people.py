"""Which records are the approvals of different people, and whether they are enough.

In: records, the time, IAM's word on roles. Out: `Tally`.
Never: counts one person twice where that can be known, a workflow's role at all, or a record that is too old.

What identifies a person (IAM User Guide, "IAM identifiers" and the table of aws:userid):

- an IAM user: its unique id;
- a session of a role that IAM Identity Center has made: its session name, which Identity Center sets to the person's user name and nobody
  can choose. The same name behind two permission sets is one person;
- a session of any other role: the role. Its session name is whatever the caller asked for;
- the account's root user, and what it has federated: the account.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.record import Approval, Found

VALID = timedelta(hours=24)
"""How long an approval counts."""

SSO_PATH = ":role/aws-reserved/sso.amazonaws.com/"
"""IAM lets nobody but AWS make a role below /aws-reserved/ (docs/assumptions.md)."""

_ASSUMED = re.compile(r"arn:[^:]+:sts::\d{12}:assumed-role/(?P<role>[^/]+)/.+")


@dataclass(frozen=True, kw_only=True)
class RoleFacts:
    """What IAM says of a role."""

    arn: str
    unique_id: str


Roles = Callable[[str], RoleFacts | None]
"""A role of the account by its name; None where there is none, or nobody may say."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The people whose approvals count, and why others' do not."""

    people: tuple[str, ...]
    """As they are shown; each of them once."""
    left_out: tuple[str, ...]
    """A line each."""


def tally(found: Iterable[Found], *, now: datetime, roles: Roles, machines: Iterable[str]) -> Tally:
    """Count the people. `machines` are names of roles that workflows use."""
    people: dict[str, str] = {}
    left_out: list[str] = []
    never = {facts.unique_id for facts in map(roles, machines) if facts is not None}
    names = set(machines)
    for record in found:
        problem = _problem(record, now)
        if problem or record.approval is None:
            left_out.append(f"{record.user_id}: {problem}")
            continue
        role = _role(record.approval)
        if record.user_id.partition(":")[0] in never or role in names:
            left_out.append(f"{record.user_id}: {role or 'it'} is a workflow's role, and no person")
            continue
        who = person(record, roles)
        if who in people:
            left_out.append(f"{record.user_id}: the same person as {people[who]}")
        else:
            people[who] = record.approval.by
    return Tally(people=tuple(people.values()), left_out=tuple(left_out))


def person(record: Found, roles: Roles) -> str:
    """What is the same for all records of one person; see the head of this file."""
    first, colon, session = record.user_id.partition(":")
    if not colon:
        return first
    name = _role(record.approval) if record.approval is not None else ""
    facts = roles(name) if name else None
    # The body names the role, the key has its id: only where IAM says that they are one, the name is believed.
    if facts is not None and facts.unique_id == first and SSO_PATH in facts.arn:
        return f"sso:{session.lower()}"
    return first


def _role(approval: Approval) -> str:
    found = _ASSUMED.fullmatch(approval.by)
    return found["role"] if found else ""


def _problem(record: Found, now: datetime) -> str:
    if record.approval is None:
        return record.reason
    if record.approval.withdrawn:
        return "withdrawn"
    if now - record.written > VALID:
        return f"of {record.written:%Y-%m-%d %H:%M} UTC, and an approval counts for {VALID.total_seconds() / 3600:.0f} hours"
    return ""

"""Which records are the approvals of different people, and whether they are enough.

In: records, the time, IAM's word on roles. Out: `Tally`.
Never: counts one person twice where that can be known, a workflow's role at all, or a record that is too old.

What identifies a person (IAM User Guide, "IAM identifiers" and the table of aws:userid):

- an IAM user: its unique id;
- a session of a role that IAM Identity Center has made: its session name, which Identity Center sets to the person's user name and nobody
  can choose. The same name behind two permission sets is one person;
- a session of any other role: the role. Its session name is whatever the caller asked for;
- a session of a role that IAM was not asked about or does not know by that name: perhaps either of these two, so it is the same person as
  whoever shares its role or its session name. Otherwise a body that names no role would make one person behind two permission sets two;
- the account's root user: the account. A federated user (GetFederationToken) is nobody: an IAM user may make one of any name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.record import Approval, StoredApproval

VALID = timedelta(hours=24)
"""How long an approval counts."""

EARLY = timedelta(minutes=15)
"""S3 refuses requests of a clock that is further off than this (RequestTimeTooSkewed), so a record that is written later is no matter of
clocks that are nearly right."""

SSO_ROLE = re.compile(r"arn:[^:]+:iam::\d{12}:role/aws-reserved/sso\.amazonaws\.com/.+")
"""IAM lets nobody but AWS make a role below /aws-reserved/ (docs/assumptions.md). A path may hold colons, so all of the ARN is matched."""

WITHDRAWN = "withdrawn"

_FEDERATED = re.compile(r"\d{12}:.+")

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


def tally(found: Iterable[StoredApproval], *, now: datetime, roles: Roles, machines: Iterable[str]) -> Tally:
    """Count the people. `machines` are names of roles that workflows use."""
    people: list[str] = []
    left_out: list[str] = []
    seen: dict[str, str] = {}
    never = {facts.unique_id for facts in map(roles, machines) if facts is not None}
    names = set(machines)
    # The latest first, so that a withdrawal takes back what the same person has approved before it with another permission set.
    for record in sorted(found, key=lambda each: (each.written, each.approval is not None and each.approval.withdrawn), reverse=True):
        problem = _problem(record, now)
        if record.approval is None:
            left_out.append(f"{record.user_id}: {problem}")
            continue
        role = _role(record.approval)
        if record.user_id.partition(":")[0] in never or role in names:
            left_out.append(f"{record.user_id}: {role or 'it'} is a workflow's role, and no person")
            continue
        who = identities(record, roles)
        same = next((seen[each] for each in sorted(who) if each in seen), "")
        if problem or same:
            left_out.append(f"{record.user_id}: {problem or same}")
        else:
            people.append(record.approval.by)
            seen |= dict.fromkeys(who, f"the same person as {record.approval.by}")
        if problem == WITHDRAWN and not same:
            seen |= dict.fromkeys(who, "the same person has withdrawn since")
    return Tally(people=tuple(people), left_out=tuple(left_out))


def identities(record: StoredApproval, roles: Roles) -> frozenset[str]:
    """Two records are of different people only if they share none of these; see the head of this file."""
    first, colon, session = record.user_id.partition(":")
    if not colon:
        return frozenset({first})
    name = _role(record.approval) if record.approval is not None else ""
    facts = roles(name) if name else None
    by_session = f"sso:{session.lower()}"
    # The body names the role, the key has its id: only where IAM says that they are one, the name is believed.
    if facts is None or facts.unique_id != first:
        return frozenset({first, by_session})
    return frozenset({by_session if SSO_ROLE.fullmatch(facts.arn) else first})


def _role(approval: Approval) -> str:
    found = _ASSUMED.fullmatch(approval.by)
    return found["role"] if found else ""


def _problem(record: StoredApproval, now: datetime) -> str:
    if record.approval is None:
        return record.reason
    if _FEDERATED.fullmatch(record.user_id):
        return "a federated user, whose name its maker has chosen, and no person"
    if record.written - now > EARLY:
        return f"of {record.written:%Y-%m-%d %H:%M} UTC, which is later than this machine's clock"
    if record.approval.withdrawn:
        return WITHDRAWN
    if now - record.written > VALID:
        return f"of {record.written:%Y-%m-%d %H:%M} UTC, and an approval counts for {VALID.total_seconds() / 3600:.0f} hours"
    return ""

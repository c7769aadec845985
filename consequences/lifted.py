"""What an environment asks less of those who change it: settings of its assembly that no stack has.

In: the assembly that was applied last, and the one that is planned. Out: `PostureChange` values. Never: AWS.
"""

from __future__ import annotations

from collections.abc import Iterator

from assembly.model import Assembly
from consequences.model import PostureChange


def lifted(before: Assembly, after: Assembly) -> Iterator[PostureChange]:
    """Approvals that are not asked for any more. What was asked for before rules for this change, too (`approvals.rule`)."""
    if after.approvals < before.approvals:
        yield _change("approvals by other people", _people(before.approvals), _people(after.approvals))
    if before.protected and not after.protected:
        yield _change("approval by name or digest", "asked for", "a yes is enough")


def still_refusing(before: Assembly, after: Assembly) -> tuple[str, ...]:
    """Stacks whose policy stays in force although the assembly has none for them: CloudFormation cannot take one away."""
    had = {stack.stack_name for stack in before.stacks if stack.stack_policy is not None}
    return tuple(stack.id for stack in after.stacks if stack.stack_policy is None and stack.stack_name in had)


def _people(number: int) -> str:
    return "nobody" if not number else "1 person" if number == 1 else f"{number} people"


def _change(subject: str, before: str, after: str) -> PostureChange:
    return PostureChange(stack="", logical_id="", resource_type="", kind="protection_lifted", subject=subject, before=before, after=after)

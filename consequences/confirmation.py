"""Subscriptions that reach nobody until a person confirms them.

In: the changes of a stack and its resolved resources after. Out: `Consequence` values. Never: asks AWS whether somebody has.

Source: SNS Developer Guide, "Email notifications": SNS mails the address a link, and delivers nothing until it was opened; CloudFormation
does not wait for it. Another endpoint replaces the subscription (provider schema), so a change of the address asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from changes.context import Resources
from changes.model import ResourceChange
from consequences.model import Consequence

SUBSCRIPTION = "AWS::SNS::Subscription"
CONFIRMED_BY_PEOPLE = ("email", "email-json")


def unconfirmed(changes: Iterable[ResourceChange], after: Resources) -> Iterator[Consequence]:
    """Of one stack, in the order of its changes."""
    for change in changes:
        properties = after.get(change.logical_id, {}).get("Properties", {})
        made = change.action == "add" or (change.action == "modify" and change.replacement.verdict != "no")
        if change.resource_type != SUBSCRIPTION or not made or properties.get("Protocol") not in CONFIRMED_BY_PEOPLE:
            continue
        new = change.action == "add"
        old = "" if new else ", and the address of before hears nothing any more"
        message = (
            f"{change.logical_id}: {properties.get('Endpoint')} has to confirm before anything is sent to it: SNS mails it a link, which"
            f" somebody there opens; until then nobody hears of an alarm by it{old}"
        )
        yield Consequence(severity="note" if new else "warning", code="unconfirmed_recipient", message=message)

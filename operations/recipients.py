"""Who has to confirm an address before alarms are mailed to it.

In: a stack with its template, its gateway, the topics of its place. Out: one text a topic that waits or reaches nobody.
Never: changes anything; says that somebody is reached: a mail may be lost after it was confirmed.

Source: SNS Developer Guide, "Email notifications"; AWS What's New of 2023-05-10: what nobody confirms is deleted after 48 hours, and
CloudFormation, which does not hear of it, makes it again only with another address.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from assembly.model import Stack
from aws.cloudformation.gateway import CloudFormation
from consequences.confirmation import CONFIRMED_BY_PEOPLE, SUBSCRIPTION
from consequences.leaned_on import TOPIC
from gateways.topics import Subscriptions
from guards import documents


def addresses(template: bytes) -> tuple[str, ...]:
    """The mail addresses that a template subscribes."""
    resources = documents.loads(template).get("Resources", {}).values() if template else ()
    found = [each.get("Properties", {}) for each in resources if each.get("Type") == SUBSCRIPTION]
    return tuple(str(each.get("Endpoint")) for each in found if each.get("Protocol") in CONFIRMED_BY_PEOPLE)


def unconfirmed(
    stack: Stack, template: bytes, gateway: CloudFormation, subscriptions: Callable[[str], Subscriptions]
) -> Iterator[tuple[str, str]]:
    """What is to be known of each topic of a stack that is there, and the command that mends it. Raises `AwsError`."""
    wanted = addresses(template)
    live = gateway.describe_stack(stack.stack_name) if wanted else None
    if live is None or not live.deployed:
        return
    for each in gateway.list_resources(live.arn):
        if each.resource_type != TOPIC or not each.physical_id:
            continue
        yield from _told(stack, each.physical_id, wanted, subscriptions(each.physical_id))


def _told(stack: Stack, topic: str, wanted: tuple[str, ...], found: Subscriptions) -> Iterator[tuple[str, str]]:
    names, short = ", ".join(wanted), topic.rpartition(":")[2]
    if found.pending != "0":
        reached = "" if found.confirmed != "0" else "; until then its alarms reach nobody"
        yield (
            f"{short}: {found.pending} address waits to be confirmed, of {names}: somebody there opens the link that SNS has mailed, within"
            f" 48 hours{reached}",
            "",
        )
    elif found.confirmed == "0":
        again = " && ".join(
            f"aws sns subscribe --region {stack.region} --topic-arn {topic} --protocol email --notification-endpoint {shlex.quote(each)}"
            for each in wanted
        )
        yield f"{short}: reaches nobody: {names} did not confirm within 48 hours, or has unsubscribed, and SNS forgets it then", again

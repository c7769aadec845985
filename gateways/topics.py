"""SNS, to read only: who has confirmed that a topic may write to them.

In: a topic's ARN. Out: how many subscriptions are confirmed, and how many wait for it. Raises `aws.errors`. Never: changes anything.

Source: SNS API reference, GetTopicAttributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import field

from aws.answers import Answer, read

if TYPE_CHECKING:
    from aws.session import Aws


class Subscriptions(Answer, frozen=True, kw_only=True):
    """Of one topic; SNS counts in text."""

    confirmed: str = field(name="SubscriptionsConfirmed", default="0")
    pending: str = field(name="SubscriptionsPending", default="0")


@dataclass(frozen=True)
class Topics:
    """The topics of one account and region."""

    client: Any

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str, role_arn: str | None = None) -> Topics:
        """As `Aws.client`."""
        return cls(aws.client("sns", account_id=account_id, region=region, role_arn=role_arn))

    def subscriptions(self, topic: str) -> Subscriptions:
        """Of the topic with that ARN."""
        return read(self.client.get_topic_attributes(TopicArn=topic), Subscriptions, "Attributes")

"""SNS, to read only: who has confirmed that a topic may write to them.

In: a topic's ARN. Out: how many subscriptions are confirmed, and how many wait for it. Raises `aws.errors`. Never: changes anything.

Source: SNS API reference, GetTopicAttributes.
"""

from __future__ import annotations

from msgspec import field

from aws.answers import Answer, read
from aws.gateway import Regional


class Subscriptions(Answer, frozen=True, kw_only=True):
    """Of one topic; SNS counts in text."""

    confirmed: str = field(name="SubscriptionsConfirmed", default="0")
    pending: str = field(name="SubscriptionsPending", default="0")


class Topics(Regional):
    """The topics of one account and region."""

    service = "sns"

    def subscriptions(self, topic: str) -> Subscriptions:
        """Of the topic with that ARN."""
        return read(self.client.get_topic_attributes(TopicArn=topic), Subscriptions, "Attributes")

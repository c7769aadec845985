"""An address that has not confirmed is named, and what mends it when SNS has forgotten it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from doctor.checks.alarm_confirmation import alarm_confirmation
from gateways.topics import Subscriptions, Topics
from operations.recipients import addresses, unconfirmed

TOPIC = "arn:aws:sns:us-east-1:1:web-dev-alarms"
EMAIL = {"Type": "AWS::SNS::Subscription", "Properties": {"Protocol": "email", "Endpoint": "ops@example.com"}}
STACK: Any = SimpleNamespace(id="monitoring", stack_name="web-dev-monitoring", region="us-east-1", account_id="1", role_arn=None)


def template(**resources: Any) -> bytes:
    return json.dumps({"Resources": {"AlarmTopic": {"Type": "AWS::SNS::Topic"}, **resources}}).encode()


class Gateway:
    """CloudFormation with one stack that has a topic; counts what it is asked."""

    def __init__(self, *, deployed: bool = True) -> None:
        self.deployed, self.asked = deployed, 0

    def describe_stack(self, name: str) -> Any:
        self.asked += 1
        return SimpleNamespace(arn="arn", deployed=self.deployed)

    def list_resources(self, arn: str) -> Any:
        return (
            SimpleNamespace(resource_type="AWS::SNS::Topic", physical_id=TOPIC),
            SimpleNamespace(resource_type="AWS::SNS::Topic", physical_id=""),
            SimpleNamespace(resource_type="AWS::CloudWatch::Alarm", physical_id="alarm"),
        )


def found(confirmed: str, pending: str, body: bytes = template(AlarmEmail=EMAIL), **given: Any) -> list[tuple[str, str]]:
    gateway: Any = Gateway(**given)
    return [*unconfirmed(STACK, body, gateway, lambda _: Subscriptions(confirmed=confirmed, pending=pending))]


def test_an_address_that_waits_is_named_and_nobody_hears_until_then() -> None:
    ((message, command),) = found("0", "1")
    assert "web-dev-alarms: 1 address waits to be confirmed, of ops@example.com" in message and "reach nobody" in message
    assert command == "", "only the owner of the address can do it"
    ((beside, _),) = found("1", "1")
    assert "reach nobody" not in beside


def test_an_address_that_was_forgotten_is_subscribed_again() -> None:
    ((message, command),) = found("0", "0")
    assert "reaches nobody: ops@example.com did not confirm within 48 hours" in message
    assert command == (f"aws sns subscribe --region us-east-1 --topic-arn {TOPIC} --protocol email --notification-endpoint ops@example.com")


@pytest.mark.parametrize(
    ("body", "given"),
    [(template(AlarmEmail=EMAIL), {}), (template(AlarmEmail=EMAIL), {"deployed": False}), (template(), {}), (b"", {})],
    ids=["confirmed", "not deployed", "no address", "no template"],
)
def test_nothing_is_said_of_the_rest(body: bytes, given: dict[str, Any]) -> None:
    confirmed = "1" if not given and body == template(AlarmEmail=EMAIL) else "0"
    assert found(confirmed, "0", body, **given) == []


def test_only_mail_is_confirmed_by_people() -> None:
    https = {"Type": "AWS::SNS::Subscription", "Properties": {"Protocol": "https", "Endpoint": "https://example.com"}}
    assert addresses(template(Hook=https)) == () and addresses(template(Mail=EMAIL, Hook=https)) == ("ops@example.com",)


def test_sns_counts_in_text() -> None:
    client: Any = SimpleNamespace(get_topic_attributes=lambda TopicArn: {"Attributes": {"SubscriptionsPending": "2", "TopicArn": TopicArn}})
    assert Topics(client).subscriptions(TOPIC) == Subscriptions(pending="2")


def test_doctor_asks_nobody_in_a_rehearsal() -> None:
    context: Any = SimpleNamespace(local=True, templates={"monitoring": template(AlarmEmail=EMAIL)})
    assert [*alarm_confirmation.run(context, STACK)] == []

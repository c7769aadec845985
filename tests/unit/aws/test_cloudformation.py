"""The CloudFormation gateway: every page, nothing twice, and what AWS words mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from aws.cloudformation.change_sets import ChangeSetRequest, CreatedChangeSet
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import ParameterValue, client_token
from aws.cloudformation.stacks import EventFeed
from aws.errors import AccessDenied, AwsError, BadRequest, NetworkError
from tests.scripted import Scripted
from tests.simulated import Faults, Simulated

TEMPLATE = {"Resources": {f"Topic{i}": {"Type": "AWS::SNS::Topic", "Properties": {}} for i in range(7)}}


def gateway(client: Any, naps: list[float] | None = None) -> CloudFormation:
    return CloudFormation(
        client, account_id="123456789012", region="eu-west-1", sleep=(naps if naps is not None else []).append, poll_seconds=2.0
    )


def request(**more: Any) -> ChangeSetRequest:
    import json

    return ChangeSetRequest(stack="demo", name="plan-1", type="CREATE", template_body=json.dumps(TEMPLATE), **more)


def test_every_page_is_read_in_both_reads() -> None:
    client = Simulated("eu-west-1", Faults(page=2))
    made = gateway(client)
    described = made.wait_for_change_set(made.create_change_set(request()))
    assert len(described.with_values) == len(described.without_values) == 7


def test_a_change_set_in_the_making_is_waited_for() -> None:
    naps: list[float] = []
    client = Simulated("eu-west-1", Faults(pending=3))
    made = gateway(client, naps)
    assert made.wait_for_change_set(made.create_change_set(request())).status == "CREATE_COMPLETE"
    assert len(naps) == 3


def test_waiting_has_an_end() -> None:
    client = Simulated("eu-west-1", Faults(pending=100))
    made = gateway(client)
    with pytest.raises(AwsError, match="not finished after 5 looks"):
        made.wait_for_change_set(made.create_change_set(request()), attempts=5)


def test_deleting_one_in_the_making_waits_for_it() -> None:
    client = Simulated("eu-west-1", Faults(pending=2))
    made = gateway(client)
    created = made.create_change_set(request())
    made.delete_change_set(created.arn, created.stack_arn)
    assert client.change_sets == {}


def test_a_lost_answer_does_not_make_two() -> None:
    client = Simulated("eu-west-1")
    made = gateway(client)
    first = made.create_change_set(request())

    def lose(name: str, arguments: Any) -> None:
        if name == "create_change_set":
            raise NetworkError("timed out")

    client.faults.before_call = lose
    assert made.create_change_set(request()) == first


def test_an_answer_lost_before_anything_was_made_is_an_error() -> None:
    client = Simulated("eu-west-1", Faults(errors={("create_change_set", "demo"): NetworkError("timed out")}))
    with pytest.raises(NetworkError):
        gateway(client).create_change_set(request())


def test_no_echo_values_are_redacted_on_our_side() -> None:
    made = gateway(Simulated("eu-west-1"))
    parameters = (ParameterValue(name="Hash", value="s3cret", no_echo=True), ParameterValue(name="Plain", value="p"))
    described = made.wait_for_change_set(made.create_change_set(request(parameters=parameters)), no_echo=("Hash",))
    assert described.parameters == {"Hash": "****", "Plain": "p"}


@pytest.mark.parametrize(
    ("reason", "nothing"),
    [
        ("The submitted information didn't contain changes. Submit different information to create a change set.", True),
        ("No updates are to be performed.", True),
        ("Resource handler returned an error", False),
    ],
)
def test_nothing_to_change_is_a_value(reason: str, nothing: bool) -> None:
    made = gateway(Simulated("eu-west-1", Faults(refuse={"demo": reason})))
    described = made.wait_for_change_set(made.create_change_set(request()))
    assert (described.nothing_to_change, described.failed) == (nothing, not nothing)


def test_what_is_not_there_is_none() -> None:
    made = gateway(Simulated("eu-west-1"))
    assert made.describe_stack("nothing") is None
    assert made.get_template("nothing") is None
    assert made.list_change_sets("nothing") == ()
    assert made.describe_stack_set("nothing") is None
    made.delete_change_set("arn:nothing", "nothing")


@pytest.mark.parametrize("error", [AwsError("no", code="InvalidAction"), AccessDenied("no", code="AccessDenied")])
def test_validation_results_that_cannot_be_read_are_not_taken_for_none(error: AwsError) -> None:
    made = gateway(Simulated("eu-west-1", Faults(errors={("describe_events", "demo"): error})))
    with pytest.raises(type(error)):
        made.validations("arn", "demo")


def events(*numbers: int, token: str = "t-1") -> list[dict[str, Any]]:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    return [
        {"EventId": f"e{n}", "StackId": "arn", "Timestamp": moment, "ClientRequestToken": token, "ResourceStatus": "X"} for n in numbers
    ]


def test_events_come_in_order_from_all_pages_and_none_twice() -> None:
    client = Simulated("eu-west-1", Faults(page=2))
    client.deploy("demo", {"Resources": {}}, {})
    stack = client.stacks["demo"]
    stack["_events"] = events(3, 2, 1)
    feed = EventFeed(gateway(client), "demo", token="t-1")
    assert [e.id for e in feed.new()] == ["e1", "e2", "e3"]
    assert feed.new() == ()
    stack["_events"] = [*events(6, 5, 4), *stack["_events"]]
    client.calls.clear()
    assert [e.id for e in feed.new()] == ["e4", "e5", "e6"]
    assert len(client.calls) == 2, "pages of events that are known are not fetched"


def test_events_of_other_calls_are_left_out() -> None:
    client = Simulated("eu-west-1")
    client.deploy("demo", {"Resources": {}}, {})
    client.stacks["demo"]["_events"] = [*events(2, token="theirs"), *events(1)]
    assert [e.id for e in EventFeed(gateway(client), "demo", token="t-1").new()] == ["e1"]


def test_only_an_empty_stack_of_ours_is_deleted() -> None:
    client = Simulated("eu-west-1")
    made = gateway(client)
    ours = made.create_change_set(request())
    theirs = made.create_change_set(request().__class__(stack="demo", name="theirs", type="CREATE", template_body="{}"))
    assert not made.delete_reviewed_stack(ours.stack_arn, besides=(ours.arn,))
    made.delete_change_set(theirs.arn, theirs.stack_arn)
    assert made.delete_reviewed_stack(ours.stack_arn, besides=(ours.arn,))
    client.deploy("live", {"Resources": {}}, {})
    assert not made.delete_reviewed_stack("live")
    assert list(client.stacks) == ["live"]


def test_a_refused_request_is_raised() -> None:
    client = Simulated("eu-west-1")
    client.deploy("demo", TEMPLATE, {})
    with pytest.raises(BadRequest):
        gateway(client).create_change_set(request())


def test_client_tokens_are_the_same_for_the_same_work() -> None:
    assert client_token("a", "b") == client_token("a", "b") != client_token("ab", "")
    assert len(client_token("x" * 1000)) <= 128
    assert CreatedChangeSet(arn="a", stack_arn="b") == CreatedChangeSet(arn="a", stack_arn="b")


def test_what_fails_is_rolled_back_because_we_say_so() -> None:
    client = Scripted(execute_change_set={})
    gateway(client).execute_change_set("c", "s", token="t")
    assert [each["DisableRollback"] for each in client.called("execute_change_set")] == [False]

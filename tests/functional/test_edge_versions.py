"""The edge stack over its life: what a version freezes publishes a new one, and what an attempt leaves is not in the next one's way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aws.errors import BadRequest
from aws.session import Aws
from operations.credential import hash_password
from stacks import edge
from tests.environments_fixture import changed, environments
from tests.functional.test_local_aws_resources import Stacks

pytestmark = pytest.mark.functional

ONE, OTHER = (hash_password("correct horse battery staple", bytes([salt] * 16)) for salt in (1, 2))
ENVIRONMENT = environments()["dev"]
UNMAKEABLE = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": "nothing-of-this-name"}}


@pytest.fixture
def stacks(aws: Aws, account: str) -> Stacks:
    return Stacks(aws, account)


def body(**basic_auth: Any) -> dict[str, Any]:
    rendered: dict[str, Any] = json.loads(edge.build(changed(ENVIRONMENT, {"basic_auth": basic_auth})).to_json())
    return rendered


def broken(template: dict[str, Any]) -> dict[str, Any]:
    """With a resource that fails once the version is there."""
    version = next(title for title, resource in template["Resources"].items() if resource["Type"] == "AWS::Lambda::Version")
    return template | {"Resources": template["Resources"] | {"Fails": UNMAKEABLE | {"DependsOn": version}}}


def given(password_hash: str, version: str) -> dict[str, str]:
    return {"BasicAuthPasswordHash": password_hash, "CredentialVersion": version}


def number(outputs: dict[str, str]) -> int:
    return int(outputs["FunctionVersionArn"].rpartition(":")[2])


def test_everything_that_a_version_freezes_reaches_the_edge_to_and_fro(aws: Aws, account: str, stacks: Stacks) -> None:
    lambda_ = aws.client("lambda", account_id=account, region="us-east-1")

    def level(outputs: dict[str, str]) -> str:
        config = lambda_.get_function_configuration(FunctionName=outputs["FunctionVersionArn"])
        return str(config["LoggingConfig"]["ApplicationLogLevel"])

    first = stacks.apply("edge", body(), given(ONE, "v1"))
    debug = stacks.apply("edge", body(log_level="DEBUG"), given(ONE, "v1"))
    back = stacks.apply("edge", body(), given(ONE, "v1"))
    assert [level(each) for each in (first, debug, back)] == ["INFO", "DEBUG", "INFO"]
    assert number(first) < number(debug) < number(back)
    with pytest.raises(BadRequest, match="No updates are to be performed"):
        stacks.apply("edge", body(), given(ONE, "v1"))


def test_a_new_secret_version_publishes_a_new_function_version_even_with_the_same_hash(stacks: Stacks) -> None:
    outputs = [stacks.apply("edge", body(), given(*each)) for each in ((ONE, "v1"), (ONE, "v2"), (OTHER, "v3"), (ONE, "v4"))]
    numbers = [number(each) for each in outputs]
    assert numbers == sorted(set(numbers))


def test_a_first_creation_that_failed_leaves_nothing_in_the_way(stacks: Stacks) -> None:
    with pytest.raises(AssertionError, match="Fails"):
        stacks.apply("edge", broken(body()), given(ONE, "v1"))
    stacks.delete("edge")
    stacks.apply("edge", body(), given(ONE, "v1"))


@pytest.mark.parametrize(("level", "version"), [("DEBUG", "v1"), ("INFO", "v2")])
def test_an_update_that_was_rolled_back_after_publishing_can_be_tried_again(stacks: Stacks, level: str, version: str) -> None:
    first = stacks.apply("edge", body(), given(ONE, "v1"))
    with pytest.raises(AssertionError, match="Fails"):
        stacks.apply("edge", broken(body(log_level=level)), given(ONE, version))
    assert number(stacks.apply("edge", body(log_level=level), given(ONE, version))) > number(first)


def test_the_local_aws_publishes_nothing_of_a_function_that_is_as_its_last_version(stacks: Stacks) -> None:
    def template(description: str, version: str) -> dict[str, Any]:
        rendered = body()
        function = rendered["Resources"]["Function"]
        function["Properties"]["Description"] = description
        title = next(title for title, resource in rendered["Resources"].items() if resource["Type"] == "AWS::Lambda::Version")
        rendered["Resources"][title]["Properties"]["Description"] = version
        return rendered

    stacks.apply("edge", template("a", "1"), given(ONE, "v1"))
    stacks.apply("edge", template("b", "1"), given(ONE, "v1"))
    with pytest.raises(AssertionError, match="A version for this Lambda function exists"):
        stacks.apply("edge", template("a", "2"), given(ONE, "v1"))


def test_a_function_that_a_deleted_stack_left_is_named_and_makes_room_once_it_is_deleted(aws: Aws, account: str, stacks: Stacks) -> None:
    name = stacks.apply("edge", body(), given(ONE, "v1"))["FunctionName"]
    stacks.delete("edge")
    with pytest.raises(AssertionError, match=f"Function already exist: {name}"):
        stacks.apply("edge", body(), given(ONE, "v1"))
    stacks.delete("edge")
    aws.client("lambda", account_id=account, region="us-east-1").delete_function(FunctionName=name)
    stacks.apply("edge", body(), given(ONE, "v1"))

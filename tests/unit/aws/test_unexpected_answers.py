"""Whatever an endpoint answers, a gateway's method returns or raises one of `aws.errors`, in one line."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aws
import gateways
from aws.acm import Acm
from aws.answers import read
from aws.cloudformation.change_sets import ChangeSetRequest, CreatedChangeSet
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.stack_sets import InstanceTargets, StackSetRequest
from aws.cloudformation.stacks import StackDescription
from aws.cloudfront import CloudFront
from aws.dynamodb import Condition, Items
from aws.errors import AwsError, Unavailable, UnexpectedAnswer
from aws.gateway import Global, Regional
from aws.iam import Iam
from aws.logs import Logs
from aws.route53 import Record, Route53
from aws.s3 import S3, Headers
from aws.secrets import Secrets
from aws.session import Aws, Settings, StaticCredentials
from circuit_breaker import CircuitBreaker
from gateways import existing
from gateways.account import Account
from gateways.alarms import Alarms
from gateways.live import LiveResources
from gateways.organizations import Organizations
from gateways.origins import Buckets
from gateways.retained import REMOVABLE, Retained
from gateways.topics import Topics
from guards.text import MOST
from tests.unit.aws.model_answers import HTML, XHTML, Wire, answers

ACCOUNT, REGION = "111111111111", "eu-west-1"
MOST_REQUESTS = 40
"""A method that asks more often than that is taken to ask forever."""


class _Body:
    """What botocore reads a body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: Any, **__: Any) -> bytes:
        body, self._body = self._body, b""
        return body


class Endless(BaseException):
    """No error that anybody may catch."""


class Answers:
    """The answers of every service, one after the other; the session, its parsing and its errors are the real ones."""

    def __init__(self) -> None:
        self.next: Callable[[Any], Wire] | None = None
        self.asked: list[str] = []
        self.aws = Aws(
            endpoint_url="http://aws.invalid",
            static_credentials=lambda _: StaticCredentials(access_key="test", secret_key="test"),
            settings=Settings(total_attempts=1),
            breaker=CircuitBreaker(quiet=0.0),
        )
        opened = self.aws._new_session(lambda: ACCOUNT)
        opened.set_credentials("test", "test")
        opened.get_component("event_emitter").register("before-send", self._answer)
        self.aws._sessions[(ACCOUNT, None)] = opened

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        assert self.next is not None
        self.asked.append(operation)
        if len(self.asked) > MOST_REQUESTS:
            raise Endless(f"{operation} is asked for ever")
        wire = self.next((service, operation))
        headers = {"content-type": wire.content_type, **wire.headers}
        return AWSResponse(request.url, wire.status, headers, _Body(wire.body))  # type: ignore[arg-type]


ANSWERS = Answers()
AWS = ANSWERS.aws
CLOUDFORMATION = CloudFormation(
    AWS.client("cloudformation", account_id=ACCOUNT, region=REGION), account_id=ACCOUNT, region=REGION, sleep=lambda _: None
)
TARGETS = InstanceTargets(accounts=(ACCOUNT,), regions=(REGION,))
OPERATION: dict[str, Any] = {"operation_id": "o", "preferences": {}}
CREATED = CreatedChangeSet(arn="arn:aws:c", stack_arn="arn:aws:s")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = {"id": "1"}
PLACE: dict[str, Any] = {"account_id": ACCOUNT, "region": REGION}

GATEWAYS: dict[str, Any] = {
    "cloudformation": CLOUDFORMATION,
    "account": Account.connect(AWS, account_id=ACCOUNT),
    "acm": Acm.connect(AWS, account_id=ACCOUNT, region="us-east-1"),
    "alarms": Alarms.connect(AWS, **PLACE),
    "cloudfront": CloudFront.connect(AWS, account_id=ACCOUNT),
    "dynamodb": Items.connect(AWS, **PLACE),
    "iam": Iam.connect(AWS, account_id=ACCOUNT),
    "live": LiveResources.connect(AWS, **PLACE),
    "logs": Logs.connect(AWS, **PLACE),
    "organizations": Organizations.connect(AWS, account_id=ACCOUNT),
    "origins": Buckets.connect(AWS, **PLACE),
    "retained": Retained.connect(AWS, **PLACE),
    "route53": Route53.connect(AWS, account_id=ACCOUNT),
    "s3": S3.connect(AWS, **PLACE),
    "secrets": Secrets.connect(AWS, **PLACE),
    "existing": existing.ExistingResources.connect(AWS, **PLACE),
    "topics": Topics.connect(AWS, **PLACE),
}
CALLS: dict[str, dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]]] = {
    "cloudformation": {
        "change_set_state": [(("c", "s"), {})],
        "continue_update_rollback": [(("s",), {})],
        "create_change_set": [((ChangeSetRequest(stack="s", name="c", type="CREATE", template_body="{}"),), {})],
        "create_stack_instances": [(("s", TARGETS), OPERATION)],
        "create_stack_set": [((StackSetRequest(name="s"),), {"token": "t"})],
        "delete_change_set": [(("c", "s"), {"attempts": 2})],
        "delete_reviewed_stack": [(("s",), {"attempts": 2})],
        "delete_stack": [(("s",), {})],
        "delete_stack_instances": [(("s", TARGETS), {**OPERATION, "retain_stacks": False})],
        "delete_stack_set": [(("s",), {})],
        "deleted_stacks": [(("a",), {})],
        "describe_change_set": [(("c", "s"), {})],
        "describe_stack": [(("s",), {})],
        "owner": [(("p", "AWS::S3::Bucket"), {})],
        "pause": [((), {})],
        "settled_stack": [(("s",), {"attempts": 2})],
        "describe_stack_set": [(("s",), {})],
        "detect_drift": [(("s",), {})],
        "detect_stack_set_drift": [(("s",), OPERATION)],
        "drift_detection": [(("d",), {})],
        "events": [(("s",), {})],
        "execute_change_set": [(("c", "s"), {"token": "t"})],
        "get_stack_policy": [(("s",), {})],
        "get_template": [(("s",), {})],
        "import_stacks": [(("s", ["arn:x"]), OPERATION)],
        "instance_drifts": [(("s",), {**PLACE, "operation_id": "o"})],
        "list_change_sets": [(("s",), {})],
        "list_resources": [(("s",), {})],
        "list_stack_instances": [(("s",), {})],
        "operation_validations": [(("s",), {"token": None})],
        "resource_drifts": [(("s",), {})],
        "rollback_stack": [(("s",), {})],
        "running_operations": [(("s",), {})],
        "set_stack_policy": [(("s", "{}"), {})],
        "set_termination_protection": [(("s",), {"enabled": True})],
        "stack_instance": [(("s", ACCOUNT, REGION), {})],
        "stack_limit": [((), {})],
        "stack_names": [((), {})],
        "stack_set_names": [((), {})],
        "stack_set_operation": [(("s", "o"), {})],
        "stack_set_operation_results": [(("s", "o"), {})],
        "stop_stack_set_operation": [(("s", "o"), {})],
        "update_stack_instances": [(("s", TARGETS), OPERATION)],
        "update_stack_set": [((StackSetRequest(name="s"),), OPERATION)],
        "validations": [(("c", "s"), {})],
        "wait_for_change_set": [((CREATED,), {"attempts": 2})],
    },
    "account": {
        "enabled_regions": [((), {})],
        "quota": [(("cloudfront", "L-24B04930"), {})],
        "region_status": [((REGION,), {})],
        "statuses": [((), {})],
    },
    "acm": {"certificate": [(("arn:aws:acm:us-east-1:111111111111:certificate/1",), {})]},
    "alarms": {"states": [((("a", "b"),), {})]},
    "topics": {"subscriptions": [(("arn",), {})]},
    "cloudfront": {
        "conflicting_aliases": [(("D", "a.example"), {})],
        "custom_response_headers_policies": [((), {})],
        "distribution": [(("D",), {})],
        "distributions": [((), {})],
        "invalidate": [(("D", ("/*",)), {"reference": "r"})],
        "invalidated": [(("D", "I"), {})],
        "invalidation": [(("D", "I"), {})],
        "invalidations": [(("D",), {})],
    },
    "dynamodb": {
        "delete": [(("table", KEY, Condition(equal=KEY)), {})],
        "get": [(("table", KEY), {})],
        "put": [(("table", KEY, Condition(absent="id")), {})],
        "update": [(("table", KEY, {"n": 1}, Condition(equal=KEY)), {})],
    },
    "iam": {
        "denied": [(("arn:aws:iam::111111111111:role/r", "*", ("s3:GetObject",), {"k": "v"}), {})],
        "global_token_version": [((), {})],
        "role": [(("r",), {})],
    },
    "logs": {"events": [(("g",), {"since": NOW})], "groups": [(("g",), {})]},
    "organizations": {"accounts": [((), {})], "management_account": [((), {})], "members": [((("ou-abcd-12345678",),), {})]},
    "retained": {
        "delete_bucket": [(("bucket",), {})],
        "delete_function": [(("f",), {})],
        "delete_log_group": [(("g",), {})],
        "delete_table": [(("table",), {})],
        "empty_bucket": [(("bucket",), {})],
        "exists": [
            ((kind, "name"), {}) for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::Logs::LogGroup")
        ],
        "remove": [((kind, "arn:aws:x:eu-west-1:111111111111:y:z:1"), {}) for kind in sorted(REMOVABLE)],
    },
    "route53": {
        "change": [(("Z1", [("CREATE", {"Name": "a", "Type": "A"})]), {})],
        "delegation": [(("Z1",), {})],
        "find_public_zone": [(("a",), {})],
        "record_sets": [(("Z1", "a"), {})],
        "records": [(("Z1", "a"), {})],
        "upsert": [(("Z1", Record(name="a", type="CNAME", values=("b",))), {})],
        "validation_records": [(("Z1", "a"), {})],
    },
    "s3": {
        "bucket_exists": [(("bucket",), {})],
        "copy": [(("bucket", "a", "bucket", "b"), {"headers": Headers()})],
        "delete": [(("bucket", "k"), {})],
        "get": [(("bucket", "k"), {})],
        "head": [(("bucket", "k"), {})],
        "list": [(("bucket",), {})],
        "put": [(("bucket", "k", b"x"), {})],
        "region_of": [(("bucket",), {})],
        "template_url": [(("bucket", "k"), {})],
    },
    "secrets": {
        "comes_to_be": [(("s", "v", lambda: None), {"attempts": 2})],
        "create": [(("s", {}), {"description": "d", "tags": {}})],
        "current_version": [(("s",), {})],
        "exists": [(("s",), {})],
        "json_key": [(("s", "k"), {})],
        "put": [(("s", {}), {"token": "t" * 32})],
        "restore": [(("s",), {})],
        "schedule_deletion": [(("s",), {"recovery_days": 7})],
        "text": [(("s",), {})],
    },
    "live": {"get": [(("AWS::S3::Bucket", {"BucketName": "bucket"}), {}), (("T", {"A": "a", "B": "b"}), {"service_role_arn": "r"})]},
    "origins": {
        "copy": [(("bucket", "k", "bucket"), {"if_match": "e"})],
        "policy": [(("bucket",), {})],
        "put_policy": [(("bucket", {}), {})],
        "rules": [(("bucket",), {})],
        "versioning": [(("bucket",), {})],
    },
    "existing": {
        "arn": [(("s3", "r"), {})],
        "find": [((resource_type, "name"), {}) for resource_type in sorted(existing.LOOKUPS)],
        "with_tags": [(("p", dict), {})],
    },
}
EVERY = [
    pytest.param(gateway, method, arguments, id=f"{gateway}.{method}-{number}")
    for gateway, methods in CALLS.items()
    for method, several in methods.items()
    for number, arguments in enumerate(several)
]


def call(gateway: str, method: str, arguments: Any) -> None:
    """To its end, pages and all."""
    found = getattr(GATEWAYS[gateway], method)(*arguments[0], **arguments[1])
    if inspect.isgenerator(found):
        list(found)


def operation_model(service_id: str, operation: str) -> Any:
    """By botocore's event names."""
    models = (client.meta.service_model for client in AWS._clients.values())
    return next(model for model in models if model.service_id.hyphenize() == service_id).operation_model(operation)


def test_every_gateway_is_here() -> None:
    """Each class of `aws` and `gateways` that connects itself."""
    names = [found.name for room in (aws, gateways) for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
    classes = [each for name in names for _, each in inspect.getmembers(importlib.import_module(name), inspect.isclass)]
    connecting = {each for each in classes if hasattr(each, "connect")} - {Global, Regional}
    assert connecting - {type(gateway) for gateway in GATEWAYS.values()} == set()


def test_every_method_of_every_gateway_is_called_here() -> None:
    for name, gateway in GATEWAYS.items():
        public = {m for m, _ in inspect.getmembers(type(gateway), inspect.isroutine) if not m.startswith("_") and m != "connect"}
        assert public == set(CALLS[name]), name


@pytest.mark.parametrize(("gateway", "method", "arguments"), EVERY)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_answer_ends_in_a_value_or_one_line(gateway: str, method: str, arguments: Any, data: Any) -> None:
    ANSWERS.asked.clear()
    ANSWERS.next = lambda asked: data.draw(answers(operation_model(*asked)))
    try:
        call(gateway, method, arguments)
    except AwsError as error:
        assert "\n" not in str(error)
        assert len(error.message) <= MOST + 100


def answered(gateway: str, method: str, wire: Wire) -> AwsError:
    """The error that a method ends in if that is the answer to all that it asks."""
    ANSWERS.asked.clear()
    ANSWERS.next = lambda _: wire
    with pytest.raises(AwsError) as raised:
        call(gateway, method, CALLS[gateway][method][0])
    return raised.value


def xml(body: str, status: int = 200) -> Wire:
    return Wire(status, "text/xml", body.encode(), {})


def result(operation: str, body: str) -> Wire:
    return xml(f"<{operation}Response><{operation}Result>{body}</{operation}Result></{operation}Response>")


def test_a_missing_field_is_named_with_the_call_and_the_place() -> None:
    wire = result("DescribeStacks", "<Stacks><member><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks>")
    error = answered("cloudformation", "describe_stack", wire)
    assert str(error) == "cloudformation DescribeStacks (account 111111111111 eu-west-1): unexpected answer: no StackName in Stacks[0]"
    assert type(error) is UnexpectedAnswer


def test_a_list_that_does_not_say_whether_it_goes_on_is_not_taken_for_whole() -> None:
    error = answered("route53", "records", xml("<R><ResourceRecordSets/></R>"))
    assert error.message == "unexpected answer: no IsTruncated"
    error = answered("s3", "list", xml("<R><IsTruncated>true</IsTruncated></R>"))
    assert error.message == "unexpected answer: no NextContinuationToken, although there is another page"


def test_a_page_that_names_itself_as_the_next_ends() -> None:
    error = answered("cloudformation", "stack_names", result("ListStacks", "<StackSummaries/><NextToken>1</NextToken>"))
    assert error.message == "unexpected answer: the same page again, by NextToken"


def test_the_second_page_begins_where_the_first_says() -> None:
    """Route 53 has one name for where to begin and where to go on."""
    pages = iter(("<IsTruncated>true</IsTruncated><NextRecordName>a</NextRecordName>", "<IsTruncated>false</IsTruncated>"))
    ANSWERS.asked.clear()
    ANSWERS.next = lambda _: xml(f"<R><ResourceRecordSets/>{next(pages)}</R>")
    assert GATEWAYS["route53"].records("Z1", "a") == ()
    assert len(ANSWERS.asked) == 2


@pytest.mark.parametrize("page", [HTML, XHTML])
@pytest.mark.parametrize(("status", "kind"), [(200, UnexpectedAnswer), (403, UnexpectedAnswer), (502, Unavailable)])
@pytest.mark.parametrize(
    ("gateway", "method"), [("cloudformation", "describe_stack"), ("s3", "list"), ("dynamodb", "get"), ("account", "statuses")]
)
def test_a_proxys_page_is_no_answer_and_told_in_its_words(gateway: str, method: str, status: int, kind: type, page: bytes) -> None:
    """An XHTML page would be an empty bucket to botocore, a 502's page an error of the parser, which is not tried again."""
    error = answered(gateway, method, Wire(status, "text/html", page, {}))
    assert type(error) is kind
    assert "<" not in str(error)
    if status != 502:
        assert f"HTTP {status} with an HTML page: " in error.message
        assert "proxy" in error.hint


@pytest.mark.parametrize(
    ("gateway", "method"), [("cloudformation", "stack_names"), ("s3", "list"), ("dynamodb", "get"), ("secrets", "text"), ("logs", "groups")]
)
def test_an_empty_answer_is_not_taken_for_nothing_there(gateway: str, method: str) -> None:
    assert type(answered(gateway, method, Wire(200, "", b"", {}))) is UnexpectedAnswer


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", CALLS["s3"])
def test_a_redirect_that_names_no_region_is_an_error_and_not_asked_for_ever(method: str, status: int) -> None:
    """botocore asks for the region by HeadBucket, whose answer it would treat the same."""
    if method == "template_url":
        return
    ANSWERS.asked.clear()
    ANSWERS.next = lambda _: Wire(status, "application/xml", b"<Error><Code>Moved</Code></Error>", {"location": "http://proxy.example/"})
    with pytest.raises(AwsError):
        call("s3", method, CALLS["s3"][method][0])
    assert len(ANSWERS.asked) <= 2


@pytest.mark.parametrize(("gateway", "method"), [("dynamodb", "get"), ("secrets", "text"), ("logs", "groups")])
def test_json_without_a_bottom_is_no_answer(gateway: str, method: str) -> None:
    assert type(answered(gateway, method, Wire(200, "application/x-amz-json-1.1", b"[" * 100_000, {}))) is UnexpectedAnswer


def test_whose_credentials_they_are_is_told_or_refused() -> None:
    ANSWERS.next = lambda _: result("GetCallerIdentity", "<Arn>arn:aws:iam::1:user/u</Arn>")
    with pytest.raises(UnexpectedAnswer, match="no Account"):
        AWS._caller(AWS._sessions[(ACCOUNT, None)])


def test_nulls_are_absent_and_the_first_alternative_with_a_value_counts() -> None:
    stack = {"StackName": "s", "StackStatus": "X", "Outputs": None, "LastUpdatedTime": None, "CreationTime": NOW, "Tags": None}
    found = read({"Stacks": [stack]}, tuple[StackDescription, ...], "Stacks")
    assert found == (StackDescription(name="s", status="X", changed_at="2026-11-22T00:00:00Z"),)
    with pytest.raises(UnexpectedAnswer, match=r"no ParameterKey in Stacks"):
        read({"Stacks": [stack | {"Parameters": [{"ParameterValue": "v"}]}]}, tuple[StackDescription, ...], "Stacks")

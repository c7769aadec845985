"""Apply killed at any moment: the second one finishes the job, and no change is executed twice."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from aws.session import Aws
from rollout.lock import TTL_SECONDS
from tests.functional.harness import TIMEOUT, CommandLine, answer, eventually, heard
from tests.functional.small_platform import ENV, REGION, Platform, parameter, value_of
from tests.functional.wire import Wire
from tests.simulated import Small, small_assembly, stackset

pytestmark = pytest.mark.functional
STACKS = {"base": REGION, "one": REGION, "two": REGION, "beside": "us-east-1"}


@pytest.fixture
def platform(wire: Wire, account: str, tmp_path: Path) -> Platform:
    """A small platform behind the wire, planned."""
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    made = Platform(account=account, dist=tmp_path / "dist", line=line)
    made.build()
    assert made.plan().code == 3
    return made


def operations_of(aws: Aws, account: str, stack: str) -> list[str]:
    """How every operation on the stack began, oldest first."""
    client = aws.client("cloudformation", account_id=account, region=STACKS[stack])
    name = f"demo-{ENV}-{stack}"
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    begun = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
    return [e["ResourceStatus"] for e in reversed(events) if e["LogicalResourceId"] == name and e["ResourceStatus"] in begun]


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(TIMEOUT)


MOMENTS = {
    "before the base is executed": ("cloudformation", "ExecuteChangeSet", 0, False),
    "after the base was executed": ("cloudformation", "ExecuteChangeSet", 0, True),
    "while the base is made": ("cloudformation", "DescribeStackEvents", 0, True),
    "when the lock was taken": ("dynamodb", "PutItem", 1, True),
    "before the next change": ("dynamodb", "UpdateItem", 1, False),
    "before a real change set is made": ("cloudformation", "CreateChangeSet", 0, False),
    "after a real change set was made": ("cloudformation", "CreateChangeSet", 0, True),
    "after the second was executed": ("cloudformation", "ExecuteChangeSet", 1, True),
    "after the last was executed": ("cloudformation", "ExecuteChangeSet", 3, True),
    "before the lock is given back": ("dynamodb", "DeleteItem", 0, False),
    "before it is remembered": ("s3", "PutObject", 0, False),
}


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: m.replace(" ", "-"))
def test_killed_and_run_again(platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]], moment: str) -> None:
    service, operation, after, done = MOMENTS[moment]
    held = wire.hold(service, operation, after=after, done=done)
    first = platform.start("--yes")
    processes.append(first)
    held.wait()
    kill(first)
    held.release()

    again = platform.apply("--yes")

    assert again.code == 0, again
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"
    assert value_of(aws, platform.account, "/demo/beside", "us-east-1") == "b"
    assert {stack: operations_of(aws, platform.account, stack) for stack in STACKS} == {stack: ["CREATE_IN_PROGRESS"] for stack in STACKS}
    assert "is free" in platform.unlock().stdout
    assert platform.plan().code == 0
    waiting = [s["StackName"] for s in all_stacks(aws, platform.account) if s["StackStatus"] == "REVIEW_IN_PROGRESS"]
    assert waiting == []


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_killed_again_and_again_it_gets_a_little_further_each_time(
    platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]], done: bool
) -> None:
    for requests in (3, 10, 12, 16, 14):
        held = wire.hold("cloudformation", "*", after=requests, done=done)
        running = platform.start("--yes")
        processes.append(running)
        held.wait()
        kill(running)
        held.release()

    assert platform.apply("--yes").code == 0

    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"
    assert {stack: operations_of(aws, platform.account, stack) for stack in STACKS} == {stack: ["CREATE_IN_PROGRESS"] for stack in STACKS}
    assert platform.plan().code == 0


def test_killed_and_planned_again_nothing_of_the_first_plan_is_left(
    platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]]
) -> None:
    held = wire.hold("cloudformation", "CreateChangeSet", done=True)
    first = platform.start("--yes")
    processes.append(first)
    held.wait()
    kill(first)
    held.release()
    assert any(s["StackName"] == f"demo-{ENV}-two" for s in all_stacks(aws, platform.account))
    platform.build(one="2")

    assert platform.plan("--only", "base").code == 0

    assert {s["StackName"] for s in all_stacks(aws, platform.account)} == {f"demo-{ENV}-{stack}" for stack in ("base", "one", "beside")}
    assert platform.apply("--yes").code == 0
    assert value_of(aws, platform.account, "/demo/two") == "2 fixed"


def all_stacks(aws: Aws, account: str) -> list[dict[str, str]]:
    return [
        s
        for region in (REGION, "us-east-1")
        for s in aws.client("cloudformation", account_id=account, region=region).describe_stacks()["Stacks"]
    ]


WAITING = {
    "Wait": {
        "Type": "AWS::CloudFormation::WaitCondition",
        "CreationPolicy": {"ResourceSignal": {"Count": 1, "Timeout": "PT1H"}},
    }
}
"""A resource that is made when the test says so."""


def signalled(aws: Aws, account: str) -> None:
    client = aws.client("cloudformation", account_id=account, region=REGION)
    client.signal_resource(StackName=f"demo-{ENV}-one", LogicalResourceId="Wait", UniqueId="test", Status="SUCCESS")


def until_busy(aws: Aws, account: str) -> None:
    client = aws.client("cloudformation", account_id=account, region=REGION)

    def waits() -> bool:
        events = client.describe_stack_events(StackName=f"demo-{ENV}-one")["StackEvents"] if exists(aws, account) else []
        return any(e["LogicalResourceId"] == "Wait" for e in events)

    eventually(waits)


def exists(aws: Aws, account: str) -> bool:
    return any(s["StackName"] == f"demo-{ENV}-one" and s["StackStatus"] != "REVIEW_IN_PROGRESS" for s in all_stacks(aws, account))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["ctrl-c", "sigterm", "sigkill"])
def test_interrupted_while_a_stack_runs_the_next_apply_follows_it(
    platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    platform.build(more=WAITING)
    assert platform.plan().code == 3
    running = platform.start("--yes")
    processes.append(running)
    until_busy(aws, platform.account)
    running.send_signal(number)
    out, err = running.communicate()

    if number != signal.SIGKILL:
        assert running.returncode == 130, out + err
        assert "still running at AWS, which goes on without us: demo-test-one" in out
        assert "next: python deploy.py apply --env test" in out
        assert "Interrupted after" in out
        assert "two: not started" in out
        assert "is free" in platform.unlock().stdout
    assert "Traceback" not in err

    again = platform.start("--yes")
    processes.append(again)
    said = heard(again, "one: following")
    assert again.poll() is None
    signalled(aws, platform.account)
    out, err = again.communicate()

    assert again.returncode == 0, out + said + err
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"
    assert {stack: operations_of(aws, platform.account, stack) for stack in STACKS} == {stack: ["CREATE_IN_PROGRESS"] for stack in STACKS}


def test_a_lock_whose_holder_died_elsewhere_is_free_once_it_has_expired(platform: Platform, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    table = aws.client("dynamodb", account_id=platform.account, region=REGION)
    item = {
        "LockID": {"S": f"demo/{ENV}"},
        "Id": {"S": "0" * 32},
        "Owner": {"S": "arn:aws:iam::123456789012:user/somebody"},
        "Host": {"S": "elsewhere"},
        "Since": {"N": str(int(time.time()) - 60)},
        "Expires": {"N": str(int(time.time()) + TTL_SECONDS)},
    }
    platform.build(one="2")
    table.put_item(TableName=f"locks-{platform.account}", Item=item)
    refused = platform.apply("--yes")
    assert refused.code == 1, refused
    assert "user/somebody on elsewhere" in refused.stderr

    table.put_item(TableName=f"locks-{platform.account}", Item=item | {"Expires": {"N": str(int(time.time()) - 1)}})
    assert platform.apply("--yes").code == 0
    assert value_of(aws, platform.account, "/demo/one") == "2"


SET_MOMENTS = {
    "before the set is made": ("CreateStackSet", False),
    "after the set was made": ("CreateStackSet", True),
    "before its instances are made": ("CreateStackInstances", False),
    "after its instances were begun": ("CreateStackInstances", True),
    "while its instances are made": ("ListStackSetOperationResults", False),
}


@pytest.mark.parametrize("moment", SET_MOMENTS, ids=lambda m: m.replace(" ", "-"))
def test_a_stackset_killed_and_run_again_has_every_instance_once(
    wire: Wire, aws: Aws, account: str, tmp_path: Path, processes: list[subprocess.Popen[str]], moment: str
) -> None:
    operation, done = SET_MOMENTS[moment]
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    platform = Platform(account=account, dist=tmp_path / "dist", line=line)
    build_with_set(platform, "v1")
    assert platform.plan().code == 3
    held = wire.hold("cloudformation", operation, done=done)
    first = platform.start("--yes")
    processes.append(first)
    held.wait()
    kill(first)
    held.release()

    again = platform.apply("--yes")

    assert again.code == 0, again
    assert [value_of(aws, account, "/demo/set", region) for region in ("us-east-1", "eu-west-1")] == ["v1", "v1"]
    assert worked_on(aws, account, "CREATE") == ["eu-west-1", "us-east-1"]
    assert platform.plan().code == 0

    build_with_set(platform, "v2")
    assert platform.apply("--yes").code == 0
    assert [value_of(aws, account, "/demo/set", region) for region in ("us-east-1", "eu-west-1")] == ["v2", "v2"]
    assert worked_on(aws, account, "CREATE") == ["eu-west-1", "us-east-1"]
    assert worked_on(aws, account, "UPDATE") == ["eu-west-1", "us-east-1"]


def worked_on(aws: Aws, account: str, action: str) -> list[str]:
    """Regions in which an operation with that action did its work, once for each time."""
    client = aws.client("cloudformation", account_id=account, region=REGION)
    name = f"demo-{ENV}-set"
    found = [o for o in client.list_stack_set_operations(StackSetName=name)["Summaries"] if o["Action"] == action]
    assert {o["Status"] for o in found} == {"SUCCEEDED"}
    results = [client.list_stack_set_operation_results(StackSetName=name, OperationId=o["OperationId"])["Summaries"] for o in found]
    return sorted(r["Region"] for summaries in results for r in summaries)


def build_with_set(platform: Platform, value: str, *, fails: bool = False) -> None:
    from tests.functional.small_platform import base

    roles = {
        "Administration": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "admin",
                "AssumeRolePolicyDocument": {
                    "Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}]
                },
            },
        },
        "Execution": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "execution",
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {"Effect": "Allow", "Principal": {"AWS": {"Fn::GetAtt": ["Administration", "Arn"]}}, "Action": "sts:AssumeRole"}
                    ]
                },
            },
        },
    }
    template = {"Resources": {"Parameter": parameter("/demo/set", value)}}
    if fails:
        template["Resources"]["Bucket"] = {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": f"artifacts-{platform.account}"},
        }
    target = stackset("us-east-1", "eu-west-1", accounts=(platform.account,))
    assembly, templates = small_assembly(
        Small(id="base", template=base(platform.account, **roles), more={"capabilities": ("CAPABILITY_NAMED_IAM",)}),
        Small(id="set", template=template, depends_on=("base",), more={"stackset": target}),
        environment=ENV,
    )
    platform.write(assembly, templates)


def test_an_operation_that_ends_with_failed_instances_is_a_failure(wire: Wire, aws: Aws, account: str, tmp_path: Path) -> None:
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    platform = Platform(account=account, dist=tmp_path / "dist", line=line)
    build_with_set(platform, "v1", fails=True)

    failed = platform.apply("--yes", "--json")

    assert failed.code == 1, failed
    outcome = next(s for s in answer(failed.stdout)["stacks"] if s["stack"] == "set")
    assert outcome["result"] == "failed"
    assert outcome["instances"][0]["region"] == "us-east-1"
    assert outcome["instances"][0]["status"] == "FAILED"
    assert outcome["message"].startswith(f"{account} us-east-1: ")

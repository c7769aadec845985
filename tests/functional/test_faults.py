"""Faults at the wire under real command lines, over botocore's own retries: each ends right or with words, and nothing is done twice."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from assembly import files
from aws.session import Aws, Settings, StaticCredentials
from gateways.by_place import Gateways
from planning.model import Options
from planning.plan import make_plan
from planning.request import Request
from templates.schemas import bundled
from tests.functional import wire as w
from tests.functional.harness import SECRET, CommandLine, Ended, answer
from tests.functional.small_platform import ENV, REGION, Platform, value_of
from tests.functional.wire import Exchange, Wire

pytestmark = pytest.mark.functional

STACKS = {"base": REGION, "one": REGION, "two": REGION, "beside": "us-east-1"}


@pytest.fixture
def platform(wire: Wire, account: str, tmp_path: Path) -> Platform:
    """A small platform behind the wire."""
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    made = Platform(account=account, dist=tmp_path / "dist", line=line)
    made.build()
    return made


def spoken(ended: Ended) -> str:
    """All that was said; never a traceback."""
    assert "Traceback" not in ended.stderr + ended.stdout, ended
    return ended.stdout + ended.stderr


def begun(aws: Aws, account: str) -> dict[str, list[str]]:
    """How every operation on every stack began: what CloudFormation itself did, and how often."""
    found = {}
    for stack, region in STACKS.items():
        name = f"demo-{ENV}-{stack}"
        client = aws.client("cloudformation", account_id=account, region=region)
        events = client.describe_stack_events(StackName=name)["StackEvents"]
        begins = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
        found[stack] = [e["ResourceStatus"] for e in reversed(events) if e["LogicalResourceId"] == name and e["ResourceStatus"] in begins]
    return found


def left(aws: Aws, account: str) -> list[str]:
    """Change sets that wait, and stacks that hold nothing else."""
    found = []
    for region in dict.fromkeys(STACKS.values()):
        client = aws.client("cloudformation", account_id=account, region=region)
        for stack in client.describe_stacks()["Stacks"]:
            found += [stack["StackName"]] if stack["StackStatus"] == "REVIEW_IN_PROGRESS" else []
            summaries = client.list_change_sets(StackName=stack["StackName"])["Summaries"]
            found += [s["ChangeSetName"] for s in summaries if s["ExecutionStatus"] != "EXECUTE_COMPLETE"]
    return found


def settled(platform: Platform, aws: Aws) -> None:
    """Everything stands, each stack was made once, nothing is left, and there is nothing more to do."""
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"
    assert value_of(aws, platform.account, "/demo/beside", "us-east-1") == "b"
    assert begun(aws, platform.account) == {stack: ["CREATE_IN_PROGRESS"] for stack in STACKS}
    again = platform.plan()
    assert again.code == 0, again
    assert left(aws, platform.account) == []
    assert "is free" in platform.unlock().stdout


# --- ridden out -------------------------------------------------------------------------------------------------------

BURST = 2
"""Faults in a row, each of which costs a pause; botocore tries eight times."""


@pytest.mark.parametrize("fault", [w.throttled, w.dropped], ids=["throttled", "dropped"])
def test_bursts_against_every_call_are_ridden_out(platform: Platform, wire: Wire, aws: Aws, fault: w.Fault) -> None:
    rules = [
        wire.on("cloudformation", operation, fault, times=BURST)
        for operation in ("CreateChangeSet", "DescribeChangeSet", "DescribeStacks", "DescribeStackEvents", "DeleteChangeSet")
    ]
    rules += [wire.on("cloudformation", "ExecuteChangeSet", fault, after=1), wire.on("dynamodb", "*", fault)]
    rules += [wire.on("s3", "PutObject", fault), wire.on("sts", "GetCallerIdentity", fault)]

    done = platform.apply("--yes")

    assert done.code == 0, done
    spoken(done)
    assert all(rule.spoiled for rule in rules), rules
    settled(platform, aws)


LOST = {
    "create change set": ("cloudformation", "CreateChangeSet"),
    "execute change set": ("cloudformation", "ExecuteChangeSet"),
    "take the lock": ("dynamodb", "PutItem"),
    "give the lock back": ("dynamodb", "DeleteItem"),
    "delete change set": ("cloudformation", "DeleteChangeSet"),
    "remember": ("s3", "PutObject"),
}


@pytest.mark.parametrize("what", LOST, ids=lambda what: what.replace(" ", "-"))
def test_a_lost_answer_does_nothing_twice(platform: Platform, wire: Wire, aws: Aws, what: str) -> None:
    service, operation = LOST[what]
    rule = wire.on(service, operation, w.lost, times=2)

    done = platform.apply("--yes")

    assert done.code == 0, done
    assert rule.spoiled == min(2, rule.seen) and rule.spoiled, rule
    assert "warning" not in spoken(done).replace("warning: this is not AWS itself", "")
    settled(platform, aws)


def test_an_answer_that_breaks_off_is_asked_for_again(platform: Platform, wire: Wire, aws: Aws) -> None:
    for operation in ("DescribeChangeSet", "GetTemplate", "DescribeStacks", "DescribeStackEvents"):
        wire.on("cloudformation", operation, w.truncated, times=2, after=1)
    assert platform.apply("--yes").code == 0
    settled(platform, aws)


def test_pages_that_break_off_and_pages_that_end_early_are_all_read(platform: Platform, wire: Wire, aws: Aws) -> None:
    """Two pages of changes where the local AWS gives one, the second breaking off at first."""

    def half(exchange: Exchange) -> None:
        answer = exchange.forward()
        asked = parse_qs(exchange.call.body.decode())
        members = re.findall(rb"<member>(?:(?!<member><Type>).)*</member>(?=<member><Type>|</Changes>)", answer.body, re.DOTALL)
        changes = re.search(rb"<Changes>(.*)</Changes>", answer.body, re.DOTALL)
        if changes is None or len(members) < 2:
            exchange.send(answer)
            return
        second = "NextToken" in asked
        kept = b"".join(members[1:]) if second else members[0] + b""
        token = b"" if second else b"<NextToken>two</NextToken>"
        body = answer.body.replace(changes[0], b"<Changes>" + kept + b"</Changes>" + token)
        exchange.send(w.Answer(answer.status, answer.headers, body), cut_to=len(body) // 2 if second and not cut else None)
        cut.extend([True] if second else [])

    cut: list[bool] = []
    wire.on("cloudformation", "DescribeChangeSet", half, times=1_000)
    plan = platform.plan("--json")
    assert plan.code == 3, plan
    assert cut
    resources = {s["stack"]: len(s["resources"]) for s in answer(plan.stdout)["plan"]["stacks"]}
    assert resources == {"base": 2, "one": 1, "two": 2, "beside": 1}


# --- not ridden out: words, and the same command again --------------------------------------------------------------------


def test_planning_that_is_throttled_for_good_says_so_and_leaves_nothing(platform: Platform, wire: Wire, aws: Aws) -> None:
    """In this process, with fewer attempts than the command line's, which takes a minute to give up."""
    rule = wire.on("cloudformation", "CreateChangeSet", w.throttled, times=10_000, after=1)
    assembly, templates = files.read(platform.dist / ENV)
    impatient = Aws(
        endpoint_url=wire.url,
        static_credentials=lambda account: StaticCredentials(access_key=account, secret_key=SECRET),
        settings=Settings(total_attempts=2),
    )
    request = Request(
        assembly=assembly, templates=templates, options=Options(), created_at="2026-01-01T00:00:00Z", created_by="test", nonce="0"
    )

    plan = make_plan(request, Gateways(impatient, sleep=time.sleep), bundled())

    assert plan.blocked
    refused = [f for f in plan.all_findings if "Rate exceeded" in f.message]
    assert refused and all(f.command == "run the same command again in a minute" for f in refused)
    assert rule.spoiled >= 2
    assert left(aws, platform.account) == []


MOMENTS = {
    "reading": ("cloudformation", "DescribeStacks", 0),
    "taking the lock": ("dynamodb", "PutItem", 0),
    "executing": ("cloudformation", "ExecuteChangeSet", 1),
    "remembering": ("s3", "PutObject", 0),
}


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.replace(" ", "-"))
def test_a_token_that_expires_is_said_and_the_same_command_goes_on(platform: Platform, wire: Wire, aws: Aws, moment: str) -> None:
    service, operation, after = MOMENTS[moment]
    rule = wire.on(service, operation, w.expired, times=10_000, after=after)

    cut = platform.apply("--yes")

    assert cut.code in (0, 1), cut
    assert "The security token included in the request is expired" in spoken(cut)
    assert (cut.code == 0) == (moment == "remembering")
    rule.times = 0
    again = platform.apply("--yes")
    assert again.code == 0, again
    settled(platform, aws)


def test_without_permission_to_execute_nothing_is_begun_and_the_rest_is_told(platform: Platform, wire: Wire, aws: Aws) -> None:
    rule = wire.on("cloudformation", "ExecuteChangeSet", w.denied, times=10_000, after=1)

    refused = platform.apply("--yes")

    assert refused.code == 1, refused
    assert "AccessDenied: User is not authorized to perform: cloudformation:ExecuteChangeSet" in spoken(refused)
    assert "next: python deploy.py doctor --env test" in spoken(refused)
    rule.times = 0
    assert platform.apply("--yes").code == 0
    settled(platform, aws)


def test_nothing_is_repeated_that_was_answered(platform: Platform, wire: Wire, aws: Aws) -> None:
    """The floor of the tests above: without faults, one request for each change."""
    assert platform.apply("--yes").code == 0
    counted: Counter[Any] = Counter(wire.operations("cloudformation"))
    assert counted["ExecuteChangeSet"] == len(STACKS)
    settled(platform, aws)

"""Apply over HTTP, as a process: what is deployed, what is refused, and what is said about it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from aws.s3 import S3
from aws.session import Aws
from rollout import history
from tests.functional import wire as w
from tests.functional.harness import CommandLine, answer
from tests.functional.small_platform import REGION, Platform, value_of
from tests.functional.wire import Wire

pytestmark = pytest.mark.functional


@pytest.fixture
def platform(wire: Wire, account: str, tmp_path: Path) -> Platform:
    """A small platform behind the wire."""
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    made = Platform(account=account, dist=tmp_path / "dist", line=line)
    made.build()
    return made


def executions(wire: Wire) -> int:
    return wire.operations("cloudformation").count("ExecuteChangeSet")


def test_the_first_deployment_needs_no_lock_table_and_the_second_has_nothing_to_do(platform: Platform, wire: Wire, aws: Aws) -> None:
    first = platform.apply("--yes")

    assert first.code == 0, first
    assert "base makes the lock table, so it is applied first and without the lock" in first.stderr
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"
    assert value_of(aws, platform.account, "/demo/beside", "us-east-1") == "b"
    assert " 4 applied.\n" in first.stdout
    assert not platform.saved.exists()
    operations = [(c.service, c.operation) for c in wire.calls]
    base_done = operations.index(("cloudformation", "ExecuteChangeSet"))
    lock_taken = len(operations) - operations[::-1].index(("dynamodb", "PutItem")) - 1
    assert base_done < lock_taken < [i for i, o in enumerate(operations) if o == ("cloudformation", "ExecuteChangeSet")][1]
    assert "is free" in platform.unlock().stdout

    again = platform.apply("--yes")
    assert (again.code, executions(wire)) == (0, 4), again
    assert "no changes" in again.stdout


def test_an_update_runs_what_was_planned_and_is_remembered(platform: Platform, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    platform.build(one="2")
    plan = platform.plan("--json")
    assert plan.code == 3, plan
    digest = json.loads(platform.saved.read_text())["digest"]

    done = platform.apply("--yes", "--plan-digest", digest, "--json")

    assert done.code == 0, done
    result = answer(done.stdout)
    assert {s["stack"]: s["result"] for s in result["stacks"]} == {
        "base": "unchanged",
        "one": "succeeded",
        "two": "succeeded",
        "beside": "unchanged",
    }
    assert value_of(aws, platform.account, "/demo/two") == "2 fixed"
    bucket = S3.connect(aws, account_id=platform.account, region=REGION)
    records = history.records(bucket, f"artifacts-{platform.account}", "test")
    assert [(r.result, r.plan_digest == digest) for r in records] == [("succeeded", True), ("succeeded", False)]
    kept = history.fetch(bucket, f"artifacts-{platform.account}", records[0].assembly_digest)
    assert kept["assembly.json"] == (platform.dist / "test" / "assembly.json").read_bytes()


def test_a_failure_names_its_cause_leaves_the_rest_and_says_what_to_type(platform: Platform, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    name = f"clash-{platform.account}"
    platform.build(one="2", more={"Clash": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}})
    assert platform.plan().code == 3
    # Since the plan looked.
    aws.client("s3", account_id=platform.account, region=REGION).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )

    failed = platform.apply("--yes")

    assert failed.code == 1, failed
    assert "one: failed (UPDATE_ROLLBACK_COMPLETE): Clash (AWS::S3::Bucket): " in failed.stdout, failed
    assert "it is back in its state before the update" in failed.stdout
    assert "two: not started" in failed.stdout
    assert "next: python deploy.py plan --env test" in failed.stdout
    assert value_of(aws, platform.account, "/demo/one") == "1"
    assert "Traceback" not in failed.stderr

    again = platform.apply("--yes")
    assert again.code == 1, again
    assert name in again.stdout, "the next plan sees it"
    platform.build(one="2")
    assert platform.plan().code == 3
    assert platform.apply("--yes").code == 0
    assert value_of(aws, platform.account, "/demo/two") == "2 fixed"


def test_a_stale_plan_is_refused_and_says_what_moved(platform: Platform, wire: Wire, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    platform.build(beside="c")
    assert platform.plan().code == 3
    client = aws.client("cloudformation", account_id=platform.account, region="us-east-1")
    template = {
        "Resources": {"Beside": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/demo/beside", "Type": "String", "Value": "x"}}}
    }
    client.update_stack(StackName="demo-test-beside", TemplateBody=json.dumps(template))
    wire.calls.clear()

    refused = platform.apply("--yes")

    assert refused.code == 3, refused
    assert "demo-test-beside (us-east-1" in refused.stderr
    assert "when it was planned, and is" in refused.stderr
    assert "next: python deploy.py plan --env test" in refused.stderr
    assert executions(wire) == 0


def test_a_plan_for_another_assembly_digest_or_aws_is_refused(platform: Platform, wire: Wire) -> None:
    assert platform.plan().code == 3
    digest = json.loads(platform.saved.read_text())["digest"]
    other = platform.apply("--yes", "--plan-digest", "0" * 64)
    assert (other.code, executions(wire)) == (2, 0), other
    assert digest in other.stderr

    platform.build(one="2")
    stale = platform.apply("--yes")
    assert stale.code == 2, stale
    assert "the assembly has been built again" in stale.stderr

    edited = json.loads(platform.saved.read_text())
    edited["protected"] = True
    platform.saved.write_text(json.dumps(edited))
    assert "changed since it was made" in platform.apply("--yes").stderr
    assert executions(wire) == 0


def test_a_change_set_that_is_gone_is_not_made_again(platform: Platform, wire: Wire, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    platform.build(beside="c")
    assert platform.plan().code == 3
    saved = json.loads(platform.saved.read_text())
    arn = next(s["change_set"]["arn"] for s in saved["stacks"] if s["stack"] == "beside")
    aws.client("cloudformation", account_id=platform.account, region="us-east-1").delete_change_set(
        ChangeSetName=arn, StackName="demo-test-beside"
    )
    wire.calls.clear()

    refused = platform.apply("--yes")

    assert (refused.code, executions(wire)) == (3, 0), refused
    assert "is gone" in refused.stderr


def test_without_a_terminal_nothing_is_applied_unasked(platform: Platform, wire: Wire) -> None:
    assert platform.plan().code == 3
    asked = platform.apply()
    assert (asked.code, executions(wire)) == (2, 0), asked
    assert f"next: python deploy.py apply --env test --dist {platform.dist} --yes" in asked.stderr


def test_a_protected_environment_is_applied_by_the_digest_that_was_reviewed(wire: Wire, account: str, tmp_path: Path) -> None:
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    platform = Platform(account=account, dist=tmp_path / "dist", line=line, protected=True)
    policy = {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    platform.build(base={"termination_protection": True, "stack_policy": json.dumps(policy)})
    assert platform.plan().code == 3
    digest = json.loads(platform.saved.read_text())["digest"]

    yes, wrong = platform.apply("--yes"), platform.apply("--approve", "0" * 12)
    assert (yes.code, wrong.code, executions(wire)) == (2, 2, 0)
    assert f"--approve {digest[:12]}" in yes.stderr

    done = platform.apply("--approve", digest[:12])
    assert done.code == 0, done
    client = w_client(line, wire)
    described = client.describe_stacks(StackName="demo-test-base")["Stacks"][0]
    assert described["EnableTerminationProtection"] is True
    assert json.loads(client.get_stack_policy(StackName="demo-test-base")["StackPolicyBody"]) == policy


def w_client(line: CommandLine, wire: Wire):  # type: ignore[no-untyped-def]
    import boto3

    return boto3.client(
        "cloudformation", region_name=REGION, endpoint_url=wire.url, aws_access_key_id=line.account_id, aws_secret_access_key=line.secret
    )


def test_two_applies_at_once_one_of_them_says_who_holds_the_lock(
    platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]]
) -> None:
    assert platform.apply("--yes").code == 0
    platform.build(one="2")
    assert platform.plan().code == 3
    held = wire.hold("cloudformation", "ExecuteChangeSet")
    first = platform.start("--yes")
    processes.append(first)
    held.wait()

    second = platform.apply("--yes")
    assert second.code == 1, second
    assert f"the lock demo/test is held by arn:aws:iam::{platform.account}:root on " in second.stderr
    assert f"process {first.pid}" in second.stderr
    assert f"next: python deploy.py unlock --env test --dist {platform.dist}\n" in second.stderr

    held.release()
    out, err = first.communicate()
    assert first.returncode == 0, out + err
    assert value_of(aws, platform.account, "/demo/two") == "2 fixed"


def test_two_first_deployments_at_once_make_every_stack_once(
    platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]]
) -> None:
    assert platform.plan().code == 3
    held = wire.hold("cloudformation", "ExecuteChangeSet", done=True)
    first = platform.start("--yes")
    processes.append(first)
    held.wait()

    second = platform.apply("--yes")
    held.release()
    out, err = first.communicate()

    assert second.code == 0, second
    assert first.returncode == 0, out + err
    assert executions(wire) == 4
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"


def test_of_two_plans_for_a_first_deployment_only_the_later_one_is_applied(
    platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    other = Platform(account=platform.account, dist=tmp_path / "other", line=platform.line)
    other.build()
    assert (platform.plan().code, other.plan().code) == (3, 3)
    held = wire.hold("cloudformation", "ExecuteChangeSet", done=True)
    first = other.start("--yes")
    processes.append(first)
    held.wait()

    second = platform.apply("--yes")
    held.release()
    out, err = first.communicate()

    assert second.code == 3, second
    assert "demo-test-base (eu-west-1" in second.stderr
    assert first.returncode == 0, out + err
    assert executions(wire) == 4


def test_a_lock_that_is_taken_away_stops_before_the_next_stack(
    platform: Platform, wire: Wire, aws: Aws, processes: list[subprocess.Popen[str]]
) -> None:
    assert platform.apply("--yes").code == 0
    platform.build(one="2")
    assert platform.plan().code == 3
    held = wire.hold("cloudformation", "ExecuteChangeSet", done=True)
    running = platform.start("--yes")
    processes.append(running)
    held.wait()
    lock = answer(platform.unlock("--json").stdout)["holder"]["id"]
    assert platform.unlock("--lock-id", "f" * 32).code == 1
    assert platform.unlock("--lock-id", lock).code == 0
    wire.calls.clear()
    held.release()

    out, err = running.communicate()

    assert running.returncode == 1, out + err
    assert "the lock demo/test was removed with unlock" in out
    assert executions(wire) == 0
    assert (value_of(aws, platform.account, "/demo/one"), value_of(aws, platform.account, "/demo/two")) == ("2", "1 fixed")
    assert platform.apply("--yes").code == 0
    assert value_of(aws, platform.account, "/demo/two") == "2 fixed"


@pytest.mark.parametrize("fault", [w.throttled, w.unavailable, w.dropped, w.truncated], ids=["throttled", "503", "dropped", "truncated"])
def test_faults_on_the_wire_are_ridden_out(platform: Platform, wire: Wire, aws: Aws, fault: w.Fault) -> None:
    assert platform.plan().code == 3
    for operation in ("DescribeStacks", "DescribeStackEvents", "DescribeChangeSet"):
        wire.on("cloudformation", operation, fault, times=2, after=3)
    wire.on("dynamodb", "PutItem", fault)

    done = platform.apply("--yes")

    assert done.code == 0, done
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"


def test_a_lost_answer_to_an_execution_is_settled_by_asking(platform: Platform, wire: Wire, aws: Aws) -> None:
    assert platform.plan().code == 3
    rule = wire.on("cloudformation", "ExecuteChangeSet", w.lost, times=1)

    done = platform.apply("--yes")

    assert (done.code, rule.spoiled) == (0, 1), done
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"


def test_credentials_that_run_out_in_the_middle_are_said_and_the_same_command_goes_on(platform: Platform, wire: Wire, aws: Aws) -> None:
    assert platform.plan().code == 3
    rule = wire.on("cloudformation", "DescribeStackEvents", w.expired, times=100)

    cut = platform.apply("--yes")

    assert cut.code == 1, cut
    assert "expired" in cut.stdout
    assert "still running at AWS, which goes on without us: demo-test-base" in cut.stdout
    assert "Traceback" not in cut.stderr
    rule.times = 0
    again = platform.apply("--yes")
    assert again.code == 0, again
    assert executions(wire) == 4
    assert value_of(aws, platform.account, "/demo/two") == "1 fixed"

"""Runbooks followed: something is broken, the runbook is printed, what it says is typed, and it is whole again."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from aws.session import Aws
from tests.functional import frontend
from tests.functional.frontend import Deployed
from tests.functional.harness import CommandLine, Ended

pytestmark = pytest.mark.functional


def commands_of(runbook: str) -> list[str]:
    """The lines to type."""
    return [line.strip() for line in runbook.split("\n") if re.match(r" {4,}(python|aws) ", line)]


def heading(runbook: str, name: str) -> str:
    return runbook.partition(f"## {name}\n")[2].partition("\n## ")[0]


def test_a_bad_release_is_taken_back_by_its_runbook(aws: Aws, account: str, tmp_path: Path, command_line: CommandLine) -> None:
    dev: Deployed = frontend.deployed(aws, tmp_path / "dist", "dev", account, foundation=False)
    app = frontend.built(tmp_path / "app")
    where = ("--env", "dev", "--dist", str(dev.dist))
    s3 = aws.client("s3", account_id=account, region=dev.assembly.home_region)

    def page() -> bytes:
        return bytes(s3.get_object(Bucket=dev.bucket, Key="index.html")["Body"].read())

    def typed(command: str) -> Ended:
        """A person answers yes; here is nobody to ask."""
        program, script, *arguments = shlex.split(command)
        assert (program, script) == ("python", "deploy.py")
        return command_line.deploy(*arguments, *(("--yes",) if arguments[0] == "rollback-release" else ()))

    assert command_line.deploy("publish", *where, "--content", str(app), "--yes").code == 0
    good = page()
    frontend.rebuilt(app, "a release that does not work")
    assert command_line.deploy("publish", *where, "--content", str(app), "--yes").code == 0
    assert page() != good

    printed = command_line.deploy("runbook", "roll-back-release", *where)

    assert printed.code == 0, printed
    assert "could not be asked" not in printed.stderr
    look, do = commands_of(heading(printed.stdout, "Us or AWS")), commands_of(heading(printed.stdout, "What to do"))
    assert typed(look[0]).code == 0
    back = [command for command in do if "rollback-release" in command]
    ended = typed(back[0])
    assert ended.code == 0, ended
    assert page() == good
    assert all(" verify " in command for command in do if command not in back), (
        "only a look from outside is left, for which there is no DNS here"
    )


def test_an_alarm_that_is_on_leads_to_its_runbook(aws: Aws, account: str, tmp_path: Path, command_line: CommandLine) -> None:
    dev = frontend.deployed(aws, tmp_path / "dist", "dev", account, foundation=False)
    where = ("--env", "dev", "--dist", str(dev.dist))
    watch = aws.client("cloudwatch", account_id=account, region="us-east-1")
    name = f"{dev.assembly.project}-dev-OriginLatency"
    alarm = {
        "AlarmName": name,
        "Namespace": "AWS/CloudFront",
        "MetricName": "OriginLatency",
        "ExtendedStatistic": "p90",
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": 3000,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    template = {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm}}}
    formation = aws.client("cloudformation", account_id=account, region="us-east-1")
    formation.create_stack(StackName="watch", TemplateBody=json.dumps(template))
    formation.get_waiter("stack_create_complete").wait(StackName="watch", WaiterConfig={"Delay": 1})
    watch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")

    listed = command_line.deploy("runbook", *where)

    assert listed.code == 0, listed
    first = listed.stdout.split("\n")[0]
    assert first.startswith("site-slow ") and first.endswith(f"<< {name} is on")
    shown = command_line.deploy("runbook", "site-slow", *where)
    assert f"{name} (is ALARM)" in shown.stdout
    broken = command_line.deploy("runbook", "site-slw", *where)
    assert broken.code == 2
    assert "site-slow" in broken.stderr


def test_a_runbook_is_there_without_credentials(tmp_path: Path, command_line: CommandLine, account: str) -> None:
    frontend.write(frontend.synthesised("prod", account), tmp_path / "dist")
    nobody = CommandLine(home=tmp_path, endpoint_url=command_line.endpoint_url)

    shown = nobody.deploy("runbook", "site-down", "--env", "prod", "--dist", str(tmp_path / "dist"))

    assert shown.code == 0, shown
    assert "AWS could not be asked" in shown.stderr
    assert commands_of(shown.stdout)

"""`deploy.py plan` as a process over HTTP: what it shows, what waits at CloudFormation afterwards, and that nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assembly import files
from aws.session import Aws
from tests.functional.harness import CommandLine, answer, eventually
from tests.simulated import Small, output, small_assembly

pytestmark = pytest.mark.functional

REGIONS = ("eu-west-1", "us-east-1")
ALARMS = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "demo-alarms"}}},
    "Outputs": {"TopicArn": {"Value": {"Ref": "Topic"}}},
}


def site(name: str) -> dict[str, Any]:
    return {
        "Parameters": {"TopicArn": {"Type": "String", "AllowedPattern": "arn:aws:sns:us-east-1:[0-9]{12}:.+"}},
        "Resources": {
            "Parameter": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": name, "Type": "String", "Value": {"Ref": "TopicArn"}},
            },
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"demo-{name.strip('/')}"}},
        },
    }


def write(dist: Path, account: str, name: str) -> None:
    assembly, templates = small_assembly(
        Small(id="alarms", region="us-east-1", template=ALARMS),
        Small(
            id="site",
            template=site(name),
            parameters=(output("TopicArn", "alarms", "TopicArn"),),
            depends_on=("alarms",),
        ),
        account_id=account,
    )
    files.write(dist / "test", files.files_of(assembly, {s.template.file: templates[s.id] for s in assembly.stacks}))


def organized(aws: Aws, account: str) -> None:
    """What the foundation of an organization makes, which is none of the stacks here."""
    bucket = {"LocationConstraint": "eu-west-1"}
    aws.client("s3", account_id=account, region="eu-west-1").create_bucket(Bucket="demo-artifacts", CreateBucketConfiguration=bucket)
    aws.client("dynamodb", account_id=account, region="eu-west-1").create_table(
        TableName="demo-locks",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
    )


def left(aws: Aws, account: str) -> list[str]:
    """Change sets, and stacks that are only under review."""
    found = []
    for region in REGIONS:
        client = aws.client("cloudformation", account_id=account, region=region)
        for stack in client.describe_stacks()["Stacks"]:
            found += [stack["StackName"]] if stack["StackStatus"] == "REVIEW_IN_PROGRESS" else []
            summaries = client.list_change_sets(StackName=stack["StackName"])["Summaries"]
            found += [s["ChangeSetId"] for s in summaries if s["ExecutionStatus"] != "EXECUTE_COMPLETE"]
    return sorted(found)


def execute(aws: Aws, account: str, review: dict[str, Any]) -> None:
    for stack in review["plan"]["stacks"]:
        if stack["change_set"] is not None:
            client = aws.client("cloudformation", account_id=account, region=stack["region"])
            client.execute_change_set(ChangeSetName=stack["change_set"]["arn"], StackName=stack["change_set"]["stack_arn"])

            def executed(name: str = stack["stack_name"], client: Any = client) -> bool:
                return client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

            eventually(executed)


def test_from_nothing_to_no_changes(command_line: CommandLine, aws: Aws, account: str, tmp_path: Path) -> None:
    organized(aws, account)
    write(tmp_path, account, f"/{account}-a")

    def plan(*more: str) -> tuple[int, dict[str, Any]]:
        ended = command_line.deploy("plan", "--env", "test", "--dist", str(tmp_path), "--json", *more)
        assert "Traceback" not in ended.stderr, ended
        return ended.code, answer(ended.stdout)

    code, first = plan()
    assert code == 3
    alarms, site = first["plan"]["stacks"]
    assert site["waits_for"] == ["alarms.TopicArn"] and site["change_set"] is None
    assert left(aws, account) == sorted([alarms["change_set"]["arn"], alarms["stack_name"]])

    code, second = plan()
    assert code == 3
    assert left(aws, account) == sorted([second["plan"]["stacks"][0]["change_set"]["arn"], alarms["stack_name"]])
    execute(aws, account, second)

    code, third = plan()
    alarms, site = third["plan"]["stacks"]
    assert (code, alarms["operation"], site["operation"], site["waits_for"]) == (3, "none", "create", [])
    execute(aws, account, third)

    code, fourth = plan()
    assert (code, [s["operation"] for s in fourth["plan"]["stacks"]]) == (0, ["none", "none"])
    assert left(aws, account) == []

    write(tmp_path, account, f"/{account}-b")
    code, fifth = plan("--only", "site")
    assert code == 3
    resources = {r["logical_id"]: r for r in fifth["plan"]["stacks"][1]["resources"]}
    assert resources["Bucket"]["replacement"] == {"because": ["BucketName"], "by": "schema", "verdict": "yes"}
    assert resources["Parameter"]["properties"][0]["before"] == {"is": "known", "text": f"/{account}-a"}
    assert fifth["summary"]["data_at_risk"][0]["lost"] is True
    text = command_line.deploy("plan", "--env", "test", "--dist", str(tmp_path))
    assert text.code == 3 and "its objects WILL BE LOST" in text.stdout and "\x1b[" not in text.stdout


def test_nothing_is_made_in_another_account_than_the_assemblys(
    command_line: CommandLine, aws: Aws, account: str, new_account: Any, tmp_path: Path
) -> None:
    other = new_account()
    write(tmp_path, other, f"/{other}-a")
    ended = command_line.deploy("plan", "--env", "test", "--dist", str(tmp_path))
    assert ended.code in (1, 3) and "Traceback" not in ended.stderr
    assert left(aws, account) == []

"""What somebody damaged, in the artifact bucket, the lock table or dist/: named, with the next command, and hiding nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws.session import Aws
from local_aws import prepare
from tests.functional.harness import CommandLine, Ended, answer
from tests.functional.small_platform import ENV, REGION, Platform

pytestmark = [pytest.mark.functional, pytest.mark.attack]

Verb = Callable[..., Ended]


@pytest.fixture
def platform(command_line: CommandLine, account: str, aws: Aws, tmp_path: Path) -> Platform:
    """A small platform, applied once."""
    made = Platform(account=account, dist=tmp_path / "dist", line=command_line)
    made.build()
    prepare.hosted_zone(aws, name="example.org", account_id=account)
    ended = made.apply("--yes")
    assert ended.code == 0, ended
    return made


@pytest.fixture
def verb(platform: Platform) -> Verb:
    return lambda name, *more: platform.line.deploy(name, "--env", ENV, "--dist", str(platform.dist), *more)


def clean(ended: Ended, code: int) -> Ended:
    assert ended.code == code, ended
    assert "Traceback" not in ended.stderr, ended
    return ended


def test_a_damaged_record_is_named_by_history_and_status_and_the_rest_is_shown(platform: Platform, verb: Verb, aws: Aws) -> None:
    s3: Any = aws.client("s3", account_id=platform.account, region=REGION)
    bucket = f"artifacts-{platform.account}"
    (found,) = s3.list_objects_v2(Bucket=bucket, Prefix=f"history/{ENV}/")["Contents"]
    (record,) = answer(clean(verb("history", "--json"), 0).stdout)
    s3.put_object(Bucket=bucket, Key=f"history/{ENV}/2099-01-01T00:00:00.000Z-000000000000.json", Body=b"{")
    for more in ((), ("--json",), ("--limit", "1")):
        ended = clean(verb("history", *more), 1)
        assert record["assembly_digest"][:12] in ended.stdout
        assert f"s3://{bucket}/history/{ENV}/2099-01-01T00:00:00.000Z-000000000000.json cannot be read" in ended.stderr
        assert f"aws s3api list-object-versions --bucket {bucket} --prefix history/" in ended.stderr
    ended = clean(verb("status"), 1)
    assert "2099-01-01T00:00:00.000Z-000000000000.json cannot be read" in ended.stdout
    assert f"before:  assembly {record['assembly_digest'][:12]}" in ended.stdout
    status = answer(clean(verb("status", "--json"), 1).stdout)
    assert status["deployed"]["assembly_digest"] == record["assembly_digest"]

    s3.put_object(Bucket=bucket, Key=found["Key"], Body=b"[]")
    for name in ("history", "status"):
        ended = clean(verb(name), 1)
        assert "nothing was applied" not in ended.stdout
        assert "nothing yet" not in ended.stdout
    ended = clean(verb("rollback", "--to", record["assembly_digest"][:12]), 2)
    assert "in any record that can be read (2 cannot)" in ended.stderr


@pytest.mark.parametrize(
    "item",
    [
        {"Since": {"S": "yesterday"}, "Expires": {"S": "never"}},
        {"Id": {"N": "7"}, "Since": {"N": "9e99"}, "Expires": {"N": "9e99"}},
        {"Id": {"S": "x"}, "Expires": {"M": {}}, "Owner": {"BOOL": True}},
        {},
    ],
)
def test_a_damaged_lock_is_told_and_can_be_removed(platform: Platform, verb: Verb, aws: Aws, item: dict[str, Any]) -> None:
    table = f"locks-{platform.account}"
    dynamodb: Any = aws.client("dynamodb", account_id=platform.account, region=REGION)
    dynamodb.put_item(TableName=table, Item={"LockID": {"S": "demo/test"}, **item})
    remove = f'aws dynamodb delete-item --table-name {table} --key \'{{"LockID": {{"S": "demo/test"}}}}\''
    assert remove in clean(verb("unlock"), 0).stdout
    platform.build(one="2")
    assert verb("plan").code == 3
    assert remove in clean(verb("apply", "--yes"), 1).stderr
    clean(verb("doctor"), 1)
    clean(verb("status"), 0)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"format": 1}', b'{"format": 1, "x": ' + b"[" * 100_000, b'{"format": 1e999}'])
def test_a_damaged_plan_or_assembly_is_refused_in_words(platform: Platform, verb: Verb, body: bytes) -> None:
    (platform.dist / ENV / "plan.json").write_bytes(body)
    ended = clean(verb("apply", "--yes"), 2)
    assert "plan.json" in ended.stderr
    assert "next: python deploy.py plan" in ended.stderr
    (platform.dist / ENV / "assembly.json").write_bytes(body)
    ended = clean(verb("plan"), 2)
    assert "assembly.json" in ended.stderr
    assert "python build.py --env" in ended.stderr


def test_a_damaged_kept_assembly_is_refused_in_words(platform: Platform, verb: Verb, aws: Aws) -> None:
    s3: Any = aws.client("s3", account_id=platform.account, region=REGION)
    (record,) = answer(verb("history", "--json").stdout)
    before = {path.name: path.read_bytes() for path in (platform.dist / ENV).iterdir()}
    for body in (b"", b"[" * 100_000, b'{"stacks": [{"template": {"file": "../../x"}}]}', b'{"stacks": []}'):
        s3.put_object(Bucket=f"artifacts-{platform.account}", Key=f"assemblies/{record['assembly_digest']}/assembly.json", Body=body)
        ended = clean(verb("rollback", "--to", record["assembly_digest"][:12]), 2)
        assert "next: python deploy.py history" in ended.stderr
    assert {path.name: path.read_bytes() for path in (platform.dist / ENV).iterdir()} == before

"""The logs of the local AWS: regions and access logs merged by time, through the real command line."""

from __future__ import annotations

import gzip
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws.session import Aws
from tests.functional import frontend
from tests.functional.frontend import Deployed
from tests.functional.harness import TIMEOUT, CommandLine

pytestmark = pytest.mark.functional
GROUP = "/aws/lambda/us-east-1.kimmyai-web-dev-basic-auth"


@pytest.fixture
def dev(aws: Aws, account: str, tmp_path: Path) -> Deployed:
    """With Basic Auth, so with an edge function; the monitoring stack stands for itself, with its bucket alone."""
    site = frontend.deployed(aws, tmp_path / "dist", "dev", account, basic_auth={"enabled": True})
    frontend.outputs_only(aws, site, "monitoring", AccessLogBucketName=f"logs-{account}", AccessLogPrefix="cloudfront")
    aws.client("s3", account_id=account, region="us-east-1").create_bucket(Bucket=f"logs-{account}")
    return site


def event(aws: Aws, account: str, region: str, moment: datetime, message: str) -> None:
    """One line of the edge function."""
    client = aws.client("logs", account_id=account, region=region)
    stream = f"s{moment.timestamp()}"
    if not client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    client.put_log_events(
        logGroupName=GROUP, logStreamName=stream, logEvents=[{"timestamp": int(moment.timestamp() * 1000), "message": message}]
    )


def request(aws: Aws, site: Deployed, moment: datetime, path: str, status: int) -> None:
    """One request in a file of its own, as CloudFront's standard logging writes it."""
    fields = {
        "date": f"{moment:%Y-%m-%d}",
        "time": f"{moment:%H:%M:%S}",
        "x-edge-location": "DUB2-P1",
        "cs-method": "GET",
        "cs-uri-stem": path,
        "sc-status": str(status),
        "x-edge-request-id": f"id-{moment.timestamp()}-{path}",
        "cs(User-Agent)": "evil\x1b[31m",
    }
    account = site.assembly.account_id
    key = f"cloudfront/{site.outputs['DistributionId']}/{moment:%Y/%m/%d/%H}/{moment.timestamp()}.gz"
    body = gzip.compress((json.dumps(fields) + "\n").encode())
    aws.client("s3", account_id=account, region="us-east-1").put_object(Bucket=f"logs-{account}", Key=key, Body=body)


def test_lines_of_all_sources_come_merged_by_time_and_filtered(aws: Aws, dev: Deployed, command_line: CommandLine) -> None:
    now, account = datetime.now(UTC).replace(microsecond=0), dev.assembly.account_id
    event(aws, account, "eu-west-1", now - timedelta(minutes=5), "refused: second")
    event(aws, account, "us-east-1", now - timedelta(minutes=9), "refused: first")
    event(aws, account, "us-east-1", now - timedelta(hours=3), "too old")
    request(aws, dev, now - timedelta(minutes=7), "/buy", 401)
    request(aws, dev, now - timedelta(minutes=3), "/assets/x.js", 200)
    base = ("logs", "--env", "dev", "--dist", str(dev.dist), "--json")
    ended = command_line.deploy(*base)
    assert ended.code == 0, ended
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(line["source"], line["where"]) for line in lines] == [
        ("edge", "us-east-1"),
        ("access", "DUB2-P1"),
        ("edge", "eu-west-1"),
        ("access", "DUB2-P1"),
    ]
    assert "\x1b" not in ended.stdout
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)

    only = command_line.deploy(*base, "--status", "4xx")
    assert [json.loads(line)["status"] for line in only.stdout.splitlines()] == [401]
    only = command_line.deploy(*base, "--source", "edge", "--region", "eu-west-1")
    assert [json.loads(line)["text"] for line in only.stdout.splitlines()] == ["refused: second"]
    only = command_line.deploy(*base, "--grep", "fir(st)?")
    assert [json.loads(line)["text"] for line in only.stdout.splitlines()] == ["refused: first"]


def test_following_shows_new_lines_once(aws: Aws, dev: Deployed, command_line: CommandLine, processes: list[subprocess.Popen[str]]) -> None:
    account = dev.assembly.account_id
    event(aws, account, "us-east-1", datetime.now(UTC), "before")
    process = command_line.start("deploy.py", "logs", "--env", "dev", "--dist", str(dev.dist), "--follow", "--source", "edge", "--json")
    processes.append(process)
    assert process.stdout is not None
    assert "before" in process.stdout.readline()
    event(aws, account, "us-east-1", datetime.now(UTC), "after")
    assert "after" in process.stdout.readline()
    event(aws, account, "eu-west-1", datetime.now(UTC), "last")
    assert "last" in process.stdout.readline()
    process.send_signal(2)
    assert process.wait(timeout=TIMEOUT) == 130


@pytest.mark.parametrize("wrong", [("--since", "yesterday"), ("--grep", "("), ("--status", "abc"), ("--region", "mars-1")])
def test_what_cannot_be_read_is_told(dev: Deployed, command_line: CommandLine, wrong: tuple[str, str]) -> None:
    ended = command_line.deploy("logs", "--env", "dev", "--dist", str(dev.dist), *wrong)
    assert ended.code == 2, ended
    assert wrong[0] in ended.stderr or wrong[1] in ended.stderr

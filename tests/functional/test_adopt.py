"""`deploy.py adopt` as a process: found, planned, taken over as it is, and nothing left; a state file's secrets stay in it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from aws.session import Aws
from gateways.live import LiveResources
from templates.schemas import bundled
from tests.envelopes import envelope
from tests.functional.distributions import certified, distribution_config
from tests.functional.harness import CommandLine, answer
from tests.functional.small_platform import Platform

pytestmark = pytest.mark.functional

SECRET = "NOT-TO-BE-SHOWN"


def build(account: str, directory: Path, line: CommandLine, bucket: str) -> None:
    """A platform whose first stack has a bucket of that name."""
    body = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"BucketName": bucket, "VersioningConfiguration": {"Status": "Enabled"}},
    }
    Platform(account=account, dist=directory, line=line).build(more={"Site": body})


def state(bucket: str) -> str:
    attributes = {"bucket": bucket, "id": bucket, "arn": f"arn:aws:s3:::{bucket}", "region": "eu-west-1", "policy": SECRET}
    body = {
        "mode": "managed",
        "type": "aws_s3_bucket",
        "name": "site",
        "provider": "",
        "instances": [{"index_key": "a", "attributes": attributes}],
    }
    secret = {"mode": "managed", "type": "random_password", "name": "p", "provider": "", "instances": [{"attributes": {"result": SECRET}}]}
    return json.dumps({"version": 4, "resources": [body, secret], "outputs": {"password": {"value": SECRET}}})


def test_what_terraform_made_is_found_planned_taken_over_and_then_in_place(
    command_line: CommandLine, aws: Aws, account: str, tmp_path: Path
) -> None:
    bucket = f"adopted-{account}"
    build(account, tmp_path, command_line, bucket)
    s3 = aws.client("s3", account_id=account, region="eu-west-1")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"as it was")
    (tmp_path / "prod.tfstate").write_text(state(bucket), encoding="utf-8")
    common = ("adopt", "--env", "test", "--dist", str(tmp_path))
    of_state = ("--terraform-state", str(tmp_path / "prod.tfstate"))

    looked = command_line.deploy(*common, *of_state)
    assert looked.code == 3, looked
    assert "VersioningConfiguration" in looked.stdout
    assert """terraform state rm 'aws_s3_bucket.site["a"]'""" in looked.stdout
    assert SECRET not in looked.stdout + looked.stderr
    piped = command_line.deploy(*common, "--terraform-state", "-", "--json", stdin=state(bucket))
    (row,) = (each for each in answer(piped.stdout)["rows"] if each["logical_id"] == "Site")
    assert (piped.code, row["fate"], row["identifier"]) == (3, "take_over", {"BucketName": bucket})
    assert SECRET not in piped.stdout + piped.stderr

    planned = command_line.deploy(*common, *of_state, "--plan", "--json")
    assert planned.code == 3, planned
    assert """terraform state rm 'aws_s3_bucket.site["a"]'""" in envelope(planned.stdout)["next"]
    applied = command_line.deploy("apply", "--env", "test", "--dist", str(tmp_path), "--yes")
    assert applied.code == 0, applied
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_object(Bucket=bucket, Key="index.html")["Body"].read() == b"as it was"

    doubly = command_line.deploy(*common, *of_state, "--check")
    assert (doubly.code, "`terraform destroy` would delete it" in doubly.stdout) == (3, True), doubly
    (tmp_path / "prod.tfstate").write_text(json.dumps({"version": 4, "resources": []}), encoding="utf-8")
    checked = command_line.deploy(*common, *of_state, "--check")
    assert (checked.code, "nothing of the old stays unmanaged" in checked.stdout) == (0, True), checked
    assert not list(tmp_path.glob("*NOT-TO*"))


def test_what_cannot_be_read_is_one_line_with_what_to_type(command_line: CommandLine, account: str, tmp_path: Path) -> None:
    build(account, tmp_path, command_line, f"none-{account}")
    (tmp_path / "old.tfstate").write_text(json.dumps({"version": 3, "modules": [{"outputs": SECRET}]}), encoding="utf-8")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    common = ("adopt", "--env", "test", "--dist", str(tmp_path))
    for arguments, words in (
        (("--terraform-state", str(tmp_path / "old.tfstate")), "of format version 3"),
        (("--terraform-state", "/dev/zero"), "not a file"),
        (("--terraform-state", "s3://states/env:/dev/site.tfstate"), "is an address, not a file"),
        (("--resource", "Stie=x"), "did you mean"),
        (("--write-environment", str(tmp_path / "old.tfstate")), "is there already"),
        (("--write-environment", str(tmp_path / "dangling")), "is there already"),
        (("--write-environment", str(tmp_path / "nowhere" / "x.yaml")), "no such directory"),
    ):
        ended = command_line.deploy(*common, *arguments)
        assert (ended.code, words.lower() in ended.stderr.lower()) == (2, True), ended
        assert SECRET not in ended.stderr and "Traceback" not in ended.stderr
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test.yaml").write_text("domain: own.example.org\nproject: kept\n", encoding="utf-8")
    own = ("--environments", str(tmp_path / "own"), "--write-environment", str(tmp_path / "new.yaml"))
    assert command_line.deploy(*common, *own).code == 0
    assert "project: kept" in (tmp_path / "new.yaml").read_text(encoding="utf-8")


def test_the_local_aws_describes_what_stands_as_the_provider_schemas_do(aws: Aws, account: str) -> None:
    bucket = f"described-{account}"
    s3 = aws.client("s3", account_id=account, region="eu-west-1")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    cloudfront = aws.client("cloudfront", account_id=account, region="us-east-1")
    methods = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    config = distribution_config(
        account,
        f"a{account}.example.org",
        bucket=bucket,
        identity="E1ABCDEF",
        header=("X-A", "v"),
        behaviour={
            "AllowedMethods": {**methods, "CachedMethods": methods},
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            "MinTTL": 0,
        },
        Logging={"Enabled": True, "IncludeCookies": False, "Bucket": "l.s3.amazonaws.com", "Prefix": "p/"},
        PriceClass="PriceClass_100",
        ViewerCertificate=certified(aws.client("acm", account_id=account, region="us-east-1"), f"a{account}.example.org"),
    )
    distribution = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    live = LiveResources.connect(aws, account_id=account, region="eu-west-1")
    for kind, identifier in (
        ("AWS::S3::Bucket", {"BucketName": bucket}),
        ("AWS::S3::BucketPolicy", {"Bucket": bucket}),
        ("AWS::CloudFront::Distribution", {"Id": distribution}),
    ):
        properties = live.get(kind, identifier)
        found = bundled()
        assert found.directory is not None
        names = json.loads((found.directory / "providers" / "us-east-1.json").read_bytes())
        schema = json.loads((found.directory / "resources" / f"{names[kind]}.json").read_bytes())
        checker = jsonschema.Draft7Validator(
            {"definitions": schema.get("definitions", {}), "properties": schema["properties"], "additionalProperties": False}
        )
        assert not [f"{kind}: {error.message} at {list(error.path)}" for error in checker.iter_errors(properties)]
    told = live.get("AWS::CloudFront::Distribution", {"Id": distribution})["DistributionConfig"]
    assert told["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]
    assert told["Logging"] == {"Bucket": "l.s3.amazonaws.com", "IncludeCookies": False, "Prefix": "p/"}
    assert told["Origins"][0]["OriginCustomHeaders"] == [{"HeaderName": "X-A", "HeaderValue": "v"}]


def test_the_local_aws_describes_a_policy_that_stands(aws: Aws, account: str) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}
    made = aws.client("iam", account_id=account, region="us-east-1").create_policy(
        PolicyName="boundary", PolicyDocument=json.dumps(document)
    )
    live = LiveResources.connect(aws, account_id=account, region="eu-west-1")
    told = live.get("AWS::IAM::ManagedPolicy", {"PolicyArn": made["Policy"]["Arn"]})
    assert (told["ManagedPolicyName"], told["PolicyDocument"]) == ("boundary", document)

"""The outages of the local AWS by themselves: what a client meets, what replicates, and that nothing of it is left when it is over."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aws.errors import AwsError, NetworkError, Throttled, Unavailable
from aws.session import Aws, Settings
from circuit_breaker import CircuitBreaker
from local_aws.server import LocalAws
from outages import store
from outages.model import How, Kind, Outage
from tests.functional.harness import eventually

pytestmark = pytest.mark.functional

HOME, STANDBY = "af-south-1", "eu-west-1"
Client = Callable[..., Any]


@pytest.fixture
def client(local_aws: LocalAws, account: str) -> Client:
    """Clients of the account that ask once, and wait no longer than they are told to."""

    @functools.cache
    def asking(seconds: float) -> Aws:
        settings, breaker = Settings(total_attempts=1, read_timeout=seconds), CircuitBreaker(quiet=0.0)
        return Aws(endpoint_url=local_aws.endpoint_url, static_credentials=local_aws.credentials, settings=settings, breaker=breaker)

    return lambda service, region=HOME, seconds=60.0: asking(seconds).client(service, account_id=account, region=region)


@pytest.fixture
def begin(local_aws: LocalAws, account: str) -> Iterator[Callable[..., None]]:
    """Begins outages of this account; they end with the test."""

    def begun(kind: Kind, how: How, **more: Any) -> None:
        store.begin(local_aws.state, Outage(kind=kind, how=how, account=account, **more))

    yield begun
    store.end(local_aws.state, account=account)


@pytest.fixture
def over(local_aws: LocalAws, account: str) -> Callable[[], None]:
    """Ends them before."""
    return lambda: store.end(local_aws.state, account=account)


def pair(client: Client, account: str) -> tuple[str, str]:
    """A stack with a bucket that replicates into another, and its name."""
    site, replica = f"s{account}-site", f"s{account}-replica"
    s3 = client("s3", STANDBY)
    s3.create_bucket(Bucket=replica, CreateBucketConfiguration={"LocationConstraint": STANDBY})
    s3.put_bucket_versioning(Bucket=replica, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "Id": "all",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{replica}", "Metrics": {"Status": "Enabled"}},
    }
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "BucketName": site,
            "VersioningConfiguration": {"Status": "Enabled"},
            "ReplicationConfiguration": {"Role": f"arn:aws:iam::{account}:role/replication", "Rules": [rule]},
        },
    }
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName="site", TemplateBody=json.dumps({"Resources": {"Bucket": bucket}}))
    eventually(lambda: cloudformation.describe_stacks(StackName="site")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    return site, replica


def status(client: Client, bucket: str, key: str) -> str:
    """What S3 says of an object's replication."""
    return str(client("s3", HOME).head_object(Bucket=bucket, Key=key).get("ReplicationStatus", ""))


def there(client: Client, bucket: str) -> dict[str, str]:
    """Keys of the objects there, with their version ids."""
    listed = client("s3", STANDBY).list_object_versions(Bucket=bucket).get("Versions", ())
    return {version["Key"]: version["VersionId"] for version in listed if version["IsLatest"]}


@pytest.mark.parametrize(("how", "error"), [(How.UNAVAILABLE, Unavailable), (How.DROP, NetworkError), (How.HANG, NetworkError)], ids=str)
def test_a_lost_region_fails_whatever_is_asked_there_and_nothing_elsewhere(
    client: Client, account: str, begin: Callable[..., None], over: Callable[[], None], how: How, error: type[Exception]
) -> None:
    client("s3").create_bucket(Bucket=f"s{account}", CreateBucketConfiguration={"LocationConstraint": HOME})
    begin(Kind.REGION, how, region=HOME)
    calls: list[Callable[[], Any]] = [
        lambda: client("cloudformation", seconds=1.0 if how is How.HANG else 60.0).describe_stacks(),
        lambda: client("s3", STANDBY).list_objects_v2(Bucket=f"s{account}"),
        lambda: client("dynamodb").describe_table(TableName="lock"),
    ]
    for call in calls[: 1 if how is How.HANG else 3]:
        with pytest.raises(error):
            call()
    assert client("cloudformation", STANDBY).describe_stacks()["Stacks"] == []
    assert client("iam", "us-east-1").list_roles()["Roles"] == []
    over()
    assert client("s3").list_objects_v2(Bucket=f"s{account}")["KeyCount"] == 0


def test_control_planes_are_frozen_to_changes_and_answer_reads(client: Client, begin: Callable[..., None]) -> None:
    begin(Kind.CONTROL_PLANES, How.UNAVAILABLE)
    with pytest.raises(Unavailable):
        client("iam", "us-east-1").create_role(RoleName="one", AssumeRolePolicyDocument="{}")
    with pytest.raises(Unavailable):
        client("route53", "us-east-1").create_hosted_zone(Name="example.com", CallerReference="1")
    with pytest.raises(Unavailable):
        client("acm", "us-east-1").request_certificate(DomainName="example.com")
    assert client("iam", "us-east-1").list_roles()["Roles"] == []
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Role": {"Type": "AWS::IAM::Role", "Properties": {}}}}
    client("cloudformation").create_stack(StackName="one", TemplateBody=json.dumps(template))
    formation = client("cloudformation")

    def reasons() -> str:
        return "\n".join(each.get("ResourceStatusReason", "") for each in formation.describe_stack_events(StackName="one")["StackEvents"])

    eventually(lambda: "Service: IAM, Status Code: 503" in reasons())


def test_a_bucket_that_is_asked_too_often(client: Client, account: str, begin: Callable[..., None]) -> None:
    for name in (f"s{account}", f"s{account}-other"):
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
    begin(Kind.BUCKET, How.SLOW_DOWN, bucket=f"s{account}")
    with pytest.raises(Throttled, match="reduce your request rate"):
        client("s3").put_object(Bucket=f"s{account}", Key="a", Body=b"a")
    client("s3").put_object(Bucket=f"s{account}-other", Key="a", Body=b"a")


def test_replicas_come_with_their_version_late_or_never(
    client: Client, account: str, begin: Callable[..., None], over: Callable[[], None]
) -> None:
    site, replica = pair(client, account)
    s3 = client("s3")
    version = s3.put_object(Bucket=site, Key="now", Body=b"1")["VersionId"]
    assert status(client, site, "now") == "COMPLETED"
    assert there(client, replica) == {"now": version}
    assert client("s3", STANDBY).head_object(Bucket=replica, Key="now")["ReplicationStatus"] == "REPLICA"

    begin(Kind.REPLICATION, How.LAG, bucket=site)
    s3.put_object(Bucket=site, Key="late", Body=b"2")
    s3.delete_object(Bucket=site, Key="now")
    assert status(client, site, "late") == "PENDING"
    assert set(there(client, replica)) == {"now"}
    over()
    assert set(there(client, replica)) == {"late"}
    assert status(client, site, "late") == "COMPLETED"

    begin(Kind.REPLICATION, How.FAIL, bucket=site)
    s3.put_object(Bucket=site, Key="never", Body=b"3")
    over()
    assert status(client, site, "never") == "FAILED"
    assert set(there(client, replica)) == {"late"}

    begin(Kind.REGION, How.UNAVAILABLE, region=STANDBY)
    s3.put_object(Bucket=site, Key="after", Body=b"4")
    assert status(client, site, "after") == "PENDING"
    over()
    assert set(there(client, replica)) == {"late", "after"}


def test_cloudwatch_tells_what_waits(client: Client, account: str, begin: Callable[..., None]) -> None:
    site, replica = pair(client, account)
    begin(Kind.REPLICATION, How.LAG, bucket=site)
    client("s3").put_object(Bucket=site, Key="late", Body=b"12345")
    named = {"SourceBucket": site, "DestinationBucket": replica, "RuleId": "all"}
    found = client("cloudwatch", STANDBY).get_metric_statistics(
        Namespace="AWS/S3",
        MetricName="BytesPendingReplication",
        Dimensions=[{"Name": name, "Value": value} for name, value in named.items()],
        StartTime=time.time() - 3600,
        EndTime=time.time() + 3600,
        Period=60,
        Statistics=["Maximum"],
    )
    assert [point["Maximum"] for point in found["Datapoints"]] == [5.0]


def test_no_request_reaches_the_switches(client: Client, local_aws: LocalAws, account: str, begin: Callable[..., None]) -> None:
    """A whole stack of the server's own paths is closed; the switches are a file that its owner alone may write."""
    begin(Kind.REGION, How.UNAVAILABLE, region="eu-north-1")
    path = local_aws.state / store.NAME
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    s3 = client("s3")
    with pytest.raises(AwsError):
        s3.put_object(Bucket="_local_aws", Key="outages.json", Body=b"[]")
    assert [outage.region for outage in store.read(local_aws.state) if outage.account == account] == ["eu-north-1"]


def test_a_copy_of_what_was_uploaded_in_parts_is_one_piece_with_another_etag_and_a_replica_has_the_same(
    client: Client, account: str
) -> None:
    site, replica = pair(client, account)
    here, there = client("s3"), client("s3", STANDBY)
    upload = here.create_multipart_upload(Bucket=site, Key="old.pdf")["UploadId"]
    named = {"Bucket": site, "Key": "old.pdf", "UploadId": upload}
    part = here.upload_part(**named, PartNumber=1, Body=b"old")["ETag"]
    here.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    etag = here.head_object(Bucket=site, Key="old.pdf")["ETag"]
    assert etag.endswith('-1"') and there.head_object(Bucket=replica, Key="old.pdf")["ETag"] == etag
    said = there.copy_object(Bucket=replica, Key="copy.pdf", CopySource={"Bucket": site, "Key": "old.pdf"})["CopyObjectResult"]["ETag"]
    (version,) = there.list_object_versions(Bucket=replica, Prefix="copy.pdf")["Versions"]
    assert said == there.head_object(Bucket=replica, Key="copy.pdf")["ETag"] == version["ETag"] == part

"""The gateways of aws/ over HTTP: what they read back, what they refuse, and that faults on the wire become our errors."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from aws import acm, cloudfront, dynamodb, iam, logs, route53, s3, secrets
from aws.errors import AccessDenied, Conflict, CredentialsExpired, NetworkError, NotFound, Throttled, Unavailable, WrongAccount
from aws.session import Aws, Settings
from gateways import account as accounts
from gateways import organizations
from local_aws import prepare
from local_aws.server import LocalAws
from tests.functional import wire as w
from tests.functional.distributions import certified
from tests.functional.harness import SECRET

pytestmark = pytest.mark.functional
REGION: Literal["eu-west-1"] = "eu-west-1"


def make_bucket(aws: Aws, account: str, name: str) -> s3.S3:
    gateway = s3.S3.connect(aws, account_id=account, region=REGION)
    gateway.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return gateway


def make_table(aws: Aws, account: str) -> dynamodb.Items:
    items = dynamodb.Items.connect(aws, account_id=account, region=REGION)
    items.client.create_table(
        TableName="locks",
        AttributeDefinitions=[{"AttributeName": "LockId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "LockId", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return items


def test_an_object_is_written_read_listed_and_guarded_by_conditions(aws: Aws, account: str) -> None:
    bucket = f"objects-{account}"
    gateway = make_bucket(aws, account, bucket)
    headers = s3.Headers(content_type="text/html", cache_control="no-cache", metadata={"digest": "abc"})

    first = gateway.put(bucket, "a/index.html", b"one", headers=headers, if_absent=True)
    stored = gateway.get(bucket, "a/index.html")

    assert (stored.body, stored.head.content_type, stored.head.cache_control) == (b"one", "text/html", "no-cache")
    assert stored.head.metadata == {"digest": "abc"}
    assert stored.head.etag == first.etag
    with pytest.raises(Conflict):
        gateway.put(bucket, "a/index.html", b"two", if_absent=True)
    with pytest.raises(Conflict):
        gateway.put(bucket, "a/index.html", b"two", if_match="0" * 32)
    gateway.put(bucket, "a/index.html", b"two", if_match=first.etag)
    assert gateway.get(bucket, "a/index.html").body == b"two"
    gateway.put(bucket, "b", b"")
    assert [each.key for each in gateway.list(bucket, "a/")] == ["a/index.html"]
    gateway.delete(bucket, "a/index.html")
    assert gateway.head(bucket, "a/index.html") is None
    with pytest.raises(NotFound):
        gateway.get(bucket, "a/index.html")


def test_a_bucket_that_is_not_there(aws: Aws, account: str) -> None:
    assert not s3.S3.connect(aws, account_id=account, region=REGION).bucket_exists(f"none-{account}")


def test_an_item_is_written_once_and_the_second_writer_learns_who_was_first(aws: Aws, account: str) -> None:
    items = make_table(aws, account)
    absent = dynamodb.Condition(absent="LockId")

    assert items.put("locks", {"LockId": "dev", "Owner": "a", "Expires": 100}, absent) is None
    assert items.put("locks", {"LockId": "dev", "Owner": "b", "Expires": 200}, absent) == {"LockId": "dev", "Owner": "a", "Expires": 100}
    takeover = dynamodb.Condition(absent="LockId", below=("Expires", 150))
    assert items.put("locks", {"LockId": "dev", "Owner": "c", "Expires": 300}, takeover) is None
    assert items.put("locks", {"LockId": "dev", "Owner": "d", "Expires": 400}, takeover) == {"LockId": "dev", "Owner": "c", "Expires": 300}


def test_an_item_is_changed_and_removed_by_its_owner_only(aws: Aws, account: str) -> None:
    items = make_table(aws, account)
    key = {"LockId": "dev"}
    items.put("locks", {**key, "Owner": "a", "Expires": 1}, dynamodb.Condition(absent="LockId"))

    mine, theirs = dynamodb.Condition(equal={"Owner": "a"}), dynamodb.Condition(equal={"Owner": "b"})
    assert items.update("locks", key, {"Expires": 9}, theirs) == {**key, "Owner": "a", "Expires": 1}
    assert items.update("locks", key, {"Expires": 9}, mine) is None
    assert items.get("locks", key) == {**key, "Owner": "a", "Expires": 9}
    assert items.delete("locks", key, theirs) == {**key, "Owner": "a", "Expires": 9}
    assert items.delete("locks", key, mine) is None
    assert items.get("locks", key) is None


def test_a_missing_table_is_not_a_condition(aws: Aws, account: str) -> None:
    with pytest.raises(NotFound):
        dynamodb.Items.connect(aws, account_id=account, region=REGION).get("locks", {"LockId": "dev"})


def test_a_zone_is_found_by_name_and_never_a_longer_or_private_one(aws: Aws, account: str) -> None:
    gateway = route53.Route53.connect(aws, account_id=account)
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    prepare.hosted_zone(aws, name="www.example.com", account_id=account)
    gateway.client.create_hosted_zone(
        Name="private.com", CallerReference="p", VPC={"VPCRegion": REGION, "VPCId": "vpc-1"}, HostedZoneConfig={"PrivateZone": True}
    )

    assert gateway.find_public_zone("example.com.").id == zone
    assert prepare.hosted_zone(aws, name="example.com", account_id=account) == zone
    for name in ("b.example.com", "private.com", "example.org"):
        with pytest.raises(NotFound, match="no public hosted zone"):
            gateway.find_public_zone(name)
    assert gateway.delegation(zone)


def test_two_zones_of_one_name_are_listed(aws: Aws, account: str) -> None:
    gateway = route53.Route53.connect(aws, account_id=account)
    ids = [
        gateway.client.create_hosted_zone(Name="twice.com", CallerReference=each)["HostedZone"]["Id"].removeprefix("/hostedzone/")
        for each in "ab"
    ]
    with pytest.raises(Conflict) as caught:
        gateway.find_public_zone("twice.com")
    assert all(each in str(caught.value) for each in ids)


def test_a_record_is_written_and_read_back(aws: Aws, account: str) -> None:
    gateway = route53.Route53.connect(aws, account_id=account)
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    record = route53.Record(name="_x.example.com", type="CNAME", values=("_y.acm.example.",), ttl=60)

    for _ in range(2):
        gateway.upsert(zone, record)
    assert gateway.records(zone, "_x.example.com") == (record,)
    assert gateway.records(zone, "_z.example.com") == ()


def test_a_secret_is_read_by_key_and_its_version_without_the_value(aws: Aws, account: str) -> None:
    gateway = secrets.Secrets.connect(aws, account_id=account, region="us-east-1")
    made = gateway.create("web/auth", {"username": "u", "password_hash": "h"}, description="", tags={"a": "b"})

    assert gateway.json_key("web/auth", "password_hash") == "h"
    assert gateway.current_version("web/auth") == made
    token = "t" * 32
    assert gateway.put("web/auth", {"username": "u"}, token=token) == gateway.current_version("web/auth") != made
    with pytest.raises(NotFound, match="username"):
        gateway.json_key("web/auth", "password_hash")
    with pytest.raises(NotFound):
        gateway.json_key("web/none", "password_hash")
    with pytest.raises(Conflict):
        gateway.create("web/auth", {}, description="", tags={})


def test_a_certificate_shows_its_validation_records(aws: Aws, account: str) -> None:
    gateway = acm.Acm.connect(aws, account_id=account, region="us-east-1")
    arn = gateway.client.request_certificate(DomainName="example.com", SubjectAlternativeNames=["*.example.com"], ValidationMethod="DNS")
    found = gateway.certificate(arn["CertificateArn"])
    assert found.names and found.validations[0].record_type == "CNAME"
    with pytest.raises(NotFound):
        gateway.certificate(arn["CertificateArn"] + "0")


def test_roles_regions_and_token_version(aws: Aws, account: str) -> None:
    gateway = iam.Iam.connect(aws, account_id=account)
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": ["a.amazonaws.com", "b.amazonaws.com"]}, "Action": "sts:AssumeRole"}]
    }
    gateway.client.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))

    found = gateway.role("r")
    assert found is not None
    assert found.trusted == {"a.amazonaws.com", "b.amazonaws.com"}
    assert gateway.role("none") is None
    regions = accounts.Account.connect(aws, account_id=account)
    assert "af-south-1" in regions.enabled_regions()
    regions.regions.disable_region(RegionName="af-south-1")
    assert regions.region_status("af-south-1") == "DISABLED"
    assert "af-south-1" not in regions.enabled_regions()
    assert regions.region_status("us-east-1") == "ENABLED_BY_DEFAULT"


# --- faults on the wire -------------------------------------------------------------------------------------------


def spoiled(local_aws: LocalAws, wire: w.Wire, **settings: float | int) -> Aws:
    return Aws(
        endpoint_url=wire.url,
        static_credentials=local_aws.credentials,
        settings=Settings(**{"total_attempts": 3, **settings}),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("fault", [w.throttled, w.unavailable, w.dropped, w.truncated, w.lost])
def test_a_passing_fault_is_retried(local_aws: LocalAws, wire: w.Wire, account: str, fault: w.Fault) -> None:
    gateway = iam.Iam.connect(spoiled(local_aws, wire), account_id=account)
    rule = wire.on("iam", "GetRole", fault, times=1)
    assert gateway.role("none") is None
    assert (rule.spoiled, rule.seen) == (1, 2)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (w.throttled, Throttled),
        (w.unavailable, Unavailable),
        (w.dropped, NetworkError),
        (w.denied, AccessDenied),
        (w.expired, CredentialsExpired),
    ],
)
def test_a_lasting_fault_becomes_our_error(local_aws: LocalAws, wire: w.Wire, account: str, fault: w.Fault, error: type[Exception]) -> None:
    gateway = iam.Iam.connect(spoiled(local_aws, wire), account_id=account)
    wire.on("iam", "GetRole", fault, times=99)
    with pytest.raises(error, match=f"iam GetRole \\(account {account}"):
        gateway.role("none")


def test_no_answer_in_time(local_aws: LocalAws, wire: w.Wire, account: str) -> None:
    gateway = iam.Iam.connect(spoiled(local_aws, wire, read_timeout=0.2, total_attempts=1), account_id=account)
    wire.on("iam", "GetRole", w.silent(1), times=9)
    with pytest.raises(NetworkError, match="Read timeout"):
        gateway.role("none")


def test_a_body_that_breaks_off_is_an_error_and_not_half_a_file(local_aws: LocalAws, wire: w.Wire, aws: Aws, account: str) -> None:
    bucket = f"broken-{account}"
    make_bucket(aws, account, bucket).put(bucket, "k", b"x" * 10_000)
    wire.on("s3", "GetObject", w.truncated, times=9)
    with pytest.raises(NetworkError):
        s3.S3.connect(spoiled(local_aws, wire), account_id=account, region=REGION).get(bucket, "k")


def test_a_write_whose_answer_was_lost_finds_itself(local_aws: LocalAws, wire: w.Wire, aws: Aws, account: str) -> None:
    make_table(aws, account)
    items = dynamodb.Items.connect(spoiled(local_aws, wire), account_id=account, region=REGION)
    wire.on("dynamodb", "PutItem", w.lost, times=1)
    assert items.put("locks", {"LockId": "dev", "Id": "mine"}, dynamodb.Condition(absent="LockId")) == {"LockId": "dev", "Id": "mine"}


# --- whose credentials --------------------------------------------------------------------------------------------


@pytest.fixture
def ambient(monkeypatch: pytest.MonkeyPatch, guarded_aws: LocalAws) -> Callable[[str, str], None]:
    """Credentials and endpoint by botocore's own environment variables."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)

    def use(access_key: str, url: str) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)

    return use


def make_role(guarded_aws: LocalAws, account: str, trusted: str, name: str = "deploy") -> str:
    root = Aws(endpoint_url=guarded_aws.endpoint_url, static_credentials=guarded_aws.credentials)
    client = iam.Iam.connect(root, account_id=account).client
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{trusted}:root"}, "Action": "sts:AssumeRole"}],
    }
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}]}
    arn = client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    client.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(allow))
    return arn


def test_own_account_needs_no_role_and_another_is_reached_by_role(
    guarded_aws: LocalAws, new_account: Callable[[], str], ambient: Callable[[str, str], None]
) -> None:
    mine, other = new_account(), new_account()
    make_role(guarded_aws, other, mine)
    ambient(mine, guarded_aws.endpoint_url)
    aws = Aws(role_name="deploy")

    assert aws.identity().account_id == mine
    assert iam.Iam.connect(aws, account_id=mine).role("deploy") is None
    found = iam.Iam.connect(aws, account_id=other).role("deploy")
    assert found is not None
    assert f"::{other}:" in found.arn
    with pytest.raises(AccessDenied):
        iam.Iam.connect(aws, account_id=other).client.list_open_id_connect_providers()


def test_objects_are_reached_through_botocores_own_endpoint_variable(
    guarded_aws: LocalAws, account: str, ambient: Callable[[str, str], None]
) -> None:
    ambient(account, guarded_aws.endpoint_url)
    bucket = f"ambient-{account}"
    gateway = make_bucket(Aws(), account, bucket)
    gateway.put(bucket, "k", b"v")
    assert gateway.get(bucket, "k").body == b"v"
    assert gateway.template_url(bucket, "k") == f"{guarded_aws.endpoint_url}/{bucket}/k"


def test_a_role_of_another_account_than_asked_for_is_refused(
    guarded_aws: LocalAws, new_account: Callable[[], str], ambient: Callable[[str, str], None]
) -> None:
    mine, other, third = new_account(), new_account(), new_account()
    arn = make_role(guarded_aws, other, mine)
    ambient(mine, guarded_aws.endpoint_url)
    with pytest.raises(WrongAccount, match=arn):
        Aws(role_name="deploy").client("iam", account_id=third, region=REGION, role_arn=arn)
    with pytest.raises(WrongAccount, match=f"not of account {third}"):
        Aws().client("iam", account_id=third, region=REGION)


def test_credentials_that_turn_out_to_be_another_accounts_are_refused(
    guarded_wire: w.Wire, guarded_aws: LocalAws, new_account: Callable[[], str], ambient: Callable[[str, str], None]
) -> None:
    mine, other = new_account(), new_account()
    make_role(guarded_aws, other, mine)
    ambient(mine, guarded_wire.url)
    inner = f"<GetCallerIdentityResult><Arn>arn:aws:sts::{mine}:x</Arn><Account>{mine}</Account></GetCallerIdentityResult>"
    liar = f"<GetCallerIdentityResponse>{inner}</GetCallerIdentityResponse>"
    guarded_wire.on("sts", "GetCallerIdentity", lambda ex: ex.send(w.Answer(200, (("content-type", "text/xml"),), liar.encode())), times=99)
    with pytest.raises(WrongAccount, match="turned out to be"):
        Aws(role_name="deploy").client("iam", account_id=other, region=REGION)


def test_a_role_that_may_not_be_assumed(guarded_aws: LocalAws, new_account: Callable[[], str], ambient: Callable[[str, str], None]) -> None:
    mine, other = new_account(), new_account()
    make_role(guarded_aws, other, other)
    ambient(mine, guarded_aws.endpoint_url)
    with pytest.raises(WrongAccount, match="may not take on the role") as caught:
        Aws(role_name="deploy", doctor_command="python deploy.py doctor --env dev").client("iam", account_id=other, region=REGION)
    assert caught.value.hint == "aws sts get-caller-identity"


# --- organizations, CloudFront, logs ------------------------------------------------------------------------------


def test_units_are_resolved_with_those_below_them(aws: Aws, account: str) -> None:
    gateway = organizations.Organizations.connect(aws, account_id=account)
    client = gateway.client
    client.describe_organization()
    root = client.list_roots()["Roots"][0]["Id"]
    outer = client.create_organizational_unit(ParentId=root, Name="outer")["OrganizationalUnit"]["Id"]
    inner = client.create_organizational_unit(ParentId=outer, Name="inner")["OrganizationalUnit"]["Id"]
    made = client.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]["AccountId"]
    client.move_account(AccountId=made, SourceParentId=root, DestinationParentId=inner)

    assert gateway.management_account() == account
    member = organizations.Member(account_id=made, name="a", unit=inner, active=True)
    assert gateway.members((outer,)) == gateway.members((outer, inner)) == (member,)
    assert account in {each.account_id for each in gateway.members((root,))}


def test_an_invalidation_is_begun_once_and_read_back(aws: Aws, account: str) -> None:
    gateway = cloudfront.CloudFront.connect(aws, account_id=account)
    origin = {"Id": "o", "DomainName": "b.s3.eu-west-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config: Any = {
        "CallerReference": "c",
        "Comment": "",
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
        "ViewerCertificate": certified(aws.client("acm", account_id=account, region="us-east-1"), "www.example.com"),
    }
    made = gateway.client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]

    assert [(each.id, each.aliases) for each in gateway.distributions()] == [(made, ("www.example.com",))]
    assert gateway.distribution(made).deployed
    first = gateway.invalidate(made, ("/index.html", "/buy/*"), reference="r-1")
    assert gateway.invalidate(made, ("/index.html", "/buy/*"), reference="r-1").id == first.id
    assert gateway.invalidation(made, first.id).id == first.id
    with pytest.raises(NotFound):
        gateway.distribution("E0")


def test_events_of_a_group_and_of_one_that_is_not_there(aws: Aws, account: str) -> None:
    gateway = logs.Logs.connect(aws, account_id=account, region=REGION)
    now = datetime.now(UTC)
    gateway.client.create_log_group(logGroupName="/aws/lambda/us-east-1.edge")
    gateway.client.create_log_stream(logGroupName="/aws/lambda/us-east-1.edge", logStreamName="s")
    lines: Any = [{"timestamp": int(now.timestamp() * 1000), "message": f"{word} line\n"} for word in ("first", "second")]
    gateway.client.put_log_events(logGroupName="/aws/lambda/us-east-1.edge", logStreamName="s", logEvents=lines)

    assert gateway.groups("/aws/lambda/") == ("/aws/lambda/us-east-1.edge",)
    since = now - timedelta(minutes=1)
    assert [each.message for each in gateway.events("/aws/lambda/us-east-1.edge", since=since)] == ["first line", "second line"]
    assert [*gateway.events("/none", since=since)] == []

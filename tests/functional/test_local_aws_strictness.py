"""Where MiniStack takes what AWS refuses, and the local AWS does not: each case is a refusal that the platform can run into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from aws import cloudfront
from aws.cloudfront import CloudFront
from aws.errors import AccessDenied, AwsError
from aws.s3 import S3, Headers
from aws.session import Aws
from local_aws import prepare
from local_aws.server import LocalAws
from tests.functional.distributions import certified, distribution_config
from tests.functional.harness import eventually
from tests.functional.test_local_aws_resources import Stacks, template

pytestmark = pytest.mark.functional


@pytest.fixture
def stacks(aws: Aws, account: str) -> Stacks:
    return Stacks(aws, account)


def distribution_resource(*aliases: Any, behaviour: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """AWS::CloudFront::Distribution of a template."""
    config = {
        "Enabled": True,
        "Aliases": [*aliases],
        "Origins": [{"Id": "o", "DomainName": "b.s3.eu-west-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", **(behaviour or {})},
        **more,
    }
    return {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}}


# --- invalidations ------------------------------------------------------------------------------------------------


@pytest.fixture
def distribution(aws: Aws, account: str) -> tuple[CloudFront, str]:
    gateway = cloudfront.CloudFront.connect(aws, account_id=account)
    return gateway, gateway.client.create_distribution(DistributionConfig=cast(Any, distribution_config("i")))["Distribution"]["Id"]


@pytest.mark.parametrize("path", ["/runtime~main.js", "/a b", "/é", "/a[1]", "/a|b", "/100%", "/a%2", "no-slash", "/" + "a" * 4000])
def test_cloudfront_refuses_paths_with_unsafe_characters(distribution: tuple[CloudFront, str], path: str) -> None:
    gateway, made = distribution
    with pytest.raises(AwsError, match="invalid invalidation paths"):
        gateway.invalidate(made, ("/index.html", path), reference="r")
    assert gateway.client.list_invalidations(DistributionId=made)["InvalidationList"]["Quantity"] == 0


def test_cloudfront_takes_them_encoded_and_fifteen_wildcards(distribution: tuple[CloudFront, str]) -> None:
    gateway, made = distribution
    gateway.invalidate(made, ("/runtime%7Emain.js", "/a%20b", *(f"/{number}/*" for number in range(15))), reference="r")
    with pytest.raises(AwsError, match="exceed the limit"):
        gateway.invalidate(made, tuple(f"/{number}/*" for number in range(16)), reference="s")


# --- alternate domain names ---------------------------------------------------------------------------------------


def test_a_second_distribution_with_the_same_alias_is_refused(aws: Aws, account: str, stacks: Stacks) -> None:
    client = aws.client("cloudfront", account_id=account, region="us-east-1")
    viewer = certified(aws.client("acm", account_id=account, region="us-east-1"), "*.example.com")

    def create(reference: str, alias: str) -> str:
        asked = distribution_config(reference, alias, ViewerCertificate=viewer)
        return str(client.create_distribution(DistributionConfig=asked)["Distribution"]["Id"])

    def site(*aliases: str) -> dict[str, Any]:
        return {"Resources": {"D": distribution_resource(*aliases, ViewerCertificate=_of_template(viewer["ACMCertificateArn"]))}}

    first = create("a", "www.example.com")
    assert create("a", "www.example.com") == first, "the same request again"
    with pytest.raises(AwsError, match="CNAMEAlreadyExists"):
        create("b", "WWW.example.com")

    with pytest.raises(AssertionError, match="CNAMEAlreadyExists"):
        stacks.apply("taken", site("www.example.com"))
    stacks.apply("free", site("api.example.com"))
    stacks.apply("free", site("api.example.com", "api2.example.com"))
    with pytest.raises(AssertionError, match="CNAMEAlreadyExists"):
        stacks.apply("free", site("api.example.com", "www.example.com"))


def _of_template(arn: str) -> dict[str, str]:
    return {"AcmCertificateArn": arn, "SslSupportMethod": "sni-only"}


def test_a_distribution_takes_a_certificate_that_is_there_issued_and_for_its_names(aws: Aws, account: str, stacks: Stacks) -> None:
    client = aws.client("cloudfront", account_id=account, region="us-east-1")

    def request(region: str, *names: str, of: str = account) -> str:
        return str(certified(aws.client("acm", account_id=of, region=region), *names)["ACMCertificateArn"])

    right = request("us-east-1", "example.com", "*.example.com")
    waiting = {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": "example.com", "ValidationMethod": "DNS"}}
    stacks.client.create_stack(StackName="waiting", TemplateBody=json.dumps({"Resources": {"Used": waiting}}))
    told = eventually(lambda: stacks.client.list_stack_resources(StackName="waiting")["StackResourceSummaries"])
    missing, uncovered, without = "SSL certificate doesn't exist", "doesn't cover the alternate domain name", "must attach a trusted"
    refused = [
        (right + "0", ("www.example.com",), missing),
        (right + "0", (), missing),
        (told[0]["PhysicalResourceId"], ("example.com",), missing),
        (request("eu-west-1", "example.com"), ("example.com",), missing),
        (request("us-east-1", "example.com", of="999999999999"), ("example.com",), missing),
        (right, ("example.com", "example.org"), uncovered),
        (right, ("a.b.example.com",), uncovered),
        ("", ("example.com",), without),
    ]
    for number, (arn, aliases, words) in enumerate(refused):
        viewer = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only"} if arn else {"CloudFrontDefaultCertificate": True}
        with pytest.raises(AwsError, match=f"InvalidViewerCertificate.*{words}"):
            client.create_distribution(DistributionConfig=distribution_config(f"{number}", *aliases, ViewerCertificate=viewer))
    assert client.list_distributions()["DistributionList"].get("Items", []) == []

    def site(arn: str, *aliases: str) -> dict[str, Any]:
        return {"Resources": {"D": distribution_resource(*aliases, ViewerCertificate=_of_template(arn))}}

    with pytest.raises(AssertionError, match=missing):
        stacks.apply("none", site(right + "0", "example.com"))
    stacks.apply("site", site(right, "EXAMPLE.com", "www.example.com", "*.example.com"))
    with pytest.raises(AssertionError, match=uncovered):
        stacks.apply("site", site(right, "example.org"))


# --- what is in use -----------------------------------------------------------------------------------------------

_POLICY_HEADERS = {"StrictTransportSecurity": {"AccessControlMaxAgeSec": 1, "Override": True}}
USED: dict[str, tuple[dict[str, Any], Any, str]] = {
    "certificate": (
        {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": "www.example.com"}},
        {"Ref": "Used"},
        "ResourceInUseException",
    ),
    "headers": (
        {
            "Type": "AWS::CloudFront::ResponseHeadersPolicy",
            "Properties": {"ResponseHeadersPolicyConfig": {"Name": "h", "SecurityHeadersConfig": _POLICY_HEADERS}},
        },
        {"Ref": "Used"},
        "ResponseHeadersPolicyInUse",
    ),
    "oac": (
        {
            "Type": "AWS::CloudFront::OriginAccessControl",
            "Properties": {
                "OriginAccessControlConfig": {
                    "Name": "o",
                    "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                }
            },
        },
        {"Fn::GetAtt": ["Used", "Id"]},
        "OriginAccessControlInUse",
    ),
    "acl": (
        {
            "Type": "AWS::WAFv2::WebACL",
            "Properties": {
                "Name": "w",
                "Scope": "CLOUDFRONT",
                "DefaultAction": {"Allow": {}},
                "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "w"},
            },
        },
        {"Fn::GetAtt": ["Used", "Arn"]},
        "WAFAssociatedItemException",
    ),
}


@pytest.mark.parametrize("kind", [*USED])
def test_what_a_distribution_uses_cannot_be_deleted(stacks: Stacks, kind: str) -> None:
    resource, name, refusal = USED[kind]
    used = distribution_resource()
    config = used["Properties"]["DistributionConfig"]
    imported = {"Fn::ImportValue": "used"}
    if kind == "certificate":
        config["ViewerCertificate"] = {"AcmCertificateArn": imported, "SslSupportMethod": "sni-only"}
    elif kind == "headers":
        config["DefaultCacheBehavior"]["ResponseHeadersPolicyId"] = imported
    elif kind == "oac":
        config["Origins"][0]["OriginAccessControlId"] = imported
    else:
        config["WebACLId"] = imported
    outputs = {"Name": {"Value": name}}
    given = stacks.apply("given", {"Resources": {"Used": resource}, "Outputs": outputs})["Name"]
    stacks.apply("site", {"Parameters": {"P": {"Type": "String"}}, "Resources": {"D": _with(used, imported, {"Ref": "P"})}}, {"P": given})

    with pytest.raises(AssertionError, match=refusal):
        stacks.delete("given")
    stacks.delete("site")
    stacks.delete("given")


def _with(value: Any, old: Any, new: Any) -> Any:
    if value == old:
        return new
    if isinstance(value, dict):
        return {key: _with(inner, old, new) for key, inner in value.items()}
    return [_with(inner, old, new) for inner in value] if isinstance(value, list) else value


def test_a_function_version_of_a_distribution_cannot_be_deleted(aws: Aws, account: str, stacks: Stacks) -> None:
    role = f"arn:aws:iam::{account}:role/r"
    code = {"ZipFile": "exports.handler = async () => ({})"}
    function = {"FunctionName": "f", "Role": role, "Runtime": "nodejs22.x", "Handler": "index.handler", "Code": code}
    resources = {
        "F": {"Type": "AWS::Lambda::Function", "Properties": function},
        "V": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}},
    }
    version = stacks.apply("edge", {"Resources": resources, "Outputs": {"V": {"Value": {"Ref": "V"}}}})["V"]
    association = {"EventType": "viewer-request", "LambdaFunctionARN": version}
    stacks.apply("site", {"Resources": {"D": distribution_resource(behaviour={"LambdaFunctionAssociations": [association]})}})

    client = aws.client("lambda", account_id=account, region="us-east-1")
    for qualifier in ({"Qualifier": version.rpartition(":")[2]}, {}):
        with pytest.raises(AwsError, match="replicated function"):
            client.delete_function(FunctionName="f", **qualifier)
    with pytest.raises(AssertionError, match="replicated function"):
        stacks.delete("edge")
    stacks.delete("site")
    stacks.delete("edge")


# --- record sets --------------------------------------------------------------------------------------------------


def _record(value: str, **policy: str) -> dict[str, Any]:
    return {"Name": "www.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}], **policy}


PRIMARY = {"SetIdentifier": "p", "Failover": "PRIMARY", "HealthCheckId": "h"}
CONFLICTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "simple, then failover": ({}, PRIMARY),
    "failover, then simple": (PRIMARY, {}),
    "failover, then weighted": (PRIMARY, {"SetIdentifier": "w", "Weight": 1}),
    "two primaries": (PRIMARY, {**PRIMARY, "SetIdentifier": "q"}),
}


@pytest.mark.parametrize("order", [*CONFLICTS])
def test_record_sets_of_one_name_and_type_share_a_routing_policy(aws: Aws, account: str, stacks: Stacks, order: str) -> None:
    zone = prepare.hosted_zone(aws, name="example.com", account_id=account)
    client = aws.client("route53", account_id=account, region="us-east-1")
    first, second = CONFLICTS[order]

    def change(action: str, policy: Any) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": _record("192.0.2.1", **policy)}]}
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    change("CREATE", first)
    for action in ("CREATE", "UPSERT"):
        with pytest.raises(AwsError, match="InvalidChangeBatch"):
            change(action, second)
    in_template = {**_record("192.0.2.1", **second), "HostedZoneId": zone, "ResourceRecords": ["192.0.2.1"]}
    with pytest.raises(AssertionError, match="InvalidChangeBatch"):
        stacks.apply("r", template("AWS::Route53::RecordSet", in_template))
    change("DELETE", first)
    change("CREATE", second)


def test_a_bucket_that_has_a_policy_gets_none_by_a_creation(aws: Aws, account: str, stacks: Stacks) -> None:
    s3 = aws.client("s3", account_id=account, region="us-east-1")
    s3.create_bucket(Bucket=f"has-{account}")
    document = {"Version": "2012-10-17", "Statement": []}
    s3.put_bucket_policy(Bucket=f"has-{account}", Policy=json.dumps(document))
    body = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": f"has-{account}", "PolicyDocument": document}}
    with pytest.raises(AssertionError, match="bucket policy already exists"):
        stacks.apply("policy", {"Resources": {"Policy": body}})
    assert json.loads(s3.get_bucket_policy(Bucket=f"has-{account}")["Policy"]) == document, "the roll back leaves what was there"


def test_acls_of_a_bucket_end_only_when_they_grant_nothing_to_others(aws: Aws, account: str, stacks: Stacks) -> None:
    """As legacy access logs leave one: aligning a bucket that is taken over ends in AWS's words, and works once the grant is gone."""
    name, s3 = f"acl-{account}", aws.client("s3", account_id=account, region="us-east-1")
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": name}}
    stacks.apply("acl", {"Resources": {"Bucket": bucket}})
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]})
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={"BlockPublicAcls": False})
    s3.put_bucket_acl(Bucket=name, ACL="log-delivery-write")
    enforced = {**bucket["Properties"], "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
    with pytest.raises(AssertionError, match="InvalidBucketAclWithObjectOwnership"):
        stacks.apply("acl", {"Resources": {"Bucket": {**bucket, "Properties": enforced}}})
    s3.put_bucket_acl(Bucket=name, ACL="private")
    stacks.apply("acl", {"Resources": {"Bucket": {**bucket, "Properties": enforced}}})
    rules = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert [each["ObjectOwnership"] for each in rules] == ["BucketOwnerEnforced"]


# --- requests that the service's model does not allow -------------------------------------------------------------


@pytest.fixture
def raw(local_aws: LocalAws, account: str) -> Iterator[Any]:
    """Requests as a client without botocore's own validation would send them."""
    session = URLLib3Session()

    def send(service: str, body: str, headers: dict[str, str], path: str = "/") -> tuple[int, str]:
        request = AWSRequest("POST", f"{local_aws.endpoint_url}{path}", headers=headers, data=body.encode())
        request.headers["host"] = urlsplit(local_aws.endpoint_url).netloc
        credentials = local_aws.credentials(account)
        SigV4Auth(Credentials(credentials.access_key, credentials.secret_key), service, "us-east-1").add_auth(request)
        answer = session.send(request.prepare())
        return answer.status_code, answer.text

    yield send
    session.close()


FORM = {"content-type": "application/x-www-form-urlencoded"}


def _json(target: str) -> dict[str, str]:
    return {"content-type": "application/x-amz-json-1.1", "x-amz-target": target}


INVALID = {
    "unknown parameter": ("cloudformation", "Action=DescribeStacks&Version=2010-05-15&StakName=a", FORM, "StakName"),
    "pattern": ("cloudformation", "Action=CreateChangeSet&Version=2010-05-15&StackName=a_b&ChangeSetName=c", FORM, "StackName"),
    "missing": ("cloudformation", "Action=CreateChangeSet&Version=2010-05-15&StackName=ab", FORM, "ChangeSetName"),
    "enum": ("cloudformation", "Action=CreateStack&Version=2010-05-15&StackName=a&OnFailure=PERHAPS&TemplateBody={}", FORM, "OnFailure"),
    "too short": ("iam", "Action=GetRole&Version=2010-05-08&RoleName=", FORM, "RoleName"),
    "too long": ("iam", "Action=GetRole&Version=2010-05-08&RoleName=" + "a" * 65, FORM, "RoleName"),
    "unknown member": ("secretsmanager", '{"SecretId": "a", "Sekret": "b"}', _json("secretsmanager.DescribeSecret"), "Sekret"),
    "wrong type": ("logs", '{"logGroupName": 1}', _json("Logs_20140328.CreateLogGroup"), "logGroupName"),
    "enum of a list": (
        "cloudformation",
        "Action=CreateStack&Version=2010-05-15&StackName=a&TemplateBody={}&Capabilities.member.1=CAPABILITY_ALL",
        FORM,
        "Capabilities",
    ),
}


@pytest.mark.parametrize("case", [*INVALID])
def test_a_request_that_the_model_of_the_service_does_not_allow_is_refused(raw: Any, case: str) -> None:
    service, body, headers, told = INVALID[case]
    status, answer = raw(service, body, headers)
    assert status == 400, answer
    assert told in answer
    assert "Validation" in answer


def test_an_xml_body_is_held_against_the_model(raw: Any, distribution: tuple[CloudFront, str]) -> None:
    _, made = distribution
    path = f"/2020-05-31/distribution/{made}/invalidation"
    batch = '<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">{}</InvalidationBatch>'
    paths = "<Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths>"
    status, answer = raw("cloudfront", batch.format(paths), {}, path)
    assert (status, "CallerReference" in answer) == (400, True), answer
    status, answer = raw("cloudfront", batch.format(paths + "<CallerReference>r</CallerReference>"), {}, path)
    assert status == 201, answer


# --- beyond the services' models (api_rules) ------------------------------------------------------------------------


def test_a_bucket_of_another_account_is_not_fallen_for(aws: Aws, account: str, new_account: Callable[[], str]) -> None:
    bucket, owner = f"taken-{account}", new_account()
    theirs = S3.connect(aws, account_id=owner, region="eu-west-1")
    theirs.client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
    theirs.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": everybody}))
    theirs.put(bucket, "page", b"theirs")
    ours = S3.connect(aws, account_id=account, region="eu-west-1")
    tried: dict[str, Callable[[], object]] = {
        "put": lambda: ours.put(bucket, "page", b"ours"),
        "get": lambda: ours.get(bucket, "page"),
        "head": lambda: ours.head(bucket, "page"),
        "list": lambda: list(ours.list(bucket)),
        "delete": lambda: ours.delete(bucket, "page"),
        "copy": lambda: ours.copy(bucket, "page", bucket, "other", headers=Headers()),
        "bucket": lambda: ours.bucket_exists(bucket),
    }
    for act in tried.values():
        with pytest.raises(AccessDenied):
            act()
    assert theirs.get(bucket, "page").body == b"theirs"
    theirs.client.delete_object(Bucket=bucket, Key="page")


def test_rules_beyond_the_models_are_asked_at_the_door_and_in_the_services(aws: Aws, account: str) -> None:
    def client(service: str) -> Any:
        return aws.client(cast(Any, service), account_id=account, region="us-east-1")

    gone = {"Resources": {"One": {"Type": "AWS::SNS::Topic", "DependsOn": "Gone"}}}
    whole = {"Resources": {"One": {"Type": "AWS::SNS::Topic"}}}
    for body, parameters, words in ((gone, [], "Unresolved resource dependencies"), (whole, ["Gone"], r"\[Gone\] do not exist")):
        given = [{"ParameterKey": name, "ParameterValue": "1"} for name in parameters]
        with pytest.raises(AwsError, match=words):
            client("cloudformation").create_change_set(
                StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=json.dumps(body), Parameters=given
            )
    zone = client("route53").create_hosted_zone(Name="example.com", CallerReference=account)["HostedZone"]["Id"]

    def record(name: str, **more: Any) -> None:
        change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}], **more}}
        client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})

    record("www.example.com", TTL=60)
    with pytest.raises(AwsError, match="is not permitted in zone"):
        record("www.badexample.com", TTL=60)
    with pytest.raises(AwsError, match=r"Expected exactly one of \[AliasTarget"):
        record("www.example.com")
    secrets = client("secretsmanager")
    with pytest.raises(AwsError, match="Invalid name"):
        secrets.create_secret(Name="a secret", SecretString="x")
    secrets.create_secret(Name="secret", SecretString="x")
    for _ in range(2):
        secrets.put_secret_value(SecretId="secret", SecretString="y", ClientRequestToken="t" * 32)
    with pytest.raises(AwsError, match="ResourceExistsException"):
        secrets.put_secret_value(SecretId="secret", SecretString="z", ClientRequestToken="t" * 32)

"""What exists is taken over and aligned in one apply: bucket, certificate and distribution made by hand keep who they are."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aws.session import Aws
from tests.functional.distributions import CACHING_OPTIMIZED, distribution_config
from tests.functional.harness import CommandLine, Ended, answer, eventually
from tests.functional.small_platform import ENV, REGION, Platform, base
from tests.functional.test_kill_apply import kill
from tests.functional.wire import Wire
from tests.simulated import Small, literal, output, small_assembly

pytestmark = pytest.mark.functional

EDGE_REGION = "us-east-1"
TAGGED = {"tags": {"project": "demo", "environment": ENV}}
CERTIFICATE = {
    "Parameters": {"Zone": {"Type": "String"}},
    "Resources": {
        "Certificate": {
            "Type": "AWS::CertificateManager::Certificate",
            "DeletionPolicy": "Retain",
            "Properties": {
                "DomainName": "www.example.org",
                "SubjectAlternativeNames": ["example.org"],
                "ValidationMethod": "DNS",
                "DomainValidationOptions": [{"DomainName": "www.example.org", "HostedZoneId": {"Ref": "Zone"}}],
            },
        }
    },
    "Outputs": {"Arn": {"Value": {"Ref": "Certificate"}}},
}


def site(bucket: str) -> dict[str, Any]:
    properties = {"BucketName": bucket, "VersioningConfiguration": {"Status": "Enabled"}}
    return {
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": properties}},
        "Outputs": {"Domain": {"Value": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}}},
    }


EDGE = {
    "Parameters": {"CertificateArn": {"Type": "String"}, "Domain": {"Type": "String"}},
    "Resources": {
        "Access": {
            "Type": "AWS::CloudFront::OriginAccessControl",
            "Properties": {
                "OriginAccessControlConfig": {
                    "Name": "the-site",
                    "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                }
            },
        },
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "DeletionPolicy": "Retain",
            "Properties": {
                "DistributionConfig": {
                    "Enabled": True,
                    "Comment": "ours",
                    "Aliases": ["www.example.org"],
                    "HttpVersion": "http2and3",
                    "Origins": [
                        {
                            "Id": "bucket",
                            "DomainName": {"Ref": "Domain"},
                            "OriginAccessControlId": {"Fn::GetAtt": ["Access", "Id"]},
                            "S3OriginConfig": {"OriginAccessIdentity": ""},
                        }
                    ],
                    "DefaultCacheBehavior": {
                        "TargetOriginId": "bucket",
                        "ViewerProtocolPolicy": "redirect-to-https",
                        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                    },
                    "ViewerCertificate": {
                        "AcmCertificateArn": {"Ref": "CertificateArn"},
                        "MinimumProtocolVersion": "TLSv1.2_2021",
                        "SslSupportMethod": "sni-only",
                    },
                }
            },
        },
    },
    "Outputs": {"Domain": {"Value": {"Fn::GetAtt": ["Distribution", "DomainName"]}}},
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """What somebody has made by hand."""

    aws: Aws
    account: str
    bucket: str
    certificate: str
    distribution: str
    zone: str

    def client(self, service: str, region: str = EDGE_REGION) -> Any:
        return self.aws.client(service, account_id=self.account, region=region)

    @property
    def identities(self) -> dict[str, Any]:
        """Of everything that must stay who it is."""
        found = self.client("cloudfront").get_distribution(Id=self.distribution)["Distribution"]
        return {
            "buckets": {b["Name"] for b in self.client("s3").list_buckets()["Buckets"]} & {self.bucket},
            "content": self.client("s3").get_object(Bucket=self.bucket, Key="index.html")["Body"].read(),
            "distribution": (found["Id"], found["DomainName"], found["DistributionConfig"]["Aliases"]["Items"]),
            "certificates": [c["CertificateArn"] for c in self.client("acm").list_certificates()["CertificateSummaryList"]],
            "zones": [z["Id"] for z in self.client("route53").list_hosted_zones()["HostedZones"]],
            "distributions": [d["Id"] for d in self.client("cloudfront").list_distributions()["DistributionList"].get("Items", ())],
        }

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("cloudfront").get_distribution_config(Id=self.distribution)["DistributionConfig"]
        return found


def made_by_hand(aws: Aws, account: str) -> Made:
    s3 = aws.client("s3", account_id=account, region=REGION)
    bucket = f"by-hand-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"visitors read this")
    acm = aws.client("acm", account_id=account, region=EDGE_REGION)
    arn = acm.request_certificate(DomainName="www.example.org", SubjectAlternativeNames=["example.org"], ValidationMethod="DNS")
    route53 = aws.client("route53", account_id=account, region=EDGE_REGION)
    zone = route53.create_hosted_zone(Name="example.org", CallerReference=account)["HostedZone"]["Id"].rpartition("/")[2]
    cloudfront = aws.client("cloudfront", account_id=account, region=EDGE_REGION)
    config = distribution_config(
        account,
        "www.example.org",
        bucket=bucket,
        region=REGION,
        header=("X-Verify", "only-between-us"),
        behaviour={"ViewerProtocolPolicy": "allow-all", "CachePolicyId": CACHING_OPTIMIZED},
        Comment="clicked together",
        HttpVersion="http2",
        ViewerCertificate={
            "ACMCertificateArn": arn["CertificateArn"],
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        },
    )
    distribution = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    return Made(aws=aws, account=account, bucket=bucket, certificate=arn["CertificateArn"], distribution=distribution, zone=zone)


@pytest.fixture
def made(aws: Aws, account: str) -> Made:
    return made_by_hand(aws, account)


@pytest.fixture
def platform(wire: Wire, made: Made, account: str, tmp_path: Path) -> Platform:
    """Stacks for all of it, behind the wire."""
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    found = Platform(account=account, dist=tmp_path / "dist", line=line)
    found.write(
        *small_assembly(
            Small(id="base", template=base(account), more=TAGGED),
            Small(
                id="certificate",
                template=CERTIFICATE,
                region=EDGE_REGION,
                parameters=(literal("Zone", made.zone),),
                depends_on=("base",),
                more=TAGGED,
            ),
            Small(id="site", template=site(made.bucket), depends_on=("base",), more=TAGGED),
            Small(
                id="edge",
                template=EDGE,
                region=EDGE_REGION,
                parameters=(output("CertificateArn", "certificate", "Arn"), output("Domain", "site", "Domain")),
                depends_on=("base", "certificate", "site"),
                more=TAGGED,
            ),
            environment=ENV,
            protected=True,
        )
    )
    return found


def adopt(platform: Platform, made: Made) -> Ended:
    named = (f"site.Bucket={made.bucket}", f"Certificate={made.certificate}", f"Distribution={made.distribution}")
    given = [word for each in named for word in ("--resource", each)]
    return platform.line.deploy("adopt", "--env", ENV, "--dist", str(platform.dist), *given, "--plan")


def digest(platform: Platform) -> str:
    found: str = json.loads(platform.saved.read_text())["digest"]
    return found


def begun(made: Made, stack: str, region: str) -> list[str]:
    """How every operation on the stack began, oldest first."""
    events = made.client("cloudformation", region).describe_stack_events(StackName=f"demo-{ENV}-{stack}")["StackEvents"]
    own = [e["ResourceStatus"] for e in reversed(events) if e["LogicalResourceId"] == f"demo-{ENV}-{stack}"]
    return [status for status in own if status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS")]


TWICE = ["IMPORT_IN_PROGRESS", "UPDATE_IN_PROGRESS"]
STACKS = {"certificate": EDGE_REGION, "site": REGION, "edge": EDGE_REGION}


def test_taken_over_and_aligned_in_one_apply(platform: Platform, made: Made) -> None:
    before = made.identities
    planned = adopt(platform, made)
    assert planned.code == 3, (print(planned.stdout, planned.stderr), "")
    assert "only-between-us" not in planned.stdout + platform.saved.read_text()
    assert "clicked together" in planned.stdout

    applied = platform.apply("--approve", digest(platform))

    assert applied.code == 0, (print(planned.stdout, applied.stdout, applied.stderr), "")
    assert made.identities == before
    assert (made.config["Comment"], made.config["HttpVersion"]) == ("ours", "http2and3")
    again = platform.plan()
    assert again.code == 0, again
    assert {stack: begun(made, stack, region)[0] for stack, region in STACKS.items()} == dict.fromkeys(STACKS, "IMPORT_IN_PROGRESS")


# Every call in turn: tests/unit/rollout/test_import_execution.py. These are processes, and a real kill.
MOMENTS = {
    "after the first import was executed": ("cloudformation", "ExecuteChangeSet", 2, True),
    "after the last update was executed": ("cloudformation", "ExecuteChangeSet", 6, True),
}


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: m.replace(" ", "-"))
def test_killed_and_run_again(platform: Platform, made: Made, wire: Wire, processes: list[subprocess.Popen[str]], moment: str) -> None:
    before = made.identities
    assert adopt(platform, made).code == 3
    service, operation, after, done = MOMENTS[moment]
    held = wire.hold(service, operation, after=after, done=done)
    approved = digest(platform)
    first = platform.start("--approve", approved)
    processes.append(first)
    held.wait()
    kill(first)
    held.release()

    again = platform.apply("--approve", approved)

    assert again.code == 0, again
    assert made.identities == before
    for stack, region in STACKS.items():
        assert begun(made, stack, region).count("IMPORT_IN_PROGRESS") == 1
        assert begun(made, stack, region).count("UPDATE_IN_PROGRESS") <= 1
    assert platform.plan().code == 0


def test_a_foreign_change_after_the_approval_is_not_undone(platform: Platform, made: Made) -> None:
    assert adopt(platform, made).code == 3
    client = made.client("cloudfront")
    found = client.get_distribution_config(Id=made.distribution)
    client.update_distribution(
        Id=made.distribution, IfMatch=found["ETag"], DistributionConfig={**found["DistributionConfig"], "Comment": "changed since"}
    )
    applied = platform.apply("--approve", digest(platform), "--json")
    assert applied.code == 1, applied
    assert "not as it was when the plan was made" in applied.stdout
    assert made.config["Comment"] == "changed since"
    assert answer(applied.stdout)["result"] == "failed"


def until_deleted(client: Any, stack: str, status: str) -> None:
    """Until the stack has that status; empty: until it is gone."""

    def reached() -> bool:
        found = [s["StackStatus"] for s in client.describe_stacks()["Stacks"] if s["StackName"] == f"demo-{ENV}-{stack}"]
        return found == ([status] if status else [])

    eventually(reached)


def test_a_stack_deleted_by_hand_gets_back_what_it_kept(platform: Platform, made: Made) -> None:
    """The ordinary plan finds the distribution by the deleted stack's events: it has no name of its own."""
    assert adopt(platform, made).code == 3
    assert platform.apply("--approve", digest(platform)).code == 0
    before = made.identities
    for stack, region in reversed(STACKS.items()):
        client = made.client("cloudformation", region)
        client.delete_stack(StackName=f"demo-{ENV}-{stack}")
        if stack == "edge":
            # The distribution that stays uses it, so it has to be kept as well.
            until_deleted(client, stack, "DELETE_FAILED")
            client.delete_stack(StackName=f"demo-{ENV}-{stack}", RetainResources=["Access"])
        until_deleted(client, stack, "")
    planned = platform.plan()
    assert planned.code == 3, (print(planned.stdout, planned.stderr), "")
    assert made.distribution in planned.stdout
    applied = platform.apply("--approve", digest(platform))
    assert applied.code == 0, (print(planned.stdout, applied.stdout, applied.stderr), "")
    assert made.identities == before
    assert platform.plan().code == 0

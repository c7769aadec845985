"""A site behind a public website endpoint, a web ACL, a function of CloudFront and an API is taken over, killed at every step, by process.

A test of twenty seconds for a reason: only a killed process leaves what the next one has to go on with, and only over HTTP is seen that a
visitor is never without a way to the page.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.harness import CommandLine
from tests.functional.test_from_terraform import PENDING, Walk, walk
from tests.functional.test_kill_apply import kill
from tests.functional.test_local_aws_resources import Stacks
from tests.functional.wire import Wire

__all__ = ["walk"]
pytestmark = pytest.mark.functional

NAME = "kimmyai-web-dev-site"
FILE = """\
adopt: {website_endpoint: {index_document: index.html, error_document: index.html}}
firewall: {rate: count}
hosted_zone: {records: weighted}
"""
MOMENTS = {
    "before anything is imported": ("ExecuteChangeSet", 0, False),
    "when the first import has begun": ("ExecuteChangeSet", 0, True),
    "before a change set of aligning": ("CreateChangeSet", 0, False),
    "when the last change set has begun": ("ExecuteChangeSet", 3, True),
}


def with_more(way: Walk) -> str:
    """A web ACL of the name that ours has, a function and an API; the ACL's id."""
    # The local AWS makes one by CloudFormation only: by a stack that lets go of it.
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "old"}
    properties = {"Name": NAME, "Scope": "CLOUDFRONT", "DefaultAction": {"Allow": {}}, "Rules": [], "VisibilityConfig": visible}
    resource = {"Type": "AWS::WAFv2::WebACL", "DeletionPolicy": "Retain", "Properties": properties}
    template = {"Resources": {"Acl": resource}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Acl", "Arn"]}}}}
    stacks = Stacks(way.place.aws, way.place.account)
    arn = stacks.apply("old", template)["Arn"]
    stacks.delete("old")
    change(way, WebACLId=arn, api=True)
    identity = arn.rpartition("/")[2]
    state = json.loads(way.before.state.read_text())
    attributes = {"name": NAME, "id": identity, "arn": arn, "scope": "CLOUDFRONT"}
    provider = 'provider["registry.terraform.io/hashicorp/aws"]'
    instance = {"schema_version": 0, "attributes": attributes}
    acl = {"mode": "managed", "type": "aws_wafv2_web_acl", "name": "site", "provider": provider, "instances": [instance]}
    way.before.state.write_text(json.dumps({**state, "resources": [*state["resources"], acl]}))
    return identity


def change(way: Walk, *, api: bool, **more: Any) -> None:
    """Of the distribution, as somebody would by hand."""
    cloudfront = way.place.client("cloudfront")
    told = cloudfront.get_distribution_config(Id=way.before.distribution)
    config = {**told["DistributionConfig"], **more}
    origins = [each for each in config["Origins"]["Items"] if each["Id"] != "api"]
    behaviours = []
    if api:
        protocols = {"Quantity": 1, "Items": ["TLSv1.2"]}
        custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only", "OriginSslProtocols": protocols}
        origins.append({"Id": "api", "DomainName": "api.example.org", "CustomOriginConfig": custom})
        behaviours = [{**config["DefaultCacheBehavior"], "PathPattern": "/api/*", "TargetOriginId": "api"}]
    config["Origins"] = {"Quantity": len(origins), "Items": origins}
    config["CacheBehaviors"] = {"Quantity": len(behaviours), "Items": behaviours}
    cloudfront.update_distribution(Id=way.before.distribution, IfMatch=told["ETag"], DistributionConfig=config)


def visited(way: Walk) -> None:
    """A visitor's request comes through: the name leads to the distribution, which may read the bucket by the way that it goes."""
    zone = way.place.client("route53").list_resource_record_sets(HostedZoneId=way.before.zone)["ResourceRecordSets"]
    targets = {each["AliasTarget"]["DNSName"].rstrip(".") for each in zone if each["Type"] in ("A", "AAAA") and each.get("Weight") != 0}
    alone = [each for each in zone if each["Type"] == "A"]
    assert targets <= {way.before.domain_name} and alone, zone
    (origin,) = (each for each in way.distribution()["Origins"]["Items"] if each["Id"] != "api")
    s3 = way.place.client("s3", way.place.region)
    policy = json.loads(s3.get_bucket_policy(Bucket=way.place.bucket)["Policy"])
    allowed = [each for each in policy["Statement"] if each["Effect"] == "Allow" and "s3:GetObject" in each["Action"]]
    if origin.get("OriginAccessControlId"):
        assert any("Service" in each["Principal"] for each in allowed if isinstance(each["Principal"], dict)), policy
    else:
        block = s3.get_public_access_block(Bucket=way.place.bucket)["PublicAccessBlockConfiguration"]
        public = [each for each in allowed if each["Principal"] in ("*", {"AWS": "*"})]
        assert public and not block["RestrictPublicBuckets"], (policy, block)
        assert s3.get_bucket_website(Bucket=way.place.bucket)["IndexDocument"]["Suffix"] == "index.html"
    assert s3.get_object(Bucket=way.place.bucket, Key="index.html")["Body"].read()


def test_killed_at_every_step_it_is_taken_over_without_a_visitor_noticing(
    walk: Callable[..., Walk],
    wire: Wire,
    processes: list[subprocess.Popen[str]],
) -> None:
    way = walk("dev", "website", FILE)
    acl = with_more(way)
    site = way.site
    site.build()
    adopt = ["deploy.py", "adopt", "--env", "dev", "--terraform-state", "dev.tfstate"]
    refused = way.done(adopt, code=1)
    assert "leads /api/* to api.example.org" in refused.stdout
    assert way.done([*adopt, "--plan"], code=1) and "CacheBehaviors" not in refused.stderr
    change(way, api=False)
    way.done(["deploy.py", "plan", "--env", "dev", "--only", "foundation"], code=PENDING)
    way.applied(["deploy.py", "apply", "--env", "dev"])
    way.done(["deploy.py", "set-password", "--env", "dev", "--stdin"], stdin="a-long-enough-password\n")
    looked = way.done(adopt, code=PENDING)
    assert f"{NAME} {acl} CLOUDFRONT" in looked.stdout and "adopt.website_endpoint" in looked.stdout
    way.done([*adopt, "--plan", "--replace-records"], code=PENDING)
    line = CommandLine(home=site.home, endpoint_url=wire.url, account_id=site.account)
    for operation, after, done in MOMENTS.values():
        held = wire.hold("cloudformation", operation, after=after, done=done)
        digest = json.loads(site.saved.read_text())["digest"]
        started = line.start("deploy.py", "apply", "--env", "dev", "--dist", str(site.dist), "--approve", digest)
        processes.append(started)
        held.wait()
        kill(started)
        held.release()
        wire.clear()
        visited(way)
    way.applied(["deploy.py", "apply", "--env", "dev"])
    visited(way)
    way.identities_are_the_same()
    (resource,) = way.place.client("cloudformation").list_stack_resources(StackName="kimmyai-web-dev-firewall")["StackResourceSummaries"]
    assert resource["PhysicalResourceId"] == f"{NAME}|{acl}|CLOUDFRONT"
    assert way.distribution()["WebACLId"].endswith(f"/{acl}")
    way.done(["deploy.py", "plan", "--env", "dev"])
    assert "aws_wafv2_web_acl.site" in way.done([*adopt, "--check"], code=PENDING).stdout, "`terraform destroy` would delete it"

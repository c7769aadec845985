"""Terraform states as teams have them: several sites in one, keys of for_each, the rest of a company, older ways of writing.

Nothing of others is offered for deletion, and no visitor gets an empty bucket.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from adoption.environment import written
from adoption.report import AdoptionReport
from adoption.terraform import State, read
from adoption.text import lines
from tests.unit.adoption.stage import ZONE, Account, Live, adopted, terraformed

ACCOUNT = "111111111111"
AWS = 'provider["registry.terraform.io/hashicorp/aws"]'
OURS, THEIRS = "E1DEVKIMMYAI01", "E9PROD"
SECRET = "NOT_TO_BE_SHOWN"
EDGE = '{"Statement":[{"Principal":{"Service":["lambda.amazonaws.com","edgelambda.amazonaws.com"]}}]}'
NODES = '{"Statement":[{"Principal":{"Service":"ec2.amazonaws.com"}}]}'


def resource(address: str, **attributes: Any) -> dict[str, Any]:
    """One instance by its address, with what a provider writes beside the attributes."""
    module, kind, name, key = re.fullmatch(r"(?:(module\..*)\.)?(\w+)\.(\w+?)(?:\[(.*)\])?", address).groups()  # type: ignore[union-attr]
    instance: dict[str, Any] = {"schema_version": 1, "attributes": {**attributes, "password": SECRET, "tags_all": {}}, "private": "eyJz"}
    instance["sensitive_attributes"] = [[{"type": "get_attr", "value": "password"}]]
    if key:
        instance["index_key"] = json.loads(key)
    return {"mode": "managed", "type": kind, "name": name, "provider": AWS, "instances": [instance]} | (
        {"module": module} if module else {}
    )


def state(*resources: dict[str, Any]) -> State:
    others = [
        {**resource("cloudflare_record.www", hostname="h"), "provider": 'provider["registry.terraform.io/cloudflare/cloudflare"]'},
        {**resource("aws_caller_identity.me", account_id=ACCOUNT), "mode": "data"},
        resource("random_password.p", result=SECRET),
    ]
    secret = {"value": SECRET, "type": "string", "sensitive": True}
    document = {"version": 4, "terraform_version": "1.9.8", "serial": 9, "lineage": "x", "outputs": {"p": secret}, "check_results": None}
    return read(json.dumps({**document, "resources": [*others, *resources]}).encode())


def distribution(address: str, identifier: str, *aliases: str) -> dict[str, Any]:
    return resource(address, id=identifier, arn=f"arn:aws:cloudfront::{ACCOUNT}:distribution/{identifier}", aliases=list(aliases))


def edge(head: str, name: str, key: str = "") -> tuple[dict[str, Any], ...]:
    """What a site has beside its distribution."""
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    return (
        resource(f"{head}aws_cloudfront_origin_access_control.s3{key}", id=f"OAC-{name}", name=name),
        resource(f"{head}aws_lambda_function.auth{key}", function_name=name, arn=arn),
        resource(f"{head}aws_iam_role.edge{key}", name=name, arn=f"arn:aws:iam::{ACCOUNT}:role/{name}", assume_role_policy=EDGE),
        resource(f"{head}aws_cloudwatch_log_group.edge{key}", name=f"/aws/lambda/us-east-1.{name}"),
    )


def superseded(report: AdoptionReport) -> set[str]:
    return {each.source.removeprefix("terraform ") for each in report.left if each.why == "superseded"}


def addresses(*resources: dict[str, Any]) -> set[str]:
    return {each.address for each in state(*resources).resources} - {each.address for each in state().resources}


LAYOUTS = {
    "a module for each environment": ('module.site["dev"].', 'module.site["prod"].', "", ""),
    "modules of other names": ("module.dev.module.cdn.", "module.prod.module.cdn.", "", ""),
    "resources for each environment": ("", "", '["dev"]', '["prod"]'),
}


@pytest.mark.parametrize(("ours", "theirs", "key", "its_key"), LAYOUTS.values(), ids=list(LAYOUTS))
def test_of_a_state_with_two_sites_only_what_stands_by_ours_is_superseded(ours: str, theirs: str, key: str, its_key: str) -> None:
    mine, others = edge(ours, "dev-auth", key), edge(theirs, "prod-auth", its_key)
    cdn = "aws_cloudfront_distribution.this"
    both = state(
        distribution(f"{ours}{cdn}{key}", OURS, "dev.kimmyai.io"),
        *mine,
        distribution(f"{theirs}{cdn}{its_key}", THEIRS, "kimmyai.io"),
        *others,
    )
    report = adopted("dev", Account(live_properties=terraformed("dev")), of=both)
    assert superseded(report) == addresses(*mine)
    told = "\n".join(lines(report, 200))
    assert told.count("look who uses it before it is deleted") == len(others) and SECRET not in told
    assert not [line for line in told.splitlines() if "state rm" in line and "prod" in line]


def test_what_could_be_of_either_site_is_left_alone_also_when_ours_has_left_the_state() -> None:
    shared = edge("module.edge.", "site-auth")
    theirs = distribution("module.prod.aws_cloudfront_distribution.this", THEIRS, "kimmyai.io")
    for ours in ((distribution("module.dev.aws_cloudfront_distribution.this", OURS, "dev.kimmyai.io"),), ()):
        assert superseded(adopted("dev", Account(live_properties=terraformed("dev")), of=state(*ours, theirs, *shared))) == set()
    alone = distribution("module.dev.aws_cloudfront_distribution.this", OURS, "dev.kimmyai.io")
    assert superseded(adopted("dev", Account(live_properties=terraformed("dev")), of=state(alone, *shared))) == addresses(*shared)


def test_what_no_site_has_is_never_superseded() -> None:
    company = (
        resource("module.eks.aws_iam_role.nodes[0]", name="nodes", arn=f"arn:aws:iam::{ACCOUNT}:role/nodes", assume_role_policy=NODES),
        resource("module.api.aws_lambda_function.api", function_name="api", arn=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:api"),
        resource("module.api.aws_cloudwatch_log_group.api", name="/aws/lambda/api"),
        resource("aws_cloudwatch_log_group.rds", name="/aws/rds/main"),
        resource('aws_route53_health_check.api["api"]', id="h", fqdn="api.kimmyai.io"),
    )
    ours = distribution("aws_cloudfront_distribution.this", OURS, "dev.kimmyai.io")
    report = adopted("dev", Account(live_properties=terraformed("dev")), of=state(ours, *company))
    assert superseded(report) == set() and len(report.unmanaged) == 1
    assert NODES not in repr(report)


ENDPOINTS = (
    "old-site.s3.amazonaws.com",
    "old-site.s3.eu-west-1.amazonaws.com",
    "old-site.s3-website-eu-west-1.amazonaws.com",
    "old-site.s3-website.eu-central-1.amazonaws.com",
    "old-site.s3.dualstack.eu-west-1.amazonaws.com",
)


def reading(domain: str, *, bucket: bool) -> Live:
    live = terraformed("dev")
    (origin,) = live["AWS::CloudFront::Distribution", OURS]["DistributionConfig"]["Origins"]
    origin["DomainName"] = domain
    for kind in () if bucket else ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        del live[kind, "dev-kimmyai-web-public"]
    return live


@pytest.mark.parametrize("domain", ENDPOINTS)
def test_a_distribution_that_reads_a_bucket_of_another_name_is_not_given_an_empty_one(domain: str) -> None:
    of = state(distribution("module.cloudfront.aws_cloudfront_distribution.this[0]", OURS, "DEV.kimmyai.io"))
    report = adopted("dev", Account(live_properties=reading(domain, bucket=False)), of=of)
    (refused,) = report.refused
    assert (refused.logical_id, refused.command) == ("Distribution", "edit environments/dev.yaml: bucket: old-site, then build again")
    assert "every page would be an error" in refused.message
    assert written(report).said["bucket",] == "old-site"


@pytest.mark.parametrize("domain", ["app.example.com", "dev-kimmyai-web-public.s3.eu-west-1.amazonaws.com"])
def test_another_origin_and_the_bucket_of_the_same_name_are_no_reason(domain: str) -> None:
    of = state(distribution("aws_cloudfront_distribution.this", OURS, "dev.kimmyai.io"))
    assert not adopted("dev", Account(live_properties=reading(domain, bucket=False)), of=of).refused


def test_records_are_known_however_the_state_writes_them_and_those_of_a_routing_policy_stand_beside() -> None:
    record = {"name": "dev", "fqdn": "DEV.kimmyai.io", "zone_id": f"/hostedzone/{ZONE}"}
    blue = {"fqdn": "dev.kimmyai.io", "zone_id": ZONE, "set_identifier": "blue"}
    of = state(
        resource('module.records.aws_route53_record.this["{\\"name\\":\\"\\",\\"type\\":\\"A\\"}"]', **record, type="A"),
        resource("aws_route53_record.blue", **blue, type="AAAA"),
        resource("aws_route53_record.theirs", **blue | {"zone_id": "ZELSEWHERE"}, type="AAAA"),
    )
    report = adopted("dev", Account(live_properties=terraformed("dev")), of=of)
    assert [each.identifier for each in report.rows] == [{"Name": "dev.kimmyai.io", "HostedZoneId": ZONE, "Type": "A"}]
    told = {each.source: each.message for each in report.left if each.what == "aws_route53_record"}
    assert told["terraform aws_route53_record.blue"] == "stands beside ours, as blue: the plan says what becomes of it"
    assert "which is not the environment's" in told["terraform aws_route53_record.theirs"]

"""What a site that was taken over keeps for a while, or for good: the old way to the bucket, a certificate and records of others."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from assembly.model import LiteralValue
from changes.record_shapes import changed_policies
from environments.model import Environment
from lint.gate import Job, lint
from lint.verdicts import today
from removal.retained import lets_go
from stacks.synthesis import Synthesis, synthesise
from tests import edits
from tests.environments_fixture import FOREIGN_ZONE, changed, environments

DEV = environments()["dev"]
IDENTITY, WEBSITE = {"origin_access_identity": "E1ABCDEF2GHIJ"}, {"website_endpoint": {"error_document": "error.html"}}
ARN = f"arn:aws:acm:us-east-1:{DEV.account_id}:certificate/0a1b2c3d-1111-2222-3333-444455556666"
VARIANTS: dict[str, dict[str, Any]] = {
    "identity": {"adopt": IDENTITY},
    "identity-switched": {"adopt": {**IDENTITY, "origin": "private"}},
    "website": {"adopt": WEBSITE},
    "website-switched": {"adopt": {**WEBSITE, "origin": "private"}},
    "nothing": {},
    "let-go": {"adopt": {"let_go": True}},
    "certificate": {"certificate": {"arn": ARN}},
    "records": {"hosted_zone": {"records": "unmanaged"}},
    "weighted": {"hosted_zone": {"records": "weighted"}, "redirect_hosts": ["www.dev.kimmyai.io"]},
    "suffix": {"basic_auth": {"function_suffix": "2"}},
    "both": {"certificate": {"arn": ARN}, "hosted_zone": {"records": "unmanaged"}},
    "foreign-zone-of-others": {
        "certificate": {"arn": ARN},
        "hosted_zone": {**FOREIGN_ZONE["hosted_zone"], "role_arn": None, "records": "unmanaged"},
    },
}


@cache
def built(name: str) -> Synthesis:
    return synthesise(changed(DEV, VARIANTS[name]))


@cache
def site(name: str) -> dict[str, Any]:
    resources: dict[str, Any] = json.loads(built(name).templates["site"])["Resources"]
    return resources


def origin(name: str) -> dict[str, Any]:
    (found,) = site(name)["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    return dict(found)


def statements(name: str) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in site(name)["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]}


def test_every_variant_passes_the_gate() -> None:
    jobs = [
        Job(stack_id=f"{name}/{stack.id}", template=built(name).templates[stack.id], regions=(stack.region,))
        for name in VARIANTS
        for stack in built(name).assembly.stacks
    ]
    found = lint(jobs, cache=None, workers=1, day=today())
    assert [(f.stack_id, f.rule, f.logical_id, f.message) for findings in found.values() for f in findings if not f.suppressed] == []


@pytest.mark.parametrize("way", ["identity", "website"])
def test_each_build_changes_one_side_only(way: str) -> None:
    first, second, last = site(way), site(f"{way}-switched"), site("nothing")
    assert {key for key in first if first[key] != second[key]} == {"Distribution"}
    assert {key for key in second if second[key] != last[key]} <= {"Bucket", "BucketPolicy"}
    assert second["Distribution"] == last["Distribution"]


@pytest.mark.parametrize("name", ["identity", "identity-switched", "website", "website-switched"])
def test_the_bucket_lets_the_old_way_and_the_new_one_in(name: str) -> None:
    assert {"CloudFrontReads", "CloudFrontTellsMissing"} <= statements(name).keys()
    old = statements(name).get("IdentityReadsAsBefore" if "identity" in name else "EverybodyReadsAsBefore")
    assert old is not None and old["Action"] == ["s3:GetObject"] and "Condition" not in old
    if "website" in name:
        bucket = site(name)["Bucket"]["Properties"]
        assert not any(bucket["PublicAccessBlockConfiguration"].values())
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerPreferred"}]
        assert bucket["WebsiteConfiguration"] == {"IndexDocument": "index.html", "ErrorDocument": "error.html"}
        # A website endpoint has no TLS, so a policy that refuses plain HTTP would close it.
        assert "TlsOnly" not in statements(name)
    else:
        assert "TlsOnly" in statements(name)


def test_the_old_ways() -> None:
    assert origin("identity")["S3OriginConfig"]["OriginAccessIdentity"] == "origin-access-identity/cloudfront/E1ABCDEF2GHIJ"
    assert "OriginAccessControlId" not in origin("identity")
    assert origin("website")["DomainName"] == f"{DEV.bucket}.s3-website-eu-west-1.amazonaws.com"
    assert origin("website")["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
    assert not {"IdentityReadsAsBefore", "EverybodyReadsAsBefore"} & statements("nothing").keys()


def test_a_certificate_of_others_is_used_and_never_made() -> None:
    stacks = {stack.id: stack for stack in built("certificate").assembly.stacks}
    assert "certificate" not in stacks
    for user in ("site", "monitoring"):
        (given,) = [each.source for each in stacks[user].parameters if each.name == "CertificateArn"]
        assert given == LiteralValue(value=ARN)


def test_records_of_others_are_not_made_and_the_site_is_watched_all_the_same() -> None:
    for name in ("records", "foreign-zone-of-others"):
        stacks = {stack.id: stack for stack in built(name).assembly.stacks}
        assert "dns" not in stacks
        watched = json.loads(built(name).templates["monitoring"])["Resources"]
        assert watched["HealthCheck"]["Type"] == "AWS::Route53::HealthCheck"
        contract = built(name).assembly.contract
        assert contract is not None and not contract.https_record


def test_what_lets_go_keeps_everything_that_visitors_come_to() -> None:
    for stack in ("certificate", "edge", "site", "dns"):
        resources = json.loads(built("let-go").templates[stack])["Resources"]
        assert {body["DeletionPolicy"] for body in resources.values()} == {"Retain"}
        assert lets_go(built("let-go").templates[stack].decode()), "or destroy would clean up after it"
        assert not lets_go(built("nothing").templates[stack].decode())
        before = json.loads(built("nothing").templates[stack])["Resources"]
        assert {title: body["Properties"] for title, body in resources.items()} == {t: b["Properties"] for t, b in before.items()}
    assert built("let-go").templates["monitoring"] == built("nothing").templates["monitoring"]
    before, after = (json.loads(built(name).templates["foundation"])["Resources"] for name in ("nothing", "let-go"))
    changed = {title for title in before if before[title] != after[title]}
    assert changed == {"RuntimeBoundary"}, "IAM would not delete it, as the edge function's role stays"
    assert after["RuntimeBoundary"]["DeletionPolicy"] == "Retain"


def refused(**values: Any) -> str:
    made = edits.base("123456789012")
    for key, value in values.items():
        made[key] = {**made[key], **value} if isinstance(made.get(key), dict) else value
    found = edits.described(made)
    assert not isinstance(found, Environment), found
    return found


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"adopt": {**IDENTITY, **WEBSITE}}, "exclude each other"),
        ({"adopt": {"origin": "private"}}, "for the step after"),
        ({"adopt": IDENTITY, "home_region": "af-south-1"}, "opts into"),
        ({"adopt": IDENTITY, "disaster_recovery": {"region": "eu-west-2", "bucket": "site-replica"}}, "goes before disaster_recovery"),
        ({"certificate": {"arn": ARN.replace(DEV.account_id, "999999999998")}}, "of its own account only"),
        ({"certificate": {"arn": ARN.replace("us-east-1", "eu-west-1")}}, "certificate.arn"),
        ({"certificate": {"arn": ARN.replace(DEV.account_id, "123456789012")}, "redirect_hosts": ["www.dev.kimmyai.io"]}, "ask its owner"),
        (
            {
                "hosted_zone": {"records": "unmanaged"},
                "failover": {"dns_name": "lb.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2"},
            },
            "leave failover out",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(values: dict[str, Any], said: str) -> None:
    assert said in refused(**values)


def test_every_visited_record_has_a_weight_or_none_has() -> None:
    for name, policy in (("weighted", (DEV.prefix, 1)), ("nothing", (None, None))):
        bodies = json.loads(built(name).templates["dns"])["Resources"].values()
        records = [each["Properties"] for each in bodies if each["Type"] == "AWS::Route53::RecordSet"]
        assert len(records) == (6 if name == "weighted" else 3)
        assert {(each.get("SetIdentifier"), each.get("Weight")) for each in records} == {policy}


def test_a_record_stays_what_it_was_made_as() -> None:
    simple, weighted = (json.loads(built(name).templates["dns"]) for name in ("nothing", "weighted"))
    moved = ["dev.kimmyai.io A", "dev.kimmyai.io AAAA", "dev.kimmyai.io HTTPS"]
    assert sorted(changed_policies(simple, weighted)) == sorted(changed_policies(weighted, simple)) == moved


def test_a_suffix_makes_another_function_and_all_that_is_named_after_it() -> None:
    name = f"{DEV.prefix}-basic-auth-2"
    assert json.loads(built("suffix").templates["edge"])["Resources"]["Function"]["Properties"]["FunctionName"] == name
    assert name in built("suffix").templates["edge-logs"].decode()
    assert f"{DEV.prefix}-basic-auth:" not in built("suffix").templates["foundation"].decode()

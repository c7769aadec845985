"""What the environment's own stacks have already is theirs, whatever a state says, and is not looked for again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from adoption.report import AdoptionReport, Row
from adoption.survey import SurveyRequest, surveyed
from adoption.terraform import Managed, State
from aws.route53 import PublicZone
from gateways.existing import Found
from guards import documents
from tests.unit.adoption.stage import SCHEMAS, Account, adopted, assembly, state, terraformed
from tests.unit.adoption.test_survey import again, row

BUCKET = "dev-kimmyai-web-public"
ACL_NAME = "kimmyai-web-prod-site"
SITE, CERTIFICATE = "kimmyai-web-dev-site", "kimmyai-web-dev-certificate"


@dataclass(frozen=True)
class Resource:
    logical_id: str
    physical_id: str
    status: str = "CREATE_COMPLETE"


@dataclass(frozen=True)
class Stack:
    deployed: bool = True
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Deployed(Account):
    """Some of the environment's stacks are there."""

    stacks: dict[str, tuple[Resource, ...]] = field(default_factory=dict)
    begun: tuple[str, ...] = ()
    """Stacks that hold nothing yet, of which only a change set was made."""
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """StackSets, with their instances."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        outer = self

        class Gateway:
            def describe_stack(self, name: str) -> Stack | None:
                return Stack(deployed=False) if name in outer.begun else Stack() if name in outer.stacks else None

            def list_resources(self, name: str) -> tuple[Resource, ...]:
                return outer.stacks[name]

            def list_stack_instances(self, name: str, *, call_as: str) -> tuple[str, ...]:
                return outer.sets.get(name, ())

            def owner(self, physical_id: str, resource_type: str) -> str:
                return ""

        return Gateway()


def survey(*resources: Resource, of: State | None = None, begun: tuple[str, ...] = (CERTIFICATE,)) -> tuple[AdoptionReport, Deployed]:
    """The site's stack has these; that of the certificate comes before it, and is not there."""
    account = Deployed(live_properties=terraformed("dev"), stacks={SITE: resources}, begun=begun)
    return adopted("dev", account, of=of), account


def test_what_its_stack_has_is_in_place_and_not_compared() -> None:
    report, account = survey(Resource("Bucket", BUCKET))
    bucket = row(report, "site.Bucket")
    assert (bucket.fate, bucket.message) == ("in_place", "")
    assert ("AWS::S3::Bucket", BUCKET) not in account.asked
    assert row(report, "site.Distribution").fate == "take_over"


def test_what_a_stackset_has_made_is_not_counted_as_still_to_be_made() -> None:
    """Else the report of an environment that is deployed as a whole ends with "1 without anything that exists"."""
    name = "kimmyai-web-dev-edge-logs"
    made, templates = assembly("dev")
    number = len(documents.loads(templates["edge-logs"])["Resources"])
    assert next(each.stack_name for each in made.stacks if each.id == "edge-logs") == name

    def still_to_make(sets: dict[str, tuple[str, ...]]) -> int:
        return adopted("dev", Deployed(live_properties=terraformed("dev"), sets=sets)).made_new

    assert still_to_make({}) == still_to_make({name: ()}) == still_to_make({name: ("eu-west-1",)}) + number


def test_what_its_stack_has_no_more_is_taken_over() -> None:
    report, _ = survey(Resource("Bucket", BUCKET, "DELETE_COMPLETE"), Resource("Other", "x"))
    assert row(report, "site.Bucket").fate == "take_over"


def test_beside_what_its_stack_has_another_one_of_the_state_is_left() -> None:
    report, _ = survey(Resource("Distribution", "EOURS"))
    left = row(report, "site.Distribution")
    assert (left.fate, left.message) == ("made_new", "the stack has EOURS there; this one is left")


def test_of_two_that_the_state_has_the_one_that_its_stack_has_not_is_told() -> None:
    two = ("E1DEVKIMMYAI01", "EOLD")
    for ours, other in (two, two[::-1]):
        found = Deployed(live_properties=terraformed("dev"), stacks={SITE: (Resource("Distribution", ours),)})
        for each in two:
            found.live_properties["AWS::CloudFront::Distribution", each] = terraformed("dev")["AWS::CloudFront::Distribution", two[0]]
        told = row(adopted("dev", found, of=again("aws_cloudfront_distribution", id="EOLD")), "site.Distribution")
        assert (told.fate, told.identifier, ours in told.message) == ("made_new", {"Id": other}, True)


def test_a_policy_is_not_told_by_the_source_of_the_bucket_that_has_its_name() -> None:
    """CloudFormation calls both by the bucket's name."""

    def source(name: str, *resources: Resource, of: State | None = None) -> tuple[str, dict[str, str]]:
        there: Row = row(survey(*resources, of=of)[0], name)
        return there.source, dict(there.identifier)

    both = (Resource("Bucket", BUCKET), Resource("BucketPolicy", BUCKET))
    assert source("site.BucketPolicy", *both) == (
        "terraform module.s3_website.aws_s3_bucket_policy.website",
        {"Bucket": BUCKET},
    )
    only_bucket = State(resources=tuple(each for each in state("dev").resources if each.type == "aws_s3_bucket"))
    assert source("site.BucketPolicy", *both, of=only_bucket) == ("its stack", {"PhysicalResourceId": BUCKET})
    assert source("site.Bucket", *both, of=only_bucket)[1] == {"BucketName": BUCKET}


def web_acl(identity: str, name: str = ACL_NAME) -> Managed:
    attributes: dict[str, Any] = {"name": name, "id": identity, "scope": "CLOUDFRONT"}
    return Managed(address=f"aws_wafv2_web_acl.{identity}", type="aws_wafv2_web_acl", provider="aws", attributes=attributes)


def with_web_acl(of: Managed, *given: str, held: str = "") -> AdoptionReport:
    """The report of prod where that web ACL stands; `held`: physical id of that of its stack."""
    live = terraformed("prod") | {("AWS::WAFv2::WebACL", "|".join(identifier(of).values())): {**identifier(of), "Rules": []}}
    stacks: dict[str, tuple[Resource, ...]] = {"kimmyai-web-prod-firewall": (Resource("WebAcl", held),)} if held else {}
    found = Deployed(live_properties=live, stacks=stacks)
    return adopted("prod", found, *given, of=State(resources=(of, *state("prod").resources)))


def identifier(of: Managed) -> dict[str, str]:
    return {"Name": str(of.attributes["name"]), "Id": str(of.attributes["id"]), "Scope": str(of.attributes["scope"])}


def test_what_has_several_identifiers_is_told_as_cloudformation_names_it() -> None:
    """A web ACL's Ref is NAME|ID|SCOPE: as in place, or `terraform destroy` would delete the site's firewall."""
    ours = web_acl("f00")
    for given in ((), ('firewall.WebAcl={"Name": "kimmyai-web-prod-site", "Id": "f00", "Scope": "CLOUDFRONT"}',)):
        report = with_web_acl(ours, *given, held=f"{ACL_NAME}|f00|CLOUDFRONT")
        told = row(report, "firewall.WebAcl")
        assert (told.fate, told.message, told.identifier) == ("in_place", "", identifier(ours))
        assert "aws_wafv2_web_acl.f00" in {line for file in report.states for line in file.state_rm}
    other = row(with_web_acl(web_acl("0ld"), held=f"{ACL_NAME}|f00|CLOUDFRONT"), "firewall.WebAcl")
    assert (other.fate, other.message) == ("made_new", f"the stack has {ACL_NAME}|f00|CLOUDFRONT there; this one is left")


def test_a_web_acl_of_our_name_is_taken_over_and_one_of_another_name_is_not() -> None:
    assert row(with_web_acl(web_acl("f00")), "firewall.WebAcl").fate == "take_over"
    assert "firewall.WebAcl" not in {f"{each.stack}.{each.logical_id}" for each in with_web_acl(web_acl("f00", "old")).rows}


def test_a_web_acl_of_our_name_is_found_without_a_state() -> None:
    wanted = identifier(web_acl("f00"))
    standing = "|".join(wanted.values())
    found = Deployed(live_properties=terraformed("prod") | {("AWS::WAFv2::WebACL", standing): {**wanted, "Rules": []}})
    found.there = {("AWS::WAFv2::WebACL", ACL_NAME): Found(physical_id=standing)}
    told = row(adopted("prod", found), "firewall.WebAcl")
    assert (told.fate, told.identifier, told.source) == ("take_over", wanted, "derived name")


def test_of_what_is_gone_and_what_is_elsewhere_the_latter_is_told() -> None:
    arn = "arn:aws:acm:eu-west-1:111111111111:certificate/for-a-load-balancer"
    account = Account(live_properties=terraformed("dev"))
    account.live_properties = {key: each for key, each in account.live_properties.items() if "Certificate" not in key[0]}
    account.live_properties["AWS::CertificateManager::Certificate", arn] = {"CertificateArn": arn, "DomainName": "kimmyai.io"}
    both = again("aws_acm_certificate", arn=arn, id=arn).resources
    for resources in (both, both[::-1]):
        told = row(adopted("dev", account, of=State(resources=resources)), "certificate.Certificate")
        assert (told.fate, told.identifier["CertificateArn"]) == ("refused", arn)


@pytest.mark.parametrize("zone", ["none", "with its id", "by its name"])
def test_the_zone_is_asked_for_only_where_the_files_name_it_without_its_id(zone: str) -> None:
    made, templates = assembly("dev")
    assert made.hosted_zone is not None
    given = {"none": None, "with its id": msgspec.structs.replace(made.hosted_zone, id="Z1"), "by its name": made.hosted_zone}[zone]
    asked: list[str] = []

    class Zones(Account):
        def find_public_zone(self, name: str) -> PublicZone:
            asked.append(name)
            return super().find_public_zone(name)

    request = SurveyRequest(assembly=msgspec.structs.replace(made, hosted_zone=given), templates=templates, state=State(resources=()))
    surveyed(request, Zones(), SCHEMAS)
    assert asked == (["kimmyai.io"] if zone == "by its name" else [])

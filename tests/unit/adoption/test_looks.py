"""What exists is looked up by names and aliases, and what AWS does not tell is told as not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest

from adoption.derived import derived, users_of
from adoption.environment import written
from adoption.leftovers import lines_to_remove
from adoption.places import Place, places
from adoption.report import AdoptionReport, Left, Row, StateFile
from adoption.survey import SurveyRequest, surveyed
from adoption.terraform import Managed, State
from adoption.terraform_types import KINDS
from adoption.text import checked, counted, lines
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AccessDenied, Conflict, NotFound
from gateways.existing import LOOKUPS, NAMES, Found
from templates.intrinsics import after_mark, marked
from tests.unit.adoption.stage import SCHEMAS, ZONE, Account, assembly, terraformed

MADE, TEMPLATES = assembly("dev")
NOTHING = State(resources=())
DENIED = AccessDenied("not yours", service="route53", operation="ListResourceRecordSets")


@dataclass
class Known(Account):
    """An account with record sets, distributions and certificates to be found."""

    sets: tuple[dict[str, Any], ...] = ()
    zone: str | Exception = ZONE
    distributions: tuple[dict[str, Any], ...] = ()
    certificates: tuple[dict[str, Any], ...] = ()
    denied: frozenset[str] = frozenset()
    """Types, and "records", whose look is refused."""

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return Looked(self.there, self.distributions, self.certificates, self.denied, self.users)

    def find_public_zone(self, name: str) -> Any:
        if isinstance(self.zone, Exception):
            raise self.zone
        return super().find_public_zone(name)

    def record_sets(self, zone: str, name: str) -> tuple[dict[str, Any], ...]:
        assert zone == ZONE and name
        if "records" in self.denied:
            raise DENIED
        return tuple(each for each in self.sets if each["Name"].rstrip(".") == name)


@dataclass(frozen=True)
class Looked:
    there: Mapping[tuple[str, str], Found]
    distributions: tuple[dict[str, Any], ...]
    certificates: tuple[dict[str, Any], ...]
    denied: frozenset[str]
    users: Mapping[str, Any] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> Found | None:
        assert kind in LOOKUPS and name and not marked(name)
        if kind in self.denied:
            raise AccessDenied("not yours", service="s3", operation="HeadBucket")
        return self.there.get((kind, name))

    def client(self, _: str) -> Any:
        return self

    def list_distributions(self, **_: Any) -> Any:
        return {"DistributionList": {"IsTruncated": False, "Quantity": len(self.distributions), "Items": [*self.distributions]}}

    def list_certificates(self, **_: Any) -> Any:
        return {"CertificateSummaryList": [*self.certificates]} if self.certificates else {}

    def describe_certificate(self, CertificateArn: str) -> Any:
        if isinstance(self.users.get(CertificateArn), Exception):
            raise self.users[CertificateArn]
        return {"Certificate": {"InUseBy": self.users.get(CertificateArn, [])}}


def of(account: Account, *, state: State | None = NOTHING, check: bool = False, **changes: Any) -> AdoptionReport:
    made = msgspec.structs.replace(MADE, **changes)
    return surveyed(SurveyRequest(assembly=made, templates=TEMPLATES, state=state, check=check), account, SCHEMAS)


def found(account: Account) -> tuple[list[tuple[str, dict[str, str], str]], list[str]]:
    notes: list[str] = []
    listed = derived(places(MADE, TEMPLATES, ZONE, {}), account, SCHEMAS, notes)
    return [(each.type, dict(each.identifier), each.source) for each in listed], notes


def distribution(identifier: str, *aliases: str) -> dict[str, Any]:
    names = {"Quantity": len(aliases), "Items": [*aliases]}
    return {"Id": identifier, "DomainName": f"{identifier.lower()}.cloudfront.net", "Status": "Deployed", "Aliases": names}


def alias(kind: str, **more: Any) -> dict[str, Any]:
    target = {"DNSName": "d1.cloudfront.net.", "HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": False}
    return {"Name": "dev.kimmyai.io.", "Type": kind, "AliasTarget": target, **more}


def test_records_distribution_and_certificate_are_found_by_what_the_environment_is_called() -> None:
    domain = next(
        str(p.properties["DomainName"]) for p in places(MADE, TEMPLATES, ZONE, {}) if p.type == "AWS::CertificateManager::Certificate"
    )
    listed, notes = found(
        Known(
            sets=(alias("A"), alias("TXT"), alias("AAAA", SetIdentifier="x", Weight=1)),
            distributions=(distribution("E1", "Dev.KimmyAI.io"), distribution("E2", "www.example.org")),
            certificates=(
                {"CertificateArn": "arn:aws:acm:us-east-1:111111111111:certificate/1", "DomainName": domain.upper()},
                {"CertificateArn": "arn:aws:acm:us-east-1:111111111111:certificate/2", "DomainName": "*.example.org"},
            ),
            there={("AWS::S3::Bucket", "dev-kimmyai-web-public"): Found(physical_id="dev-kimmyai-web-public")},
        )
    )
    simple, certificate = {"Name": "dev.kimmyai.io", "HostedZoneId": ZONE}, "arn:aws:acm:us-east-1:111111111111:certificate/1"
    assert listed == [
        ("AWS::CertificateManager::Certificate", {"CertificateArn": certificate}, f"certificate of {domain}"),
        ("AWS::S3::Bucket", {"BucketName": "dev-kimmyai-web-public"}, "derived name"),
        ("AWS::CloudFront::Distribution", {"Id": "E1"}, "alias dev.kimmyai.io"),
        ("AWS::Route53::RecordSet", {**simple, "Type": "A"}, "derived name"),
        ("AWS::Route53::RecordSet", {**simple, "Type": "AAAA", "SetIdentifier": "x"}, "derived name"),
    ]
    assert notes == []


def test_a_look_that_is_refused_is_a_note_of_that_place_and_the_others_go_on() -> None:
    there = {("AWS::S3::BucketPolicy", "dev-kimmyai-web-public"): Found(physical_id="dev-kimmyai-web-public")}
    listed, notes = found(Known(denied=frozenset({"AWS::S3::Bucket", "records"}), there=there))
    assert [kind for kind, _, _ in listed] == ["AWS::S3::BucketPolicy"]
    assert {note.partition(":")[0] for note in notes} >= {"site.Bucket", "dns.Ipv4Record", "dns.Ipv6Record"}
    assert all("could not be looked up by its name" in note for note in notes)


def test_of_stacksets_nothing_is_looked_up() -> None:
    only = [replace(p, stack=msgspec.structs.replace(p.stack, kind="stackset")) for p in places(MADE, TEMPLATES, ZONE, {})]
    bucket = Known(there={("AWS::S3::Bucket", "dev-kimmyai-web-public"): Found(physical_id="dev-kimmyai-web-public")})
    assert derived(only, bucket, SCHEMAS, []) == ()
    assert len(derived(places(MADE, TEMPLATES, ZONE, {}), bucket, SCHEMAS, [])) == 1


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::Route53::RecordSet", {"HostedZoneId": {"Ref": "Zone"}, "Name": "dev.kimmyai.io", "Type": "A"}),
        ("AWS::Route53::RecordSet", {"HostedZoneId": after_mark("zone"), "Name": "dev.kimmyai.io", "Type": "A"}),
        ("AWS::Route53::RecordSet", {"HostedZoneId": ZONE, "Name": {"Ref": "Name"}, "Type": "A"}),
        ("AWS::CloudFront::Distribution", {"DistributionConfig": {"Enabled": True}}),
        ("AWS::CloudFront::Distribution", {}),
    ],
)
def test_what_only_aws_will_tell_is_not_looked_up_by(kind: str, properties: dict[str, Any]) -> None:
    notes: list[str] = []
    one = Place(stack=MADE.stacks[0], logical_id="X", type=kind, properties=properties)
    assert derived([one], Known(sets=(alias("A"),), distributions=(distribution("E1", "dev.kimmyai.io"),)), SCHEMAS, notes) == ()
    assert notes == []


def test_a_zone_that_is_not_found_is_no_matter_where_no_template_has_records() -> None:
    without = {stack: body.replace(b'"AWS::Route53::RecordSet"', b'"AWS::SNS::Topic"') for stack, body in TEMPLATES.items()}
    for templates, notes in ((TEMPLATES, 1), (without, 0)):
        report = surveyed(SurveyRequest(assembly=MADE, templates=templates), Known(zone=NotFound("no zone")), SCHEMAS)
        assert len([note for note in report.notes if note.startswith("which records there are")]) == notes


def test_whatever_has_a_name_can_be_looked_up_and_one_property_identifies_all_but_web_acls() -> None:
    assert NAMES.keys() <= LOOKUPS.keys()
    schemas = {kind: SCHEMAS.of(kind, "us-east-1") for kind in LOOKUPS}
    assert {kind for kind, schema in schemas.items() if schema is None or len(schema.identifier) != 1} == {"AWS::WAFv2::WebACL"}


def test_what_no_schema_describes_is_not_found() -> None:
    class None_:
        def of(self, *_: str) -> None:
            return None

    nothing: Any = None_()
    bucket = Known(there={("AWS::S3::Bucket", "dev-kimmyai-web-public"): Found(physical_id="dev-kimmyai-web-public")})
    assert derived(places(MADE, TEMPLATES, ZONE, {}), bucket, nothing, []) == ()


@pytest.mark.parametrize("error", [NotFound("no public hosted zone is called x"), Conflict("two public hosted zones are called x")])
def test_without_a_zone_the_records_are_not_known_and_that_is_no_clean_end(error: Exception) -> None:
    report = of(Known(zone=error))
    assert report.notes == (f"which records there are: {error}",)
    assert f"not known: which records there are: {error}" in lines(report, 80)


def test_a_zone_that_is_named_by_its_id_is_not_looked_for() -> None:
    zone = MADE.hosted_zone
    assert zone is not None
    report = of(Known(zone=RuntimeError("asked"), sets=(alias("A"),)), hosted_zone=msgspec.structs.replace(zone, id=ZONE))
    (row,) = report.rows
    assert (row.logical_id, row.fate, row.identifier["HostedZoneId"]) == ("Ipv4Record", "gone", ZONE)


def test_a_record_that_stands_is_compared_and_replaced_not_imported() -> None:
    live = {("AWS::Route53::RecordSet", f"dev.kimmyai.io|{ZONE}|A"): {**alias("A"), "HostedZoneId": ZONE}}
    report = of(Known(sets=(alias("A"),), live_properties=live))
    (row,) = report.rows
    assert (row.fate, row.compared, report.replaces_records, report.refused) == ("made_new", True, True, ())
    assert "not imported" in row.message


def test_whether_another_stack_has_it_is_not_known_where_that_may_not_be_asked() -> None:
    class CircuitOpen(Known):
        def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
            class Refusing(CloudFormation):
                def owner(self, physical_id: str, resource_type: str) -> str:
                    raise AccessDenied("not yours", service="cloudformation", operation="DescribeStackResources")

            return Refusing(super().cloudformation(account_id, region)._client, account_id=account_id, region=region, sleep=lambda _: None)

    name = "dev-kimmyai-web-public"
    account = CircuitOpen(there={("AWS::S3::Bucket", name): Found(physical_id=name)}, live_properties=terraformed("dev"))
    report = of(account)
    assert [note.partition(":")[0] for note in report.notes][:1] == [f"whether a stack of eu-west-1 has {name}"]
    assert not any(row.fate == "refused" for row in report.rows)


def test_a_certificate_whose_users_may_not_be_asked_stays_its_owners() -> None:
    arn = next(key[1] for key in terraformed("dev") if key[0] == "AWS::CertificateManager::Certificate")
    summary = {"CertificateArn": arn, "DomainName": terraformed("dev")["AWS::CertificateManager::Certificate", arn]["DomainName"]}
    users: Any = {arn: AccessDenied("not yours", service="acm", operation="DescribeCertificate")}
    report = of(Known(certificates=(summary,), live_properties=terraformed("dev"), users=users))
    (row,) = (each for each in report.rows if each.type == "AWS::CertificateManager::Certificate")
    assert (row.fate, "could not be asked" in row.message, arn in row.command) == ("used", True, True)
    assert written(report).said[("certificate", "arn")] == arn


# --- what is told -------------------------------------------------------------------------------------------------


def a_row(**more: Any) -> Row:
    given = {
        "stack": "site",
        "logical_id": "Bucket",
        "type": "AWS::S3::Bucket",
        "identifier": {"BucketName": "b"},
        "source": "derived name",
        "account_id": "111111111111",
        "region": "eu-west-1",
        "fate": "in_place",
    }
    return Row(**{**given, **more})


def report(*rows: Row, **more: Any) -> AdoptionReport:
    return AdoptionReport(environment="dev", rows=rows, **more)


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        (("aws_s3_bucket.a",), "one of them is in the Terraform state still, so that `terraform destroy` would delete it:"),
        (
            ("aws_s3_bucket.a", "aws_s3_bucket.b"),
            "2 of them are in the Terraform state still, so that `terraform destroy` would delete them:",
        ),
    ],
)
def test_the_check_says_what_terraform_manages_as_well(addresses: tuple[str, ...], told: str) -> None:
    found = checked(report(a_row(), states=(StateFile(file="dev.tfstate", state_rm=addresses),)))
    assert found[0] == told
    assert [each.strip() for each in found[1:-1]] == [f"next: terraform state rm {each}" for each in addresses]
    assert found[-1] == "dev: nothing of the old stays unmanaged, but Terraform manages it as well"


def test_the_check_says_that_the_zone_would_go_and_what_stays_unmanaged() -> None:
    zone = Left(what="aws_route53_zone", identifier="Z1", source="terraform aws_route53_zone.z", why="used", message="")
    old = Left(
        what="aws_iam_role", identifier="r", source="terraform aws_iam_role.r", why="superseded", message="the platform makes its own"
    )
    found = checked(report(a_row(fate="refused"), a_row(fate="take_over"), left=(zone, old, msgspec.structs.replace(old, there=False))))
    assert found == (
        "the hosted zone Z1 is in the Terraform state: `terraform destroy` would delete it",
        "dev: 3 of the old stay unmanaged:",
        "  site.Bucket: b",
        "  site.Bucket: b",
        "  aws_iam_role r: the platform makes its own",
    )
    assert checked(report(a_row())) == ("dev: nothing of the old stays unmanaged",)


def test_the_count_names_each_fate_once() -> None:
    assert counted(report()) == ("dev: nothing was found",)
    found = counted(report(a_row(), a_row(fate="unknown"), a_row(fate="unknown"), made_new=3))
    assert found == ("dev: 1 in place, 2 NOT KNOWN, 3 without anything that exists (made by the ordinary plan)",)


def test_what_its_stack_has_is_not_told_again_and_a_stack_without_news_has_no_head() -> None:
    assert lines(report(a_row(source="its stack")), 200) == ("", "dev: 1 in place")
    wide = lines(report(a_row()), 200)
    assert wide[0].split() == ["RESOURCE", "TYPE", "FOUND", "BY", "WHAT", "FOLLOWS"] and "site: 111111111111 eu-west-1" not in wide
    assert "site: 111111111111 eu-west-1" in lines(report(a_row()), 80)


# --- what a state says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "attributes", "found"),
    [
        ("aws_wafv2_web_acl", {"name": "n", "id": "i", "scope": "CLOUDFRONT"}, {"Name": "n", "Id": "i", "Scope": "CLOUDFRONT"}),
        ("aws_wafv2_web_acl", {"name": "n", "id": "i"}, None),
        (
            "aws_route53_record",
            {"fqdn": "a.example.", "zone_id": "Z", "type": "A"},
            {"Name": "a.example", "HostedZoneId": "Z", "Type": "A"},
        ),
        ("aws_route53_record", {"name": "a", "zone_id": "Z"}, None),
        ("aws_s3_bucket", {"bucket": ("a", "b"), "id": "c"}, {"BucketName": "c"}),
        ("aws_s3_bucket", {}, None),
    ],
)
def test_an_identifier_is_whole_or_none(kind: str, attributes: dict[str, Any], found: dict[str, str] | None) -> None:
    assert KINDS[kind].identify(attributes) == found


def test_without_a_state_nothing_has_to_leave_one() -> None:
    assert lines_to_remove(None, (), ()) == ()
    deposed = Managed(address="aws_s3_bucket.a", type="aws_s3_bucket", provider="aws", attributes={"bucket": "b"}, remark="deposed")
    kept = replace(deposed, address="aws_s3_bucket.b", remark="")
    (only,) = lines_to_remove(State(resources=(deposed, kept)), (a_row(),), ())
    assert only.state_rm == ("aws_s3_bucket.b",), "a deposed object goes by the next apply of Terraform, not by an address"


def test_a_place_says_what_it_is() -> None:
    (bucket,) = (p for p in places(MADE, TEMPLATES, ZONE, {}) if str(p) == "site.Bucket")
    assert isinstance(bucket, Place) and bucket.key == ("site", "Bucket")


@pytest.mark.parametrize("answer", [{}, {"Certificate": None}, {"Certificate": {}}, {"Certificate": {"InUseBy": None}}])
def test_a_certificate_of_which_nothing_is_said_is_used_by_nobody(answer: dict[str, Any]) -> None:
    class Silent:
        def client(self, _: str) -> Any:
            return self

        def describe_certificate(self, CertificateArn: str) -> Any:
            return answer

    existing: Any = Silent()
    assert users_of("arn", existing) == ()

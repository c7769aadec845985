"""The template of an import: closed, with DeletionPolicy everywhere, with nothing but what the stack has and what it takes over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takeover.importable import NEVER, why_not
from takeover.known import substituted
from takeover.live import identifier_of, live, masked
from takeover.model import Live, Taken
from takeover.template import closed, fingerprint, import_template, missing, odd, put_down
from templates.intrinsics import Scope, holds_secret, references, resolved_resources, unresolved
from templates.schemas import Schema, bundled

SCHEMAS = bundled()
BUCKET, CERTIFICATE, DISTRIBUTION = "AWS::S3::Bucket", "AWS::CertificateManager::Certificate", "AWS::CloudFront::Distribution"
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/1"


def schema(kind: str) -> Schema:
    found = SCHEMAS.of(kind, "us-east-1")
    assert found is not None
    return found


def taken(kind: str, **identifier: str) -> Taken:
    return Taken(
        stack="site", logical_id="It", type=kind, identifier=identifier, source="a test", account_id="123456789012", region="us-east-1"
    )


def a_live(kind: str, told: Mapping[str, Any], **identifier: str) -> Live:
    return live(schema(kind), taken(kind, **identifier), told)


# --- what AWS tells, as a template may say it -----------------------------------------------------------------------


def test_what_is_read_only_is_known_and_not_written() -> None:
    told = {"BucketName": "site", "Arn": "arn:aws:s3:::site", "RegionalDomainName": "site.s3.eu-west-1.amazonaws.com", "Tags": []}
    found = a_live(BUCKET, told, BucketName="site")
    assert found.properties == {"BucketName": "site"}
    assert found.attributes["RegionalDomainName"] == "site.s3.eu-west-1.amazonaws.com"
    assert found.ref == "site"


def test_tags_of_aws_itself_stay_away() -> None:
    tags = [{"Key": "aws:cloudformation:stack-name", "Value": "x"}, {"Key": "team", "Value": "web"}]
    assert a_live(BUCKET, {"Tags": tags}, BucketName="site").properties["Tags"] == tags[1:]


def test_an_identifier_that_lacks_a_part_is_none() -> None:
    acl = schema("AWS::WAFv2::WebACL")
    assert identifier_of(acl, {"Name": "n", "Id": "i", "Scope": "CLOUDFRONT"}) == "n|i|CLOUDFRONT"
    assert identifier_of(acl, {"Name": "n", "Id": "i"}) == ""


def test_a_header_that_an_origin_knows_its_distribution_by_is_marked_as_a_secret() -> None:
    shown = masked({"Origins": [{"OriginCustomHeaders": [{"HeaderName": "X-Verify", "HeaderValue": "s3cret"}]}]})
    assert holds_secret(shown)
    assert "s3cret" not in json.dumps(shown)


# --- what is put down -------------------------------------------------------------------------------------------------


def test_what_differs_is_put_down_as_it_is() -> None:
    """The import must change nothing."""
    it = a_live(BUCKET, {"BucketName": "site", "VersioningConfiguration": {"Status": "Suspended"}}, BucketName="site")
    found = put_down(schema(BUCKET), it, {"BucketName": "site", "VersioningConfiguration": {"Status": "Enabled"}})
    assert found["VersioningConfiguration"] == {"Status": "Suspended"}


def test_what_our_template_says_nothing_of_stays_as_it_is() -> None:
    """If the import had said it, the update after it would reset it; of a certificate's algorithm it would make another certificate."""
    it = a_live(BUCKET, {"BucketName": "site", "AccelerateConfiguration": {"AccelerationStatus": "Enabled"}}, BucketName="site")
    assert put_down(schema(BUCKET), it, {"BucketName": "site"}) == {"BucketName": "site"}
    certificate = a_live(CERTIFICATE, {"DomainName": "a.b", "KeyAlgorithm": "RSA_2048"}, CertificateArn=ARN)
    assert put_down(schema(CERTIFICATE), certificate, {"DomainName": "a.b"}) == {"DomainName": "a.b"}


def test_a_certificate_keeps_what_would_replace_it_if_it_were_left_out() -> None:
    told = {"CertificateArn": ARN, "DomainName": "example.org", "SubjectAlternativeNames": ["www.example.org", "example.org"]}
    ours = {
        "DomainName": "example.org",
        "SubjectAlternativeNames": ["www.example.org"],
        "ValidationMethod": "DNS",
        "DomainValidationOptions": [{"DomainName": "example.org", "HostedZoneId": "Z1"}],
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    found = put_down(schema(CERTIFICATE), a_live(CERTIFICATE, told, CertificateArn=ARN), ours)
    assert found == {name: value for name, value in ours.items() if name != "Tags"}
    assert "Tags" not in found


def test_what_would_replace_a_certificate_has_the_words_of_the_template() -> None:
    """CloudFormation may take another way to write the same value for a change, and a change of that replaces."""
    told = {"DomainName": "example.org", "SubjectAlternativeNames": []}
    ours = {"DomainValidationOptions": [{"DomainName": "example.org", "HostedZoneId": "Z1"}], "DomainName": "example.org"}
    written = {"DomainValidationOptions": [{"DomainName": "example.org", "HostedZoneId": {"Ref": "Zone"}}], "DomainName": {"Ref": "Other"}}
    it = a_live(CERTIFICATE, told, CertificateArn=ARN)
    assert put_down(schema(CERTIFICATE), it, ours, written, {"Zone"}) == {**written, "DomainName": "example.org"}
    template = import_template({}, {"It": (CERTIFICATE, written)}, {"Parameters": {"Zone": {"Type": "String"}, "More": {"Type": "String"}}})
    assert template["Parameters"] == {"Zone": {"Type": "String"}}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"Fn::If": ["C", "a", "b"]}, False),
        ({"Fn::Sub": "${Zone}-${AWS::Region}"}, True),
        ({"Fn::Sub": "${Other}"}, False),
        ([{"A": {"Fn::Join": ["", [{"Ref": "Zone"}, {"Fn::FindInMap": ["M", "a", "b"]}]]}}], False),
        ({"Fn::GetAtt": ["Zone", "Id"]}, True),
    ],
)
def test_what_needs_another_section_or_resource_is_not_closed(value: Any, says: bool) -> None:
    assert closed(value, {"Zone"}) is says


def test_another_name_of_a_certificate_stays_another() -> None:
    told = {"DomainName": "example.org", "SubjectAlternativeNames": ["example.org", "old.example.org"]}
    ours = {"DomainName": "example.org", "SubjectAlternativeNames": ["www.example.org"]}
    found = put_down(schema(CERTIFICATE), a_live(CERTIFICATE, told, CertificateArn=ARN), ours)
    assert found["SubjectAlternativeNames"] == ["example.org", "old.example.org"]


def test_what_is_not_known_yet_is_not_put_down() -> None:
    found = put_down(
        schema(CERTIFICATE), a_live(CERTIFICATE, {"DomainName": "a.b"}, CertificateArn=ARN), {"ValidationMethod": {"Ref": "M"}}
    )
    assert found == {"DomainName": "a.b"}


def test_what_a_template_must_have_is_missed() -> None:
    assert missing(schema(DISTRIBUTION), {}) == ("DistributionConfig",)
    assert odd({"Body": {"Ref": "Other"}}) == ("Body",)


def test_the_order_of_a_list_is_no_difference() -> None:
    assert fingerprint({"A": [{"B": 1}, {"C": [2, 3]}]}) == fingerprint({"A": [{"C": [3, 2]}, {"B": 1}]})
    assert fingerprint({"A": [1]}) != fingerprint({"A": [2]})


# --- references -------------------------------------------------------------------------------------------------------

SITE = {
    "Resources": {
        "Bucket": {"Type": BUCKET, "Properties": {"BucketName": {"Ref": "Name"}}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "DependsOn": ["Bucket"],
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Resource": {"Fn::Sub": "${Bucket.Arn}/${!literal}/${Other}"}},
            },
        },
    },
    "Outputs": {"Domain": {"Value": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}}},
}


def test_references_to_what_exists_are_what_they_give() -> None:
    it = Live(
        taken=taken(BUCKET, BucketName="site"),
        ref="site",
        properties={},
        attributes={"Arn": "arn:aws:s3:::site", "RegionalDomainName": "site.s3.amazonaws.com"},
    )
    found = substituted(SITE, {"Bucket": it})
    policy = found["Resources"]["Policy"]
    assert policy["DependsOn"] == ["Bucket"]
    assert policy["Properties"]["Bucket"] == "site"
    assert policy["Properties"]["PolicyDocument"]["Resource"] == {"Fn::Sub": "arn:aws:s3:::site/${!literal}/${Other}"}
    assert found["Outputs"]["Domain"]["Value"] == "site.s3.amazonaws.com"


# --- the whole template ---------------------------------------------------------------------------------------------

LOGICAL_IDS = st.sampled_from([f"R{n}" for n in range(8)])
SCALARS = st.sampled_from(["", "a", "${R0.Arn}", "x{", 1, True])
PLAIN = SCALARS | st.lists(SCALARS, max_size=2) | st.fixed_dictionaries({"Name": SCALARS, "Value": SCALARS})
BODIES = st.dictionaries(st.sampled_from(["Name", "Config", "Tags"]), PLAIN, max_size=3)


@st.composite
def deployed_templates(draw: st.DrawFn) -> dict[str, Any]:
    """Templates that stand: their references are closed."""
    names = draw(st.lists(LOGICAL_IDS, unique=True, max_size=4))
    resources = {name: {"Type": BUCKET, "Properties": {**draw(BODIES), "To": {"Ref": draw(st.sampled_from(names))}}} for name in names}
    outputs = {"Out": {"Value": {"Fn::GetAtt": [names[0], "Arn"]}}} if names[1:] else {}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, "Outputs": outputs} if names else {}


@given(deployed_templates(), st.dictionaries(st.sampled_from([f"N{n}" for n in range(4)]), st.tuples(st.just(BUCKET), BODIES), min_size=1))
def test_the_template_is_closed_retained_and_has_nothing_else(
    deployed: dict[str, Any], imported: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    before = json.dumps(deployed, sort_keys=True)
    found = import_template(deployed, imported)
    assert json.dumps(deployed, sort_keys=True) == before
    resources = found["Resources"]
    assert set(resources) == {*deployed.get("Resources", {}), *imported}
    assert {name: body for name, body in resources.items() if name not in imported} == deployed.get("Resources", {})
    for name, (_, properties) in imported.items():
        assert resources[name]["DeletionPolicy"] == "Retain"
        assert resources[name]["Properties"] == properties
    assert all(target in resources for target, _ in references(found))
    assert found.get("Outputs", {}) == deployed.get("Outputs", {})
    assert {*found} <= {"AWSTemplateFormatVersion", "Resources", "Outputs"}
    scope = Scope(template=found, parameters={}, account_id="1", region="eu-west-1", stack_name="s")
    assert not any(unresolved(resolved_resources(scope)[name]) for name in imported)


def test_what_the_stack_has_is_not_imported_again() -> None:
    with pytest.raises(ValueError, match="Bucket"):
        import_template({"Resources": {"Bucket": {"Type": BUCKET}}}, {"Bucket": (BUCKET, {})})


# --- what cannot be taken over ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "written", "says"),
    [
        (taken(BUCKET, BucketName="site"), None, "no such resource"),
        (taken(BUCKET, BucketName="site"), {"Type": "AWS::SNS::Topic"}, "AWS::SNS::Topic there"),
        (taken(BUCKET, Name="site"), {"Type": BUCKET}, "identified by BucketName, not by Name"),
        (taken("AWS::SNS::TopicPolicy", Id="x"), {"Type": "AWS::SNS::TopicPolicy"}, "cannot read"),
        (taken("AWS::Lambda::Version", FunctionArn="x"), {"Type": "AWS::Lambda::Version"}, NEVER["AWS::Lambda::Version"]),
        (taken(BUCKET, BucketName="site"), {"Type": BUCKET}, ""),
    ],
)
def test_why_something_is_not_taken_over(one: Taken, written: Mapping[str, Any] | None, says: str) -> None:
    why = why_not(one, written, SCHEMAS.of(one.type, one.region))
    assert says in why
    assert bool(says) == bool(why)

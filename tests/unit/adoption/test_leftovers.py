"""What of a state no stack gets, why, and what has to leave it: one object at a time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from adoption.leftovers import left_over, lines_to_remove, validates
from adoption.matching import Candidate
from adoption.places import Place
from adoption.report import Row
from adoption.terraform import Managed, State
from adoption.terraform_types import BUCKET, CERTIFICATE, DISTRIBUTION, FUNCTION, RECORD, ROLE, TRUST
from tests.simulated import Small, small_assembly

STACK = small_assembly(Small(id="site", template={"Resources": {}}))[0].stacks[0]
KINDS_OF_OURS = (
    BUCKET,
    DISTRIBUTION,
    RECORD,
    ROLE,
    FUNCTION,
    "AWS::Logs::LogGroup",
    "AWS::Route53::HealthCheck",
    "AWS::CloudFront::CachePolicy",
)


def managed(kind: str, address: Any = "", **attributes: Any) -> Managed:
    more = {name: attributes.pop(name) for name in ("remark", "file") if name in attributes}
    return Managed(address=address or f"{kind}.x", type=kind, provider="aws", attributes=attributes, **more)


def row(kind: str, fate: Any = "take_over", compared: bool = False, **identifier: str) -> Row:
    return Row(
        stack="site", logical_id="X", type=kind, identifier=identifier, source="s", account_id="1", region="r", fate=fate, compared=compared
    )


def place(kind: str, **properties: Any) -> Place:
    return Place(stack=STACK, logical_id="X", type=kind, properties=properties)


OURS = tuple(place(kind) for kind in KINDS_OF_OURS)


def told(
    *of: Managed, rows: tuple[Row, ...] = (), places: tuple[Place, ...] = OURS, unmatched: tuple[Candidate, ...] = ()
) -> list[tuple[str, str]]:
    """Why, and the first words, of each that is left."""
    found = left_over(State(resources=of), rows, places, unmatched, ())
    return [(each.why, each.message.partition(",")[0].partition(";")[0]) for each in found]


def unmatched(kind: str, **identifier: str) -> Candidate:
    return Candidate(type=kind, identifier=identifier, found="terraform", source="s", state=managed("aws_s3_bucket"))


# --- why --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "why", "words"),
    [
        (managed("aws_s3_bucket", bucket="b", remark="deposed"), "superseded", "deposed: Terraform has made another in its place already"),
        (managed("null_resource"), "nothing", "nothing at AWS goes by it"),
        (managed("aws_s3_object", bucket="b"), "content", "its objects stay in the bucket"),
        (managed("aws_s3_bucket_acl", bucket="b"), "setting", "a setting of a resource (AWS::S3::Bucket) that is not taken over"),
        (managed("vault_secret"), "left_alone", "not the platform's"),
        (managed("aws_cloudfront_origin_access_identity", id="E1"), "superseded", "Origin Access Control takes its place"),
        (managed("aws_route53_zone", zone_id="Z1"), "used", "the platform writes its records into it and does not own it"),
        (managed("aws_kms_key", key_id="k"), "used", "what is encrypted with it"),
        (managed("aws_dynamodb_table", name="t"), "left_alone", "not the platform's"),
        (managed("aws_cloudfront_cache_policy", id="p"), "superseded", "the platform makes its own"),
        (managed("aws_cloudfront_response_headers_policy", id="p"), "left_alone", "not the platform's"),
        (managed("aws_iam_role", name="r", **{TRUST: ("s3.amazonaws.com",)}), "superseded", "the platform makes its own"),
        (managed("aws_iam_role", name="r", **{TRUST: ()}), "left_alone", "not the platform's"),
        (managed("aws_lambda_function", function_name="f"), "superseded", "the platform makes its own"),
        (managed("aws_lambda_function", function_name="f", region="us-east-1"), "superseded", "the platform makes its own"),
        (managed("aws_lambda_function", function_name="f", region="eu-west-1"), "left_alone", "not the platform's"),
        (managed("aws_cloudwatch_log_group", name="/aws/lambda/us-east-1.f"), "superseded", "the platform makes its own"),
        (managed("aws_cloudwatch_log_group", name="/aws/lambda/f"), "left_alone", "not the platform's"),
        (managed("aws_route53_health_check", id="h"), "left_alone", "not the platform's"),
    ],
)
def test_each_is_told_by_what_it_is_and_what_the_platform_has_of_it(of: Managed, why: str, words: str) -> None:
    kinds = {"aws_s3_bucket": (BUCKET, {"BucketName": "b"})}
    known = kinds.get(of.type)
    assert told(of, unmatched=(unmatched(known[0], **known[1]),) if known else _without_place(of)) == [(why, words)]


def _without_place(of: Managed) -> tuple[Candidate, ...]:
    """As matching leaves it."""
    from adoption.matching import of_state

    return of_state([of])


def test_what_terraform_has_replaced_is_told_whatever_stands_in_its_place() -> None:
    assert told(managed("aws_s3_bucket", bucket="b", remark="deposed")) == [
        ("superseded", "deposed: Terraform has made another in its place already")
    ]
    assert told(managed("aws_s3_bucket", bucket="b")) == [], "it has a place"


def test_what_has_a_place_is_no_more_left_and_its_setting_is_told_with_it() -> None:
    bucket, setting = managed("aws_s3_bucket", bucket="b"), managed("aws_s3_bucket_versioning", bucket="b")
    ours = msgspec.structs.replace(row(BUCKET, BucketName="b"), logical_id="Ours")
    rows = (row(BUCKET, BucketName="other"), row(DISTRIBUTION, BucketName="b"), ours)
    assert told(bucket, setting, rows=rows) == [("setting", "a setting of site.Ours")]


@pytest.mark.parametrize(
    ("kind", "name", "wanted"), [("CNAME", "_x.example.com", True), ("A", "_x.example.com", False), ("CNAME", "www", False)]
)
def test_a_record_that_validates_is_a_cname_with_an_underscore(kind: str, name: str, wanted: bool) -> None:
    record = managed("aws_route53_record", type=kind, name=name, zone_id="Z1", fqdn=name)
    assert validates(record) is wanted
    why = told(record, unmatched=_without_place(record))[0][0]
    assert why == ("used" if wanted else "left_alone")


@pytest.mark.parametrize(
    ("zone", "identifier", "words"),
    [
        ("Z1", "blue", "stands beside ours"),
        ("Z9", "blue", "in the zone Z9"),
        ("Z9", "", "in the zone Z9"),
    ],
)
def test_a_record_of_our_name_is_told_with_what_becomes_of_it(zone: str, identifier: str, words: str) -> None:
    ours = (place(RECORD, HostedZoneId="Z1", Name="Dev.example.com.", Type="A"),)
    more = {"set_identifier": identifier} if identifier else {}
    record = managed("aws_route53_record", type="A", name="dev", fqdn="dev.example.com", zone_id=zone, **more)
    assert [text for _, text in told(record, places=ours, unmatched=_without_place(record))] == [words]
    other = managed("aws_route53_record", type="AAAA", name="dev", fqdn="dev.example.com", zone_id=zone, **more)
    assert [text for _, text in told(other, places=ours, unmatched=_without_place(other))] == ["not the platform's"]


def test_what_was_found_in_another_way_is_left_unless_a_stack_manages_it() -> None:
    derived = Candidate(type=BUCKET, identifier={"BucketName": "b"}, found="derived", source="derived name")
    of_state = unmatched(BUCKET, BucketName="c")
    found = left_over(None, (), OURS, [derived, of_state], ())
    assert [(each.what, each.identifier, each.source, each.why) for each in found] == [(BUCKET, "b", "derived name", "left_alone")]
    assert left_over(None, (), OURS, [derived], [derived]) == ()


def test_what_another_site_of_the_state_may_use_is_not_offered_for_deletion() -> None:
    ours = managed("aws_cloudfront_distribution", 'module.site["dev"].aws_cloudfront_distribution.d', id="E1")
    theirs = managed("aws_cloudfront_distribution", 'module.site["prod"].aws_cloudfront_distribution.d', id="E2")
    rows = (row(DISTRIBUTION, Id="E1"),)

    def policy(address: str) -> str:
        of = managed("aws_cloudfront_cache_policy", address, id="p")
        alone = told(ours, of, rows=rows, unmatched=_without_place(of))
        assert alone[-1][0] == "superseded"
        return told(ours, theirs, of, rows=rows, unmatched=(*_without_place(of), *_without_place(theirs)))[-1][0]

    assert policy('module.site["dev"].aws_cloudfront_cache_policy.p') == "superseded"
    assert policy('module.site["prod"].aws_cloudfront_cache_policy.p') == "left_alone"
    assert policy("aws_cloudfront_cache_policy.p") == "left_alone", "as near to the one as to the other"


# --- what leaves the state ----------------------------------------------------------------------------------------------


def removed(
    *of: Managed, rows: tuple[Row, ...] = (), kept: tuple[Candidate, ...] = (), files: tuple[str, ...] = ()
) -> dict[str, tuple[str, ...]]:
    found = lines_to_remove(State(resources=of, files=files), rows, kept)
    return {each.file: each.state_rm for each in found}


@pytest.mark.parametrize(
    ("fate", "compared", "kind", "leaves"),
    [
        ("take_over", False, BUCKET, True),
        ("in_place", False, BUCKET, True),
        ("refused", False, BUCKET, False),
        ("made_new", True, BUCKET, False),
        ("made_new", True, RECORD, True),
        ("refused", False, RECORD, False),
    ],
)
def test_what_a_stack_has_or_replaces_leaves(fate: Any, compared: bool, kind: str, leaves: bool) -> None:
    identifier = {"BucketName": "b"} if kind == BUCKET else {"Name": "a.example.com", "HostedZoneId": "Z1", "Type": "A"}
    of = (
        managed("aws_s3_bucket", bucket="b")
        if kind == BUCKET
        else managed("aws_route53_record", type="A", name="a", fqdn="a.example.com", zone_id="Z1")
    )
    rows = (row(kind, fate, compared, **identifier),)
    assert removed(of, rows=rows) == {"": (of.address,) if leaves else ()}
    assert removed(managed(of.type, **{**dict(of.attributes), "remark": "deposed"}), rows=rows) == {"": ()}


def test_parts_and_content_leave_with_the_bucket_and_so_does_its_key_unless_it_is_another_sites() -> None:
    part, content = managed("aws_s3_bucket_acl", bucket="b"), managed("aws_s3_object", bucket="b")
    other, key = managed("aws_s3_object", bucket="c"), managed("aws_kms_key", key_id="k")
    rows = (row(BUCKET, BucketName="b"),)
    assert removed(part, content, other, key, managed("null_resource"), rows=rows) == {"": (part.address, content.address, key.address)}
    assert removed(key, rows=(row(DISTRIBUTION, Id="E1"),)) == {"": ()}
    site = managed("aws_cloudfront_distribution", "module.a.aws_cloudfront_distribution.d", id="E1")
    theirs = managed("aws_cloudfront_distribution", "module.b.aws_cloudfront_distribution.d", id="E2")
    of_theirs = managed("aws_kms_key", "module.b.aws_kms_key.k", key_id="k")
    both = (*rows, row(DISTRIBUTION, Id="E1"))
    assert removed(site, theirs, of_theirs, key, rows=both) == {"": (site.address, key.address)}


def test_what_the_certificate_is_renewed_by_leaves_with_it() -> None:
    certificate = managed("aws_acm_certificate", arn="arn:1")
    validation = managed("aws_acm_certificate_validation")
    record = managed("aws_route53_record", type="CNAME", name="_x", fqdn="_x.example.com", zone_id="Z1")
    www = managed("aws_route53_record", "aws_route53_record.www", type="CNAME", name="www", fqdn="www.example.com", zone_id="Z1")
    ours = (row(CERTIFICATE, CertificateArn="arn:1"),)
    every = (certificate, validation, record, www)
    assert removed(*every, rows=ours) == {"": (certificate.address, validation.address, record.address)}
    assert removed(*every, rows=(row(CERTIFICATE, "used", CertificateArn="arn:1"),)) == {"": ()}
    kept = Candidate(type=CERTIFICATE, identifier={"CertificateArn": "arn:1"}, found="terraform", source="s")
    assert removed(*every, kept=(kept,)) == removed(*every, rows=ours)


def test_of_a_state_whose_certificates_are_all_others_nothing_leaves_for_its_renewal() -> None:
    mine = managed("aws_acm_certificate", arn="arn:1", file="a")
    theirs = managed("aws_acm_certificate", "aws_acm_certificate.y", arn="arn:2", file="b")
    renewal = [managed("aws_acm_certificate_validation", f"aws_acm_certificate_validation.{file}", file=file) for file in "abc"]
    found = removed(mine, theirs, *renewal, rows=(row(CERTIFICATE, CertificateArn="arn:1"),), files=("a", "b", "c"))
    assert found == {"a": (mine.address, renewal[0].address), "b": (), "c": (renewal[2].address,)}
    assert lines_to_remove(None, (), ()) == ()

"""What the provider schemas tell of a type: how its resources are named, and whether CloudFormation can import them."""

from __future__ import annotations

import pytest

from templates.schemas import bundled


@pytest.mark.parametrize(
    ("resource_type", "identifier"),
    [
        ("AWS::S3::Bucket", ("BucketName",)),
        ("AWS::CloudFront::Distribution", ("Id",)),
        ("AWS::WAFv2::WebACL", ("Name", "Id", "Scope")),
        ("AWS::Route53::RecordSet", ("Name", "HostedZoneId", "Type", "SetIdentifier")),
    ],
)
def test_a_type_that_can_be_read_can_be_imported_by_its_identifier(resource_type: str, identifier: tuple[str, ...]) -> None:
    schema = bundled().of(resource_type, "eu-west-1")
    assert schema is not None
    assert (schema.importable, schema.identifier) == (True, identifier)


@pytest.mark.parametrize("resource_type", ["AWS::SNS::TopicPolicy", "AWS::IAM::Policy", "AWS::Route53::RecordSetGroup"])
def test_a_type_that_cannot_be_read_is_not_imported(resource_type: str) -> None:
    schema = bundled().of(resource_type, "eu-west-1")
    assert schema is not None
    assert not schema.importable

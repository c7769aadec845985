"""A lock that could not be written is not held, and both buckets are known from the assembly alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aws.dynamodb import Condition
from aws.errors import Conflict, NotFound
from promotion.lock_items import ATTEMPTS, ObjectItems
from recovery.origins import Origin, origins_of
from recovery.report import Report
from tests.simulated import ACCOUNT, Small, small_assembly
from tests.unit.recovery.test_rehearsal import BEGUN


class Contested:
    """Somebody else is first each time, and has freed it again when it is looked at."""

    def __init__(self) -> None:
        self.written = 0

    def get(self, bucket: str, key: str) -> Any:
        raise NotFound("none", code="NoSuchKey")

    def put(self, bucket: str, key: str, body: bytes, **_: Any) -> Any:
        self.written += 1
        raise Conflict("no", code="PreconditionFailed")


def test_a_lock_whose_every_race_was_lost_is_not_taken() -> None:
    """None would say that it was written."""
    s3 = Contested()
    assert ObjectItems(s3, "lock.json").put("bucket", {"LockID": "x"}, Condition(absent="LockID")) == {}
    assert s3.written == ATTEMPTS


def test_an_item_that_is_not_there_is_updated_to_what_is_given() -> None:
    written: list[bytes] = []

    class Free(Contested):
        def put(self, bucket: str, key: str, body: bytes, **_: Any) -> Any:
            written.append(body)

    assert ObjectItems(Free(), "lock.json").update("bucket", {}, {"LockID": "x"}, Condition(absent="LockID")) is None
    assert written == [b'{"LockID": "x"}']


def stack(name: str, bucket: str, region: str) -> Small:
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}}}
    return Small(id=name, template=template, region=region)


def test_both_buckets_are_those_of_the_templates_with_the_account_and_region_of_their_stacks() -> None:
    assembly, templates = small_assembly(stack("site", "pages", "eu-west-1"), stack("replica", "pages-replica", "eu-central-1"))
    found = origins_of(assembly, templates)
    assert found is not None and found.environment == assembly.environment
    assert found.primary == Origin(bucket="pages", account_id=ACCOUNT, region="eu-west-1")
    assert found.replica == Origin(bucket="pages-replica", account_id=ACCOUNT, region="eu-central-1")
    assert found.replica.arn == "arn:aws:s3:::pages-replica"


@pytest.mark.parametrize("only", ["site", "replica"])
def test_one_bucket_is_no_pair(only: str) -> None:
    assert origins_of(*small_assembly(stack(only, "pages", "eu-west-1"))) is None


def test_a_report_that_is_kept_says_its_format_which_others_read() -> None:
    assert msgspec.to_builtins(BEGUN)["format"] == 1
    assert msgspec.json.decode(msgspec.json.encode(BEGUN), type=Report) == BEGUN

"""The history: kept assemblies are whole or not there, records are never written over, expectations come from what went well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from assembly import files
from aws.errors import AccessDenied, Conflict, NotFound
from aws.s3 import Head, Headers, Stored
from guards import documents
from rollout.history import (
    History,
    NotAsApplied,
    Record,
    StackRecord,
    expected_or_none,
    expected_seconds,
    fetch,
    keep,
    manifest,
    read,
    records,
    save,
    verified,
)
from tests.simulated import Small, small_assembly

TEMPLATE = {"Resources": {"It": {"Type": "AWS::SSM::Parameter"}}}


class Bucket:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.there = True
        self.puts = 0
        self.break_after: int | None = None

    def put(
        self, bucket: str, key: str, body: bytes, *, headers: Headers | None = None, if_absent: bool = False, if_match: str | None = None
    ) -> Head:
        if self.break_after is not None and self.puts >= self.break_after:
            raise AccessDenied("no")
        self.puts += 1
        if if_absent and key in self.objects:
            raise Conflict("there", code="PreconditionFailed")
        self.objects[key] = body
        return Head(key=key, size=len(body), etag="")

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
        if key not in self.objects:
            raise NotFound(key)
        return Stored(head=Head(key=key, size=0, etag=""), body=self.objects[key])

    def head(self, bucket: str, key: str) -> Head | None:
        return Head(key=key, size=0, etag="") if key in self.objects else None

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        if not self.there:
            raise NotFound("no such bucket")
        return iter([Head(key=key, size=0, etag="") for key in sorted(self.objects) if key.startswith(prefix)])


def record(at: str = "2026-11-22T10:00:00.000Z", *stacks: StackRecord, environment: str = "dev") -> Record:
    return Record(
        environment=environment,
        project="demo",
        assembly_digest="a" * 64,
        plan_digest=at.replace(":", "")[-12:] + "0" * 52,
        git_commit="",
        by="me",
        host="here",
        started_at=at,
        seconds=1,
        result="succeeded",
        stacks=stacks,
    )


def ran(seconds: float, result: str = "succeeded", stack: str = "site", operation: str = "update") -> StackRecord:
    return StackRecord(stack=stack, operation=operation, result=result, seconds=seconds)


def test_an_assembly_comes_back_byte_for_byte_and_is_checked(tmp_path: Path) -> None:
    bucket = Bucket()
    assembly, templates = small_assembly(Small(id="a", template=TEMPLATE), Small(id="b", template=TEMPLATE))
    keep(bucket, "bucket", assembly, templates)
    files.write(tmp_path, fetch(bucket, "bucket", assembly.digest))
    assert files.read(tmp_path) == (assembly, templates)
    puts = bucket.puts
    keep(bucket, "bucket", assembly, templates)
    assert bucket.puts == puts


@pytest.mark.parametrize("after", [0, 1, 2])
def test_one_that_was_cut_off_is_not_there_and_is_made_whole_the_next_time(after: int) -> None:
    bucket = Bucket()
    assembly, templates = small_assembly(Small(id="a", template=TEMPLATE), Small(id="b", template={}))
    bucket.break_after = after
    with pytest.raises(AccessDenied):
        keep(bucket, "bucket", assembly, templates)
    with pytest.raises(NotFound):
        fetch(bucket, "bucket", assembly.digest)
    bucket.break_after = None
    keep(bucket, "bucket", assembly, templates)
    assert set(fetch(bucket, "bucket", assembly.digest)) == {"assembly.json", "a.template.json", "b.template.json"}


def test_records_come_newest_first_of_one_environment_and_are_never_written_over() -> None:
    bucket = Bucket()
    moments = [f"2026-11-{day:02d}T10:00:00.000Z" for day in range(1, 8)]
    for moment in moments:
        save(bucket, "bucket", record(moment))
    save(bucket, "bucket", record("2027-01-01T00:00:00.000Z", environment="prod"))
    key = save(bucket, "bucket", msgspec.structs.replace(record(moments[0]), by="another"))
    assert [r.started_at for r in records(bucket, "bucket", "dev", limit=3)] == moments[:3:-1]
    assert b"another" not in bucket.objects[key]


SPOILED = {
    b'{"format": 99, "new": true}': "format 99, this version reads format 1",
    b"\xff": "malformed",
    b"": "truncated",
    b"[]": "Expected `object`",
    b'{"format": 1, "x": ' + b"[" * 100_000: "nested too deeply",
    b'{"format": 1}': "missing required field",
}


@pytest.mark.attack
@pytest.mark.parametrize("body", SPOILED)
def test_a_record_that_cannot_be_read_is_named_and_hides_no_other(body: bytes) -> None:
    bucket = Bucket()
    save(bucket, "bucket", record())
    bucket.objects["history/dev/2027-01-01.json"] = body
    past = read(bucket, "bucket", "dev", limit=1)
    assert [r.started_at for r in past.records] == [record().started_at]
    assert [(d.key, SPOILED[body] in d.reason) for d in past.damaged] == [("history/dev/2027-01-01.json", True)], past.damaged
    assert expected_or_none(bucket, "bucket", "dev") == {}


@pytest.mark.attack
def test_a_record_under_another_name_or_of_another_environment_is_not_believed() -> None:
    bucket = Bucket()
    key = save(bucket, "bucket", record())
    bucket.objects["history/dev/2027-01-01T00:00:00.000Z-000000000000.json"] = bucket.objects[key]
    bucket.objects["history/prod/" + key.rpartition("/")[2]] = bucket.objects[key]
    assert [d.reason for d in read(bucket, "bucket", "dev").damaged] == ["another apply's record than its name says"]
    assert len(read(bucket, "bucket", "prod").damaged) == 1
    assert records(bucket, "bucket", "prod") == ()


def test_no_bucket_is_no_history() -> None:
    bucket = Bucket()
    bucket.there = False
    assert read(bucket, "bucket", "dev") == History()
    assert expected_or_none(bucket, "bucket", "dev") == {}


@pytest.mark.attack
@pytest.mark.parametrize("manifest", [b"", b"[]", b'{"stacks": 1}', b'{"stacks": [{"template": {}}]}', b"[" * 100_000, b"\xff"])
def test_a_kept_assembly_that_cannot_be_read_is_told_so(manifest: bytes) -> None:
    bucket = Bucket()
    bucket.objects["assemblies/abc/assembly.json"] = manifest
    with pytest.raises(documents.Unreadable):
        fetch(bucket, "bucket", "abc")


def test_expectations_are_medians_of_what_succeeded() -> None:
    past = [
        record("2026-11-01T10:00:00.000Z", ran(10), ran(99, "failed"), ran(5, operation="create")),
        record("x", ran(30)),
        record("y", ran(20)),
    ]
    assert expected_seconds(past) == {("site", "update"): 20, ("site", "create"): 5}


def test_an_assembly_is_verified_file_by_file_and_every_problem_is_named() -> None:
    bucket = Bucket()
    assembly, templates = small_assembly(Small(id="a", template=TEMPLATE), Small(id="b", template=TEMPLATE))
    keep(bucket, "bucket", assembly, templates)
    whole = fetch(bucket, "bucket", assembly.digest)
    assert verified(whole, assembly.digest, "test") == assembly
    damaged = {name: body for name, body in whole.items() if name != "a.template.json"} | {"b.template.json": b"{}"}
    with pytest.raises(NotAsApplied) as refused:
        verified(damaged, assembly.digest, "prod")
    for words in ("of the environment test", "a.template.json is missing", "b.template.json is not the template that was applied"):
        assert words in str(refused.value)
    assert str(refused.value).endswith("nothing was restored")
    with pytest.raises(NotAsApplied, match="cannot be read by this version"):
        verified({}, assembly.digest, "test")


def test_a_manifest_that_is_not_byte_for_byte_the_one_of_its_digest_is_not_believed() -> None:
    bucket = Bucket()
    assembly, templates = small_assembly(Small(id="a", template=TEMPLATE))
    keep(bucket, "bucket", assembly, templates)
    assert manifest(bucket, "bucket", assembly.digest, "test") == assembly
    with pytest.raises(NotAsApplied, match="of the environment test"):
        manifest(bucket, "bucket", assembly.digest, "prod")
    key = f"assemblies/{assembly.digest}/assembly.json"
    whole = bucket.objects[key]
    for body in (whole + b" ", whole.replace(b'"demo"', b'"else"', 1), whole.replace(b'"format":', b'"format": ', 1)):
        bucket.objects[key] = body
        with pytest.raises(NotAsApplied, match="digest differs"):
            manifest(bucket, "bucket", assembly.digest, "test")
    signed = files.manifest_bytes(msgspec.structs.replace(assembly, digest="0" * 64))
    bucket.objects[key] = signed
    with pytest.raises(NotAsApplied, match="digest differs"):
        manifest(bucket, "bucket", assembly.digest, "test")
    newer = files.sealed(msgspec.structs.replace(assembly, format=assembly.format + 1))
    bucket.objects[f"assemblies/{newer.digest}/assembly.json"] = files.manifest_bytes(newer)
    with pytest.raises(NotAsApplied, match=r"^is damaged: it is of format 2, this version reads format 1$"):
        manifest(bucket, "bucket", newer.digest, "test")
    other = "0" * 64
    bucket.objects[f"assemblies/{other}/assembly.json"] = whole
    with pytest.raises(NotAsApplied, match="digest differs"):
        manifest(bucket, "bucket", other, "test")


def test_a_template_that_is_named_as_a_path_is_not_believed() -> None:
    assembly, templates = small_assembly(Small(id="a", template=TEMPLATE))
    (stack,) = assembly.stacks
    stack = msgspec.structs.replace(stack, template=msgspec.structs.replace(stack.template, file="../a.template.json"))
    escaping = files.sealed(msgspec.structs.replace(assembly, stacks=(stack,)))
    found = {files.MANIFEST: files.manifest_bytes(escaping), "../a.template.json": templates["a"]}
    with pytest.raises(NotAsApplied, match=r"'\.\./a\.template\.json' is not a plain file name"):
        verified(found, escaping.digest, "test")


def test_rubbish_is_not_read_without_end_and_records_only_up_to_the_limit() -> None:
    bucket = Bucket()
    for day in range(1, 8):
        save(bucket, "bucket", record(f"2026-11-{day:02d}T10:00:00.000Z"))
    assert len(records(bucket, "bucket", "dev", limit=7)) == 7 and len(records(bucket, "bucket", "dev")) == 7
    for number in range(30):
        bucket.objects[f"history/dev/2027-01-{number:02d}.json"] = b"rubbish"
    past = read(bucket, "bucket", "dev", limit=3)
    assert len(past.damaged) == 4 and past.records == ()
    past = read(bucket, "bucket", "dev", limit=30)
    assert len(past.damaged) == 30 and len(past.records) == 7


def test_a_record_that_goes_between_the_list_and_the_read_is_none() -> None:
    class Going(Bucket):
        def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
            raise NotFound(key)

    bucket = Going()
    save(bucket, "bucket", record())
    assert read(bucket, "bucket", "dev") == History()


def test_expectations_leave_out_what_took_no_time() -> None:
    assert expected_seconds([record("t", ran(0), ran(-1), ran(4, "removed", operation="remove"))]) == {("site", "remove"): 4}
    assert expected_seconds([record("t", ran(0.5))]) == {("site", "update"): 0.5}


def test_an_expectation_is_nothing_that_an_apply_needs() -> None:
    class Closed(Bucket):
        def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
            raise AccessDenied("not you")

    assert expected_or_none(Closed(), "bucket", "dev") == {}
    with pytest.raises(AccessDenied):
        records(Closed(), "bucket", "dev")


def test_a_record_is_named_by_its_time_and_the_beginning_of_its_plans_digest() -> None:
    told = msgspec.structs.replace(record(), plan_digest="0123456789abcdef")
    assert save(Bucket(), "bucket", told) == f"history/dev/{told.started_at}-0123456789ab.json"

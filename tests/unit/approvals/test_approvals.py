"""Who counts as a person, and how many are asked for: sessions, permission sets, workflows, age, tampering, a number that is lowered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from approvals import record
from approvals.people import RoleFacts, Tally, tally
from approvals.record import Approval, StoredApproval
from approvals.rule import LATEST, needed
from assembly import files
from assembly.model import Assembly
from aws.errors import NotFound
from aws.s3 import Head, Headers, Stored
from rollout import history
from rollout.history import Record
from session.approval import wanted
from stacks.synthesis import synthesise
from tests.environments_fixture import environments

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DIGEST = "3f" * 32
ACCOUNT = "333333333333"
SSO = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/"
ROLES = {
    "AWSReservedSSO_Admin_0a": RoleFacts(arn=f"{SSO}AWSReservedSSO_Admin_0a", unique_id="AROAADMIN"),
    "AWSReservedSSO_Ops_0b": RoleFacts(arn=f"{SSO}AWSReservedSSO_Ops_0b", unique_id="AROAOPS"),
    "shared": RoleFacts(arn=f"arn:aws:iam::{ACCOUNT}:role/shared", unique_id="AROASHARED"),
    "web-prod-deploy": RoleFacts(arn=f"arn:aws:iam::{ACCOUNT}:role/web-prod-deploy", unique_id="AROADEPLOY"),
}
MACHINES = ("web-prod-deploy", "web-prod-plan")


def session(role: str, name: str, *, claims: str = "", age: timedelta = timedelta(0), withdrawn: bool = False) -> StoredApproval:
    """A record that a session of the role has written; `claims` is another role that its body names."""
    by = f"arn:aws:sts::{ACCOUNT}:assumed-role/{claims or role}/{name}"
    body = Approval(environment="prod", digest=DIGEST, by=by, withdrawn=withdrawn)
    return StoredApproval(user_id=f"{ROLES[role].unique_id}:{name}", written=NOW - age, approval=body)


def user(name: str) -> StoredApproval:
    body = Approval(environment="prod", digest=DIGEST, by=f"arn:aws:iam::{ACCOUNT}:user/{name}")
    return StoredApproval(user_id=f"AIDA{name.upper()}", written=NOW, approval=body)


def count(*found: StoredApproval) -> Tally:
    return tally(found, now=NOW, roles=ROLES.get, machines=MACHINES)


@pytest.mark.parametrize(
    ("found", "people"),
    [
        ((user("jane"), user("joe")), 2),
        ((user("jane"), user("jane")), 1),
        ((session("AWSReservedSSO_Admin_0a", "jane@x.org"), session("AWSReservedSSO_Admin_0a", "joe@x.org")), 2),
        # One person behind two permission sets.
        ((session("AWSReservedSSO_Admin_0a", "jane@x.org"), session("AWSReservedSSO_Ops_0b", "Jane@x.org")), 1),
        # The session name of an ordinary role is whatever the caller likes.
        ((session("shared", "jane"), session("shared", "joe")), 1),
        # A body that names Identity Center's role, written by a session of another one.
        ((session("shared", "jane", claims="AWSReservedSSO_Admin_0a"), session("shared", "joe", claims="AWSReservedSSO_Admin_0a")), 1),
        ((session("web-prod-deploy", "one"), session("web-prod-deploy", "two")), 0),
        ((session("web-prod-deploy", "one", claims="shared"),), 0),
        ((session("shared", "one", claims="web-prod-plan"),), 0),
        ((session("shared", "jane", age=timedelta(hours=24)),), 1),
        ((session("shared", "jane", age=timedelta(hours=24, seconds=1)),), 0),
        ((session("shared", "jane", withdrawn=True),), 0),
        # GetFederationToken: an IAM user who has approved already may call it, with a name of their choice.
        (
            tuple(
                StoredApproval(
                    user_id=f"{ACCOUNT}:{name}",
                    written=NOW,
                    approval=Approval(environment="prod", digest=DIGEST, by=f"arn:aws:sts::{ACCOUNT}:federated-user/{name}"),
                )
                for name in ("jane", "joe")
            ),
            0,
        ),
    ],
)
def test_people_not_sessions_are_counted(found: tuple[StoredApproval, ...], people: int) -> None:
    counted = count(*found)
    assert len(counted.people) == people
    assert len(counted.people) + len(counted.left_out) == len(found)


def test_where_iam_does_not_answer_a_role_is_one_person() -> None:
    found = (session("AWSReservedSSO_Admin_0a", "jane@x.org"), session("AWSReservedSSO_Admin_0a", "joe@x.org"))
    assert len(tally(found, now=NOW, roles=lambda _: None, machines=MACHINES).people) == 1


@pytest.mark.attack
def test_a_body_that_hides_its_role_makes_nobody_a_second_person() -> None:
    """Jane writes the record of her second permission set by hand, without the name of its role."""
    honest = session("AWSReservedSSO_Admin_0a", "jane@x.org")
    hiding = session("AWSReservedSSO_Ops_0b", "jane@x.org", claims="no-such-role")
    joe = session("AWSReservedSSO_Ops_0b", "joe@x.org")
    assert len(count(honest, hiding).people) == 1
    assert len(count(hiding, honest).people) == 1
    assert len(count(hiding, session("AWSReservedSSO_Admin_0a", "Jane@x.org", claims="another")).people) == 1
    assert len(count(honest, hiding, joe).people) == 2


@pytest.mark.attack
def test_a_path_that_looks_like_identity_centers_is_not() -> None:
    """Anybody who may make roles may choose a path, and a path may hold colons."""
    path = f"arn:aws:iam::{ACCOUNT}:role/x:role/aws-reserved/sso.amazonaws.com/shared"
    found = (session("shared", "jane"), session("shared", "joe"))
    roles = {"shared": RoleFacts(arn=path, unique_id="AROASHARED")}
    assert len(tally(found, now=NOW, roles=roles.get, machines=MACHINES).people) == 1


@pytest.mark.attack
def test_a_withdrawal_takes_back_what_the_person_approved_before_with_another_permission_set() -> None:
    approved = session("AWSReservedSSO_Admin_0a", "jane@x.org", age=timedelta(hours=2))
    withdrawn = session("AWSReservedSSO_Ops_0b", "jane@x.org", age=timedelta(hours=1), withdrawn=True)
    again = session("AWSReservedSSO_Admin_0a", "jane@x.org")
    assert not count(approved, withdrawn).people
    assert len(count(again, withdrawn).people) == 1


@pytest.mark.attack
def test_a_clock_that_is_turned_back_keeps_no_approval_alive() -> None:
    assert len(count(session("shared", "jane", age=timedelta(minutes=-10))).people) == 1
    assert not count(session("shared", "jane", age=timedelta(minutes=-16))).people


@dataclass
class Bucket:
    """Objects with the time at which they were written."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put(
        self, bucket: str, key: str, body: bytes, *, headers: Headers | None = None, if_absent: bool = False, if_match: str | None = None
    ) -> Head:
        self.objects[key] = body
        return Head(key=key, size=len(body), etag="")

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
        if key not in self.objects:
            raise NotFound(key)
        return Stored(head=Head(key=key, size=0, etag="", modified=NOW), body=self.objects[key])

    def head(self, bucket: str, key: str) -> Head | None:
        return Head(key=key, size=0, etag="") if key in self.objects else None

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        there = sorted(key for key in self.objects if key.startswith(prefix))
        return iter([Head(key=key, size=len(self.objects[key]), etag="", modified=NOW) for key in there])


@pytest.mark.attack
def test_a_record_counts_for_what_its_name_says_and_nothing_else() -> None:
    bucket = Bucket()
    jane = Approval(environment="prod", digest=DIGEST, by=f"arn:aws:iam::{ACCOUNT}:user/jane")
    record.save(bucket, "b", jane, "AIDAJANE")
    record.save(bucket, "b", msgspec.structs.replace(jane, digest="a" * 64), "AIDAJANE")
    folder = f"approvals/prod/{DIGEST}/"
    bucket.objects[f"{folder}AIDAJOE.json"] = files.canonical_json(msgspec.to_builtins(msgspec.structs.replace(jane, digest="a" * 64)))
    bucket.objects[f"{folder}AIDAJIM.json"] = files.canonical_json(msgspec.to_builtins(msgspec.structs.replace(jane, environment="dev")))
    bucket.objects[f"{folder}AIDAANN.json"] = b"{}"
    bucket.objects[f"{folder}deeper/AIDABOB.json"] = bucket.objects[f"{folder}AIDAJANE.json"]
    found = record.read(bucket, "b", "prod", DIGEST)
    counted = count(*found)
    assert counted.people == (jane.by,)
    assert len(counted.left_out) == 3
    with pytest.raises(ValueError, match="not a whole digest"):
        record.read(bucket, "b", "prod", DIGEST[:12])


@pytest.mark.attack
def test_keys_that_are_no_records_crowd_nobody_out() -> None:
    """An approver may write below any folder of their own making, as the policy's asterisk takes slashes, too."""
    bucket = Bucket()
    jane = Approval(environment="prod", digest=DIGEST, by=f"arn:aws:iam::{ACCOUNT}:user/jane")
    record.save(bucket, "b", jane, "AIDAJANE")
    for number in range(record.MOST):
        bucket.objects[f"approvals/prod/{DIGEST}/!{number:02}/AIDABOB.json"] = b"{}"
    assert [each.user_id for each in record.read(bucket, "b", "prod", DIGEST)] == ["AIDAJANE"]


@pytest.mark.attack
def test_a_record_of_any_size_is_not_read() -> None:
    """An approver may write objects of gigabytes in their own name, and whoever counts has them in memory."""

    class Small(Bucket):
        def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
            assert len(self.objects[key]) <= record.LARGEST
            return super().get(bucket, key, version_id=version_id)

    bucket = Small()
    jane = Approval(environment="prod", digest=DIGEST, by=f"arn:aws:iam::{ACCOUNT}:user/jane")
    record.save(bucket, "b", jane, "AIDAJANE")
    bucket.objects[f"approvals/prod/{DIGEST}/AIDABOB.json"] = b" " * (record.LARGEST + 1)
    counted = count(*record.read(bucket, "b", "prod", DIGEST))
    assert counted.people == (jane.by,)
    assert counted.left_out == ("AIDABOB: it has 16,385 bytes, and no approval is so large",)


def assembly(approvals: int, note: str = "") -> tuple[Assembly, dict[str, bytes]]:
    made = synthesise(environments()["prod"])
    raw = msgspec.structs.replace(made.assembly, approvals=approvals, project=made.assembly.project + note, digest="")
    return msgspec.structs.replace(raw, digest=files.assembly_digest(raw)), dict(made.templates)


def applied(bucket: Bucket, approvals: int, at: str, *, result: history.Result = "succeeded") -> Assembly:
    made, templates = assembly(approvals)
    history.keep(bucket, made.artifact_bucket, made, templates)
    entry = Record(
        environment="prod", project="p", assembly_digest=made.digest, plan_digest=DIGEST, git_commit="", by="me", host="h", started_at=at,
        seconds=1, result=result,
    )  # fmt: skip
    history.save(bucket, made.artifact_bucket, entry)
    return made


def test_a_change_that_lowers_the_number_takes_as_many_as_before() -> None:
    bucket = Bucket()
    assert needed(assembly(2)[0], bucket) == 2
    assert needed(assembly(0)[0], bucket) == 0
    old = applied(bucket, 2, "2026-11-26T10:00:00.000Z")
    assert needed(assembly(0)[0], bucket) == 2
    applied(bucket, 0, "2026-11-26T11:00:00.000Z", result="failed")
    assert needed(assembly(0, "x")[0], bucket) == 2
    bucket.objects[f"assemblies/{old.digest}/{files.MANIFEST}"] = files.manifest_bytes(assembly(0)[0])
    with pytest.raises(history.NotAsApplied):
        needed(assembly(0, "x")[0], bucket)
    applied(bucket, 0, "2026-11-26T12:00:00.000Z")
    assert needed(assembly(0, "x")[0], bucket) == 0
    # It is raised by a plan that is applied as before, and the next one takes as many.
    assert needed(assembly(2, "x")[0], bucket) == 0


@pytest.mark.attack
def test_neither_failures_nor_rubbish_nor_a_lost_assembly_hide_the_number() -> None:
    bucket = Bucket()
    applied(bucket, 2, "2026-11-26T10:00:00.000Z")
    lowered = applied(bucket, 0, "2026-11-26T11:00:00.000Z")
    del bucket.objects[f"assemblies/{lowered.digest}/{files.MANIFEST}"]
    assert needed(assembly(0, "x")[0], bucket) == 2
    bucket.objects = {key: body for key, body in bucket.objects.items() if "2026-11-26T11" not in key}
    for number in range(LATEST + 1):
        bucket.objects[f"history/prod/2026-11-26T12:00:00.{number:03}Z-{DIGEST[:12]}.json"] = b"rubbish"
    for number in range(3):
        applied(bucket, 0, f"2026-11-26T13:00:00.{number:03}Z", result="failed")
    assert needed(assembly(0, "x")[0], bucket) == 2


@pytest.mark.parametrize(("last", "told"), [(None, ""), (0, ""), (1, "1 person has"), (5, "5 people have")])
def test_a_plan_says_how_many_have_to_approve_it_by_what_was_applied_last(last: int | None, told: str) -> None:
    """Else it promises an apply that is refused."""
    made = synthesise(environments()["dev"]).assembly
    found = wanted(None if last is None else msgspec.structs.replace(made, approvals=last))
    assert [f"{told} approved" in each.message and each.command.endswith("approve --env dev DIGEST") for each in found] == [True] * bool(
        told
    )

"""Who takes releases is asked before the lock is taken, and once more when it is held."""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from assembly.files import canonical_json
from aws.errors import CredentialsError, NotFound, Unavailable
from gateways.by_place import Gateways
from promotion.target import Phase, Target
from session.backfill import findings
from session.context import CommandError, Context
from session.moving import failed_back, promoted
from session.opened import Opened
from session.shared import locked, take_lock
from session.target import refuse_unless_home
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments

BUILT = synthesise(
    changed(environments()["dev"], {"disaster_recovery": {"region": "eu-west-2", "bucket": "dev-kimmyai-web-public-replica"}})
)


@dataclass
class Aws:
    """The register in the standby region, a line of answers to who asks it, and the lock table at home."""

    phases: list[Phase | Exception | bytes]
    item: dict[str, Any] | None = None
    calls: list[str] = field(default_factory=list)
    region: str | None = "eu-west-1"
    """Where S3 says that the buckets of the home region are; None: nowhere."""

    def client(self, service: str, **_: Any) -> Any:
        return getattr(self, f"_{service}")()

    def impatient(self) -> Aws:
        return self

    def _s3(self) -> Any:
        class Register:
            def get_object(register, **_: Any) -> dict[str, Any]:
                self.calls.append("register")
                said = self.phases.pop(0)
                if isinstance(said, Exception):
                    raise said
                target = None if isinstance(said, bytes) else Target(environment="dev", phase=said, epoch=1, since="2026-11-27T12:00:00Z")
                body = said if isinstance(said, bytes) else canonical_json(msgspec.to_builtins(target))
                return {"Body": io.BytesIO(body), "ContentLength": len(body), "ETag": '"e"'}

            def get_bucket_replication(register, **_: Any) -> Any:
                raise NotFound("no bucket", code="NoSuchBucket")

            get_bucket_versioning = list_objects_v2 = get_bucket_replication

            def head_bucket(register, **_: Any) -> dict[str, Any]:
                if self.region is None:
                    raise NotFound("no bucket", code="404")
                return {"BucketRegion": self.region}

        return Register()

    def _dynamodb(self) -> Any:
        class Table:
            def put_item(table, **given: Any) -> dict[str, Any]:
                self.calls.append("lock")
                self.item = given["Item"]
                return {}

            def delete_item(table, **_: Any) -> dict[str, Any]:
                self.calls.append("release")
                self.item = None
                return {}

        return Table()


def opened(aws: Aws) -> Opened:
    anything: Any = aws
    gateways = Gateways(anything, sleep=lambda _: None)
    return Opened(assembly=BUILT.assembly, templates=BUILT.templates, gateways=gateways, caller="arn:aws:iam::1:user/ann")


def test_whoever_was_promoted_while_the_lock_was_waited_for_is_seen_under_it_and_the_lock_goes_back() -> None:
    aws = Aws(["home", "standby"])
    with pytest.raises(CommandError, match="dev is promoted since"):
        take_lock(opened(aws), Context(), "apply")
    assert (aws.calls, aws.item) == (["register", "lock", "register", "release"], None)


def test_at_home_the_lock_is_held_for_as_long_as_the_block_runs() -> None:
    aws = Aws(["home", NotFound("no register", code="NoSuchKey")])
    with locked(opened(aws), Context(), "destroy"):
        assert aws.item is not None
    assert aws.item is None


def test_between_two_buckets_no_lock_is_asked_for() -> None:
    for phase in ("promoting", "failing-back"):
        aws = Aws([phase])
        with pytest.raises(CommandError, match="nobody takes releases until that has ended"):
            take_lock(opened(aws), Context(), "destroy")
        assert aws.calls == ["register"]


def test_who_moves_it_asks_for_the_lock_alone() -> None:
    aws = Aws([])
    take_lock(opened(aws), Context(), "dr", moving=True)
    assert aws.calls == ["lock"]


def test_silence_is_refused_and_the_way_around_it_told_only_by_verbs_that_have_it() -> None:
    with pytest.raises(CommandError, match="does not say who takes releases") as refused:
        refuse_unless_home(opened(Aws([Unavailable("503")])), argparse.Namespace(env="dev"), "nothing is deleted")
    assert "--without-standby" not in refused.value.command
    args = argparse.Namespace(env="dev", without_standby=False)
    with pytest.raises(CommandError) as refused:
        refuse_unless_home(opened(Aws([Unavailable("503")])), args, "nothing is deleted")
    assert "--without-standby" in refused.value.command
    refuse_unless_home(opened(Aws([Unavailable("503")])), argparse.Namespace(env="dev", without_standby=True), "nothing is deleted")


NO_REGISTER = [b"{", b"[]", b'{"environment":"dev","phase":"nowhere"}', b'{"environment":"prod"}', b'{"environment":"dev","since":"today"}']


@pytest.mark.parametrize("body", NO_REGISTER)
def test_what_is_no_register_is_told_in_words_by_promote_and_failback_as_by_every_other_verb(body: bytes) -> None:
    args = argparse.Namespace(env="dev", planned=False)
    for move in (promoted, failed_back):
        with pytest.raises(CommandError, match="nobody takes releases until somebody has looked") as refused:
            move(args, Context(), opened(Aws([body])))
        assert refused.value.command.startswith("aws s3api list-object-versions") and "recovery/dev/target.json" in refused.value.command


def test_before_the_standby_region_was_made_there_is_nothing_to_move() -> None:
    for move in (promoted, failed_back):
        with pytest.raises(CommandError, match="has no standby region yet") as refused:
            move(argparse.Namespace(env="dev"), Context(), opened(Aws([NotFound("no bucket", code="NoSuchBucket")])))
        assert "plan" in refused.value.command


def test_credentials_that_ran_out_are_told_as_that_and_no_silence_of_a_region() -> None:
    args = argparse.Namespace(env="dev", without_standby=True)
    with pytest.raises(CredentialsError):
        refuse_unless_home(opened(Aws([CredentialsError("expired")])), args, "nothing is deleted")


@pytest.mark.parametrize(("region", "words"), [("eu-central-1", "take back the edit of home_region"), (None, "if its name was edited")])
def test_a_home_that_was_edited_while_promoted_is_not_gone_back_to(region: str | None, words: str) -> None:
    aws = Aws(["standby"], region=region)
    with pytest.raises(CommandError, match=words):
        failed_back(argparse.Namespace(env="dev"), Context(), opened(aws))
    assert aws.calls == ["register"]


@pytest.mark.parametrize(("phase", "verb"), [("promoting", "promote"), ("standby", "failback"), ("failing-back", "failback")])
def test_a_plan_while_releases_do_not_go_home_says_how_they_do(phase: Phase, verb: str) -> None:
    (found,) = findings(opened(Aws([phase])))
    assert (found.severity, found.command) == ("warning", f"python deploy.py dr {verb} --env dev")


def test_a_plan_says_that_the_register_is_none_or_silent() -> None:
    (damaged,) = findings(opened(Aws([b"{"])))
    assert damaged.severity == "warning" and damaged.message.startswith("apply is refused: s3://")
    silent = findings(opened(Aws([Unavailable("503")])))
    assert (silent[0].severity, silent[0].code) == ("note", "register_unread")

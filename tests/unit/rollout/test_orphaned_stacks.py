"""What a plan says of what was applied last: read once, whatever it has to tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from assembly import files
from assembly.model import RoleName
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AccessDenied
from aws.s3 import Head, Stored
from removal.names import names_taken
from rollout import history
from rollout.orphaned_stacks import find, no_more_wanted, where
from tests.simulated import SimulatedGateways, Small, small_assembly, stackset
from tests.unit.operations.test_destroy import World
from tests.unit.removal.test_no_more_wanted import after
from tests.unit.rollout.test_history import TEMPLATE, Bucket, record

OLD, NEW = (small_assembly(Small(id=name, template=TEMPLATE)) for name in ("a", "b"))


def applied(*, rollback: bool, environment: str = "test") -> Bucket:
    """A bucket whose last record is an apply of `OLD`."""
    bucket = Bucket()
    assembly, templates = OLD
    history.keep(bucket, assembly.artifact_bucket, assembly, templates)
    last = msgspec.structs.replace(record(environment=environment), assembly_digest=assembly.digest, rollback=rollback)
    history.save(bucket, assembly.artifact_bucket, last)
    return bucket


def codes(bucket: Bucket, planned: tuple[object, object] = NEW, *, rolling_back: bool = False) -> list[str]:
    assembly, templates = planned
    return [f.code for f in find(lambda: bucket, assembly, templates, SimulatedGateways(), rolling_back=rolling_back).findings]  # type: ignore[arg-type]


@pytest.mark.parametrize(("rollback", "rolling_back", "said"), [(True, False, True), (False, False, False), (True, True, False)])
def test_a_rollback_that_a_plan_would_undo_is_told(rollback: bool, rolling_back: bool, said: bool) -> None:
    assert codes(applied(rollback=rollback), rolling_back=rolling_back) == ["undoes_rollback"] * said


def test_what_was_applied_last_is_what_succeeded_last() -> None:
    bucket = after(OLD)
    assembly, templates = NEW
    history.keep(bucket, assembly.artifact_bucket, assembly, templates)
    failed = msgspec.structs.replace(
        record("2027-01-01T00:00:00.000Z", environment="test"), assembly_digest=assembly.digest, result="failed"
    )
    history.save(bucket, assembly.artifact_bucket, failed)
    assert find(lambda: bucket, assembly, templates, World()).last == files.sealed(OLD[0])
    assert find(lambda: after(OLD, NEW), assembly, templates, World()).last == files.sealed(assembly)


def test_an_assembly_that_is_gone_hides_no_rollback() -> None:
    bucket = applied(rollback=True)
    del bucket.objects[f"assemblies/{OLD[0].digest}/assembly.json"]
    assert codes(bucket) == ["undoes_rollback"]


def test_a_rollback_that_was_applied_over_is_undone_by_nothing() -> None:
    bucket = applied(rollback=True)
    later = msgspec.structs.replace(record("2027-01-01T00:00:00.000Z", environment="test"), assembly_digest=OLD[0].digest)
    history.save(bucket, OLD[0].artifact_bucket, later)
    assert codes(bucket) == []


def test_the_assembly_that_came_back_undoes_nothing() -> None:
    assert codes(applied(rollback=True), OLD) == []


def test_a_damaged_assembly_hides_no_rollback() -> None:
    bucket = applied(rollback=True)
    damaged = next(key for key in bucket.objects if key.endswith(".template.json"))
    bucket.objects[damaged] += b" "
    assert codes(bucket) == ["undoes_rollback"]


def test_without_a_history_nothing_is_told() -> None:
    assert codes(Bucket()) == []


# --- names that can be taken once -------------------------------------------------------------------------------------


def taken(*resources: tuple[str, object]) -> frozenset[str]:
    bodies = {f"R{number}": {"Type": kind, "Properties": properties} for number, (kind, properties) in enumerate(resources)}
    return names_taken(msgspec.json.encode({"Resources": bodies}))


def test_the_names_that_are_taken_in_every_region() -> None:
    aliases = {"DistributionConfig": {"Aliases": ["www.example.org", {"Ref": "Domain"}, "example.org"]}}
    assert taken(("AWS::CloudFront::Distribution", aliases)) == {"www.example.org", "example.org"}
    assert taken(("AWS::S3::Bucket", {"BucketName": "b"}), ("AWS::IAM::Role", {"RoleName": "r"})) == {"b", "r"}
    assert taken(("AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "p"})) == {"p"}
    assert taken(("AWS::CloudFront::Function", {"Name": "f"})) == {"f"}


def test_a_name_of_one_region_or_that_nobody_knows_yet_is_not_among_them() -> None:
    assert taken(("AWS::Logs::LogGroup", {"LogGroupName": "/logs"}), ("AWS::Lambda::Function", {"FunctionName": "f"})) == frozenset()
    assert taken(("AWS::S3::Bucket", {"BucketName": {"Fn::Sub": "x"}}), ("AWS::S3::Bucket", {})) == frozenset()
    assert taken(("AWS::CloudFront::Distribution", {"DistributionConfig": {}}), ("AWS::CloudFront::Distribution", {})) == frozenset()
    assert names_taken(b"{}") == names_taken(b'{"Resources": {"A": {}}}') == frozenset()


def test_where_a_stack_is_in_words() -> None:
    assert where(OLD[0].stacks[0]) == "demo-test-a in eu-west-1, account 123456789012"


# --- what stands and is no more wanted --------------------------------------------------------------------------------

KEPT_ROLE = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "demo-role"}}}}


def moving(now: dict[str, Any], **more: object) -> list[str]:
    """What is told of a stack that stands in eu-west-1 and is planned in us-east-1 with that template."""
    before = small_assembly(Small(id="base", template=KEPT_ROLE))
    assembly, templates = small_assembly(Small(id="base", template=now, region="us-east-1", more=dict(more)))
    world = World()
    world.places["eu-west-1"].put("demo-test-base", KEPT_ROLE)
    found = find(lambda: after(before), assembly, templates, world)
    return [f.code for f in found.findings] + [f"goes: {r.stack}" for r in found.removals]


def test_a_stack_that_moves_is_refused_for_a_name_it_would_take_twice_and_made_anew_else() -> None:
    assert moving(KEPT_ROLE) == ["stack_moved"]
    assert moving({"Resources": {}}) == ["goes: base"], "it gives up the name"
    other = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "another"}}}}
    assert moving(other) == ["goes: base"]


def test_a_stack_that_moves_and_makes_a_role_that_the_others_need_is_a_move_and_not_held_as_well() -> None:
    assert moving(KEPT_ROLE, service_role=RoleName(name="demo-role")) == ["stack_moved"]
    assert moving({"Resources": {}}, service_role=RoleName(name="demo-role")) == ["stack_held"]


class Refusing(World):
    """Nobody may look at templates."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        found: Any = super().cloudformation(account_id, region, role_arn)

        def refuse(stack: str) -> str | None:
            raise AccessDenied("not you", hint="ask")

        found.get_template = refuse
        return found  # type: ignore[no-any-return]


def test_a_stack_that_cannot_be_looked_at_is_told_and_does_not_go() -> None:
    before, (assembly, templates) = small_assembly(Small(id="base", template=KEPT_ROLE), Small(id="old", template=KEPT_ROLE)), NEW
    world = Refusing()
    world.places["eu-west-1"].put("demo-test-old", KEPT_ROLE)
    found = find(lambda: after(before), assembly, templates, world)
    assert found.removals == ()
    told = [f for f in found.findings if "demo-test-old" in f.message]
    assert [(f.code, f.severity, f.command) for f in told] == [("dropped_unknown", "note", "ask")] and "not you" in told[0].message
    assert no_more_wanted(lambda: after(before), assembly, templates, world).stacks == ()


def test_a_stack_with_other_tags_is_left_alone_whatever_the_history_says_and_its_names_still_count() -> None:
    before = small_assembly(Small(id="base", template=KEPT_ROLE), Small(id="old", template=KEPT_ROLE))
    world = World()
    world.places["eu-west-1"].put("demo-test-old", KEPT_ROLE)
    world.places["eu-west-1"].stacks["demo-test-old"]["Tags"] = []
    assembly, templates = NEW
    found = find(lambda: after(before), assembly, templates, world)
    assert (found.removals, [f.code for f in found.findings]) == ((), ["stack_not_ours"])
    dropped = no_more_wanted(lambda: after(before), assembly, templates, world)
    assert (dropped.stacks, [f.code for f in dropped.findings]) == ((), ["stack_not_ours"])
    moved = small_assembly(Small(id="old", template=KEPT_ROLE, region="us-east-1"))
    assert [f.code for f in find(lambda: after(before), *moved, world).findings] == ["stack_moved", "stack_not_ours"]


def test_tags_of_the_name_that_the_project_had_are_no_news_beside_the_move() -> None:
    before = small_assembly(Small(id="old", template=KEPT_ROLE), Small(id="base", template=KEPT_ROLE))
    former = msgspec.structs.replace(before[0], project="former"), before[1]
    moved = small_assembly(Small(id="old", template=KEPT_ROLE, region="us-east-1"))

    def told(*applied: Any) -> list[str]:
        world = World()
        world.places["eu-west-1"].put("demo-test-old", KEPT_ROLE)
        world.places["eu-west-1"].stacks["demo-test-old"]["Tags"] = []
        return [f.code for f in find(lambda: after(*applied), *moved, world).findings]

    assert told(former) == ["stack_moved"]
    assert told(before) == told(former, before) == ["stack_moved", "stack_not_ours"]


def test_of_several_stacks_that_are_elsewhere_each_is_told_as_what_it_is() -> None:
    old, other = ({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name}}}} for name in ("one", "two"))
    before = small_assembly(Small(id="base", template=old), Small(id="old", template=other))
    former = msgspec.structs.replace(before[0], project="former"), before[1]
    moved = small_assembly(Small(id="base", template=old, region="us-east-1"))

    def told(planned: Any, *applied: Any) -> tuple[list[str], list[str]]:
        world = World()
        for name, template in (("base", old), ("old", other)):
            world.places["eu-west-1"].put(f"demo-test-{name}", template)
        world.places["eu-west-1"].stacks["demo-test-old"]["Tags"] = []
        found = find(lambda: after(*applied), planned[0], planned[1], world)
        return [f.code for f in found.findings], [each.stack for each in found.removals]

    assert told(moved, before) == (["stack_moved", "stack_not_ours"], [])
    assert told(small_assembly(Small(id="base", template=old)), former) == (["stack_not_ours"], []), "nothing moves"


def test_a_stack_policy_that_an_edit_leaves_out_is_said_to_stay() -> None:
    def guarded(*names: str) -> Any:
        return small_assembly(*(Small(id=n, template=TEMPLATE, more={"stack_policy": "{}"} if n in names else {}) for n in ("a", "b")))

    def told(*names: str) -> list[str]:
        assembly, templates = guarded()
        found = find(lambda: after(guarded(*names)), assembly, templates, World())
        return [f.message.partition(" in force")[0] for f in found.findings if f.code == "protection_stays"]

    assert told() == [] and told("a") == ["the stack policy of a stays"]
    assert told("a", "b") == ["the stack policies of a, b stay"]


def test_stacks_that_are_gone_and_leave_nothing_are_not_told() -> None:
    before = small_assembly(Small(id="base", template=KEPT_ROLE), Small(id="old", template=KEPT_ROLE))
    found = find(lambda: after(before), *NEW, World())
    assert (found.removals, found.findings) == ((), ())


# --- where the history is ---------------------------------------------------------------------------------------------


class Elsewhere(Bucket):
    """Buckets by name; which were read."""

    def __init__(self, **buckets: Bucket) -> None:
        super().__init__()
        self.buckets, self.read = buckets, list[str]()

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        self.read.append(bucket)
        return self.buckets[bucket].list(bucket, prefix) if bucket in self.buckets else iter(())

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
        return self.buckets[bucket].get(bucket, key, version_id=version_id)


def test_a_history_that_stayed_in_the_former_bucket_is_read_there_and_said() -> None:
    template = {"Resources": {"Artifacts": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "demo-artifacts"}}}}
    assembly, templates = small_assembly(Small(id="base", template=template))
    gateways = SimulatedGateways()
    gateways.at("eu-west-1").deploy("demo-test-base", template, {})
    moved = Elsewhere(**{"Artifacts-physical": applied(rollback=True)})
    found = find(lambda: moved, assembly, templates, gateways)
    assert {f.code for f in found.findings} >= {"history_moves", "undoes_rollback"}
    assert moved.read == ["demo-artifacts", "Artifacts-physical"]
    here = Elsewhere(**{"demo-artifacts": applied(rollback=False)})
    assert "history_moves" not in {f.code for f in find(lambda: here, assembly, templates, gateways).findings}
    assert here.read == ["demo-artifacts"], "a history that is here is not looked for elsewhere"


def test_only_the_latest_applies_are_asked_for_their_assemblies() -> None:
    old, latest = small_assembly(Small(id="old", template=KEPT_ROLE)), NEW
    world = World()
    world.places["eu-west-1"].put("demo-test-old", KEPT_ROLE)
    assert [r.stack for r in find(lambda: after(old, latest), *NEW, world).removals] == ["old"]
    assert find(lambda: after(latest), *NEW, world).findings == ()


# --- the account ------------------------------------------------------------------------------------------------------

SITE = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "site"}}}}


class OfOthers(SimulatedGateways):
    """Where some bucket names are another account's."""

    taken: frozenset[str] = frozenset()

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return self

    def find(self, _: str, name: str) -> None:
        if name in self.taken:
            raise AccessDenied("Forbidden", service="s3", operation="HeadBucket", status=403)


def denied() -> Any:
    raise AccessDenied("not your history", service="s3", operation="ListObjectsV2")


@pytest.mark.parametrize(
    ("taken", "connect", "stands", "said"),
    [
        ({"site", "artifacts"}, denied, False, ["stack_moved"]),
        ({"site", "artifacts"}, denied, True, []),
        ({"artifacts"}, denied, False, []),
        ({"site"}, denied, False, []),
        ({"site", "artifacts"}, Bucket, False, []),
    ],
    ids=["all names", "a stack stands", "one name", "another name", "a history"],
)
def test_an_environment_whose_buckets_another_account_has_would_be_moved(
    taken: set[str], connect: Any, stands: bool, said: list[str]
) -> None:
    assembly, templates = small_assembly(Small(id="base", template=SITE))
    world = OfOthers()
    world.taken = frozenset({assembly.artifact_bucket if each == "artifacts" else each for each in taken})
    if stands:
        world.at("eu-west-1").deploy("demo-test-base", SITE, {})
    found = find(connect, assembly, templates, world)
    assert [f.code for f in found.findings] == said
    if said:
        (finding,) = found.findings
        assert f"{assembly.artifact_bucket}, site are another account's" in finding.message
        assert "account_id would move it" in finding.message
        assert finding.command.startswith("edit environments/test.yaml: the account_id it had")


@pytest.mark.parametrize("more", [{"stackset": stackset("eu-west-1")}, {"account_id": "210987654321"}], ids=["a set", "another account"])
def test_only_buckets_of_stacks_of_the_account_say_whose_it_is(more: dict[str, Any]) -> None:
    theirs = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "theirs"}}}}
    assembly, templates = small_assembly(Small(id="base", template=SITE), Small(id="other", template=theirs))
    base, other = assembly.stacks
    other = msgspec.structs.replace(other, **more, **({"kind": "stackset"} if "stackset" in more else {}))
    assembly = msgspec.structs.replace(assembly, stacks=(base, other))
    world = OfOthers()
    world.taken = frozenset({assembly.artifact_bucket, "theirs"})
    assert find(denied, assembly, templates, world).findings == ()

"""A plan as a value: when it changes something, what its document mentions, and which saved one is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from planning.inputs import Inputs
from planning.model import Plan, StackPlan, Superseded, TakenOver, plan_bytes, plan_command, plan_digest, sealed
from planning.saved import SavedPlanError, forget, load, path_of, save
from tests.simulated import ACCOUNT, SimulatedGateways, Small, small_assembly
from tests.unit.planning.test_plan import plan_of, settled, stack_of
from tests.unit.planning.test_stackset_plan import live, planned
from tests.unit.rollout.test_rollout_steps import removal

BUCKET: dict[str, Any] = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}


def one() -> Any:
    return small_assembly(Small(id="a", template=BUCKET))


@pytest.fixture(scope="module")
def nothing() -> Plan:
    """A plan of what stands as it is wanted."""
    return settled(one(), SimulatedGateways())


def content(**changes: Any) -> Any:
    from website.content_plan import ContentPlan

    return ContentPlan(environment="test", bucket="b", origin="dist", manifest="m", content="c", files=1, size=1, **changes)


OLD = Superseded(
    stack="a",
    stack_name="a",
    account_id=ACCOUNT,
    region="r",
    role_arn=None,
    logical_id="C",
    resource_type="T",
    physical_id="old",
    since="t",
)


def test_each_thing_that_is_a_change(nothing: Plan) -> None:
    def changes(**more: Any) -> bool:
        return msgspec.structs.replace(nothing, **more).has_changes

    removing = msgspec.structs.replace(nothing.options, remove=True)
    assert not nothing.has_changes and plan_of(one(), SimulatedGateways()).has_changes
    assert not changes(stacks=(msgspec.structs.replace(stack_of(nothing, "a"), operation="blocked"),))
    assert changes(stacks=(msgspec.structs.replace(stack_of(nothing, "a"), operation="settings"),))
    assert changes(superseded=(OLD,)) and not changes(superseded=(msgspec.structs.replace(OLD, since=""),))
    assert changes(removals=(removal(),), options=removing)
    assert not changes(removals=(removal(),)) and not changes(options=removing)
    live_already = content(live="m", live_number=1)
    assert changes(content=content()) is content().has_changes is True
    assert changes(content=live_already) is live_already.has_changes is False


def test_a_preview_is_what_waits_for_another_stack() -> None:
    assert planned(found=live(), inputs=Inputs(waits_for=("base.Out",))).previewed is True
    assert planned(found=live()).previewed is False


def test_only_a_stack_has_a_change_set_that_waits(nothing: Plan) -> None:
    plan = plan_of(one(), SimulatedGateways())
    waits = stack_of(plan, "a").change_set
    assert waits is not None and nothing.change_sets == ()
    assert msgspec.structs.replace(plan, stacks=(planned(), *plan.stacks)).change_sets == (waits,)


def test_a_document_mentions_what_there_is(nothing: Plan) -> None:
    def document(plan: Plan) -> Any:
        return json.loads(plan_bytes(plan))

    plain = document(nothing)
    assert not {"content", "superseded", "consequences", "removals"} & plain.keys()
    assert "read_only" not in plain["options"] and "takes" not in plain["stacks"][0]
    taken = TakenOver(logical_id="B", resource_type="T", identifier={"Name": "n"}, physical_id="n", source="s", sha256="0")
    more = msgspec.structs.replace(
        nothing,
        content=content(),
        superseded=(OLD,),
        removals=(removal(),),
        options=msgspec.structs.replace(nothing.options, read_only=True),
        stacks=(msgspec.structs.replace(stack_of(nothing, "a"), takes=(taken,)),),
    )
    told = document(more)
    assert {"content", "superseded", "removals"} <= told.keys() and told["options"]["read_only"] is True
    assert told["stacks"][0]["takes"][0]["physical_id"] == "n"
    assert plan_digest(more) != plan_digest(nothing) and isinstance(more.stacks[0], StackPlan)
    assert plan_command(nothing) == "python deploy.py plan --env test"
    assert plan_command(more).startswith("python deploy.py plan --env test --content")


def test_a_saved_plan_is_private_and_comes_back(tmp_path: Path, nothing: Plan) -> None:
    path = path_of(tmp_path / "not" / "there" / "yet", "test")
    assert path == tmp_path / "not" / "there" / "yet" / "test" / "plan.json"
    save(path, nothing)
    save(path, nothing)
    assert load(path, "test") == nothing and path.stat().st_mode & 0o777 == 0o600
    forget(path)
    forget(path)
    assert not path.exists()


def test_each_saved_plan_that_is_not_used(tmp_path: Path, nothing: Plan) -> None:
    path = path_of(tmp_path, "test")

    def refused(environment: str = "test") -> str:
        with pytest.raises(SavedPlanError) as told:
            load(path, environment)
        assert told.value.command == f"python deploy.py plan --env {environment}"
        return str(told.value)

    assert "there is no saved plan" in refused()
    save(path, nothing)
    assert "is a plan for test, not for prod" in refused("prod")
    save(path, sealed(msgspec.structs.replace(nothing, format=nothing.format + 1)))
    assert f"format {nothing.format + 1}, this version reads format {nothing.format}" in refused()
    save(path, msgspec.structs.replace(nothing, created_by="somebody else"))
    assert "changed since it was made" in refused()
    path.write_text("{")
    assert "not a plan" in refused()

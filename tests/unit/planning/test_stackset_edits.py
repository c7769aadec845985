"""The review of every edit of a StackSet that stands, and of what happens to its instances by hand: golden, read by a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from planning.model import Options, Plan
from planning.plan import make_plan
from planning.request import Request
from review import terminal
from templates.schemas import bundled
from tests.golden_files import GOLDEN, assert_golden
from tests.simulated import ACCOUNT
from tests.unit.planning.test_stacksets import BUCKET, LOGS, OTHER, REGIONS, THIRD, World

SCHEMAS = bundled()
Happens = Callable[[World], Any]


def put(name: str, value: Any) -> Happens:
    return lambda world: setattr(world, name, value)


def instance(account: str, region: str, **change: Any) -> Happens:
    return lambda world: world.live.instances[account, region].update(change)


def gone(account: str, region: str) -> Happens:
    return lambda world: world.live.instances.pop((account, region))


def both(*happen: Happens) -> Happens:
    return lambda world: [each(world) for each in happen]


def made_by_hand(world: World) -> None:
    world.live.instances[THIRD, "us-east-1"] = {**world.live.instances[OTHER, "us-east-1"], "Account": THIRD}


def log_group(world: World) -> None:
    world.gateways.targets.log_groups[THIRD, "eu-west-1"] = ("/edge/eu-west-1",)


def another_template(world: World) -> None:
    assert world.live.description is not None
    world.live.description["TemplateBody"] = world.live.description["TemplateBody"].replace("RetentionInDays", "Retention")


EDITS: dict[str, Happens] = {
    "nothing": lambda _: None,
    "account_added": put("accounts", (ACCOUNT, OTHER, THIRD)),
    "account_replaced": put("accounts", (ACCOUNT, THIRD)),
    "account_removed": put("accounts", (ACCOUNT,)),
    "region_added": put("regions", (*REGIONS, "us-west-2")),
    "region_removed": put("regions", REGIONS[:2]),
    "regions_replaced": put("regions", ("us-east-1", "us-west-2", "us-east-2")),
    "parameter": put("days", "30"),
    "parameter_and_region": both(put("days", "30"), put("regions", (*REGIONS, "us-west-2"))),
    "template_by_hand": another_template,
    "instance_deleted_by_hand": gone(OTHER, "eu-west-1"),
    "instance_made_by_hand": made_by_hand,
    "instance_failed": instance(OTHER, "eu-west-1", Status="OUTDATED", StatusReason="it failed"),
    "instance_inoperable": both(put("days", "30"), instance(OTHER, "us-east-1", Status="INOPERABLE")),
    "instance_drifted": instance(OTHER, "eu-west-1", DriftStatus="DRIFTED"),
    "override_by_hand": instance(OTHER, "eu-west-1", ParameterOverrides=[{"ParameterKey": "Days", "ParameterValue": "1"}]),
    "account_added_that_has_the_log_group": both(put("accounts", (ACCOUNT, OTHER, THIRD)), log_group),
    "account_added_that_is_not_ready": both(
        put("accounts", (ACCOUNT, OTHER, THIRD)), lambda world: world.gateways.targets.roles.update({(THIRD, "execution"): None})
    ),
    "bucket_account_removed": put("accounts", (ACCOUNT,)),
}


def plan_of(name: str) -> Plan:
    world = World(template=BUCKET if name.startswith("bucket") else LOGS)
    world.deploy()
    assert set(world.statuses().values()) == {"CURRENT"}
    world.live.operations.clear()
    EDITS[name](world)
    assembly, templates = world.assembly()
    request = Request(assembly=assembly, templates=templates, options=Options(), created_at="t", created_by="somebody", nonce="0a1b2c3d")
    return make_plan(request, world.gateways, SCHEMAS)


@pytest.mark.parametrize("name", EDITS)
def test_golden_edit_of_a_set(name: str) -> None:
    assert_golden(f"stackset_edits/{name}.txt", "\n".join(terminal.render(plan_of(name), width=140).split("\n")[2:]))


def test_golden_edits_of_sets_are_those_of_the_table() -> None:
    assert {path.stem for path in (GOLDEN / "stackset_edits").glob("*.txt")} == {*EDITS}

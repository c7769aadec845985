"""The review of every edit of the table, and what holds for all of them: nothing hidden changes, nothing shown is no consequence."""

from __future__ import annotations

import pytest

from planning.model import STACK_MOVED, Plan, StackPlan
from review import shown, terminal
from tests.edit_table import EDITS, executed, plan_of_edit
from tests.golden_files import GOLDEN, assert_golden


def review(plan: Plan) -> str:
    """Without the lines that name the assembly."""
    return "\n".join(terminal.render(plan, width=140).split("\n")[2:])


@pytest.mark.parametrize("name", EDITS)
def test_golden_edit(name: str) -> None:
    assert_golden(f"edits/{name}.txt", review(plan_of_edit(name)))


def test_golden_edits_are_those_of_the_table() -> None:
    assert {path.stem for path in (GOLDEN / "edits").glob("*.txt")} == {*EDITS}
    assert len(EDITS) >= 40


@pytest.mark.parametrize("name", EDITS)
def test_a_stand_in_that_lists_more_and_gives_no_values_changes_no_review(name: str) -> None:
    more, usual = (review(plan_of_edit(name, no_values=no_values)).split("\n") for no_values in (True, False))
    assert [line for line in more if "listed by Cloud" not in line] == [line for line in usual if "listed by Cloud" not in line]


@pytest.mark.parametrize("name", EDITS)
def test_what_is_hidden_keeps_its_value_and_what_keeps_its_value_is_hidden(name: str) -> None:
    """By executing the change sets: what the review calls unaffected has the same properties after, all that it shows in place has not."""
    plan, before, after = executed(name)
    for stack in plan.stacks:
        if not isinstance(stack, StackPlan) or stack.change_set is None or not stack.state.exists:
            continue
        old, new = before[stack.region, stack.stack_name], after[stack.region, stack.stack_name]
        for change in stack.resources:
            if change.unaffected:
                assert new[change.logical_id] == old[change.logical_id], f"{stack.stack}.{change.logical_id} changes and is hidden"
        told = {change.logical_id for change in shown.changing(stack.resources)}
        silent = {i for i in {*old} | {*new} if old.get(i) != new.get(i)} - told
        assert not silent, f"{stack.stack}: {silent} changed, and the review was silent"
        idle = {
            c.logical_id
            for c in shown.resources(stack)
            if c.action == "modify" and old[c.logical_id].properties == new[c.logical_id].properties
        }
        assert not {i for i in idle if not _beside_properties(stack, i)}, f"{stack.stack}: {idle} shown, and nothing came of it"


def _beside_properties(stack: StackPlan, logical_id: str) -> bool:
    change = next(c for c in stack.resources if c.logical_id == logical_id)
    return any(item.attribute != "Properties" for item in shown.properties(change))


@pytest.mark.parametrize("name", ["home_region", "project"])
def test_a_move_is_the_only_reason_told_for_what_the_environment_itself_is_in_the_way_of(name: str) -> None:
    """Every name that it would take a second time is its own: a hint how to delete or take over one would be about what stands."""
    plan = plan_of_edit(name)
    assert {stack.operation for stack in plan.stacks} == {"blocked"}
    assert [f.code for f in plan.all_findings] == [STACK_MOVED]
    assert not [f for stack in plan.stacks for f in stack.findings]

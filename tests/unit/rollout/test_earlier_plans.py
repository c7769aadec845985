"""Change sets that an apply has overtaken: which are deleted, and which are nobody's to delete."""

from __future__ import annotations

import pytest

from aws.cloudformation.change_sets import ChangeSetSummary
from operations.status import Deployed, PendingChangeSet, StackStatus, with_overtaken
from rollout.earlier_plans import overtaken

OLD, NEW, LATER = "2026-11-22T09:00:00Z", "2026-11-22T10:00:00.123000+00:00", "2026-11-22T11:00:00Z"


def change_set(name: str = "plan-dev-0a1b-c", at: str = OLD, execution: str = "AVAILABLE") -> ChangeSetSummary:
    return ChangeSetSummary(arn="a", name=name, status="CREATE_COMPLETE", execution_status=execution, created_at=at)


@pytest.mark.parametrize(
    ("found", "goes"),
    [
        (change_set(), True),
        (change_set(execution="UNAVAILABLE"), True),
        (change_set(at=LATER), False),
        (change_set("somebody-elses"), False),
        (change_set("plan-prod-0a1b-c"), False),
        (change_set(execution="EXECUTE_IN_PROGRESS"), False),
    ],
)
def test_only_earlier_ones_of_this_environments_plans_go(found: ChangeSetSummary, goes: bool) -> None:
    assert overtaken(found, "dev", NEW) == goes


@pytest.mark.parametrize(("result", "at", "is_over"), [("succeeded", OLD, True), ("failed", OLD, False), ("succeeded", LATER, False)])
def test_status_calls_only_those_overtaken_that_no_apply_goes_on_with(result: str, at: str, is_over: bool) -> None:
    pending = (PendingChangeSet(name="plan-dev-0a1b-c", status="CREATE_COMPLETE", execution_status="AVAILABLE", created_at=at),)
    stack = StackStatus(stack="a", kind="stack", stack_name="a", account_id="1", region="r", pending=pending)
    deployed = Deployed(assembly_digest="d", at=NEW, result=result)
    assert with_overtaken(stack, "dev", deployed).pending[0].overtaken == is_over

"""The nightly run's judge: what was worked on against what was reviewed."""

from __future__ import annotations

from assembly.model import OperationPreferences
from changes.model import ResourceChange
from planning.model import InstancePlan, Plan, StackSetPlan
from tests.nightly.truth import not_as_reviewed
from tests.unit.review.test_review import plan_of, stack

ADDED = ResourceChange(logical_id="New", resource_type="AWS::SNS::Topic", action="add")
CHANGED = ResourceChange(logical_id="Old", resource_type="AWS::SNS::Topic", action="modify")
SITE = stack("site", "update", resources=(ADDED, CHANGED))
DNS = stack("dns", "none")
PLAN = plan_of(SITE, DNS)
PLACE = (SITE.region, SITE.stack_name)


def test_what_was_reviewed_and_done_is_right() -> None:
    assert not_as_reviewed(PLAN, {PLACE: {"New", "Old"}}, complete=True) == ()
    assert not_as_reviewed(PLAN, {PLACE: {"New"}}, complete=True) == (), "a change may turn out to be none"


def test_anything_else_is_told() -> None:
    assert "Other was worked on" in not_as_reviewed(PLAN, {PLACE: {"New", "Other"}}, complete=True)[0]
    assert "New was reviewed, and nothing was done" in not_as_reviewed(PLAN, {PLACE: {"Old"}}, complete=True)[0]
    assert "nothing was done" in not_as_reviewed(PLAN, {}, complete=True)[0]
    assert not_as_reviewed(PLAN, {}, complete=False) == ()
    assert "reviewed as none" in not_as_reviewed(PLAN, {PLACE: {"New"}, (DNS.region, DNS.stack_name): {"Record"}}, complete=True)[0]
    assert "is not in the review" in not_as_reviewed(PLAN, {PLACE: {"New"}, ("eu-west-1", "somebody-elses"): set()}, complete=True)[0]


def test_an_instance_that_was_to_be_left_alone_is_told() -> None:
    def plan(action: str) -> Plan:
        found = InstancePlan(account_id="123456789012", region="eu-west-1", action=action)  # type: ignore[arg-type]
        return plan_of(
            StackSetPlan(
                stack="logs",
                stack_name="demo-logs",
                account_id="123456789012",
                region="us-east-1",
                role_arn=None,
                operation="instances",
                depends_on=(),
                exists=True,
                stack_set_id="id",
                template_sha256="a",
                deployed_template_sha256="a",
                preferences=OperationPreferences(),
                instances=(found,),
            )
        )

    touched = {("eu-west-1", "StackSet-demo-logs-1234"): {"LogGroup"}}
    assert not_as_reviewed(plan("update"), touched, complete=True) == ()
    assert "left alone" in not_as_reviewed(plan("none"), touched, complete=True)[0]

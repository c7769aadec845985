"""Was what was applied what was reviewed? Asked of CloudFormation's own events, not of our records.

In: an environment on the local AWS, the plan that was saved and its review. Out: one line for each thing that was not as reviewed.
Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from planning.model import Plan, StackPlan, StackSetPlan
from tests.functional.edited import Edited

REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "eu-west-2", "eu-west-3", "us-west-2")
"""Where an edit may put a stack."""
WORKED_ON = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_SKIPPED", "IMPORT_IN_PROGRESS")

Place = tuple[str, str]
"""Region and stack name."""


def existing_stacks(site: Edited) -> dict[Place, str]:
    """ARN of each stack of the account that there is."""
    found = {}
    for region in REGIONS:
        for stack in site.client("cloudformation", region).describe_stacks()["Stacks"]:
            if stack["StackStatus"] not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"):
                found[region, stack["StackName"]] = stack["StackId"]
    return found


@dataclass
class Watch:
    """Remembers what had happened already."""

    site: Edited
    seen: set[str] = field(default_factory=set)

    def begin(self) -> Watch:
        """From now on."""
        self.seen = {event["EventId"] for _, event in self._events(existing_stacks(self.site))}
        self.before = existing_stacks(self.site)
        return self

    def touched(self) -> dict[Place, set[str]]:
        """Logical ids of the resources that CloudFormation has worked on since, by stack; stacks that are gone are read by their ARN."""
        found: dict[Place, set[str]] = {}
        for place, event in self._events({**self.before, **existing_stacks(self.site)}):
            if event["EventId"] in self.seen or event["ResourceStatus"] not in WORKED_ON:
                continue
            ids = found.setdefault(place, set())
            if event["LogicalResourceId"] != event["StackName"]:
                ids.add(event["LogicalResourceId"])
        return found

    def _events(self, stacks: dict[Place, str]) -> Iterator[tuple[Place, dict[str, Any]]]:
        for place, arn in stacks.items():
            pages = self.site.client("cloudformation", place[0]).get_paginator("describe_stack_events").paginate(StackName=arn)
            for page in pages:
                yield from ((place, event) for event in page["StackEvents"])


def not_as_reviewed(plan: Plan, touched: dict[Place, set[str]], *, complete: bool) -> tuple[str, ...]:
    """`complete`: apply said that all is done, so that all that was reviewed must have been worked on."""
    return tuple(_differences(plan, touched, complete=complete))


def _differences(plan: Plan, touched: dict[Place, set[str]], *, complete: bool) -> Iterator[str]:
    sets = [stack for stack in plan.stacks if isinstance(stack, StackSetPlan)]
    # The watch sees the account of the environment; a zone may be in another one.
    here = [stack for stack in plan.stacks if isinstance(stack, StackPlan) and stack.account_id == plan.account_id]
    stacks = {(stack.region, stack.stack_name): stack for stack in here}
    for (region, name), ids in touched.items():
        stack = stacks.get((region, name))
        if stack is not None:
            listed = {change.logical_id for change in stack.resources}
            if stack.operation not in ("create", "update"):
                yield f"{name} in {region} was worked on, and reviewed as {stack.operation}"
            yield from (f"{name} in {region}: {each} was worked on, and not reviewed" for each in sorted(ids - listed))
            continue
        owner = next((each for each in sets if name.startswith(f"StackSet-{each.stack_name}-")), None)
        if owner is None:
            yield f"{name} in {region} was worked on, and is not in the review"
        elif not any(instance.region == region and instance.action != "none" for instance in owner.instances):
            yield f"an instance of {owner.stack_name} in {region} was worked on, and reviewed as left alone"
    if complete:
        for place, stack in stacks.items():
            wanted = {change.logical_id for change in stack.resources if change.action in ("add", "remove", "import")}
            if stack.operation in ("create", "update") and place not in touched:
                yield f"{place[1]} was reviewed as {stack.operation}, and nothing was done"
            yield from (f"{place[1]}: {each} was reviewed, and nothing was done" for each in sorted(wanted - touched.get(place, wanted)))


def unlisted(site: Edited, plan: Plan, review: str) -> tuple[str, ...]:
    """Stacks that stand and that are neither part of the plan nor named by the review as left behind."""
    planned = {(stack.region, stack.stack_name) for stack in plan.stacks}
    return tuple(
        f"{name} in {region} stands, and the review does not name it"
        for region, name in existing_stacks(site)
        if (region, name) not in planned and not name.startswith("StackSet-") and name not in review.replace("\n", "")
    )

"""Stacks that take over existing resources, so that a StackSet can import them as its instances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from assembly.files import canonical_json
from assembly.model import Stack
from aws.cloudformation.change_sets import ChangeSetRequest
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import ParameterValue, client_token
from planning.inputs import Inputs
from planning.model import InstancePlan, StackSetPlan
from rollout.execution import SUCCEEDED_STATES, Interrupted, Run
from rollout.outcome import InstanceFailure
from rollout.stackset_operations import Step


def bare(template: Mapping[str, Any], adopts: Iterable[str]) -> dict[str, Any]:
    """The template with the adopted log groups' names and nothing else of them.

    An import changes no property, and a later update only what differs between the two templates: so what this one leaves out is set
    by the update after it.
    Source: CloudFormation user guide, "Import AWS resources into a CloudFormation stack".
    """
    resources = dict(template.get("Resources", {}))
    for logical_id in adopts:
        body = resources[logical_id]
        resources[logical_id] = {**body, "Properties": {"LogGroupName": body.get("Properties", {}).get("LogGroupName")}}
    return {**template, "Resources": resources}


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """The instances of one StackSet that take over what is there."""

    run: Run
    plan: StackSetPlan
    stack: Stack
    template: Mapping[str, Any]
    source: Callable[[bytes], dict[str, Any]]
    """How a template of this text is handed to CloudFormation."""
    note: Callable[[str], None]

    def adopted(self, step: Step, inputs: Inputs) -> tuple[tuple[str, ...], tuple[InstanceFailure, ...]]:
        """Stacks that have taken over what is there, to be imported into the set; and those that could not."""
        stacks, bad = [], []
        wanted = {(i.account_id, i.region): i for i in self.plan.instances if i.action == "adopt"}
        for where in ((account, region) for account in step.targets.accounts for region in step.targets.regions):
            if self.run.stop.is_set():
                raise Interrupted
            self.run.check()
            stack, problem = self.adopt(wanted[where], inputs)
            if problem:
                bad.append(InstanceFailure(account_id=where[0], region=where[1], status="FAILED", reason=problem))
            else:
                stacks.append(stack)
        return tuple(stacks), tuple(bad)

    def adopt(self, instance: InstancePlan, inputs: Inputs) -> tuple[str, str]:
        """ARN of the stack that has taken over the instance's resources, or why there is none."""
        gateway = self.run.gateways.cloudformation(instance.account_id, instance.region)
        token = client_token(self.plan.stack_name, instance.account_id, instance.region)
        name = f"StackSet-{self.plan.stack_name}-{token[2:14]}"
        live = gateway.describe_stack(name)
        if live is None or not live.deployed:
            problem = self.take_over(gateway, name, token, instance, inputs.send)
            if problem:
                return "", problem
        for polls in count():
            live = gateway.describe_stack(name)
            if live is None or not (live.busy or live.under_review):
                break
            self.run.pause(polls)
        if live is None or live.status not in SUCCEEDED_STATES:
            return "", f"the stack {name} is {live.status if live else 'gone'}{f': {live.status_reason}' if live else ''}"
        return live.arn, ""

    def take_over(
        self, gateway: CloudFormation, name: str, token: str, instance: InstancePlan, parameters: tuple[ParameterValue, ...]
    ) -> str:
        """Make the stack by a change set that may import and add, and nothing else; why not, or empty."""
        if any(p.value is None for p in parameters):
            return "a parameter is to keep its previous value, which a new stack has none of"
        body = canonical_json(bare(self.template, instance.adopts))
        created = gateway.create_change_set(
            ChangeSetRequest(
                stack=name,
                name=f"adopt-{token}",
                type="CREATE",
                parameters=parameters,
                capabilities=self.stack.capabilities,
                tags=self.stack.tags,
                client_token=token,
                description=f"Takes over {', '.join(instance.adopts.values())}"[:1024],
                import_existing=True,
                **self.source(body),
            )
        )
        described = gateway.wait_for_change_set(created, no_echo=(p.name for p in parameters if p.no_echo), stopped=self.run.stop.is_set)
        actions = {change.logical_id: change.action for change in described.without_values}
        problem = "" if not described.failed else described.status_reason
        if not problem and (set(actions.values()) - {"Import", "Add"} or not set(instance.adopts) <= set(actions)):
            problem = f"the change set would not take over what is there: {actions}"
        if self.run.stop.is_set() or problem:
            gateway.delete_change_set(created.arn, created.stack_arn)
            gateway.delete_reviewed_stack(created.stack_arn, besides=(created.arn,))
            if not problem:
                raise Interrupted
            return problem
        self.note(f"{instance.account_id} {instance.region}: taking over {', '.join(instance.adopts.values())}")
        gateway.execute_change_set(created.arn, created.stack_arn, token=token)
        return ""
